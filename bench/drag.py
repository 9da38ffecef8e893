"""Drag one prediction of a mean squared error board with four samples in a real Chromium, and time it.

    python bench/drag.py [address of a running server]

Prints frames that show a new value per second, the 95th percentile of the time between two of them, what the page
sent while the hand moved, and how long after the release the new tables are on screen.
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import pairwise

from common import conditions, server, table
from playwright.sync_api import Page, WebSocket, sync_playwright

from deploy.environment import CHROMIUM_ARGUMENTS, find_chromium

PORT = 8638
SECONDS = 5
RATE = 60
RELEASES = 20

# Notes the time of every change of the shown value, of every release and of every new set of tables.
WATCH = """() => {
  const board = document.querySelector('.board') ?? [...document.querySelectorAll('*')]
    .map((element) => element.shadowRoot?.querySelector('.board')).find(Boolean);
  window.seen = {frames: [], releases: [], tables: []};
  let frames = board.dataset.frames;
  let revision = board.dataset.revision;
  new MutationObserver(() => {
    if (board.dataset.frames !== frames) window.seen.frames.push(performance.now());
    if (board.dataset.revision !== revision) window.seen.tables.push(performance.now());
    frames = board.dataset.frames;
    revision = board.dataset.revision;
  }).observe(board, {attributes: true});
  document.addEventListener('pointerup', () => window.seen.releases.push(performance.now()), true);
}"""


def drag(page: Page) -> tuple[list[float], int]:
    """Moves the mouse at 60 Hz for five seconds; returns the times of frames with a new value, and messages sent."""
    sent = 0

    def count(_: object) -> None:
        nonlocal sent
        sent += 1

    for socket in SOCKETS:
        socket.on("framesent", count)
    handle = page.get_by_role("slider", name="Prediction 2", exact=True)
    box = handle.bounding_box()
    lane = handle.locator("xpath=..").bounding_box()
    assert box is not None
    assert lane is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.wait_for_timeout(300)
    page.evaluate("window.seen.frames.length = 0")
    before = sent
    began = time.perf_counter()
    for step in range(SECONDS * RATE):
        # A triangle wave of 4 px a move over the middle of the axis: every move reaches another position.
        reach = 0.8 * lane["width"]
        x = abs((step * 4) % (2 * reach) - reach)
        page.mouse.move(lane["x"] + 0.1 * lane["width"] + x, y)
        wait = began + (step + 1) / RATE - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
    page.wait_for_timeout(50)
    during = sent - before
    frames = page.evaluate("window.seen.frames")
    page.mouse.up()
    return frames, during


def release_times(page: Page) -> list[float]:
    """Milliseconds from the release of a dragged handle to the new tables on screen, several times."""
    handle = page.get_by_role("slider", name="Prediction 2", exact=True)
    page.wait_for_timeout(500)
    page.evaluate("window.seen.releases.length = window.seen.tables.length = 0")
    for turn in range(RELEASES):
        box = handle.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + (30 if turn % 2 else -30), y, steps=3)
        page.wait_for_timeout(60)
        page.mouse.up()
        page.wait_for_function("(count) => window.seen.tables.length >= count", arg=turn + 1)
    seen = page.evaluate("window.seen")
    return [tables - release for release, tables in zip(seen["releases"], seen["tables"], strict=True)]


SOCKETS: list[WebSocket] = []


def main() -> None:
    with server(PORT, *sys.argv[1:2]) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("websocket", lambda socket: SOCKETS.append(socket))
        page.goto(f"{url}/explore?loss=mse")
        page.get_by_role("slider", name="Prediction 4", exact=True).wait_for()
        page.wait_for_timeout(1000)
        page.evaluate(WATCH)
        frames, sent = drag(page)
        releases = release_times(page)
        version = browser.version
        browser.close()
    gaps = sorted(after - before for before, after in pairwise(frames))
    span = (frames[-1] - frames[0]) / 1000
    rows = [
        ("frames with a new value per second", f"{(len(frames) - 1) / span:.1f}", "55 or more"),
        ("95th percentile of the frame interval, ms", f"{gaps[int(0.95 * len(gaps))]:.1f}", "25 or less"),
        ("messages sent while dragging", str(sent), "0"),
        ("release to new tables, median ms", f"{statistics.median(releases):.0f}", "150 or less"),
        ("release to new tables, slowest ms", f"{max(releases):.0f}", ""),
    ]
    print(conditions(f"Chromium {version}"))
    print(f"{SECONDS} s at {RATE} Hz on one of four samples; {RELEASES} releases")
    table(rows)


if __name__ == "__main__":
    main()
