"""What the benchmarks of the live stream share: the run they play, a server of their own, and their conditions."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lossviz.training import PLAYGROUND  # noqa: E402

#: TensorFlow Playground's start: circle, 250/250 points, 2-4-2-1 tanh, batch 10, SGD 0.03, MSE; long enough to measure.
RUN = replace(PLAYGROUND, epochs=10_000)


def train_path() -> str:
    """The address of the Train page that shows `RUN`."""
    from pages.ui.train_state import TrainState, format_url

    return f"/train?{urlencode(format_url(TrainState(RUN)))}"


@contextmanager
def server(port: int, address: str | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes] | None]]:
    """The server at an address, or one started for this benchmark and stopped afterwards."""
    if address:
        yield address.rstrip("/"), None
        return
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://localhost:{port}"
        try:
            wait_until_healthy(url)
            yield url, process
        finally:
            process.terminate()


def wait_until_healthy(url: str) -> None:
    """Wait until a server answers, for a minute at most."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/_stcore/health", timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit(f"no server answered at {url}")


def conditions(*more: str) -> str:
    """Where and under what load this was measured."""
    import torch

    parts = [
        *more,
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        f"Python {platform.python_version()}, torch {torch.__version__}",
    ]
    return ", ".join(parts)


def table(rows: list[tuple[str, str, str]]) -> None:
    """Print what was measured and what is to be reached."""
    width = max(len(what) for what, _, _ in rows) + 2
    print(f"{'what':<{width}}{'measured':>26}   reach")
    for what, measured, reach in rows:
        print(f"{what:<{width}}{measured:>26}   {reach}")
