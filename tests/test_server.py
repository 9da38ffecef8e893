"""Who may ask, and where the own routes lie. The same rules over the network: tests/browser/test_shell.py."""

from collections.abc import Iterator

import pytest
import streamlit as st
from starlette.routing import Mount, Route, WebSocketRoute
from streamlit import config

from pages.ui import server


@pytest.fixture
def option() -> Iterator[object]:
    """Sets a Streamlit option until the test ends."""
    before: dict[str, object] = {}

    def set_option(name: str, value: object) -> None:
        before.setdefault(name, st.get_option(name))
        config.set_option(name, value)

    yield set_option
    for name, value in before.items():
        config.set_option(name, value)


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "LOCALHOST:1", "127.0.0.1:8501", "[::1]:8501"])
def test_this_machine_is_answered(host: str) -> None:
    assert server.host_allowed(host)
    assert server.origin_allowed(None, host)
    assert server.origin_allowed(f"http://{host}", host)
    assert server.origin_allowed(f"https://{host}", host)


@pytest.mark.parametrize(
    "host", [None, "", "elsewhere.example", "localhost.elsewhere.example", "localhost:x", "me@localhost"]
)
def test_other_names_are_not_answered(host: str | None) -> None:
    assert not server.host_allowed(host)
    assert not server.origin_allowed(None, host)


@pytest.mark.parametrize(
    "origin", ["", "null", "http://elsewhere.example", "http://localhost:1", "file://localhost:8501", "https://[broken"]
)
def test_other_origins_are_not_answered(origin: str) -> None:
    assert not server.origin_allowed(origin, "localhost:8501")


def test_lists_can_be_widened(option) -> None:  # type: ignore[no-untyped-def]
    option("server.allowedHosts", ["teacher.local"])
    assert server.host_allowed("teacher.local:8501")
    assert not server.host_allowed("localhost:8501")
    option("server.corsAllowedOrigins", ["https://course.example/"])
    assert server.origin_allowed("https://course.example", "teacher.local:8501")


@pytest.mark.parametrize("base", ["lab", "/lab/", "lab/inner"])
def test_own_routes_lie_below_the_base_path(option, base: str) -> None:  # type: ignore[no-untyped-def]
    option("server.baseUrlPath", base)
    prefix = f"/{base.strip('/')}"
    assert server.public_path("/live") == f"{prefix}/live"
    assert server.plotly_url().startswith(f"{prefix}/assets/plotly.min.js?v=")
    added = [WebSocketRoute("/live", lambda socket: None), Route("/more", lambda request: None)]
    paths = [route.path for route in server.routes(added)]  # type: ignore[attr-defined]
    assert paths == [f"{prefix}{path}" for path in ("/assets/plotly.min.js", "/explore", "/live", "/more")]


def test_a_mount_is_refused() -> None:
    with pytest.raises(TypeError, match="not Mount"):
        server.routes([Mount("/files", routes=[])])
