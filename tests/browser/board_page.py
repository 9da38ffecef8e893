"""Reading and moving the drag board in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

import lossviz

OpenPage = Callable[[str], Page]


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


def shown_numbers(page: Page, key: str) -> dict[str, Any]:
    """The prediction and the target that the handles stand at, as `lossviz.evaluate` takes them."""
    loss = lossviz.losses.get(key)
    numbers: dict[str, list[float]] = {"prediction": [], "target": []}
    for handle in page.get_by_role("slider").all():
        variable = "prediction" if "prediction" in (handle.get_attribute("class") or "") else "target"
        numbers[variable].append(float(handle.get_attribute("aria-valuenow") or "nan"))
    if loss.board.kind == "binary":
        switches = page.get_by_role("switch").all()
        numbers["target"] = [loss.board.labels[item.get_attribute("aria-checked") == "true"] for item in switches]
    prediction, target = np.array(numbers["prediction"]), np.array(numbers["target"])
    if loss.board.kind == "classes":
        target = np.array([int(item.input_value()) for item in page.get_by_role("radio", checked=True).all()])
        prediction = prediction.reshape(len(target), -1)
    if loss.board.kind == "distributions":
        samples = page.get_by_role("button", name=re.compile("Remove sample")).count()
        prediction, target = prediction.reshape(samples, -1), target.reshape(samples, -1)
        prediction = prediction - np.log(np.exp(prediction).sum(1, keepdims=True))
    return {"prediction": prediction, "target": target}


def assert_true_value(page: Page, key: str, **parameters: Any) -> None:
    """The loss on the screen is what the core computes for the numbers on the screen."""
    value = lossviz.evaluate(key, **shown_numbers(page, key), **parameters).value
    assert float(state(page)["value"]) == pytest.approx(value, abs=1e-9, rel=1e-9)


def centre(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, handle: Locator, by: float) -> None:
    """Drags a handle by some pixels; the button stays down."""
    handle.scroll_into_view_if_needed()
    x, y = centre(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y, steps=8)


def read_number(text: str) -> float:
    """A number as the board writes it."""
    superscripts = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    plain = text.replace("−", "-").replace(",", "").replace("≈", "")
    mantissa, _, power = plain.partition("×10")
    return float(mantissa) * 10.0 ** float(power.translate(superscripts) or 0)
