"""Soft margin loss: the logistic loss for labels -1 and +1."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._binary import minus_log_sigmoid, score_board
from lossviz.losses._shared import MARGIN_ERRORS, MARGIN_FITS, MARGIN_INPUTS, MARGIN_LABELS, flip_signs, margin
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Golden,
    Inputs,
    Invariance,
    Loss,
    Naive,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return minus_log_sigmoid(inputs["target"] * inputs["prediction"])


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    y = inputs["target"]
    return -y * torch.sigmoid(-y * inputs["prediction"])


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = margin(inputs, params)
    # From there on the logarithm is minus the margin to the last digit, and the exponential would overflow at last.
    return {**numbers, "case": (numbers["margin"] < -40).to(inputs["prediction"].dtype)}


def _best_constant(target: Tensor, _: Params) -> Tensor:
    return ((target > 0).sum() / (target < 0).sum()).log().to(target.dtype)


LOSS = Loss(
    key="soft_margin",
    title="Soft margin",
    task="binary",
    position=6,
    summary="How surprised a score is by a label of −1 or +1; it falls smoothly as the score gets safer.",
    notice=(
        "Score 1 is right with margin 0.3 and costs 0.554 before averaging; Score 2 is right with margin 2 and costs "
        "0.127. Drag Score 2 to −5: the cost falls to 0.007 but is never 0. Drag Score 4 further to the wrong side: "
        "its cost grows like a straight line, and its slope comes near −0.25 and stays there."
    ),
    use_when=(
        "Your labels are −1 and +1 and you want the smooth, convex loss of logistic regression, with a score that "
        "the sigmoid turns into a probability."
    ),
    avoid_when="Samples that are safely right should have no say at all, or labels are soft or weighted.",
    aliases=("SoftMarginLoss", "logistic loss for labels −1 and +1", "binomial deviance"),
    inputs=MARGIN_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\ln\left(1 + e^{-y_i s_i}\right)",
    gradient_formula=r"-y_i\,\sigma(-y_i s_i) = \frac{-y_i}{1 + e^{\,y_i s_i}}",
    worked=("ln(1 + exp(−({target} · {prediction})))", "−({target} · {prediction})"),
    board=score_board(),
    fits=MARGIN_FITS,
    code=Code(
        torch=(
            "# F.soft_margin_loss is the same where the margin is above -709; below it is infinite\n"
            "terms = -F.logsigmoid(target * prediction)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
            "loss = cross_entropy((target[:, None] + 1) / 2, prediction[:, None])"
        ),
        keras_note="Keras has it for labels 0 and 1 only, as binary cross-entropy on logits.",
    ),
    minimiser="The logarithm of the number of labels +1 over the number of labels −1: the log-odds of label +1.",
    pitfalls=(
        Pitfall(
            "The labels are −1 and +1. A label 0 would make label times score 0, so the loss would stay at 0.693 "
            "whatever the score, as it is here where all scores are 0. Here it is refused.",
            state={"prediction": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "PyTorch's soft_margin_loss takes the exponential first and overflows: for this score of −800 it returns "
            "infinity with a slope that is not a number, where the true cost is 800 before averaging. In float32 that "
            "begins at −89. F.logsigmoid and binary cross-entropy with logits are safe.",
            state={"prediction": [-800.0, -2.0, 0.5, -1.5]},
        ),
        Pitfall(
            "It never lets go: here all four margins are 5, and the loss is still 0.0067. On data that a line can "
            "separate the weights therefore grow for ever, unless training stops early or large weights cost "
            "something.",
            state={"prediction": [5.0, -5.0, -5.0, 5.0]},
        ),
    ),
    relatives=(
        Relative("bce_with_logits", "the same numbers with labels 0 and 1, and with a weight for label 1"),
        Relative("hinge", "exactly 0 from margin 1 on, with a corner there"),
        Relative("exponential", "the same for safe scores, but mistakes grow exponentially"),
        Relative("multilabel_soft_margin", "the same for several labels at once"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It is logistic regression's loss for labels −1 and +1: smooth, convex and honest in probability.",
            labels=("hard",),
            wants=("probabilities",),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Hastie, Tibshirani, Friedman (2009): The Elements of Statistical Learning, section 10.6",
        "https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, log_loss of the sigmoid",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            0.8391933794185897,
        ),
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy summed",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            3.3567735176743585,
            "sum",
        ),
    ),
    errors=MARGIN_ERRORS,
    derived=_derived,
    derived_labels=MARGIN_LABELS,
    best_constant=_best_constant,
    invariances=(Invariance("Turning the signs of score and label around changes nothing.", flip_signs),),
    naive=Naive(
        "The exponential of a large number is more than a float holds: from a margin of −89 on in float32, of −710 "
        "in float64, the loss is infinite and its slope is not a number.",
        lambda inputs, _: (1 + torch.exp(-inputs["target"] * inputs["prediction"])).log(),
        "(1 + torch.exp(-target * prediction)).log()",
    ),
)
