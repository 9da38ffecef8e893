"""Circle loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Numbers
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Domain,
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

COSINE = Domain("interval", low=-1.0, high=1.0)


def _frozen(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {
        "alpha_positive": (1 + params["m"] - inputs["positive"]).relu(),
        "alpha_negative": (inputs["negative"] + params["m"]).relu(),
    }


def _exponent(inputs: Inputs, params: Params) -> Tensor:
    negative = inputs["alpha_negative"] * (inputs["negative"] - params["m"])
    positive = inputs["alpha_positive"] * (inputs["positive"] - (1 - params["m"]))
    exponent: Tensor = params["gamma"] * (negative - positive)
    return exponent


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return F.softplus(_exponent(inputs, params), threshold=40.0)  # from 40 on ln(1 + e^x) equals x in float64


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    slope = params["gamma"] * torch.sigmoid(_exponent(inputs, params))
    return {"positive": -slope * inputs["alpha_positive"], "negative": slope * inputs["alpha_negative"]}


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {
        "weight_positive": inputs["alpha_positive"],
        "weight_negative": inputs["alpha_negative"],
        "exponent": _exponent(inputs, params),
    }


_GOLDEN_POINT = {"positive": [0.9, 0.4, 0.75], "negative": [0.6, 0.1, 0.25]}

LOSS = Loss(
    key="circle",
    title="Circle",
    task="embedding",
    position=10,
    summary=(
        "Wants the similarity to a positive near 1 and the similarity to a negative near 0, and works hardest on "
        "whichever of the two is further off."
    ),
    notice=(
        "Anchors 1 and 2 cost the same, 19.6, but for unlike reasons. For anchor 1 the negative is too near (0.6), so "
        "its slope of 22.67 outweighs the positive's −9.333. For anchor 2 the positive is too far off (0.4), and it is "
        "the other way around. Anchor 3 lies on the circle where the exponent is 0 and the term ln 2 = 0.693."
    ),
    use_when=(
        "You train an embedding with classes or pairs and want each similarity to be corrected as far as it needs it. "
        "Here an anchor has one positive and one negative; with several, their exponentials are added up inside the "
        "logarithm."
    ),
    avoid_when=(
        "You want a value that can be read: it depends on the scale and the relaxation. Distances or scores that are "
        "no cosines do not fit."
    ),
    aliases=("circle loss",),
    inputs=(
        Input("positive", "prediction", ("n",), COSINE, "cosine of the anchor with a sample of its class"),
        Input("negative", "prediction", ("n",), COSINE, "cosine of the anchor with a sample of another class"),
    ),
    parameters=(
        Parameter(
            "gamma",
            r"\gamma",
            80.0,
            0.0,
            512.0,
            1.0,
            "Scale: how steep the loss is.",
            low_open=True,
        ),
        Parameter(
            "m",
            "m",
            0.25,
            0.0,
            0.5,
            0.05,
            "Relaxation: the circle around the best point (1 and 0) has the radius m√2; the smaller, the stricter.",
            label="Relaxation m",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\ln\left(1 + e^{\gamma \left( \alpha_n (s_n - m) - \alpha_p (s_p - (1 - m)) \right)}\right), \\ "
        r"\alpha_p = \max(0,\ 1 + m - s_p), \quad \alpha_n = \max(0,\ s_n + m) \quad "
        r"\text{(held fixed in the gradient)}"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial s_p} = -\gamma\, \alpha_p\, (1 - e^{-\ell_i}), \quad "
        r"\frac{\partial \ell_i}{\partial s_n} = \gamma\, \alpha_n\, (1 - e^{-\ell_i})"
    ),
    worked=(
        "ln(1 + exp({gamma} · ({weight_negative} · ({negative} − {m}) "
        "− {weight_positive} · ({positive} − (1 − {m})))))",
    ),
    board=Numbers(
        (
            Number("positive", "Similarity to positive", "prediction", (0.9, 0.4, 0.75), low=-1.0, high=1.0),
            Number("negative", "Similarity to negative", "prediction", (0.6, 0.1, 0.25), low=-1.0, high=1.0),
        ),
        tracks=("Cosine similarity",),
        span="gap",
        lines=(0.25, 0.75),
        sample_label="Anchor",
    ),
    code=Code(
        torch=(
            "alpha_positive = (1 + {m} - positive.detach()).relu()\n"
            "alpha_negative = (negative.detach() + {m}).relu()\n"
            "exponent = alpha_negative * (negative - {m}) - alpha_positive * (positive - (1 - {m}))\n"
            "terms = F.softplus({gamma} * exponent, threshold=40)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "positive, negative = keras.ops.convert_to_tensor(positive), keras.ops.convert_to_tensor(negative)\n"
            "alpha_positive = keras.ops.relu(1 + {m} - keras.ops.stop_gradient(positive))\n"
            "alpha_negative = keras.ops.relu(keras.ops.stop_gradient(negative) + {m})\n"
            "exponent = alpha_negative * (negative - {m}) - alpha_positive * (positive - (1 - {m}))\n"
            "terms = keras.ops.softplus({gamma} * exponent)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Neither PyTorch nor Keras has it as a loss; stop_gradient is what detach is in PyTorch.",
    ),
    minimiser=(
        "None, because no target is given: the further the positive rises and the negative falls to 0, the less it "
        "costs."
    ),
    pitfalls=(
        Pitfall(
            "The tangent is not that of the curve: the weights move along the curve but are held fixed in the "
            "gradient. Here the negative is at −0.1, below its best value 0, and the curve rises to the left, yet the "
            "slope is +12 and still pushes it further down.",
            state={"positive": [0.4], "negative": [-0.1]},
        ),
        Pitfall(
            "The relaxation m is no margin to keep: a larger m asks for less. At 0.25 the starting example costs 13.3, "
            "at 0.4 only 2.68, because the positive need only reach 0.6 and the negative 0.4.",
            parameters={"m": 0.4},
        ),
        Pitfall(
            "Outside the circle value and gradient grow with the scale gamma: at 256, which the paper takes for faces, "
            "the starting example costs 42 instead of 13.3. Choose the learning rate for it.",
            parameters={"gamma": 256.0},
        ),
    ),
    relatives=(
        Relative("triplet_margin", "weighs both distances alike, so its boundary is a straight line"),
        Relative("supcon", "a softmax over the batch without weights of its own"),
        Relative("arcface", "a margin on the angle to class centres"),
        Relative("focal", "the same thought for classes: easy ones weigh less"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It corrects each similarity by how far it is from its best value, for class labels and for pairs.",
            labels=("classes", "triplets"),
            wants=("margin",),
        ),
    ),
    properties=("non_convex", "robust"),
    references=(
        "Sun et al. (2020): Circle Loss: A Unified Perspective of Pair Similarity Optimization, arXiv:2002.10857",
    ),
    goldens=(
        Golden("mpmath 1.3.0, equations (4) to (6) of Sun et al. (2020)", _GOLDEN_POINT, None, 13.297715728903235),
        Golden(
            "mpmath 1.3.0, equations (4) to (6) of Sun et al. (2020)",
            _GOLDEN_POINT,
            None,
            2.385411354488629,
            "sum",
            {"gamma": 16.0, "m": 0.4},
        ),
        Golden(
            "Sun et al. (2020), on the circle of radius m√2 around (0, 1) the loss is ln 2",
            {"positive": [0.75], "negative": [0.25]},
            None,
            0.6931471805599453,
        ),
    ),
    errors=(
        ErrorCase({"positive": [1.5], "negative": [0.0]}, None, "[-1, 1]"),
        ErrorCase({"positive": [0.5], "negative": [0.0, 0.1]}, None, "shape"),
        ErrorCase({"positive": [0.5]}, None, "negative"),
        ErrorCase({"positive": [0.5], "negative": [0.0]}, None, "(0, 512]", {"gamma": 0.0}),
    ),
    kinks="Where the negative falls below −m its weight is 0, and so is its slope.",
    derived=_derived,
    derived_labels={
        "weight_positive": "Weight of the positive",
        "weight_negative": "Weight of the negative",
        "exponent": "Exponent",
    },
    frozen=_frozen,
    frozen_note=(
        "The two weights are held fixed in the gradient, as in the paper: they say how strongly to pull, not where to."
    ),
)
