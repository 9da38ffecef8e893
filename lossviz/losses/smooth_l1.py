"""Smooth L1 loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from lossviz.losses.base import MEAN, SUM, Code, ErrorCase, Golden, Inputs, Loss, Parameter, Params
from lossviz.losses.helpers import (
    REGRESSION_BOARD,
    REGRESSION_ERRORS,
    REGRESSION_FITS,
    REGRESSION_INPUTS,
    RESIDUAL_LABELS,
    residual,
)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return F.smooth_l1_loss(inputs["prediction"], inputs["target"], reduction="none", beta=params["beta"])


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    beta: float = params["beta"]
    return ((inputs["prediction"] - inputs["target"]) / beta).clamp(-1.0, 1.0)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = residual(inputs, params)
    return {**numbers, "case": (numbers["residual"].abs() >= params["beta"]).to(inputs["prediction"].dtype)}


LOSS = Loss(
    key="smooth_l1",
    title="Smooth L1",
    task="regression",
    position=4,
    summary="The absolute error with its sharp corner at the target rounded off.",
    notice=(
        "With beta 1 it is Huber's loss with delta 1. Set beta to 1.5: the error of 2 at Prediction 3 now costs 1.25 "
        "before averaging, where Huber's loss with delta 1.5 asks 1.875. Far from the target the slope of a term is 1 "
        "in size for every beta; only the rounded part gets wider."
    ),
    aliases=("SmoothL1Loss", "smooth absolute error"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        Parameter(
            "beta",
            r"\beta",
            1.0,
            0.0,
            1000.0,
            0.1,
            "Size of the error below which the corner is rounded off.",
            low_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} \tfrac{1}{2\beta} e_i^2 & |e_i| < \beta \\ |e_i| - \tfrac12 \beta & \text{otherwise}"
        r"\end{cases}, \quad e_i = \hat y_i - y_i"
    ),
    gradient_formula=r"\max(-1, \min(e_i / \beta, 1))",
    worked=(
        "({prediction} − {target})² / (2 · {beta})",
        "|{prediction} − {target}| − ½ · {beta}",
    ),
    board=REGRESSION_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch="loss = F.smooth_l1_loss(prediction, target, reduction={reduction!r}, beta={beta})",
        keras=(
            "huber = keras.losses.Huber(delta={beta}, reduction={keras_reduction!r})\n"
            "loss = huber(target[:, None], prediction[:, None]) / {beta}"
        ),
        keras_note="Keras has no smooth L1 loss of its own: it is Huber's loss divided by its delta.",
    ),
    minimiser=(
        "No closed form: where the errors, each cut off at ±beta, add up to 0. Near the median for a small beta, "
        "the mean for a large one."
    ),
    pitfalls=(
        "It is not Huber's loss unless beta is 1: Huber's loss is beta times as large, and so is its gradient.",
        "A larger beta makes every value smaller, so losses with different betas cannot be compared.",
        "Beta is in the target's unit: after rescaling the targets it must be rescaled too.",
    ),
    references=(
        "Girshick (2015): Fast R-CNN, arXiv:1504.08083",
        "https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html",
    ),
    goldens=(
        Golden(
            "scipy 1.17.1, special.huber divided by beta",
            [-1.5, 0.5, 3.0, 2.0],
            [-2.0, 1.0, 1.0, 2.5],
            0.375,
            "mean",
            {"beta": 1.5},
        ),
        Golden(
            "optax 0.2.8, huber_loss divided by beta",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            1.4000000000000001,
            "sum",
            {"beta": 0.4},
        ),
    ),
    errors=(*REGRESSION_ERRORS, ErrorCase([1.0], [1.0], "(0, 1000]", {"beta": 0.0})),
    derived=_derived,
    derived_labels=RESIDUAL_LABELS,
)
