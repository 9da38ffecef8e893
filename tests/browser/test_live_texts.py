"""Runs on reviews in a real browser: what the model says of some of them, word by word."""

import math
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from lossviz.datasets import reviews
from lossviz.training import RunConfig, advance, hardest, init, text_losses, word_by_word
from tests.browser.conftest import axe, settle
from tests.browser.live_page import OpenPage, address, at_rest, button, fits_the_screen

CONFIG = RunConfig(dataset="reviews", samples=300, optimizer="adam", learning_rate=0.02, batch_size=10, epochs=4)


@pytest.mark.parametrize(
    ("viewport", "colour_scheme"),
    [("desktop", "light"), ("phone", "dark")],
    indirect=True,
)
def test_reviews_are_read_word_by_word(open_page: OpenPage, viewport: str):
    page = open_page(f"{address(CONFIG)}&show=hardest")
    at_rest(page)
    button(page, "Play").click()
    expect(page.locator(".lv-live")).to_have_attribute("data-state", "finished", timeout=20_000)
    state = init(CONFIG)
    while not state.finished:
        advance(state, 1)
    split = state.split
    rows = reviews.varied(split.x_validation, split.y_validation)
    x, y = split.x_validation[rows], split.y_validation[rows]
    said, losses = word_by_word(state, x), text_losses(state, x, y)

    table = page.get_by_role("table").filter(has_text="Truth").locator("tbody tr")
    assert [text.split() for text in table.locator("th").all_inner_texts()] == [reviews.text(row).split() for row in x]
    shown = [float(text) for text in table.locator(".lv-said").all_inner_texts()]
    assert shown == pytest.approx(said[:, -1].tolist(), abs=6e-4)
    signs = table.locator("td:last-child").all_inner_texts()
    assert signs == [
        f"{'✓' if (p > 0.5) == (label > 0.5) else '✗'} {split.classes[int(label)]}"
        for p, label in zip(said[:, -1], y, strict=True)
    ]
    words = page.get_by_role("region", name="Word by word", exact=True)
    chosen = len(rows) - 1
    choice = table.nth(chosen).get_by_role("button")
    choice.focus()
    page.keyboard.press("Enter")
    expect(choice).to_have_attribute("aria-pressed", "true")
    expect(table.locator("[aria-pressed=true]")).to_have_count(1)
    expect(words).to_contain_text(f"label {int(y[chosen])} ({split.classes[int(y[chosen])]})")
    found = re.search(r"this review is (\S+)\. Training", words.inner_text())
    loss = float(found[1].replace("−", "-")) if found else math.nan
    assert loss == pytest.approx(losses[chosen], rel=1e-3)
    lines = words.locator("tbody tr:visible")
    assert lines.locator("th").all_inner_texts() == reviews.text(x[chosen]).split()
    steps = [float(text) for text in lines.locator(".lv-said").all_inner_texts()]
    assert steps == pytest.approx(said[chosen][~np.isnan(said[chosen])].tolist(), abs=6e-4)
    field = words.get_by_label("A sentence of your own", exact=True)
    field.fill("It was a feast")
    page.keyboard.press("Enter")
    expect(words.get_by_role("alert")).to_contain_text("“a”, “feast” are not among the 50 words")
    field.fill("It wasn't good!")
    page.keyboard.press("Enter")
    expect(words).to_contain_text("Your sentence: predicted")
    expect(words.get_by_role("alert")).to_be_empty()
    expect(table.locator("[aria-pressed=true]")).to_have_count(0)
    expect(lines).to_have_count(4)
    own = word_by_word(state, reviews.encode("it was not good")[None])[0, -4:]
    assert [float(text) for text in lines.locator(".lv-said").all_inner_texts()] == pytest.approx(
        own.tolist(), abs=6e-4
    )
    expect(page.locator(".lv-panel tbody tr").first).to_contain_text(reviews.text(hardest(state)[0].features))
    assert axe(page) == []
    fits_the_screen(page, viewport)
    settle(page)
