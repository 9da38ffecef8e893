"""What several regression losses declare alike."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.boards import line
from lossviz.losses.base import Inputs, Invariance, Parameter

OUTLIER_BOARD: Final = line(prediction=(-1.5, 0.5, 3.0, 2.0), target=(-2.0, 3.0, -5.0, 2.5))
"""Two small errors, one of middle size and an outlier: 0.5, -2.5, 8 and -0.5."""


def scale(meaning: str, default: float = 1.0, step: float = 0.1) -> Parameter:
    """The size of an error from which on a robust loss takes it for an outlier; in the unit of the target.

    The least value keeps the square of error / c finite, in float32 too.

    Example:
        >>> scale("").describe()
        'a number in [0.1, 100]'
    """
    return Parameter("c", "c", default, 0.1, 100.0, step, meaning, label="Scale c")


def _scale_both(inputs: Inputs) -> dict[str, Tensor]:
    return {name: 3 * tensor for name, tensor in inputs.items()}


UNIT_FREE: Final = Invariance(
    "Multiplying prediction and target by the same number above 0 changes nothing: the unit does not matter.",
    _scale_both,
)
