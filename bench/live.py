"""Play TensorFlow Playground's start on the Train page in a real Chromium, as fast as it goes, and count what is shown.

    python bench/live.py [address of a running server]

An update counts only if it shows a newer epoch: its numbers, loss curves and 50 by 50 decision map. It is measured
twice: with all panels closed, and with all of them open.
"""

from __future__ import annotations

import statistics
import sys

from common import ROOT, conditions, server, table, train_path
from playwright.sync_api import Browser, sync_playwright

from deploy.environment import CHROMIUM_ARGUMENTS, find_chromium

PORT = 8622
RUNS = 3
#: Updates and epochs a second to reach.
CLOSED, OPEN = (35, 290), (20, 150)
SECONDS = 10

WATCH = """() => {
  const root = document.querySelector('.lv-live');
  const seen = window.seen = {times: [], first: Number(root.dataset.epoch), last: Number(root.dataset.epoch)};
  new MutationObserver(() => {
    const epoch = Number(root.dataset.epoch);
    if (epoch <= seen.last) return;
    seen.last = epoch;
    seen.times.push(performance.now());
  }).observe(root, {attributes: true, attributeFilter: ['data-epoch']});
  window.began = performance.now();
}"""


def play(browser: Browser, url: str, *, panels: bool) -> tuple[float, float, float]:
    """Updates a second, epochs a second and the 95th percentile of the time between updates in milliseconds."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    page.wait_for_selector(".lv-live[data-state=paused]")
    page.get_by_label("Speed", exact=True).select_option("")
    if panels:
        for chip in page.locator(".lv-chip:visible").all():
            chip.click()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_selector('.lv-live:not([data-epoch="0"])')
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    page.wait_for_timeout(1000 * SECONDS)
    seen = page.evaluate("({...window.seen, seconds: (performance.now() - window.began) / 1000})")
    page.close()
    gaps = sorted(after - before for before, after in zip(seen["times"], seen["times"][1:], strict=False))
    return (
        len(seen["times"]) / seen["seconds"],
        (seen["last"] - seen["first"]) / seen["seconds"],
        gaps[int(0.95 * len(gaps))],
    )


def main() -> None:
    with server(PORT, *sys.argv[1:2]) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        results = {
            panels: [play(browser, url + train_path(), panels=panels) for _ in range(RUNS)] for panels in (False, True)
        }
        version = browser.version
        browser.close()
    print(conditions(f"Chromium {version}"))
    print(f"{RUNS} runs of {SECONDS} s each, page 1280 x 900 of {ROOT.name}")
    rows = []
    for panels, reach in ((False, CLOSED), (True, OPEN)):
        updates, epochs, gaps = zip(*results[panels], strict=True)
        each = [", ".join(f"{value:.0f}" for value in values) for values in (updates, epochs, gaps)]
        rows += [
            (f"All panels {'open' if panels else 'closed'}: updates a second that show a newer epoch", each[0], ""),
            ("  epochs a second at the same time", each[1], ""),
            ("  95th percentile between updates, ms", each[2], ""),
            ("  updates a second, median", f"{statistics.median(updates):.1f}", f"{reach[0]} or more"),
            ("  epochs a second, median", f"{statistics.median(epochs):.0f}", f"{reach[1]} or more"),
        ]
    table(rows)


if __name__ == "__main__":
    main()
