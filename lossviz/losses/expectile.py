"""Expectile loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._shared import (
    REGRESSION_BOARD,
    REGRESSION_ERRORS,
    REGRESSION_FITS,
    REGRESSION_INPUTS,
    RESIDUAL_LABELS,
    residual,
    shift_both,
)
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Inputs,
    Invariance,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _weight(error: Tensor, params: Params) -> Tensor:
    tau: float = params["tau"]
    return torch.where(error < 0, error.new_tensor(tau), error.new_tensor(1 - tau))


def _terms(inputs: Inputs, params: Params) -> Tensor:
    error = inputs["prediction"] - inputs["target"]
    return _weight(error, params) * error**2


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    error = inputs["prediction"] - inputs["target"]
    return 2 * _weight(error, params) * error


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = residual(inputs, params)
    return {**numbers, "case": (numbers["residual"] >= 0).to(inputs["prediction"].dtype)}


def _best_constant(target: Tensor, params: Params) -> Tensor:
    """A mean with weight tau for the targets above it: of all ways to split the sorted targets the cheapest one."""
    ordered = target.sort().values
    count = len(ordered)
    above = torch.arange(count)[None, :] >= torch.arange(count + 1)[:, None]
    weight = torch.where(above, ordered.new_tensor(params["tau"]), ordered.new_tensor(1 - params["tau"]))
    candidates = (weight * ordered).sum(1) / weight.sum(1)
    costs = _terms({"prediction": candidates[:, None], "target": ordered[None, :]}, params).sum(1)
    return candidates[costs.argmin()]


LOSS = Loss(
    key="expectile",
    title="Expectile",
    task="regression",
    position=15,
    summary="The squared error, with one price for predicting too low and another for predicting too high.",
    notice=(
        "With tau 0.9 prediction 2 is 0.5 too low and costs 0.225 before averaging; prediction 1 is 0.5 too high and "
        "costs 0.025, nine times less. Drag a prediction through its target: the curve is steeper on the "
        "left, but has no corner. Set tau to 0.5: it is half the squared error."
    ),
    use_when=(
        "Too low and too high cost differently, or you want the upper or lower part of a distribution with a smooth "
        "loss in which far targets count more."
    ),
    avoid_when=(
        "You need to say which share of the targets lies below the prediction (that is the quantile loss), or there "
        "are outliers."
    ),
    aliases=("asymmetric least squares", "asymmetric squared error", "expectile regression loss"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        Parameter(
            "tau",
            r"\tau",
            0.9,
            0.0,
            1.0,
            0.05,
            "Weight of the squared error where the prediction is too low; 1 less tau where it is too high.",
            low_open=True,
            high_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"w_i\,(\hat y_i - y_i)^2, \quad w_i = \begin{cases} \tau & \hat y_i < y_i \\ 1 - \tau & \hat y_i \ge y_i"
        r" \end{cases}"
    ),
    gradient_formula=r"2\,w_i\,(\hat y_i - y_i)",
    worked=("{tau} · ({prediction} − {target})²", "(1 − {tau}) · ({prediction} − {target})²"),
    board=REGRESSION_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch=(
            "weight = torch.full_like(prediction, 1 - {tau})\n"
            "weight[prediction < target] = {tau}\n"
            "terms = weight * (prediction - target) ** 2\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "weight = keras.ops.where(prediction < target, {tau}, 1 - {tau})\n"
            "terms = weight * keras.ops.square(prediction - target)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no expectile loss; these lines can stand in a loss function of one's own.",
    ),
    minimiser=(
        "The tau-expectile of the targets: the mean of the targets in which those above it weigh tau and those below "
        "it 1 less tau. With tau 0.5 it is the mean."
    ),
    pitfalls=(
        Pitfall(
            "The 0.9-expectile is not the 0.9-quantile. Of the targets 0, 1, 2 and 13 it is 10, since far targets "
            "count more; the quantile loss settles on 13.",
            state={"prediction": [10.0, 10.0, 10.0, 10.0], "target": [0.0, 1.0, 2.0, 13.0]},
        ),
        Pitfall(
            "Errors count squared, so one outlier on the dear side rules the fit. A target of 22 instead of 1 makes "
            "324.9 of the sum of 325.375.",
            state={"target": [-2.0, 1.0, 22.0, 2.5]},
            reduction="sum",
        ),
        Pitfall(
            "At tau 0.5 it is half the mean squared error, so its values are half as large: 0.594 for the starting "
            "example instead of 1.188.",
            parameters={"tau": 0.5},
        ),
    ),
    relatives=(
        Relative("quantile", "the same two prices on the distance instead of its square"),
        Relative("mse", "one price for both sides: twice this loss with tau 0.5"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Predicting too low and too high have prices of their own, and the loss stays smooth.",
            labels=("any_number",),
            trouble=("uneven_costs",),
            wants=("best_value",),
        ),
    ),
    properties=("convex",),
    references=(
        "Newey, Powell (1987): Asymmetric Least Squares Estimation and Testing, Econometrica 55(4), 819-847",
        "https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.expectile.html",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, mean_squared_error with sample_weight, times the mean weight",
            [-1.5, 0.5, 3.0, 2.0],
            [-2.0, 1.0, 1.0, 2.5],
            0.21875,
        ),
        Golden(
            "scikit-learn 1.9.1, mean_squared_error with sample_weight, times the weights' sum",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            0.95,
            "sum",
            {"tau": 0.3},
        ),
    ),
    errors=(
        *REGRESSION_ERRORS,
        ErrorCase([1.0], [1.0], "(0, 1)", {"tau": 1.0}),
        ErrorCase([1.0], [1.0], "(0, 1)", {"tau": 0}),
    ),
    derived=_derived,
    derived_labels=RESIDUAL_LABELS,
    best_constant=_best_constant,
    invariances=(Invariance("Adding the same number to prediction and target changes nothing.", shift_both),),
)
