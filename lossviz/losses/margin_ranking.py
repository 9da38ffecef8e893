"""Margin ranking loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Numbers
from lossviz.losses._embedding import PLUS_MINUS, shifted
from lossviz.losses._shared import REAL
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Invariance,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _lead(inputs: Inputs) -> Tensor:
    """By how much the one that should win is ahead."""
    return inputs["target"] * (inputs["first"] - inputs["second"])


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return F.margin_ranking_loss(
        inputs["first"], inputs["second"], inputs["target"], margin=params["margin"], reduction="none"
    )


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    first = torch.where(_lead(inputs) <= params["margin"], -inputs["target"], 0.0)
    return {"first": first, "second": -first}


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {"lead": _lead(inputs)}


def _turn_around(inputs: Inputs) -> Inputs:
    """First and second exchanged, with the label turned around."""
    return {**inputs, "first": inputs["second"], "second": inputs["first"], "target": -inputs["target"]}


_GOLDEN_POINT = ({"first": [-0.5, 0.5, 2.0, -2.0], "second": [1.0, 1.5, -1.0, -2.5]}, [1, -1, 1, -1])

LOSS = Loss(
    key="margin_ranking",
    title="Margin ranking",
    task="embedding",
    position=5,
    summary="Wants the better of two scores to be ahead by a margin; zero once it is.",
    notice=(
        "In pair 1 the first should win (label +1) but is 1.5 behind: it costs 1.5. In pair 2 the second should win "
        "(label −1) and is ahead by 1: nothing to pay at the default margin of 0. Raise the margin to 1.5: now pair 2 "
        "costs 0.5, because being ahead is no longer enough."
    ),
    use_when="People or clicks say which of two is better, and only the order of the scores will be used.",
    avoid_when="Whole lists with grades are known: RankNet or ListNet then use all of it at once.",
    aliases=("pairwise hinge loss", "ranking hinge loss", "margin ranking loss", "ranking SVM loss"),
    inputs=(
        Input("first", "prediction", ("n", "..."), REAL, "score of the first of two"),
        Input("second", "prediction", ("n", "..."), REAL, "score of the second of two"),
        Input(
            "target",
            "target",
            ("n", "..."),
            PLUS_MINUS,
            "+1 where the first should be ahead, −1 where the second should",
            differentiable=False,
        ),
    ),
    parameters=(Parameter("margin", "m", 0.0, 0.0, 1000.0, 0.1, "By how much the better one must be ahead."),),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\max(0,\ m - y_i\,(a_i - b_i))",
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial a_i} = -\frac{\partial \ell_i}{\partial b_i} = "
        r"\begin{cases} -y_i & y_i\,(a_i - b_i) \le m \\ 0 & \text{otherwise} \end{cases}"
    ),
    worked=("max(0, {margin} − {target} · ({first} − {second}))",),
    board=Numbers(
        (
            Number("first", "First score", "prediction", (-0.5, 0.5, 2.0, -2.0), snap=lambda now: (now["second"],)),
            Number("second", "Second score", "prediction", (1.0, 1.5, -1.0, -2.5), snap=lambda now: (now["first"],)),
            Number("target", "Label", "target", (1.0, -1.0, 1.0, -1.0), labels=(-1.0, 1.0)),
        ),
        tracks=("Score",),
        span="gap",
        sample_label="Pair",
    ),
    code=Code(
        torch="loss = F.margin_ranking_loss(first, second, target, margin={margin}, reduction={reduction!r})",
        keras=("terms = keras.ops.relu({margin} - target * (first - second))\nloss = keras.ops.{reduction}(terms)"),
        keras_note="Keras has no loss of this name; it takes one line.",
    ),
    minimiser=(
        "None, because it judges pairs of scores: any scores in the right order with the margin between them cost 0."
    ),
    pitfalls=(
        Pitfall(
            "With the margin 0, which is PyTorch's default, equal scores cost nothing: a model that gives every item "
            "the same score has the value 0, as here. Set a margin above 0.",
            state={"first": [0.0, 0.0, 0.0, 0.0], "second": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "The same equal scores with a margin of 1: each pair costs 1 and is pushed until one score is ahead of the "
            "other by 1.",
            state={"first": [0.0, 0.0, 0.0, 0.0], "second": [0.0, 0.0, 0.0, 0.0]},
            parameters={"margin": 1.0},
        ),
        Pitfall(
            "The label says who should win, not how well each one is. With all labels turned around, as here, the "
            "value goes from 0.5 to 1, and every pair is trained the wrong way.",
            state={"target": [-1.0, 1.0, -1.0, 1.0]},
        ),
    ),
    relatives=(
        Relative("ranknet", "the same idea as a probability: smooth, for whole lists"),
        Relative("triplet_margin", "the same with two distances instead of two scores"),
        Relative("hinge", "one score against a fixed threshold"),
        Relative("dpo", "the smooth form, for a language model's answers"),
    ),
    suits=(
        Suit(
            predicts="ranking",
            reason="It asks only that the better of two is ahead by a margin, and leaves alone the pairs where it is.",
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Herbrich, Graepel, Obermayer (2000): Large Margin Rank Boundaries for Ordinal Regression, Advances in Large "
        "Margin Classifiers",
        "Joachims (2002): Optimizing Search Engines Using Clickthrough Data, Conference on Knowledge Discovery and "
        "Data Mining",
        "https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html",
    ),
    goldens=(
        Golden("optax 0.2.8, perceptron_loss of the difference", *_GOLDEN_POINT, 2.0, "sum"),
        Golden("scikit-learn 1.9.1, hinge_loss of the difference", *_GOLDEN_POINT, 1.0, "mean", {"margin": 1.0}),
        Golden(
            "optax 0.2.8, hinge_loss of half the difference, doubled", *_GOLDEN_POINT, 1.75, "mean", {"margin": 2.0}
        ),
    ),
    errors=(
        ErrorCase({"first": [1.0], "second": [0.0]}, [0.0], "one of -1, +1"),
        ErrorCase({"first": [1.0], "second": [0.0, 1.0]}, [1.0], "shape"),
        ErrorCase({"first": [1.0], "second": [float("nan")]}, [1.0], "finite"),
        ErrorCase({"first": [1.0], "second": [0.0]}, [1.0], "[0, 1000]", {"margin": -0.5}),
    ),
    kinks=(
        "Where the better one is ahead by exactly the margin the slope of a term jumps in size from 1 to 0; PyTorch "
        "takes 1."
    ),
    derived=_derived,
    derived_labels={"lead": "Lead of the better one"},
    invariances=(
        Invariance("Both scores may be raised by the same number.", shifted("first", "second")),
        Invariance("First and second may be exchanged if the label is turned around.", _turn_around),
    ),
)
