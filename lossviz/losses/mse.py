"""Mean squared error."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from lossviz.losses.base import MEAN, SUM, Code, Fit, Golden, Inputs, Loss, Params
from lossviz.losses.helpers import (
    KERAS_LAST_AXIS,
    REGRESSION_BOARD,
    REGRESSION_ERRORS,
    REGRESSION_FITS,
    REGRESSION_INPUTS,
    RESIDUAL_LABELS,
    residual,
)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return F.mse_loss(inputs["prediction"], inputs["target"], reduction="none")


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return 2 * (inputs["prediction"] - inputs["target"])


LOSS = Loss(
    key="mse",
    title="Mean squared error",
    task="regression",
    position=1,
    summary="The average of the squared differences between prediction and target.",
    notice=(
        "Drag one prediction twice as far from its target: its share of the loss grows fourfold. "
        "Within a distance of 1 the square is smaller than the distance itself."
    ),
    aliases=("MSE", "L2 loss", "squared error", "quadratic loss"),
    inputs=REGRESSION_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"(\hat y_i - y_i)^2",
    gradient_formula=r"2\,(\hat y_i - y_i)",
    worked=("({prediction} − {target})²",),
    board=REGRESSION_BOARD,
    fits=(*REGRESSION_FITS, Fit("binary", "tanh", "plus_minus")),
    code=Code(
        torch="loss = F.mse_loss(prediction, target, reduction={reduction!r})",
        keras=(
            "squared_error = keras.losses.MeanSquaredError(reduction={keras_reduction!r})\n"
            "loss = squared_error(target[:, None], prediction[:, None])"
        ),
        keras_note=KERAS_LAST_AXIS,
    ),
    minimiser="The mean of the targets.",
    pitfalls=(
        "One outlier outweighs many good predictions, because its error counts squared.",
        "PyTorch's mean divides by the number of all elements, not by the number of samples.",
        "The unit of the value is the square of the target's unit.",
    ),
    references=(
        "Hastie, Tibshirani, Friedman (2009): The Elements of Statistical Learning, section 2.4",
        "https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, mean_squared_error", [2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0], 0.375),
        Golden("optax 0.2.8, squared_error summed", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 4.75, "sum"),
    ),
    errors=REGRESSION_ERRORS,
    derived=residual,
    derived_labels=RESIDUAL_LABELS,
    best_constant=lambda target, _: target.mean(),
)
