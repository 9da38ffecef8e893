"""A race that somebody watches: moved on in slots, shown in frames. All of it happens on the engine's thread."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lossviz.training import (
    Event,
    Race,
    Racer,
    RunConfig,
    Scoreboard,
    init,
    mean_and_deviation,
    measure,
    row_products,
    sweep,
)
from lossviz.training.group import form
from pages.ui.live.protocol import pack

#: Most updates in one epoch of a group, which is one slot: some 30 ms, the longest that others wait for their turn.
MOST_GROUP_UPDATES: Final = 600
#: How much longer an update of a recurrent network takes.
SLOWER: Final = 4
#: Most updates in one epoch of all groups together, which are computed one after the other.
MOST_UPDATES: Final = 2000
#: Most products of a weight with an activation in one epoch of a group: some 60 ms.
MOST_PRODUCTS: Final = 100_000_000


def check_size(configs: Sequence[RunConfig]) -> None:
    """Refuse a race that would keep the server, which others use too, busy for too long at a time.

    Raises:
        ValueError: the race is too large; says what would make it smaller.
    """
    groups: dict[tuple[Any, ...], list[RunConfig]] = {}
    for racer, config in enumerate(configs):
        groups.setdefault((racer,) if config.recurrent else form(config), []).append(config)
    counts = [group[0].updates_per_epoch for group in groups.values()]
    most = MOST_GROUP_UPDATES // (SLOWER if configs[0].recurrent else 1)
    if max(counts) > most:
        raise ValueError(
            f"an epoch of this race takes {max(counts):,} updates of a racer; up to {most:,} can be "
            "shown live: choose larger batches or fewer points"
        )
    if sum(counts) > MOST_UPDATES:
        raise ValueError(
            f"an epoch of this race takes {sum(counts):,} updates, one after the other; up to {MOST_UPDATES:,} can be "
            "shown live: choose larger batches, fewer points or fewer racers"
        )
    products = max(len(group) * group[0].training_samples * row_products(group[0]) for group in groups.values())
    if products > MOST_PRODUCTS:
        raise ValueError(
            f"the models of this race make {products:,} products in an epoch; up to {MOST_PRODUCTS:,} can be shown "
            "live: choose fewer units, fewer points or fewer racers"
        )


class ViewedRace:
    """One race and what of it has been put into frames.

    `number` tells its messages from those of the races that the same connection opened before it.
    """

    def __init__(self, racers: Sequence[Racer], by: str, number: int = 1) -> None:
        configs = [racer.config for racer in racers]
        check_size(configs)
        self.number = number
        self.by = by
        self.race = Race(configs)
        self.board = Scoreboard(racers)
        self.epochs = max(config.epochs for config in configs)
        self.epoch = 0  # completed by all that have not ended
        self._next = 0  # the group whose turn it is
        self._events: list[Event | None] = [None] * len(configs)  # of the epoch under way
        self._group_seconds = [0.0] * len(self.race.groups)
        self.seconds = [0.0] * len(configs)  # of the racer's group, up to the racer's end
        self._rows: list[list[float]] = [self._start_row(configs)]  # that no frame has shown

    @property
    def finished(self) -> bool:
        """Whether every racer has ended."""
        return self._next == 0 and self.race.finished

    def advance(self, target: float, seconds: float) -> None:
        """Train group after group until `target` epochs are complete, all have ended or the time is up."""
        begin = now = time.perf_counter()
        while self.epoch < target and not self.finished:
            self._train(self._next)
            self._next += 1
            if self._next == len(self.race.groups):
                self._complete()
            before, now = now, time.perf_counter()
            # The next group should take about as long.
            if now + (now - before) > begin + seconds:
                break

    def _train(self, number: int) -> None:
        places, group = self.race.groups[number]
        if all(group.finished):
            return
        begin = time.perf_counter()
        events = group.epoch()
        self._group_seconds[number] += time.perf_counter() - begin
        for place, event in zip(group.order_of, events, strict=True):
            racer = places[place]
            self._events[racer] = event
            if event is not None:
                self.seconds[racer] = self._group_seconds[number]

    def _complete(self) -> None:
        """Close the epoch that every group has now trained."""
        self._next = 0
        self.epoch += 1
        self.board.see(self._events)
        for places, group in self.race.groups:
            for place, over in zip(group.order_of, group.finished, strict=True):
                if over:
                    self.board.ended(places[place])
        pairs = [(None, None) if event is None else self.board.values(event) for event in self._events]
        self._rows.append(self._row(pairs, [self.board.spread("metric"), self.board.spread("loss")]))
        self._events = [None] * len(self._events)

    def _start_row(self, configs: Sequence[RunConfig]) -> list[float]:
        """Epoch 0: the models as they are before training."""
        pairs = [self.board.values(measure(init(config))) for config in configs]
        return self._row(pairs, [mean_and_deviation(column) for column in zip(*pairs, strict=True)])

    def _row(
        self, pairs: Sequence[tuple[float | None, float | None]], spreads: Sequence[tuple[float, float]]
    ) -> list[float]:
        """Metric and loss of every racer; for seeds then mean and deviation of the metric, and of the loss."""
        numbers = [math.nan if value is None else value for pair in pairs for value in pair]
        return [*numbers, *(value for spread in spreads for value in spread)] if self.by == "seed" else numbers

    def frame(self, number: int, status: str, progress: float | None, *, whole: bool = False) -> bytes:
        """Return the frame that shows the race as it is now, with the epochs that no frame has shown yet."""
        board = self.board
        header: dict[str, Any] = {
            "frame": number,
            "run": self.number,
            "epoch": self.epoch,
            "first": self.epoch + 1 - len(self._rows),
            "state": status,
            "progress": progress,
            "seconds": self.seconds,
            "standings": {
                name: [
                    [item.rank, item.value, item.best, item.best_epoch, item.loss, item.state]
                    for item in board.standings(name)
                ]
                for name in board.measures
            },
            "sentences": {name: self._sentence(name) for name in board.measures},
        }
        if self.by == "rate":
            found = sweep(board)
            header["sweep"] = {"best": found.best, "sentence": found.sentence}
        if whole:
            header["whole"] = True
            header["epochs"] = self.epochs
            header["groups"] = len(self.race.groups)
        rows = np.array(self._rows, dtype=np.float64)
        self._rows = []
        return pack(header, {"rows": rows})

    def _sentence(self, measure: str) -> str:
        return self.board.spread_sentence(measure) if self.by == "seed" else self.board.sentence(measure)
