"""Points dragged, typed and added on the live chart: the model follows, the link holds it, nothing needs a mouse."""

import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lossviz.training import CLASSIC, RunConfig, advance, init, measure, predict
from pages.ui.train_state import parse
from tests.browser.conftest import axe, settle
from tests.browser.live_page import OpenPage, at_rest, button, number, opened, part, wait_until

# The slope of the line that lossviz fits, in units of the data.
LINE = RunConfig(
    dataset="outliers",
    samples=20,
    noise=0.1,
    validation_fraction=0.0,
    standardise=False,
    hidden=(),
    batch_size=None,
    learning_rate=0.05,
    epochs=10_000,
)
PLACE = """([part, at]) => {
    const chart = document.querySelector('.lv-model .lv-axes');
    chart.scrollIntoView({ block: 'center' });
    const { xaxis, yaxis } = chart._fullLayout;
    const { left, top } = chart.getBoundingClientRect();
    const { x, y } = chart.data[part];
    return [left + xaxis._offset + xaxis.l2p(x[at]), top + yaxis._offset + yaxis.l2p(y[at])];
}"""


def status(page: Page):
    return page.locator('.lv-live [data-part="point-status"]')


def config_of(page: Page) -> RunConfig:
    """The run that the link names."""
    query = dict(pair.split("=") for pair in page.url.split("?")[1].replace("%3A", ":").split("&"))
    state, notices = parse(query)
    assert notices == []
    return state.config


def slope(config: RunConfig, updates: int) -> float:
    """The fitted slope after so many updates, by lossviz."""
    state = init(config)
    while state.updates < updates:
        advance(state, 1)
    low, high = predict(state, np.array([[0.0], [1.0]]))
    return float(high - low)


def test_pulling_a_point_swings_the_line_of_squares_and_not_that_of_huber(open_page: OpenPage):
    page = opened(open_page, LINE)
    button(page, "Play").click()
    wait_until(page, lambda: number(page, "epoch") >= 15)
    x, y = page.evaluate(PLACE, [0, 0])  # the leftmost point
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(8):
        page.mouse.move(x + 2, y - 25 * (step + 1), steps=2)
        page.wait_for_timeout(60)
    page.mouse.up()
    expect(status(page)).to_have_text(re.compile("^Point 1 moved to x −"))
    page.wait_for_url(re.compile("changes="))
    button(page, "Pause").click()
    at_rest(page)
    settle(page)
    config = config_of(page)
    assert {item.row for item in config.interventions} == {0}
    assert len(config.interventions) >= 2
    assert all(item.update >= 15 for item in config.interventions)
    untouched = replace(config, interventions=())
    assert slope(untouched, 1500) - slope(config, 1500) > 0.3
    huber = {"loss": "huber", "loss_parameters": ()}
    assert abs(slope(replace(untouched, **huber), 1500) - slope(replace(config, **huber), 1500)) < 0.08
    # What is on the screen is this very run.
    state = init(config)
    while state.updates < number(page, "updates"):
        advance(state, 1)
    assert float(part(page, "train_loss")) == pytest.approx(measure(state).train_loss, rel=1e-4)

    # A double click on empty space adds a point, and so does one click once a button says so.
    x, y = page.evaluate(PLACE, [0, 10])
    page.mouse.dblclick(x, y + 60)
    expect(status(page)).to_have_text(re.compile("^A point added at x "))
    expect(page.get_by_role("button", name=re.compile("^Point 21: "))).to_be_visible()
    button(page, "Add a point").click()
    x, y = page.evaluate(PLACE, [0, 10])
    page.mouse.click(x, y - 60)
    expect(page.get_by_role("button", name=re.compile("^Point 22: "))).to_be_visible()
    expect(button(page, "Add a point")).to_have_attribute("aria-pressed", "false")


def test_points_are_typed_and_added_without_a_mouse(open_page: OpenPage):
    page = opened(open_page, replace(CLASSIC, epochs=50))
    fold = button(page, "Edit points")
    fold.focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    fields = page.get_by_role("group", name="Edit points", exact=True)
    fields.get_by_label("Point", exact=True).fill("4")
    page.keyboard.press("Tab")
    expect(fields.get_by_label("y", exact=True)).to_have_value("8")
    fields.get_by_label("y", exact=True).fill("20")
    fields.get_by_role("button", name="Move point").press("Enter")
    expect(status(page)).to_have_text("Point 4 moved to x 4, y 20. Press Play to see what the model makes of it.")
    # 2² + 4² + 6² + 20², a quarter of it
    expect(page.locator('[data-part="train_loss"]')).to_have_text("114.00")
    handle = page.get_by_role("button", name=re.compile("^Point 4: x 4, y 20"))
    handle.focus()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    expect(status(page)).to_contain_text("Point 4 moved to x 4, y 20.")
    fields.get_by_label("x", exact=True).fill("5")
    fields.get_by_role("button", name="Add as new point").press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Point 5: x 5, y 20"))).to_be_visible()
    expect(page.locator(".lv-changes")).to_contain_text("Changed: a point added from the start; point 4 moved from the")
    page.wait_for_url(re.compile("changes=0(:|%3A)a5_20"))
    assert len(config_of(page).interventions) == 2
    button(page, "Undo the last change").click()
    at_rest(page)
    expect(page.locator(".lv-changes")).to_contain_text("Changed: point 4 moved from the start. Reset")
    button(page, "Undo the last change").click()
    expect(page.locator(".lv-changes")).to_contain_text("Changed: point 4 moved from the start. Reset")
    button(page, "Undo the last change").click()
    expect(page.locator(".lv-changes")).to_be_hidden()
    expect(page.locator('[data-part="train_loss"]')).to_have_text("30.000")
    settle(page)
    fields.get_by_label("Point", exact=True).fill("9")
    fields.get_by_role("button", name="Move point").click()
    expect(status(page)).to_have_text("There is no point 9 in the chart.")
    assert axe(page) == []
