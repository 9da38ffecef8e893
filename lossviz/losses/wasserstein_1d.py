"""Wasserstein distance between distributions over ordered classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Bars
from lossviz.losses._multiclass import DISTRIBUTION_ERRORS, DISTRIBUTION_INPUTS, SAMPLE_MEAN, SAMPLE_SUM, softmax_link
from lossviz.losses._shared import swap_roles
from lossviz.losses.base import Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _flow(inputs: Inputs) -> Tensor:
    """What has to be carried from each class to the next; 0 behind the last one, where both sums are 1."""
    flow = (inputs["prediction"] - inputs["target"]).cumsum(-1)
    return F.pad(flow[..., :-1], (0, 1))


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return _flow(inputs).abs()


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return _flow(inputs).sign().flip(-1).cumsum(-1).flip(-1)


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {
        "softmax": inputs["prediction"],
        "cumulative_prediction": inputs["prediction"].cumsum(-1),
        "cumulative_target": inputs["target"].cumsum(-1),
    }


def _best_constant(target: Tensor, _: Params) -> Tensor:
    middle = target.cumsum(-1)[:, :-1].quantile(0.5, dim=0)
    return torch.diff(F.pad(F.pad(middle, (1, 0)), (0, 1), value=1.0))


LOSS = Loss(
    key="wasserstein_1d",
    title="Wasserstein distance",
    task="distribution",
    position=3,
    summary="How much probability has to be carried how far to turn the prediction into the target.",
    notice=(
        "The classes are in order, such as one to four stars. Both samples expect class 0 mostly. Sample 1 says class "
        "1: nearly right, 0.615 before averaging. Sample 2 says class 3: the same probability has to be carried three "
        "classes far, and it costs 1.822. The KL divergence cannot tell the two apart: it asks 1.200 for either."
    ),
    use_when="Classes have an order, such as grades or bins of a histogram, and a near miss is better than a far one.",
    avoid_when=(
        "Classes have no order, such as kinds of animals: the distance between their numbers means nothing then."
    ),
    aliases=("earth mover's distance", "EMD", "Wasserstein-1 distance", "ranked mean absolute error"),
    inputs=DISTRIBUTION_INPUTS,
    parameters=(),
    reductions=(SAMPLE_MEAN, SAMPLE_SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\left| P_{ic} - Y_{ic} \right|,\quad P_{ic} = \sum_{j=1}^{c} p_{ij},\quad Y_{ic} = \sum_{j=1}^{c} y_{ij}",
    gradient_formula=(r"\sum_{j=c}^{k-1} \operatorname{sign}(P_{ij} - Y_{ij}) \text{ with respect to } p_{ic}"),
    worked=("|{cumulative_prediction} − {cumulative_target}|",),
    board=Bars(
        ((0.0, 2.0, 0.0, 0.0), (0.0, 0.0, 0.0, 2.0)),
        ((0.7, 0.1, 0.1, 0.1), (0.7, 0.1, 0.1, 0.1)),
        truth="distribution",
        link=softmax_link,
    ),
    code=Code(
        torch=(
            "flow = (F.softmax(prediction, dim=1) - target).cumsum(1)[:, :-1]\n"
            "terms = flow.abs().sum(1)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "flow = keras.ops.cumsum(keras.ops.softmax(prediction) - target, axis=1)[:, :-1]\n"
            "terms = keras.ops.sum(keras.ops.abs(flow), axis=1)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no such loss; it is the distance between two cumulative sums.",
    ),
    minimiser="At each class the median of the cumulative targets; the differences of those medians.",
    pitfalls=(
        Pitfall(
            "It depends on the order of the classes. Here the softmax misses by one class and the sample costs 0.615; "
            "with the classes 1 and 3 exchanged the same mistake would cost 1.822.",
            state={"prediction": [[0.0, 2.0, 0.0, 0.0]], "target": [[0.7, 0.1, 0.1, 0.1]]},
        ),
        Pitfall(
            "Its unit is classes: more and finer classes make it larger. From end to end over 4 classes it comes to 3, "
            "over 2 classes to 1.",
            state={"prediction": [[-30.0, -30.0, -30.0, 30.0]], "target": [[1.0, 0.0, 0.0, 0.0]]},
        ),
        Pitfall(
            "Behind a softmax the slope dies where the prediction is sure: here the loss is all but 3, the largest "
            "there is, and the slopes of the logits are below 0.0003. Cross-entropy would pull with a slope of 1.",
            state={"prediction": [[0.0, 0.0, 0.0, 10.0]], "target": [[1.0, 0.0, 0.0, 0.0]]},
        ),
    ),
    relatives=(
        Relative("kl_div", "does not know that classes can be near each other"),
        Relative("js_divergence", "symmetric too, but blind to the order"),
        Relative("mae", "what it becomes for two single numbers"),
        Relative("wgan", "the same distance between images, estimated by a critic"),
    ),
    suits=(
        Suit(
            predicts="distribution",
            reason="Classes in an order have distances, and it counts how far probability is misplaced.",
            labels=("soft",),
            trouble=("uneven_costs",),
        ),
        Suit(
            predicts="one_class",
            reason="Where classes are in order, such as grades, a near miss should cost less than a far one.",
            trouble=("uneven_costs",),
        ),
    ),
    properties=("convex", "robust", "bounded"),
    references=(
        "Vallender (1974): Calculation of the Wasserstein Distance Between Probability Distributions on the Line, "
        "Theory of Probability and its Applications 18(4), 784-786",
        "https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.wasserstein_distance.html",
    ),
    goldens=(
        Golden(
            "scipy 1.17.1, stats.wasserstein_distance averaged",
            [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]],
            [[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]],
            0.3,
        ),
        Golden(
            "scipy 1.17.1, stats.wasserstein_distance summed",
            [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]],
            [[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]],
            0.6,
            "sum",
        ),
    ),
    errors=DISTRIBUTION_ERRORS,
    term_axes=("n", "k"),
    kinks="The slope jumps where the two cumulative sums are equal at a class. There it counts as 0.",
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "cumulative_prediction": "Prediction up to here",
        "cumulative_target": "Target up to here",
    },
    best_constant=_best_constant,
    invariances=(Invariance("Exchanging prediction and target changes nothing.", swap_roles),),
)
