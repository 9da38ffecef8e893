"""What can be seen besides on the Train page while a run goes on, in a real browser."""

import re
from dataclasses import replace
from itertools import islice

import pytest
from playwright.sync_api import Locator, Page, expect

from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    UpdateWatch,
    activations,
    gradient_shares,
    hardest,
    init,
    measure,
    run,
)
from tests.browser.board_page import read_number
from tests.browser.conftest import axe, settle
from tests.browser.live_page import (
    LONG,
    OpenPage,
    button,
    fits_the_screen,
    number,
    opened,
    play_until,
    wait_until,
)


def chip(page: Page, name: str) -> Locator:
    return (
        page.locator(".lv-live").get_by_role("group", name="More to see").get_by_role("button", name=name, exact=True)
    )


def panel(page: Page, name: str) -> Locator:
    return page.locator(f'.lv-panel[data-name="{name}"]')


CHIPS = {
    "metric": "Accuracy", "rate": "Learning rate", "gradients": "Gradients", "activations": "Activations",
    "confusion": "Confusion", "hardest": "Hardest samples", "pulls": "Who pulls", "printed": "What Keras prints",
}  # fmt: skip


def open_all(page: Page) -> None:
    """Open every panel by keyboard, and wait until all numbers are there."""
    for name, title in CHIPS.items():
        chip(page, title).focus()
        page.keyboard.press("Enter")
        expect(chip(page, title)).to_have_attribute("aria-pressed", "true")
        expect(chip(page, title)).to_be_focused()
        expect(panel(page, name)).to_be_visible()
    expect(panel(page, "pulls").locator("tbody tr").first).not_to_contain_text("–")
    expect(panel(page, "printed").locator(".lv-reasons")).not_to_be_empty()


@pytest.mark.parametrize(
    ("viewport", "colour_scheme"),
    [("desktop", "light"), ("phone", "dark")],
    indirect=True,
)
def test_every_panel_can_be_opened_and_shows_the_numbers_of_the_core(open_page: OpenPage, viewport: str):
    page = opened(open_page, LONG)
    open_all(page)
    before = page.locator(".lv-panels").bounding_box()
    heights = page.locator(".lv-panels").evaluate("(all) => [...all.children].map((one) => one.offsetHeight)")
    play_until(page, 12)
    after = page.locator(".lv-panels").evaluate("(all) => [...all.children].map((one) => one.offsetHeight)")
    assert (before and before["height"], heights) == (page.locator(".lv-panels").bounding_box()["height"], after)  # type: ignore[index]
    watch = UpdateWatch(init(LONG))
    while watch.state.updates < number(page, "updates"):
        watch.advance(int(number(page, "updates")) - watch.state.updates)
    state = watch.state
    for row, layer in zip(panel(page, "gradients").locator("tbody tr").all(), watch.layers() or [], strict=True):
        cells = row.locator("td").all_inner_texts()
        assert row.locator("th").inner_text() == layer.name
        for text, value in zip(cells, [layer.weights, layer.biases, layer.ratio], strict=True):
            assert read_number(text) == pytest.approx(value, rel=1e-3)
    samples = hardest(state)
    table = panel(page, "hardest").locator("tbody tr")
    assert [int(text) for text in table.locator("th").all_inner_texts()] == [sample.number for sample in samples]
    for text, sample in zip(table.locator("td:last-child").all_inner_texts(), samples, strict=True):
        assert read_number(text) == pytest.approx(sample.loss, rel=1e-3)
    shares = sorted(gradient_shares(state), reverse=True)
    texts = panel(page, "pulls").locator("tbody .lv-share").all_inner_texts()
    assert [float(text.removesuffix(" %")) for text in texts] == [
        pytest.approx(100 * share, abs=0.06) for share in shares[: len(texts)]
    ]
    for histogram, layer in zip(panel(page, "activations").get_by_role("img").all(), activations(state), strict=True):
        assert layer.saturated is not None
        expect(histogram).to_have_attribute("aria-label", re.compile(f"{100 * layer.saturated:.1f} %"))
        bars = (histogram.locator("path").get_attribute("d") or "").count("M")
        assert bars == sum(layer.counts > 0)
    right = panel(page, "confusion").locator(".lv-right").all_inner_texts()
    measured = measure(state)
    assert sum(map(int, right[:2])) / 250 == pytest.approx(measured.train_metric)
    metric, rate, *sizes, told = page.evaluate(
        """[...document.querySelectorAll('.lv-panel .js-plotly-plot')].map((chart) =>
             [chart.data.length, chart.data[0].y.at(-1), chart.data[0].x.at(-1), chart._fullLayout.yaxis.type])"""
    )
    assert metric[1] == pytest.approx(list(islice(run(LONG), state.epoch))[-1].train_metric)
    assert (rate[1], metric[2]) == (LONG.learning_rate, state.epoch)
    last = list(islice(run(LONG), state.epoch))[-1]
    assert (told[0], told[1], told[2]) == (2, pytest.approx(last.batch_loss), state.epoch)
    line = panel(page, "printed").locator("pre")
    expect(line).to_contain_text(f"Epoch {state.epoch}/10000")
    expect(line).to_contain_text(
        f"- loss: {last.batch_loss:.4f} - val_accuracy: {last.validation_metric:.4f} - val_loss"
    )
    cells = panel(page, "printed").locator("tbody tr").first.locator("td").all_inner_texts()
    assert [float(cell) for cell in cells] == pytest.approx([last.batch_loss, last.train_loss], rel=1e-4)
    expect(panel(page, "printed")).to_contain_text("a mean over the epoch's 25 batches")
    layer = (watch.layers() or [])[0]
    assert [size[1] for size in sizes] == [pytest.approx(layer.gradient), pytest.approx(layer.ratio)]
    assert {(size[0], size[2], size[3]) for size in sizes} == {(3, state.updates / 25, "log")}
    assert axe(page) == []
    fits_the_screen(page, viewport)
    button(page, "Reset").click()
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", "0")
    expect(panel(page, "gradients")).to_contain_text("No update has been made yet.")
    expect(page.locator(".lv-panel")).to_have_count(8)
    chip(page, "Gradients").click()
    expect(page.locator(".lv-panel")).to_have_count(7)
    settle(page)


def test_panels_of_a_linear_model_and_with_batch_normalisation_say_what_they_cannot_show(open_page: OpenPage):
    page = opened(open_page, CLASSIC)
    expect(chip(page, "Confusion")).to_be_hidden()
    chip(page, "R²").click()
    chip(page, "Activations").click()
    expect(panel(page, "activations")).to_contain_text("A linear model has no hidden layer")
    expect(page.get_by_label("Gap", exact=True)).to_be_hidden()
    settle(page)
    page = opened(open_page, replace(PLAYGROUND, batch_norm=True))
    chip(page, "Who pulls").click()
    expect(panel(page, "pulls")).to_contain_text("batch normalisation the samples of a batch mix")
    expect(panel(page, "pulls").get_by_role("table")).to_be_hidden()
    settle(page)


def test_panels_and_charts_survive_zoom_theme_and_another_run(open_page: OpenPage):
    page = opened(open_page, LONG)
    chip(page, "Gradients").click()
    play_until(page, 10)
    zoom = """(range) => { const chart = document.querySelector('.lv-panel .js-plotly-plot');
                          if (range) window.Plotly.relayout(chart, {'xaxis.range': range});
                          return chart._fullLayout.xaxis.range; }"""
    page.evaluate(zoom, [2, 5])
    play_until(page, 20)
    assert page.evaluate(zoom, None) == [2, 5]
    rows = page.evaluate("document.querySelector('.lv-panel .js-plotly-plot').data[0].x.length")
    assert rows > 3
    page.emulate_media(color_scheme="dark")
    text = "getComputedStyle(document.querySelector('.lv-live')).getPropertyValue('--st-text-color').trim()"
    colour = "document.querySelector('.lv-panel .js-plotly-plot')._fullLayout.font.color"
    wait_until(page, lambda: page.evaluate(colour) == page.evaluate(text))
    settle(page)


def test_choices_of_the_loss_chart(open_page: OpenPage):
    page = opened(open_page, LONG)
    play_until(page, 30)
    for name in ("Smoothing", "Gap"):
        page.locator(".lv-live").get_by_label(name, exact=True).check()
    data = "document.querySelector('[data-part=\"curves\"]').data.map(({visible, y}) => [visible, y])"
    train, validation, batch, gap, smooth, *_ = page.evaluate(data)
    assert [visible for visible, _ in (train, validation, batch, gap, smooth)] == [True, True, False, True, True]
    assert gap[1] == pytest.approx([b - a for a, b in zip(train[1], validation[1], strict=True)])
    mean = weight = 0.0
    for value, shown in zip(train[1], smooth[1], strict=True):
        mean, weight = 0.9 * mean + 0.1 * value, 0.9 * weight + 0.1
        assert shown == pytest.approx(mean / weight)
    lowest = min(validation[1][1:])
    expect(page.locator(".lv-best")).to_have_text(f"Best: epoch {validation[1].index(lowest)}")
    place = """() => { const chart = document.querySelector('[data-part="curves"]').getBoundingClientRect();
                       const {xaxis, yaxis} = document.querySelector('[data-part="curves"]')._fullLayout;
                       const mark = document.querySelector('.lv-best').getBoundingClientRect();
                       return [xaxis.p2d(mark.x - chart.x - xaxis._offset),
                               yaxis.p2d(mark.y - chart.y - yaxis._offset)]; }"""
    assert page.evaluate(place) == [
        pytest.approx(validation[1].index(lowest), abs=0.5),
        pytest.approx(lowest, rel=0.01),
    ]
    page.locator(".lv-live").get_by_label("Log scale", exact=True).check()
    assert page.evaluate("document.querySelector('[data-part=\"curves\"]')._fullLayout.yaxis.type") == "log"
    assert axe(page) == []
    settle(page)
