"""A live endpoint in this process, so that tests can look at its tasks and threads, and clients to talk to it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.sync.client import ClientConnection, connect

from lossviz.training import RunConfig
from pages.ui.live import connection, endpoint
from tests.conftest import free_port
from tests.live.frames import unpack


class Server:
    """The endpoint under a real uvicorn in a thread of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        config = uvicorn.Config(
            Starlette(routes=endpoint.routes()),
            port=self.port,
            log_level="error",
            ws="websockets-sansio",
            lifespan="off",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self.loop = runner.get_loop()
            runner.run(self._server.serve())

    @property
    def url(self) -> str:
        """Where the endpoint is."""
        return f"ws://localhost:{self.port}/live"

    def tasks(self) -> set[str]:
        """Names of the coroutines that the server's loop is busy with."""

        async def names() -> set[str]:
            return {str(task.get_coro()) for task in asyncio.all_tasks() if task is not asyncio.current_task()}

        return asyncio.run_coroutine_threadsafe(names(), self.loop).result(5)

    def stop(self) -> None:
        """Shut down as a signal would."""
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()


class Client:
    """A browser without a screen: takes messages, acknowledges frames, keeps the curves."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self.curves: list[list[float]] = []
        self.messages: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def open(self, config: RunConfig, *, at: int = 0, play: bool = False) -> None:
        self.send("open", config=config.to_dict(), at=at, play=play)

    def take(self, *, acknowledge: bool = True, timeout: float = 10.0) -> dict[str, Any]:
        """Return the next message; a frame gets type "frame" and its arrays."""
        raw = self.socket.recv(timeout=timeout)
        if isinstance(raw, str):
            message: dict[str, Any] = json.loads(raw)
            self.messages.append(message)
            return message
        header, arrays = unpack(raw)
        if header.get("whole"):
            self.curves = []
        self.curves += arrays["curves"].tolist()
        frame = {"type": "frame", **header, "arrays": arrays}
        self.frames.append(frame)
        if acknowledge:
            self.send("ack", frame=header["frame"])
        return frame

    def until(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """Take messages until one of that type and with those fields comes."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            message = self.take()
            if message["type"] == kind and all(message[name] == value for name, value in wanted.items()):
                return message
        raise AssertionError(f"no {kind} with {wanted} came")

    def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            self.take(timeout=seconds)
        except TimeoutError:
            return True
        return False


@pytest.fixture(scope="session")
def live_server() -> Iterator[Server]:
    """One server for all tests of the endpoint."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def join(live_server: Server) -> Iterator[Callable[..., Client]]:
    """Connects clients, and closes them when the test is over."""
    with ExitStack() as connections:

        def connect_client(**options: Any) -> Client:
            return Client(connections.enter_context(connect(live_server.url, **options)))

        yield connect_client
    wait_for(lambda: connection.ENGINE.connections == 0, "connections to end")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something holds, for five seconds at most."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
