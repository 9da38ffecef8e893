"""The shell around the pages: navigation, themes, offline, who may ask, and what is sent along."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.conftest import axe, settle, wait_until
from tests.conftest import ServerStarter

FOREIGN_HOSTS = ["elsewhere.example", "localhost.elsewhere.example", "192.0.2.7:8501", "", "me@localhost"]
OpenPage = Callable[[str], Page]
PATHS = ["/", "/train", "/race", "/landscape", "/logs", "/reference", "/compare", "/choose"]
HEADINGS = {
    "/": "Explore",
    "/train": "Train",
    "/race": "Race",
    "/landscape": "Landscape",
    "/logs": "Logs",
    "/reference": "Reference",
    "/compare": "Compare",
    "/choose": "Choose",
}


@pytest.mark.parametrize("viewport", ["desktop", "phone"], indirect=True)
@pytest.mark.parametrize("colour_scheme", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("path", PATHS)
def test_page_is_accessible_and_fits(open_page: OpenPage, path: str, viewport: str, colour_scheme: str) -> None:
    page = open_page(path)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme") == colour_scheme
    # The main part scrolls by itself, so the page can be narrow enough while it is not.
    for part in ("html", "[data-testid=stMain]"):
        overflow = page.locator(part).evaluate("element => element.scrollWidth - element.clientWidth")
        assert overflow <= 0, f"{part} is {overflow} px wider than the window"
    assert axe(page) == []


def test_navigation_leads_to_each_page(open_page: OpenPage) -> None:
    page = open_page("/")
    for path in reversed(PATHS):
        page.get_by_role("link", name=HEADINGS[path], exact=True).click()
        wait_until(page, "path => location.pathname === path", path)
        settle(page)
        expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("viewport", ["phone"], indirect=True)
def test_navigation_on_a_phone(open_page: OpenPage, viewport: str) -> None:
    page = open_page("/train")
    page.get_by_test_id("stExpandSidebarButton").click()
    explore = page.get_by_role("link", name="Explore", exact=True)
    expect(explore).to_be_visible()
    assert axe(page) == []
    explore.click()
    wait_until(page, "() => location.pathname === '/'")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_page_name_of_the_default_page_works_and_keeps_settings(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mae")
    assert page.evaluate("location.pathname") == "/"
    wait_until(page, "() => location.search.includes('loss=mae')")


def test_no_script_or_style_comes_from_elsewhere(server_url: str) -> None:
    policy = httpx.get(f"{server_url}/").headers["content-security-policy"]
    sources = [word for part in policy.split("; ") for word in part.split()[1:]]
    assert not [source for source in sources if "." in source or "//" in source or source in {"*", "'unsafe-eval'"}]
    assert "frame-ancestors 'self'" in policy
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'unsafe-inline'" not in scripts


@pytest.mark.parametrize("path", ["/", "/train", "/assets/plotly.min.js", "/_stcore/health", "/_stcore/host-config"])
def test_security_headers_stand_on_every_answer(server_url: str, path: str) -> None:
    headers = httpx.get(f"{server_url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "content-security-policy" in headers


@pytest.mark.parametrize("path", ["/", "/assets/plotly.min.js", "/_stcore/health"])
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_foreign_host_is_refused_with_a_reason(server_url: str, path: str, host: str) -> None:
    answer = httpx.get(f"{server_url}{path}", headers={"Host": host})
    assert answer.status_code == 421
    assert "Allowed names: localhost" in answer.text


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://localhost:1", "null", "https://[broken"])
def test_foreign_origin_is_refused_with_a_reason(server_url: str, origin: str) -> None:
    answer = httpx.get(f"{server_url}/", headers={"Origin": origin})
    assert answer.status_code == 403
    assert "may not use this server" in answer.text
    socket_url = server_url.replace("http://", "ws://") + "/_stcore/stream"
    with pytest.raises(InvalidStatus) as refused, connect(socket_url, origin=origin):  # type: ignore[arg-type]
        pass
    assert refused.value.response.status_code == 403
    assert b"may not use this server" in refused.value.response.body


def test_own_origin_is_served(server_url: str) -> None:
    assert httpx.get(f"{server_url}/", headers={"Origin": server_url}).status_code == 200
    with connect(server_url.replace("http://", "ws://") + "/_stcore/stream", origin=server_url):  # type: ignore[arg-type]
        pass


def test_plotly_is_served_compressed_and_kept(server_url: str) -> None:
    url = f"{server_url}/assets/plotly.min.js?v=1"
    packed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
    plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["content-type"].startswith("text/javascript")


def test_plotly_is_asked_for_once(page: Page, server_url: str) -> None:
    load = """() => new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = "/assets/plotly.min.js?v=test";
        script.onload = () => resolve(performance.getEntriesByName(script.src)[0].transferSize);
        script.onerror = reject;
        document.head.append(script);
    })"""
    sizes = []
    for _ in range(2):
        page.goto("/_stcore/health")
        sizes.append(page.evaluate(load))
    assert page.evaluate("Plotly.version.split('.').length") == 3
    assert sizes[0] > 100_000
    assert sizes[1] == 0


def test_everything_works_below_a_base_path(chromium: Browser, start_server: ServerStarter) -> None:
    with start_server("--server.baseUrlPath", "lab") as url:
        assert httpx.get(f"{url}/assets/plotly.min.js").status_code == 200
        moved = httpx.get(f"{url}/explore?loss=mae")
        assert (moved.status_code, moved.headers["location"]) == (307, "/lab/?loss=mae")
        with connect(url.replace("http://", "ws://") + "/live", origin=url.removesuffix("/lab")):  # type: ignore[arg-type]
            pass
        page = chromium.new_page()
        page.goto(f"{url}/train")
        settle(page)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.close()


def test_failing_page_shows_a_sentence_and_no_traceback(
    chromium: Browser, start_server: ServerStarter, checkout: Path
) -> None:
    page_file = checkout / "pages" / "train.py"
    page_file.write_text('import streamlit as st\nst.title("Train")\nraise RuntimeError("inner detail")\n')
    with start_server(folder=checkout) as url:
        page = chromium.new_page()
        page.goto(f"{url}/train")
        settle(page)
        expect(page.get_by_role("alert")).to_contain_text("a fault in lossviz, not because of anything you did")
        shown = page.locator("body").inner_text()
        page.close()
    assert "inner detail" not in shown
    assert "RuntimeError" not in shown
    assert "Traceback" not in shown
