"""Thirty learners train at once while others open pages and use them.

    python bench/connections.py [address of a running server]

The learners are sockets in a process of their own that acknowledge every frame at once; a page is opened and rerun
as a browser does it, over Streamlit's socket, and its address is fetched over HTTP.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import struct
import sys
import time

import httpx
from common import RUN, conditions, server, table
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PORT = 8623
LEARNERS = 30
SECONDS = 20.0
OPENING_SECONDS = 60.0


async def learn(url: str, opened: asyncio.Barrier) -> tuple[int, int, float, str]:
    """Frames, epochs, longest wait for a frame in seconds, and an error if there was one."""
    frames, epoch, longest = 0, 0, 0.0
    try:
        async with connect(url) as socket:
            await socket.send(json.dumps({"type": "open", "config": RUN.to_dict(), "at": 0, "play": False}))
            while not isinstance(message := await socket.recv(), bytes):
                pass
            await opened.wait()
            await socket.send('{"type": "ack", "frame": 1}')
            await socket.send('{"type": "play"}')
            began = last = time.perf_counter()
            while time.perf_counter() - began < SECONDS:
                message = await socket.recv()
                if isinstance(message, str):
                    told = json.loads(message)
                    if told["type"] == "error":
                        return frames, epoch, longest, told["message"]
                    continue
                header = json.loads(message[4 : 4 + struct.unpack_from("<I", message)[0]])
                await socket.send(json.dumps({"type": "ack", "frame": header["frame"]}))
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
                frames += 1
                epoch = header["epoch"]
    except Exception as error:
        return frames, epoch, longest, f"{type(error).__name__}: {error}"
    return frames, epoch, longest, ""


def learners(url: str, results: multiprocessing.Queue[list[tuple[int, int, float, str]]]) -> None:
    """All learners, in a process of their own so that they do not slow the pages' clock down."""

    async def all_learn() -> list[tuple[int, int, float, str]]:
        opened = asyncio.Barrier(LEARNERS)
        return await asyncio.gather(*(learn(url, opened) for _ in range(LEARNERS)))

    results.put(asyncio.run(all_learn()))


async def rerun(socket: ClientConnection, page: str) -> None:
    """Ask for a run of a page's script and wait until it is finished."""
    message = BackMsg()
    message.rerun_script.page_name = page
    await socket.send(message.SerializeToString())
    while True:
        told = ForwardMsg.FromString(await socket.recv())
        if told.WhichOneof("type") == "script_finished":
            return


async def visit(url: str, done: asyncio.Event) -> dict[str, list[float]]:
    """Seconds of each page request while the learners train."""
    seconds: dict[str, list[float]] = {"HTTP": [], "open": [], "rerun": []}

    def note(kind: str, began: float) -> None:
        seconds[kind].append(time.perf_counter() - began)

    async with httpx.AsyncClient() as client:
        while not done.is_set():
            for page in ("explore", "train"):
                began = time.perf_counter()
                (await client.get(f"{url}/{page if page == 'train' else ''}")).raise_for_status()
                note("HTTP", began)
                began = time.perf_counter()
                address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
                async with connect(address, subprotocols=["streamlit"], max_size=None) as socket:
                    await rerun(socket, page)
                    note("open", began)
                    for _ in range(3):
                        began = time.perf_counter()
                        await rerun(socket, page)
                        note("rerun", began)
    return seconds


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[int(0.95 * len(values))]


def main() -> None:
    with server(PORT, *sys.argv[1:2]) as (url, _):
        asyncio.run(visit_once(url))
        done = asyncio.Event()
        results: multiprocessing.Queue[list[tuple[int, int, float, str]]] = multiprocessing.Queue()
        process = multiprocessing.Process(target=learners, args=(f"{url.replace('http', 'ws', 1)}/live", results))
        process.start()

        async def watch() -> tuple[list[tuple[int, int, float, str]], dict[str, list[float]]]:
            visiting = asyncio.create_task(visit(url, done))
            found = await asyncio.to_thread(results.get, True, OPENING_SECONDS + 2 * SECONDS)
            done.set()
            return found, await visiting

        found, seconds = asyncio.run(watch())
        process.join()
    epochs = [epoch / SECONDS for _, epoch, _, _ in found]
    requests = [value for values in seconds.values() for value in values]
    errors = sorted({error for _, _, _, error in found if error})
    print(conditions())
    print(f"{LEARNERS} connections training for {SECONDS:g} s, {len(requests)} page requests meanwhile")
    ratio = min(epochs) / statistics.median(epochs)
    rows = [
        ("connections without a frame", str(sum(frames == 0 for frames, *_ in found)), "0"),
        ("frames a second of one, slowest and median", _pair([frames / SECONDS for frames, *_ in found]), ""),
        ("epochs a second of one, slowest and median", _pair(epochs), ""),
        ("slowest as a share of the median", f"{ratio:.2f}", "0.33 or more"),
        ("epochs a second in total", f"{sum(epochs):.0f}", ""),
        ("longest wait for a frame, s", f"{max(wait for _, _, wait, _ in found):.2f}", ""),
        ("page requests, 95th percentile, s", f"{p95(requests):.2f}", "1 or less"),
        *((f"  {kind}, 95th percentile, s", f"{p95(values):.2f}", "") for kind, values in seconds.items()),
        ("errors", "; ".join(errors) or "none", "none"),
    ]
    table(rows)


async def visit_once(url: str) -> None:
    """Open every page once before the clock runs: the first visit loads what all later ones share."""
    for page in ("explore", "train"):
        async with connect(
            f"{url.replace('http', 'ws', 1)}/_stcore/stream", subprotocols=["streamlit"], max_size=None
        ) as socket:
            await rerun(socket, page)


def _pair(values: list[float]) -> str:
    return f"{min(values):.1f}, {statistics.median(values):.1f}"


if __name__ == "__main__":
    main()
