"""Open fifty runs, drop them, and look at what is left of them in the server.

    python bench/memory.py

The app runs under uvicorn in this process, so that its tasks and threads can be counted; the visitors are another
process. Half of them leave without a word, as when a network fails.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import multiprocessing
import os
import threading
import time

import psutil
import uvicorn
from common import RUN, conditions, table, wait_until_healthy
from websockets.asyncio.client import connect

PORT = 8624
RUNS = 50
AT_ONCE = 10
FRAMES = 20


async def visit(index: int) -> None:
    """Play a run for a few frames and leave; every second visitor without saying so."""
    async with connect(f"ws://localhost:{PORT}/live") as socket:
        await socket.send(json.dumps({"type": "open", "config": RUN.to_dict(), "at": 0, "play": True}))
        for frame in range(1, FRAMES + 1):
            while not isinstance(await socket.recv(), bytes):
                pass
            await socket.send(json.dumps({"type": "ack", "frame": frame}))
        if index % 2:
            socket.transport.abort()


def visitors(count: int) -> None:
    """Some visitors, ten at a time."""

    async def all_visit() -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> None:
            async with places:
                await visit(index)

        await asyncio.gather(*(one(index) for index in range(count)))

    asyncio.run(all_visit())


def send(count: int) -> None:
    """Let visitors come and go."""
    process = multiprocessing.get_context("spawn").Process(target=visitors, args=(count,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("the visitors failed")


def main() -> None:
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    logging.disable(logging.WARNING)
    import app
    from pages.ui.live.endpoint import ENGINE

    runner = asyncio.Runner()
    server = uvicorn.Server(uvicorn.Config(app.app, port=PORT, log_level="error", ws="websockets-sansio"))
    thread = threading.Thread(target=lambda: runner.run(server.serve()))
    thread.start()
    wait_until_healthy(f"http://localhost:{PORT}")

    async def names() -> list[str]:
        return sorted(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())

    def look() -> tuple[float, list[str], int]:
        deadline = time.monotonic() + 10
        while ENGINE.connections and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)
        gc.collect()
        tasks = asyncio.run_coroutine_threadsafe(names(), runner.get_loop()).result(5)
        return psutil.Process().memory_info().rss / 2**20, tasks, threading.active_count()

    send(2)  # The first runs load what all later ones share.
    before = look()
    send(RUNS)
    after = look()
    server.should_exit = True
    thread.join()

    print(conditions())
    print(f"{RUNS} runs, {AT_ONCE} at a time, {FRAMES} frames each, half of them dropped without a word")
    table(
        [
            ("memory before, MB", f"{before[0]:.1f}", ""),
            ("memory after, MB", f"{after[0]:.1f}", f"{before[0] + 20:.1f} or less"),
            ("tasks more than before", str(len(after[1]) - len(before[1])), "0"),
            ("threads more than before", str(after[2] - before[2]), "0"),
            ("connections counted", str(ENGINE.connections), "0"),
        ]
    )


if __name__ == "__main__":
    main()
