"""Cosine similarity as a loss."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Plane, Points
from lossviz.losses._shared import REAL, swap_roles
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
    Params,
    Pitfall,
    Relative,
    Suit,
)

LEAST: Final = 1e-8
"""The least length that a vector is divided by, as in PyTorch."""


def _length(vector: Tensor) -> Tensor:
    length: Tensor = vector.norm(dim=-1, keepdim=True)
    return length.clamp(min=LEAST)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return 1 - F.cosine_similarity(inputs["prediction"], inputs["target"], dim=-1, eps=LEAST)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    # A vector of length 0 has no direction: it is taken as 0 there, which leaves the target's direction over LEAST.
    prediction, target = inputs["prediction"], inputs["target"]
    length = _length(prediction)
    towards = target / _length(target)
    direction = prediction / length
    return ((direction * towards).sum(-1, keepdim=True) * direction - towards) / length


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    prediction, target = inputs["prediction"], inputs["target"]
    lengths = _length(prediction)[..., 0], _length(target)[..., 0]
    # The arc cosine would lose half its digits at 0 and at 180 degrees.
    units = prediction / lengths[0][..., None], target / lengths[1][..., None]
    apart, together = (units[0] - units[1]).norm(dim=-1), (units[0] + units[1]).norm(dim=-1)
    return {
        "dot": (prediction * target).sum(-1),
        "length_prediction": lengths[0],
        "length_target": lengths[1],
        "angle": torch.atan2(apart, together) * (360 / math.pi),
    }


def _scale(inputs: Inputs) -> dict[str, Tensor]:
    return {"prediction": 2.5 * inputs["prediction"], "target": 0.5 * inputs["target"]}


def _rotate(inputs: Inputs) -> dict[str, Tensor]:
    turn = torch.tensor([[0.8, 0.6], [-0.6, 0.8]], dtype=inputs["prediction"].dtype)
    return {name: tensor @ turn for name, tensor in inputs.items()}


LOSS = Loss(
    key="cosine_similarity",
    title="Cosine similarity",
    task="regression",
    position=20,
    summary=(
        "The angle between two vectors counts, their lengths do not: 0 for the same direction, 2 for the opposite one."
    ),
    notice=(
        "Prediction 3 is much shorter than its target but points the same way: it costs 0. Prediction 1 is 45 degrees "
        "off and costs 0.293 before averaging, prediction 2 is 90 degrees off and costs 1. Drag a prediction straight "
        "away from the origin: nothing changes, and the gradient always stands at right angles to the vector."
    ),
    use_when="Only the direction of a vector matters, as for embeddings of words, sentences or pictures.",
    avoid_when="The length carries meaning, or vectors may be 0, which have no direction.",
    aliases=("cosine distance", "cosine proximity", "CosineSimilarity", "cosine loss"),
    inputs=(
        Input("prediction", "prediction", ("n", "d"), REAL, "predicted vector"),
        Input("target", "target", ("n", "d"), REAL, "true vector"),
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"1 - \cos(\hat{\mathbf y}_i, \mathbf y_i) = 1 - "
        r"\frac{\hat{\mathbf y}_i \cdot \mathbf y_i}{\|\hat{\mathbf y}_i\|\,\|\mathbf y_i\|}"
    ),
    gradient_formula=(
        r"-\frac{1}{\|\hat{\mathbf y}_i\|} \left( \frac{\mathbf y_i}{\|\mathbf y_i\|} - \cos(\hat{\mathbf y}_i,"
        r" \mathbf y_i)\, \frac{\hat{\mathbf y}_i}{\|\hat{\mathbf y}_i\|} \right)"
    ),
    worked=("1 − {dot} / ({length_prediction} · {length_target})",),
    board=Plane(
        points=(
            Points("prediction", "Prediction", "prediction", ((2.0, 0.0), (0.0, 2.0), (0.0, -0.5))),
            Points("target", "Target", "target", ((1.0, 1.0), (-2.0, 0.0), (0.0, -2.0))),
        ),
        vectors=True,
    ),
    code=Code(
        torch="terms = 1 - F.cosine_similarity(prediction, target, dim=1)\nloss = terms.{reduction}()",
        keras=(
            "terms = 1 + keras.losses.cosine_similarity(target, prediction, axis=-1)  # Keras's is minus the cosine\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras's CosineSimilarity is minus the cosine: −1 is its best value, and adding 1 gives this loss.",
    ),
    minimiser="The direction of the sum of all targets, each first brought to length 1; any length will do.",
    pitfalls=(
        Pitfall(
            "Keras's loss of this name is minus the cosine, from −1 (best) to 1. The starting example costs 0.431 here "
            "and −0.569 there; the gradients are the same. In PyTorch cosine_similarity is the cosine itself, which "
            "must not be minimised."
        ),
        Pitfall(
            "A vector of length 0 has no direction. PyTorch divides by at least 0.00000001: the cosine is 0, the loss "
            "1, and the slope 100,000,000, so that any step goes far astray.",
            state={"prediction": [[0.0, 0.0]], "target": [[0.0, 2.0]]},
        ),
        Pitfall(
            "Exactly opposite vectors cost 2, the most there is, and have no slope: descent does not know which way to "
            "turn. Nudge the prediction and it starts to move.",
            state={"prediction": [[-2.0, 0.0]], "target": [[2.0, 0.0]]},
        ),
        Pitfall(
            "The longer the prediction, the smaller the slope: at length 0.1 it is 10, at length 2 it is 0.5 for the "
            "same angle of 90 degrees. Lengths grow during training, and learning slows down.",
            state={"prediction": [[0.0, 0.1], [0.0, 2.0]], "target": [[-2.0, 0.0], [-2.0, 0.0]]},
            reduction="sum",
        ),
    ),
    relatives=(
        Relative("cosine_embedding", "the same for pairs that match, with a margin for pairs that do not"),
        Relative("mse", "on vectors of length 1 the sum of squares is twice this loss"),
        Relative("info_nce", "compares cosines within a batch instead of fitting one target"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="It compares directions and leaves the length free.",
            labels=("direction",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Salton, Wong, Yang (1975): A Vector Space Model for Automatic Indexing, Communications of the ACM 18(11), "
        "613-620",
        "https://pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html",
        "https://keras.io/api/losses/regression_losses/#cosinesimilarity-class",
    ),
    goldens=(
        Golden(
            "optax 0.2.8, cosine_distance",
            [[2.0, 0.0], [0.0, 2.0], [-0.5, -0.5]],
            [[1.0, 1.0], [-2.0, 0.0], [-2.0, -2.0]],
            0.4309644062711509,
        ),
        Golden(
            "Keras 3.15.1, CosineSimilarity plus 1 a sample",
            [[1.0, 2.0, -1.0], [0.5, -3.0, 2.0]],
            [[2.0, 1.0, 0.5], [-1.0, 1.0, 4.0]],
            1.085004676830497,
            "sum",
        ),
    ),
    errors=(
        ErrorCase([[1.0, 2.0]], [[1.0, 2.0, 3.0]], "shape"),
        ErrorCase([1.0, 2.0], [1.0, 2.0], "shape"),
        ErrorCase([[float("nan"), 1.0]], [[1.0, 2.0]], "finite"),
    ),
    kinks=(
        "Where the prediction has length 0 the direction jumps, and the slope is as large as PyTorch's division allows."
    ),
    derived=_derived,
    derived_labels={
        "dot": "Dot product",
        "length_prediction": "Length of the prediction",
        "length_target": "Length of the target",
        "angle": "Angle in degrees",
    },
    best_constant=lambda target, _: (target / _length(target)).sum(0),
    invariances=(
        Invariance("Making a vector longer or shorter changes nothing.", _scale),
        Invariance("Turning both vectors by the same angle changes nothing.", _rotate),
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
    ),
)
