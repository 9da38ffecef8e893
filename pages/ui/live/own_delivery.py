"""Own data handed to the browser once, which sends it back on the socket of every run and race that is on it.

It has an element of its own: Streamlit sends an element again only when it has changed, and this one never does.
"""

from pathlib import Path

import streamlit as st

from lossviz.datasets.own_points import OwnPoints
from pages.ui.live.own_message import pack_points

_component = st.components.v2.component(
    "lossviz_own_points", js=(Path(__file__).parent / "own_delivery.js").read_text(encoding="utf-8")
)


def deliver(points: OwnPoints | None) -> None:
    """Hand the data of the run on this page to the browser.

    Args:
        points: the data; nothing is handed over for a run on other data.
    """
    if points is not None:
        _component(key="own.points", data=pack_points(points))
