"""Contrastive loss of a siamese network."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Number, Plane, Points
from lossviz.losses._embedding import exchanged, points, shifted, turned
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Domain,
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


def _distance(inputs: Inputs) -> Tensor:
    # vector_norm has the gradient 0 at distance 0, where the square root of a sum would give 0/0.
    distance: Tensor = torch.linalg.vector_norm(inputs["first"] - inputs["second"], dim=-1)
    return distance


def _terms(inputs: Inputs, params: Params) -> Tensor:
    distance = _distance(inputs)
    return 0.5 * torch.where(inputs["target"] > 0, (params["margin"] - distance).relu(), distance) ** 2


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    difference, distance = inputs["first"] - inputs["second"], _distance(inputs)[..., None]
    unit = torch.where(distance > 0, difference / torch.where(distance > 0, distance, 1.0), 0.0)
    apart = -(params["margin"] - distance).relu() * unit
    first = torch.where(inputs["target"][..., None] > 0, apart, difference)
    return {"first": first, "second": -first}


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {"distance": _distance(inputs), "case": inputs["target"]}


_GOLDEN_POINT = (
    {"first": [[-2.0, 1.0], [0.5, 1.5], [-1.0, -1.5]], "second": [[0.0, 1.0], [0.8, 1.1], [1.5, -0.5]]},
    [0, 1, 1],
)

LOSS = Loss(
    key="contrastive",
    title="Contrastive",
    task="embedding",
    position=3,
    summary=(
        "Pulls the two points of a similar pair together, and pushes those of a dissimilar pair apart up to a margin."
    ),
    notice=(
        "Pair 1 is similar (label 0) and 2 apart: half the square costs 2, and its gradient pulls like a spring. "
        "Pair 2 is dissimilar (label 1) and 0.5 apart: it lacks 0.5 to the margin of 1 and costs 0.125. Pair 3 is "
        "dissimilar and far apart: no gradient. Drag one of its points near the other and see where the push begins."
    ),
    use_when="You have pairs with a label similar or dissimilar, and distances between embeddings will be used later.",
    avoid_when=(
        "Only the order of distances matters: a triplet loss asks for less. With large batches, InfoNCE learns from "
        "many pairs at once."
    ),
    aliases=("contrastive loss", "siamese loss", "pairwise contrastive loss"),
    inputs=(
        points("first", "embedding of the first of a pair"),
        points("second", "embedding of the second of a pair"),
        Input(
            "target",
            "target",
            ("n",),
            Domain("labels", values=(0.0, 1.0)),
            "0 for a similar pair, 1 for a dissimilar one",
            differentiable=False,
        ),
    ),
    parameters=(
        Parameter(
            "margin",
            "m",
            1.0,
            0.0,
            1000.0,
            0.1,
            "Distance from which on a dissimilar pair costs nothing.",
            low_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(r"(1 - y_i)\,\tfrac12 D_i^2 + y_i\,\tfrac12 \max(0,\ m - D_i)^2, \quad D_i = |a_i - b_i|"),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial a_i} = -\frac{\partial \ell_i}{\partial b_i} = "
        r"\begin{cases} a_i - b_i & y_i = 0 \\ -\max(0,\ m - D_i)\, \frac{a_i - b_i}{D_i} & y_i = 1 \end{cases}"
    ),
    worked=("½ · {distance}²", "½ · max(0, {margin} − {distance})²"),
    board=Plane(
        points=(
            Points("first", "First", "prediction", ((-2.0, 1.0), (0.5, 1.5), (-1.0, -1.5))),
            Points("second", "Second", "prediction", ((0.0, 1.0), (0.8, 1.1), (1.5, -0.5))),
        ),
        labels=(Number("target", "Label", "target", (0.0, 1.0, 1.0), labels=(0.0, 1.0)),),
        lines=(("first", "second"),),
        sample_label="Pair",
    ),
    code=Code(
        torch=(
            "distance = torch.linalg.vector_norm(first - second, dim=1)\n"
            "similar = (1 - target) * distance**2\n"
            "dissimilar = target * ({margin} - distance).relu() ** 2\n"
            "loss = 0.5 * (similar + dissimilar).{reduction}()"
        ),
        keras=(
            "distance = keras.ops.norm(first - second, axis=1)\n"
            "apart = keras.ops.relu({margin} - distance)\n"
            "terms = 0.5 * keras.ops.where(target > 0, apart, distance) ** 2\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Neither PyTorch nor Keras has it as a loss; it takes four lines.",
    ),
    minimiser=(
        "None, because it judges pairs: similar ones want the distance 0, dissimilar ones any distance from the margin "
        "on."
    ),
    pitfalls=(
        Pitfall(
            "In the paper 0 means similar and 1 dissimilar; much code has it the other way around. With turned labels, "
            "as here, the far pair 3 is pulled together and the value jumps from 0.708 to 1.25.",
            state={"target": [1.0, 0.0, 0.0]},
        ),
        Pitfall(
            "Two dissimilar points at the same place cost the most they can, 0.5 at a margin of 1, but have no "
            "direction to flee into: the gradient of pair 2 here is 0, and it stays until something disturbs it.",
            state={"second": [[0.0, 1.0], [0.5, 1.5], [1.5, -0.5]]},
        ),
        Pitfall(
            "If there are similar pairs only, everything may shrink to one point: here all points coincide and the "
            "loss is 0, though nothing is learnt.",
            state={"first": [[0.0, 0.0]] * 3, "second": [[0.0, 0.0]] * 3, "target": [0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "The margin is in the unit of the embedding: with 4 instead of 1 even pair 3, 2.693 apart, is pushed and "
            "costs 0.855 before averaging.",
            parameters={"margin": 4.0},
        ),
    ),
    relatives=(
        Relative("hinge_embedding", "the same without squares, on a distance that you compute"),
        Relative("triplet_margin", "compares two distances instead of judging each by itself"),
        Relative("cosine_embedding", "the same idea on angles"),
        Relative("info_nce", "in spite of its nickname another loss: a softmax over the whole batch"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It needs only pairs with a label similar or dissimilar, and makes their distance mean something.",
            labels=("pairs",),
        ),
    ),
    properties=("non_convex",),
    references=(
        "Hadsell, Chopra, LeCun (2006): Dimensionality Reduction by Learning an Invariant Mapping, Conference on "
        "Computer Vision and Pattern Recognition",
        "Chopra, Hadsell, LeCun (2005): Learning a Similarity Metric Discriminatively, with Application to Face "
        "Verification, Conference on Computer Vision and Pattern Recognition",
    ),
    goldens=(
        Golden("scipy 1.17.1, spatial.distance.euclidean", *_GOLDEN_POINT, 0.7083333333333334),
        Golden(
            "scikit-learn 1.9.1, metrics.pairwise.paired_euclidean_distances",
            *_GOLDEN_POINT,
            5.172252789298244,
            "sum",
            {"margin": 3.0},
        ),
    ),
    errors=(
        ErrorCase({"first": [[1.0, 0.0]], "second": [[1.0, 0.0]]}, [-1.0], "one of 0, 1"),
        ErrorCase({"first": [[1.0, 0.0]], "second": [[1.0, 0.0], [0.0, 1.0]]}, [1.0], "shape"),
        ErrorCase([[1.0, 0.0]], [1.0], "mapping"),
        ErrorCase({"first": [[1.0, 0.0]], "second": [[1.0, 0.0]]}, [1.0], "(0, 1000]", {"margin": 0.0}),
    ),
    kinks=(
        "Where two dissimilar points coincide the push has no direction; its gradient counts as 0 there. At the margin "
        "the slope is continuous."
    ),
    derived=_derived,
    derived_labels={"distance": "Distance"},
    invariances=(
        Invariance("Moving the whole plane changes nothing.", shifted("first", "second")),
        Invariance("Turning the whole plane changes nothing.", turned("first", "second")),
        Invariance("First and second of a pair may be exchanged.", exchanged("first", "second")),
    ),
)
