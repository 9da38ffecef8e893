"""Hinge loss."""

from __future__ import annotations

import torch
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
    return (1 - inputs["target"] * inputs["prediction"]).relu()


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    y = inputs["target"]
    return torch.where(y * inputs["prediction"] < 1, -y, 0.0)


LOSS = Loss(
    key="hinge",
    title="Hinge",
    task="binary",
    position=3,
    summary="What a score lacks to a safe margin of 1 on the right side; zero once it is that safe.",
    notice=(
        "Score 1 is on the right side (0.3 for label +1) and still costs 0.7 before averaging: the loss is 0 only from "
        "margin 1 on. Score 2 has margin 2: it costs nothing and its slope is 0, so gradient descent leaves it alone. "
        "Drag Score 1 across 1: the slope jumps from −0.25 to 0."
    ),
    use_when=(
        "Only the decision counts, such as with a linear classifier, and samples that are safely right "
        "should be left alone."
    ),
    avoid_when="You need probabilities, or labels are noisy: its score has no meaning as a probability.",
    aliases=("hinge loss", "margin loss", "SVM loss", "max-margin loss"),
    inputs=MARGIN_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\max(0,\ 1 - y_i s_i)",
    gradient_formula=r"\begin{cases} -y_i & y_i s_i < 1 \\ 0 & y_i s_i \ge 1 \text{ (at 1 by convention)} \end{cases}",
    worked=("max(0, 1 − {target} · {prediction})",),
    board=MARGIN_BOARD,
    fits=MARGIN_FITS,
    code=Code(
        torch="terms = (1 - target * prediction).relu()\nloss = terms.{reduction}()",
        keras=(
            "hinge = keras.losses.Hinge(reduction={keras_reduction!r})\n"
            "loss = hinge(target[:, None], prediction[:, None])"
        ),
        keras_note="Keras also takes labels 0 and 1 and turns 0 into −1; the formula itself does not.",
    ),
    minimiser="A score of +1 if most labels are +1, of −1 if most are −1, and anything between when there is a tie.",
    pitfalls=(
        Pitfall(
            "The labels are −1 and +1. A label 0 would make label times score 0 whatever the score: the loss "
            "would stay at 1, as it is here where all scores are 0, and with a slope of 0 nothing would be "
            "learnt. Here it is refused.",
            state={"prediction": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "The prediction is a raw score. As probabilities these four would all be right, yet the labels −1 "
            "cost 1.1 and 1.2 before averaging, and the loss is 0.65: a probability can never reach the margin "
            "at −1.",
            state={"prediction": [0.9, 0.1, 0.2, 0.8]},
        ),
        Pitfall(
            "It is often written as a sum: 4.7 for the starting example, where the mean is 1.175. "
            "scikit-learn's LinearSVC sums over the samples, its hinge_loss averages.",
            reduction="sum",
        ),
    ),
    relatives=(
        Relative("squared_hinge", "squares what is lacking: no corner, but outliers pull harder"),
        Relative("perceptron", "the same without a margin"),
        Relative("soft_margin", "a smooth curve that never lets go entirely, with probabilities"),
        Relative("hinge_embedding", "something else in spite of its name: it takes distances of pairs"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It asks for a margin and leaves alone what is safely right, as in support vector machines.",
            labels=("hard",),
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Cortes, Vapnik (1995): Support-Vector Networks, Machine Learning 20, 273-297",
        "Hastie, Tibshirani, Friedman (2009): The Elements of Statistical Learning, section 12.3.2",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, hinge_loss", [0.3, -2.0, 0.5, -1.5], [1.0, -1.0, -1.0, 1.0], 1.175),
        Golden("optax 0.2.8, hinge_loss summed", [0.3, -2.0, 0.5, -1.5], [1.0, -1.0, -1.0, 1.0], 4.7, "sum"),
    ),
    errors=MARGIN_ERRORS,
    kinks="At margin 1 (score +1 for label +1, score −1 for label −1) the slope of a term jumps in size from 1 to 0.",
    derived=margin,
    derived_labels=MARGIN_LABELS,
    best_constant=lambda target, _: target.sum().sign(),
    invariances=(Invariance("Turning the signs of score and label around changes nothing.", flip_signs),),
)
