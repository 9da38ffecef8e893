"""Mean absolute percentage error."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from lossviz.boards import line
from lossviz.losses._regression import UNIT_FREE
from lossviz.losses._shared import (
    KERAS_LAST_AXIS,
    REGRESSION_ERRORS,
    REGRESSION_INPUTS,
    RESIDUAL_LABELS,
    residual,
)
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit

LEAST: Final = 1e-7
"""The least size of a target that the error is divided by, as in Keras."""


def _size(target: Tensor) -> Tensor:
    return target.abs().clamp(min=LEAST)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return 100 * (inputs["prediction"] - inputs["target"]).abs() / _size(inputs["target"])


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return 100 * (inputs["prediction"] - inputs["target"]).sign() / _size(inputs["target"])


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {**residual(inputs, params), "size": _size(inputs["target"])}


def _best_constant(target: Tensor, _: Params) -> Tensor:
    """The median of the targets, each weighted by 1 / its size."""
    ordered = target.sort().values
    weight = (1 / _size(ordered)).cumsum(0)
    return ordered[int(torch.searchsorted(weight, weight[-1] / 2))]


LOSS = Loss(
    key="mape",
    title="Mean absolute percentage error",
    task="regression",
    position=7,
    summary="The average size of the errors, each as a percentage of its target.",
    notice=(
        "Predictions 1 and 2 are both 2 away from a target of 10 and cost 20%. Prediction 3 is only 1 off, but its "
        "target is 0.5: it costs 200% and makes 50 of the whole 62.5. Drag target 3 towards 0 and watch the "
        "loss grow without limit."
    ),
    use_when=(
        "The targets are all well above 0 and an error counts by its share, as in sales forecasts, where people think "
        "in per cent."
    ),
    avoid_when=(
        "Some targets are 0 or near it, or may have either sign; or predictions that are too low on average would hurt."
    ),
    aliases=("MAPE", "MeanAbsolutePercentageError", "mean absolute percentage deviation", "MAPD", "relative error"),
    inputs=REGRESSION_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"100\,\frac{|\hat y_i - y_i|}{\max(|y_i|,\, 10^{-7})}",
    gradient_formula=(
        r"\frac{100}{\max(|y_i|,\, 10^{-7})} \begin{cases} -1 & \hat y_i < y_i \\"
        r" 0 & \hat y_i = y_i \text{ (by convention)} \\ 1 & \hat y_i > y_i \end{cases}"
    ),
    worked=("100 · |{prediction} − {target}| / {size}",),
    board=line(prediction=(12.0, 8.0, 1.5, 18.0), target=(10.0, 10.0, 0.5, 20.0)),
    code=Code(
        torch=(
            "size = target.abs().clamp(min=1e-7)\n"
            "terms = 100 * (prediction - target).abs() / size\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "percentage = keras.losses.MeanAbsolutePercentageError(reduction={keras_reduction!r})\n"
            "loss = percentage(target[:, None], prediction[:, None])"
        ),
        keras_note=KERAS_LAST_AXIS,
    ),
    minimiser=(
        "The median of the targets, each weighted by 1 divided by its size: small targets count most, so it lies low."
    ),
    pitfalls=(
        Pitfall(
            "A target of 0 has no percentage. Keras and this board divide by 0.0000001 instead: being 0.5 off "
            "then costs 500,000,000%, and nothing else in the loss counts.",
            state={"prediction": [12.0, 8.0, 0.5, 18.0], "target": [10.0, 10.0, 0.0, 20.0]},
            reduction="sum",
        ),
        Pitfall(
            "It prefers predictions that are too low: for targets above 0 a prediction of 0 costs 100%, but one "
            "that is too high can cost any amount. For the targets 1, 2, 3 and 10 the constant 1, the least of them, "
            "is best with 51.7%; their mean of 4 costs 123.3%.",
            state={"prediction": [1.0, 1.0, 1.0, 1.0], "target": [1.0, 2.0, 3.0, 10.0]},
        ),
        Pitfall(
            "Scikit-learn leaves the factor 100 out: mean_absolute_percentage_error gives 0.625 where Keras and this "
            "board say 62.5."
        ),
    ),
    relatives=(
        Relative("smape", "divides by prediction and target together, so a term cannot exceed 200%"),
        Relative("mae", "the same errors in the unit of the target"),
        Relative("msle", "also counts by ratio, and allows targets of 0"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="It measures errors as people report them, in per cent of the true value.",
            labels=("positive",),
            trouble=("uneven_costs",),
            wants=("best_value",),
        ),
    ),
    properties=("convex",),
    references=(
        "Hyndman, Koehler (2006): Another Look at Measures of Forecast Accuracy, International Journal of Forecasting "
        "22(4), 679-688",
        "de Myttenaere et al. (2016): Mean Absolute Percentage Error for Regression Models, Neurocomputing 192, 38-48",
        "https://keras.io/api/losses/regression_losses/#meanabsolutepercentageerror-class",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, mean_absolute_percentage_error times 100",
            [-1.5, 0.5, 3.0, 2.0],
            [-2.0, 1.0, 1.0, 2.5],
            73.75,
        ),
        Golden(
            "scikit-learn 1.9.1, mean_absolute_percentage_error times 400",
            [2.5, 0.1, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            150.95238095238096,
            "sum",
        ),
    ),
    errors=REGRESSION_ERRORS,
    kinks="At the target the slope of a term jumps from −100 to 100, each divided by the size of the target.",
    derived=_derived,
    derived_labels={**RESIDUAL_LABELS, "size": "Size of the target"},
    best_constant=_best_constant,
    invariances=(UNIT_FREE,),
)
