"""What the tests of the pages share: a process like the server's."""

import sys

import pytest


@pytest.fixture(autouse=True)
def without_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras, which the app never imports, is out of Streamlit's sight.

    After each run of a page Streamlit resets an imported Keras, which collects all garbage: 0.3 s, six times the run.
    """
    monkeypatch.delitem(sys.modules, "keras", raising=False)
