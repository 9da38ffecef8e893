"""The drag board under mouse and finger: every loss shows what the core computes, and no message leaves meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

import lossviz
from tests.browser.board_page import (
    OpenPage,
    assert_true_value,
    board,
    centre,
    drag,
    read_number,
    shown_numbers,
    slider,
    state,
    wait_ready,
)
from tests.browser.conftest import WINDOWS, axe, settle
from tests.number_cases import FORMULA_NUMBERS, FORMULAS
from tests.number_cases import NUMBERS as NUMBERS_WRITTEN

NUMBERS = Path("pages/ui/board/numbers.js")

# The mouse


@pytest.mark.parametrize("key", lossviz.losses.keys())
def test_drag_shows_what_the_core_computes(open_page: OpenPage, key: str) -> None:
    page = open_page(f"/explore?loss={key}")
    loss = lossviz.losses.get(key)
    before = wait_ready(page)
    assert_true_value(page, key)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    handle = page.get_by_role("slider").first
    at = handle.get_attribute("aria-valuenow")
    drag(page, handle, 61)
    expect(board(page)).to_have_attribute("data-state", "dragging")
    expect(handle).not_to_have_attribute("aria-valuenow", at or "")
    during = state(page)
    if loss.handles[0].kind == "line":
        assert during["revision"] == before["revision"]
    assert during["active"] == handle.get_attribute("data-handle")
    assert_true_value(page, key)
    if loss.board.kind in ("numbers", "bars") and loss.board.linked is None:
        gradient = lossviz.evaluate(key, **shown_numbers(page, key)).gradient
        gradient = gradient[loss.handles[0].variable] if isinstance(gradient, dict) else gradient
        first = read_number(page.locator(".arrow b").first.inner_text())
        assert first == pytest.approx(gradient.flat[0], rel=1e-3, abs=1e-12)
    page.mouse.up()
    after = wait_ready(page, during["revision"])
    assert float(after["value"]) == pytest.approx(float(during["value"]), abs=1e-12)
    assert_true_value(page, key)


def test_targets_are_dragged_too(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=kl_div")
    before = wait_ready(page)
    drag(page, slider(page, "Sample 2 target 1"), 40)
    targets = [float(item.get_attribute("aria-valuenow") or "nan") for item in page.locator(".handle.target").all()]
    assert sum(targets[3:]) == pytest.approx(1.0)
    page.mouse.up()
    wait_ready(page, before["revision"])
    assert_true_value(page, "kl_div")


def test_no_message_leaves_during_a_drag(page: Page) -> None:
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto("/explore?loss=mse")
    before = wait_ready(page)
    settle(page)
    handle = slider(page, "Prediction 2")
    x, y = centre(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    count = len(sent)
    for step in range(60):
        page.mouse.move(x + step, y)
    expect(board(page)).to_have_attribute("data-state", "dragging")
    assert int(state(page)["frames"]) - int(before["frames"]) > 5
    assert len(sent) == count
    page.mouse.up()
    wait_ready(page, before["revision"])
    assert len(sent) > count


def test_escape_and_a_lost_pointer_restore(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse")
    before = wait_ready(page)
    drag(page, slider(page, "Prediction 1"), 70)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert wait_ready(page) | {"frames": ""} == before | {"frames": ""}
    drag(page, slider(page, "Prediction 1"), 70)
    board(page).evaluate(
        "(element) => element.dispatchEvent(new PointerEvent('pointercancel', {pointerId: 1, bubbles: true}))"
    )
    page.mouse.up()
    assert wait_ready(page) | {"frames": ""} == before | {"frames": ""}


def test_a_second_handle_grabbed_at_once_keeps_the_first_ones_move(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=huber")
    wait_ready(page)
    one, other = slider(page, "Prediction 1"), slider(page, "Prediction 3")
    here, there = centre(one), centre(other)
    page.mouse.move(*here)
    page.mouse.down()
    page.mouse.move(here[0] + 80, here[1])
    page.mouse.up()
    page.mouse.move(*there)
    page.mouse.down()
    page.mouse.move(there[0] - 60, there[1])
    page.mouse.up()
    expect(one).not_to_have_attribute("aria-valuenow", "-1.5")
    expect(other).not_to_have_attribute("aria-valuenow", "3")
    wait_ready(page)
    assert_true_value(page, "huber")


def test_of_two_handles_in_one_place_the_target_lies_lower(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse&prediction=1_2&target=-2_1")
    before = wait_ready(page)
    field = page.get_by_role("spinbutton", name="Prediction 1 value", exact=True)
    field.fill("-2")
    field.press("Enter")
    wait_ready(page, before["revision"])
    x, y = centre(slider(page, "Target 1"))
    page.mouse.move(x, y + 8)
    page.mouse.down()
    page.mouse.move(x + 60, y + 8, steps=5)
    page.mouse.up()
    wait_ready(page)
    expect(slider(page, "Prediction 1")).to_have_attribute("aria-valuenow", "-2")
    expect(slider(page, "Target 1")).not_to_have_attribute("aria-valuenow", "-2")


# Touch


@pytest.fixture
def touch(page: Page) -> Iterator[Callable[..., None]]:
    """Sends real touch events, which Playwright's own touchscreen cannot move."""
    session: CDPSession = page.context.new_cdp_session(page)

    def send(kind: str, *point: float) -> None:
        points = [{"x": point[0], "y": point[1]}] if point else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    yield send
    session.detach()


@pytest.mark.parametrize("viewport", ["phone"], indirect=True)
def test_a_finger_drags_a_handle_and_scrolls_elsewhere(open_page: OpenPage, touch: Callable[..., None]) -> None:
    page = open_page("/explore?loss=mse")
    before = wait_ready(page)
    handle = slider(page, "Prediction 3")
    handle.scroll_into_view_if_needed()
    x, y = centre(handle)
    touch("touchStart", x, y)
    for step in range(1, 9):
        touch("touchMove", x - 8 * step, y + 4 * step)
    expect(board(page)).to_have_attribute("data-state", "dragging")
    assert_true_value(page, "mse")
    touch("touchEnd")
    after = wait_ready(page, before["revision"])
    assert after["value"] != before["value"]
    main = page.get_by_test_id("stMain")
    scrolled = main.evaluate("(element) => element.scrollTop")
    x, y = centre(page.get_by_role("region", name="Sample 3", exact=True).locator(".title"))
    touch("touchStart", x, y)
    for step in range(1, 9):
        touch("touchMove", x, y - 20 * step)
    touch("touchEnd")
    page.wait_for_function("([element, was]) => element.scrollTop > was", arg=[main.element_handle(), scrolled])
    assert state(page)["value"] == after["value"]


# What is drawn


def test_a_kink_shows_both_slopes(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mae")
    before = wait_ready(page)
    field = page.get_by_role("spinbutton", name="Prediction 2 value", exact=True)
    field.fill(field.get_attribute("aria-valuenow") or "")
    target = slider(page, "Target 2").get_attribute("aria-valuenow") or ""
    field.fill(target)
    field.press("Enter")
    wait_ready(page, before["revision"])
    expect(board(page)).to_contain_text("Slope along Prediction 2: −0.25 on the left, 0.25 on the right. A kink.")
    expect(board(page)).to_contain_text("left −0.25, right 0.25")


def test_a_jump_is_a_gap_in_the_curve_and_not_a_slope(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=zero_one")
    wait_ready(page)
    curve = page.locator(".plot .curve").first.get_attribute("d") or ""
    assert curve.count("M") == 2
    expect(board(page)).to_contain_text("Slope along Score 1: 0. Flat here.")
    expect(page.locator(".arrow b").first).to_have_text("0")


def test_a_value_beyond_the_curves_scale_is_pointed_at(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=bce")
    before = wait_ready(page)
    slider(page, "Probability 1").focus()
    page.keyboard.press("Home")
    wait_ready(page, before["revision"])
    expect(page.locator(".readout").first).to_have_text(re.compile(r"^\d+\.\d+, off the scale$"))
    expect(page.locator(".beyond").first).to_be_visible()
    assert_true_value(page, "bce")


def test_the_formula_holds_the_numbers_on_the_board(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse")
    wait_ready(page)
    worked = page.get_by_role("region", name="With these numbers", exact=True)
    expect(worked.locator(".term").first).to_have_text("(−1.5 − (−2))²")
    expect(worked).to_contain_text("1/4 · [ 0.25 + 0.25 + 4 + 0.25 ]")
    expect(worked.locator(".result")).to_have_text("1.1875")
    drag(page, slider(page, "Prediction 1"), 500)
    expect(worked.locator(".term").first).to_have_text("(5 − (−2))²")
    expect(worked.locator(".term.active")).to_have_count(2)
    page.mouse.up()
    wait_ready(page)


def test_a_long_sum_shows_the_active_samples_terms(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=kl_div")
    revision = wait_ready(page)["revision"]
    for _ in range(3):
        page.get_by_role("button", name="Add a sample", exact=True).click()
        revision = wait_ready(page, revision)["revision"]
    worked = page.get_by_role("region", name="With these numbers", exact=True)
    slider(page, "Sample 2 logit 0").focus()
    expect(worked.locator(".term").first).to_have_text("0.1 · (ln 0.1 − (−1.4922))")
    expect(worked).to_contain_text("12 other terms")
    assert_true_value(page, "kl_div")


@pytest.fixture(scope="module")
def numbers(chromium: Browser) -> Iterator[Page]:
    """A blank page that knows the board's functions for numbers."""
    page = chromium.new_page()
    page.add_script_tag(content=NUMBERS.read_text(encoding="utf-8"))
    yield page
    page.close()


@pytest.mark.parametrize(("value", "text"), NUMBERS_WRITTEN)
def test_numbers_are_written_briefly(numbers: Page, value: float, text: str) -> None:
    assert numbers.evaluate("formatNumber", value) == text


@pytest.mark.parametrize(("template", "text"), FORMULAS)
def test_formulas_bracket_negative_numbers_where_needed(numbers: Page, template: str, text: str) -> None:
    filled = numbers.evaluate(
        "([text, known]) => fillTemplate(text, (name) => known[name])", [template, FORMULA_NUMBERS]
    )
    assert filled == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5),
        (" −2 ", -2),
        ("0,5", 0.5),
        (".5", 0.5),
        ("1e-3", 1e-3),
        ("+4", 4),
        ("1,2,3", None),
        ("", None),
        ("1e", None),
    ],
)
def test_numbers_are_read_with_either_minus_and_mark(numbers: Page, text: str, value: float | None) -> None:
    read = numbers.evaluate(
        "(text) => {const value = parseNumber(text); return Number.isNaN(value) ? null : value}", text
    )
    assert read == value


# Everyone


@pytest.mark.parametrize(("viewport", "colour_scheme"), WINDOWS, indirect=True)
@pytest.mark.parametrize("key", ["mse", "hinge", "cross_entropy", "kl_div", "gaussian_nll", "listnet"])
def test_axe_finds_nothing(open_page: OpenPage, viewport: str, key: str) -> None:
    page = open_page(f"/explore?loss={key}")
    wait_ready(page)
    assert axe(page) == []
    width = board(page).evaluate("(element) => element.scrollWidth - element.clientWidth")
    assert width == 0, "the board is wider than its place"
