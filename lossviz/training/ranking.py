"""Who leads a race: racers ranked on what is comparable between them, kept up to date epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lossviz.training.config import RunConfig
from lossviz.training.diagnosis import largest_stable_rate
from lossviz.training.engine import Event
from lossviz.training.racers import Racer
from lossviz.writing import MINUS, format_number

#: On what racers can be ranked: the metric always, the loss only where all have the same.
MEASURES: Final = ("metric", "loss")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one racer stands, on one measure.

    Args:
        rank: From 1; racers with equal values share a rank.
        value: The measure after the racer's last epoch; None before the first one, and where it is not a number.
        best: Its best value in any epoch, and `best_epoch`, the first epoch that had it.
        loss: The racer's own loss; may be infinite or not a number once it overflowed.
        state: "running", "done", "stopped early" or "overflowed".
    """

    rank: int
    value: float | None
    best: float | None
    best_epoch: int | None
    loss: float | None
    state: str


@dataclass(slots=True)
class _Track:
    """What is known of one racer on one measure."""

    value: float | None = None
    best: float | None = None
    best_epoch: int | None = None

    def see(self, epoch: int, value: float | None, better: float) -> None:
        self.value = value if value is not None and math.isfinite(value) else None
        if self.value is not None and (self.best is None or better * self.value > better * self.best):
            self.best, self.best_epoch = self.value, epoch


class Scoreboard:
    """Ranks the racers of a race; `see` takes in the events of an epoch.

    The common metric is accuracy or R squared, of the validation part if there is one, otherwise of the training
    part. Values of different losses are not comparable, so racers are ranked on the loss only if all have the same.

    Args:
        racers: The racers, all on the same points.

    Example:
        >>> from lossviz.training import CLASSIC, lineup, run_race
        >>> from dataclasses import replace
        >>> racers = lineup(replace(CLASSIC, epochs=100), "rate", [0.01, 0.1, 0.12])
        >>> board = Scoreboard(racers)
        >>> for events in run_race([racer.config for racer in racers]):
        ...     board.see(events)
        >>> [standing.rank for standing in board.standings("loss")]
        [2, 1, 3]
        >>> board.sentence("loss")
        'After epoch 100, Rate 0.1 leads with a training loss of 0.0001422; next is Rate 0.01 with 0.03408.'
    """

    def __init__(self, racers: Sequence[Racer]) -> None:
        first = racers[0].config
        self.racers = tuple(racers)
        self.part = "validation" if first.validation_samples else "training"
        self.metric = first.metric
        self.same_loss = len({(racer.config.loss_key, repr(racer.config.loss_parameters)) for racer in racers}) == 1
        self.epoch = 0
        self._tracks = {measure: [_Track() for _ in racers] for measure in MEASURES}
        self._losses: list[float | None] = [None] * len(racers)
        self._states = ["running"] * len(racers)

    @property
    def measures(self) -> tuple[str, ...]:
        """What these racers can be ranked on."""
        return MEASURES if self.same_loss else MEASURES[:1]

    def values(self, event: Event) -> tuple[float | None, float | None]:
        """Metric and loss of an event, of the part that counts."""
        if self.part == "validation":
            return event.validation_metric, event.validation_loss
        return event.train_metric, event.train_loss

    def see(self, events: Sequence[Event | None]) -> None:
        """Take in one epoch: an event a racer, None for those that had ended before."""
        self.epoch += 1
        for racer, event in enumerate(events):
            if event is None:
                continue
            metric, loss = self.values(event)
            self._losses[racer] = loss
            overflowed = not event.finite
            self._tracks["metric"][racer].see(event.epoch, None if overflowed else metric, 1.0)
            self._tracks["loss"][racer].see(event.epoch, None if overflowed else loss, -1.0)
            if overflowed:
                self._states[racer] = "overflowed"
            elif event.epoch == self.racers[racer].config.epochs:
                self._states[racer] = "done"

    def ended(self, racer: int) -> None:
        """Say that a racer has ended by itself."""
        if self._states[racer] == "running":
            self._states[racer] = "stopped early"

    def standings(self, measure: str) -> tuple[Standing, ...]:
        """Where each racer stands, in the order of the racers; those without a value share the last rank."""
        better = 1.0 if measure == "metric" else -1.0
        tracks = self._tracks[measure]
        scores = [-math.inf if track.value is None else better * track.value for track in tracks]
        return tuple(
            Standing(1 + sum(other > score for other in scores), track.value, track.best, track.best_epoch, loss, state)
            for track, score, loss, state in zip(tracks, scores, self._losses, self._states, strict=True)
        )

    def show(self, value: float, measure: str) -> str:
        """A value of a measure as text."""
        if measure == "loss":
            return format_number(value)
        if self.metric == "accuracy":
            return f"{100 * value:.1f} %"
        return f"{value:.3f}".replace("-", MINUS) if abs(value) < 1000 else format_number(value)

    def sentence(self, measure: str) -> str:
        """Who leads, and by how much."""
        if self.epoch == 0:
            return "Press Play: all start at once, on the same points."
        standings = self.standings(measure)
        leaders = [at for at, standing in enumerate(standings) if standing.rank == 1]
        top = standings[leaders[0]].value
        if top is None:
            return f"After epoch {self.epoch:,}, no racer has a number to show any more."
        what = f"{self.part} {self._noun(measure)}"
        shown = self.show(top, measure)
        if len(leaders) > 1:
            names = _list([self.racers[at].name for at in leaders])
            return f"After epoch {self.epoch:,}, {names} are level, with {_article(what)} of {shown}."
        leader = self.racers[leaders[0]].name
        start = f"After epoch {self.epoch:,}, {leader} leads with {_article(what)} of {shown}"
        second = next((at for at, standing in enumerate(standings) if standing.rank == 2), None)
        value = None if second is None else standings[second].value
        if second is None or value is None:
            return f"{start}."
        name = self.racers[second].name
        if measure == "metric" and self.metric == "accuracy":
            ahead = f"{100 * (top - value):.1f}"
            return f"{start}, {ahead} percentage point{'' if ahead == '1.0' else 's'} ahead of {name}."
        return f"{start}; next is {name} with {self.show(value, measure)}."

    def spread(self, measure: str) -> tuple[float, float]:
        """Mean and standard deviation over the racers that have a value; see `mean_and_deviation`."""
        return mean_and_deviation(track.value for track in self._tracks[measure])

    def spread_sentence(self, measure: str) -> str:
        """What the racers have in common, for seeds of one setting: mean, spread, and the ends."""
        ranked = [(track.value, at) for at, track in enumerate(self._tracks[measure]) if track.value is not None]
        if self.epoch == 0 or len(ranked) < 2:
            return self.sentence(measure)
        mean, deviation = self.spread(measure)
        (low, lowest), (high, highest) = min(ranked), max(ranked)
        spread = (
            f"{100 * deviation:.1f} percentage points"
            if measure == "metric" and self.metric == "accuracy"
            else self.show(deviation, measure)
        )
        return (
            f"After epoch {self.epoch:,}, mean {self.part} {self._noun(measure)} over {len(ranked)} runs: "
            f"{self.show(mean, measure)}, standard deviation {spread}. From {self.show(low, measure)} "
            f"({self.racers[lowest].name}) to {self.show(high, measure)} ({self.racers[highest].name})."
        )

    def _noun(self, measure: str) -> str:
        return "loss" if measure == "loss" else "accuracy" if self.metric == "accuracy" else "R²"


def mean_and_deviation(values: Iterable[float | None]) -> tuple[float, float]:
    """Mean and standard deviation (of a sample, divided by n - 1) of the finite values; NaN where undefined.

    Example:
        >>> mean_and_deviation([1.0, 3.0, None])
        (2.0, 1.4142135623730951)
    """
    found = [value for value in values if value is not None and math.isfinite(value)]
    if not found:
        return math.nan, math.nan
    mean = math.fsum(found) / len(found)
    if len(found) < 2:
        return mean, math.nan
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in found) / (len(found) - 1))


def stable_limit(config: RunConfig) -> float | None:
    """The largest stable rate of a run that keeps one rate and adds nothing to the gradient; None if unknown.

    Example:
        >>> from dataclasses import replace
        >>> from lossviz.training import CLASSIC
        >>> round(stable_limit(CLASSIC), 6), stable_limit(replace(CLASSIC, clip="norm"))
        (0.119756, None)
    """
    return largest_stable_rate(config) if config.plain and config.schedule == "constant" else None


@dataclass(frozen=True)
class Sweep:
    """What a race of learning rates says.

    Args:
        best: The rate with the lowest loss; None before the first epoch.
        limit: The largest stable rate, where it can be known in advance; see `stable_limit`.
        sentence: Both in words.
    """

    best: float | None
    limit: float | None
    sentence: str


def sweep(board: Scoreboard) -> Sweep:
    """Sum up a race of learning rates after the epochs so far.

    Example:
        >>> from lossviz.training import CLASSIC, lineup
        >>> round(sweep(Scoreboard(lineup(CLASSIC, "rate", [0.01, 0.1]))).limit, 6)
        0.119756
    """
    limit = stable_limit(board.racers[0].config)
    bound = f" Above {limit:.6f}, the largest stable rate here, the loss must grow." if limit is not None else ""
    ranked = [
        (standing.value, racer.config.learning_rate)
        for standing, racer in zip(board.standings("loss"), board.racers, strict=True)
        if standing.value is not None
    ]
    if not ranked:
        return Sweep(None, limit, f"After some epochs this shows which rate went furthest.{bound}")
    value, best = min(ranked)
    epochs = f"{board.epoch:,} epoch{'' if board.epoch == 1 else 's'}"
    return Sweep(
        best,
        limit,
        f"After {epochs} the lowest {board.part} loss is {format_number(value)}, at rate {best:g}.{bound}",
    )


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _list(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"
