"""Hinge embedding loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Numbers
from lossviz.losses._embedding import PLUS_MINUS
from lossviz.losses._shared import REAL
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return F.hinge_embedding_loss(inputs["prediction"], inputs["target"], margin=params["margin"], reduction="none")


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    distance = inputs["prediction"]
    apart = torch.where(distance <= params["margin"], -1.0, 0.0).to(distance.dtype)
    return torch.where(inputs["target"] > 0, 1.0, apart)


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {"case": (inputs["target"] < 0).to(inputs["prediction"].dtype)}


LOSS = Loss(
    key="hinge_embedding",
    title="Hinge embedding",
    task="embedding",
    position=2,
    summary=(
        "Takes the distance of a pair: a pair that belongs together costs its distance, another pair what it lacks to "
        "the margin."
    ),
    notice=(
        "Pair 1 belongs together (label +1) and costs its distance, 0.4. Pair 2 does not: at the distance 0.7 it lacks "
        "0.3 to the margin of 1. Pair 3 is 1.6 apart, beyond the margin: it costs nothing and its slope is 0. Drag "
        "Distance 2 to the right: the slope is −0.25 up to the margin and 0 from there on."
    ),
    use_when=(
        "You have pairs with a label same or different and have computed a distance yourself, whichever one you like, "
        "such as an L1 distance."
    ),
    avoid_when="You have scores rather than distances, or classes: the plain hinge loss is another function.",
    aliases=("hinge embedding loss", "linear contrastive loss"),
    inputs=(
        Input("prediction", "prediction", ("n", "..."), REAL, "distance of a pair, which the model computes"),
        Input("target", "target", ("n", "..."), PLUS_MINUS, "+1 for a pair that belongs together, −1 otherwise", False),
    ),
    parameters=(
        Parameter(
            "margin",
            r"\Delta",
            1.0,
            0.0,
            1000.0,
            0.1,
            "Distance from which on a pair that does not belong together costs nothing.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\begin{cases} x_i & y_i = +1 \\ \max(0,\ \Delta - x_i) & y_i = -1 \end{cases}",
    gradient_formula=(
        r"\begin{cases} 1 & y_i = +1 \\ -1 & y_i = -1,\ x_i \le \Delta \text{ (at } \Delta \text{ by PyTorch) } "
        r"\\ 0 & y_i = -1,\ x_i > \Delta \end{cases}"
    ),
    worked=("{prediction}", "max(0, {margin} − {prediction})"),
    board=Numbers(
        (
            Number(
                "prediction",
                "Distance",
                "prediction",
                (0.4, 0.7, 1.6, 1.2),
                snap=lambda now: (0.0,) if now["target"] > 0 else (1.0,),
            ),
            Number("target", "Label", "target", (1.0, -1.0, -1.0, 1.0), labels=(-1.0, 1.0)),
        ),
        tracks=("Distance",),
        span="none",
        lines=(1.0,),
        sample_label="Pair",
    ),
    code=Code(
        torch="loss = F.hinge_embedding_loss(prediction, target, margin={margin}, reduction={reduction!r})",
        keras=(
            "apart = keras.ops.relu({margin} - prediction)\n"
            "terms = keras.ops.where(target > 0, prediction, apart)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no loss of this name; keras.losses.Hinge is the one for scores.",
    ),
    minimiser=(
        "None, because a pair with label +1 costs less and less the further its number falls, and nothing stops it at "
        "0: only a distance that cannot be negative does."
    ),
    pitfalls=(
        Pitfall(
            "It believes that its input is a distance. A raw score that may be negative makes the loss negative: with "
            "−3 for pair 1 the value is −0.375, and training can lower it forever.",
            state={"prediction": [-3.0, 0.7, 1.6, 1.2]},
        ),
        Pitfall(
            "It is not the hinge loss. Pairs 1 and 4 are together with distances of 0.1 and 0.2, pairs 2 and 3 apart "
            "with 2 and 3: as distances they are all good and cost 0.075 on average.",
            state={"prediction": [0.1, 2.0, 3.0, 0.2]},
        ),
        Pitfall(
            "The same numbers as scores, in the hinge loss: labels −1 with scores 2 and 3 are all wrong, and the value "
            "is 2.175.",
            state={"prediction": [0.1, 2.0, 3.0, 0.2], "target": [1.0, -1.0, -1.0, 1.0]},
            loss="hinge",
        ),
        Pitfall(
            "The margin is in the unit of the distance. With a margin of 5 here the two pairs apart lack 4.3 and 3.4, "
            "and make up 7.7 of the total of 9.3.",
            parameters={"margin": 5.0},
            reduction="sum",
        ),
    ),
    relatives=(
        Relative("contrastive", "squares both parts, and takes the embeddings themselves"),
        Relative("triplet_margin", "compares two distances instead of judging each by a fixed margin"),
        Relative("hinge", "something else in spite of its name: it takes scores"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It judges each distance by itself, takes any distance you compute, and lets go beyond a margin.",
            labels=("pairs",),
            trouble=("outliers",),
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Mobahi, Collobert, Weston (2009): Deep Learning from Temporal Coherence in Video, International Conference on "
        "Machine Learning",
        "https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html",
    ),
    goldens=(
        Golden("optax 0.2.8, hinge_loss for the pairs apart", [0.4, 0.7, 1.6, 1.2], [1.0, -1.0, -1.0, 1.0], 0.475),
        Golden(
            "Keras 3.15.1, ops.relu for the pairs apart",
            [0.4, 0.7, 1.6, 1.2],
            [1.0, -1.0, -1.0, 1.0],
            2.7,
            "sum",
            {"margin": 1.7},
        ),
    ),
    errors=(
        ErrorCase([0.5], [0.0], "one of -1, +1"),
        ErrorCase([0.5, 0.5], [1.0], "shape"),
        ErrorCase([float("inf")], [1.0], "finite"),
        ErrorCase([0.5], [1.0], "[0, 1000]", {"margin": -1.0}),
    ),
    kinks="For label −1 the slope of a term jumps from −1 to 0 where the distance reaches the margin.",
    derived=_derived,
)
