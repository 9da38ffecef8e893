"""Drag one handle of a loss of each kind of board in a real Chromium, and time it.

    python bench/drag.py [address of a running server]

Prints frames that show a new value per second, the 95th percentile of the time between two of them, what the page
sent while the hand moved, and how long after the release the new tables are on screen.
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import pairwise

from common import conditions, server
from playwright.sync_api import Locator, Page, WebSocket, sync_playwright

from deploy.environment import CHROMIUM_ARGUMENTS, find_chromium

PORT = 8638
SECONDS = 5
RATE = 60
RELEASES = 10
# A loss a geometry, with the handle that is dragged, the pixels of a move and those to either side of the start. A move
# reaches another position: those of a point lie up to 8 pixels apart.
BOARDS = (
    ("mse", "Prediction 2", 4, 60),
    ("cross_entropy", "Sample 2 logit 1", 4, 60),
    ("gaussian_nll", "Mean 2", 4, 60),
    ("triplet_margin", "Anchor 1", 9, 63),
    ("giou", "Predicted box 1 bottom right", 12, 60),
    ("dice", "Cell 2, 2 probability", 3, 42),
    ("ctc", "Frame 3 logit a", 4, 60),
)

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


def slider(page: Page, name: str) -> Locator:
    """The handle's slider; a point's first one."""
    return page.locator(f"[role=slider][data-handle='{name}']").first


def grab(page: Page, name: str) -> tuple[float, float]:
    """Puts the mouse down on a handle and waits until its tables are there; returns where."""
    slider(page, name).scroll_into_view_if_needed()
    box = slider(page, name).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.wait_for_selector(".board[data-state='dragging']")
    return x, y


def drag(page: Page, name: str, pixels: int, reach: int, sent: list[object]) -> tuple[list[float], int]:
    """Moves the mouse to and fro at 60 Hz for five seconds; returns the times of new values, and messages sent."""
    x, y = grab(page, name)
    page.wait_for_timeout(300)
    page.evaluate("window.seen.frames.length = 0")
    before = len(sent)
    began = time.perf_counter()
    for step in range(SECONDS * RATE):
        way = abs((pixels * step + reach) % (4 * reach) - 2 * reach) - reach
        page.mouse.move(x - way, y + way)
        wait = began + (step + 1) / RATE - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
    page.wait_for_timeout(50)
    during = len(sent) - before
    frames = page.evaluate("window.seen.frames")
    page.mouse.up()
    return frames, during


def release_times(page: Page, name: str) -> list[float]:
    """Milliseconds from the release of a dragged handle to the new tables on screen, several times."""
    page.wait_for_selector(".board[data-state='ready']")
    page.wait_for_timeout(500)
    times = []
    for turn in range(RELEASES):
        x, y = grab(page, name)
        way = 30 if turn % 2 else -30
        page.mouse.move(x + way, y - way, steps=3)
        page.wait_for_timeout(60)
        page.evaluate("window.seen.releases.length = window.seen.tables.length = 0")
        page.mouse.up()
        page.wait_for_function("() => window.seen.tables.length > 0")
        seen = page.evaluate("window.seen")
        times.append(seen["tables"][0] - seen["releases"][0])
        page.wait_for_selector(".board[data-state='ready']")
    return times


def measure(page: Page, url: str, key: str, name: str, pixels: int, reach: int) -> tuple[str, ...]:
    """One row of the table."""
    sockets: list[WebSocket] = []
    sent: list[object] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(f"{url}/explore?loss={key}")
    page.wait_for_selector(".board[data-state='ready']")
    page.wait_for_timeout(1000)
    for socket in sockets:
        socket.on("framesent", lambda frame: sent.append(frame))
    page.evaluate(WATCH)
    frames, messages = drag(page, name, pixels, reach, sent)
    gaps = sorted(after - before for before, after in pairwise(frames))
    rate = (len(frames) - 1) / (frames[-1] - frames[0]) * 1000
    releases = release_times(page, name)
    return (
        key,
        f"{rate:.1f}",
        f"{gaps[int(0.95 * len(gaps))]:.1f}",
        str(messages),
        f"{statistics.median(releases):.0f}",
        f"{max(releases):.0f}",
    )


def main() -> None:
    rows = [
        ("loss", "values/s", "p95 gap ms", "messages", "release ms", "slowest ms"),
        ("reach", "55", "25", "0", "150", ""),
    ]
    with server(PORT, *sys.argv[1:2]) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        for board in BOARDS:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            rows.append(measure(page, url, *board))
            page.close()
        version = browser.version
        browser.close()
    print(conditions(f"Chromium {version}"))
    print(f"{SECONDS} s at {RATE} Hz on one handle of each kind of board; {RELEASES} releases")
    for row in rows:
        print("".join(f"{cell:<16}" if at == 0 else f"{cell:>12}" for at, cell in enumerate(row)))


if __name__ == "__main__":
    main()
