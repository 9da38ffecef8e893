"""Changes made while a run goes on; the config keeps them, so that a replay is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from lossviz import datasets
from lossviz.training.bounds import BOUNDS, whole_bounds
from lossviz.training.checks import number, one_of, shorten, whole

#: In the order in which those of one update take effect.
KINDS: Final = ("learning_rate", "add", "move")
_LAST_UPDATE: Final = datasets.SAMPLES_HIGH * int(BOUNDS["epochs"][1])
_LAST_ROW: Final = datasets.SAMPLES_HIGH + int(BOUNDS["added"][1]) - 1


@dataclass(frozen=True)
class Intervention:
    """A change made while a run goes on; it takes effect before update number `update`, counted from 0.

    Args:
        update: for a point the first update of an epoch.
        kind: "learning_rate"; "move": a point goes elsewhere; "add": the training part gets one more point.
        value: the learning rate; or (row, features..., target) of a point that moves, or (features..., target) of one
            that is added, in raw units, with one or two features and a class number from 0 as the target of a
            classification. Rows count from 0 over training points, then validation points, then those added.

    Example:
        >>> Intervention(update=100, value=0.1)
        Intervention(update=100, kind='learning_rate', value=0.1)
        >>> Intervention(update=0, kind="move", value=(3, 4, 20)).value
        (3, 4.0, 20.0)
    """

    update: int
    kind: str = "learning_rate"
    value: float | tuple[float, ...] = 0.03

    def __post_init__(self) -> None:
        update = whole("intervention.update", self.update, 0, _LAST_UPDATE)
        one_of("intervention.kind", self.kind, KINDS)
        object.__setattr__(self, "update", update)
        object.__setattr__(self, "value", _value(self.kind, self.value))

    @property
    def of_points(self) -> bool:
        """Whether it changes the points."""
        return self.kind != "learning_rate"

    @property
    def rate(self) -> float:
        """The learning rate that it sets."""
        assert isinstance(self.value, float)
        return self.value

    @property
    def row(self) -> int:
        """The point that it moves."""
        assert isinstance(self.value, tuple)
        return int(self.value[0])

    @property
    def point(self) -> tuple[tuple[float, ...], float]:
        """Features and target of the point that it moves or adds."""
        assert isinstance(self.value, tuple)
        *features, target = self.value[1:] if self.kind == "move" else self.value
        return tuple(features), target

    def to_dict(self) -> dict[str, Any]:
        """Return the intervention as JSON types."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"update": self.update, "kind": self.kind, "value": value}


def _value(kind: str, value: Any) -> float | tuple[float, ...]:
    if kind == "learning_rate":
        return number("intervention.value", value, *BOUNDS["learning_rate"], low_open=True)
    before = 1 if kind == "move" else 0
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) - before not in (2, 3):
        what = "the row, then one or two features and the target" if before else "one or two features and the target"
        raise ValueError(f"intervention.value is {shorten(value)}; for a point to {kind}, {what} are allowed")
    row = [whole("the row in intervention.value", part, 0, _LAST_ROW) for part in value[:before]]
    point = [number("a number in intervention.value", part, *BOUNDS["coordinate"]) for part in value[before:]]
    return (*row, *point)


def interventions(value: Any) -> tuple[Intervention, ...]:
    """Return changes in the order in which they take effect.

    Of two learning rates at one update the later one holds, and so of two moves of one point.

    Args:
        value: interventions, or mappings with the fields of one.

    Raises:
        ValueError: there are too many, or one of them is not allowed.
    """
    low, high = whole_bounds("interventions")
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise ValueError(f"interventions is {shorten(value)}; a list of {low} to {high:,} interventions is allowed")
    if len(value) > high:
        raise ValueError(f"interventions holds {len(value):,} changes; at most {high:,} are allowed")
    last: dict[tuple[int, str, int], Intervention] = {}
    for place, item in enumerate(value):
        if isinstance(item, Mapping):
            names = {field.name for field in fields(Intervention)}
            if set(item) != names:
                raise ValueError(
                    f"an intervention has the fields {shorten(list(item))}; exactly update, kind and value are allowed"
                )
            item = Intervention(**item)
        if not isinstance(item, Intervention):
            raise ValueError(f"an intervention is {shorten(item)}; an object with update, kind and value is allowed")
        which = {"learning_rate": 0, "add": place, "move": item.row if item.kind == "move" else 0}[item.kind]
        last[item.update, item.kind, which] = item
    return tuple(sorted(last.values(), key=_place))


def _place(item: Intervention) -> tuple[int, int, int]:
    return item.update, KINDS.index(item.kind), item.row if item.kind == "move" else 0


def with_one_more(changes: tuple[Intervention, ...], new: Intervention, samples: int) -> tuple[Intervention, ...]:
    """Return the changes with one more; a point that is added before others takes its number, and they the next ones.

    Args:
        changes: those made so far, in order.
        new: the change.
        samples: number of points that nobody has added.

    Raises:
        ValueError: there are too many.
    """
    high = whole_bounds("interventions")[1]
    if new.kind == "add":
        row = samples + sum(item.kind == "add" and item.update <= new.update for item in changes)
        changes = tuple(_renumbered(item) if item.kind == "move" and item.row >= row else item for item in changes)
    taken = [item for item in changes if not _replaced(item, new)]
    if len(taken) == high:
        raise ValueError(f"the run holds {high:,} changes, and no more are allowed: forget some of them")
    return interventions((*taken, new))


def _replaced(old: Intervention, new: Intervention) -> bool:
    alike = (old.update, old.kind) == (new.update, new.kind)
    return alike and (new.kind == "learning_rate" or (new.kind == "move" and old.row == new.row))


def _renumbered(item: Intervention) -> Intervention:
    assert isinstance(item.value, tuple)
    return replace(item, value=(item.row + 1, *item.value[1:]))
