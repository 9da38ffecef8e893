"""Landscape in a browser: the picture is drawn, played, clicked and turned; themes, widths and accessibility."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WINDOWS, axe, settle, wait_until

OpenPage = Callable[[str], Page]
PATHS = ["/landscape", "/landscape?of=network&plane=path"]


def drawn(page: Page, after: int = 0) -> int:
    """Waits for a picture later than number `after`, and returns its number."""
    wait_until(
        page, "after => Number(document.querySelector('.ls-picture')?.dataset.drawn ?? 0) > after", after, seconds=30
    )
    return int(page.locator(".ls-picture").get_attribute("data-drawn") or 0)


def address(page: Page) -> dict[str, str]:
    query = urlsplit(page.evaluate("location.href")).query
    return {name: values[0] for name, values in parse_qs(query).items()}


@pytest.mark.parametrize(("viewport", "colour_scheme"), WINDOWS, indirect=True)
@pytest.mark.parametrize("path", PATHS)
def test_it_is_accessible_and_fits(open_page: OpenPage, path: str, viewport: str, colour_scheme: str) -> None:
    page = open_page(path)
    drawn(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Loss landscape")
    for part in ("html", "[data-testid=stMain]"):
        assert page.locator(part).evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    assert axe(page) == []


def test_a_click_on_the_map_moves_the_start(open_page: OpenPage) -> None:
    page = open_page("/landscape")
    before = drawn(page)
    area = page.locator(".ls-plot .nsewdrag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    # Three quarters to the right of -1 to 5 and a quarter down from 3 to -3.
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    drawn(page, before)
    settle(page)
    wait_until(page, "() => location.search.includes('w=')")
    place = address(page)
    assert float(place["w"]) == pytest.approx(3.5, abs=0.03)
    assert float(place["b"]) == pytest.approx(1.5, abs=0.03)
    assert page.get_by_label("Start: weight w", exact=True).input_value() == place["w"]
    # The new race plays from its first step.
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_number_fields_move_the_start_and_the_link_restores_it(open_page: OpenPage) -> None:
    page = open_page("/landscape")
    before = drawn(page)
    field = page.get_by_label("Start: weight w", exact=True)
    field.fill("4")
    field.press("Enter")
    drawn(page, before)
    wait_until(page, "() => location.search.includes('w=4')")
    # The address changes before the table does.
    settle(page)
    table = page.get_by_role("region", name="Results of the race", exact=True).inner_text()
    page = open_page(page.evaluate("location.pathname + location.search"))
    drawn(page)
    expect(page.get_by_label("Start: weight w", exact=True)).to_have_value("4")
    assert page.get_by_role("region", name="Results of the race", exact=True).inner_text() == table


def test_the_race_plays_and_steps_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/landscape?steps=40&racers=sgd~adam")
    drawn(page)
    slider = page.get_by_role("slider", name="Steps shown", exact=True)
    expect(slider).to_have_value("40")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "Step 0 of 40")
    start = page.locator(".ls-legend output").all_inner_texts()
    assert start[0] == start[1]
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "Step 1 of 40")
    assert page.locator(".ls-paths path:first-child").first.get_attribute("d").count("L") == 1  # type: ignore[union-attr]
    page.get_by_role("button", name="Play", exact=True).press("Enter")
    wait_until(page, "() => Number(document.querySelector('.ls-picture').dataset.at) > 4")
    page.get_by_role("button", name="Pause", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_reduced_motion_leaves_the_slider_only(open_page: OpenPage, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_page("/landscape")
    drawn(page)
    expect(page.get_by_role("button", name="Play", exact=True)).to_have_count(0)
    expect(page.get_by_role("slider", name="Steps shown", exact=True)).to_be_visible()


def test_the_perspective_is_drawn_and_turned_by_buttons(open_page: OpenPage) -> None:
    page = open_page("/landscape?view=surface&racers=sgd")
    drawn(page)
    expect(page.locator(".ls-plot canvas").first).to_be_visible()
    eye = "() => JSON.stringify(document.querySelector('.ls-plot').layout.scene.camera.eye)"
    before = page.evaluate(eye)
    page.get_by_role("button", name="Turn left", exact=True).press("Enter")
    wait_until(page, f"before => ({eye})() !== before", before)
    assert axe(page) == []


def test_a_network_is_trained_and_its_directions_redrawn(open_page: OpenPage) -> None:
    page = open_page("/landscape?of=network&epochs=20")
    before = drawn(page)
    page.get_by_text("Along its training", exact=True).click()
    before = drawn(page, before)
    expect(page.get_by_role("slider", name="Epochs shown", exact=True)).to_have_attribute(
        "aria-valuetext", "Epoch 20 of 20"
    )
    page.get_by_text("Random directions", exact=True).click()
    before = drawn(page, before)
    seed = page.get_by_label("Seed of the directions", exact=True)
    seed.fill("7")
    seed.press("Enter")
    drawn(page, before)
    wait_until(page, "() => location.search.includes('seed=7')")


@pytest.mark.parametrize(
    ("colour_scheme", "colour"), [("light", "#0072b2"), ("dark", "#56b4e9")], indirect=["colour_scheme"]
)
def test_paths_are_drawn_in_the_theme(open_page: OpenPage, colour_scheme: str, colour: str) -> None:
    page = open_page("/landscape")
    drawn(page)
    path = page.locator(".ls-paths path").first
    expect(path).to_have_attribute("stroke", colour)
    expect(path).to_have_attribute("d", re.compile(r"^M[0-9.-]+ [0-9.-]+L"))
