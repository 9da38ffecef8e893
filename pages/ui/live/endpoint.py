"""The WebSocket beside Streamlit on which a browser plays a run. When the socket closes, the run ends."""

import math

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from lossviz.training import Intervention
from lossviz.writing import sentence
from pages.ui.live.connection import Connection, serve
from pages.ui.live.engine import Engine
from pages.ui.live.pace import Pace
from pages.ui.live.points import answer, from_the_start, intervention, next_epoch, too_late
from pages.ui.live.protocol import ORDERS, Message, parse
from pages.ui.live.viewed_run import ViewedRun


class Session(Connection[Message]):
    """One connection: its run, and whether and how fast it plays."""

    noun = "run"
    orders = ORDERS

    def __init__(self, socket: WebSocket, engine: Engine) -> None:
        super().__init__(socket, engine)
        self._run: ViewedRun | None = None
        self._target = 0.0  # the run goes on until it has made this many updates
        self._replay_to = 0  # up to here it goes as fast as it can
        self._speed: float | None = None
        self._panels: frozenset[str] = frozenset()
        self._pace = Pace()

    def _parse(self, text: str) -> Message:
        message = parse(text, self.own)
        if message.config is not None:
            self.own = message.config.own  # a run on other data lets go of it
        return message

    def _drop(self) -> None:
        self._run = None

    async def _go_on(self) -> float:
        run = self._run
        if run is None or self._resting:
            return math.inf
        updates = run.state.updates
        if (silence := self._silence()) is not None:
            return silence
        if updates < self._replay_to:
            until = min(self._target, self._replay_to)
            self._keep_pace()
        else:
            until = min(self._target, self._pace.due(self._rate, updates))
        if until <= updates:
            assert self._rate is not None  # Without a rate all updates are due.
            return self._pace.wait(self._rate, updates)
        await self._show(until)
        if run.state.finished or run.state.updates >= self._target:
            self._rest(True)
            await self._report()
        return 0.0

    @property
    def _rate(self) -> float | None:
        """Updates a second at the set speed."""
        return None if self._speed is None or self._run is None else self._speed * len(self._run.state.batches)

    def _keep_pace(self) -> None:
        """Count the speed from here."""
        self._pace.begin(self._run.state.updates if self._run else 0)

    async def _obey(self, message: Message) -> None:
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
        elif message.type in {"learning_rate", "point", "add"}:
            await self._change(run, message)
        elif message.type == "sentence":
            problem = run.view.read(message.text)
            await self._tell({"type": "sentence", "run": run.number, "problem": problem})
            await self._show()
        elif message.type == "wind":
            await self._wind(run, message.at)
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

    async def _wind(self, run: ViewedRun, update: int) -> None:
        """Go to a moment that the run has reached before; what no snapshot holds is computed again."""
        update = min(update, run.reached)
        await self._engine.call(lambda: run.wind(update))
        self._aim(update)
        self._replay_to = update
        if self._resting:
            await self._show()

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
        self._run = await self._engine.call(lambda: ViewedRun(config, self._opened, self._engine.tape_bytes))
        self._run.panels.open(self._panels)
        self._replay_to = message.at
        self._target = math.inf if message.play else message.at
        self._keep_pace()
        self._rest(self._target <= 0)
        await self._show(whole=True)
        if self._resting:
            await self._report()

    async def _change(self, run: ViewedRun, message: Message) -> None:
        """Set the learning rate, or move or add a point from the next epoch on; where there is none, begin anew."""
        state = run.state
        try:
            if message.type == "learning_rate":
                assert message.value is not None
                if state.finished:
                    raise ValueError("the run has ended; reset it to train with another learning rate")
                made = Intervention(state.updates, "learning_rate", message.value)
            elif too_late(state):
                config = from_the_start(state.config, message.row, message.point)
                changes = config.to_dict()["interventions"]
                await self._tell({"type": "anew", "run": run.number, "interventions": changes})
                return
            else:
                made = intervention(next_epoch(state), message.row, message.point)
            branched = await self._engine.call(lambda: run.intervene(made))
        except ValueError as error:
            await self._tell({"type": "error", "message": sentence(str(error))})
            return
        await self._tell(answer(run.number, made, state.config, branched))
        if branched or (self._resting and made.of_points):
            await self._show()
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

        await self._send(compute)

    async def _report(self) -> None:
        """Say that the run is at rest, with all that is needed to take it up elsewhere."""
        run = self._run
        assert run is not None
        status = self._status(run)
        report = await self._engine.call(run.report)
        await self._tell({"type": "rest", "run": run.number, "orders": self._orders, "state": status, **report})


async def live(socket: WebSocket) -> None:
    """Serve one connection of a browser."""
    await serve(socket, Session)


def routes() -> list[BaseRoute]:
    """The address of the live socket, for the app to serve beside the pages."""
    return [WebSocketRoute("/live", live, name="live")]
