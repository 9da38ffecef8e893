"""The moment of a run: the slider winds back, the link opens there, and what is changed there begins another way."""

from playwright.sync_api import expect

from lossviz.training import PLAYGROUND
from tests.browser.conftest import settle
from tests.browser.live_page import (
    LONG,
    TRAINING_CURVE,
    OpenPage,
    at_rest,
    button,
    number,
    opened,
    part,
    play_until,
    wait_until,
)


def slide(page, epoch: int) -> None:
    """Take the moment's slider to an epoch in one go, as a hand does."""
    slider = page.get_by_label("Moment of the run")
    slider.evaluate("(element, to) => { element.value = to; element.dispatchEvent(new Event('input')); }", epoch)


def test_a_run_is_wound_back_and_goes_on(open_page: OpenPage):
    page = opened(open_page, LONG)
    slider = page.get_by_label("Moment of the run")
    expect(slider).to_have_attribute("max", "0")
    play_until(page, 60)
    reached = int(number(page, "epoch"))
    expect(slider).to_have_value(str(reached))
    curve = page.evaluate(TRAINING_CURVE)
    for epoch in (50, 30, 20):  # a hand on its way
        slide(page, epoch)
    expect(page.locator(".lv-live")).to_have_attribute("data-epoch", "20")
    expect(slider).to_have_attribute("aria-valuetext", f"Epoch 20 of {reached} run")
    assert part(page, "train_loss") == page.evaluate(f"Number({TRAINING_CURVE}[20].toPrecision(5)).toPrecision(5)")
    assert page.evaluate(TRAINING_CURVE) == curve
    expect(page.locator(".lv-playhead")).to_be_visible()
    page.wait_for_url(f"**at={20 * PLAYGROUND.updates_per_epoch}*")

    page.reload()
    at_rest(page)
    wait_until(page, lambda: number(page, "epoch") == 20)
    slider.press("ArrowLeft")
    expect(page.locator(".lv-live")).to_have_attribute("data-epoch", "19")
    button(page, "Epoch").click()
    expect(page.locator(".lv-live")).to_have_attribute("data-epoch", "20")
    at_rest(page)
    settle(page)
    assert page.evaluate(TRAINING_CURVE) == curve[:21]


def test_a_change_at_an_earlier_moment_takes_the_place_of_what_came_after(open_page: OpenPage):
    page = opened(open_page, LONG)
    play_until(page, 40)
    slide(page, 10)
    expect(page.locator(".lv-live")).to_have_attribute("data-epoch", "10")
    at_rest(page)
    rate = page.get_by_role("spinbutton", name="Learning rate", exact=True).and_(page.locator(".lv-live input"))
    rate.fill("0.5")
    rate.press("Enter")
    expect(page.get_by_label("Moment of the run")).to_have_attribute("max", "10")
    wait_until(page, lambda: len(page.evaluate(TRAINING_CURVE)) == 11)
    expect(page.locator(".lv-playhead")).to_be_hidden()
    settle(page)
    page.wait_for_url(f"**changes={10 * PLAYGROUND.updates_per_epoch}*")
