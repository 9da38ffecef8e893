"""Bars: one number a class or an item, with the classes, labels, probabilities or relevances that are true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

import torch
from torch import Tensor

from lossviz.boards.base import MAX_CLASSES, MAX_SAMPLES, Axis, Board, Handle, Link, State, Variable, put

Rows = tuple[tuple[float, ...], ...]
MAX_BARS: Final = 24


@dataclass(frozen=True)
class Bars(Board):
    """Bars of logits or scores in groups, one group a sample.

    Args:
        prediction: Starting scores, a row a sample.
        target: Starting targets: the class of each sample for `truth` "class", else a row a sample.
        truth: What is true of a sample: "class" (one class, chosen), "labels" (each class in or out, switched),
            "distribution" (probabilities, dragged) or "relevance" (a grade for each item, chosen).
        values: What labels and relevances can be.
        label: What a prediction is called.
        beside: Derived column with one number a bar in [0, 1] that is shown beside it, such as "softmax"; none if
            empty.
        beside_label: What that is called.
        sample_label: What a sample is called: "Sample", "List", "Place".
        class_label: What a bar is called where it has no name of its own: "Class", "Item".
        classes: Names of the classes; numbers from 0 unless given.
        truth_label: What is called true: "True class" and the like unless given.
        most_samples: How many samples the board holds.
        link: Turns the state into the loss's arguments. Class indices must become int64 there; without a link they do.
    """

    kind: ClassVar[str] = "bars"
    prediction: Rows
    target: tuple[float, ...] | Rows
    truth: Literal["class", "labels", "distribution", "relevance"] = "class"
    values: tuple[float, ...] = (0.0, 1.0)
    label: str = "Logit"
    beside: str = "softmax"
    beside_label: str = "Softmax"
    sample_label: str = "Sample"
    class_label: str = "Class"
    classes: tuple[str, ...] = ()
    truth_label: str = ""
    most_samples: int = MAX_SAMPLES
    link: Link | None = None

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        single = self.truth == "class"
        bounds: dict[str, Any] = {"values": self.values} if self.truth in ("labels", "relevance") else {"low": 0.0}
        if self.truth == "distribution":
            bounds["high"] = 1.0
        usual = {"class": "True class", "labels": "Label", "distribution": "Target", "relevance": "Relevance"}
        label = self.truth_label or usual[self.truth]
        return (
            Variable("prediction", self.label, "prediction", ("n", "k"), self.prediction),
            Variable("target", label, "target", ("n",) if single else ("n", "k"), self.target, **bounds),
        )

    @property
    def max_samples(self) -> int:
        return self.most_samples

    def inputs(self, state: State) -> dict[str, Tensor]:
        if self.link is None and self.truth == "class":
            return {**state, "target": state["target"].long()}
        return super().inputs(state)

    def check_sizes(self, sizes: Mapping[str, int]) -> None:
        super().check_sizes(sizes)
        if self.classes and sizes["k"] != len(self.classes):
            raise ValueError(f"the board has {len(self.classes)} classes; given are {sizes['k']}")
        if not 2 <= sizes["k"] <= max(MAX_CLASSES, len(self.classes)):
            raise ValueError(f"the board holds 2 to {MAX_CLASSES} classes; given are {sizes['k']}")
        if self.truth == "distribution" and sizes["n"] * sizes["k"] > MAX_BARS:
            raise ValueError(f"this board holds at most {MAX_BARS} bars a side; given are {sizes['n'] * sizes['k']}")

    def full(self, state: State) -> bool:
        count, classes = state["prediction"].shape
        return super().full(state) or (self.truth == "distribution" and (count + 1) * classes > MAX_BARS)

    def names(self, state: State) -> list[str]:
        """The names of the classes or items of a state."""
        return list(self.classes) or [str(index) for index in range(state["prediction"].shape[1])]

    def axis(self, state: State) -> Axis:
        """The axis of the scores."""
        return Axis.around(state["prediction"].flatten().tolist(), self.label)

    def scene(self, state: State) -> dict[str, Any]:
        axis = self.axis(state)
        return {
            "axis": {"low": axis.low, "high": axis.high, "step": axis.step, "label": axis.label},
            "truth": self.truth,
            "beside": self.beside or None,
            "beside_label": self.beside_label,
            "sample_label": self.sample_label,
            "class_label": "" if self.classes else self.class_label,
            "names": self.names(state),
        }

    def handles(self, state: State) -> tuple[Handle, ...]:
        axis, names = self.axis(state), self.names(state)
        return tuple(
            handle
            for sample in range(self.samples(state))
            for handle in (*self._bars(state, sample, axis, names), *self._truths(state, sample, names))
        )

    def _bars(self, state: State, sample: int, axis: Axis, names: list[str]) -> list[Handle]:
        handles = []
        for index, name in enumerate(names):
            at, flat = float(state["prediction"][sample, index]), sample * len(names) + index
            title = f"{self.sample_label} {sample + 1} {self.label.lower()} {name}"
            positions, place = axis.positions((at,)), put("prediction", (flat,))
            handles.append(
                Handle(title, "line", "prediction", sample, (flat,), (at,), (positions,), place, axes=(axis,))
            )
        return handles

    def _truths(self, state: State, sample: int, names: list[str]) -> list[Handle]:
        target = state["target"]
        prefix = f"{self.sample_label} {sample + 1}"
        if self.truth == "class":
            positions = torch.arange(len(names), dtype=torch.float64)
            at, place = (float(target[sample]),), put("target", (sample,))
            title = f"{prefix} class"
            return [Handle(title, "choice", "target", sample, (sample,), at, (positions,), place, choices=tuple(names))]
        handles = []
        for index, name in enumerate(names):
            at, flat = (float(target[sample, index]),), sample * len(names) + index
            if self.truth == "distribution":
                unit = Axis(0.0, 1.0, 0.005, "Probability")
                positions, place = unit.positions(at), renormalise("target", sample, index)
                handles.append(
                    Handle(
                        f"{prefix} target {name}",
                        "line",
                        "target",
                        sample,
                        (flat,),
                        at,
                        (positions,),
                        place,
                        axes=(unit,),
                    )
                )
                continue
            word = "label" if self.truth == "labels" else "relevance"
            positions = torch.tensor(self.values, dtype=torch.float64)
            texts = tuple(f"{value:+g}" if min(self.values) < 0 else f"{value:g}" for value in self.values)
            place = put("target", (flat,))
            handles.append(
                Handle(
                    f"{prefix} {word} {name}",
                    "choice",
                    "target",
                    sample,
                    (flat,),
                    at,
                    (positions,),
                    place,
                    choices=texts,
                )
            )
        return handles


def renormalise(variable: str, sample: int, category: int) -> Any:
    """A placement that sets one probability of a row and scales the row's others to keep the sum 1."""

    def place(state: State, position: Tensor) -> dict[str, Tensor]:
        value = state[variable]
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
        return {variable: placed}

    return place
