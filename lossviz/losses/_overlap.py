"""What the losses on the overlap of two masks declare alike."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.boards import Mask
from lossviz.losses.base import Domain, ErrorCase, Input, Inputs, Invariance, Parameter

CELLS: Final = (-2, -1)

MASK_INPUTS: Final = (
    Input(
        "prediction",
        "prediction",
        ("n", "h", "w"),
        Domain("interval", low=0.0, high=1.0),
        "probability of each cell to belong to the object",
    ),
    Input(
        "target",
        "target",
        ("n", "h", "w"),
        Domain("labels", values=(0.0, 1.0)),
        "1 where a cell belongs to the object, 0 in the background",
        differentiable=False,
    ),
)

MASK_BOARD: Final = Mask(
    prediction=(
        (0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
        (0.1, 0.6, 0.6, 0.1, 0.1, 0.1),
        (0.6, 0.9, 0.9, 0.6, 0.1, 0.1),
        (0.6, 0.9, 0.9, 0.6, 0.1, 0.1),
        (0.1, 0.6, 0.6, 0.1, 0.1, 0.1),
        (0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
    ),
    target=(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 1.0, 1.0, 0.0, 0.0),
        (0.0, 1.0, 1.0, 1.0, 1.0, 0.0),
        (0.0, 1.0, 1.0, 1.0, 1.0, 0.0),
        (0.0, 0.0, 1.0, 1.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ),
)
"""An object of 12 cells, and a prediction that lies one cell too far to the left."""

NO_OBJECT: Final = (((0.0,) * 6,) * 6,)
"""A true mask without an object."""

FAINT: Final = (((0.1,) * 6,) * 6,)
"""A prediction of 0.1 everywhere."""

SMOOTH: Final = Parameter(
    "smooth",
    "s",
    1.0,
    0.0,
    100.0,
    0.1,
    "Added above and below the fraction line, so that two empty masks do not give 0/0.",
    low_open=True,
)

MASK_ERRORS: Final = (
    ErrorCase([[[0.5, 1.2]]], [[[0.0, 1.0]]], "[0, 1]"),
    ErrorCase([[[0.5, 0.2]]], [[[0.0, 0.5]]], "one of 0, 1"),
    ErrorCase([[[0.5, 0.2]]], [[[0.0], [1.0]]], "shape"),
    ErrorCase([0.5, 0.2], [0.0, 1.0], "shape"),
    ErrorCase([[[0.5]]], [[[1.0]]], "(0, 100]", {"smooth": 0.0}),
)

MIRROR: Final = Invariance(
    "Flipping both masks left to right changes nothing: where a cell lies does not count.",
    lambda inputs: {name: value.flip(-1) for name, value in inputs.items()},
)


def tally(inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    """Soft counts of each mask's cells: true positives, false positives, false negatives, each (..., n)."""
    p, y = inputs["prediction"], inputs["target"]
    return (p * y).sum(CELLS), (p * (1 - y)).sum(CELLS), ((1 - p) * y).sum(CELLS)


def miss(inputs: Inputs, both: float, false_positive: float, false_negative: float, smooth: float) -> Tensor:
    """One minus the overlap index, (..., n).

    Formula: 1 − (b·TP + s) / (b·TP + f·FP + g·FN + s) = (f·FP + g·FN) / (b·TP + f·FP + g·FN + s)

    The second form is never below 0, and exactly 0 for a perfect mask.

    Args:
        inputs: Prediction and target.
        both: Weight b of the true positives.
        false_positive: Weight f of the false positives.
        false_negative: Weight g of the false negatives.
        smooth: The number s.
    """
    tp, fp, fn = tally(inputs)
    wrong = false_positive * fp + false_negative * fn
    return wrong / (both * tp + wrong + smooth)


def miss_slope(inputs: Inputs, both: float, false_positive: float, false_negative: float, smooth: float) -> Tensor:
    """Derivative of `miss` with respect to each cell of the prediction, (..., n, h, w)."""
    tp, fp, fn = tally(inputs)
    y = inputs["target"]
    wrong = false_positive * fp + false_negative * fn
    total = (both * tp + wrong + smooth)[..., None, None]
    wrong_slope = false_positive * (1 - y) - false_negative * y
    return (wrong_slope - (wrong[..., None, None] / total) * (wrong_slope + both * y)) / total


TVERSKY_WEIGHTS: Final = (
    Parameter("alpha", r"\alpha", 0.3, 0.0, 10.0, 0.05, "Price of a false positive: background marked as object."),
    Parameter("beta", r"\beta", 0.7, 0.0, 10.0, 0.05, "Price of a false negative: a part of the object missed."),
)
TVERSKY_LABELS: Final = {
    "true_positive": "True positives",
    "false_positive": "False positives",
    "false_negative": "False negatives",
}
TVERSKY_TORCH_TERMS: Final = (
    "cells = (1, 2)\n"
    "true_positive = (prediction * target).sum(cells)\n"
    "false_positive = (prediction * (1 - target)).sum(cells)\n"
    "false_negative = ((1 - prediction) * target).sum(cells)\n"
    "wrong = {alpha} * false_positive + {beta} * false_negative\n"
    "index = (true_positive + {smooth}) / (true_positive + wrong + {smooth})\n"
)
TVERSKY_KERAS_TERMS: Final = (
    "cells = (1, 2)\n"
    "true_positive = keras.ops.sum(prediction * target, axis=cells)\n"
    "false_positive = keras.ops.sum(prediction * (1 - target), axis=cells)\n"
    "false_negative = keras.ops.sum((1 - prediction) * target, axis=cells)\n"
    "wrong = {alpha} * false_positive + {beta} * false_negative\n"
    "index = (true_positive + {smooth}) / (true_positive + wrong + {smooth})\n"
)
TVERSKY_KERAS_NOTE: Final = (
    "The class keras.losses.Tversky has no smooth, adds 1e-7 below the fraction line, takes a batch as one picture "
    "without axis=(1, 2), and in version 3.15.1 multiplies the false negatives by alpha and the false positives by "
    "beta."
)
