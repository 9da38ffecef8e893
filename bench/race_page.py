"""Play races of 16 on the Race page in a real Chromium, as fast as they go, and count the epochs of each racer.

    python bench/race_page.py [address of a running server]

An update counts only if it shows a newer epoch: 16 curves, the table and the sentence.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import replace
from urllib.parse import urlencode

from common import ROOT, RUN, conditions, server, table
from playwright.sync_api import Browser, sync_playwright

from deploy.environment import CHROMIUM_ARGUMENTS, find_chromium
from pages.ui.race.state import RaceState, format_url

PORT = 8623
RUNS = 3
SECONDS = 8
RACES = {
    "16 learning rates": RaceState(RUN, "rate", tuple(round(0.003 * 1.2**racer, 6) for racer in range(16))),
    "16 seeds": RaceState(RUN, "seed", tuple(range(16))),
    "6 losses": RaceState(
        replace(RUN, learning_rate=0.01),
        "loss",
        ("bce_with_logits", "mse", "hinge", "squared_hinge", "focal", "exponential"),
    ),
}
WATCH = """() => {
  const root = document.querySelector('.rc-race');
  const seen = window.seen = {pictures: 0, first: Number(root.dataset.epoch), last: Number(root.dataset.epoch)};
  new MutationObserver(() => {
    const epoch = Number(root.dataset.epoch);
    if (epoch <= seen.last) return;
    seen.last = epoch;
    seen.pictures += 1;
  }).observe(root, {attributes: true, attributeFilter: ['data-epoch']});
  window.began = performance.now();
}"""


def play(browser: Browser, url: str) -> tuple[float, float]:
    """Epochs of each racer a second, and updates a second."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    page.wait_for_selector(".rc-race[data-state=paused]")
    page.locator(".rc-race").get_by_label("Speed", exact=True).select_option("")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_selector('.rc-race:not([data-epoch="0"])')
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    page.wait_for_timeout(1000 * SECONDS)
    seen = page.evaluate("({...window.seen, seconds: (performance.now() - window.began) / 1000})")
    page.close()
    return (seen["last"] - seen["first"]) / seen["seconds"], seen["pictures"] / seen["seconds"]


def main() -> None:
    """Print the table."""
    rows = []
    with server(PORT, *sys.argv[1:2]) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        for name, race in RACES.items():
            results = [play(browser, f"{url}/race?{urlencode(format_url(race))}") for _ in range(RUNS)]
            epochs, pictures = (statistics.median(column) for column in zip(*results, strict=True))
            rows += [
                (f"{name}: epochs a second of each, median", f"{epochs:.0f}", "100 or more"),
                (f"{name}: updates a second, median", f"{pictures:.0f}", ""),
            ]
        version = browser.version
        browser.close()
    print(conditions(f"Chromium {version}"))
    print(f"{RUNS} runs of {SECONDS} s, page 1280 x 900 of {ROOT.name}")
    table(rows)


if __name__ == "__main__":
    main()
