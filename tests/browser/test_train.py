"""The Train page as a learner uses it: examples, a live run, links, and the walk through one update."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from lossviz.export import config_json
from lossviz.training import CLASSIC, Intervention, RunConfig, init, run, step, walk
from pages.ui.train_state import parse
from tests.browser.conftest import WINDOWS, axe, settle, wait_until
from tests.browser.live_page import heard

OpenPage = Callable[[str], Page]
CLASSIC_LINK = (
    "/train?data=four_points&validation=0&standardise=no&hidden=none&start=zeros&batch=all&epochs=1000&rate=0.01"
)
READY = "() => document.querySelector('.lv-live')?.dataset.state === 'paused'"
# The loss before the update of these epochs, from zero weights, to the six decimals that the lesson prints.
TABLE = {100: 0.034290, 200: 0.018825, 300: 0.010334, 500: 0.003115, 800: 0.000515, 1000: 0.000155}


def ready(page: Page) -> None:
    """Waits until the live run shows its first frame."""
    wait_until(page, READY)
    wait_until(page, "() => document.querySelector('[data-part=curves]').data?.[0].x.length > 0")


def press(page: Page, name: str) -> None:
    page.get_by_label("Run", exact=True).get_by_role("button", name=name, exact=True).click()


def choose(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=label, exact=True)
    box.scroll_into_view_if_needed()
    # A menu closes when the page scrolls, so let the scrolling be over first.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box.click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def live(page: Page) -> dict[str, str]:
    return dict(page.evaluate("() => ({...document.querySelector('.lv-live').dataset})"))


def curve(page: Page, number: int) -> dict[int, float]:
    """What a curve shows, by epoch; 0 is training, 1 validation, 2 the mean of the batches."""
    script = "(at) => { const t = document.querySelector('[data-part=curves]').data[at]; return [[...t.x], [...t.y]]; }"
    x, y = page.evaluate(script, number)
    return dict(zip(map(int, x), y, strict=True))


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def run_of(config: RunConfig, epoch: int) -> float:
    """The core's training loss after an epoch."""
    return next(event.train_loss for event in run(config) if event.epoch == epoch)


def play_to_the_end(page: Page) -> None:
    page.get_by_label("Speed", exact=True).select_option("")
    press(page, "Play")
    wait_until(page, "() => document.querySelector('.lv-live').dataset.state === 'finished'", seconds=60)
    heard(page)


def test_an_example_on_real_data_trains(open_page: OpenPage) -> None:
    page = open_page("/train")
    expect(page.get_by_text("Real data.")).to_be_visible()
    page.get_by_role("radio", name="Two classes", exact=True).click()
    settle(page)
    expect(page.get_by_text("97 % or more of the new tumours are told apart correctly.")).to_be_visible()
    ready(page)
    press(page, "Play")
    wait_until(page, "() => Number(document.querySelector('.lv-live').dataset.epoch) >= 10")
    shown = curve(page, 0)
    assert shown[5] < shown[0]
    assert curve(page, 1)[5] is not None
    press(page, "Pause")
    wait_until(page, READY)


def test_the_classic_example_reproduces_the_printed_losses(open_page: OpenPage) -> None:
    page = open_page("/train")
    ready(page)
    choose(page, "Example", "Four points, a first model")
    # The run before is at rest too, until the new one is there.
    wait_until(page, "() => document.querySelector('[data-part=curves]').data?.[0].y[0] === 30")
    ready(page)
    page.get_by_label("Batch loss", exact=True).check()
    press(page, "Step")
    wait_until(page, "() => document.querySelector('.lv-live').dataset.epoch === '1'")
    assert curve(page, 2)[1] == 30.0
    play_to_the_end(page)
    shown = curve(page, 2)
    assert {epoch: round(shown[epoch], 6) for epoch in TABLE} == TABLE


def test_too_large_a_rate_is_called_diverging_and_says_why(open_page: OpenPage) -> None:
    page = open_page(CLASSIC_LINK.replace("rate=0.01", "rate=0.12"))
    ready(page)
    press(page, "Play")
    sentence = page.locator("[data-part=sentence]")
    expect(sentence).to_contain_text(re.compile("diverging", re.IGNORECASE))
    expect(sentence).to_contain_text("0.119756")


def test_a_link_restores_every_setting(open_page: OpenPage) -> None:
    page = open_page(
        "/train?data=moons&samples=120&validation=0.25&hidden=5_3&activation=relu&optimizer=adam&epochs=40"
    )
    sidebar = page.get_by_test_id("stSidebar")
    for text in (
        "90 points to train on, 30 for validation.",
        "Units: 2 in, 5 and 3 hidden, 1 out. 37 weights and biases.",
    ):
        expect(sidebar.get_by_text(text)).to_be_visible()
    expect(sidebar.get_by_role("combobox", name="Activation", exact=True)).to_have_value("ReLU")
    ready(page)
    play_to_the_end(page)
    link = "data=moons&samples=120&validation=0.25&hidden=5_3&activation=relu&optimizer=adam&epochs=40"
    assert urlsplit(page.url).query == f"{link}&at=360"
    config = RunConfig(
        dataset="moons",
        samples=120,
        validation_fraction=0.25,
        hidden=(5, 3),
        activation="relu",
        optimizer="adam",
        epochs=40,
    )
    assert curve(page, 0)[40] == run_of(config, 40)


def test_a_new_learning_rate_goes_into_the_link_and_is_replayed(open_page: OpenPage) -> None:
    page = open_page(CLASSIC_LINK)
    ready(page)
    page.evaluate("() => { document.querySelector('.lv-live').mark = 'same' }")
    for _ in range(3):
        before = int(live(page)["updates"])
        press(page, "Step")
        wait_until(page, "(n) => Number(document.querySelector('.lv-live').dataset.updates) > n", before)
    rate = page.get_by_role("spinbutton", name="Learning rate", exact=True)
    rate.fill("0.05")
    rate.press("Enter")
    wait_until(page, "() => new URLSearchParams(location.search).get('changes') === '3:0.05'")
    settle(page)
    assert live(page)["updates"] == "3"
    assert page.evaluate("() => document.querySelector('.lv-live').mark") == "same"
    press(page, "Step")
    wait_until(page, "() => document.querySelector('.lv-live').dataset.updates === '4'")
    changed = curve(page, 0)[4]
    config = RunConfig.from_dict({**CLASSIC.to_dict(), "interventions": [vars(Intervention(update=3, value=0.05))]})
    state = init(config)
    events = [step(state) for _ in range(4)]
    assert changed == events[-1].train_loss

    page.goto(page.url)
    settle(page)
    ready(page)
    play_to_the_end(page)
    assert curve(page, 0)[4] == changed
    assert query(page)["changes"] == "3:0.05"


def test_a_changed_setting_starts_a_new_run(open_page: OpenPage) -> None:
    page = open_page(CLASSIC_LINK)
    ready(page)
    press(page, "Step")
    # The page has heard of the step and is at rest again.
    expect(page.get_by_role("button", name="Go to the run above (update 2)", exact=True)).to_be_visible()
    settle(page)
    choose(page, "Optimizer", "Adam")
    wait_until(page, "() => document.querySelector('.lv-live').dataset.updates === '0'")
    ready(page)
    assert query(page)["optimizer"] == "adam"


def test_leaving_the_page_ends_the_run(open_page: OpenPage, page: Page) -> None:
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket) if urlsplit(socket.url).path == "/live" else None)
    open_page("/train?data=circle&epochs=10000")
    ready(page)
    press(page, "Play")
    wait_until(page, "() => Number(document.querySelector('.lv-live').dataset.epoch) >= 5")
    page.get_by_role("link", name="Explore", exact=True).click()
    settle(page)
    wait_until(page, "() => !document.querySelector('.lv-live')")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Explore")
    assert sockets
    page.wait_for_timeout(200)
    assert all(socket.is_closed() for socket in sockets)
    page.get_by_role("link", name="Train", exact=True).click()
    settle(page)
    # The run is replayed up to where it was left.
    wait_until(page, "() => Number(document.querySelector('.lv-live')?.dataset.epoch) >= 5")
    assert query(page) == {"data": "circle", "epochs": "10000"}
    assert curve(page, 0)[5] == run_of(RunConfig(dataset="circle"), 5)


def test_a_tampered_link_is_explained_and_the_page_works(open_page: OpenPage) -> None:
    page = open_page("/train?data=circle&rate=banana&epochs=0&hidden=4_900")
    notice = page.get_by_role("alert").filter(has_text="The link")
    for part in ("banana", "epochs is 0; a whole number from 1 to 10000 is allowed", "900"):
        expect(notice).to_contain_text(part)
    ready(page)


def test_the_walk_shows_the_true_numbers(open_page: OpenPage) -> None:
    page = open_page(CLASSIC_LINK)
    ready(page)
    mark = "() => { document.querySelector('.lv-live').mark = 'same' }"
    page.evaluate(mark)
    weight, bias = walk(init(CLASSIC)).parameters
    for phase in ("loss", "backward", "update"):
        page.get_by_role("button", name="Next phase", exact=True).click()
        expect(page.get_by_role("heading", name=f"Update 1, {phase}", exact=True)).to_be_visible()
        settle(page)
    assert query(page)["phase"] == "update"
    table = page.get_by_role("tabpanel").get_by_role("table")
    for parameter in (weight, bias):
        row = table.get_by_role("row").filter(has_text=parameter.name)
        cells = row.get_by_role("cell").all_inner_texts()
        assert [float(cells[at].replace("−", "-")) for at in (0, 1, 3)] == pytest.approx(
            [parameter.before, parameter.gradient, parameter.after], rel=1e-5
        )
    expect(page.get_by_role("img", name=re.compile("^Network with 1 to 1 units"))).to_be_visible()
    assert page.evaluate("() => document.querySelector('.lv-live').mark") == "same"


def test_the_walk_follows_the_live_run(open_page: OpenPage) -> None:
    page = open_page(CLASSIC_LINK)
    ready(page)
    press(page, "Step")
    wait_until(page, "() => document.querySelector('.lv-live').dataset.updates === '1'")
    page.get_by_role("button", name="Go to the run above (update 2)", exact=True).click()
    expect(page.get_by_role("heading", name="Update 2, forward", exact=True)).to_be_visible()
    state = init(CLASSIC)
    step(state)
    first = walk(state).layers[0].sums[0, 0]
    expect(page.get_by_role("cell", name=f"{first:.6g}", exact=True)).to_be_visible()


@pytest.mark.parametrize(("viewport", "colour_scheme"), WINDOWS, indirect=True)
@pytest.mark.parametrize("link", ["/train?data=circle&loss=mse&phase=backward", CLASSIC_LINK + "&phase=update"])
def test_page_is_accessible_and_fits(open_page: OpenPage, link: str, viewport: str, colour_scheme: str) -> None:
    page = open_page(link)
    ready(page)
    press(page, "Epoch")
    wait_until(page, "() => document.querySelector('.lv-live').dataset.epoch === '1'")
    settle(page)
    assert axe(page) == []
    overflow = "(part) => { const e = document.querySelector(part); return e.scrollWidth - e.clientWidth; }"
    assert [page.evaluate(overflow, part) for part in ("html", "[data-testid=stMain]")] == [0, 0]


@pytest.mark.parametrize("viewport", ["phone"], indirect=True)
def test_the_run_comes_first_on_a_phone(open_page: OpenPage, viewport: str) -> None:
    page = open_page("/train")
    ready(page)
    play: Any = page.get_by_label("Run", exact=True).get_by_role("button", name="Play", exact=True).bounding_box()
    assert play["y"] < 600
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.get_by_test_id("stSidebar").get_by_role("heading", name="Settings", exact=True)).to_be_in_viewport()


def test_another_example_before_the_first_frame_of_the_old_one_shows_the_new_one(
    page: Page, open_page: OpenPage
) -> None:
    sockets, held = [], []

    def hold(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server().on_message(lambda message: held.append(message))

    page.route_web_socket(re.compile("/live$"), hold)
    open_page("/train?data=circle")
    step = page.locator(".lv-live").get_by_role("button", name="Step", exact=True)
    expect(step).to_have_attribute("aria-disabled", "true")
    choose(page, "Data set", "Iris · several classes")
    wait_until(page, "() => location.search.includes('iris')")
    while len([message for message in held if isinstance(message, bytes)]) < 2:
        page.wait_for_timeout(20)
    for message in held:
        sockets[0].send(message)
    ready(page)
    expect(step).to_have_attribute("aria-disabled", "false")
    expect(page.get_by_text("Right and wrong predictions", exact=True)).to_be_visible()
    expect(page.get_by_text("Decision map", exact=True)).to_have_count(0)


def test_runs_of_the_session_are_kept_and_laid_over_each_other(open_page):
    page = open_page("/train?data=four_points&epochs=30&hidden=none&validation=0")
    page.get_by_label("Speed", exact=True).select_option("")
    run = page.locator(".lv-live")
    rate = page.get_by_label("Learning rate at the start", exact=True)
    for value in ("0.01", "0.05"):
        rate.fill(value)
        rate.press("Enter")
        expect(run).to_have_attribute("data-state", "paused")
        run.get_by_role("button", name="Play", exact=True).click()
        # The next settings come at once: the run that they end is kept all the same.
        expect(run).to_have_attribute("data-state", "finished", timeout=20_000)
    rate.fill("0.02")
    rate.press("Enter")
    expect(page.get_by_role("heading", name="Runs of this session")).to_be_visible()
    for number in (1, 2):
        page.get_by_text(f"Overlay Run {number}", exact=True).click()
        settle(page)
    table = page.get_by_role("region", name="The ticked runs: last numbers, and the settings in which they differ")
    expect(table).to_contain_text("Learning rate")
    expect(table).to_contain_text("0.05")
    expect(page.locator(".js-plotly-plot").last).to_be_visible()
    assert axe(page) == []


def test_a_run_that_other_settings_cut_short_is_kept_until_it_is_deleted(open_page):
    page = open_page("/train?data=four_points&epochs=5000&hidden=none&validation=0")
    page.get_by_label("Speed", exact=True).select_option("")
    run = page.locator(".lv-live")
    run.get_by_role("button", name="Play", exact=True).click()
    wait_until(page, "() => Number(document.querySelector('.lv-live').dataset.epoch) > 20")
    rate = page.get_by_label("Learning rate at the start", exact=True)
    rate.fill("0.02")
    rate.press("Enter")
    expect(page.get_by_text(re.compile(r"rate 0\.03, \d[\d,]* of 5,000 epochs"))).to_be_visible()
    expect(run).to_have_attribute("data-state", "paused")
    run.get_by_role("button", name="Epoch", exact=True).click()
    expect(page.get_by_text(re.compile(r"rate 0\.02, 1 of 5,000 epochs"))).to_be_visible()
    for number in (2, 1):
        page.get_by_label(f"Name of run {number}", exact=True).wait_for()
        page.get_by_role("button", name="Delete", exact=True).nth(number - 1).click()
        expect(page.get_by_label(f"Name of run {number}", exact=True)).to_have_count(0)
    expect(page.get_by_role("heading", name="Runs of this session")).to_have_count(0)


def test_a_kept_run_whose_rate_was_changed_opens_with_its_change(open_page):
    page = open_page("/train?data=four_points&epochs=60&hidden=none&validation=0")
    ready(page)
    run = page.locator(".lv-live")
    run.get_by_role("button", name="Epoch", exact=True).click()
    expect(run).to_have_attribute("data-epoch", "1")
    rate = run.get_by_role("spinbutton", name="Learning rate", exact=True)
    rate.fill("0.1")
    rate.press("Enter")
    expect(run.locator(".lv-changes")).to_contain_text("0.1 from update")
    run.get_by_role("button", name="Epoch", exact=True).click()
    expect(page.get_by_label("Name of run 2", exact=True)).to_be_visible()
    run.get_by_role("button", name="Forget changes", exact=True).click()
    expect(run.locator(".lv-changes")).to_be_hidden()
    page.wait_for_url(lambda url: "changes" not in url)
    run.get_by_role("button", name="Epoch", exact=True).click()
    expect(run).to_have_attribute("data-epoch", "1")
    settle(page)
    page.get_by_test_id("stButton").get_by_role("button", name="Open", exact=True).nth(1).click()
    expect(run.locator(".lv-changes")).to_contain_text("0.1 from update")
    settle(page)
    expect(run.locator(".lv-changes")).to_contain_text("0.1 from update")
    page.wait_for_url(re.compile("changes="))


def test_saved_settings_open_the_run_again(open_page, tmp_path):
    config = replace(CLASSIC, learning_rate=0.05, interventions=(Intervention(7, value=0.02),))
    saved, broken = tmp_path / "run.json", tmp_path / "broken.json"
    saved.write_text(config_json(config), encoding="utf-8")
    broken.write_text('{"epochs": 0}', encoding="utf-8")
    page = open_page("/train")
    drop = page.get_by_label("Open saved settings", exact=True).locator("input[type=file]")
    drop.set_input_files(broken)
    expect(page.get_by_test_id("stAlert").last).to_contain_text(
        "epochs is 0; a whole number from 1 to 10000 is allowed"
    )
    page.get_by_test_id("stFileUploader").get_by_role("button", name=re.compile("^(Remove|Delete)")).click()
    drop.set_input_files(saved)
    page.wait_for_url(re.compile("changes=7"))
    settle(page)
    query = {name: texts[0] for name, texts in parse_qs(urlsplit(page.url).query).items()}
    assert parse(query)[0].config == config
    assert axe(page) == []
