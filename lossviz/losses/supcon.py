"""Supervised contrastive loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Number, Plane, Points
from lossviz.losses._embedding import (
    CLASSES,
    ZERO_VECTOR,
    along_directions,
    directions,
    points,
    similarities,
    stretched,
    turned,
)
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


def _logits(inputs: Inputs, params: Params) -> tuple[Tensor, Tensor]:
    """Similarities over the temperature with the diagonal out of the way, and which pairs are positive; (..., n, n)."""
    logits = similarities(inputs["prediction"], inputs["prediction"]) / params["temperature"]
    itself = torch.eye(logits.shape[-1], dtype=torch.bool)
    labels = inputs["target"]
    positive = (labels[..., :, None] == labels[..., None, :]) & ~itself
    # A large finite number instead of -inf: with one sample alone -inf - (-inf) would not be a number.
    return logits.masked_fill(itself, -1e30), positive.to(logits.dtype)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    numbers = _derived(inputs, params)
    return numbers["surprise"] / numbers["positives"].clamp(min=1)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    units, inverse = directions(inputs["prediction"])
    logits, positive = _logits(inputs, params)
    count = positive.sum(-1, keepdim=True)
    pull = torch.softmax(logits, -1) * (count > 0) - positive / count.clamp(min=1)
    return along_directions(units, inverse, (pull + pull.mT) @ units / params["temperature"])


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    logits, positive = _logits(inputs, params)
    log_softmax = torch.log_softmax(logits, -1)
    return {
        "positives": positive.sum(-1),
        "surprise": torch.where(positive > 0, -log_softmax, 0.0).sum(-1),
    }


def _rename(inputs: Inputs) -> Inputs:
    """Class 0 called 1, 1 called 2 and 2 called 0."""
    return {**inputs, "target": (inputs["target"] + 1) % 3}


_GOLDEN_POINTS = [[2.0, 0.0], [1.2, 1.6], [0.0, 2.0], [-1.6, 1.2], [2.4, -0.7]]

LOSS = Loss(
    key="supcon",
    title="SupCon",
    task="embedding",
    position=9,
    summary="Pulls each sample towards all others of its class and away from the rest of the batch, by the cosine.",
    notice=(
        "Samples 1 and 2 are of class 0, samples 3 and 4 of class 1, sample 5 alone is of class 2. The neighbour of "
        "sample 1 is sample 5, of another class: the term of sample 1 is 3.627. Turn sample 2 towards sample 1: at "
        "first the terms of samples 1, 2 and 3 all fall. Sample 5 has nobody of its class: its own term is 0, but it "
        "repels the others."
    ),
    use_when=(
        "You have class labels and want an embedding in which each class is one tight bundle, for search or for "
        "learning from few examples."
    ),
    avoid_when=(
        "A batch seldom holds two samples of a class, because anchors without a positive teach nothing; or only the "
        "classes themselves are wanted: cross-entropy is simpler."
    ),
    aliases=("supervised contrastive loss", "SupCon loss", "NT-Xent", "SimCLR loss"),
    inputs=(
        points("prediction", "embedding of each sample"),
        Input("target", "target", ("n",), CLASSES, "class of each sample", differentiable=False),
    ),
    parameters=(
        Parameter(
            "temperature",
            r"\tau",
            0.1,
            0.01,
            10.0,
            0.01,
            "What cosines are divided by: the smaller, the more the nearest samples decide.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\frac{1}{|P_i|} \sum_{p \in P_i} \ln s_{ip}, \quad s_{ij} = \frac{e^{\cos(z_i, z_j) / \tau}}"
        r"{\sum_{a \ne i} e^{\cos(z_i, z_a) / \tau}}, \quad P_i = \{p \ne i : y_p = y_i\}; \quad "
        r"0 \text{ if } P_i = \emptyset"
    ),
    gradient_formula=(
        r"\frac{\partial \sum_i \ell_i}{\partial z_i} = \frac{1}{\tau\,|z_i|} \sum_{j \ne i} (g_{ij} + g_{ji}) "
        r"\left( \hat z_j - \cos(z_i, z_j)\, \hat z_i \right), \\ "
        r"g_{ij} = s_{ij} - \frac{[y_i = y_j]}{|P_i|} \text{ if } |P_i| > 0, \text{ else } 0"
    ),
    worked=("{surprise} / max(1, {positives})",),
    board=Plane(
        points=(
            Points(
                "prediction", "Sample", "prediction", ((2.0, 0.0), (1.2, 1.6), (0.0, 2.0), (-1.6, 1.2), (2.4, -0.7))
            ),
        ),
        labels=(Number("target", "Class", "target", (0.0, 0.0, 1.0, 1.0, 2.0), labels=(0.0, 1.0, 2.0)),),
        vectors=True,
        least=2,
        most=5,
    ),
    code=Code(
        torch=(
            "directions = F.normalize(prediction, dim=1)\n"
            "itself = torch.eye(len(target), dtype=torch.bool)\n"
            "logits = (directions @ directions.T / {temperature}).masked_fill(itself, -1e30)\n"
            "positive = (target[:, None] == target[None, :]) & ~itself\n"
            "surprise = -torch.where(positive, torch.log_softmax(logits, dim=1), 0.0).sum(1)\n"
            "terms = surprise / positive.sum(1).clamp(min=1)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "directions = keras.ops.normalize(prediction, axis=1)\n"
            'itself = keras.ops.eye(prediction.shape[0], dtype="bool")\n'
            "logits = keras.ops.where(itself, -1e30, directions @ keras.ops.transpose(directions) / {temperature})\n"
            "positive = keras.ops.logical_and(target[:, None] == target[None, :], ~itself)\n"
            "surprise = -keras.ops.sum(keras.ops.where(positive, keras.ops.log_softmax(logits, axis=1), 0.0), axis=1)\n"
            'count = keras.ops.sum(keras.ops.cast(positive, "float32"), axis=1)\n'
            "terms = surprise / keras.ops.maximum(count, 1.0)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Neither PyTorch nor Keras has it as a loss; it takes a few lines.",
    ),
    minimiser=(
        "None, because no point is best by itself: if all samples were the same, each anchor with a positive would "
        "cost ln(n − 1), as if guessed."
    ),
    pitfalls=(
        Pitfall(
            "An anchor without a positive has nothing to be pulled to. If every sample is of a class of its own, as "
            "here, the value is 0 and so is the gradient: nothing is learnt. Draw batches with at least two samples a "
            "class.",
            state={"prediction": [[2.0, 0.0], [0.0, 2.0], [-1.0, -1.0]], "target": [0.0, 1.0, 2.0]},
        ),
        Pitfall(
            "Anchors without a positive still count in the mean here, as in the authors' code: sample 5 lowers the "
            "value to 1.579; over the other four the mean would be 1.973. Other libraries leave such anchors out.",
        ),
        Pitfall(
            "A perfect embedding need not cost 0. Each class is one direction here and the classes are opposite, yet "
            "the value is 0.416: an anchor with two positives shares its probability between them and pays ln 2 = "
            "0.693.",
            state={
                "prediction": [[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [-2.0, 0.0], [-2.0, 0.0]],
                "target": [0.0, 0.0, 0.0, 1.0, 1.0],
            },
        ),
        Pitfall(
            "The authors' code multiplies the loss by temperature / 0.07 (its base temperature). With their default of "
            "0.07 that is 1, otherwise the values differ by that factor. Here at 0.5 the value is 0.776 without it.",
            parameters={"temperature": 0.5},
        ),
    ),
    relatives=(
        Relative("info_nce", "knows no classes: each sample has one positive"),
        Relative("circle", "weighs each pair by how far it is from where it should be"),
        Relative("arcface", "compares with a centre a class instead of with the other samples"),
        Relative("cross_entropy", "the usual choice when only the classes themselves are wanted"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It pulls all samples of a class together and uses every pair of the batch.",
            labels=("classes",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Khosla et al. (2020): Supervised Contrastive Learning (equation 2, the form with the sum outside the "
        "logarithm), arXiv:2004.11362",
    ),
    goldens=(
        Golden("optax 0.2.8, ntxent (classes of two)", _GOLDEN_POINTS[:4], [0, 0, 1, 1], 1.0648499782557272),
        Golden(
            "mpmath 1.3.0, equation (2) of Khosla et al. (2020)",
            _GOLDEN_POINTS,
            [0, 0, 1, 1, 1],
            9.772665199787087,
            "sum",
            {"temperature": 0.5},
        ),
        Golden(
            "mpmath 1.3.0, equation (2) of Khosla et al. (2020)", _GOLDEN_POINTS, [0, 0, 1, 1, 2], 1.5787789272404573
        ),
    ),
    errors=(
        ErrorCase([[1.0, 0.0], [0.0, 1.0]], [0.0, 3.0], "one of 0, 1, 2"),
        ErrorCase([[1.0, 0.0], [0.0, 1.0]], [0.0], "shape"),
        ErrorCase([[1.0, 0.0], [0.0, float("nan")]], [0.0, 1.0], "finite"),
        ErrorCase([[1.0, 0.0]], [0.0], "[0.01, 10]", {"temperature": 0.0}),
    ),
    kinks=ZERO_VECTOR,
    derived=_derived,
    derived_labels={
        "positives": "Others of its class",
        "surprise": "Sum of their −ln softmax",
    },
    invariances=(
        Invariance("The lengths of the vectors do not count.", stretched("prediction")),
        Invariance("Turning the whole plane changes nothing.", turned("prediction")),
        Invariance("It does not matter what the classes are called.", _rename),
    ),
)
