"""Categorical hinge loss as in Keras."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Bars
from lossviz.losses._multiclass import CLASS_ERRORS, CLASS_FITS, SCORE_INPUTS, SCORE_ROWS, of_label, one_hot
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _others(inputs: Inputs) -> Tensor:
    """The scores with a 0 in the place of the true class."""
    return (1 - one_hot(inputs)) * inputs["prediction"]


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return (1 + _others(inputs).amax(-1) - of_label(inputs, inputs["prediction"])).relu()


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    others, label = _others(inputs), one_hot(inputs)
    # Where several are largest, each takes an equal share of the slope, as in torch's amax.
    largest = (others == others.amax(-1, keepdim=True)).to(others.dtype)
    share = largest / largest.sum(-1, keepdim=True) * (1 - label)
    active = (_terms(inputs, params) > 0).to(others.dtype)
    return active[..., None] * (share - label)


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {"rival": _others(inputs).amax(-1), "label_score": of_label(inputs, inputs["prediction"])}


def _best_constant(target: Tensor, _: Params) -> Tensor:
    share = torch.bincount(target).to(torch.float64) / len(target)
    leader = F.one_hot(share.argmax(), len(share)).to(torch.float64)
    return leader * (share.max() > 0.5)


LOSS = Loss(
    key="categorical_hinge",
    title="Categorical hinge",
    task="multiclass",
    position=5,
    summary="What the true class's score lacks to a lead of 1 over the strongest other class.",
    notice=(
        "Sample 1's true class leads by 1.5: it costs nothing. Sample 2 leads by 0.7 and costs 0.3 before averaging. "
        "In Sample 3 class 0 is ahead by 0.2, so it costs 1.2. Drag a score that is not the largest of the others: "
        "nothing happens, because only the strongest rival counts."
    ),
    use_when="Only the winner counts, and it is enough to keep the strongest rival at a distance.",
    avoid_when=(
        "You need probabilities, or many classes compete at a time: only one rival is pushed back in each step."
    ),
    aliases=("CategoricalHinge", "categorical hinge loss"),
    inputs=SCORE_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\max(0,\ 1 + r_i - s_{i y_i}),\quad r_i = \max\left(0,\ \max_{j \ne y_i} s_{ij}\right)",
    gradient_formula=(
        r"\begin{cases} -1 & c = y_i \\ 1 & s_{ic} = r_i > 0,\ c \ne y_i \\ 0 & \text{otherwise} \end{cases}"
        r" \text{ where the term is above } 0, \text{ else } 0"
    ),
    worked=("max(0, 1 + {rival} − {label_score})",),
    board=Bars(SCORE_ROWS, (0.0, 1.0, 2.0), label="Score", beside=""),
    fits=CLASS_FITS,
    code=Code(
        torch=(
            "label = F.one_hot(target, prediction.shape[1])\n"
            "rival = ((1 - label) * prediction).amax(1)\n"
            "terms = (1 + rival - (label * prediction).sum(1)).relu()\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "hinge = keras.losses.CategoricalHinge(reduction={keras_reduction!r})\n"
            "loss = hinge(keras.ops.one_hot(target, prediction.shape[1]), prediction)"
        ),
        keras_note="Keras takes the target as rows of 0 and 1; PyTorch has no such loss.",
    ),
    minimiser=(
        "A score of 1 for a class that more than half of the samples have and 0 for the others; if there is none, "
        "scores of 0 for all."
    ),
    pitfalls=(
        Pitfall(
            "In Keras's formula the rival is never below 0. Here the true class 0 leads by 2, and yet the sample costs "
            "2, because its own score is −1. So raising all scores by the same amount changes the loss: with 3 more "
            "on each it would be 0. The multi-class margin loss has no such oddity.",
            state={"prediction": [[-1.0, -3.0, -4.0]], "target": [0.0]},
        ),
        Pitfall(
            "Only the strongest rival feels a slope. Classes 1 and 2 are both far too high; class 1 has the slope 1, "
            "class 2 has 0, though it lies only 0.1 below.",
            state={"prediction": [[0.0, 2.0, 1.9]], "target": [0.0]},
        ),
        Pitfall(
            "Behind a softmax it never comes to rest: true classes with the probabilities 0.9, 0.8 and 0.8 still cost "
            "0.15, 0.3 and 0.3 before averaging. It is meant for raw scores.",
            state={"prediction": [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]},
        ),
    ),
    relatives=(
        Relative("multi_margin", "adds up all classes that come too near"),
        Relative("hinge", "the same for two classes"),
        Relative("cross_entropy", "smooth, and with probabilities"),
    ),
    suits=(
        Suit(
            predicts="one_class",
            reason="It asks for a lead of 1 over the strongest rival and nothing else.",
            labels=("hard",),
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Crammer, Singer (2001): On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, Journal "
        "of Machine Learning Research 2, 265-292 (without the 0 in the rival)",
        "https://keras.io/api/losses/hinge_losses/#categoricalhinge-class",
    ),
    goldens=(
        Golden(
            "Keras 3.15.1, CategoricalHinge",
            [[2.5, 1.0, 0.0], [0.5, 1.2, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            0.5,
        ),
        Golden(
            "Keras 3.15.1, CategoricalHinge summed",
            [[-1.0, -3.0, -4.0], [0.5, 1.2, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            3.5,
            "sum",
        ),
    ),
    errors=CLASS_ERRORS,
    kinks=(
        "The slope jumps where the true class leads by exactly 1, where two rivals draw level, and where the strongest "
        "rival passes 0. Rivals that are level share the slope."
    ),
    derived=_derived,
    derived_labels={"rival": "Strongest other score, at least 0", "label_score": "True class's score"},
    best_constant=_best_constant,
)
