"""What every room's tests share: the order of the suite and real servers.

`server_url` is the address of one warm server for the whole session; `start_server` starts another one with options
or environment variables of its own:

    def test_something(start_server):
        with start_server("--server.baseUrlPath", "lab") as url:
            httpx.get(f"{url}/assets/plotly.min.js")
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
import torch
from hypothesis import HealthCheck, settings

# Keras runs on the torch that is installed, and leaves no settings in the home folder.
os.environ["KERAS_BACKEND"] = "torch"
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="keras-")

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60

# A busy machine is no reason to fail, and the same commit gives the same answer.
settings.register_profile("lossviz", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lossviz")

ServerStarter = Callable[..., AbstractContextManager[str]]


def pytest_configure() -> None:
    """One thread, as on the server: faster for tensors this small, and the numbers do not hang on the machine."""
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests run last: Playwright's event loop stays in the main thread, where asyncio.run then fails."""
    items.sort(key=lambda item: "browser" in item.path.relative_to(ROOT).parts)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(health, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the server did not answer at {health}:\n{log.read_text()}")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project without an environment, to be changed at will."""
    for name in ("deploy", "pages", "lossviz", ".streamlit"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> ServerStarter:
    """Starts `streamlit run app.py`, with extra arguments and environment, and yields its address until the block ends.

    The app is this project's, or that of a changed copy in `folder` (see the fixture `checkout`).
    """
    logs = tmp_path_factory.mktemp("servers")

    @contextmanager
    def start(*arguments: str, folder: Path = ROOT, **environment: str) -> Iterator[str]:
        port = free_port()
        base = arguments[arguments.index("--server.baseUrlPath") + 1] if "--server.baseUrlPath" in arguments else ""
        url = f"http://localhost:{port}/{base}".rstrip("/")
        log = logs / f"{port}.log"
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            _wait_until_healthy(process, f"{url}/_stcore/health", log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    return start


@pytest.fixture(scope="session")
def server_url(start_server: ServerStarter) -> Iterator[str]:
    """The address, without a trailing slash, of a warm server that the whole session shares."""
    with start_server() as url:
        yield url
