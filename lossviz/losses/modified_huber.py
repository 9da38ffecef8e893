"""Modified Huber loss for classification."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._binary import KERAS_HAS_NONE, score_board
from lossviz.losses._shared import MARGIN_ERRORS, MARGIN_FITS, MARGIN_INPUTS, MARGIN_LABELS, flip_signs, margin
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    m = inputs["target"] * inputs["prediction"]
    return torch.where(m >= -1, (1 - m).relu() ** 2, -4 * m)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    y = inputs["target"]
    return -2 * y * (1 - y * inputs["prediction"]).clamp(0.0, 2.0)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = margin(inputs, params)
    return {**numbers, "case": (numbers["margin"] < -1).to(inputs["prediction"].dtype)}


LOSS = Loss(
    key="modified_huber",
    title="Modified Huber",
    task="binary",
    position=9,
    summary="The squared hinge, but from a margin of −1 on a straight line, so that bad mistakes weigh less.",
    notice=(
        "Score 3 has margin −0.5 and costs 2.25 before averaging, as with the squared hinge. Score 4 has margin −1.5: "
        "it lies on the straight part and costs 6, where the squared hinge asks 6.25. Drag it to −5: it costs 20 "
        "instead of 36, and its slope stays at −1."
    ),
    use_when=(
        "You want the smooth margin of the squared hinge, some labels may be wrong, and rough probabilities are "
        "welcome."
    ),
    avoid_when="You need well calibrated probabilities, or the gentlest treatment of outliers that a margin allows.",
    aliases=("modified Huber loss", "robust squared hinge", "quadratically smoothed classification loss"),
    inputs=MARGIN_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\begin{cases} \max(0,\ 1 - y_i s_i)^2 & y_i s_i \ge -1 \\ -4\, y_i s_i & \text{otherwise} \end{cases}",
    gradient_formula=r"-2\, y_i \max(0,\ \min(1 - y_i s_i,\ 2))",
    worked=("max(0, 1 − {target} · {prediction})²", "−4 · {target} · {prediction}"),
    board=score_board(lines=(-1.0, 1.0)),
    fits=MARGIN_FITS,
    code=Code(
        torch=(
            "margin = target * prediction\n"
            "terms = torch.where(margin >= -1, (1 - margin).relu() ** 2, -4 * margin)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "margin = target * prediction\n"
            "terms = keras.ops.where(margin >= -1, keras.ops.relu(1 - margin) ** 2, -4 * margin)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note=KERAS_HAS_NONE,
    ),
    minimiser="The mean of the labels −1 and +1: two times the share of +1, less 1.",
    pitfalls=(
        Pitfall(
            "It is not Huber's loss: that one is for numbers and flattens on both sides of the target. For label +1 "
            "and the score 3 here Huber's loss would ask 1.5; this one is 0, because 3 is safely right.",
            state={"prediction": [3.0], "target": [1.0]},
        ),
        Pitfall(
            "It bounds the pull of an outlier, but at four times that of the hinge: Score 4 with margin −9 costs 36 "
            "before averaging. The hinge asks 10, the squared hinge 100.",
            state={"prediction": [0.3, -2.0, 0.5, -9.0]},
        ),
        Pitfall(
            "Its probabilities are rough: scikit-learn adds 1 to the score, halves it and keeps it between 0 and 1, so "
            "every score beyond the margins becomes a certainty. Three of these four labels are +1, and the slopes "
            "balance at a score of 0.5, a probability of 0.75.",
            state={"prediction": [0.5, 0.5, 0.5, 0.5], "target": [1.0, 1.0, 1.0, -1.0]},
        ),
    ),
    relatives=(
        Relative("squared_hinge", "the same without the straight part"),
        Relative("hinge", "straight from the margin on, with a corner"),
        Relative("huber", "the same idea for numbers"),
        Relative("soft_margin", "smooth too, with better probabilities"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It asks for a margin, has no corner, and a wrong label pulls with a limited force.",
            labels=("hard",),
            trouble=("noisy_labels", "outliers"),
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Zhang (2004): Solving Large Scale Linear Prediction Problems Using Stochastic Gradient Descent Algorithms, "
        "ICML",
        "https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.SGDClassifier.html",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, SGDClassifier's ModifiedHuber",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            2.185,
        ),
        Golden(
            "scikit-learn 1.9.1, SGDClassifier's ModifiedHuber summed",
            [-1.2, 0.4, 2.3],
            [1.0, 1.0, -1.0],
            14.36,
            "sum",
        ),
    ),
    errors=MARGIN_ERRORS,
    derived=_derived,
    derived_labels=MARGIN_LABELS,
    best_constant=lambda target, _: target.mean(),
    invariances=(Invariance("Turning the signs of score and label around changes nothing.", flip_signs),),
)
