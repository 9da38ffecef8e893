"""Perceptron loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._binary import KERAS_HAS_NONE, score_board
from lossviz.losses._shared import MARGIN_ERRORS, MARGIN_FITS, MARGIN_INPUTS, MARGIN_LABELS, flip_signs, margin
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return (-inputs["target"] * inputs["prediction"]).relu()


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    y = inputs["target"]
    return torch.where(y * inputs["prediction"] < 0, -y, 0.0)


LOSS = Loss(
    key="perceptron",
    title="Perceptron",
    task="binary",
    position=8,
    summary="How far a score lies on the wrong side of 0; every score on the right side costs nothing.",
    notice=(
        "Scores 1 and 2 have the right sign: they cost 0 and have no slope. Score 3 is 0.5 on the wrong side and costs "
        "0.5 before averaging, Score 4 costs 1.5, and both slopes have the same size, 0.25. Drag Score 4 across 0: "
        "the slope jumps from −0.25 to 0, and the score is left just there, without any margin."
    ),
    use_when=(
        "You want the oldest learning rule there is: correct only what is wrong. It suits a first look at how a "
        "linear classifier learns."
    ),
    avoid_when=(
        "You need a margin, a probability or a unique best model: it stops as soon as the signs are right, and a model "
        "whose scores are all 0 costs nothing."
    ),
    aliases=("perceptron loss", "perceptron criterion", "Rosenblatt's loss"),
    inputs=MARGIN_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\max(0,\ -y_i s_i)",
    gradient_formula=r"\begin{cases} -y_i & y_i s_i < 0 \\ 0 & y_i s_i \ge 0 \text{ (at 0 by convention)} \end{cases}",
    worked=("max(0, −({target} · {prediction}))",),
    board=score_board(0.0),
    fits=MARGIN_FITS,
    code=Code(
        torch="terms = (-target * prediction).relu()\nloss = terms.{reduction}()",
        keras="loss = keras.ops.{reduction}(keras.ops.relu(-target * prediction))",
        keras_note=KERAS_HAS_NONE,
    ),
    minimiser=(
        "A score of 0, which costs nothing whatever the labels are; if all labels are alike, any score of their sign "
        "as well."
    ),
    pitfalls=(
        Pitfall(
            "A model that always says 0 is perfect to it: here all scores are 0, the loss is 0 and so is every slope. "
            "Start from weights other than 0, or ask for a margin as the hinge does.",
            state={"prediction": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "It asks for no margin: these scores are right by 0.01 and cost 0. A little noise turns them around; the "
            "hinge would still ask 0.99.",
            state={"prediction": [0.01, -0.01, -0.01, 0.01]},
        ),
        Pitfall(
            "Halving all scores halves the loss without mending a single mistake: it was 0.5, now it is 0.25. A "
            "smaller loss may just mean smaller weights.",
            state={"prediction": [0.15, -1.0, 0.25, -0.75]},
        ),
    ),
    relatives=(
        Relative("hinge", "the same, but asks for a margin of 1"),
        Relative("zero_one", "counts the mistakes instead of measuring them"),
        Relative("soft_margin", "smooth, and with probabilities"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It corrects only what lies on the wrong side, which is the perceptron's learning rule.",
            labels=("hard",),
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Rosenblatt (1958): The Perceptron: A Probabilistic Model for Information Storage and Organization in the "
        "Brain, Psychological Review 65(6), 386-408",
        "Bishop (2006): Pattern Recognition and Machine Learning, section 4.1.7",
    ),
    goldens=(
        Golden("optax 0.2.8, perceptron_loss", [0.3, -2.0, 0.5, -1.5], [1.0, -1.0, -1.0, 1.0], 0.5),
        Golden(
            "scikit-learn 1.9.1, SGDClassifier's Hinge with threshold 0, summed",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            2.0,
            "sum",
        ),
    ),
    errors=MARGIN_ERRORS,
    kinks=(
        "At a score of 0 the slope of a term jumps in size from 1 to 0. At 0 itself it is 0 here; the perceptron "
        "algorithm also corrects there, so that it can start from weights of 0."
    ),
    derived=margin,
    derived_labels=MARGIN_LABELS,
    best_constant=lambda target, _: torch.zeros((), dtype=target.dtype),
    invariances=(Invariance("Turning the signs of score and label around changes nothing.", flip_signs),),
)
