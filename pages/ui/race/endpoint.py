"""The WebSocket beside Streamlit on which a browser plays a race. When the socket closes, the race ends."""

from __future__ import annotations

import math
from typing import Final

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from pages.ui.live.connection import Connection, serve
from pages.ui.live.engine import Engine
from pages.ui.live.pace import Pace
from pages.ui.race.messages import ORDERS, Message, parse
from pages.ui.race.viewed_race import ViewedRace

#: Seconds in one slot while nobody else wants one: an epoch of 16 racers takes long against a slot of a single run.
ALONE_SLOT: Final = 0.03


class RaceSession(Connection[Message]):
    """One connection: its race, and whether and how fast it plays."""

    noun = "race"
    orders = ORDERS

    def __init__(self, socket: WebSocket, engine: Engine) -> None:
        super().__init__(socket, engine)
        self._race: ViewedRace | None = None
        self._playing = False
        self._replay_to = 0  # up to this epoch it goes as fast as it can
        self._speed: float | None = None
        self._pace = Pace()

    def _parse(self, text: str) -> Message:
        message = parse(text, self.own)
        if message.racers:
            self.own = message.racers[0].config.own  # a race on other data lets go of it
        return message

    def _drop(self) -> None:
        self._race = None

    async def _go_on(self) -> float:
        race = self._race
        if race is None or self._resting:
            return math.inf
        if (silence := self._silence()) is not None:
            return silence
        if race.epoch < self._replay_to:
            until: float = self._replay_to
            self._keep_pace()
        else:
            if not self._playing:
                self._rest(True)
                await self._report()
                return math.inf
            until = self._pace.due(self._speed, race.epoch)
        if until <= race.epoch:
            assert self._speed is not None  # Without a speed all epochs are due.
            return self._pace.wait(self._speed, race.epoch)
        await self._show(until)
        if race.finished:
            self._playing = False
            self._rest(True)
            await self._report()
        return 0.0

    def _keep_pace(self) -> None:
        """Count the speed from here."""
        self._pace.begin(self._race.epoch if self._race else 0)

    async def _obey(self, message: Message) -> None:
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

        await self._send(compute)

    async def _report(self) -> None:
        """Say that the race is at rest."""
        race = self._race
        assert race is not None
        report = {"run": race.number, "orders": self._orders, "state": self._status(race), "epoch": race.epoch}
        await self._tell({"type": "rest", **report})


async def race(socket: WebSocket) -> None:
    """Serve one connection of a browser."""
    await serve(socket, RaceSession)


def routes() -> list[BaseRoute]:
    """The address of the race's socket, for the app to serve beside the pages."""
    return [WebSocketRoute("/race", race, name="race")]
