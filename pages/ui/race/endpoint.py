"""The WebSocket beside Streamlit on which a browser plays a race. When the socket closes, the race ends."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from pages.ui import server
from pages.ui.live.endpoint import FAILED, FULL, REFUSED, SILENT, TOO_LONG, Closing
from pages.ui.live.engine import CONNECTIONS, ENGINE, Engine
from pages.ui.race.messages import MESSAGE_CHARACTERS, ORDERS, Message, parse
from pages.ui.race.viewed_race import ViewedRace

OPEN_SECONDS: Final = 10.0
#: A browser that plays but stops acknowledging frames is gone or hidden; its slot is given to others.
ACKNOWLEDGE_SECONDS: Final = 10.0
WAITING_MESSAGES: Final = 200
#: After a stall a race at a set speed goes on from there instead of catching up.
LONGEST_LAG: Final = 0.25
#: Seconds in one slot while nobody else wants one: an epoch of 16 racers takes long against a slot of a single run.
ALONE_SLOT: Final = 0.03

_LOGGER = logging.getLogger(__name__)


class RaceSession:
    """One connection: its race, whether and how fast it plays, and which frames the browser has taken in."""

    def __init__(self, socket: WebSocket, engine: Engine) -> None:
        self._socket = socket
        self._engine = engine
        self._race: ViewedRace | None = None
        self._opened = 0  # races that this connection has opened
        self._orders = 0  # of ORDERS that have been obeyed; the browser counts along and knows an older answer
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._playing = False
        self._replay_to = 0  # up to this epoch it goes as fast as it can
        self._speed: float | None = None
        self._pace = (0, 0.0)  # epoch and time from which the speed counts
        self._sent = self._drawn = 0
        self._last_sign = 0.0
        self._resting = True

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
            self._race = None

    # What the browser says

    async def _listen(self) -> None:
        self._waiting.append(await self._first_message())
        self._wake.set()
        while True:
            try:
                message = parse(await self._text())
                if message.type == "ack":
                    self._acknowledge(message.frame)
                else:
                    self._waiting.append(message)
            except ValueError as error:
                await self._tell({"type": "error", "message": str(error)})
            if len(self._waiting) > WAITING_MESSAGES:
                raise Closing(REFUSED, f"More than {WAITING_MESSAGES} messages are waiting; send fewer.")
            self._wake.set()

    async def _first_message(self) -> Message:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                message = parse(await self._text())
        except TimeoutError:
            raise Closing(SILENT, f"No message came within {OPEN_SECONDS:g} seconds; the first is open.") from None
        except ValueError as error:
            raise Closing(REFUSED, str(error)) from error
        if message.type != "open":
            raise Closing(REFUSED, f"The first message has type {message.type!r}; open is allowed.")
        return message

    async def _text(self) -> str:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        if text is None:
            raise ValueError("the message is binary; JSON text is allowed")
        if len(text) > MESSAGE_CHARACTERS:
            raise Closing(
                TOO_LONG, f"The message has {len(text):,} characters; at most {MESSAGE_CHARACTERS:,} are allowed."
            )
        return str(text)

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
                await self._obey(self._waiting.popleft())
            wait = await self._go_on()
            if wait > 0.0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if wait == math.inf else wait):
                        await self._wake.wait()

    async def _go_on(self) -> float:
        """Compute and send the next frame if one is due; return how many seconds to wait for the one after."""
        race = self._race
        if race is None or self._resting:
            return math.inf
        if self._sent - self._drawn >= self._engine.window:
            silent = time.monotonic() - self._last_sign
            if silent >= ACKNOWLEDGE_SECONDS:
                raise Closing(SILENT, f"The race was stopped: no frame was drawn for {ACKNOWLEDGE_SECONDS:g} seconds.")
            return ACKNOWLEDGE_SECONDS - silent
        if race.epoch < self._replay_to:
            until: float = self._replay_to
            self._keep_pace()
        else:
            if not self._playing:
                self._rest(True)
                await self._report()
                return math.inf
            until = self._due()
        if until <= race.epoch:
            return self._until_due()
        await self._show(until)
        if race.finished:
            self._playing = False
            self._rest(True)
            await self._report()
        return 0.0

    def _due(self) -> float:
        """How many epochs may have been completed by now at the set speed."""
        if self._speed is None or self._race is None:
            return math.inf
        epoch, since = self._pace
        due = epoch + 1 + int((time.monotonic() - since) * self._speed)
        if due - self._race.epoch > max(1.0, LONGEST_LAG * self._speed):
            self._keep_pace()
            return self._race.epoch + 1
        return due

    def _until_due(self) -> float:
        assert self._speed is not None
        assert self._race is not None
        epoch, since = self._pace
        return max(0.0, since + (self._race.epoch - epoch) / self._speed - time.monotonic())

    def _keep_pace(self) -> None:
        """Count the speed from here."""
        self._pace = (self._race.epoch if self._race else 0, time.monotonic())

    def _rest(self, resting: bool) -> None:
        """Let the race rest, or go on, and let the engine know that one fewer, or one more, wants slots."""
        if resting != self._resting:
            self._engine.running += -1 if resting else 1
            self._resting = resting
            self._last_sign = time.monotonic()

    async def _obey(self, message: Message) -> None:
        self._orders += message.type in ORDERS
        if message.type == "open":
            await self._open(message)
            return
        race = self._race
        if race is None:
            return  # The one before it could not be opened.
        if message.type == "speed":
            self._speed = message.value
            self._keep_pace()
            return
        self._playing = message.type == "play" and not race.finished
        if message.type == "pause":
            self._replay_to = 0
        self._keep_pace()
        self._rest(not self._playing)
        if self._resting:
            await self._report()

    async def _open(self, message: Message) -> None:
        self._rest(True)
        self._race = None
        self._opened += 1
        try:
            self._race = await self._engine.call(lambda: ViewedRace(message.racers, message.by, self._opened))
        except ValueError as error:
            await self._tell({"type": "error", "message": f"This race cannot be run: {error}."})
            return
        self._replay_to = message.at
        self._playing = message.play
        self._keep_pace()
        self._rest(not (message.play or message.at))
        await self._show(whole=True)
        if self._resting:
            await self._report()

    # What the browser hears

    def _status(self, race: ViewedRace) -> str:
        if race.finished:
            return "finished"
        if race.epoch < self._replay_to:
            return "replaying"
        return "playing" if self._playing else "paused"

    async def _show(self, until: float = 0.0, *, whole: bool = False) -> None:
        """Move the race on towards `until` epochs and send the frame that shows it."""
        race, number = self._race, self._sent + 1
        assert race is not None

        def compute() -> bytes:
            race.advance(until, ALONE_SLOT if self._engine.running <= 1 else self._engine.slot)
            progress = race.epoch / self._replay_to if race.epoch < self._replay_to else None
            return race.frame(number, self._status(race), progress, whole=whole)

        frame = await self._engine.call(compute)
        if self._sent == self._drawn:
            self._last_sign = time.monotonic()
        self._sent = number
        await self._socket.send_bytes(frame)

    async def _report(self) -> None:
        """Say that the race is at rest."""
        race = self._race
        assert race is not None
        report = {"run": race.number, "orders": self._orders, "state": self._status(race), "epoch": race.epoch}
        await self._tell({"type": "rest", **report})

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message))


async def race(socket: WebSocket) -> None:
    """Serve one connection of a browser."""
    host, origin = socket.headers.get("host"), socket.headers.get("origin")
    if not server.origin_allowed(origin, host):
        await socket.send_denial_response(
            PlainTextResponse(f"Pages from {origin!r} may not play races on {host!r}.\n", status_code=403)
        )
        return
    await socket.accept()
    if ENGINE.full:
        await _close(socket, FULL, f"All {CONNECTIONS} places for live training are taken. Try again in a minute.")
        return
    ENGINE.connections += 1
    try:
        await RaceSession(socket, ENGINE).serve()
    except Closing as closing:
        await _close(socket, closing.code, closing.reason)
    except WebSocketDisconnect:
        pass
    except Exception:
        _LOGGER.exception("a race failed")
        await _close(socket, FAILED, "The race ended because of a fault in lossviz, not because of anything you did.")
    finally:
        ENGINE.connections -= 1


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.client_state is WebSocketState.CONNECTED and socket.application_state is WebSocketState.CONNECTED:
        try:
            await socket.send_text(json.dumps({"type": "error", "message": reason, "closing": code}))
            await socket.close(code, reason.encode()[:120].decode(errors="ignore"))
        except (WebSocketDisconnect, RuntimeError):
            pass  # The browser left first.


def routes() -> list[BaseRoute]:
    """The address of the race's socket, for the app to serve beside the pages."""
    return [WebSocketRoute("/race", race, name="race")]
