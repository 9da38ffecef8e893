"""The Explore page around the board: the menu, the parameters, the URL, the proof and the code."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

import lossviz
from tests.browser.conftest import settle, wait_until

OpenPage = Callable[[str], Page]


def shown_value(page: Page) -> float:
    return float(page.locator("[data-value]").first.get_attribute("data-value") or "nan")


def choose(page: Page, label: str, search: str) -> None:
    page.get_by_role("combobox", name=re.compile(f"{label}$|{label} ")).first.click()
    page.keyboard.type(search)
    page.get_by_role("option").first.click()
    settle(page)


def test_a_loss_is_found_by_another_name_and_the_url_follows(open_page: OpenPage) -> None:
    page = open_page("/")
    choose(page, "Loss", "L1 loss")
    wait_until(page, "() => new URLSearchParams(location.search).get('loss') === 'mae'")
    # The address changes before the board does.
    expect(page.locator("[data-value]").first).to_have_attribute("data-value", "0.875")


def test_a_link_restores_loss_parameter_reduction_and_handles(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=huber&delta=1.5&reduction=sum&prediction=2_0.5&target=0_0")
    expect(page.locator("[data-value]").first).to_be_visible()
    expected = lossviz.evaluate("huber", [2, 0.5], [0, 0], "sum", delta=1.5).value
    assert shown_value(page) == pytest.approx(expected)
    expect(page.get_by_role("slider", name="Prediction 2", exact=True)).to_be_visible()
    expect(page.get_by_role("slider", name="Prediction 3", exact=True)).to_have_count(0)
    assert page.evaluate("location.search.includes('delta=1.5')")


def test_a_tampered_link_says_so_and_shows_the_default(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=huber&delta=-3")
    expect(page.get_by_text("delta is -3.0", exact=False)).to_be_visible()
    assert shown_value(page) == pytest.approx(lossviz.evaluate("huber", [2.0], [0.0]).value, abs=10)
    assert not page.evaluate("location.search.includes('delta')")


def test_a_wrong_parameter_keeps_the_board_and_what_was_typed(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=cross_entropy")
    before = shown_value(page)
    field = page.get_by_label("Class weights", exact=True)
    field.fill("1, 2")
    field.press("Enter")
    expect(page.get_by_text("weight holds 2 numbers", exact=False)).to_be_visible()
    expect(field).to_have_value("1, 2")
    assert shown_value(page) == before
    field.fill("1, 2, 3")
    field.press("Enter")
    expect(page.get_by_text("weight holds", exact=False)).to_have_count(0)
    state = lossviz.losses.get("cross_entropy").board.example()
    expected = lossviz.evaluate("cross_entropy", state["prediction"], state["target"].long(), weight=(1, 2, 3)).value
    settle(page)
    assert shown_value(page) == pytest.approx(expected, rel=1e-9)


def test_the_code_and_the_proof_are_those_of_the_board(open_page: OpenPage) -> None:
    page = open_page("/explore?prediction=2_0.5&target=0.25_0")
    page.get_by_role("tab", name="Code", exact=True).click()
    expect(page.get_by_text("torch.tensor([2.0, 0.5]", exact=False)).to_be_visible()
    page.get_by_role("tab", name="Formula and proof", exact=True).click()
    expect(page.get_by_role("cell", name="1.75", exact=True)).to_have_count(3)
    expect(page.get_by_text("Sum of the terms 3.3125", exact=False)).to_be_visible()


def test_another_page_and_back_keeps_the_board(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mae&prediction=2_0.5&target=0.25_0")
    value = shown_value(page)
    page.get_by_role("link", name="Train", exact=True).click()
    wait_until(page, "() => location.pathname === '/train'")
    settle(page)
    assert "prediction" not in page.url
    page.get_by_role("link", name="Explore", exact=True).click()
    wait_until(page, "() => location.pathname === '/'")
    settle(page)
    expect(page.locator("[data-value]").first).to_be_visible()
    assert shown_value(page) == value
    wait_until(page, "() => location.search.includes('loss=mae')")
