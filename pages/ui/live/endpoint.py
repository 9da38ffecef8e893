"""The WebSocket beside Streamlit on which a browser plays a run. When the socket closes, the run ends."""

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

from lossviz.training import Intervention, apply
from pages.ui import server
from pages.ui.live.engine import CONNECTIONS, ENGINE, Engine
from pages.ui.live.protocol import MESSAGE_CHARACTERS, ORDERS, Message, parse
from pages.ui.live.viewed_run import ViewedRun

OPEN_SECONDS: Final = 10.0
#: A browser that plays but stops acknowledging frames is gone or hidden; its slot is given to others.
ACKNOWLEDGE_SECONDS: Final = 10.0
WAITING_MESSAGES: Final = 200
#: After a stall (a slow connection, a busy server) a run at a set speed goes on from there instead of catching up.
LONGEST_LAG: Final = 0.25

REFUSED, TOO_LONG, SILENT, FULL, FAILED = 4400, 1009, 4408, 4429, 1011

_LOGGER = logging.getLogger(__name__)


class Closing(Exception):
    """Ends a connection with a close code and a reason for the learner."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Session:
    """One connection: its run, whether and how fast it plays, and which frames the browser has drawn."""

    def __init__(self, socket: WebSocket, engine: Engine) -> None:
        self._socket = socket
        self._engine = engine
        self._run: ViewedRun | None = None
        self._opened = 0  # runs that this connection has opened
        self._orders = 0  # of ORDERS that have been obeyed; the browser counts along and knows an older answer
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._target = 0.0  # the run goes on until it has made this many updates
        self._replay_to = 0  # up to here it goes as fast as it can
        self._speed: float | None = None
        self._panels: frozenset[str] = frozenset()
        self._pace = (0, 0.0)  # updates and time from which the speed counts
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
            self._run = None

    # What the browser says

    async def _listen(self) -> None:
        first = await self._first_message()
        self._waiting.append(first)
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
        run = self._run
        if run is None or self._resting:
            return math.inf
        updates = run.state.updates
        if self._sent - self._drawn >= self._engine.window:
            silent = time.monotonic() - self._last_sign
            if silent >= ACKNOWLEDGE_SECONDS:
                raise Closing(SILENT, f"The run was stopped: no frame was drawn for {ACKNOWLEDGE_SECONDS:g} seconds.")
            return ACKNOWLEDGE_SECONDS - silent
        if updates < self._replay_to:
            until = min(self._target, self._replay_to)
            self._keep_pace()
        else:
            until = min(self._target, self._due())
        if until <= updates:
            return self._until_due()
        await self._show(until)
        if run.state.finished or run.state.updates >= self._target:
            self._rest(True)
            await self._report()
        return 0.0

    def _due(self) -> float:
        """How many updates may have been made by now at the set speed."""
        if self._speed is None or self._run is None:
            return math.inf
        updates, since = self._pace
        rate = self._speed * len(self._run.state.batches)
        due = updates + 1 + int((time.monotonic() - since) * rate)
        if due - self._run.state.updates > max(1.0, LONGEST_LAG * rate):
            self._keep_pace()
            return self._run.state.updates + 1
        return due

    def _until_due(self) -> float:
        assert self._speed is not None
        assert self._run is not None
        updates, since = self._pace
        rate = self._speed * len(self._run.state.batches)
        return max(0.0, since + (self._run.state.updates - updates) / rate - time.monotonic())

    def _keep_pace(self) -> None:
        """Count the speed from here."""
        self._pace = (self._run.state.updates if self._run else 0, time.monotonic())

    def _rest(self, resting: bool) -> None:
        """Let the run rest, or go on, and let the engine know that one fewer, or one more, wants slots."""
        if resting != self._resting:
            self._engine.running += -1 if resting else 1
            self._resting = resting
            self._last_sign = time.monotonic()

    async def _obey(self, message: Message) -> None:
        self._orders += message.type in ORDERS
        if message.type == "open":
            await self._open(message)
            return
        run = self._run
        assert run is not None  # The first message opened one.
        state = run.state
        if message.type == "speed":
            self._speed = message.value
            self._keep_pace()
        elif message.type == "whole":
            await self._show(whole=True)
        elif message.type == "panels":
            self._panels = message.panels
            if run.panels.open(message.panels):
                await self._show()
        elif message.type == "learning_rate":
            await self._set_learning_rate(run, message.value)
        elif message.type == "pause":
            self._aim(state.updates)
        elif message.type == "play":
            self._aim(math.inf)
        elif message.type == "step":
            self._aim(state.updates + 1)
        else:
            self._aim((state.epoch + 1) * len(state.batches))
        if self._resting and message.type in ORDERS:
            if run.panels.stale:
                await self._show()
            await self._report()

    def _aim(self, target: float) -> None:
        assert self._run is not None
        self._target = target
        if target < math.inf:
            self._replay_to = 0
        self._keep_pace()
        self._rest(self._run.state.finished or self._run.state.updates >= target)

    async def _open(self, message: Message) -> None:
        config = message.config
        assert config is not None
        self._rest(True)
        self._run = None
        self._opened += 1
        self._run = await self._engine.call(lambda: ViewedRun(config, self._opened))
        self._run.panels.open(self._panels)
        self._replay_to = message.at
        self._target = math.inf if message.play else message.at
        self._keep_pace()
        self._rest(self._target <= 0)
        await self._show(whole=True)
        if self._resting:
            await self._report()

    async def _set_learning_rate(self, run: ViewedRun, value: float | None) -> None:
        assert value is not None
        state = run.state
        try:
            if state.finished:
                raise ValueError("the run has ended; reset it to train with another learning rate")
            intervention = Intervention(state.updates, "learning_rate", value)
            apply(state, intervention)
        except ValueError as error:
            await self._tell({"type": "error", "message": str(error)})
            return
        change = {"update": state.updates, "kind": "learning_rate", "value": intervention.value}
        await self._tell({"type": "intervention", "run": run.number, **change})
        if self._resting:
            await self._report()

    # What the browser hears

    def _status(self, run: ViewedRun) -> str:
        if run.state.finished:
            return "finished"
        if self._resting or run.state.updates >= self._target:
            return "paused"
        return "replaying" if run.state.updates < self._replay_to else "playing"

    async def _show(self, until: float = 0.0, *, whole: bool = False) -> None:
        """Move the run on towards `until` updates and send the frame that shows it."""
        run, number = self._run, self._sent + 1
        assert run is not None

        # Both in one slot: with many runs, waiting for two turns would halve the frames of each.
        def compute() -> bytes:
            run.advance(until, self._engine.slot)
            progress = run.state.updates / self._replay_to if run.state.updates < self._replay_to else None
            return run.frame(number, self._status(run), progress, whole=whole)

        frame = await self._engine.call(compute)
        if self._sent == self._drawn:
            self._last_sign = time.monotonic()
        self._sent = number
        await self._socket.send_bytes(frame)

    async def _report(self) -> None:
        """Say that the run is at rest, with all that is needed to take it up elsewhere."""
        run = self._run
        assert run is not None
        status = self._status(run)
        report = await self._engine.call(run.report)
        await self._tell({"type": "rest", "run": run.number, "orders": self._orders, "state": status, **report})

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message))


async def live(socket: WebSocket) -> None:
    """Serve one connection of a browser."""
    host, origin = socket.headers.get("host"), socket.headers.get("origin")
    if not server.origin_allowed(origin, host):
        await socket.send_denial_response(
            PlainTextResponse(f"Pages from {origin!r} may not play runs on {host!r}.\n", status_code=403)
        )
        return
    await socket.accept()
    if ENGINE.full:
        await _close(socket, FULL, f"All {CONNECTIONS} places for live training are taken. Try again in a minute.")
        return
    ENGINE.connections += 1
    try:
        await Session(socket, ENGINE).serve()
    except Closing as closing:
        await _close(socket, closing.code, closing.reason)
    except WebSocketDisconnect:
        pass
    except Exception:
        _LOGGER.exception("a live run failed")
        await _close(socket, FAILED, "The run ended because of a fault in lossviz, not because of anything you did.")
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
    """The address of the live socket, for the app to serve beside the pages."""
    return [WebSocketRoute("/live", live, name="live")]
