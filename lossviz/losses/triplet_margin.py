"""Triplet margin loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Plane, Points
from lossviz.losses._embedding import points, shifted
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Inputs,
    Invariance,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)

EPSILON = 1e-6
"""What PyTorch adds to each coordinate of a difference before it takes the norm."""


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return F.triplet_margin_loss(
        inputs["anchor"],
        inputs["positive"],
        inputs["negative"],
        margin=params["margin"],
        p=params["p"],
        eps=EPSILON,
        swap=params["swap"],
        reduction="none",
    )


def _distance(inputs: Inputs, first: str, second: str, p: float) -> Tensor:
    difference = inputs[first] - inputs[second] + EPSILON
    distance: Tensor = torch.linalg.vector_norm(difference, ord=p, dim=-1)
    return distance


def _slope(inputs: Inputs, first: str, second: str, p: float) -> Tensor:
    """The gradient of a distance along its first point, (..., d); 0 where the difference is exactly 0."""
    difference = inputs[first] - inputs[second] + EPSILON
    length = torch.linalg.vector_norm(difference, ord=p, dim=-1, keepdim=True)
    share = difference.abs() / torch.where(length > 0, length, 1.0)
    return difference.sign() * share ** (p - 1) * (difference != 0)


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    p: float = params["p"]
    numbers = _derived(inputs, params)
    active = (params["margin"] + numbers["distance_positive"] - numbers["distance_negative"] >= 0)[..., None]
    near, far = _slope(inputs, "anchor", "positive", p), _slope(inputs, "anchor", "negative", p)
    swapped = torch.zeros_like(near)
    if params["swap"]:
        own = _distance(inputs, "anchor", "negative", p)[..., None]
        other = _distance(inputs, "positive", "negative", p)[..., None]
        weight = torch.where(other < own, 1.0, torch.where(other == own, 0.5, 0.0))  # a tie is shared
        far, swapped = far * (1 - weight), weight * _slope(inputs, "positive", "negative", p)
    return {
        "anchor": active * (near - far),
        "positive": active * (-near - swapped),
        "negative": active * (far + swapped),
    }


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    negative = _distance(inputs, "anchor", "negative", params["p"])
    if params["swap"]:
        negative = torch.minimum(negative, _distance(inputs, "positive", "negative", params["p"]))
    return {
        "distance_positive": _distance(inputs, "anchor", "positive", params["p"]),
        "distance_negative": negative,
    }


_GOLDEN_POINT = {
    "anchor": [[-1.5, 1.0], [0.5, 0.0], [-1.5, -1.5]],
    "positive": [[-0.3, 1.9], [0.5, -1.0], [-1.2, -1.1]],
    "negative": [[-1.5, 2.2], [1.4, -1.2], [0.1, -0.3]],
}

LOSS = Loss(
    key="triplet_margin",
    title="Triplet margin",
    task="embedding",
    position=4,
    summary="Wants each anchor nearer to its positive than to its negative, by at least a margin.",
    notice=(
        "In triplet 1 the positive is 1.5 from the anchor and the negative 1.2: the order is wrong, and it costs "
        "1.5 − 1.2 + 1 = 1.3. In triplet 2 the order is right, but only by 0.5 instead of 1: it costs 0.5. Triplet 3 "
        "costs nothing. Drag a negative around its anchor on a circle: only the distance counts."
    ),
    use_when=(
        "What is known is relative: this is more like that than like the other. Absolute distances may then differ "
        "from place to place."
    ),
    avoid_when=(
        "Triplets are drawn at random from easy data: most cost nothing and teach nothing. Choose hard ones, or use "
        "InfoNCE or SupCon, which weigh the whole batch."
    ),
    aliases=("TripletMarginWithDistanceLoss", "triplet loss", "triplet margin loss", "FaceNet loss with distances"),
    inputs=(
        points("anchor", "embedding of the sample that is compared"),
        points("positive", "embedding of one that belongs to the anchor"),
        points("negative", "embedding of one that does not"),
    ),
    parameters=(
        Parameter("margin", "m", 1.0, 0.0, 1000.0, 0.1, "How much nearer the positive must be.", low_open=True),
        Parameter(
            "p",
            "p",
            2.0,
            1.0,
            8.0,
            0.5,
            "Which norm measures the distance: 2 is the usual one, 1 adds up the differences.",
            label="Norm p",
        ),
        Parameter.flag("swap", "", "Takes the distance from positive to negative where that is the smaller one."),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\max(0,\ d(a_i, p_i) - d^-_i + m), \quad d(x, y) = \lVert x - y \rVert_p, \\ "
        r"d^-_i = d(a_i, n_i), \quad \text{with swap: } d^-_i = \min(d(a_i, n_i),\ d(p_i, n_i))"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial a_i} = u_{ap} - u_{an}, \quad "
        r"\frac{\partial \ell_i}{\partial p_i} = -u_{ap}, \quad "
        r"\frac{\partial \ell_i}{\partial n_i} = u_{an} \quad \text{where } \ell_i > 0, \\ "
        r"u_{xy} = \frac{\partial d(x, y)}{\partial x}, \quad u_{xy} = \frac{x - y}{|x - y|} \text{ for } p = 2"
    ),
    worked=("max(0, {distance_positive} − {distance_negative} + {margin})",),
    board=Plane(
        points=(
            Points("anchor", "Anchor", "prediction", ((-1.5, 1.0), (0.5, 0.0), (-1.5, -1.5))),
            Points("positive", "Positive", "prediction", ((-0.3, 1.9), (0.5, -1.0), (-1.2, -1.1))),
            Points("negative", "Negative", "prediction", ((-1.5, 2.2), (2.0, 0.0), (0.1, -0.3))),
        ),
        lines=(("anchor", "positive"), ("anchor", "negative")),
        sample_label="Triplet",
    ),
    code=Code(
        torch=(
            "loss = F.triplet_margin_loss(\n"
            "    anchor, positive, negative, margin={margin}, p={p}, swap={swap}, reduction={reduction!r}\n"
            ")"
        ),
        keras=lambda params, _: (
            "def distance(x, y):\n"
            "    return keras.ops.sum(keras.ops.abs(x - y + 1e-6) ** {p}, axis=1) ** (1 / {p})\n"
            "\n"
            "near, far = distance(anchor, positive), distance(anchor, negative)\n"
            + ("far = keras.ops.minimum(far, distance(positive, negative))\n" if params["swap"] else "")
            + "terms = keras.ops.relu(near - far + {margin})\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no triplet loss; the 1e-6 is PyTorch's, which keeps the gradient finite at distance 0.",
    ),
    minimiser=(
        "None, because only the order counts: any points whose positives are nearer than their negatives by the margin "
        "cost 0."
    ),
    pitfalls=(
        Pitfall(
            "If all points fall together, the distances are 0 and every triplet costs exactly the margin. A value that "
            "rests at 1, as here, means collapse and not slow learning.",
            state={name: [[0.0, 0.0]] * 3 for name in ("anchor", "positive", "negative")},
        ),
        Pitfall(
            "Easy triplets teach nothing: here all three are right by more than the margin and have the gradient 0. "
            "In a trained model most random triplets are like this, so mean values get small and training stops. "
            "Choose hard or semi-hard ones.",
            state={
                "positive": [[-1.5, 0.8], [0.5, -0.5], [-1.2, -1.1]],
                "negative": [[1.5, -2.5], [3.0, 0.0], [0.1, -0.3]],
            },
        ),
        Pitfall(
            "With the margin 0.1 triplet 2, right by 0.5, is content and costs nothing: too small a margin stops "
            "learning early. The value falls from 0.6 to 0.133 without any point having moved.",
            parameters={"margin": 0.1},
        ),
        Pitfall(
            "With swap a negative near the positive counts too. In triplet 2 it is 1.5 from the anchor but "
            "only 0.922 from the positive: the term grows from 0.5 to 1.078, and the positive is pushed away from it.",
            state={"negative": [[-1.5, 2.2], [1.4, -1.2], [0.1, -0.3]]},
            parameters={"swap": True},
        ),
    ),
    relatives=(
        Relative("contrastive", "judges each distance by itself, with one margin for all"),
        Relative("margin_ranking", "the same with two scores instead of two distances"),
        Relative("info_nce", "one positive against all others of the batch, weighed smoothly"),
        Relative("circle", "compares similarities and weighs the worse one more"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It needs only comparisons: this one is nearer than that one, by a margin.",
            labels=("triplets",),
        ),
        Suit(
            predicts="embedding",
            reason="It leaves alone the triplets whose order is right by the margin.",
            labels=("triplets", "classes"),
            wants=("margin",),
        ),
    ),
    properties=("non_convex", "robust"),
    references=(
        "Schroff, Kalenichenko, Philbin (2015): FaceNet: A Unified Embedding for Face Recognition and Clustering "
        "(with squared distances), arXiv:1503.03832",
        "Balntas, Riba, Ponsa, Mikolajczyk (2016): Learning Local Feature Descriptors with Triplets and Shallow "
        "Convolutional Neural Networks (swap), British Machine Vision Conference",
        "https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html",
    ),
    goldens=(
        Golden("scipy 1.17.1, spatial.distance.minkowski", _GOLDEN_POINT, None, 0.6000001333331477),
        Golden(
            "scipy 1.17.1, spatial.distance.minkowski",
            _GOLDEN_POINT,
            None,
            1.446103930381597,
            "sum",
            {"margin": 0.6, "p": 3.0, "swap": True},
        ),
        Golden("scipy 1.17.1, spatial.distance.minkowski", _GOLDEN_POINT, None, 0.6333326666666667, "mean", {"p": 1.0}),
    ),
    errors=(
        ErrorCase({"anchor": [[0.0, 0.0]], "positive": [[1.0, 0.0]]}, None, "negative"),
        ErrorCase({"anchor": [[0.0, 0.0]], "positive": [[1.0, 0.0]], "negative": [[1.0]]}, None, "shape"),
        ErrorCase({name: [[0.0, 0.0]] for name in ("anchor", "positive", "negative")}, [1.0], "none"),
        ErrorCase({name: [[0.0, 0.0]] for name in ("anchor", "positive", "negative")}, None, "[1, 8]", {"p": 0.5}),
    ),
    kinks=(
        "Where a triplet reaches the margin its gradient sets in. Where two points coincide their distance has no "
        "direction: PyTorch adds a millionth to each difference, so the gradient there has size 1 and "
        "an arbitrary direction."
    ),
    derived=_derived,
    derived_labels={"distance_positive": "Distance to the positive", "distance_negative": "Distance to the negative"},
    invariances=(Invariance("Moving the whole plane changes nothing.", shifted("anchor", "positive", "negative")),),
)
