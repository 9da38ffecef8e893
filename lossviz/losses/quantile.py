"""Quantile (pinball) loss."""

from __future__ import annotations

import math

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


def _terms(inputs: Inputs, params: Params) -> Tensor:
    tau: float = params["tau"]
    error = inputs["target"] - inputs["prediction"]
    return tau * error.relu() + (1 - tau) * (-error).relu()


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    tau: float = params["tau"]
    error = inputs["target"] - inputs["prediction"]
    return (1 - tau) * (error < 0).to(error.dtype) - tau * (error > 0).to(error.dtype)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = residual(inputs, params)
    return {**numbers, "case": (numbers["residual"] > 0).to(inputs["prediction"].dtype)}


def _best_constant(target: Tensor, params: Params) -> Tensor:
    """The smallest target that at least the share tau of all targets does not exceed."""
    return target.sort().values[math.ceil(params["tau"] * len(target)) - 1]


LOSS = Loss(
    key="quantile",
    title="Quantile (pinball)",
    task="regression",
    position=6,
    summary="The distance to the target, with one price for predicting too low and another for predicting too high.",
    notice=(
        "With tau 0.9 a prediction that is 0.5 too low costs 0.45 before averaging, one that is 0.5 too high only "
        "0.05. So the best prediction is one that 9 of 10 targets stay below. Set tau to 0.5: both sides cost the "
        "same, and the loss is half the absolute error."
    ),
    use_when=(
        "Too low and too high do not cost the same, such as too little stock against too much, or you want "
        "an interval: one model for its lower end, one for its upper."
    ),
    avoid_when="You want the expected value, or all quantiles at once from one model without crossing.",
    aliases=("pinball loss", "pinball", "quantile regression loss", "check loss", "tick loss", "tilted absolute error"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        Parameter(
            "tau",
            r"\tau",
            0.9,
            0.0,
            1.0,
            0.05,
            "Share of the targets that should lie below the prediction.",
            low_open=True,
            high_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\max(\tau\,(y_i - \hat y_i),\ (\tau - 1)\,(y_i - \hat y_i))",
    gradient_formula=(
        r"\begin{cases} -\tau & \hat y_i < y_i \\ 0 & \hat y_i = y_i \text{ (by convention)} \\"
        r" 1 - \tau & \hat y_i > y_i \end{cases}"
    ),
    worked=(
        "{tau} · ({target} − {prediction})",
        "(1 − {tau}) · ({prediction} − {target})",
    ),
    board=REGRESSION_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch=(
            "error = target - prediction\n"
            "terms = {tau} * error.relu() + (1 - {tau}) * (-error).relu()\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "error = target - prediction\n"
            "terms = {tau} * keras.ops.relu(error) + (1 - {tau}) * keras.ops.relu(-error)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no quantile loss; these lines can stand in a loss function of one's own.",
    ),
    minimiser="The tau-quantile of the targets: tau 0.5 gives the median.",
    pitfalls=(
        Pitfall(
            "One model with one tau predicts one quantile. An interval needs two, and they can cross. The "
            "starting example costs 0.2875 with tau 0.9 and 0.5875 with tau 0.1; taken together, "
            "the slopes push the predictions up with tau 0.9 and down with tau 0.1.",
            parameters={"tau": 0.1},
        ),
        Pitfall(
            "At tau 0.5 it is half the mean absolute error, so its values are half as large: 0.4375 here, "
            "where the absolute error gives 0.875.",
            parameters={"tau": 0.5},
        ),
        Pitfall(
            "Like the absolute error it has a corner at the target, and a fixed learning rate does not settle. "
            "Here Prediction 1 lies on its target: just below it the slope is −0.225, just above 0.025.",
            state={"prediction": [-2.0, 0.5, 3.0, 2.0]},
        ),
    ),
    relatives=(
        Relative("mae", "twice this loss with tau 0.5"),
        Relative("expectile", "weighs the two sides of the squared error instead"),
        Relative("gaussian_nll", "predicts the spread as a number"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Tau is the share of targets that should lie below: too low and too high get prices of their own.",
            labels=("any_number",),
            trouble=("uneven_costs",),
        ),
        Suit(
            predicts="number",
            reason="Two models, one for a low and one for a high tau, give an interval without assuming a bell curve.",
            labels=("any_number",),
            wants=("spread",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Koenker, Bassett (1978): Regression Quantiles, Econometrica 46(1), 33-50",
        "https://scikit-learn.org/stable/modules/model_evaluation.html#pinball-loss",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, mean_pinball_loss", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 0.2875),
        Golden(
            "scikit-learn 1.9.1, mean_pinball_loss",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            0.3125,
            "mean",
            {"tau": 0.25},
        ),
    ),
    errors=(
        *REGRESSION_ERRORS,
        ErrorCase([1.0], [1.0], "(0, 1)", {"tau": 1.0}),
        ErrorCase([1.0], [1.0], "(0, 1)", {"tau": 0}),
    ),
    kinks="At the target the slope of a term jumps from −tau to 1 − tau.",
    derived=_derived,
    derived_labels=RESIDUAL_LABELS,
    best_constant=_best_constant,
    invariances=(Invariance("Adding the same number to prediction and target changes nothing.", shift_both),),
)
