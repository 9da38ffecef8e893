"""Huber loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from lossviz.losses._shared import (
    KERAS_LAST_AXIS,
    REGRESSION_BOARD,
    REGRESSION_ERRORS,
    REGRESSION_FITS,
    REGRESSION_INPUTS,
    RESIDUAL_LABELS,
    residual,
    shift_both,
    swap_roles,
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
    return F.huber_loss(inputs["prediction"], inputs["target"], reduction="none", delta=params["delta"])


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    return (inputs["prediction"] - inputs["target"]).clamp(-params["delta"], params["delta"])


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = residual(inputs, params)
    return {**numbers, "case": (numbers["residual"].abs() > params["delta"]).to(inputs["prediction"].dtype)}


LOSS = Loss(
    key="huber",
    title="Huber",
    task="regression",
    position=3,
    summary="Half the squared error for small errors, a straight line for large ones, so that outliers weigh less.",
    notice=(
        "Prediction 3 is 2 away from its target and delta is 1: it lies on the straight part and makes 0.375 of the "
        "whole loss of 0.469. Raise delta to 2: now it counts as half its square, and its share grows to 0.5. "
        "On the straight part the slope no longer grows with the error."
    ),
    use_when=(
        "You predict a number, most errors are small and a few are large: you want the mean of the former "
        "and little influence of the latter."
    ),
    avoid_when=(
        "You do not know from which size on an error is an outlier, or the large errors are the ones that matter."
    ),
    aliases=("HuberLoss", "Huber loss", "Huber function"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        Parameter(
            "delta",
            r"\delta",
            1.0,
            0.0,
            1000.0,
            0.1,
            "Size of the error at which the square turns into a straight line.",
            low_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} \tfrac12 e_i^2 & |e_i| \le \delta \\ \delta\,(|e_i| - \tfrac12 \delta) & \text{otherwise}"
        r"\end{cases}, \quad e_i = \hat y_i - y_i"
    ),
    gradient_formula=r"\max(-\delta, \min(e_i, \delta))",
    worked=(
        "½ · ({prediction} − {target})²",
        "{delta} · (|{prediction} − {target}| − ½ · {delta})",
    ),
    board=REGRESSION_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch="loss = F.huber_loss(prediction, target, reduction={reduction!r}, delta={delta})",
        keras=(
            "huber = keras.losses.Huber(delta={delta}, reduction={keras_reduction!r})\n"
            "loss = huber(target[:, None], prediction[:, None])"
        ),
        keras_note=KERAS_LAST_AXIS,
    ),
    minimiser=(
        "No closed form: where the errors, each cut off at ±delta, add up to 0. Near the median for a small delta, "
        "the mean for a large one."
    ),
    pitfalls=(
        Pitfall(
            "Within delta it is half the squared error: mind the ½ when comparing values. Prediction 1 is 0.5 "
            "away from its target and makes 0.125 of the sum, where the squared error makes 0.25.",
            reduction="sum",
        ),
        Pitfall(
            "Delta is in the target's unit: after rescaling the targets it must be rescaled too. The starting "
            "example in centimetres, with delta still 1, has all predictions on the straight part: the loss of "
            "87 is the mean absolute error of 87.5, less 0.5.",
            state={"prediction": [-150.0, 50.0, 300.0, 200.0], "target": [-200.0, 100.0, 100.0, 250.0]},
        ),
        Pitfall(
            "PyTorch's SmoothL1Loss is another function: Huber's loss divided by delta, with beta = delta. "
            "With delta 2 the starting example costs 0.594; smooth L1 with beta 2 gives 0.297.",
            parameters={"delta": 2.0},
        ),
    ),
    relatives=(
        Relative("smooth_l1", "the same curve divided by delta"),
        Relative("pseudo_huber", "the same idea as one smooth formula"),
        Relative("log_cosh", "nearly Huber with delta 1, without cases"),
        Relative("tukey_biweight", "goes further: beyond a distance outliers do not pull at all"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason=(
                "Small errors count squared and large ones by their distance, so it settles like the squared error "
                "and bears outliers."
            ),
            labels=("any_number",),
            trouble=("outliers",),
            wants=("best_value",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Huber (1964): Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35(1), 73-101",
        "https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html",
    ),
    goldens=(
        Golden("optax 0.2.8, huber_loss", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 0.5625, "mean", {"delta": 1.5}),
        Golden("scipy 1.17.1, special.huber", [2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0], 0.56, "sum", {"delta": 0.4}),
        Golden("Keras 3.15.1, Huber", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 0.46875),
    ),
    errors=(*REGRESSION_ERRORS, ErrorCase([1.0], [1.0], "(0, 1000]", {"delta": 0.0})),
    derived=_derived,
    derived_labels=RESIDUAL_LABELS,
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
