"""Mean absolute error."""

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
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return F.l1_loss(inputs["prediction"], inputs["target"], reduction="none")


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return (inputs["prediction"] - inputs["target"]).sign()


LOSS = Loss(
    key="mae",
    title="Mean absolute error",
    task="regression",
    position=2,
    summary="The average distance between prediction and target.",
    notice=(
        "The board starts at 0.875. Prediction 3 is four times as far off as the others, yet its slope is no larger: "
        "every prediction has the slope 0.25 or −0.25, which is 1 divided by 4 predictions. So a step of gradient "
        "descent has the same length near the target as far from it: with a learning rate of 1.2 each prediction "
        "moves 0.3, and in the end all four jump to and fro around their targets."
    ),
    use_when="You predict a number and want the typical one, the median; a few targets may be far off.",
    avoid_when=(
        "Training should settle exactly with a fixed learning rate, or the mean matters, such as for "
        "totals and averages."
    ),
    aliases=("MAE", "L1", "L1Loss", "L1 loss", "absolute error", "least absolute deviations"),
    inputs=REGRESSION_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"|\hat y_i - y_i|",
    gradient_formula=r"\operatorname{sign}(\hat y_i - y_i)",
    worked=("|{prediction} − {target}|",),
    board=REGRESSION_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch="loss = F.l1_loss(prediction, target, reduction={reduction!r})",
        keras=(
            "absolute_error = keras.losses.MeanAbsoluteError(reduction={keras_reduction!r})\n"
            "loss = absolute_error(target[:, None], prediction[:, None])"
        ),
        keras_note=KERAS_LAST_AXIS,
    ),
    minimiser="The median of the targets (with an even number of them, anything between the middle two).",
    pitfalls=(
        Pitfall(
            "The slope does not shrink near the target, so a fixed learning rate jumps to and fro instead of "
            "settling. Here Prediction 1 is 0.1 away from its target and Prediction 3 is 2 away: both have the "
            "slope 0.25.",
            state={"prediction": [-1.9, 0.5, 3.0, 2.0]},
        ),
        Pitfall(
            "It has no slope at the target itself. Here Prediction 1 lies on its target: just below it the "
            "slope is −0.25, just above 0.25, and PyTorch takes 0.",
            state={"prediction": [-2.0, 0.5, 3.0, 2.0]},
        ),
        Pitfall(
            "It aims at the median, not at the mean. Three targets are 0 and one is 10: predicting 0 for all "
            "of them costs 2.5, predicting their mean of 2.5 would cost 3.75. So on skewed targets the "
            "predictions are too low or too high on average.",
            state={"prediction": [0.0, 0.0, 0.0, 0.0], "target": [0.0, 0.0, 0.0, 10.0]},
        ),
    ),
    relatives=(
        Relative("mse", "squares the distance: aims at the mean and settles, but follows outliers"),
        Relative("huber", "rounds the corner at the target off"),
        Relative("quantile", "two prices for too low and too high; with tau 0.5 it is half this loss"),
        Relative("epsilon_insensitive", "lets small errors go free"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Every error pulls with the same force, however large it is, so outliers cannot take over.",
            labels=("any_number",),
            trouble=("outliers",),
            wants=("best_value",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Hastie, Tibshirani, Friedman (2009): The Elements of Statistical Learning, section 10.6",
        "https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, mean_absolute_error", [2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0], 0.5),
        Golden("Keras 3.15.1, MeanAbsoluteError", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 3.5, "sum"),
    ),
    errors=REGRESSION_ERRORS,
    kinks="At the target the slope of a term jumps from −1 to 1.",
    derived=residual,
    derived_labels=RESIDUAL_LABELS,
    best_constant=lambda target, _: target.quantile(0.5),
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
