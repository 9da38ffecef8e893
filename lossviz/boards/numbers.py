"""Numbers on number lines: predictions against targets, scores with labels, means with spreads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch

from lossviz.boards.base import LIMIT, Axis, Board, Handle, Link, Role, State, Variable, put

Snap = Callable[[Mapping[str, float]], tuple[float, ...]]


@dataclass(frozen=True)
class Number:
    """A variable with one number a sample.

    Args:
        name: Its name.
        label: What people call it.
        role: "prediction" or "target".
        start: Its numbers on the starting board.
        low: Smallest number; 0 makes the axis begin there.
        high: Largest number.
        low_open: Whether `low` is excluded.
        labels: The only values, where it is a label that is switched rather than dragged.
        track: On which of the board's tracks it lies, counted from 0.
        snap: Further positions at which something happens (kinks), from the sample's numbers by variable.
    """

    name: str
    label: str
    role: Role
    start: tuple[float, ...]
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    labels: tuple[float, ...] = ()
    track: int = 0
    snap: Snap | None = None


@dataclass(frozen=True)
class Numbers(Board):
    """Samples below each other, each with one or more tracks on which its numbers are dragged.

    Args:
        numbers: The variables.
        tracks: Names of the tracks' axes.
        span: What is drawn along the first track: "residual" (from target to prediction), "gap" (between the two
            predictions), "region" (where the label wants the score to be) or "none".
        lines: Places marked across the first track, such as the margin.
        bell: Names of a mean and of a spread variable that are drawn as a bell on the mean's track.
        prior: Mean and spread of a second, fixed bell on that track.
        sample_label: What a sample is called: "Sample", "Pair".
        link: Turns the state into the loss's arguments; identity unless given.
    """

    kind: ClassVar[str] = "numbers"
    numbers: tuple[Number, ...]
    tracks: tuple[str, ...] = ("Value",)
    span: Literal["residual", "gap", "region", "none"] = "residual"
    lines: tuple[float, ...] = ()
    bell: tuple[str, str] | None = None
    prior: tuple[float, float] | None = None
    sample_label: str = "Sample"
    link: Link | None = None

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(
            Variable(
                number.name,
                number.label,
                number.role,
                ("n",),
                number.start,
                max(number.low, -LIMIT),
                min(number.high, LIMIT),
                number.low_open,
                number.labels,
            )
            for number in self.numbers
        )

    def axis(self, state: State, track: int = 0) -> Axis:
        """The axis of a track; it holds all numbers that lie on it.

        Example:
            >>> board = line((7.5,), (1.0,))
            >>> board.axis(board.example()).high
            10.0
        """
        dragged = [number for number in self.numbers if number.track == track and not number.labels]
        values = [value for number in dragged for value in state[number.name].tolist()]
        low = min(number.low for number in dragged)
        high = max(number.high for number in dragged)
        return Axis.around(values, self.tracks[track], low, high)

    def scene(self, state: State) -> dict[str, Any]:
        axes = [self.axis(state, track) for track in range(len(self.tracks))]
        return {
            "tracks": [{"low": axis.low, "high": axis.high, "step": axis.step, "label": axis.label} for axis in axes],
            "track_of": {number.name: number.track for number in self.numbers},
            "span": self.span,
            "lines": list(self.lines),
            "bell": list(self.bell) if self.bell else None,
            "prior": list(self.prior) if self.prior else None,
            "bell_shape": _BELL if self.bell else None,
            "sample_label": self.sample_label,
        }

    def handles(self, state: State) -> tuple[Handle, ...]:
        axes = [self.axis(state, track) for track in range(len(self.tracks))]
        count = self.samples(state)
        return tuple(
            self._handle(state, number, sample, axes[number.track])
            for sample in range(count)
            for number in self.numbers
        )

    def _handle(self, state: State, number: Number, sample: int, axis: Axis) -> Handle:
        now = {other.name: float(state[other.name][sample]) for other in self.numbers}
        name, place, at = f"{number.label} {sample + 1}", put(number.name, (sample,)), (now[number.name],)
        if number.labels:
            positions = torch.tensor(number.labels, dtype=torch.float64)
            texts = tuple(f"{label:+g}" if min(number.labels) < 0 else f"{label:g}" for label in number.labels)
            return Handle(name, "choice", number.name, sample, (sample,), at, (positions,), place, choices=texts)
        own = axis.part(number.low + axis.step, axis.high) if number.low_open else axis
        if own.low > at[0]:  # a legal number below the first step of an open axis
            own = Axis(at[0], own.high, own.step, own.label)
        snaps = tuple(value for value in (number.snap(now) if number.snap else ()) if own.low <= value <= own.high)
        positions = torch.tensor(sorted({*axis.positions().tolist(), *at, *snaps}), dtype=torch.float64)
        positions = positions[(positions >= own.low) & (positions <= own.high)]
        return Handle(name, "line", number.name, sample, (sample,), at, (positions,), place, axes=(own,))


_BELL = [[round(x / 10, 1), round(math.exp(-((x / 10) ** 2) / 2), 4)] for x in range(-40, 41)]
"""The height of a normal density relative to its top, at distances from the mean in spreads."""


def line(
    prediction: tuple[float, ...],
    target: tuple[float, ...],
    *,
    low: float = -math.inf,
    low_open: bool = False,
    target_low: float | None = None,
    target_low_open: bool | None = None,
    snap: Callable[[float], tuple[float, ...]] = lambda target: (target,),
    label: str = "Prediction",
    link: Link | None = None,
) -> Numbers:
    """A prediction and a target on one number line.

    Args:
        prediction: Starting predictions.
        target: Starting targets.
        low: Smallest prediction, -inf or 0.
        low_open: Whether it is excluded.
        target_low: Smallest target; as for the prediction unless given.
        target_low_open: Whether it is excluded; as for the prediction unless given.
        snap: Kinks of the prediction, from the target.
        label: What the prediction is called.
        link: Turns the state into the loss's arguments.

    Example:
        >>> board = line((0.0,), (0.123,))
        >>> 0.123 in board.handles(board.example())[0].positions[0].tolist()
        True
    """
    t_low = low if target_low is None else target_low
    t_open = low_open if target_low_open is None else target_low_open
    return Numbers(
        (
            Number(
                "prediction",
                label,
                "prediction",
                prediction,
                low=low,
                low_open=low_open,
                snap=lambda now: snap(now["target"]),
            ),
            Number("target", "Target", "target", target, low=t_low, low_open=t_open),
        ),
        link=link,
    )


def binary(
    prediction: tuple[float, ...],
    target: tuple[float, ...],
    label: str = "Score",
    labels: tuple[float, float] = (0.0, 1.0),
    *,
    probability: bool = False,
    lines: tuple[float, ...] | None = None,
    snap: Callable[[float], tuple[float, ...]] = lambda label: (),
    link: Link | None = None,
) -> Numbers:
    """A score or a probability on a number line, with a label of two that is switched.

    Args:
        prediction: Starting scores.
        target: Starting labels.
        label: What the prediction is called: "Score", "Logit", "Probability".
        labels: The two labels.
        probability: Whether the prediction lies in [0, 1].
        lines: Places marked across the track; the threshold, and for labels -1 and +1 the margins, unless given.
        snap: Kinks of the prediction, from the label.
        link: Turns the state into the loss's arguments.

    Example:
        >>> board = binary((0.5,), (1.0,))
        >>> [handle.name for handle in board.handles(board.example())]
        ['Score 1', 'Label 1']
    """
    low, high = (0.0, 1.0) if probability else (-math.inf, math.inf)
    usual = (0.5,) if probability else (-1.0, 1.0) if min(labels) < 0 else (0.0,)
    return Numbers(
        (
            Number(
                "prediction", label, "prediction", prediction, low=low, high=high, snap=lambda now: snap(now["target"])
            ),
            Number("target", "Label", "target", target, labels=labels),
        ),
        tracks=(label,),
        span="residual" if probability else "region",
        lines=usual if lines is None else lines,
        link=link,
    )
