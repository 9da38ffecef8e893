"""Cosine embedding loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Plane, Points
from lossviz.losses._embedding import PLUS_MINUS, exchanged, points, stretched, turned
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

EPSILON = 1e-12
"""What PyTorch adds to each squared length, so that a vector of length 0 has the cosine 0."""


def _lengths(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """The squared lengths (..., n, 1), with PyTorch's small constant."""
    first, second = ((inputs[name] ** 2).sum(-1, keepdim=True) + EPSILON for name in ("first", "second"))
    return first, second


def _cosine(inputs: Inputs) -> Tensor:
    first, second = _lengths(inputs)
    return (inputs["first"] * inputs["second"]).sum(-1) / (first * second).sqrt()[..., 0]


def _terms(inputs: Inputs, params: Params) -> Tensor:
    size = inputs["first"].shape[-1]
    flat = F.cosine_embedding_loss(
        inputs["first"].reshape(-1, size),
        inputs["second"].reshape(-1, size),
        inputs["target"].reshape(-1),
        margin=params["margin"],
        reduction="none",
    )
    return flat.reshape(inputs["target"].shape)


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    first, second, cosine = inputs["first"], inputs["second"], _cosine(inputs)[..., None]
    first_square, second_square = _lengths(inputs)
    target = inputs["target"][..., None]
    slope = torch.where(target > 0, -1.0, (cosine >= params["margin"]).to(cosine.dtype))
    product = (first_square * second_square).sqrt()
    return {
        "first": slope * (second / product - cosine * first / first_square),
        "second": slope * (first / product - cosine * second / second_square),
    }


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {"cosine": _cosine(inputs), "case": (inputs["target"] < 0).to(inputs["first"].dtype)}


_GOLDEN_POINT = (  # long vectors, for which PyTorch's small constant does not matter
    {
        "first": [[30.0, 40.0], [20.0, -15.0], [-12.0, 35.0]],
        "second": [[40.0, 9.0], [24.0, 10.0], [5.0, 12.0]],
    },
    [1, -1, -1],
)

LOSS = Loss(
    key="cosine_embedding",
    title="Cosine embedding",
    task="embedding",
    position=1,
    summary=(
        "Turns pairs that belong together into the same direction, and pushes other pairs apart; lengths do not count."
    ),
    notice=(
        "Pair 1 belongs together (label +1) and its arrows have the cosine 0.6: it costs 1 − 0.6 = 0.4. Pair 2 does "
        "not, and costs its cosine, 0.8. Pull an arrow along its own direction: nothing changes, only angles count. "
        "The gradient is always at a right angle to its arrow. Turn pair 2 beyond a right angle: it costs nothing "
        "more."
    ),
    use_when=(
        "You have pairs with a label same or different, and the direction of an embedding is its meaning, as with "
        "texts that are later compared by cosine."
    ),
    avoid_when="The length of an embedding means something too: then use the contrastive loss on distances.",
    aliases=("cosine embedding loss", "cosine contrastive loss"),
    inputs=(
        points("first", "embedding of the first of a pair"),
        points("second", "embedding of the second of a pair"),
        Input("target", "target", ("n",), PLUS_MINUS, "+1 for a pair that belongs together, −1 otherwise", False),
    ),
    parameters=(
        Parameter(
            "margin",
            "m",
            0.0,
            -1.0,
            1.0,
            0.05,
            "Cosine below which a pair that does not belong together costs nothing.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} 1 - \cos_i & y_i = +1 \\ \max(0,\ \cos_i - m) & y_i = -1 \end{cases}, \quad "
        r"\cos_i = \frac{a_i \cdot b_i}{|a_i|\,|b_i|}"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial a_i} = \begin{cases} -g_i & y_i = +1 \\ g_i & y_i = -1,\ \cos_i \ge m \\ "
        r"0 & y_i = -1,\ \cos_i < m \end{cases}, \quad "
        r"g_i = \frac{1}{|a_i|}\left(\frac{b_i}{|b_i|} - \cos_i \frac{a_i}{|a_i|}\right); \quad "
        r"b_i \text{ likewise}"
    ),
    worked=("1 − {cosine}", "max(0, {cosine} − {margin})"),
    board=Plane(
        points=(
            Points("first", "First", "prediction", ((2.0, 0.0), (1.6, 1.2), (-1.0, -1.0))),
            Points("second", "Second", "prediction", ((0.9, 1.2), (1.4, 0.0), (-2.0, 1.0))),
        ),
        labels=(Number("target", "Label", "target", (1.0, -1.0, -1.0), labels=(-1.0, 1.0)),),
        vectors=True,
        sample_label="Pair",
    ),
    code=Code(
        torch="loss = F.cosine_embedding_loss(first, second, target, margin={margin}, reduction={reduction!r})",
        keras=(
            "cosine = -keras.losses.cosine_similarity(first, second)\n"
            "apart = keras.ops.maximum(0.0, cosine - {margin})\n"
            "terms = keras.ops.where(target > 0, 1 - cosine, apart)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has only the cosine itself, and as a loss: with the sign turned around.",
    ),
    minimiser=(
        "None, because it judges pairs: each pair that belongs together wants one direction, and each other pair two "
        "directions whose cosine is at most the margin."
    ),
    pitfalls=(
        Pitfall(
            "The labels are +1 (together) and −1 (apart); 0 is refused. With the labels turned around, as here, the "
            "value is 0.495 and looks as harmless as the right 0.505, while all pairs are trained the wrong way.",
            state={"target": [-1.0, 1.0, 1.0]},
        ),
        Pitfall(
            "Two arrows that point in opposite directions have the worst cosine, −1, and cost 2, yet the gradient "
            "is 0: a turn to either side is equally good. Pair 1 here does not move until something disturbs it.",
            state={"second": [[-2.0, 0.0], [2.0, 0.0], [-2.0, 1.0]]},
        ),
        Pitfall(
            "The shorter the vector, the larger its gradient: the first arrow of pair 1 is 0.1 long instead of 2, its "
            "term is still 0.4, and its gradient has grown 20 times, from 0.133 to 2.667. A tiny vector jumps.",
            state={"first": [[0.1, 0.0], [1.6, 1.2], [-1.0, -1.0]]},
        ),
        Pitfall(
            "With the margin 0 a pair that should be apart must reach a right angle, and in few dimensions there is "
            "no room for many of those. With the margin 0.5 pair 3 (cosine 0.316) costs nothing.",
            parameters={"margin": 0.5},
        ),
    ),
    relatives=(
        Relative("contrastive", "the same idea on distances, where lengths count"),
        Relative("cosine_similarity", "only pairs that belong together, one of them given"),
        Relative("info_nce", "compares each cosine with those of the whole batch"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It needs only pairs with a label same or different, and compares directions.",
            labels=("pairs",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Bromley, Guyon, LeCun, Säckinger, Shah (1993): Signature Verification using a Siamese Time Delay Neural "
        "Network, Advances in Neural Information Processing Systems 6",
        "https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, metrics.pairwise.paired_cosine_distances", *_GOLDEN_POINT, 0.4983858154589862),
        Golden("scipy 1.17.1, spatial.distance.cosine", *_GOLDEN_POINT, 0.4951574463769586, "sum", {"margin": 0.5}),
    ),
    errors=(
        ErrorCase({"first": [[1.0, 0.0]], "second": [[1.0, 0.0]]}, [0.0], "one of -1, +1"),
        ErrorCase({"first": [[1.0, 0.0]], "second": [[1.0, 0.0, 0.0]]}, [1.0], "shape"),
        ErrorCase({"first": [[1.0, 0.0]]}, [1.0], "second"),
        ErrorCase({"first": [[1.0, 0.0]], "second": [[1.0, 0.0]]}, [1.0], "[-1, 1]", {"margin": 1.5}),
    ),
    kinks=(
        "Where the cosine of a pair with label −1 reaches the margin, its gradient sets in. Near the zero vector there "
        "is no direction: PyTorch adds 1e-12 to each squared length, so the gradient there is large but finite."
    ),
    derived=_derived,
    derived_labels={"cosine": "Cosine"},
    invariances=(
        Invariance("The lengths of the vectors do not count.", stretched("first", "second")),
        Invariance("Turning the whole plane changes nothing.", turned("first", "second")),
        Invariance("First and second of a pair may be exchanged.", exchanged("first", "second")),
    ),
)
