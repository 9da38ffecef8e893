"""Every loss's board: how long its tables take, how large its messages are, and how fast the page changes to it.

    python bench/catalogue.py [address of a running server]

The largest board of a loss holds as many samples as it takes. A message is measured with each kind of handle asked for
first. Changing the loss is timed in a real Chromium, from the choice in the menu to the new board on screen.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time

import torch
from common import ROOT, conditions, server, table
from playwright.sync_api import Page, sync_playwright

import lossviz
from deploy.environment import CHROMIUM_ARGUMENTS, find_chromium
from lossviz.boards import State
from lossviz.losses import Loss
from lossviz.tables import Tables

PORT = 8639
TURNS = 3
IMPORTS = 5

# The revision of the tables on screen, null without a board.
REVISION = """() => {
  const board = [...document.querySelectorAll('*')].map((element) => element.shadowRoot?.querySelector('.board'))
    .find(Boolean) ?? document.querySelector('.board');
  return board ? board.dataset.revision : null;
}"""


def largest(loss: Loss) -> State:
    """The loss's example with samples added until its board is full."""
    state: State = loss.board.example()
    while not loss.board.full(state):
        state = loss.board.add(state)
    return state


def message(loss: Loss, state: State, active: str) -> tuple[float, int]:
    """Milliseconds and bytes of a message made from nothing, the fastest of several turns."""
    params, reduction = loss.check_parameters({}), loss.reductions[0].name
    spent = []
    for _ in range(TURNS):
        began = time.perf_counter()
        size = len(Tables(loss, params, reduction, state).to_bytes(active=active))
        spent.append(1000 * (time.perf_counter() - began))
    return min(spent), size


def boards() -> list[tuple[str, float, int]]:
    """For each loss the slowest and the largest message of its largest board, over one handle of each kind."""
    found = []
    for key in lossviz.losses.keys():  # noqa: SIM118 - keys() is the registry's own function
        loss = lossviz.losses.get(key)
        state = largest(loss)
        kinds = {(handle.kind, handle.part): handle.name for handle in loss.board.handles(state)}
        made = [message(loss, state, name) for name in kinds.values()]
        found.append((key, max(spent for spent, _ in made), max(size for _, size in made)))
    return found


def import_cost() -> float:
    """Seconds that importing lossviz takes longer than importing torch, the median of fresh processes in turns."""

    def seconds(module: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, check=True)
        return time.perf_counter() - began

    seconds("lossviz")
    return statistics.median(seconds("lossviz") - seconds("torch") for _ in range(IMPORTS))


def switch(page: Page, key: str) -> float:
    """Milliseconds from the click on a loss in the menu to its board on screen."""
    title = lossviz.losses.get(key).title
    page.get_by_role("combobox", name="Loss", exact=True).click()
    page.keyboard.type(title)
    option = page.get_by_role("option", name=re.compile(f" · {re.escape(title)}(,|$)"))
    option.wait_for()
    before = page.evaluate(REVISION)
    return float(
        option.evaluate(
            f"""(option, before) => new Promise((done) => {{
              const revision = {REVISION};
              const began = performance.now();
              const look = () => {{
                const now = revision();
                if (now && now !== before) requestAnimationFrame(() => done(performance.now() - began));
                else requestAnimationFrame(look);
              }};
              option.click();
              look();
            }})""",
            before,
        )
    )


def switches(url: str) -> tuple[list[tuple[str, float]], str]:
    """The time to change to each loss, one after the other, and the version of the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{url}/explore")
        page.wait_for_selector(".board[data-state='ready']")
        spent = []
        for key in lossviz.losses.keys()[1:]:
            spent.append((key, switch(page, key)))
            page.wait_for_selector(".board[data-state='ready']")
            page.wait_for_timeout(200)
        version = browser.version
        browser.close()
    return spent, version


def main() -> None:
    torch.set_num_threads(1)  # as the server does
    made = boards()
    extra = import_cost()
    with server(PORT, *sys.argv[1:2]) as (url, _):
        spent, version = switches(url)
    slowest = max(made, key=lambda row: row[1])
    biggest = max(made, key=lambda row: row[2])
    longest = max(spent, key=lambda row: row[1])
    median = statistics.median(time for _, time in spent)
    print(conditions(f"Chromium {version}"))
    print(f"{len(made)} losses on their largest boards; fastest of {TURNS} turns")
    table(
        [
            ("tables of the largest board, median ms", f"{statistics.median(row[1] for row in made):.1f}", ""),
            ("tables of the largest board, slowest ms", f"{slowest[0]} {slowest[1]:.1f}", "60 or less"),
            ("largest message, KiB", f"{biggest[0]} {biggest[2] / 1024:.0f}", "1024 or less"),
            ("another loss, median ms", f"{median:.0f}", "300 or less"),
            ("another loss, slowest ms", f"{longest[0]} {longest[1]:.0f}", ""),
            ("import lossviz over import torch, s", f"{extra:.2f}", "0.3 or less"),
        ]
    )


if __name__ == "__main__":
    main()
