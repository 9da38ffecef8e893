"""The Race page as a learner uses it: play, rank, mark a line, open a racer's own run."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from lossviz.training import run
from pages.ui.race.state import EXAMPLES, format_url
from tests.browser.conftest import axe, settle, wait_until

OpenPage = Callable[[str], Page]
RATES, OPTIMIZERS, LOSSES, _, SEEDS, *_ = EXAMPLES
LINE = "(at) => { const t = document.querySelector('[data-part=curves]').data[at]; return [[...t.x], [...t.y]]; }"


def link(example) -> str:
    return f"/race?{urlencode(format_url(example.state))}"


def ready(page: Page) -> Page:
    page.wait_for_selector(".rc-race[data-state=paused]")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_label("Run the race", exact=True).get_by_role("button", name=name, exact=True).click()


def play_to_the_end(page: Page) -> None:
    page.locator(".rc-race").get_by_label("Speed", exact=True).select_option("")
    press(page, "Play")
    wait_until(page, "() => document.querySelector('.rc-race').dataset.state === 'finished'", seconds=60)


def rows(page: Page) -> list[list[str]]:
    """The table as it reads, without the links."""
    lines = "[...document.querySelectorAll('.rc-table tbody tr')]"
    found = page.evaluate(f"() => {lines}.map(line => [...line.cells].map(cell => cell.innerText.trim()))")
    return [cells[:8] for cells in found]


def test_a_sweep_shows_what_the_core_computes(open_page: OpenPage):
    page = ready(open_page("/race"))
    assert [cells[1] for cells in rows(page)] == [racer.name for racer in RATES.state.racers]
    play_to_the_end(page)
    table = rows(page)
    assert [cells[0] for cells in table] == [str(rank) for rank in range(1, 9)]
    assert [cells[1] for cells in table[:3]] == ["Rate 0.1", "Rate 0.03", "Rate 0.01"]
    assert all(cells[7] == "Done" for cells in table)
    for at, racer in enumerate(RATES.state.racers[:5]):
        x, y = page.evaluate(LINE, at)
        assert x[-1] == 100
        assert y[-1] == pytest.approx(list(run(racer.config))[-1].train_loss, rel=1e-3)
    expect(page.get_by_text("Rate 0.1 leads", exact=False).first).to_be_visible()
    expect(page.get_by_text("Dashed line: largest stable rate, 0.119756", exact=True)).to_be_visible()
    press(page, "Reset")
    expect(page.locator(".rc-race")).to_have_attribute("data-epoch", "0")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_ranking_changes_while_the_race_stands(open_page: OpenPage):
    page = ready(open_page(link(SEEDS)))
    play_to_the_end(page)
    expect(page.locator(".rc-sentence")).to_contain_text("standard deviation")
    by_accuracy = [cells[1] for cells in rows(page)]
    page.get_by_role("radio", name="Loss", exact=True).click()
    settle(page)
    expect(page.get_by_role("columnheader", name="Best loss", exact=True)).to_be_visible()
    expect(page.locator(".rc-race")).to_have_attribute("data-epoch", "200")
    expect(page.locator(".rc-sentence")).to_contain_text("mean validation loss")
    assert [cells[1] for cells in rows(page)] != by_accuracy
    assert "rank=loss" in page.url


def test_by_keyboard_and_with_a_marked_line(open_page: OpenPage):
    page = ready(open_page(link(OPTIMIZERS)))
    page.get_by_role("button", name="Play", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".rc-race[data-state=playing]")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused()
    wait_until(page, "() => Number(document.querySelector('.rc-race').dataset.epoch) > 2")
    page.keyboard.press("Space")
    page.wait_for_selector(".rc-race[data-state=paused]")
    page.get_by_role("link", name="Open Adam on the Train page", exact=True).focus()
    widths = "() => document.querySelector('[data-part=curves]').data.map(t => t.line.width)"
    at = [racer.name for racer in OPTIMIZERS.state.racers].index("Adam")
    wait_until(page, f"() => ({widths})()[{at}] === 4")
    assert page.evaluate(widths).count(4) == 1


def test_a_racer_opens_on_the_train_page(open_page: OpenPage):
    page = ready(open_page(link(LOSSES)))
    expect(page.get_by_text("not comparable: a smaller number", exact=False)).to_be_visible()
    page.get_by_role("link", name="Open Huber on the Train page", exact=True).click()
    page.wait_for_url(re.compile("/train"))
    page.wait_for_selector(".lv-live[data-state=paused]")
    assert "loss=huber" in page.url
    assert "data=outliers" in page.url


def test_another_race_starts_afresh(open_page: OpenPage):
    page = ready(open_page("/race"))
    play_to_the_end(page)
    field = page.get_by_role("textbox", name="Values, up to 16", exact=True)
    field.fill("0.02, 0.05")
    field.press("Enter")
    settle(page)
    ready(page)
    wait_until(page, "() => document.querySelectorAll('.rc-table tbody tr').length === 2")
    assert [cells[1] for cells in rows(page)] == ["Rate 0.02", "Rate 0.05"]
    # More racers than before, while the numbers of the fewer still stand: nothing is drawn from those.
    field.fill("0.02, 0.05, 0.1")
    field.press("Enter")
    settle(page)
    ready(page)
    wait_until(page, "() => document.querySelectorAll('.rc-table tbody tr').length === 3")
    assert [cells[1] for cells in rows(page)] == ["Rate 0.02", "Rate 0.05", "Rate 0.1"]
    field.fill("0.02")
    field.press("Enter")
    expect(page.get_by_role("alert").get_by_text("2 to 16 are allowed", exact=False)).to_be_visible()


def test_nothing_jumps_when_it_starts(open_page: OpenPage):
    page = ready(open_page(link(OPTIMIZERS)))
    places = "() => ['.rc-charts', '.rc-scroll', '.rc-time'].map(s => document.querySelector(s).offsetTop)"
    before = page.evaluate(places)
    press(page, "Play")
    wait_until(page, "() => Number(document.querySelector('.rc-race').dataset.epoch) > 5")
    assert page.evaluate(places) == before


@pytest.mark.parametrize(("viewport", "colour_scheme"), [("desktop", "light"), ("phone", "dark")], indirect=True)
def test_accessible(open_page: OpenPage):
    for example in (RATES, LOSSES, SEEDS):
        page = ready(open_page(link(example)))
        if example is not LOSSES:
            play_to_the_end(page)
        assert axe(page) == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
