"""Points and vectors in a plane: embeddings that attract and repel each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from lossviz.boards.base import Axis, Board, Handle, Link, Role, State, Variable, put
from lossviz.boards.numbers import Number

STEPS: Final = 60
"""Steps along each axis of a plane: fine enough for a hand, few enough to send."""
TURNS: Final = tuple((quarters, size) for size in (1.0, 0.5) for quarters in range(4))
"""Quarter turns about the origin, and sizes, that are tried for a new sample."""
APART: Final = 0.1
"""How far a new point must lie from those of its kind."""


def plane_axis(values: list[float], reach: float) -> Axis:
    """The axis of a plane, symmetric around 0: `reach`, or twice, four times, … as far, so that it holds all values.

    Example:
        >>> plane_axis([4.0], 3.0).step
        0.2
    """
    while values and max(abs(value) for value in values) > reach:
        reach *= 2
    return Axis(-reach, reach, round(2 * reach / STEPS, 10))


@dataclass(frozen=True)
class Points:
    """A variable that holds points.

    Args:
        name: Its name.
        label: What one of them is called: "Anchor".
        role: "prediction" or "target".
        start: Where they start, (x, y) each.
        axis: Name of the axis that counts them: "n", or "k" for one a class.
    """

    name: str
    label: str
    role: Role
    start: tuple[tuple[float, float], ...]
    axis: str = "n"


@dataclass(frozen=True)
class Plane(Board):
    """All points in one picture.

    Args:
        points: The variables that hold points.
        labels: Variables with a label for each sample, which are switched or chosen.
        vectors: Whether points are drawn as arrows from the origin, because only their directions count.
        lines: Pairs of point variables that are joined within each sample.
        reach: How far the axes go at first.
        least: How many samples the loss needs.
        most: How many samples the board holds.
        sample_label: What a sample is called.
        link: Turns the state into the loss's arguments; labels must become int64 there where the loss wants indices.
    """

    kind: ClassVar[str] = "plane"
    points: tuple[Points, ...]
    labels: tuple[Number, ...] = ()
    vectors: bool = False
    lines: tuple[tuple[str, str], ...] = ()
    reach: float = 3.0
    least: int = 1
    most: int = 4
    sample_label: str = "Sample"
    link: Link | None = None

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        points = (Variable(item.name, item.label, item.role, (item.axis, "d"), item.start) for item in self.points)
        labels = (
            Variable(item.name, item.label, item.role, ("n",), item.start, values=item.labels) for item in self.labels
        )
        return (*points, *labels)

    @property
    def max_samples(self) -> int:
        return self.most

    @property
    def min_samples(self) -> int:
        return self.least

    def check_sizes(self, sizes: Mapping[str, int]) -> None:
        super().check_sizes(sizes)
        for item in self.points:
            if item.axis != "n" and sizes[item.axis] != len(item.start):
                raise ValueError(f"the board has {len(item.start)} of {item.name}; given are {sizes[item.axis]}")

    def add(self, state: State) -> dict[str, Tensor]:
        """As every board does; a sample that would hide under another one is turned, its own distances kept."""
        added = super().add(state)
        own = [item.name for item in self.points if item.axis == "n"]
        sample = {name: added[name][-1] for name in own}
        for quarters, size in TURNS:
            angle = math.radians(90 * quarters)
            turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]).double()
            turned = {name: (size * point @ turn).round(decimals=6) + 0.0 for name, point in sample.items()}
            if not any((state[name] - point).abs().amax(1).min() < APART for name, point in turned.items()):
                return added | {name: torch.cat([state[name], turned[name][None]]) for name in own}
        return added

    def axis(self, state: State) -> Axis:
        """The axis of both coordinates."""
        return plane_axis([value for item in self.points for value in state[item.name].flatten().tolist()], self.reach)

    def scene(self, state: State) -> dict[str, Any]:
        axis = self.axis(state)
        return {
            "axis": {"low": axis.low, "high": axis.high, "step": axis.step},
            "points": [item.name for item in self.points],
            "labels": [item.name for item in self.labels],
            "per_class": [item.name for item in self.points if item.axis != "n"],
            "vectors": self.vectors,
            "lines": [list(pair) for pair in self.lines],
            "sample_label": self.sample_label,
        }

    def handles(self, state: State) -> tuple[Handle, ...]:
        axis = self.axis(state)
        samples = range(self.samples(state))
        own = [item for item in self.points if item.axis == "n"]
        shared = [item for item in self.points if item.axis != "n"]
        handles = [
            made
            for sample in samples
            for made in (
                *(self._point(state, item, sample, axis) for item in own),
                *(self._label(state, item, sample) for item in self.labels),
            )
        ]
        handles += [self._point(state, item, index, axis) for item in shared for index in range(len(item.start))]
        return tuple(handles)

    def _point(self, state: State, item: Points, index: int, axis: Axis) -> Handle:
        x, y = (float(value) for value in state[item.name][index])
        flats = (2 * index, 2 * index + 1)
        return Handle(
            f"{item.label} {index + 1 if item.axis == 'n' else index}",
            "plane",
            item.name,
            index if item.axis == "n" else 0,
            flats,
            (x, y),
            (axis.positions((x,)), axis.positions((y,))),
            put(item.name, flats),
            axes=(axis, axis),
        )

    def _label(self, state: State, item: Number, sample: int) -> Handle:
        texts = tuple(f"{label:+g}" if min(item.labels) < 0 else f"{label:g}" for label in item.labels)
        return Handle(
            f"{item.label} {sample + 1}",
            "choice",
            item.name,
            sample,
            (sample,),
            (float(state[item.name][sample]),),
            (torch.tensor(item.labels, dtype=torch.float64),),
            put(item.name, (sample,)),
            choices=texts,
        )
