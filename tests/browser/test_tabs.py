"""The tabs of the browser tests: nothing goes from one test to the next, and faults of a page are seen."""

from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import PLAIN, make_as_new, watched

LOOK = """() => ({
    stored: localStorage.length + sessionStorage.length + document.cookie.length,
    width: innerWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    calm: matchMedia("(prefers-reduced-motion: reduce)").matches,
    print: matchMedia("print").matches,
    hovered: document.querySelectorAll(":hover").length,
})"""
NEW = {"stored": 0, "width": 1280, "dark": False, "calm": False, "print": False, "hovered": 0}


def test_a_used_tab_is_as_new(page: Page) -> None:
    assert page.evaluate(LOOK) == NEW
    page.evaluate("() => { localStorage.a = 1; sessionStorage.b = 2; document.cookie = 'c=3'; }")
    page.set_viewport_size({"width": 500, "height": 400})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce", media="print")
    page.mouse.move(20, 20)
    used = page.evaluate(LOOK)
    assert {name for name in NEW if used[name] != NEW[name]} == set(NEW)
    make_as_new(page, "desktop", "light")
    assert page.evaluate(LOOK) == NEW


def test_errors_and_foreign_requests_of_a_page_are_collected(
    contexts: dict[str, BrowserContext], server_url: str
) -> None:
    blank = contexts["desktop"].new_page()
    blank.goto(PLAIN)
    # For this watch the server itself is foreign; our policy lets no page ask a host that really is.
    with watched(blank, "elsewhere.example", ["on purpose"]) as problems:
        blank.evaluate("() => { console.error('on purpose'); console.error('a mishap'); console.warn('a word'); }")
        blank.evaluate("() => new Promise((go) => { setTimeout(() => { throw Error('a fault'); }); setTimeout(go); })")
        blank.evaluate("(path) => fetch(path).then((answer) => answer.text())", PLAIN)
        with blank.expect_websocket():
            blank.evaluate("() => { new WebSocket('/live'); }")
        blank.evaluate("() => fetch('http://elsewhere.invalid/').catch(() => null)")
    blank.close()
    socket = server_url.replace("http://", "ws://") + "/live"
    refused = [text for text in problems if "Content Security Policy" in text]
    assert refused
    assert set(problems) == {
        "console error: a mishap ()",
        "page error: a fault",
        f"foreign request: {server_url}{PLAIN}",
        f"foreign request: {socket}",
        *refused,
    }
