"""Squared hinge loss."""

from __future__ import annotations

from torch import Tensor

from lossviz.losses._shared import (
    MARGIN_BOARD,
    MARGIN_ERRORS,
    MARGIN_FITS,
    MARGIN_INPUTS,
    MARGIN_LABELS,
    flip_signs,
    margin,
)
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return (1 - inputs["target"] * inputs["prediction"]).relu() ** 2


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    y = inputs["target"]
    return -2 * y * (1 - y * inputs["prediction"]).relu()


LOSS = Loss(
    key="squared_hinge",
    title="Squared hinge",
    task="binary",
    position=4,
    summary="The square of what a score lacks to a margin of 1: bad mistakes weigh more, and the corner is gone.",
    notice=(
        "Score 4 lacks 2.5 to its margin and costs 6.25 before averaging, where the hinge asks 2.5; Score 1 lacks 0.7 "
        "and costs 0.49, less than the 0.7 of the hinge. Drag Score 1 towards 1: the slope fades to 0 instead of "
        "jumping."
    ),
    use_when=("As for the hinge, where the optimiser should find a smooth curve and bad mistakes should weigh more."),
    avoid_when=(
        "Some labels are wrong: a single confident mistake counts squared. For probabilities take binary cross-entropy."
    ),
    aliases=("squared hinge loss", "L2-SVM loss", "quadratic hinge"),
    inputs=MARGIN_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\max(0,\ 1 - y_i s_i)^2",
    gradient_formula=r"-2\, y_i \max(0,\ 1 - y_i s_i)",
    worked=("max(0, 1 − {target} · {prediction})²",),
    board=MARGIN_BOARD,
    fits=MARGIN_FITS,
    code=Code(
        torch="terms = (1 - target * prediction).relu() ** 2\nloss = terms.{reduction}()",
        keras=(
            "squared_hinge = keras.losses.SquaredHinge(reduction={keras_reduction!r})\n"
            "loss = squared_hinge(target[:, None], prediction[:, None])"
        ),
        keras_note="Keras also takes labels 0 and 1 and turns 0 into −1; the formula itself does not.",
    ),
    minimiser="The mean of the labels −1 and +1: two times the share of +1, less 1.",
    pitfalls=(
        Pitfall(
            "The labels are −1 and +1. A label 0 would make label times score 0 whatever the score: the loss "
            "would stay at 1, as it is here where all scores are 0, and with a slope of 0 nothing would be "
            "learnt. Here it is refused.",
            state={"prediction": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "One badly wrong sample outweighs many good ones, because what it lacks counts squared. Score 4 "
            "lacks 10 to its margin and makes 25 of the whole loss of 25.685; the hinge would charge 2.5 for "
            "it.",
            state={"prediction": [0.3, -2.0, 0.5, -9.0]},
        ),
        Pitfall(
            "The prediction is a raw score, not a probability. As probabilities these four would all be right, "
            "yet the labels −1 cost 1.21 and 1.44 before averaging.",
            state={"prediction": [0.9, 0.1, 0.2, 0.8]},
        ),
    ),
    relatives=(
        Relative("hinge", "a straight line instead of the square: outliers pull less"),
        Relative("modified_huber", "the same near the margin, a line for bad mistakes"),
        Relative("mse", "on labels −1 and +1 it punishes scores beyond the margin as well"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It asks for a margin like the hinge, and its slope fades smoothly as the margin is reached.",
            labels=("hard",),
            wants=("margin",),
        ),
    ),
    properties=("convex",),
    references=(
        "Tang (2013): Deep Learning using Linear Support Vector Machines, arXiv:1306.0239",
        "https://keras.io/api/losses/hinge_losses/#squaredhinge-class",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, SGDClassifier's SquaredHinge summed",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            8.99,
            "sum",
        ),
        Golden("optax 0.2.8, hinge_loss squared", [0.3, -2.0, 0.5, -1.5], [1.0, -1.0, -1.0, 1.0], 2.2475),
    ),
    errors=MARGIN_ERRORS,
    derived=margin,
    derived_labels=MARGIN_LABELS,
    best_constant=lambda target, _: target.mean(),
    invariances=(Invariance("Turning the signs of score and label around changes nothing.", flip_signs),),
)
