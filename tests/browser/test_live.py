"""The live component on the Train page, in a real browser."""

import re
from dataclasses import replace
from itertools import islice

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from lossviz import datasets
from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    RunConfig,
    advance,
    init,
    mistakes,
    run,
)
from tests.browser.conftest import axe, settle
from tests.browser.live_page import (
    LONG,
    TRAINING_CURVE,
    OpenPage,
    at_rest,
    button,
    fits_the_screen,
    number,
    opened,
    part,
    play_until,
    wait_until,
)


def test_a_paused_run_shows_the_numbers_of_its_epoch(open_page: OpenPage):
    page = opened(open_page, PLAYGROUND)
    button(page, "Epoch").click()
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", "25")
    button(page, "Epoch").click()
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", "50")
    event = list(islice(run(PLAYGROUND), 2))[1]
    assert float(part(page, "train_loss")) == pytest.approx(event.train_loss, rel=1e-4)
    assert event.validation_loss is not None
    assert float(part(page, "validation_loss")) == pytest.approx(event.validation_loss, rel=1e-4)
    assert part(page, "train_metric") == f"{100 * event.train_metric:.1f} %"
    button(page, "Step").click()
    expect(page.locator('[data-part="epochs"]')).to_have_text("of 300, batch 1/25")
    settle(page)
    button(page, "Reset").click()
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", "0")
    settle(page)


def test_play_and_pause_by_keyboard(open_page: OpenPage):
    page = opened(open_page, LONG)
    button(page, "Play").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".lv-live[data-state=playing]")
    expect(button(page, "Pause")).to_be_focused()
    wait_until(page, lambda: number(page, "epoch") > 0)
    page.keyboard.press("Space")
    at_rest(page)
    settle(page)
    expect(page.locator(".lv-sentence")).to_have_text(re.compile("training loss"))


def test_a_late_report_of_rest_does_not_undo_play(open_page: OpenPage, page: Page):
    held: list[str | bytes] = []
    frames = 0

    def watch(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            nonlocal frames
            if not held and isinstance(message, str) and '"rest"' in message:
                held.append(message)
                return
            route.send(message)
            frames += isinstance(message, bytes)
            if frames == 5:
                route.send(held[0])

        server.on_message(pass_on)

    page.route_web_socket(re.compile("/live$"), watch)
    opened(open_page, LONG)
    button(page, "Play").click()
    wait_until(page, lambda: frames > 10)
    button(page, "Pause").click()
    at_rest(page)
    expect(button(page, "Play")).to_be_visible()
    settle(page)


def test_nothing_moves_when_a_run_starts(open_page: OpenPage):
    page = opened(open_page, LONG)
    charts = page.locator(".lv-charts")
    before = charts.bounding_box()
    play_until(page, 30)
    assert charts.bounding_box() == before


def test_a_learning_rate_changed_on_the_way_is_in_the_link_and_replays(open_page: OpenPage):
    page = opened(open_page, LONG)
    play_until(page, 20)
    reached = number(page, "updates")
    rate = page.get_by_role("spinbutton", name="Learning rate", exact=True).and_(page.locator(".lv-live input"))
    rate.fill("0.1")
    rate.press("Enter")
    expect(page.locator(".lv-changes")).to_contain_text("0.1 from update")
    page.wait_for_url(re.compile(f"changes={reached:.0f}"))
    settle(page)
    assert number(page, "updates") == reached
    epoch = int(number(page, "epoch"))
    for _ in range(2):
        epoch += 1
        button(page, "Epoch").click()
        expect(page.locator(".lv-live")).to_have_attribute("data-epoch", str(epoch))
        settle(page)
    link = page.url
    first = page.evaluate(TRAINING_CURVE)

    page.goto(link)
    settle(page)
    at_rest(page)
    expect(page.locator(".lv-changes")).to_contain_text("0.1 from update")
    play_until(page, epoch)
    assert page.evaluate(TRAINING_CURVE)[: epoch + 1] == first
    button(page, "Reset").click()
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", "0")
    settle(page)
    expect(page.locator(".lv-changes")).to_be_visible()
    button(page, "Forget changes").click()
    expect(page.locator(".lv-changes")).to_be_hidden()
    page.wait_for_url(lambda url: "changes" not in url)


def test_a_bad_learning_rate_is_refused_in_words(open_page: OpenPage):
    page = opened(open_page, LONG)
    rate = page.locator('.lv-live [data-part="rate"]')
    rate.fill("-1")
    rate.press("Enter")
    expect(page.locator(".lv-notice")).to_have_text("The learning rate is a number above 0, up to 100.")
    expect(rate).to_have_value("0.03")


def test_zoom_survives_updates(open_page: OpenPage):
    page = opened(open_page, LONG)
    play_until(page, 50)
    page.locator('[data-part="curves"] .nsewdrag').scroll_into_view_if_needed()
    box = page.locator('[data-part="curves"] .nsewdrag').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    ranges = """() => { const {xaxis, yaxis} = document.querySelector('[data-part="curves"]')._fullLayout;
                        return [...xaxis.range, ...yaxis.range]; }"""
    expect(button(page, "Show all")).to_be_visible()
    zoomed = page.evaluate(ranges)
    play_until(page, int(number(page, "epoch")) + 50)
    assert page.evaluate(ranges) == zoomed
    button(page, "Show all").click()
    expect(button(page, "Show all")).to_be_hidden()
    assert page.evaluate(ranges) != zoomed


def test_log_scale_and_batch_loss(open_page: OpenPage):
    page = opened(open_page, PLAYGROUND)
    play_until(page, 10)
    page.get_by_label("Log scale", exact=True).check()
    assert page.evaluate("document.querySelector('[data-part=\"curves\"]')._fullLayout.yaxis.type") == "log"
    page.get_by_label("Batch loss", exact=True).check()
    expect(page.locator('[data-part="curve-legend"]')).to_contain_text("Mean of the batches")
    drawn = page.evaluate("document.querySelector('[data-part=\"curves\"]').data.map((trace) => trace.y.slice(0, 4))")
    events = list(islice(run(PLAYGROUND), 3))
    assert drawn[0][1:] == [event.train_loss for event in events]
    assert drawn[1][1:] == [event.validation_loss for event in events]
    assert drawn[2] == [None, *(event.batch_loss for event in events)]


def test_a_run_that_overflows_is_explained_and_its_curve_stops(open_page: OpenPage):
    page = opened(open_page, replace(CLASSIC, learning_rate=0.2))
    page.get_by_label("Speed", exact=True).select_option("")
    button(page, "Play").click()
    page.wait_for_selector(".lv-live[data-state=finished]")
    expect(page.locator(".lv-sentence")).to_contain_text("Try a smaller learning rate")
    last = page.evaluate("document.querySelector('[data-part=\"curves\"]').data[0].y.at(-1)")
    assert last is None
    expect(button(page, "Replay")).to_be_visible()
    expect(button(page, "Step")).to_have_attribute("aria-disabled", "true")
    settle(page)


def test_the_run_ends_when_the_page_is_left(open_page: OpenPage, page: Page):
    with page.expect_websocket(lambda socket: socket.url.endswith("/live")) as caught:
        opened(open_page, LONG)
    socket = caught.value
    button(page, "Play").click()
    page.wait_for_selector(".lv-live[data-state=playing]")
    assert not socket.is_closed()
    with socket.expect_event("close"):
        page.get_by_role("link", name="Explore", exact=True).click()
    settle(page)


def test_coming_back_to_the_page_finds_the_run_where_it_was(open_page: OpenPage):
    page = opened(open_page, LONG)
    play_until(page, 30)
    updates, loss = number(page, "updates"), part(page, "train_loss")
    page.get_by_role("link", name="Explore", exact=True).click()
    expect(page.locator(".lv-live")).to_have_count(0)
    settle(page)
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", f"{updates:.0f}", timeout=20_000)
    at_rest(page)
    settle(page)
    assert part(page, "train_loss") == loss


def test_another_setting_starts_another_run(open_page: OpenPage):
    page = opened(open_page, LONG)
    play_until(page, 10)
    seed = page.get_by_role("spinbutton", name=re.compile("seed", re.IGNORECASE)).last
    seed.scroll_into_view_if_needed()
    seed.fill("7")
    seed.press("Enter")
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", "0")
    settle(page)
    expect(button(page, "Play")).to_be_visible()


def test_the_charts_follow_the_theme(open_page: OpenPage):
    page = opened(open_page, LONG)
    play_until(page, 10)
    colours = """[...document.querySelectorAll('.lv-live .js-plotly-plot')].map((chart) =>
                 [chart._fullLayout.font.color, chart._fullLayout.xaxis.color])"""
    light = page.evaluate(colours)
    page.emulate_media(color_scheme="dark")
    settle(page)
    wait_until(page, lambda: page.evaluate(colours) != light)
    text = page.evaluate(
        "getComputedStyle(document.querySelector('.lv-live')).getPropertyValue('--st-text-color').trim()"
    )
    assert page.evaluate(colours) == [[text, text], [text, text]]
    assert number(page, "epoch") >= 10


def test_a_lost_connection_is_taken_up_where_it_broke(open_page: OpenPage, page: Page):
    routes: list[WebSocketRoute] = []

    def watch(route: WebSocketRoute) -> None:
        route.connect_to_server()
        routes.append(route)

    page.route_web_socket(re.compile("/live$"), watch)
    opened(open_page, LONG)
    play_until(page, 40)
    epoch, updates, loss = number(page, "epoch"), number(page, "updates"), part(page, "train_loss")
    routes[0].close(code=1012)
    expect(page.locator(".lv-notice")).to_contain_text("The connection to the server is lost")
    expect(page.locator(".lv-notice")).to_be_hidden()
    at_rest(page)
    expect(page.locator(".lv-live")).to_have_attribute("data-updates", f"{updates:.0f}")
    assert (number(page, "epoch"), part(page, "train_loss")) == (epoch, loss)
    settle(page)
    xs = page.evaluate("document.querySelector('[data-part=\"curves\"]').data[0].x")
    assert xs == list(range(len(xs)))
    button(page, "Play").click()
    page.wait_for_selector(".lv-live[data-state=playing]")
    routes[1].close(code=1012)
    page.wait_for_selector(".lv-live[data-state=replaying], .lv-live[data-state=playing]")
    expect(button(page, "Pause")).to_be_visible()
    button(page, "Pause").click()
    at_rest(page)
    settle(page)


def test_a_hidden_page_pauses_and_goes_on_when_seen(open_page: OpenPage):
    page = opened(open_page, LONG)
    button(page, "Play").click()
    page.wait_for_selector(".lv-live[data-state=playing]")
    turn = """(state) => { Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
                           document.dispatchEvent(new Event('visibilitychange')); }"""
    page.evaluate(turn, "hidden")
    at_rest(page)
    reached = number(page, "updates")
    page.wait_for_timeout(300)
    assert number(page, "updates") == reached
    page.evaluate(turn, "visible")
    page.wait_for_selector(".lv-live[data-state=playing]")
    expect(button(page, "Pause")).to_be_visible()
    button(page, "Pause").click()
    at_rest(page)
    settle(page)


def shows_images(images: Locator, page: Page, config: RunConfig) -> None:
    """The images that the model gets wrong stand there with words, marks and their very pixels."""
    state = init(config)
    while state.updates < number(page, "updates"):
        advance(state, int(number(page, "updates")) - state.updates)
    found = mistakes(state, 10)
    expect(images).to_contain_text(f"Predicted wrong: {found.wrong} of 898")
    cards = images.get_by_role("listitem").filter(visible=True)
    expect(cards).to_have_count(min(10, found.wrong))
    for card, sample in zip(cards.all(), found.worst, strict=True):
        true, said = int(sample.target), sample.prediction.argmax()
        text = re.sub(r"\s+", " ", card.inner_text())
        assert re.fullmatch(rf"✗ true {true} read as {said} loss [0-9.]+", text), text
        name = card.get_by_role("img").get_attribute("aria-label") or ""
        told = re.fullmatch(rf"true {true}, predicted {said}, loss ([0-9.]+), probability ([0-9.]+)", name)
        assert told, name
        assert float(told[1]) == pytest.approx(sample.loss, rel=0.006)
        assert float(told[2]) == pytest.approx(sample.prediction.max(), rel=0.06)
        grey = card.locator("canvas").evaluate(
            "(one) => [...one.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, at) => at % 4 === 0)"
        )
        assert grey == [255 - round(pixel * 255 / 16) for pixel in sample.features]


VIEWS = {
    "chance": RunConfig(dataset="exam", samples=100, hidden=()),
    "curve": RunConfig(dataset="sine"),
    "plane": RunConfig(dataset="blobs"),
    "scatter": RunConfig(dataset="diabetes", learning_rate=0.0001),
    "counts": RunConfig(dataset="iris"),
    "ten classes": RunConfig(dataset="digits"),
}


@pytest.mark.parametrize(
    ("kind", "viewport", "colour_scheme"),
    [(kind, *(("desktop", "light"), ("phone", "dark"))[number % 2]) for number, kind in enumerate(VIEWS)],
    indirect=["viewport", "colour_scheme"],
)
def test_every_view_is_drawn_and_accessible(open_page: OpenPage, kind: str, viewport: str):
    page = opened(open_page, VIEWS[kind])
    play_until(page, 3)
    live = page.locator(".lv-live")
    classes = datasets.get(VIEWS[kind].dataset).classes
    if kind in {"counts", "ten classes"}:
        table = live.get_by_role("table", name="Validation", exact=True)
        expect(table.get_by_role("row")).to_have_count(1 + len(classes))
        images = live.get_by_role("region", name="Images", exact=True)
        if kind == "counts":
            expect(images).to_be_hidden()
        else:
            shows_images(images, page, VIEWS[kind])
    else:
        painted = page.evaluate(
            """() => { const canvas = document.querySelector('.lv-model canvas');
                       if (!canvas.width) return 0;
                       const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                       return data.some(Boolean); }"""
        )
        assert painted == (kind != "scatter")
        points = page.evaluate("document.querySelectorAll('.lv-model path.point').length")
        assert points > 50
    assert axe(page) == []
    fits_the_screen(page, viewport)
