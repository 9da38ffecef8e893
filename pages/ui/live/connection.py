"""One WebSocket beside Streamlit: messages in, frames out, acknowledged, with slots of the engine; and its end."""

import asyncio
import json
import logging
import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Generic, Protocol, TypeVar

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from lossviz.datasets.own_points import OwnPoints
from pages.ui import server
from pages.ui.live.engine import CONNECTIONS, ENGINE, Engine
from pages.ui.live.own_message import MESSAGE_BYTES, read_points
from pages.ui.live.protocol import MESSAGE_CHARACTERS

OPEN_SECONDS: Final = 10.0
#: A browser that plays but stops acknowledging frames is gone or hidden; its slot is given to others.
ACKNOWLEDGE_SECONDS: Final = 10.0
WAITING_MESSAGES: Final = 200

REFUSED, TOO_LONG, SILENT, FULL, FAILED = 4400, 1009, 4408, 4429, 1011

_LOGGER = logging.getLogger(__name__)


class Asked(Protocol):
    """A checked message of a browser."""

    @property
    def type(self) -> str:
        """What it asks."""

    @property
    def frame(self) -> int:
        """The frame that it acknowledges."""


M = TypeVar("M", bound=Asked)


class Closing(Exception):
    """Ends a connection with a close code and a reason for the learner."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection(ABC, Generic[M]):
    """What all connections share: it listens, works in turns, and knows which frames the browser has drawn.

    A kind of connection says what `_parse`, `_obey`, `_go_on` and `_drop` do.
    """

    noun = ""  # what it serves, for messages
    orders: frozenset[str] = frozenset()  # messages that say whether it goes on

    def __init__(self, socket: WebSocket, engine: Engine) -> None:
        self._socket = socket
        self._engine = engine
        self.own: OwnPoints | None = None  # own data of the learner, for the run that is opened next
        self._opened = 0  # runs that this connection has opened
        self._orders = 0  # that have been obeyed; the browser counts along and knows an older answer
        self._waiting: deque[M] = deque()
        self._wake = asyncio.Event()
        self._sent = self._drawn = 0
        self._last_sign = 0.0
        self._resting = True

    @abstractmethod
    def _parse(self, text: str) -> M:
        """Read a message; raises ValueError with what is allowed."""

    @abstractmethod
    async def _obey(self, message: M) -> None:
        """Do what a message asks."""

    @abstractmethod
    async def _go_on(self) -> float:
        """Compute and send the next frame if one is due; return how many seconds to wait for the one after."""

    @abstractmethod
    def _drop(self) -> None:
        """Let go of what was computed."""

    async def serve(self) -> None:
        """Answer messages and send frames until the browser leaves or has to leave."""
        listening = asyncio.create_task(self._listen())
        working = asyncio.create_task(self._work())
        try:
            done, _ = await asyncio.wait({listening, working}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            listening.cancel()
            working.cancel()
            await asyncio.gather(listening, working, return_exceptions=True)
            self._rest(True)
            self._drop()
            self.own = None

    # What the browser says

    async def _listen(self) -> None:
        self._waiting.append(await self._first_message())
        self._wake.set()
        while True:
            try:
                message = await self._message()
                if message.type == "ack":
                    self._acknowledge(message.frame)
                else:
                    self._waiting.append(message)
            except ValueError as error:
                await self._tell({"type": "error", "message": str(error)})
            if len(self._waiting) > WAITING_MESSAGES:
                raise Closing(REFUSED, f"More than {WAITING_MESSAGES} messages are waiting; send fewer.")
            self._wake.set()

    async def _first_message(self) -> M:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                message = await self._message()
        except TimeoutError:
            raise Closing(SILENT, f"No message came within {OPEN_SECONDS:g} seconds; the first is open.") from None
        except ValueError as error:
            raise Closing(REFUSED, str(error)) from error
        if message.type != "open":
            raise Closing(REFUSED, f"The first message has type {message.type!r}; open is allowed.")
        return message

    async def _message(self) -> M:
        """The next message; own data that comes before it is put by."""
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1005))
            text = received.get("text")
            if text is not None:
                _check_length(len(text), MESSAGE_CHARACTERS, "characters")
                return self._parse(str(text))
            data = received["bytes"]
            _check_length(len(data), MESSAGE_BYTES, "bytes")
            self.own = None
            self.own = read_points(data)

    def _acknowledge(self, frame: int) -> None:
        if frame > self._sent:
            raise ValueError(f"frame is {frame}; {self._sent} frames have been sent")
        self._drawn = max(self._drawn, frame)
        self._last_sign = time.monotonic()

    # What the server does

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            while self._waiting:
                message = self._waiting.popleft()
                self._orders += message.type in self.orders
                await self._obey(message)
            wait = await self._go_on()
            if wait > 0.0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if wait == math.inf else wait):
                        await self._wake.wait()

    def _silence(self) -> float | None:
        """Seconds to wait for the browser to draw what is on its way; None if the next frame may be sent."""
        if self._sent - self._drawn < self._engine.window:
            return None
        silent = time.monotonic() - self._last_sign
        if silent >= ACKNOWLEDGE_SECONDS:
            raise Closing(
                SILENT, f"The {self.noun} was stopped: no frame was drawn for {ACKNOWLEDGE_SECONDS:g} seconds."
            )
        return ACKNOWLEDGE_SECONDS - silent

    def _rest(self, resting: bool) -> None:
        """Let it rest, or go on, and let the engine know that one fewer, or one more, wants slots."""
        if resting != self._resting:
            self._engine.running += -1 if resting else 1
            self._resting = resting
            self._last_sign = time.monotonic()

    # What the browser hears

    async def _send(self, compute: Callable[[], bytes]) -> None:
        """Compute the next frame when its turn comes, and send it."""
        frame = await self._engine.call(compute)
        if self._sent == self._drawn:
            self._last_sign = time.monotonic()
        self._sent += 1
        await self._socket.send_bytes(frame)

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message))


def _check_length(length: int, most: int, unit: str) -> None:
    if length > most:
        raise Closing(TOO_LONG, f"The message has {length:,} {unit}; at most {most:,} are allowed.")


async def serve(socket: WebSocket, kind: type[Connection[Any]]) -> None:
    """Serve one connection of a browser."""
    host, origin = socket.headers.get("host"), socket.headers.get("origin")
    if not server.origin_allowed(origin, host):
        await socket.send_denial_response(
            PlainTextResponse(f"Pages from {origin!r} may not play {kind.noun}s on {host!r}.\n", status_code=403)
        )
        return
    await socket.accept()
    if ENGINE.full:
        await _close(socket, FULL, f"All {CONNECTIONS} places for live training are taken. Try again in a minute.")
        return
    ENGINE.connections += 1
    try:
        await kind(socket, ENGINE).serve()
    except Closing as closing:
        await _close(socket, closing.code, closing.reason)
    except WebSocketDisconnect:
        pass
    except Exception:
        _LOGGER.exception("a %s failed", kind.noun)
        reason = f"The {kind.noun} ended because of a fault in lossviz, not because of anything you did."
        await _close(socket, FAILED, reason)
    finally:
        ENGINE.connections -= 1


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.client_state is WebSocketState.CONNECTED and socket.application_state is WebSocketState.CONNECTED:
        try:
            await socket.send_text(json.dumps({"type": "error", "message": reason, "closing": code}))
            await socket.close(code, reason.encode()[:120].decode(errors="ignore"))
        except (WebSocketDisconnect, RuntimeError):
            pass  # The browser left first.
