"""Reference, Compare and Choose in a browser: links, printing, themes and accessibility."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import lossviz
from lossviz.export.card import card_html
from tests.browser.conftest import WINDOWS, axe, settle, wait_until

OpenPage = Callable[[str], Page]
PATHS = ["/reference", "/reference?loss=bce_with_logits", "/compare", "/choose?predicts=yes_no"]


@pytest.mark.parametrize(("viewport", "colour_scheme"), WINDOWS, indirect=True)
@pytest.mark.parametrize("path", PATHS)
def test_pages_are_accessible_and_fit(open_page: OpenPage, path: str, viewport: str, colour_scheme: str) -> None:
    page = open_page(path)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for part in ("html", "[data-testid=stMain]"):
        assert page.locator(part).evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    assert axe(page) == []


def test_a_pitfall_opens_its_board(open_page: OpenPage) -> None:
    page = open_page("/reference?loss=bce_with_logits")
    page.get_by_role("link", name=re.compile("See pitfall 2 on the board")).click()
    wait_until(page, "() => location.pathname === '/'")
    settle(page)
    wait_until(page, "() => location.search.includes('pos_weight=3')")
    expect(page.locator("[data-value]").first).to_be_visible()


def test_the_boards_panel_opens_what_floats_do_not_stand(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=bce_with_logits")
    page.get_by_role("tab", name="Numerics", exact=True).click()
    page.get_by_role("button", name=re.compile(r"Open this board \(2 of")).click()
    wait_until(page, "() => new URLSearchParams(location.search).get('prediction') === '17'")
    settle(page)
    shown = float(page.locator("[data-value]").first.get_attribute("data-value") or "nan")
    assert shown == pytest.approx(lossviz.evaluate("bce_with_logits", [17.0], [0.0]).value)
    expect(page.get_by_role("cell", name="100", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="∞", exact=True).first).to_be_visible()


def test_a_search_finds_another_name_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/reference")
    field = page.get_by_role("textbox", name="Search", exact=True)
    field.fill("BPR")
    field.press("Enter")
    expect(page.get_by_text("BPR is the same function as RankNet.", exact=True)).to_be_visible()
    wait_until(page, "() => location.search === '?search=BPR'")
    page.get_by_role("button", name="RankNet", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="RankNet", exact=True)).to_be_visible()


def test_the_download_is_one_page_that_needs_nothing_else(
    open_page: OpenPage, chromium: Browser, tmp_path: Path
) -> None:
    page = open_page("/reference?loss=huber&delta=2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as one page").click()
    saved = tmp_path / "huber.html"
    download.value.save_as(saved)
    assert "delta = 2" in saved.read_text(encoding="utf-8")


def test_every_card_prints_on_exactly_one_page(chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    file = tmp_path / "card.html"
    for key in lossviz.losses.keys():  # noqa: SIM118 - the registry's own function
        file.write_text(card_html(key), encoding="utf-8")
        page.goto(file.as_uri())
        main = page.locator("main")
        over = main.evaluate("page => [page.scrollHeight - page.clientHeight, page.scrollWidth - page.clientWidth]")
        assert over == [0, 0], f"{key} does not fit: {over}"
        printed = page.pdf(prefer_css_page_size=True, print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1, key
        size = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75")
        assert size >= 6.5, f"{key} is printed in {size} pt"
    assert all(url.startswith("file:") for url in asked)
    context.close()


@pytest.mark.parametrize(
    ("colour_scheme", "colour"), [("light", "#0072b2"), ("dark", "#56b4e9")], indirect=["colour_scheme"]
)
def test_a_comparison_is_drawn_in_the_theme(open_page: OpenPage, colour_scheme: str, colour: str) -> None:
    page = open_page("/compare?with=mse~mae")
    line = page.locator(".js-line").first
    expect(line).to_be_visible()
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    assert line.evaluate("element => getComputedStyle(element).stroke") == f"rgb({red}, {green}, {blue})"
