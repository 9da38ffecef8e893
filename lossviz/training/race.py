"""Several runs at once on the same points, epoch by epoch; those of one form are computed as one batched model.

Recurrent models are not batched: they run side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from lossviz.training.alone import Alone
from lossviz.training.config import SAME_DATA, RunConfig
from lossviz.training.engine import Event
from lossviz.training.group import Group, form

RACERS: Final = 16


class Race:
    """Runs side by side, epoch by epoch.

    Args:
        configs: 1 to 16 runs on the same points.

    Raises:
        ValueError: there are too many or too few, they do not train on the same points, or they are too large
            together.

    Example:
        >>> from dataclasses import replace
        >>> from lossviz.training import PLAYGROUND
        >>> race = Race([replace(PLAYGROUND, learning_rate=rate, epochs=2) for rate in (0.01, 0.1)])
        >>> len(race.groups)
        1
        >>> slow, fast = race.epoch()
        >>> fast.train_loss < slow.train_loss
        True
    """

    def __init__(self, configs: Sequence[RunConfig]) -> None:
        if not 1 <= len(configs) <= RACERS:
            raise ValueError(f"{len(configs)} runs are to race; 1 to {RACERS} are allowed")
        for name in SAME_DATA:
            found = {getattr(config, name) for config in configs}
            if len(found) > 1:
                raise ValueError(f"the racers differ in {name}: {sorted(found)}; all race on the same points")
        if len({config.point_changes for config in configs}) > 1 or any(
            item.update for config in configs for item in config.point_changes
        ):
            raise ValueError(
                "the racers differ in points that were moved or added, or these change on the way; all race on the "
                "same points from the start"
            )
        self.configs = tuple(configs)
        forms: dict[tuple[Any, ...], list[int]] = {}
        for racer, config in enumerate(configs):
            forms.setdefault((racer,) if config.recurrent else form(config), []).append(racer)
        self.groups: list[tuple[list[int], Group | Alone]] = [
            (racers, (Alone if configs[racers[0]].recurrent else Group)([configs[racer] for racer in racers]))
            for racers in forms.values()
        ]
        self.events: list[list[Event]] = [[] for _ in configs]

    @property
    def finished(self) -> bool:
        """Whether every racer has ended."""
        return all(all(group.finished) for _, group in self.groups)

    def epoch(self) -> list[Event | None]:
        """Move every racer on by one epoch; return their events in order, None for those that have ended."""
        events: list[Event | None] = [None] * len(self.configs)
        for racers, group in self.groups:
            if all(group.finished):
                continue
            for place, event in zip(group.order_of, group.epoch(), strict=True):
                events[racers[place]] = event
                if event is not None:
                    self.events[racers[place]].append(event)
        return events


def run_race(configs: Sequence[RunConfig]) -> Iterator[list[Event | None]]:
    """Run a race to its end and give the events of each epoch; see `Race`.

    Example:
        >>> from dataclasses import replace
        >>> from lossviz.training import CLASSIC
        >>> rounds = list(run_race([replace(CLASSIC, epochs=3), replace(CLASSIC, epochs=2)]))
        >>> [[event is not None for event in events] for events in rounds]
        [[True, True], [True, True], [True, False]]
    """
    race = Race(configs)
    while not race.finished:
        yield race.epoch()
