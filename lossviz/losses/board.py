"""Geometry of the boards: which handles a loss has and what moving one does to its inputs.

A board's state is the prediction and the target as float64 tensors, (n,) or (n, k). The prediction of a state may be
what the learner drags rather than what the loss takes: `link` turns one into the other (logits into log-probabilities
for KL divergence).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor

State = Mapping[str, Tensor]
MAX_SAMPLES: Final = 8
MAX_CLASSES: Final = 5
LIMIT: Final = 1000.0
"""Largest size of a number on a board."""


@dataclass(frozen=True)
class Axis:
    """A number axis with a round step, on which the drag positions lie.

    Example:
        >>> axis = Axis.around([1.0, 7.3])
        >>> axis.low, axis.high, axis.step
        (-10.0, 10.0, 0.1)
    """

    low: float
    high: float
    step: float
    label: str = ""

    @classmethod
    def around(cls, values: list[float], label: str = "") -> Axis:
        """The smallest of the axes -5..5, -10..10, -20..20, -50..50, … that holds all values, in 200 steps."""
        reach = max((abs(value) for value in values), default=0.0)
        decade = 1.0
        while True:
            for high in (5 * decade, 10 * decade, 20 * decade):
                if reach <= high:
                    return cls(-high, high, round(high / 100, 10), label)
            decade *= 10

    def positions(self, extra: tuple[float, ...] = ()) -> Tensor:
        """All positions of the grid, with extra ones in between, sorted.

        Args:
            extra: Further positions, such as the present one.

        Returns:
            float64 positions, each once.
        """
        count = round((self.high - self.low) / self.step)
        grid = [round(self.low + index * self.step, 10) for index in range(count + 1)]
        grid.extend(value for value in extra if self.low <= value <= self.high)
        return torch.tensor(sorted(set(grid)), dtype=torch.float64)


@dataclass(frozen=True)
class Handle:
    """Something that can be dragged, or switched.

    Args:
        name: As spoken, such as "Prediction 2".
        kind: "line" moves along an axis, "choice" takes one of a few values.
        variable: "prediction" or "target".
        index: Which number of the variable, () for none in particular.
        positions: All positions it can take.
        place: Puts positions (m,) into the state: returns the variable with m in front, legal in every row.
        choices: What the positions of a choice are called.
    """

    name: str
    kind: Literal["line", "choice"]
    variable: Literal["prediction", "target"]
    index: tuple[int, ...]
    positions: Tensor
    place: Callable[[State, Tensor], Tensor]
    choices: tuple[str, ...] = ()


def _set(variable: str, index: tuple[int, ...]) -> Callable[[State, Tensor], Tensor]:
    """A placement that writes the position into one number and leaves the others."""

    def place(state: State, position: Tensor) -> Tensor:
        value = state[variable]
        mask = torch.zeros(value.shape, dtype=torch.bool)
        mask[index] = True
        spread = position.to(value.dtype).reshape(-1, *([1] * value.dim()))
        return torch.where(mask, spread, value)

    return place


def _renormalise(index: tuple[int, ...]) -> Callable[[State, Tensor], Tensor]:
    """A placement that sets one probability of a row and scales the row's others to keep the sum 1."""

    def place(state: State, position: Tensor) -> Tensor:
        value = state["target"]
        sample, category = index
        rest = value[sample].clone()
        rest[category] = 0.0
        total = rest.sum()
        even = torch.where(torch.arange(len(rest)) == category, 0.0, 1.0 / (len(rest) - 1))
        shape = rest / total if total > 0 else even
        # A probability of 0 keeps its share of 0; the slope of t ln t there is infinite and must not reach the others.
        row = torch.where(shape > 0, (1.0 - position)[:, None] * shape.to(value.dtype), 0.0)
        row = torch.where(torch.arange(len(rest)) == category, position[:, None], row)
        placed = value.expand(len(position), *value.shape).clone()
        placed[:, sample] = row
        return placed

    return place


@dataclass(frozen=True)
class Board:
    """How a loss lies on the screen.

    Args:
        kind: "line" (predictions and targets on one axis), "binary" (an axis with labels that flip), "classes"
            (logit bars with the softmax, one class choice a sample) or "distributions" (two sets of bars).
        prediction: Starting example.
        target: Starting example.
        prediction_label: What the prediction is called: "Prediction", "Probability", "Score", "Logit".
        labels: The labels of a binary board.
        unit_interval: Whether the prediction lies in [0, 1].
        link: Turns the state's prediction into the loss's; identity unless given.
        snap: Positions of a prediction at which something happens (kinks), given the sample's target.
    """

    kind: Literal["line", "binary", "classes", "distributions"]
    prediction: tuple[float, ...] | tuple[tuple[float, ...], ...]
    target: tuple[float, ...] | tuple[tuple[float, ...], ...]
    prediction_label: str = "Prediction"
    labels: tuple[float, float] = (0.0, 1.0)
    unit_interval: bool = False
    link: Callable[[Tensor], Tensor] | None = None
    snap: Callable[[float], tuple[float, ...]] | None = None

    def example(self) -> dict[str, Tensor]:
        """The state that a learner first sees.

        Example:
            >>> Board("line", (1.5,), (1.0,)).example()["prediction"]
            tensor([1.5000], dtype=torch.float64)
        """
        return {
            "prediction": torch.tensor(self.prediction, dtype=torch.float64),
            "target": torch.tensor(self.target, dtype=torch.float64),
        }

    def inputs(self, state: State) -> dict[str, Tensor]:
        """The loss's arguments in a state; class targets become int64.

        Example:
            >>> board = Board("classes", ((1.0, 0.0),), (1.0,))
            >>> board.inputs(board.example())["target"]
            tensor([1])
        """
        prediction = state["prediction"] if self.link is None else self.link(state["prediction"])
        target = state["target"].long() if self.kind == "classes" else state["target"]
        return {"prediction": prediction, "target": target}

    def axis(self, state: State) -> Axis:
        """The axis along which predictions (and numbers as targets) are dragged.

        Example:
            >>> board = Board("line", (7.5,), (1.0,))
            >>> board.axis(board.example()).high
            10.0
        """
        if self.unit_interval:
            return Axis(0.0, 1.0, 0.005, self.prediction_label)
        values = state["prediction"].flatten().tolist()
        if self.kind == "line":
            values += state["target"].tolist()
        return Axis.around(values, "Value" if self.kind == "line" else self.prediction_label)

    def handles(self, state: State) -> tuple[Handle, ...]:
        """All handles of a state, sample by sample.

        Example:
            >>> board = Board("binary", (0.5,), (1.0,), "Score")
            >>> [handle.name for handle in board.handles(board.example())]
            ['Score 1', 'Label 1']
        """
        axis = self.axis(state)
        handles: list[Handle] = []
        for sample in range(len(state["prediction"])):
            make = {"line": self._line, "binary": self._binary}.get(self.kind, self._bars)
            handles.extend(make(state, sample, axis))
        return tuple(handles)

    def _line(self, state: State, sample: int, axis: Axis) -> list[Handle]:
        prediction, target = float(state["prediction"][sample]), float(state["target"][sample])
        kinks = self.snap(target) if self.snap else (target,)
        at = axis.positions((prediction, *kinks)), axis.positions((prediction, target))
        return [
            Handle(f"Prediction {sample + 1}", "line", "prediction", (sample,), at[0], _set("prediction", (sample,))),
            Handle(f"Target {sample + 1}", "line", "target", (sample,), at[1], _set("target", (sample,))),
        ]

    def _binary(self, state: State, sample: int, axis: Axis) -> list[Handle]:
        prediction, index = float(state["prediction"][sample]), (sample,)
        kinks = self.snap(float(state["target"][sample])) if self.snap else ()
        names = tuple(f"{label:+g}" if min(self.labels) < 0 else f"{label:g}" for label in self.labels)
        labels = torch.tensor(self.labels, dtype=torch.float64)
        return [
            Handle(
                f"{self.prediction_label} {sample + 1}",
                "line",
                "prediction",
                index,
                axis.positions((prediction, *kinks)),
                _set("prediction", index),
            ),
            Handle(f"Label {sample + 1}", "choice", "target", index, labels, _set("target", index), names),
        ]

    def _bars(self, state: State, sample: int, axis: Axis) -> list[Handle]:
        row = state["prediction"][sample]
        handles = [
            Handle(
                f"Sample {sample + 1} {self.prediction_label.lower()} {category}",
                "line",
                "prediction",
                (sample, category),
                axis.positions((float(value),)),
                _set("prediction", (sample, category)),
            )
            for category, value in enumerate(row)
        ]
        if self.kind == "classes":
            classes = torch.arange(len(row), dtype=torch.float64)
            names = tuple(str(category) for category in range(len(row)))
            place = _set("target", (sample,))
            handles.append(Handle(f"Sample {sample + 1} class", "choice", "target", (sample,), classes, place, names))
            return handles
        unit = Axis(0.0, 1.0, 0.005)
        return handles + [
            Handle(
                f"Sample {sample + 1} target {category}",
                "line",
                "target",
                (sample, category),
                unit.positions((float(value),)),
                _renormalise((sample, category)),
            )
            for category, value in enumerate(state["target"][sample])
        ]

    def check(self, state: State) -> None:
        """Refuse a state that this board cannot show.

        Raises:
            ValueError: Naming the value and what is allowed.

        Example:
            >>> board = Board("line", (2000.0,), (1.0,))
            >>> board.check(board.example())
            Traceback (most recent call last):
            ValueError: prediction holds 2000; the board shows numbers from -1000 to 1000
        """
        prediction, target = state["prediction"], state["target"]
        rows = self.kind in ("classes", "distributions")
        if prediction.dim() != (2 if rows else 1) or not 1 <= len(prediction) <= MAX_SAMPLES:
            raise ValueError(f"the board holds 1 to {MAX_SAMPLES} samples; given is shape {tuple(prediction.shape)}")
        if rows and not 2 <= prediction.shape[1] <= MAX_CLASSES:
            raise ValueError(f"the board holds 2 to {MAX_CLASSES} classes; given are {prediction.shape[1]}")
        if self.kind == "distributions" and prediction.numel() > 24:
            raise ValueError(f"this board holds at most 24 bars a side; given are {prediction.numel()}")
        if len(target) != len(prediction):
            raise ValueError(f"{len(prediction)} predictions need as many targets; given are {len(target)}")
        for name, tensor in state.items():
            for value in tensor.flatten().tolist():
                if not math.isfinite(value) or abs(value) > LIMIT:
                    raise ValueError(f"{name} holds {value:g}; the board shows numbers from {-LIMIT:g} to {LIMIT:g}")
        if self.kind == "binary":
            wrong = [value for value in target.tolist() if value not in self.labels]
            if wrong:
                allowed = " or ".join(f"{label:g}" for label in self.labels)
                raise ValueError(f"target holds {wrong[0]:g}; the board's labels are {allowed}")

    def add(self, state: State) -> dict[str, Tensor]:
        """The state with one more sample, a copy of the example's next one or of the last.

        Raises:
            ValueError: If the board is full.

        Example:
            >>> board = Board("line", (1.5,), (1.0,))
            >>> board.add(board.example())["prediction"].tolist()
            [1.5, 1.5]
        """
        count = len(state["prediction"])
        if count >= MAX_SAMPLES or (self.kind == "distributions" and state["prediction"].numel() >= 24):
            raise ValueError(f"the board is full: it holds {count} samples")
        example = self.example()
        fits = example["prediction"].shape[1:] == state["prediction"].shape[1:]
        source = example if fits and count < len(example["prediction"]) else state
        place = min(count, len(source["prediction"]) - 1)
        return {name: torch.cat([value, source[name][place : place + 1]]) for name, value in state.items()}

    def remove(self, state: State, sample: int) -> dict[str, Tensor]:
        """The state without a sample.

        Args:
            state: The state.
            sample: Its number, counted from 0.

        Returns:
            The other samples.

        Raises:
            ValueError: If it is the last one, or there is no such sample.

        Example:
            >>> board = Board("line", (1.5, 2.5), (1.0, 2.0))
            >>> board.remove(board.example(), 0)["prediction"].tolist()
            [2.5]
        """
        count = len(state["prediction"])
        if count == 1:
            raise ValueError("the last sample stays: a loss needs at least one")
        if sample not in range(count):
            raise ValueError(f"sample is {sample!r}; there are {count}, counted from 0")
        keep = [index for index in range(count) if index != sample]
        return {name: value[keep] for name, value in state.items()}
