"""ArcFace loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Plane, Points, State
from lossviz.losses._embedding import ZERO_VECTOR, along_directions, directions, points, stretched, turned
from lossviz.losses._shared import REAL
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
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _own(inputs: Inputs, classes: int) -> Tensor:
    """Which centre is a sample's own, (..., n, k)."""
    return F.one_hot(inputs["target"], classes).bool()


def _angle(inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    """Cosines with all centres (..., n, k), and cosine and sine of the angle to the own one (..., n).

    sin = |u − w| |u + w| / 2 for unit vectors is exact at angles near 0 and π, where sqrt(1 − cos²) loses half of its
    digits and its slope becomes infinite. A sine that is only rounding counts as 0, with the gradient 0.
    """
    units, centres = directions(inputs["embedding"])[0], directions(inputs["centres"])[0]
    index = inputs["target"][..., None].expand(*inputs["target"].shape, centres.shape[-1])
    own = centres.gather(-2, index)
    near = torch.linalg.vector_norm(units - own, dim=-1)
    far = torch.linalg.vector_norm(units + own, dim=-1)
    sine = near * far / 2
    cosine = (units * own).sum(-1)
    return units @ centres.mT, cosine, torch.where(sine > 16 * torch.finfo(sine.dtype).eps, sine, 0.0)


def _logits(inputs: Inputs, params: Params) -> Tensor:
    cosines, cosine, sine = _angle(inputs)
    widened = cosine * math.cos(params["margin"]) - sine * math.sin(params["margin"])  # cos(θ + m)
    logits: Tensor = params["scale"] * torch.where(_own(inputs, cosines.shape[-1]), widened[..., None], cosines)
    return logits


def _terms(inputs: Inputs, params: Params) -> Tensor:
    log_softmax = torch.log_softmax(_logits(inputs, params), -1)
    return -log_softmax.gather(-1, inputs["target"][..., None])[..., 0]


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    units, inverse = directions(inputs["embedding"])
    centres, centres_inverse = directions(inputs["centres"])
    cosines, cosine, sine = _angle(inputs)
    own = _own(inputs, cosines.shape[-1])
    ratio = torch.where(sine > 0, cosine / torch.where(sine > 0, sine, 1.0), 0.0)
    # d cos(θ + m) / d cos θ = sin(θ + m) / sin θ
    stretch = math.cos(params["margin"]) + math.sin(params["margin"]) * ratio
    pull = torch.softmax(_logits(inputs, params), -1) - own.to(cosines.dtype)
    pull = params["scale"] * pull * torch.where(own, stretch[..., None], 1.0)
    return {
        "embedding": along_directions(units, inverse, pull @ centres),
        "centres": along_directions(centres, centres_inverse, pull.mT @ units),
    }


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    cosines, cosine, sine = _angle(inputs)
    logits = _logits(inputs, params)
    others = logits.masked_fill(_own(inputs, cosines.shape[-1]), -1e30)
    return {
        "angle": torch.atan2(sine, cosine),
        "others": torch.logsumexp(others, -1),
    }


def _naive(inputs: Inputs, params: Params) -> Tensor:
    cosines = _angle(inputs)[0]
    widened = torch.cos(torch.acos(cosines) + params["margin"])
    logits = params["scale"] * torch.where(_own(inputs, cosines.shape[-1]), widened, cosines)
    return -torch.log_softmax(logits, -1).gather(-1, inputs["target"][..., None])[..., 0]


def _link(state: State) -> dict[str, Tensor]:
    return {**state, "target": state["target"].long()}


_GOLDEN_POINT = {
    "embedding": [[1.6, 1.2], [2.0, 0.5], [-1.5, 1.0]],
    "centres": [[2.5, 0.0], [0.0, 2.4], [-1.5, -2.0]],
}

LOSS = Loss(
    key="arcface",
    title="ArcFace",
    task="embedding",
    position=11,
    summary=(
        "Cross-entropy on the angles between an embedding and one centre for each class, where the angle to the own "
        "centre is made larger by a margin."
    ),
    notice=(
        "Embedding 1 is of class 0 and nearest to centre 0, at an angle of 0.644. Yet it costs 11.878: with the margin "
        "of 0.5 added, centre 1 is nearer. Set the margin to 0: the term is 0.000003. Turn embedding 1 towards centre "
        "0: the term falls steeply and is nearly 0 below the angle 0.5. Lengths do not matter: pull an arrow along its "
        "direction."
    ),
    use_when=(
        "There are many classes with few samples each, such as people's faces, and new classes will later be "
        "recognised by the cosine of two embeddings."
    ),
    avoid_when=(
        "The classes stay as they are and probabilities are wanted: cross-entropy is simpler. With wrong labels the "
        "margin drags hard."
    ),
    aliases=("additive angular margin loss", "ArcFace loss", "angular margin softmax"),
    inputs=(
        points("embedding", "embedding of each sample"),
        Input("centres", "prediction", ("k", "d"), REAL, "one learnt centre for each class"),
        Input("target", "target", ("n",), Domain("index"), "index of the true class", differentiable=False),
    ),
    parameters=(
        Parameter(
            "scale", "s", 64.0, 0.0, 256.0, 1.0, "What cosines are multiplied by before the softmax.", low_open=True
        ),
        Parameter(
            "margin",
            "m",
            0.5,
            0.0,
            1.5,
            0.05,
            "Angle in radians that is added to the one between a sample and its own centre; 0.5 is about 29 degrees.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\ln \frac{e^{s \cos(\theta_{i y_i} + m)}}{e^{s \cos(\theta_{i y_i} + m)} + \sum_{j \ne y_i} "
        r"e^{s \cos \theta_{ij}}}, \quad \cos \theta_{ij} = \frac{x_i \cdot w_j}{|x_i|\,|w_j|}"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial x_i} = \frac{s}{|x_i|} \sum_j (p_{ij} - [j = y_i])\, c_{ij} "
        r"\left( \hat w_j - \cos \theta_{ij}\, \hat x_i \right), \quad "
        r"\frac{\partial \ell_i}{\partial w_j} = \frac{s}{|w_j|} (p_{ij} - [j = y_i])\, c_{ij} "
        r"\left( \hat x_i - \cos \theta_{ij}\, \hat w_j \right), \\ "
        r"c_{ij} = \frac{\sin(\theta_{ij} + m)}{\sin \theta_{ij}} \text{ for } j = y_i, \text{ else } 1"
    ),
    worked=("ln(1 + exp({others} − {scale} · cos({angle} + {margin})))",),
    board=Plane(
        points=(
            Points("embedding", "Embedding", "prediction", ((1.6, 1.2), (2.0, 0.5), (-1.5, 1.0))),
            Points("centres", "Centre", "prediction", ((2.5, 0.0), (0.0, 2.4), (-1.5, -2.0)), axis="k"),
        ),
        labels=(Number("target", "Class", "target", (0.0, 0.0, 1.0), labels=(0.0, 1.0, 2.0)),),
        vectors=True,
        link=_link,
    ),
    code=Code(
        torch=(
            "units, own = F.normalize(embedding, dim=1), F.normalize(centres, dim=1)[target]\n"
            "cosines = units @ F.normalize(centres, dim=1).T\n"
            "sine = (units - own).norm(dim=1) * (units + own).norm(dim=1) / 2\n"
            "angle = torch.atan2(sine, (units * own).sum(1))\n"
            "widened = torch.cos(angle + {margin})\n"
            "logits = {scale} * torch.where(F.one_hot(target, len(centres)) > 0, widened[:, None], cosines)\n"
            "loss = F.cross_entropy(logits, target, reduction={reduction!r})"
        ),
        keras=(
            "units, directions = keras.ops.normalize(embedding, axis=1), keras.ops.normalize(centres, axis=1)\n"
            "own = keras.ops.take(directions, target, axis=0)\n"
            "sine = keras.ops.norm(units - own, axis=1) * keras.ops.norm(units + own, axis=1) / 2\n"
            "angle = keras.ops.arctan2(sine, keras.ops.sum(units * own, axis=1))\n"
            "is_own = keras.ops.one_hot(target, centres.shape[0]) > 0\n"
            "widened = keras.ops.cos(angle + {margin})[:, None]\n"
            "logits = {scale} * keras.ops.where(is_own, widened, units @ keras.ops.transpose(directions))\n"
            "categorical = keras.losses.SparseCategoricalCrossentropy\n"
            "cross_entropy = categorical(from_logits=True, reduction={keras_reduction!r})\n"
            "loss = cross_entropy(target, logits)"
        ),
        keras_note="Neither PyTorch nor Keras has it: it is a last layer and cross-entropy in one.",
    ),
    minimiser=(
        "None, because it is a relation between embeddings and centres: it is smallest where each embedding points at "
        "its own centre and the centres are far apart."
    ),
    pitfalls=(
        Pitfall(
            "A right answer can cost a lot. Embedding 1 is nearest to its own centre and costs 11.878, which as a "
            "cross-entropy would mean a probability of 0.000007. Measure accuracy without the margin.",
        ),
        Pitfall(
            "Beyond the angle π − m the margin turns around. At (−2, 1.1), an angle of 2.639, embedding 2 costs "
            "94.843; here it is at 2.897, further from its centre, and costs 86.766. Many programs use cos θ − m sin m "
            "there instead.",
            state={"embedding": [[1.6, 1.2], [-2.0, 0.5], [-1.5, 1.0]]},
        ),
        Pitfall(
            "Cosines reach only from −1 to 1, so without a scale the softmax stays flat: with the scale 1 "
            "embedding 2, which is as good as right, still costs 0.605, and the value is 0.789.",
            parameters={"scale": 1.0},
        ),
        Pitfall(
            "A margin that is too large asks for the impossible: with 1 (57 degrees) the value grows from 3.999 to "
            "24.078 for the same points. It is often raised step by step, starting at 0.",
            parameters={"margin": 1.0},
        ),
    ),
    relatives=(
        Relative("cross_entropy", "the same without margin, scale and normalisation"),
        Relative("supcon", "compares with the other samples of the batch instead of with centres"),
        Relative("circle", "works on similarities and weighs each of them"),
        Relative("info_nce", "the keys of the batch take the place of the centres"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It gives each class a centre and keeps the classes apart by an angle, so that new classes fit in.",
            labels=("classes",),
            wants=("margin",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Deng, Guo, Xue, Zafeiriou (2019): ArcFace: Additive Angular Margin Loss for Deep Face Recognition, "
        "arXiv:1801.07698",
    ),
    goldens=(
        Golden("mpmath 1.3.0, equation (3) of Deng et al. (2019)", _GOLDEN_POINT, [0, 0, 1], 3.9986727400111144),
        Golden(
            "mpmath 1.3.0, equation (3) of Deng et al. (2019)",
            _GOLDEN_POINT,
            [0, 2, 1],
            19.83750454771854,
            "sum",
            {"scale": 10.0, "margin": 0.3},
        ),
    ),
    errors=(
        ErrorCase({"embedding": [[1.0, 0.0]], "centres": [[1.0, 0.0], [0.0, 1.0]]}, [2], "0 to 1"),
        ErrorCase({"embedding": [[1.0, 0.0]], "centres": [[1.0, 0.0], [0.0, 1.0]]}, [0, 1], "shape"),
        ErrorCase({"embedding": [[1.0, 0.0, 0.0]], "centres": [[1.0, 0.0], [0.0, 1.0]]}, [0], "shape"),
        ErrorCase({"embedding": [[1.0, 0.0]], "centres": [[1.0, 0.0], [0.0, 1.0]]}, [0], "[0, 1.5]", {"margin": 2.0}),
    ),
    kinks=(
        "Exactly on its own centre a sample's loss has a corner, because any turn makes the angle larger; the gradient "
        "counts "
        "as 0 there, and so it does at the opposite point. " + ZERO_VECTOR
    ),
    derived=_derived,
    derived_labels={
        "angle": "Angle to its own centre (radians)",
        "others": "Other classes together (log-sum-exp)",
    },
    invariances=(
        Invariance("The lengths of the vectors do not count.", stretched("embedding", "centres")),
        Invariance("Turning the whole plane changes nothing.", turned("embedding", "centres")),
    ),
    naive=Naive(
        "Written with arccos, rounding breaks it: in float32 a cosine may come out as 1.0000001, which has no arccos, "
        "and at exactly 1 the slope of arccos is infinite. Here sine and cosine are taken from the vectors themselves.",
        _naive,
        "widened = torch.cos(torch.acos(cosines) + {margin})",
    ),
)
