"""The drag board's controls: keys, number fields, choices, buttons, and gradient descent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

import lossviz
from tests.browser.board_page import (
    OpenPage,
    assert_true_value,
    drag,
    shown_numbers,
    slider,
    state,
    wait_ready,
)

# The keyboard


def test_keys_move_a_slider(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse")
    before = wait_ready(page)
    handle = slider(page, "Prediction 2")
    handle.focus()
    for key, expected in [
        ("ArrowRight", "0.55"),
        ("ArrowUp", "0.6"),
        ("ArrowLeft", "0.55"),
        ("PageUp", "1.05"),
        ("Shift+ArrowLeft", "0.55"),
        ("PageDown", "0.05"),
        ("End", "5"),
        ("Home", "-5"),
    ]:
        page.keyboard.press(key)
        expect(handle).to_have_attribute("aria-valuenow", expected)
    assert_true_value(page, "mse")
    wait_ready(page, before["revision"])
    expect(handle).to_be_focused()
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^−5, loss [\d.]+$"))
    expect(page.get_by_role("status").filter(has_text="Prediction 2 is −5. Loss")).to_be_attached()
    assert_true_value(page, "mse")


def test_labels_and_classes_are_chosen_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=hinge")
    before = wait_ready(page)
    label = page.get_by_role("switch", name="Label 2", exact=True)
    was = label.get_attribute("aria-checked")
    label.focus()
    page.keyboard.press("Space")
    expect(label).to_have_attribute("aria-checked", "true" if was == "false" else "false")
    wait_ready(page, before["revision"])
    expect(label).to_be_focused()
    expect(page.get_by_role("heading", name="Loss for each choice of Label 2", exact=True)).to_be_visible()
    assert_true_value(page, "hinge")

    page = open_page("/explore?loss=cross_entropy")
    before = wait_ready(page)
    group = page.get_by_role("radiogroup", name="Sample 1 class", exact=True)
    group.get_by_role("radio", name="Class 0", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(group.get_by_role("radio", name="Class 1", exact=True)).to_be_checked()
    wait_ready(page, before["revision"])
    expect(group.get_by_role("radio", name="Class 1", exact=True)).to_be_focused()
    assert_true_value(page, "cross_entropy")


def test_a_number_field_takes_any_number_the_board_can_show(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse")
    revision = wait_ready(page)["revision"]
    field = page.get_by_role("spinbutton", name="Prediction 2 value", exact=True)
    for typed, shown in [("0.8", 0.8), ("0.333", 0.333), ("-123.45", -123.45), ("−2,5", -2.5)]:
        field.fill(typed)
        field.press("Enter")
        revision = wait_ready(page, revision)["revision"]
        assert float(slider(page, "Prediction 2").get_attribute("aria-valuenow") or "nan") == shown
        assert_true_value(page, "mse")
    page.get_by_role("button", name="Increase Prediction 2", exact=True).click()
    wait_ready(page, revision)
    assert_true_value(page, "mse")


@pytest.mark.parametrize(
    ("key", "name", "typed", "message"),
    [
        ("mse", "Prediction 2", "abc", "“abc” is not a number. Prediction 2 can be any number from −1,000 to 1,000."),
        ("mse", "Target 1", "1e9", "1e9 is outside the range. Target 1 can be any number from −1,000 to 1,000."),
        ("bce", "Probability 1", "1.2", "1.2 is outside the range. Probability 1 can be any number from 0 to 1."),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_the_reason(
    open_page: OpenPage, key: str, name: str, typed: str, message: str
) -> None:
    page = open_page(f"/explore?loss={key}")
    before = wait_ready(page)
    field = page.get_by_role("spinbutton", name=f"{name} value", exact=True)
    field.fill(typed)
    field.press("Enter")
    expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert state(page)["value"] == before["value"]
    field.press("Escape")
    expect(page.get_by_text(message)).to_be_hidden()
    assert wait_ready(page)["revision"] == before["revision"]


def test_a_typed_share_rescales_the_others_exactly(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=kl_div")
    before = wait_ready(page)
    field = page.get_by_role("spinbutton", name="Sample 1 target 0 value", exact=True)
    field.fill("0.333")
    field.press("Enter")
    wait_ready(page, before["revision"])
    row = [
        float(slider(page, f"Sample 1 target {index}").get_attribute("aria-valuenow") or "nan") for index in range(3)
    ]
    assert row == pytest.approx([0.333, 0.667 * 2 / 3, 0.667 / 3], abs=1e-11)
    assert_true_value(page, "kl_div")


# Buttons


def test_samples_come_and_go(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mae")
    revision = wait_ready(page)["revision"]
    for count in range(5, 9):
        page.get_by_role("button", name="Add a sample", exact=True).click()
        revision = wait_ready(page, revision)["revision"]
        expect(page.get_by_role("button", name=re.compile("Remove sample"))).to_have_count(count)
        assert_true_value(page, "mae")
    expect(page.get_by_role("button", name="The board is full: 8 samples", exact=True)).to_be_disabled()
    for count in range(7, 0, -1):
        page.get_by_role("button", name="Remove sample 1", exact=True).click()
        revision = wait_ready(page, revision)["revision"]
        expect(page.get_by_role("region", name=re.compile(r"^Sample \d$"))).to_have_count(count)
        assert_true_value(page, "mae")
    expect(page.get_by_role("button", name="Remove sample 1", exact=True)).to_have_count(0)


def test_undo_and_reset(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=log_cosh")
    first = wait_ready(page)
    drag(page, slider(page, "Prediction 1"), 50)
    page.mouse.up()
    second = wait_ready(page, first["revision"])
    drag(page, slider(page, "Target 4"), -50)
    page.mouse.up()
    third = wait_ready(page, second["revision"])
    page.get_by_role("button", name="Undo", exact=True).click()
    undone = wait_ready(page, third["revision"])
    assert undone["value"] == second["value"]
    page.get_by_role("button", name="Reset", exact=True).click()
    assert wait_ready(page, undone["revision"])["value"] == first["value"]
    assert_true_value(page, "log_cosh")


def test_a_button_pressed_at_once_acts_after_what_was_moved(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse")
    wait_ready(page)
    slider(page, "Prediction 2").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Take one step", exact=True).click()
    page.get_by_role("button", name="Take one step", exact=True).click()
    # Each step with rate 0.1 over the mean of four takes 1/20 of the residual away: 1 + 4 * 0.95 * 0.95.
    expect(slider(page, "Prediction 2")).to_have_attribute("aria-valuenow", "4.61")


# Gradient descent


def test_one_step_and_its_report(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse")
    before = wait_ready(page)
    numbers = shown_numbers(page, "mse")
    gradient = lossviz.evaluate("mse", **numbers).gradient
    page.get_by_role("button", name="Take one step", exact=True).click()
    wait_ready(page, before["revision"])
    assert shown_numbers(page, "mse")["prediction"] == pytest.approx(numbers["prediction"] - 0.1 * gradient)
    expect(page.get_by_text("Took 1 step with learning rate 0.1.", exact=True)).to_be_visible()
    assert_true_value(page, "mse")


@pytest.mark.parametrize(
    ("key", "rate", "outcome"),
    [
        ("mse", "0.8", "settled"),
        ("mae", "0.3", "oscillating"),
        ("mse", "5", "unbounded"),
        ("log_cosh", "0.01", "stopped"),
    ],
)
def test_a_run_is_played_and_says_how_it_ended(open_page: OpenPage, key: str, rate: str, outcome: str) -> None:
    page = open_page(f"/explore?loss={key}")
    before = wait_ready(page)
    page.get_by_label("Learning rate", exact=True).fill(rate)
    page.get_by_role("button", name="Repeat until it settles", exact=True).click()
    page.wait_for_selector(".board[data-state='playing']")
    after = wait_ready(page, before["revision"])
    assert int(after["frames"]) - int(before["frames"]) > 5 or outcome == "unbounded"
    expect(page.locator(".outcome")).to_have_attribute("data-outcome", outcome)
    expect(page.locator(".outcome")).to_contain_text(outcome.capitalize())
    assert_true_value(page, key)


def test_a_step_beyond_the_domain_is_held_visibly(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=bce")
    before = wait_ready(page)
    page.get_by_label("Learning rate", exact=True).fill("2")
    page.get_by_role("button", name="Take one step", exact=True).click()
    wait_ready(page, before["revision"])
    expect(page.get_by_text("held at the edge", exact=True).locator("visible=true").first).to_be_visible()
    expect(page.locator(".outcome")).to_contain_text("held at the edge of its domain")
    assert_true_value(page, "bce")


@pytest.mark.parametrize("typed", ["0", "-1", "nan", "", "2000"])
def test_a_learning_rate_that_cannot_be_is_refused(open_page: OpenPage, typed: str) -> None:
    page = open_page("/explore?loss=mse")
    before = wait_ready(page)
    page.get_by_label("Learning rate", exact=True).fill(typed)
    page.get_by_role("button", name="Take one step", exact=True).click()
    expect(page.get_by_text("It can be any number above 0 and up to 1,000.")).to_be_visible()
    expect(page.get_by_label("Learning rate", exact=True)).to_be_focused()
    assert wait_ready(page)["value"] == before["value"]


def test_reduced_motion_shows_the_end_at_once(chromium: Browser, server_url: str) -> None:
    with chromium.new_context(base_url=server_url, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto("/explore?loss=mae")
        before = wait_ready(page)
        page.get_by_role("button", name="Repeat until it settles", exact=True).click()
        page.wait_for_selector(f".board:not([data-revision='{before['revision']}'])")
        assert state(page)["state"] == "ready"
        expect(page.locator(".outcome")).to_contain_text("Oscillating")


# Coming and going


def test_another_loss_and_another_page_and_back(open_page: OpenPage) -> None:
    page = open_page("/explore?loss=mse")
    revision = wait_ready(page)["revision"]
    drag(page, slider(page, "Prediction 3"), -45)
    page.mouse.up()
    revision = wait_ready(page, revision)["revision"]
    numbers = shown_numbers(page, "mse")
    page.get_by_role("link", name="Train", exact=True).click()
    expect(slider(page, "Prediction 3")).to_have_count(0)
    page.get_by_role("link", name="Explore", exact=True).click()
    again = wait_ready(page)
    assert again["active"] == "Prediction 3"
    assert shown_numbers(page, "mse")["prediction"].tolist() == numbers["prediction"].tolist()
    page.get_by_role("combobox", name="Loss", exact=True).click()
    page.keyboard.type("several classes · cross-entropy")
    page.get_by_role("option", name=re.compile("· Cross-entropy,")).click()
    page.get_by_role("radiogroup", name="Sample 1 class", exact=True).wait_for()
    revision = wait_ready(page, again["revision"])["revision"]
    assert_true_value(page, "cross_entropy")
    drag(page, slider(page, "Sample 2 logit 1"), 30)
    page.mouse.up()
    wait_ready(page, revision)
    assert_true_value(page, "cross_entropy")
