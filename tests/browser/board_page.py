"""Reading and moving the drag board in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page
from torch import Tensor

import lossviz

OpenPage = Callable[[str], Page]
READ_HANDLES = """(all) => all.map((one) => ({
    handle: one.dataset.handle, role: one.getAttribute("role"), axis: one.dataset.axis,
    now: one.getAttribute("aria-valuenow"), on: one.getAttribute("aria-checked"),
    type: one.getAttribute("type"), checked: one.checked, value: one.value,
}))"""


def board(page: Page) -> Locator:
    return page.locator(".board")


def state(page: Page) -> dict[str, str]:
    """The data attributes of the board."""
    return board(page).evaluate("(element) => ({...element.dataset})")


def wait_ready(page: Page, after: str | None = None) -> dict[str, str]:
    """Waits until nothing is dragged, played or waited for, with tables later than revision `after`."""
    later = "" if after is None else f":not([data-revision='{after}'])"
    page.wait_for_selector(f".board[data-state='ready']{later}")
    return state(page)


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def shown_state(page: Page, key: str) -> dict[str, Tensor]:
    """The board's variables as the sliders, switches and radio buttons stand, on as many samples as are shown."""
    board = lossviz.losses.get(key).board
    state = board.example()
    if board.max_samples > 1:
        shown = page.locator(".board .remove").count()
        while board.samples(state) < shown:
            state = board.add(state)
        while board.samples(state) > shown:
            state = board.remove(state, shown)
    numbers = {name: tensor.flatten().clone() for name, tensor in state.items()}
    handles = {handle.name: handle for handle in board.handles(state)}
    # In one question to the browser, as a board has up to 73 of them.
    for item in page.locator(".board [data-handle]").evaluate_all(READ_HANDLES):
        handle = handles[item["handle"]]
        if item["role"] == "slider":
            if handle.flats:
                numbers[handle.variable][handle.flats[int(item["axis"] or 0)]] = float(item["now"] or "nan")
        elif item["role"] == "switch" or item["type"] == "checkbox":
            chosen = item["on"] == "true" if item["role"] == "switch" else item["checked"]
            numbers[handle.variable][handle.flats[0]] = handle.positions[0][int(chosen)]
        elif item["checked"]:
            chosen = handle.choices.index(item["value"])
            numbers[handle.variable][handle.flats[0]] = handle.positions[0][chosen]
    return {name: flat.reshape(state[name].shape) for name, flat in numbers.items()}


def shown_numbers(page: Page, key: str) -> dict[str, Any]:
    """The arguments that the board shows, as `lossviz.evaluate` takes them."""
    loss = lossviz.losses.get(key)
    inputs = {name: tensor.numpy() for name, tensor in loss.board.inputs(shown_state(page, key)).items()}
    roles = {"prediction": loss.predictions, "target": loss.targets}
    return {
        role: inputs[items[0].name] if len(items) == 1 else {item.name: inputs[item.name] for item in items}
        for role, items in roles.items()
        if items
    }


def assert_true_value(page: Page, key: str, **parameters: Any) -> None:
    """The loss on the screen is what the core computes for the numbers on the screen."""
    value = lossviz.evaluate(key, **shown_numbers(page, key), **parameters).value
    assert float(state(page)["value"]) == pytest.approx(value, abs=1e-9, rel=1e-9)


def centre(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, handle: Locator, by: float) -> None:
    """Drags a handle by some pixels, to the right or upwards; the button stays down."""
    handle.scroll_into_view_if_needed()
    x, y = centre(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    upright = handle.get_attribute("aria-orientation") == "vertical"
    page.mouse.move(*((x, y - by) if upright else (x + by, y)), steps=8)


def read_number(text: str) -> float:
    """A number as the board writes it."""
    superscripts = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    plain = text.replace("−", "-").replace(",", "").replace("≈", "")
    mantissa, _, power = plain.partition("×10")
    return float(mantissa) * 10.0 ** float(power.translate(superscripts) or 0)
