"""Symmetric mean absolute percentage error."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from lossviz.boards import line
from lossviz.losses._regression import UNIT_FREE
from lossviz.losses._shared import REGRESSION_ERRORS, REGRESSION_INPUTS, RESIDUAL_LABELS, residual, swap_roles
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit

LEAST: Final = 1e-30
"""The least sum of sizes: small enough to count as 0, large enough for its reciprocal in float32."""


def _sizes(inputs: Inputs) -> Tensor:
    """The sizes of prediction and target together, at least `LEAST`, so that 0 / 0 becomes 0."""
    return (inputs["prediction"].abs() + inputs["target"].abs()).clamp(min=LEAST)


def _same_sign(inputs: Inputs) -> Tensor:
    return inputs["prediction"].sign() * inputs["target"].sign() > 0


def _terms(inputs: Inputs, _: Params) -> Tensor:
    # With different signs the quotient is 1 all along; written as a constant it has exactly no slope.
    error = inputs["prediction"] - inputs["target"]
    apart = (error != 0).to(error.dtype)
    return 200 * torch.where(_same_sign(inputs), error.abs() / _sizes(inputs), apart)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    sizes = _sizes(inputs)
    slope = 400 * (inputs["prediction"] - inputs["target"]).sign() * (inputs["target"].abs() / sizes) / sizes
    return slope * _same_sign(inputs)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {**residual(inputs, params), "sizes": _sizes(inputs)}


LOSS = Loss(
    key="smape",
    title="Symmetric mean absolute percentage error",
    task="regression",
    position=8,
    summary="The average size of the errors, each as a percentage of the mean size of prediction and target.",
    notice=(
        "Prediction 1 is 2 too high and costs 18.18%, prediction 2 is 2 too low and costs 22.22%: it is symmetric only "
        "in that prediction and target may swap places. Prediction 4 has the wrong sign: it costs 200%, the most there "
        "is, and has no slope. Drag it above 0 and the slope comes to life."
    ),
    use_when="You compare forecasts in per cent, and no single value may count more than 200%.",
    avoid_when=(
        "You train with it and predictions may start with the wrong sign, since there it has no gradient; or targets "
        "of 0 occur, which always cost 200% unless they are hit exactly."
    ),
    aliases=("SMAPE", "symmetric MAPE", "adjusted MAPE", "symmetric percentage error"),
    inputs=REGRESSION_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"200\,\frac{|\hat y_i - y_i|}{|\hat y_i| + |y_i|}",
    gradient_formula=(
        r"\begin{cases} \operatorname{sign}(\hat y_i - y_i)\, \frac{400\,|y_i|}{(|\hat y_i| + |y_i|)^2} &"
        r" \hat y_i y_i > 0 \\ 0 & \text{otherwise} \end{cases}"
    ),
    worked=("200 · |{prediction} − {target}| / {sizes}",),
    board=line(prediction=(12.0, 8.0, 1.0, -1.0), target=(10.0, 10.0, 4.0, 3.0), snap=lambda target: (target, 0.0)),
    code=Code(
        torch=(
            "sizes = (prediction.abs() + target.abs()).clamp(min=1e-30)  # 0 / 0 becomes 0\n"
            "terms = 200 * (prediction - target).abs() / sizes\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "sizes = keras.ops.maximum(keras.ops.abs(prediction) + keras.ops.abs(target), 1e-30)\n"
            "terms = 200 * keras.ops.abs(prediction - target) / sizes\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no symmetric percentage error; these lines can stand in a loss function of one's own.",
    ),
    minimiser=(
        "No closed form: over the constant it is a curve with several low points, and the lowest has to be searched "
        "for."
    ),
    pitfalls=(
        Pitfall(
            "It is less symmetric than its name. For a target of 10 a prediction of 15 costs 40%, one of 5 costs "
            "66.67%: too low costs more than too high by the same distance.",
            state={"prediction": [15.0, 5.0], "target": [10.0, 10.0]},
            reduction="sum",
        ),
        Pitfall(
            "Where prediction and target have different signs every term is 200 with slope 0, so gradient descent "
            "cannot leave. Here all predictions are stuck at a loss of 200.",
            state={"prediction": [-1.0, -3.0, -0.5, -1.0]},
        ),
        Pitfall(
            "A target of 0 costs 200% for any prediction but 0, be it off by 1 or by 0.01. Where both are 0 the "
            "formula says 0 divided by 0; here that counts as a hit and costs 0.",
            state={"prediction": [1.0, 0.01, 0.0], "target": [0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "Several formulas share this name. Without the factor ½ on the sum of sizes in the denominator the largest "
            "term is 100%: the starting example then gives 45.05 instead of 90.1.",
        ),
    ),
    relatives=(
        Relative("mape", "divides by the target alone and has no upper limit"),
        Relative("mae", "the same errors in the unit of the target"),
        Relative("msle", "depends on the ratio of prediction and target, too, but keeps its slope"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="It is a percentage that no single value can push above 200, which suits reports of forecasts.",
            labels=("positive",),
            trouble=("outliers",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "bounded", "robust"),
    references=(
        "Makridakis (1993): Accuracy Measures: Theoretical and Practical Concerns, International Journal of "
        "Forecasting 9(4), 527-529",
        "Hyndman, Koehler (2006): Another Look at Measures of Forecast Accuracy, International Journal of Forecasting "
        "22(4), 679-688",
    ),
    goldens=(
        Golden(
            "mpmath 1.3.0, formula of Makridakis (1993)",
            [-1.5, 0.5, 3.0, 2.0],
            [-2.0, 1.0, 1.0, 2.5],
            54.365079365079365,
        ),
        Golden(
            "mpmath 1.3.0, formula of Makridakis (1993)",
            [2.5, 0.1, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            231.51515151515151,
            "sum",
        ),
    ),
    errors=REGRESSION_ERRORS,
    kinks=(
        "At the target the slope of a term changes its sign, and where the prediction passes 0 to the other sign than "
        "the target the slope drops to 0."
    ),
    derived=_derived,
    derived_labels={**RESIDUAL_LABELS, "sizes": "Sum of both sizes"},
    invariances=(Invariance("Swapping prediction and target changes nothing.", swap_roles), UNIT_FREE),
)
