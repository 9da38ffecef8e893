"""What several losses declare alike."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.losses.base import Domain, Input, Inputs, Params
from lossviz.losses.board import Board

REAL: Final = Domain("real")

KERAS_LAST_AXIS: Final = (
    "Keras averages over the last axis first and takes the target first; [:, None] makes each number a row of its own."
)

REGRESSION_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "..."), REAL, "what the model says"),
    Input("target", "target", ("n", "..."), REAL, "what is true"),
)

REGRESSION_BOARD: Final = Board("line", prediction=(-1.5, 0.5, 3.0, 2.0), target=(-2.0, 1.0, 1.0, 2.5))


def residual(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    """Prediction minus target."""
    return {"residual": inputs["prediction"] - inputs["target"]}
