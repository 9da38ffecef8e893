"""Planes, boxes, masks and alignments under mouse, finger and keyboard: they show what the core computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import CDPSession, Locator, Page, expect

import lossviz
from lossviz.boards import alignments
from tests.browser.board_page import (
    OpenPage,
    assert_true_value,
    board,
    centre,
    read_number,
    shown_numbers,
    shown_state,
    slider,
    state,
    wait_ready,
)
from tests.browser.conftest import axe, settle


def spot(page: Page, name: str) -> Locator:
    """A handle that moves in a plane."""
    return page.get_by_role("group", name=name, exact=True)


def number(locator: Locator) -> float:
    return float(locator.get_attribute("aria-valuenow") or "nan")


def place(page: Page, name: str) -> tuple[float, float]:
    """Where a handle of a plane stands."""
    return number(slider(page, f"{name}, horizontal")), number(slider(page, f"{name}, vertical"))


def hold(page: Page, element: Locator, right: float, down: float) -> None:
    """Grabs an element and drags it by some pixels; the button stays down."""
    element.scroll_into_view_if_needed()
    x, y = centre(element)
    page.mouse.move(x, y)
    page.mouse.down()
    # The table of a handle that was not loaded comes first.
    page.wait_for_selector(".board[data-state='dragging']")
    page.mouse.move(x + right, y + down, steps=6)


def type_number(page: Page, field: str, text: str) -> None:
    before = wait_ready(page)
    box = page.get_by_role("spinbutton", name=f"{field} value", exact=True)
    box.fill(text)
    box.press("Enter")
    wait_ready(page, before["revision"])
    expect(box).to_have_value(text)


def press(page: Page, *keys: str) -> None:
    """Presses keys and waits until what they changed has come back."""
    before = wait_ready(page)
    for key in keys:
        page.keyboard.press(key)
    wait_ready(page, before["revision"])


@pytest.fixture
def sent(page: Page) -> list[object]:
    """What the page sends through its WebSocket."""
    frames: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame)))
    return frames


# Planes


def test_a_point_is_dragged_in_the_plane(open_page: OpenPage, sent: list[object]) -> None:
    page = open_page("/explore?loss=triplet_margin")
    before = wait_ready(page)
    assert_true_value(page, "triplet_margin")
    was = place(page, "Positive 2")
    hold(page, spot(page, "Positive 2"), 0, 0)
    during = state(page)
    settle(page)
    count = len(sent)
    x, y = centre(spot(page, "Positive 2"))
    page.mouse.move(x + 61, y - 42, steps=12)
    expect(slider(page, "Positive 2, horizontal")).not_to_have_attribute("aria-valuenow", str(was[0]))
    now = place(page, "Positive 2")
    assert now[0] > was[0]
    assert now[1] > was[1]
    assert len(sent) == count
    assert state(page)["revision"] == during["revision"]
    assert float(state(page)["value"]) != float(before["value"])
    assert_true_value(page, "triplet_margin")
    gradient = lossviz.evaluate("triplet_margin", **shown_numbers(page, "triplet_margin")).gradient["positive"][1]
    row = page.locator(".point-row").filter(has_text="Positive 2").locator(".point-slope")
    shown = [read_number(text) for text in row.inner_text().removeprefix("slope ").split(", ")]
    assert shown == pytest.approx(gradient, rel=1e-3, abs=1e-12)
    page.mouse.up()
    wait_ready(page, during["revision"])
    assert place(page, "Positive 2") == now
    assert_true_value(page, "triplet_margin")


def test_a_mouse_that_rests_on_a_point_fetches_its_table(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=triplet_margin")
    before = wait_ready(page)
    expect(slider(page, "Negative 1, horizontal")).to_have_class("grip waiting")
    page.mouse.move(*centre(spot(page, "Negative 1")))
    after = wait_ready(page, before["revision"])
    assert after["value"] == before["value"]
    expect(slider(page, "Negative 1, horizontal")).to_have_class("grip")


def test_a_point_moves_by_keys_and_by_typed_numbers(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=triplet_margin")
    wait_ready(page)
    was = place(page, "Anchor 1")
    slider(page, "Anchor 1, vertical").focus()
    press(page, "ArrowRight", "ArrowUp", "ArrowUp")
    assert place(page, "Anchor 1") == pytest.approx((was[0] + 0.1, was[1] + 0.2))
    expect(slider(page, "Anchor 1, vertical")).to_be_focused()
    assert_true_value(page, "triplet_margin")
    expect(board(page)).to_contain_text("Slope of Anchor 1:")
    type_number(page, "Positive 3 vertical", "1.234")
    assert place(page, "Positive 3")[1] == 1.234
    assert_true_value(page, "triplet_margin")


def test_points_show_their_class_and_share_centres(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=arcface")
    before = wait_ready(page)
    point, middle = spot(page, "Embedding 1").locator("svg"), spot(page, "Centre 2").locator("svg")
    colour = middle.get_attribute("data-colour") or ""
    assert point.get_attribute("data-colour") != colour
    group = page.get_by_role("radiogroup", name="Class 1", exact=True)
    group.get_by_role("radio").nth(2).focus()
    page.keyboard.press("Space")
    wait_ready(page, before["revision"])
    expect(point).to_have_attribute("data-colour", colour)
    assert_true_value(page, "arcface")
    was = place(page, "Centre 1")
    slider(page, "Centre 1, horizontal").focus()
    press(page, "ArrowLeft")
    assert place(page, "Centre 1")[0] == pytest.approx(was[0] - 0.1)
    assert_true_value(page, "arcface")


@pytest.mark.parametrize("key", ["cosine_similarity", "info_nce", "supcon"])
def test_every_plane_shows_what_the_core_computes(open_page: OpenPage, key: str) -> None:
    page = open_page(f"/explore?loss={key}")
    before = wait_ready(page)
    assert_true_value(page, key)
    hold(page, page.locator(".spot").last, -31, 17)
    page.mouse.up()
    wait_ready(page, before["revision"])
    assert_true_value(page, key)


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
def test_a_finger_drags_a_point_and_scrolls_on_the_empty_picture(
    open_page: OpenPage, touch: Callable[..., None]
) -> None:
    page = open_page("/explore?loss=contrastive")
    before = wait_ready(page)
    handle = page.locator(".spot").first
    name = handle.get_attribute("aria-label") or ""
    page.locator(".picture").scroll_into_view_if_needed()
    was, main = place(page, name), page.get_by_test_id("stMain")
    scrolled = main.evaluate("(element) => element.scrollTop")
    x, y = centre(handle)
    touch("touchStart", x, y)
    for step in range(1, 9):
        touch("touchMove", x + 4 * step, y - 4 * step)
    expect(board(page)).to_have_attribute("data-state", "dragging")
    touch("touchEnd")
    wait_ready(page, before["revision"])
    now = place(page, name)
    assert now[0] > was[0]
    assert now[1] > was[1]
    assert main.evaluate("(element) => element.scrollTop") == scrolled
    assert_true_value(page, "contrastive")
    area = page.locator(".area").bounding_box()
    assert area is not None
    spots = [centre(item) for item in page.locator(".spot").all()]
    grid = [(area["x"] + 20 + 30 * column, area["y"] + 20 + 30 * row) for row in range(9) for column in range(9)]
    x, y = max(grid, key=lambda point: min(np.hypot(point[0] - a, point[1] - b) for a, b in spots))
    touch("touchStart", x, y)
    for step in range(1, 9):
        touch("touchMove", x, y - 20 * step)
    touch("touchEnd")
    expect(main).not_to_have_js_property("scrollTop", scrolled)
    assert place(page, name) == now


# Boxes


def test_boxes_are_dragged_by_corners_and_centre(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=giou")
    before = wait_ready(page)
    assert_true_value(page, "giou")
    box = shown_state(page, "giou")["prediction"][0]
    hold(page, spot(page, "Predicted box 1 centre"), 44, 31)
    assert_true_value(page, "giou")
    moved = shown_state(page, "giou")["prediction"][0]
    assert (moved - box)[:2].tolist() == pytest.approx((moved - box)[2:].tolist())
    assert (moved - box).min() > 0
    page.mouse.up()
    middle = wait_ready(page, before["revision"])
    hold(page, spot(page, "True box 1 bottom right"), -40, -25)
    assert_true_value(page, "giou")
    page.mouse.up()
    wait_ready(page, middle["revision"])
    assert_true_value(page, "giou")


def test_boxes_move_by_keys_and_by_typed_numbers(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=ciou")
    wait_ready(page)
    was = place(page, "Predicted box 1 top left")
    slider(page, "Predicted box 1 top left, horizontal").focus()
    press(page, "ArrowUp", "ArrowLeft")
    # The y axis points down.
    assert place(page, "Predicted box 1 top left") == pytest.approx((was[0] - 0.2, was[1] - 0.2))
    assert_true_value(page, "ciou")
    type_number(page, "Predicted box 1 bottom right horizontal", "8.65")
    assert shown_state(page, "ciou")["prediction"][0, 2] == 8.65
    assert_true_value(page, "ciou")
    was = place(page, "True box 1 centre")
    type_number(page, "True box 1 centre vertical", "4.35")
    assert place(page, "True box 1 centre") == pytest.approx((was[0], 4.35))
    assert_true_value(page, "ciou")


# Masks


def cells(page: Page, kind: str) -> NDArray[np.float64]:
    """The numbers of all cells, "probability" or "truth", in one question to the browser."""
    script = "(all) => all.map((one) => Number(one.ariaValueNow ?? one.checked))"
    found = page.locator(f".board [data-handle^='Cell'][data-handle$='{kind}']").evaluate_all(script)
    return np.array(found).reshape(6, 6)


def assert_true_mask(page: Page) -> None:
    value = lossviz.evaluate("dice", cells(page, "probability")[None], cells(page, "truth")[None]).value
    assert float(state(page)["value"]) == pytest.approx(value, abs=1e-9)


def mode(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()


def test_a_cell_is_dragged_stepped_and_typed(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=dice")
    before = wait_ready(page)
    assert_true_mask(page)
    cell = slider(page, "Cell 2, 2 probability")
    was = number(cell)
    hold(page, cell, 0, -26)
    assert number(cell) == pytest.approx(was + 0.2)
    assert_true_mask(page)
    page.mouse.up()
    wait_ready(page, before["revision"])
    page.keyboard.press("ArrowRight")
    expect(slider(page, "Cell 2, 3 probability")).to_be_focused()
    was = number(slider(page, "Cell 2, 3 probability"))
    press(page, "ArrowDown")
    assert number(slider(page, "Cell 2, 3 probability")) == pytest.approx(was - 0.02)
    type_number(page, "Cell 2, 3 probability", "0.333")
    assert_true_mask(page)


def test_cells_are_painted_with_one_message(open_page: OpenPage, sent: list[object]) -> None:
    page = open_page("/explore?loss=dice")
    before = wait_ready(page)
    mode(page, "Paint the prediction")
    one, other = slider(page, "Cell 6, 1 probability"), slider(page, "Cell 6, 4 probability")
    one.scroll_into_view_if_needed()
    settle(page)
    count = len(sent)
    page.mouse.move(*centre(one))
    page.mouse.down()
    page.mouse.move(*centre(other), steps=3)
    expect(page.locator("[data-pending]")).to_have_count(4)
    assert len(sent) == count
    assert state(page)["value"] == before["value"]
    page.mouse.up()
    after = wait_ready(page, before["revision"])
    expect(page.locator("[data-pending]")).to_have_count(0)
    assert cells(page, "probability")[5].tolist()[:4] == [1.0] * 4
    assert_true_mask(page)

    mode(page, "Paint the truth")
    was = cells(page, "truth")[0].tolist()
    cell = page.get_by_role("checkbox", name="Cell 1, 1 truth", exact=True)
    page.mouse.move(*centre(cell))
    page.mouse.down()
    page.mouse.up()
    wait_ready(page, after["revision"])
    expect(cell).to_be_focused()
    expect(cell).to_be_checked(checked=was[0] == 0)
    page.keyboard.press("ArrowRight")
    press(page, "Space")
    assert cells(page, "truth")[0].tolist()[:2] == [1 - was[0], 1 - was[1]]
    assert_true_mask(page)


def test_the_shape_moves_by_cells(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=dice")
    wait_ready(page)
    mode(page, "Move the shape")
    was = cells(page, "probability")
    width = page.locator(".cell").first.evaluate("(element) => element.clientWidth")
    hold(page, spot(page, "Predicted shape"), width, 0)
    shown = cells(page, "probability")
    assert shown[:, 1:].tolist() == was[:, :-1].tolist()
    assert_true_mask(page)
    revision = state(page)["revision"]
    page.mouse.up()
    wait_ready(page, revision)
    slider(page, "Predicted shape, vertical").focus()
    press(page, "ArrowDown")
    assert cells(page, "probability")[1:].tolist() == shown[:-1].tolist()
    assert_true_mask(page)


# Alignments


def test_logits_are_dragged_and_alignments_follow(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=ctc")
    before = wait_ready(page)
    assert_true_value(page, "ctc")
    cell = slider(page, "Frame 2 logit a")
    was = number(cell)
    hold(page, cell, 0, 60)
    assert number(cell) < was
    assert_true_value(page, "ctc")
    loss = lossviz.losses.get("ctc")
    inputs = loss.board.inputs(shown_state(page, "ctc"))
    assert loss.derived is not None
    shares = loss.derived(loss.hold(inputs, {}), loss.check_parameters({}))["scene_alignment"].flatten()
    names, target = ["–", *"cat"], inputs["target"].flatten().tolist()
    walk = alignments(5, 3)[int(shares.argmax())]
    text = " ".join(names[target[place // 2]] if place % 2 else "–" for place in walk)
    likeliest = page.get_by_role("listitem").first
    expect(likeliest).to_contain_text(text)
    expect(likeliest).to_contain_text(f"{float(shares.max()):.0%}")
    page.mouse.up()
    wait_ready(page, before["revision"])
    page.keyboard.press("ArrowRight")
    expect(slider(page, "Frame 3 logit a")).to_be_focused()
    press(page, "ArrowUp")
    type_number(page, "Frame 3 logit a", "1.234")
    assert_true_value(page, "ctc")
    group = page.get_by_role("radiogroup", name="Target 3", exact=True)
    group.get_by_role("radio", name="Symbol a", exact=True).focus()
    press(page, "Space")
    assert_true_value(page, "ctc")


# Everyone


LIGHT, DARK = ("desktop", "light"), ("phone", "dark")


@pytest.mark.parametrize(
    ("key", "viewport", "colour_scheme"),
    [("arcface", *DARK), ("giou", *LIGHT), ("giou", *DARK), ("dice", *LIGHT), ("dice", *DARK), ("ctc", *DARK)],
    indirect=["viewport", "colour_scheme"],
)
def test_axe_finds_nothing(open_page: OpenPage, key: str) -> None:
    page = open_page(f"/explore?loss={key}")
    wait_ready(page)
    if key == "dice":
        mode(page, "Paint the truth")
    assert axe(page) == []
