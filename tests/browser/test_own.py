"""A learner's own file in the browser: it trains, a link asks for it and replays the run, and it goes on to a race."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lossviz.training import RunConfig, run
from pages.ui.train_state import TrainState, format_url
from tests.browser.conftest import axe, settle, wait_until
from tests.browser.test_train import curve, play_to_the_end, query, ready
from tests.training.test_own_data import CLASSES, table

OpenPage = Callable[[str], Page]
CONFIG = RunConfig(dataset=CLASSES.key, own=CLASSES, hidden=(4,), epochs=30, validation_fraction=0.3)
ASKED = "This link is for a run on somebody's own data"


def give(page: Page, text: str) -> None:
    """Hand over a file and wait for the run on it."""
    page.locator('[data-testid="stExpander"] input[type=file]').set_input_files(
        {"name": "houses.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    expect(page.get_by_text("60 rows and 3 features.", exact=False)).to_be_visible(timeout=20_000)
    settle(page)


def test_a_file_trains_and_its_link_asks_for_it_and_replays_the_run(open_page: OpenPage):
    page = open_page("/train?data=moons&hidden=4&epochs=30&validation=0.3")
    ready(page)
    page.get_by_text("Use your own data", exact=True).click()
    give(page, table())
    ready(page)
    assert query(page) == format_url(TrainState(CONFIG))
    play_to_the_end(page)
    settle(page)
    first = curve(page, 0)
    expected = [event.train_loss for event in run(CONFIG)]
    assert [first[epoch] for epoch in range(1, 31)] == pytest.approx(expected, rel=1e-6)

    page.reload()
    settle(page)
    expect(page.get_by_text(ASKED, exact=False)).to_be_visible()
    ready(page)
    give(page, table())
    expect(page.get_by_text(ASKED, exact=False)).to_have_count(0)
    # The link opens the run where it was left.
    wait_until(page, "() => document.querySelector('.lv-live').dataset.state === 'finished'", seconds=30)
    assert curve(page, 0) == first

    page.get_by_role("link", name="Race this run against others").click()
    page.wait_for_selector(".rc-race[data-state=paused]")
    settle(page)
    page.get_by_role("link", name="Open Rate 0.1 on the Train page", exact=True).click()
    settle(page)
    ready(page)
    expect(page.get_by_role("spinbutton", name="Learning rate", exact=True)).to_have_value("0.1")
    assert query(page)["data"] == CLASSES.key


@pytest.mark.parametrize(("viewport", "colour_scheme"), [("phone", "dark")], indirect=True)
def test_everybody_can_hand_over_a_file(open_page: OpenPage):
    page = open_page(f"/train?data={CLASSES.key}")
    expect(page.get_by_text(ASKED, exact=False)).to_be_visible()
    ready(page)
    page.get_by_label("Or paste a table", exact=True).fill("a,b\n1,2\n3")
    page.get_by_role("button", name="Read the table", exact=True).press("Enter")
    expect(page.get_by_text("row 3 has 1 cell, row 1 has 2", exact=False)).to_be_visible(timeout=20_000)
    expect(page.get_by_text(ASKED, exact=False)).to_be_visible()
    give(page, table())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(page) == []
