"""Smooth L1 loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from lossviz.losses._shared import (
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
    use_when=(
        "You predict numbers such as the offsets of boxes, and want the absolute error without its corner; "
        "a slope of at most 1 keeps steps even."
    ),
    avoid_when=(
        "You want to tune how much outliers pull: here beta only moves where the corner ends, Huber's "
        "delta sets the largest slope."
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
        Pitfall(
            "It is not Huber's loss unless beta is 1: Huber's loss is beta times as large, and so is its "
            "gradient. With beta 2 the starting example costs 0.297, Huber's loss with delta 2 gives 0.594.",
            parameters={"beta": 2.0},
        ),
        Pitfall(
            "A larger beta makes every value smaller, so losses with different betas cannot be compared. With "
            "beta 4 the starting example costs 0.148, with beta 1 0.469, although no prediction has moved.",
            parameters={"beta": 4.0},
        ),
        Pitfall(
            "Beta is in the target's unit: after rescaling the targets it must be rescaled too. The starting "
            "example in centimetres, with beta still 1, costs 87, nearly its mean absolute error of 87.5: "
            "nothing of the smooth part is left.",
            state={"prediction": [-150.0, 50.0, 300.0, 200.0], "target": [-200.0, 100.0, 100.0, 250.0]},
        ),
    ),
    relatives=(
        Relative("huber", "beta times this loss, with delta = beta"),
        Relative("mae", "what remains as beta goes to 0"),
        Relative("log_cosh", "has a rounded corner, too, without a parameter"),
        Relative("giou", "compares boxes as a whole instead of their offsets"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason=(
                "It is the absolute error with a smooth bottom: outliers pull with a slope of 1 and training settles."
            ),
            labels=("any_number",),
            trouble=("outliers",),
            wants=("best_value",),
        ),
    ),
    properties=("convex", "robust"),
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
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
