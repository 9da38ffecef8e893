"""What the losses on boxes declare alike: overlap, enclosing box, centres, and their slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from lossviz.losses.base import Domain, ErrorCase, Input, Inputs, Invariance, Params

BOX_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "c"), Domain("box"), "predicted box: x1, y1, x2, y2"),
    Input("target", "target", ("n", "c"), Domain("box"), "true box: x1, y1, x2, y2"),
)

BOX_ERRORS: Final = (
    ErrorCase([[3.0, 1.0, 2.0, 4.0]], [[0.0, 0.0, 1.0, 1.0]], "x1 < x2"),
    ErrorCase([[0.0, 0.0, 1.0, 1.0]], [[0.0, 1.0, 1.0, 1.0]], "y1 < y2"),
    ErrorCase([[0.0, 0.0, 1.0]], [[0.0, 0.0, 1.0]], "shape"),
    ErrorCase([[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]], "shape"),
    ErrorCase([[0.0, 0.0, 1.0, float("inf")]], [[0.0, 0.0, 1.0, 1.0]], "finite"),
)

BOX_KINKS: Final = "Where a side of one box passes a side of the other, and where the boxes touch."

SWAP: Final = Invariance(
    "The two boxes may change places.",
    lambda inputs: {**inputs, "prediction": inputs["target"], "target": inputs["prediction"]},
)
SCALE: Final = Invariance(
    "Enlarging and shifting the whole picture changes nothing: only relative sizes count.",
    lambda inputs: {**inputs, **{name: 2.5 * inputs[name] + 3.0 for name in ("prediction", "target")}},
)
STRETCH: Final = Invariance(
    "Stretching the picture in one direction changes nothing.",
    lambda inputs: {
        **inputs,
        **{name: inputs[name] * inputs[name].new_tensor([4.0, 0.5, 4.0, 0.5]) for name in ("prediction", "target")},
    },
)


@dataclass(frozen=True)
class Pair:
    """A predicted and a true box, with what their overlap is made of.

    The last axis of two holds x and y. At a tie of two sides `torch.minimum` and `torch.maximum` share the slope
    between them; so the slope at a perfect match is 0, the mean of the slopes on either side.

    Args:
        low: Upper left corner of the prediction, (..., n, 2).
        high: Its lower right corner.
        target_low: Upper left corner of the target.
        target_high: Its lower right corner.
    """

    low: Tensor
    high: Tensor
    target_low: Tensor
    target_high: Tensor

    @property
    def inner(self) -> Tensor:
        """Width and height of the intersection; 0 where the boxes lie apart."""
        return torch.relu(torch.minimum(self.high, self.target_high) - torch.maximum(self.low, self.target_low))

    @property
    def outer(self) -> Tensor:
        """Width and height of the smallest box that encloses both."""
        return torch.maximum(self.high, self.target_high) - torch.minimum(self.low, self.target_low)

    @property
    def intersection(self) -> Tensor:
        """Area that both cover, (..., n)."""
        return area(self.inner)

    @property
    def union(self) -> Tensor:
        """Area that at least one covers, (..., n)."""
        both = area(self.high - self.low) + area(self.target_high - self.target_low) - self.intersection
        return positive(both)

    @property
    def enclosing(self) -> Tensor:
        """Area of the enclosing box, (..., n)."""
        return positive(area(self.outer))

    @property
    def iou(self) -> Tensor:
        """Intersection over union, (..., n)."""
        return self.intersection / self.union

    @property
    def offset(self) -> Tensor:
        """From the target's centre to the prediction's, (..., n, 2)."""
        return (self.low + self.high - self.target_low - self.target_high) / 2

    @property
    def distance2(self) -> Tensor:
        """Square of the distance of the centres, (..., n)."""
        return self.offset.square().sum(-1)

    @property
    def diagonal2(self) -> Tensor:
        """Square of the enclosing box's diagonal, (..., n)."""
        return positive(self.outer.square().sum(-1))

    def slopes(self) -> tuple[Tensor, Tensor]:
        """Derivatives of intersection and union with respect to x1, y1, x2, y2, each (..., n, 4)."""
        other = self.inner.flip(-1) * (self.inner > 0)
        inside_low = -_passed(self.low, self.target_low) * other
        inside_high = _passed(self.target_high, self.high) * other
        inside = torch.cat([inside_low, inside_high], -1)
        size = (self.high - self.low).flip(-1)
        return inside, torch.cat([-size, size], -1) - inside

    def outer_slope(self) -> Tensor:
        """Derivative of the enclosing width with respect to x1 and x2, of the height to y1 and y2, (..., n, 4)."""
        return torch.cat([-_passed(self.target_low, self.low), _passed(self.high, self.target_high)], -1)


def pair(inputs: Inputs) -> Pair:
    """The boxes of the inputs, taken apart."""
    p, y = inputs["prediction"], inputs["target"]
    return Pair(p[..., :2], p[..., 2:], y[..., :2], y[..., 2:])


def area(sides: Tensor) -> Tensor:
    """Width times height."""
    return sides[..., 0] * sides[..., 1]


def positive(value: Tensor) -> Tensor:
    """A divisor that stays above 0 where the area of a box is too small for a float."""
    return value.clamp(min=torch.finfo(value.dtype).tiny)


def _passed(first: Tensor, second: Tensor) -> Tensor:
    """1 where the first number is larger, 0 where it is smaller, one half at a tie."""
    return torch.heaviside(first - second, first.new_tensor(0.5))


def iou_slope(boxes: Pair) -> Tensor:
    """Derivative of the intersection over union with respect to x1, y1, x2, y2, (..., n, 4)."""
    inside, union = boxes.slopes()
    return (inside - boxes.iou[..., None] * union) / boxes.union[..., None]


def distance_slope(boxes: Pair) -> Tensor:
    """Derivative of squared centre distance over squared diagonal with respect to x1, y1, x2, y2, (..., n, 4)."""
    offset, outer = boxes.offset.repeat(*[1] * (boxes.offset.dim() - 1), 2), boxes.outer
    diagonal = 2 * outer.repeat(*[1] * (outer.dim() - 1), 2) * boxes.outer_slope()
    penalty = boxes.distance2 / boxes.diagonal2
    return (offset - penalty[..., None] * diagonal) / boxes.diagonal2[..., None]


def centre_numbers(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    """What the losses with a centre distance show of it."""
    boxes = pair(inputs)
    return {"iou": boxes.iou, "distance": boxes.distance2.sqrt(), "diagonal": boxes.diagonal2.sqrt()}


CENTRE_LABELS: Final = {
    "iou": "Intersection over union",
    "distance": "Distance of the centres",
    "diagonal": "Diagonal of the enclosing box",
}
