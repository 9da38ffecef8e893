"""Browser tests: a real Chromium against a real server.

    def test_name(open_page):
        page = open_page("/explore?loss=huber")        # waits until Streamlit has finished the run
        page.get_by_role("button", name="Reset", exact=True).click()
        settle(page)                                   # from tests.browser.conftest: waits for the rerun to end
        expect(page.get_by_text("Loss", exact=True)).to_be_visible()

- The page is loaded anew for each test, without cookies or stored settings. The test fails if the page wrote to the
  console as an error or a warning that names a policy, threw an error, or asked any other host for anything.
- `open_page` uses a tab that the session keeps, because the browser then has the scripts compiled: half the time of a
  new tab. A test that does something to the tab itself (`page.on`, `page.route…`, a CDP session) takes `page` as well:
  it then has a tab of its own, and `open_page` uses that one.
- A test that provokes console errors says so: `expected_console.append("part of the message")`.
- `viewport` is "desktop" (1280x800) or "phone" (390x844), `colour_scheme` "light" or "dark". Both are fixtures:
      @pytest.mark.parametrize("viewport", ["desktop", "phone"], indirect=True)
      @pytest.mark.parametrize("colour_scheme", ["light", "dark"], indirect=True)
- `axe(page)` returns accessibility violations beyond the known exceptions: `assert axe(page) == []`.
- `chromium` is the browser, for a test that needs several contexts; `server_url` and `start_server` are in
  tests/conftest.py.
- Locators by role and label with exact=True; wait for a condition, never for a time: `expect`, or for what only
  JavaScript can see `wait_until(page, "() => …")`. page.wait_for_function does not work under our policy (no eval).
- Do not call asyncio.run here: Playwright's own loop runs in this thread. For WebSockets use `websockets.sync`.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    WebSocket,
    sync_playwright,
)

from deploy.environment import CHROMIUM_ARGUMENTS, find_chromium

# Each page is looked at in every combination (test_shell.py); its further states in these, which hold both of each.
WINDOWS = (("desktop", "light"), ("phone", "dark"))
VIEWPORTS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
IDLE = '[data-testid="stApp"][data-test-connection-state="CONNECTED"][data-test-script-state="notRunning"]'
# A page of the server that runs no script.
PLAIN = "/_stcore/health"
UNFINISHED = '[data-stale="true"], [data-testid="stSkeleton"]'


def settle(page: Page) -> None:
    """Waits until Streamlit is connected, has finished its run and shows no stale element."""
    page.wait_for_selector(IDLE, state="attached")
    wait_until(page, f"() => !document.querySelector({UNFINISHED!r})")


def wait_until(page: Page, condition: str, argument: object = None, seconds: float = 15) -> None:
    """Waits until a JavaScript function returns something true; page.wait_for_function needs eval, which is refused."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition, argument):
        if time.monotonic() > deadline:
            pytest.fail(f"after {seconds} s this was still not so: {condition}")
        page.wait_for_timeout(20)


# To find out under which path it is served, Streamlit 1.67 first asks below the page's own address and takes a 404
# as the answer "not here".
STREAMLIT_PROBE = re.compile(r"/[^/]+/_stcore/(health|host-config)$")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, one for the session."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium found: run python3 deploy/test.py, or set LOSSVIZ_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def viewport(request: pytest.FixtureRequest) -> str:
    """The size of the window, by name."""
    return str(getattr(request, "param", "desktop"))


@pytest.fixture
def colour_scheme(request: pytest.FixtureRequest) -> str:
    """The colour scheme that the system asks for."""
    return str(getattr(request, "param", "light"))


@pytest.fixture
def expected_console() -> list[str]:
    """Parts of console messages that this test provokes on purpose."""
    return []


@pytest.fixture(scope="session")
def contexts(chromium: Browser, server_url: str) -> Iterator[dict[str, BrowserContext]]:
    """A window for each device, kept for the session with what it has loaded: a fresh one loads 10 MB of scripts."""
    made = {
        name: chromium.new_context(viewport=size, has_touch=name == "phone", base_url=server_url)  # type: ignore[arg-type]
        for name, size in VIEWPORTS.items()
    }
    for context in made.values():
        context.set_default_timeout(15_000)
    yield made
    for context in made.values():
        context.close()


@contextmanager
def watched(page: Page, host: str, expected_console: list[str]) -> Iterator[list[str]]:
    """Collects errors that the page writes or throws, and requests to another host than `host`."""
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        serious = message.type == "error" or (message.type == "warning" and "Policy" in message.text)
        probe = "404" in message.text and STREAMLIT_PROBE.search(message.location.get("url", ""))
        if serious and not probe and not any(part in message.text for part in expected_console):
            problems.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def on_request(asked: Request | WebSocket) -> None:
        address = urlsplit(asked.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != host:
            problems.append(f"foreign request: {asked.url}")

    def on_error(error: Error) -> None:
        problems.append(f"page error: {error}")

    listeners = {"console": on_console, "pageerror": on_error, "websocket": on_request, "request": on_request}
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload]
    yield problems
    # The answer comes after everything that the page has reported until now.
    page.evaluate("0")
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


def make_as_new(page: Page, viewport: str, colour_scheme: str) -> None:
    """Leaves the app, and forgets what the page stored and how the tab was set."""
    page.goto(PLAIN)
    page.context.clear_cookies()
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.mouse.move(-1, -1)
    page.set_viewport_size(VIEWPORTS[viewport])  # type: ignore[arg-type]
    page.emulate_media(media="null", color_scheme=colour_scheme, reduced_motion="null")  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def kept_tabs() -> dict[str, Page]:
    """The tabs that tests use one after another, one a device."""
    return {}


@pytest.fixture
def tab(
    request: pytest.FixtureRequest,
    contexts: dict[str, BrowserContext],
    kept_tabs: dict[str, Page],
    server_url: str,
    viewport: str,
    colour_scheme: str,
    expected_console: list[str],
) -> Iterator[Page]:
    """A new tab for tests that take `page`, otherwise the kept one; at a blank page, as if nobody had been here."""
    own = "page" in request.fixturenames
    tab = contexts[viewport].new_page() if own else kept_tabs.pop(viewport, None) or contexts[viewport].new_page()
    make_as_new(tab, viewport, colour_scheme)
    failed = request.session.testsfailed
    with watched(tab, urlsplit(server_url).netloc, expected_console) as problems:
        yield tab
    # Who knows in what state a failed test leaves its tab.
    if own or problems or request.session.testsfailed > failed:
        tab.close()
    else:
        tab.goto(PLAIN)
        kept_tabs[viewport] = tab
    assert not problems, "\n".join(problems)


@pytest.fixture
def page(tab: Page) -> Page:
    """A tab of the test's own."""
    return tab


@pytest.fixture
def open_page(tab: Page) -> Callable[[str], Page]:
    """Goes to a path of the app and waits until it is complete."""

    def open_path(path: str = "/") -> Page:
        tab.goto(path)
        settle(tab)
        return tab

    return open_path


@dataclass(frozen=True)
class AxeException:
    """A violation that Streamlit's own markup causes and that we cannot mend from outside."""

    rule: str
    selector: str
    version: str
    reason: str


AXE_EXCEPTIONS: tuple[AxeException, ...] = (
    AxeException(
        "presentation-role-conflict",
        "[data-testid=stFileUploaderDropzone]",
        "streamlit 1.67.0",
        "st.file_uploader gives the area that takes dropped files the role presentation and a tabindex of -1; keyboard "
        "and screen readers use the button inside.",
    ),
    AxeException(
        "scrollable-region-focusable",
        ".katex-display",
        "streamlit 1.67.0",
        "st.latex scrolls a formula that is too wide for a phone and takes no tabindex; browsers let the keyboard "
        "scroll such a region by themselves.",
    ),
)

_IS_INSIDE = "([target, selector]) => Boolean(document.querySelector(target)?.closest(selector))"


def _excused(page: Page, rule: str, target: list[Any]) -> bool:
    # A target with several or nested entries lies in a frame or a shadow root, where no exception applies.
    if len(target) != 1 or not isinstance(target[0], str):
        return False
    return any(page.evaluate(_IS_INSIDE, [target[0], known.selector]) for known in AXE_EXCEPTIONS if known.rule == rule)


def axe(page: Page) -> list[str]:
    """Accessibility violations of the page as it stands, one line an element, known exceptions left out."""
    return [
        f"{violation['id']}: {node['target']} {node['html'][:200]} ({node['failureSummary']})"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
        if not _excused(page, violation["id"], node["target"])
    ]
