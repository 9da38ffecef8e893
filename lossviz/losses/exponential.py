"""Exponential loss, the loss of AdaBoost."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._binary import KERAS_HAS_NONE, score_board
from lossviz.losses._shared import MARGIN_ERRORS, MARGIN_FITS, MARGIN_INPUTS, MARGIN_LABELS, flip_signs, margin
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return torch.exp(-inputs["target"] * inputs["prediction"])


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    y = inputs["target"]
    return -y * torch.exp(-y * inputs["prediction"])


def _best_constant(target: Tensor, _: Params) -> Tensor:
    return 0.5 * ((target > 0).sum() / (target < 0).sum()).log().to(target.dtype)


LOSS = Loss(
    key="exponential",
    title="Exponential",
    task="binary",
    position=7,
    summary="How wrong a score is for a label of −1 or +1, where each further unit multiplies the cost by 2.718.",
    notice=(
        "Score 4 has margin −1.5 and costs 4.482 before averaging: nearly two thirds of the whole sum of 7.007. Drag "
        "it to −2.5: one unit further and it costs 12.182, 2.718 times as much. The slope of a term is as large as the "
        "term itself, so the worst sample pulls hardest by far."
    ),
    use_when=(
        "You boost weak learners as AdaBoost does: minimising it one learner at a time gives exactly AdaBoost's "
        "sample weights."
    ),
    avoid_when="Labels may be wrong, there are outliers, or a deep network is trained: single samples take over.",
    aliases=("exponential loss", "AdaBoost loss", "boosting loss"),
    inputs=MARGIN_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"e^{-y_i s_i}",
    gradient_formula=r"-y_i\, e^{-y_i s_i}",
    worked=("exp(−({target} · {prediction}))",),
    board=score_board(),
    fits=MARGIN_FITS,
    code=Code(
        torch="terms = torch.exp(-target * prediction)\nloss = terms.{reduction}()",
        keras="loss = keras.ops.{reduction}(keras.ops.exp(-target * prediction))",
        keras_note=KERAS_HAS_NONE,
    ),
    minimiser=(
        "Half the logarithm of the number of labels +1 over the number of labels −1: half the log-odds of label +1."
    ),
    pitfalls=(
        Pitfall(
            "One outlier takes over: Score 4 has margin −5 and costs 148.413, 98% of the whole sum "
            "of 150.938. The hinge would ask 6 for it.",
            state={"prediction": [0.3, -2.0, 0.5, -5.0]},
            reduction="sum",
        ),
        Pitfall(
            "A wrong label is fatal. Three scores have margin 2 and a slope of 0.034 in size each; the fourth label "
            "is wrong, and its slope is 1.847, 18 times that of the other three together.",
            state={"prediction": [2.0, -2.0, -2.0, 2.0], "target": [1.0, -1.0, -1.0, -1.0]},
        ),
        Pitfall(
            "It overflows. Score 1 with margin −700 makes the loss a number with 304 digits, and at −710 float64 "
            "holds no more: the loss and the slope are infinite. In float32 that begins at −89.",
            state={"prediction": [-700.0, -2.0, 0.5, -1.5]},
        ),
        Pitfall(
            "The sigmoid of the score is no probability, because the best score is half the log-odds. Three of these "
            "four labels are +1, and the slopes balance at a score of 0.5493; the sigmoid of twice that is 0.75.",
            state={
                "prediction": [0.5493061443340549] * 4,
                "target": [1.0, 1.0, 1.0, -1.0],
            },
        ),
    ),
    relatives=(
        Relative("soft_margin", "grows like a straight line for mistakes, so that it stands wrong labels"),
        Relative("hinge", "leaves safe scores alone"),
        Relative("zero_one", "what it bounds from above: it is never below the number of mistakes"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="Boosting with it gives AdaBoost's weights in closed form; the labels have to be clean.",
            labels=("hard",),
            wants=("margin",),
        ),
    ),
    properties=("convex",),
    references=(
        "Freund, Schapire (1997): A Decision-Theoretic Generalization of On-Line Learning and an Application to "
        "Boosting, Journal of Computer and System Sciences 55(1), 119-139",
        "Friedman, Hastie, Tibshirani (2000): Additive Logistic Regression: A Statistical View of Boosting, Annals of "
        "Statistics 28(2), 337-407",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, ExponentialLoss averaged",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            1.751640961239131,
        ),
        Golden(
            "scikit-learn 1.9.1, ExponentialLoss summed",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            7.006563844956524,
            "sum",
        ),
    ),
    errors=MARGIN_ERRORS,
    derived=margin,
    derived_labels=MARGIN_LABELS,
    best_constant=_best_constant,
    overflow="A margin below −709 costs more than float64 can hold, one below −88 more than float32: it is infinite.",
    invariances=(Invariance("Turning the signs of score and label around changes nothing.", flip_signs),),
)
