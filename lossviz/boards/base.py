"""What all boards share: axes, variables, handles, and the changes that a state may undergo.

A board's state is a float64 tensor for each of its variables. Variables mostly are the arguments of the loss; where
people rather drag something else, `link` turns one into the other (logits into log-probabilities, a spread into a
variance).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

import torch
from torch import Tensor

State = Mapping[str, Tensor]
Link = Callable[[State], dict[str, Tensor]]
Place = Callable[[State, Tensor], dict[str, Tensor]]
Role = Literal["prediction", "target"]

MAX_SAMPLES: Final = 8
MAX_CLASSES: Final = 5
LIMIT: Final = 1000.0
"""Largest size of a number on a board."""
NEAR: Final = 1e-3
"""How near a descent comes to an end of a domain that does not belong to it."""


@dataclass(frozen=True)
class Axis:
    """A number axis with a round step, on which the drag positions lie.

    Example:
        >>> axis = Axis.around([1.0, 7.3])
        >>> axis.low, axis.high, axis.step
        (-10.0, 10.0, 0.1)
        >>> Axis.around([1.0], low=0.0).step
        0.025
    """

    low: float
    high: float
    step: float
    label: str = ""

    @classmethod
    def around(
        cls,
        values: list[float],
        label: str = "",
        low: float = -math.inf,
        high: float = math.inf,
        low_open: bool = False,
    ) -> Axis:
        """The domain itself where it has two ends; else the smallest of 5, 10, 20, 50, … that holds all values.

        Args:
            values: What the axis must hold.
            label: Its name.
            low: End of the domain; 0 begins the axis there, without it the axis runs from -5, -10, ….
            high: Other end of the domain.
            low_open: Whether the axis begins one step after `low`.
        """
        reach = max((abs(value) for value in values), default=0.0)
        decade = 1.0
        while math.isinf(high):
            high = next((end * decade for end in (5.0, 10.0, 20.0) if reach <= end * decade), high)
            decade *= 10
        start = -high if math.isinf(low) else low
        step = round((high - start) / 200, 10)
        return cls(round(start + step, 10) if low_open else start, high, step, label)

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

    def part(self, low: float, high: float) -> Axis:
        """The part of the axis between two of its positions, both included.

        Example:
            >>> Axis(0.0, 10.0, 0.2).part(1.05, 9.9)
            Axis(low=1.2, high=9.8, step=0.2, label='')
        """
        first = math.ceil((low - self.low) / self.step - 1e-9)
        last = math.floor((high - self.low) / self.step + 1e-9)
        start, end = (round(self.low + index * self.step, 10) for index in (first, max(first, last)))
        return Axis(start, end, self.step, self.label)


@dataclass(frozen=True)
class Variable:
    """One tensor of a board's state.

    Args:
        name: Its name in the state and in links.
        label: What people call it.
        role: "prediction" variables have gradients and move in a descent; "target" variables are given.
        axes: Its axes by name, of which the first mostly is "n"; an axis of one name has one size in all variables.
        start: Its numbers on the starting board, nested by axis.
        low: Smallest number it may hold.
        high: Largest number it may hold.
        low_open: Whether `low` itself is excluded.
        values: The only numbers it may hold, where they are few.
    """

    name: str
    label: str
    role: Role
    axes: tuple[str, ...]
    start: Any
    low: float = -LIMIT
    high: float = LIMIT
    low_open: bool = False
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Handle:
    """Something that can be dragged, or switched.

    Args:
        name: As spoken, such as "Prediction 2".
        kind: "line" moves along an axis, "plane" along two, "choice" takes one of a few values.
        variable: Name of the variable that it moves, or of the main one.
        sample: Which sample it belongs to.
        flats: Which numbers of the variable its position is, counted through the flattened tensor: one for a line or a
            choice, two for a plane, none where the position is no number of the variable (the centre of a box).
        at: The present position: one number, or two for a plane.
        positions: All positions on each axis: (m,), and for a plane a second one.
        place: Puts positions, (m,) or (m, 2), into the state: returns the variables that change, with m in front, legal
            in every row; also for positions in between.
        axes: The axes it moves along: one for a line, two for a plane, none for a choice.
        choices: What the positions of a choice are called.
        smooth: Whether the loss has a slope along it; a shift by whole cells has none.
        part: What it is within its picture, for the one who draws it, such as "centre".
    """

    name: str
    kind: Literal["line", "plane", "choice"]
    variable: str
    sample: int
    flats: tuple[int, ...]
    at: tuple[float, ...]
    positions: tuple[Tensor, ...]
    place: Place
    axes: tuple[Axis, ...] = ()
    choices: tuple[str, ...] = ()
    smooth: bool = True
    part: str = ""

    def grid(self) -> Tensor:
        """All positions, (m,) or (m, 2); of a plane the second coordinate changes fastest."""
        if self.kind == "plane":
            return torch.cartesian_prod(*self.positions)
        return self.positions[0]


def put(variable: str, flats: tuple[int, ...]) -> Place:
    """A placement that writes the position into one number, or into two, and leaves the others.

    Example:
        >>> place = put("prediction", (1,))
        >>> place({"prediction": torch.zeros(3)}, torch.tensor([5.0]))["prediction"].tolist()
        [[0.0, 5.0, 0.0]]
    """

    def place(state: State, position: Tensor) -> dict[str, Tensor]:
        value = state[variable]
        columns = position.to(value.dtype).reshape(len(position), -1)
        flat = value.reshape(-1).expand(len(position), -1)
        index = torch.arange(value.numel())
        for column, place in enumerate(flats):
            flat = torch.where(index == place, columns[:, column, None], flat)
        return {variable: flat.reshape(len(position), *value.shape)}

    return place


@dataclass(frozen=True)
class Board(ABC):
    """How a loss lies on the screen: the variables that are dragged, and the handles that drag them."""

    kind: ClassVar[str]

    @cached_property
    @abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """The tensors of its state."""

    @abstractmethod
    def handles(self, state: State) -> tuple[Handle, ...]:
        """All handles of a state, sample by sample."""

    @abstractmethod
    def scene(self, state: State) -> dict[str, Any]:
        """What the one who draws the board needs to know beside variables and handles, ready for JSON."""

    @property
    def max_samples(self) -> int:
        """How many samples it holds at most."""
        return MAX_SAMPLES

    @property
    def min_samples(self) -> int:
        """How many samples the loss needs."""
        return 1

    @property
    def linked(self) -> Link | None:
        """What turns the state into the loss's arguments, where they differ."""
        return getattr(self, "link", None)

    def example(self) -> dict[str, Tensor]:
        """The state that a learner first sees.

        Example:
            >>> from lossviz.boards import line
            >>> line((1.5,), (1.0,)).example()["prediction"]
            tensor([1.5000], dtype=torch.float64)
        """
        return {item.name: torch.tensor(item.start, dtype=torch.float64) for item in self.variables}

    def inputs(self, state: State) -> dict[str, Tensor]:
        """The loss's arguments in a state; leading batch dimensions are kept."""
        return dict(state) if self.linked is None else self.linked(state)

    def samples(self, state: State) -> int:
        """How many samples a state holds."""
        return len(state[self.variables[0].name])

    def check(self, state: State) -> None:
        """Refuse a state that this board cannot show.

        Raises:
            ValueError: Naming the value and what is allowed.

        Example:
            >>> from lossviz.boards import line
            >>> board = line((2000.0,), (1.0,))
            >>> board.check(board.example())
            Traceback (most recent call last):
            ValueError: prediction holds 2000; the board shows numbers from -1000 to 1000
        """
        sizes: dict[str, int] = {}
        for item in self.variables:
            shape = tuple(state[item.name].shape)
            if len(shape) != len(item.axes):
                axes = ", ".join(item.axes)
                raise ValueError(f"{item.name} has shape {shape}; on the board it needs the axes ({axes})")
            for axis, size in zip(item.axes, shape, strict=True):
                if sizes.setdefault(axis, size) != size:
                    word = {"n": "samples", "k": "classes"}.get(axis, f"along {axis}")
                    raise ValueError(f"{item.name} has {size} {word}; {self.variables[0].name} has {sizes[axis]}")
        self.check_sizes(sizes)
        for item in self.variables:
            _check_numbers(item, state[item.name])

    def check_sizes(self, sizes: Mapping[str, int]) -> None:
        """Refuse what has too many or too few samples or classes, or another size of a fixed axis."""
        low, high = self.min_samples, self.max_samples
        if not low <= sizes["n"] <= high:
            allowed = f"{low} to {high} samples" if high > 1 else "1 sample"
            raise ValueError(f"the board holds {allowed}; given are {sizes['n']}")
        for item in self.variables:
            example = torch.tensor(item.start).shape
            for axis, size in zip(item.axes, example, strict=True):
                if axis not in ("n", "k") and sizes[axis] != size:
                    raise ValueError(f"{item.name} needs the size {size} along {axis}; given is {sizes[axis]}")

    def add(self, state: State) -> dict[str, Tensor]:
        """The state with one more sample, a copy of the example's next one or of the last.

        Raises:
            ValueError: If the board is full.

        Example:
            >>> from lossviz.boards import line
            >>> board = line((1.5,), (1.0,))
            >>> board.add(board.example())["prediction"].tolist()
            [1.5, 1.5]
        """
        count = self.samples(state)
        if self.full(state):
            raise ValueError(f"the board is full: it holds {count} {'sample' if count == 1 else 'samples'}")
        example = self.example()
        fits = all(example[name].shape[1:] == value.shape[1:] for name, value in state.items())
        source = example if fits and count < self.samples(example) else state
        place = min(count, self.samples(source) - 1)
        return {
            item.name: torch.cat([state[item.name], source[item.name][place : place + 1]])
            if item.axes[0] == "n"
            else state[item.name]
            for item in self.variables
        }

    def full(self, state: State) -> bool:
        """Whether no further sample fits."""
        return self.samples(state) >= self.max_samples

    def remove(self, state: State, sample: int) -> dict[str, Tensor]:
        """The state without a sample.

        Args:
            state: The state.
            sample: Its number, counted from 0.

        Returns:
            The other samples.

        Raises:
            ValueError: If it is the last one that the loss needs, or there is no such sample.

        Example:
            >>> from lossviz.boards import line
            >>> board = line((1.5, 2.5), (1.0, 2.0))
            >>> board.remove(board.example(), 0)["prediction"].tolist()
            [2.5]
        """
        count = self.samples(state)
        if count == 1:
            raise ValueError("the last sample stays: a loss needs at least one")
        if count <= self.min_samples:
            raise ValueError(f"{count} samples stay: this loss needs at least {self.min_samples}")
        if sample not in range(count):
            raise ValueError(f"sample is {sample!r}; there are {count}, counted from 0")
        keep = [index for index in range(count) if index != sample]
        return {
            item.name: state[item.name][keep] if item.axes[0] == "n" else state[item.name] for item in self.variables
        }

    def project(self, state: State) -> dict[str, Tensor]:
        """The legal state nearest to one that a descent step has left the domain with."""
        return {
            item.name: state[item.name].clamp(item.low + NEAR * item.low_open, item.high)
            if item.role == "prediction"
            else state[item.name]
            for item in self.variables
        }


def _check_numbers(item: Variable, tensor: Tensor) -> None:
    for value in tensor.flatten().tolist():
        if not math.isfinite(value) or abs(value) > LIMIT:
            raise ValueError(f"{item.name} holds {value:g}; the board shows numbers from {-LIMIT:g} to {LIMIT:g}")
        if item.values and value not in item.values:
            allowed = " or ".join(f"{label:g}" for label in item.values)
            raise ValueError(f"{item.name} holds {value:g}; on the board it can be {allowed}")
        if value < item.low or value > item.high or (item.low_open and value == item.low):
            left = "above" if item.low_open else "from"
            raise ValueError(
                f"{item.name} holds {value:g}; on the board it can be {left} {item.low:g} to {item.high:g}"
            )
