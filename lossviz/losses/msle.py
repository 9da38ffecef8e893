"""Mean squared logarithmic error."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.boards import line
from lossviz.losses._shared import KERAS_LAST_AXIS, swap_roles
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Domain,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Invariance,
    Loss,
    Params,
    Pitfall,
    Relative,
    Suit,
)

ABOVE: Final = Domain("interval", low=-1.0, low_open=True)


def _logarithms(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """ln(1 + prediction) and ln(1 + target); log1p keeps the digits of small numbers."""
    return inputs["prediction"].log1p(), inputs["target"].log1p()


def _terms(inputs: Inputs, _: Params) -> Tensor:
    predicted, true = _logarithms(inputs)
    return (predicted - true) ** 2


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    predicted, true = _logarithms(inputs)
    return 2 * (predicted - true) / (1 + inputs["prediction"])


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    predicted, true = _logarithms(inputs)
    return {"log_ratio": predicted - true}


LOSS = Loss(
    key="msle",
    title="Mean squared logarithmic error",
    task="regression",
    position=9,
    summary="The average squared difference of the logarithms, so that being off by a factor counts, not by an amount.",
    notice=(
        "Prediction 1 is 1 off, prediction 2 is 50 off, and both cost 0.480: each time 1 + target is twice 1 + "
        "prediction. Prediction 3 is as far above its target as prediction 2 is below and costs only 0.164: too low "
        "costs more than too high by the same amount."
    ),
    use_when=(
        "The targets are amounts or counts from 0 that spread over several sizes, such as prices or visitors, and "
        "being off by a factor is what matters. The root of it is reported as RMSLE."
    ),
    avoid_when="Values can be below 0, or an error in a large target should weigh by its amount.",
    aliases=("MSLE", "MeanSquaredLogarithmicError", "mean squared log error", "squared logarithmic error"),
    inputs=(
        Input("prediction", "prediction", ("n", "..."), ABOVE, "what the model says, above −1 and mostly 0 or more"),
        Input("target", "target", ("n", "..."), ABOVE, "what is true, above −1 and mostly 0 or more"),
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\left( \ln(1 + \hat y_i) - \ln(1 + y_i) \right)^2",
    gradient_formula=r"\frac{2}{1 + \hat y_i} \left( \ln(1 + \hat y_i) - \ln(1 + y_i) \right)",
    worked=("(ln(1 + {prediction}) − ln(1 + {target}))²",),
    board=line(prediction=(0.0, 49.0, 149.0, 90.0), target=(1.0, 99.0, 99.0, 100.0), low=0.0),
    code=Code(
        torch="loss = F.mse_loss(prediction.log1p(), target.log1p(), reduction={reduction!r})",
        keras=(
            "logarithmic = keras.losses.MeanSquaredLogarithmicError(reduction={keras_reduction!r})\n"
            "loss = logarithmic(target[:, None], prediction[:, None])"
        ),
        keras_note=KERAS_LAST_AXIS,
    ),
    minimiser="The geometric mean of 1 + target, less 1: the exponential of the mean logarithm.",
    pitfalls=(
        Pitfall(
            "Its best constant is no mean. For the targets 0, 0 and 99 it is 3.64, far below their mean of 33, so sums "
            "of predictions come out too low.",
            state={"prediction": [3.64, 3.64, 3.64], "target": [0.0, 0.0, 99.0]},
        ),
        Pitfall(
            "Far above the target the slope fades: a prediction of 500 for a target of 1 costs 30.51 with a slope of "
            "only 0.022, so a model that starts too high learns slowly.",
            state={"prediction": [500.0], "target": [1.0]},
        ),
        Pitfall(
            "It is defined for numbers above −1 only, and Keras quietly raises negative ones to 0.0000001, where they "
            "have no slope. End the model with softplus or exp. A prediction of 0 for a target of 1 still has the "
            "slope −1.386; in Keras one of −0.5 has none.",
            state={"prediction": [0.0], "target": [1.0]},
        ),
    ),
    relatives=(
        Relative("mse", "on ln(1 + prediction) and ln(1 + target) it is this loss"),
        Relative("mape", "counts by share of the target, without a square"),
        Relative("gamma_deviance", "depends on the ratio alone, and its best constant is the mean"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Logarithms make targets of very different sizes count alike, and targets of 0 are allowed.",
            labels=("positive", "count"),
            trouble=("uneven_costs",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex",),
    references=(
        "Tofallis (2015): A Better Measure of Relative Prediction Accuracy for Model Selection and Model Estimation, "
        "Journal of the Operational Research Society 66(8), 1352-1362",
        "https://scikit-learn.org/stable/modules/model_evaluation.html#mean-squared-logarithmic-error",
        "https://keras.io/api/losses/regression_losses/#meansquaredlogarithmicerror-class",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, mean_squared_log_error", [2.5, 0.0, 2.0, 8.0], [3.0, 0.5, 2.0, 7.0], 0.0490263575494607
        ),
        Golden(
            "scikit-learn 1.9.1, mean_squared_log_error times 4",
            [0.5, 40.0, 3.0, 2.0],
            [2.0, 10.0, 1.0, 2.5],
            2.715673885950215,
            "sum",
        ),
    ),
    errors=(
        ErrorCase([1.0, 2.0], [1.0], "shape"),
        ErrorCase([-1.0], [1.0], "above -1"),
        ErrorCase([0.5], [-2.0], "above -1"),
        ErrorCase([float("nan")], [1.0], "finite"),
    ),
    derived=_derived,
    derived_labels={"log_ratio": "Difference of the logarithms"},
    best_constant=lambda target, _: target.log1p().mean().expm1(),
    invariances=(Invariance("Swapping prediction and target changes nothing.", swap_roles),),
)
