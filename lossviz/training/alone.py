"""A racer whose model cannot be computed as one batch with others: it runs beside them."""

from __future__ import annotations

from collections.abc import Sequence

from lossviz.training.config import RunConfig
from lossviz.training.engine import Event, advance, init


class Alone:
    """One racer, with what a race asks of a `Group`.

    Args:
        configs: the racer's run, alone in the list.
    """

    def __init__(self, configs: Sequence[RunConfig]) -> None:
        (config,) = configs
        self.order_of = [0]
        self._updates = config.updates_per_epoch
        self._state = init(config)

    @property
    def finished(self) -> list[bool]:
        """Whether the racer has ended."""
        return [self._state.finished]

    def epoch(self) -> list[Event | None]:
        """Train one epoch; return its event, None once the racer is over."""
        return [advance(self._state, self._updates)]
