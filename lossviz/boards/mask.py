"""A mask of cells: predicted probabilities against the cells that belong to the object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from lossviz.boards.base import Axis, Board, Handle, Place, State, Variable, put

STEP: Final = 0.02
Cells = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Mask(Board):
    """One picture of cells; each has a probability that is dragged or painted, and a truth that is switched or painted.

    Args:
        prediction: Starting probabilities, a row of cells a line.
        target: Starting truth, 0 (background) or 1 (object).
    """

    kind: ClassVar[str] = "mask"
    prediction: Cells
    target: Cells

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        axes = ("n", "h", "w")
        return (
            Variable("prediction", "Predicted mask", "prediction", axes, (self.prediction,), 0.0, 1.0),
            Variable("target", "True mask", "target", axes, (self.target,), values=(0.0, 1.0)),
        )

    @property
    def max_samples(self) -> int:
        return 1

    def scene(self, state: State) -> dict[str, Any]:
        _, height, width = state["prediction"].shape
        return {"height": height, "width": width}

    def handles(self, state: State) -> tuple[Handle, ...]:
        _, height, width = state["prediction"].shape
        places = [(row, column) for row in range(height) for column in range(width)]
        shift = self._shift(state)
        return (
            *(self._probability(state, row, column) for row, column in places),
            *(self._truth(state, row, column) for row, column in places),
            *([shift] if shift else []),
        )

    def _probability(self, state: State, row: int, column: int) -> Handle:
        flat = row * state["prediction"].shape[2] + column
        at, axis = (float(state["prediction"][0, row, column]),), Axis(0.0, 1.0, STEP, "Probability")
        name = f"Cell {row + 1}, {column + 1} probability"
        place = put("prediction", (flat,))
        return Handle(
            name, "line", "prediction", 0, (flat,), at, (axis.positions(at),), place, axes=(axis,), part="cell"
        )

    def _truth(self, state: State, row: int, column: int) -> Handle:
        flat = row * state["target"].shape[2] + column
        at, values = (float(state["target"][0, row, column]),), torch.tensor([0.0, 1.0], dtype=torch.float64)
        name = f"Cell {row + 1}, {column + 1} truth"
        place, choices = put("target", (flat,)), ("background", "object")
        return Handle(name, "choice", "target", 0, (flat,), at, (values,), place, choices=choices, part="cell")

    def _shift(self, state: State) -> Handle | None:
        """Moves the predicted shape by whole cells, as far as none of it leaves the picture."""
        cells = state["prediction"][0]
        background = cells.min()
        rows, columns = torch.nonzero(cells > background, as_tuple=True)
        if not len(rows):
            return None
        height, width = cells.shape
        x = torch.arange(-int(columns.min()), width - int(columns.max()), dtype=torch.float64)
        y = torch.arange(-int(rows.min()), height - int(rows.max()), dtype=torch.float64)
        axes = tuple(Axis(float(places[0]), float(places[-1]), 1.0) for places in (x, y))
        return Handle(
            "Predicted shape",
            "plane",
            "prediction",
            0,
            (),
            (0.0, 0.0),
            (x, y),
            _moved(float(background)),
            axes=axes,
            smooth=False,
            part="shape",
        )


def _moved(background: float) -> Place:
    def place(state: State, position: Tensor) -> dict[str, Tensor]:
        value = state["prediction"]
        _, height, width = value.shape
        right, down = position.round().long().unbind(-1)
        rows = torch.arange(height) - down[:, None]
        columns = torch.arange(width) - right[:, None]
        inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
        moved = value[0][rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]]
        return {"prediction": torch.where(inside, moved, background)[:, None]}

    return place
