"""Take runs of 2,000 epochs back to moments drawn at random on the Train page in a real Chromium, and time each.

    python bench/scrub.py [address of a running server]

The time runs from the slider's input to the frame that shows the moment's weights, numbers, curves and fit. One run
keeps a snapshot of every epoch; the other is so large that its snapshots are thinned to the bound of their memory,
and most of its moments are computed again from the one before.
"""

from __future__ import annotations

import random
import statistics
import sys
from dataclasses import replace
from urllib.parse import urlencode

from common import RUN, conditions, server, table
from playwright.sync_api import Browser, sync_playwright

from deploy.environment import CHROMIUM_ARGUMENTS, find_chromium
from lossviz.training import TAPE_BYTES, RunConfig, Tape, advance, init
from pages.ui.train_state import TrainState, format_url

PORT = 8626
EPOCHS = 2000
MOMENTS = 60
RUNS = {
    "circle, 2-4-2-1, 250 points": replace(RUN, epochs=EPOCHS),
    "wine, 13-64-64-3, Adam, full batches": RunConfig(
        dataset="wine", hidden=(64, 64), optimizer="adam", batch_size=None, epochs=EPOCHS
    ),
}

GO = """epoch => new Promise(done => {
  const root = document.querySelector('.lv-live'), slider = document.querySelector('[data-part="moment"]');
  const begin = performance.now();
  const watch = new MutationObserver(() => {
    if (Number(root.dataset.epoch) !== epoch || root.dataset.state === 'replaying') return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - begin));
  });
  watch.observe(root, {attributes: true, attributeFilter: ['data-epoch', 'data-state']});
  slider.value = epoch;
  slider.dispatchEvent(new Event('input'));
})"""


def kept(config: RunConfig) -> str:
    """Megabytes of snapshots after the whole run, and how many epochs lie between two."""
    state = init(config)
    tape = Tape(state)
    while not state.finished:
        advance(state, config.updates_per_epoch)
        tape.keep(state)
    moments = {tape.nearest(update, state).updates for update in range(0, state.updates, config.updates_per_epoch)}
    return f"{tape.bytes / 1e6:.0f} MB, one of {EPOCHS / len(moments):.0f}"


def scrub(browser: Browser, url: str, config: RunConfig) -> list[float]:
    """Milliseconds to each of the moments."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    at = config.epochs * config.updates_per_epoch
    page.goto(f"{url}/train?{urlencode(format_url(TrainState(config, at=at)))}")
    page.wait_for_selector(".lv-live[data-state=finished]", timeout=300_000)
    page.wait_for_timeout(2000)
    draw = random.Random(0)
    times = []
    for _ in range(MOMENTS):
        times.append(page.evaluate(GO, draw.randrange(1, EPOCHS)))
        page.wait_for_timeout(700)
    page.close()
    return sorted(times)


def main() -> None:
    with server(PORT, *sys.argv[1:2]) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        results = {name: scrub(browser, url, config) for name, config in RUNS.items()}
        version = browser.version
        browser.close()
    print(conditions(f"Chromium {version}"))
    print(f"{MOMENTS} moments each, runs of {EPOCHS:,} epochs, snapshots up to {TAPE_BYTES / 1e6:.0f} MB")
    rows = []
    for name, times in results.items():
        rows += [
            (f"{name}: median, ms", f"{statistics.median(times):.0f}", ""),
            ("  95th percentile, ms", f"{times[int(0.95 * len(times))]:.0f}", "100 or less where all epochs are kept"),
            ("  slowest, ms", f"{times[-1]:.0f}", ""),
            ("  snapshots kept", kept(RUNS[name]), ""),
        ]
    table(rows)


if __name__ == "__main__":
    main()
