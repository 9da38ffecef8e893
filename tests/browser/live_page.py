"""What the browser tests of the live component share: its page, its buttons and its numbers."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, expect

from lossviz.training import (
    PLAYGROUND,
    RunConfig,
)
from pages.ui.train_state import TrainState, format_url
from tests.browser.conftest import settle

LONG = replace(PLAYGROUND, epochs=10_000)
TRAINING_CURVE = "document.querySelector('[data-part=\"curves\"]').data[0].y"
OpenPage = Callable[[str], Page]


def address(config: RunConfig) -> str:
    """The Train page with that run."""
    return f"/train?{urlencode(format_url(TrainState(config)))}"


def opened(open_page: OpenPage, config: RunConfig) -> Page:
    """The page with the run on screen, at rest."""
    page = open_page(address(config))
    at_rest(page)
    return page


def at_rest(page: Page) -> None:
    expect(page.locator(".lv-live")).to_have_attribute("data-state", re.compile("paused|finished"), timeout=20_000)


def heard(page: Page) -> None:
    """Wait until the page has been told where the run rests: its link says so."""
    wait_until(page, lambda: float(parse_qs(urlsplit(page.url).query).get("at", ["0"])[0]) == number(page, "updates"))
    settle(page)


def button(page: Page, name: str):
    return page.locator(".lv-live").get_by_role("button", name=name, exact=True)


def number(page: Page, name: str) -> float:
    """A number that the root element tells: epoch, updates or frames."""
    return float(page.locator(".lv-live").get_attribute(f"data-{name}") or "nan")


def part(page: Page, name: str) -> str:
    return page.locator(f'.lv-live [data-part="{name}"]').inner_text()


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for something that no locator can say, for ten seconds at most."""
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("waited in vain")


def play_until(page: Page, epoch: int) -> None:
    """Play as fast as it goes until an epoch is on screen, then pause."""
    page.get_by_label("Speed", exact=True).select_option("")
    button(page, "Play").click()
    page.wait_for_selector(".lv-live[data-state=playing]")
    wait_until(page, lambda: number(page, "epoch") >= epoch)
    button(page, "Pause").click()
    at_rest(page)
    heard(page)


def fits_the_screen(page: Page, viewport: str) -> None:
    """Nothing sticks out at the side, and what is pressed is large enough for a finger."""
    live = page.locator(".lv-live")
    if viewport == "phone":
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        wide = live.locator("*").evaluate_all(
            "all => all.filter((one) => one.getBoundingClientRect().right > 391).map((one) => one.outerHTML)"
        )
        assert wide == []
    targets = live.locator("button:visible, select:visible, input:visible:not([type=checkbox])")
    small = targets.evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().height < 43.9).map((one) => one.outerHTML)"
    )
    assert small == []
