"""Boxes in a picture: a predicted one against a true one, by their corners and their centre."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from lossviz.boards.base import Axis, Board, Handle, Place, State, Variable, put

FRAME: Final = 10.0
STEP: Final = 0.2
Box = tuple[float, float, float, float]
CORNERS: Final = {"top left": (0, 1), "top right": (2, 1), "bottom left": (0, 3), "bottom right": (2, 3)}


@dataclass(frozen=True)
class Boxes(Board):
    """A picture of 10 by 10, its y axis pointing down as in images, with a predicted and a true box a sample.

    Args:
        prediction: Starting predicted boxes: x1, y1, x2, y2.
        target: Starting true boxes.
    """

    kind: ClassVar[str] = "boxes"
    prediction: tuple[Box, ...]
    target: tuple[Box, ...]

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("prediction", "Predicted box", "prediction", ("n", "c"), self.prediction, 0.0, FRAME),
            Variable("target", "True box", "target", ("n", "c"), self.target, 0.0, FRAME),
        )

    @property
    def max_samples(self) -> int:
        return 3

    def scene(self, state: State) -> dict[str, Any]:
        return {"axis": {"low": 0.0, "high": FRAME, "step": STEP}}

    def handles(self, state: State) -> tuple[Handle, ...]:
        return tuple(
            handle
            for sample in range(self.samples(state))
            for item in self.variables
            for handle in self._box(state, item, sample)
        )

    def _box(self, state: State, item: Variable, sample: int) -> list[Handle]:
        box = state[item.name][sample].tolist()
        handles = []
        for part, (column, row) in CORNERS.items():
            flats = (4 * sample + column, 4 * sample + row)
            axes = (_side(box, column), _side(box, row))
            at = (box[column], box[row])
            positions = (axes[0].positions((at[0],)), axes[1].positions((at[1],)))
            handles.append(
                Handle(
                    f"{item.label} {sample + 1} {part}",
                    "plane",
                    item.name,
                    sample,
                    flats,
                    at,
                    positions,
                    put(item.name, flats),
                    axes=axes,
                    part=part,
                )
            )
        return [*handles, self._centre(item, sample, box)]

    def _centre(self, item: Variable, sample: int, box: list[float]) -> Handle:
        half = ((box[2] - box[0]) / 2, (box[3] - box[1]) / 2)
        at = (round((box[0] + box[2]) / 2, 10), round((box[1] + box[3]) / 2, 10))
        frame = Axis(0.0, FRAME, STEP)
        axes = (frame.part(half[0], FRAME - half[0]), frame.part(half[1], FRAME - half[1]))
        positions = tuple(_within(axis, now, size) for axis, now, size in zip(axes, at, half, strict=True))
        return Handle(
            f"{item.label} {sample + 1} centre",
            "plane",
            item.name,
            sample,
            (),
            at,
            positions,
            _shift(item.name, sample, at),
            axes=tuple(
                Axis(float(places[0]), float(places[-1]), axis.step)
                for axis, places in zip(axes, positions, strict=True)
            ),
            part="centre",
        )

    def project(self, state: State) -> dict[str, Tensor]:
        projected = super().project(state)
        box = projected["prediction"]
        # A side that a step has pushed through the other one stays at the least size.
        x = torch.maximum(box[..., 2], (box[..., 0] + STEP).clamp(max=FRAME))
        y = torch.maximum(box[..., 3], (box[..., 1] + STEP).clamp(max=FRAME))
        low = torch.minimum(box[..., :2], torch.stack([x, y], -1) - STEP)
        return {**projected, "prediction": torch.cat([low, torch.stack([x, y], -1)], -1)}


def _side(box: list[float], index: int) -> Axis:
    """Where one side of a box can go: from the frame's edge to one step before the other side."""
    frame = Axis(0.0, FRAME, STEP)
    if index < 2:
        return frame.part(0.0, max(box[index + 2] - STEP, 0.0))
    return frame.part(min(box[index - 2] + STEP, FRAME), FRAME)


def _within(axis: Axis, now: float, half: float) -> Tensor:
    """Positions of a centre that keep the box in the frame, the present one among them."""
    grid = [value for value in axis.positions().tolist() if half - 1e-9 <= value <= FRAME - half + 1e-9]
    return torch.tensor(sorted({*grid, now}), dtype=torch.float64)


def _shift(variable: str, sample: int, at: tuple[float, float]) -> Place:
    """A placement that moves a whole box so that its centre lies at the position."""

    def place(state: State, position: Tensor) -> dict[str, Tensor]:
        value = state[variable]
        shift = position - torch.tensor(at, dtype=position.dtype)
        mask = torch.zeros(len(value), 1, dtype=value.dtype)
        mask[sample] = 1.0
        return {variable: value + mask * shift.repeat(1, 2)[:, None, :]}

    return place
