"""What several losses declare alike."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.boards import binary, line
from lossviz.losses.base import Domain, ErrorCase, Fit, Input, Inputs, Params

REAL: Final = Domain("real")

KERAS_LAST_AXIS: Final = (
    "Keras averages over the last axis first and takes the target first; [:, None] makes each number a row of its own."
)

REGRESSION_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "..."), REAL, "what the model says"),
    Input("target", "target", ("n", "..."), REAL, "what is true"),
)

REGRESSION_BOARD: Final = line(prediction=(-1.5, 0.5, 3.0, 2.0), target=(-2.0, 1.0, 1.0, 2.5))


REGRESSION_FITS: Final = (Fit("regression", "identity", "value"),)
BINARY_SCORE_FITS: Final = (Fit("binary", "identity", "zero_one"),)
MARGIN_FITS: Final = (Fit("binary", "identity", "plus_minus"),)

RESIDUAL_LABELS: Final = {"residual": "Residual"}

REGRESSION_ERRORS: Final = (
    ErrorCase([1.0, 2.0], [1.0], "shape"),
    ErrorCase([[1.0], [2.0]], [1.0, 2.0], "shape"),
    ErrorCase([float("nan")], [1.0], "finite"),
    ErrorCase([1.0], [float("inf")], "finite"),
)

MARGIN_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "..."), REAL, "raw score; its sign is the predicted label"),
    Input(
        "target",
        "target",
        ("n", "..."),
        Domain("labels", values=(-1.0, 1.0)),
        "label, −1 or +1",
        differentiable=False,
    ),
)
MARGIN_ERRORS: Final = (
    ErrorCase([0.5], [0.0], "one of -1, +1"),
    ErrorCase([0.5], [2.0], "one of -1, +1"),
    ErrorCase([0.5, 0.5], [1.0], "shape"),
    ErrorCase([float("inf")], [1.0], "finite"),
)
MARGIN_LABELS: Final = {"margin": "Margin"}
MARGIN_BOARD: Final = binary(
    prediction=(0.3, -2.0, 0.5, -1.5),
    target=(1.0, -1.0, -1.0, 1.0),
    labels=(-1.0, 1.0),
    snap=lambda label: (label,),
)


def swap_roles(inputs: Inputs) -> Inputs:
    """Prediction and target exchanged."""
    return {"prediction": inputs["target"], "target": inputs["prediction"]}


def shift_both(inputs: Inputs) -> Inputs:
    """Prediction and target moved by the same distance."""
    return {name: value + 0.75 for name, value in inputs.items()}


def flip_signs(inputs: Inputs) -> Inputs:
    """Scores and labels with the opposite sign."""
    return {name: -value for name, value in inputs.items()}


def margin(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    """Label times score: above 0 where the sign is right."""
    return {"margin": inputs["target"] * inputs["prediction"]}


def residual(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    """Prediction minus target."""
    return {"residual": inputs["prediction"] - inputs["target"]}
