"""Soft Jaccard (intersection over union) loss on masks."""

from __future__ import annotations

from torch import Tensor

from lossviz.losses._overlap import (
    FAINT,
    MASK_BOARD,
    MASK_ERRORS,
    MASK_INPUTS,
    MIRROR,
    NO_OBJECT,
    SMOOTH,
    miss,
    miss_slope,
    tally,
)
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return miss(inputs, 1.0, 1.0, 1.0, params["smooth"])


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    return miss_slope(inputs, 1.0, 1.0, 1.0, params["smooth"])


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    intersection, extra, missed = tally(inputs)
    return {"intersection": intersection, "union": intersection + extra + missed}


_P = [[[0.1, 0.6, 0.9], [0.2, 0.8, 0.3]], [[0.7, 0.05, 0.4], [0.0, 1.0, 0.5]]]
_Y = [[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]

LOSS = Loss(
    key="jaccard",
    title="Jaccard (soft IoU)",
    task="segmentation",
    position=2,
    summary="One minus the shared area over the area that either mask covers: a mask's intersection over union.",
    notice=(
        "The masks share 6.4 cells and together cover 16.4: with smooth 1 that costs 0.575, where the Dice loss asks "
        "0.420. Move the predicted shape one cell to the right: 0.390. Every object cell has the slope −0.057, every "
        "background cell 0.024, whatever its own probability."
    ),
    use_when="A mask is judged by its intersection over union, as in most public benchmarks of segmentation.",
    avoid_when="Many pictures show no object, or each pixel's probability must be right.",
    aliases=("Jaccard loss", "soft Jaccard", "soft IoU", "mask IoU loss", "Jaccard distance"),
    inputs=MASK_INPUTS,
    parameters=(SMOOTH,),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"1 - \frac{I_i + s}{U_i + s},\quad I_i = \sum_j p_{ij}\, y_{ij},\quad "
        r"U_i = \sum_j p_{ij} + \sum_j y_{ij} - I_i"
    ),
    gradient_formula=(
        r"\begin{cases} -\dfrac{1}{U_i + s} & y_{ij} = 1 \\[2ex] \dfrac{I_i + s}{(U_i + s)^2} & y_{ij} = 0 \end{cases}"
    ),
    worked=("1 − ({intersection} + {smooth}) / ({union} + {smooth})",),
    board=MASK_BOARD,
    code=Code(
        torch=(
            "cells = (1, 2)\n"
            "intersection = (prediction * target).sum(cells)\n"
            "union = prediction.sum(cells) + target.sum(cells) - intersection\n"
            "terms = 1 - (intersection + {smooth}) / (union + {smooth})\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "cells = (1, 2)\n"
            "intersection = keras.ops.sum(prediction * target, axis=cells)\n"
            "union = keras.ops.sum(prediction, axis=cells) + keras.ops.sum(target, axis=cells) - intersection\n"
            "terms = 1 - (intersection + {smooth}) / (union + {smooth})\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note=(
            "Keras has the intersection over union as a metric on hard masks, which has no slope, not as a loss. "
            "keras.losses.Tversky with alpha = beta = 1 comes close: it has no smooth and adds 1e-7."
        ),
    ),
    minimiser=(
        "No closed form: for one true mask the mask itself. Over several true masks the best constant mask mostly "
        "consists of zeros and ones, not of each cell's frequency."
    ),
    pitfalls=(
        Pitfall(
            "The metric of the same name counts hard masks. Cut at one half, this prediction of 0.6 inside and 0.4 "
            "outside is perfect, and yet the loss is 0.637: it falls only as the probabilities go to 0 and 1.",
            state={"prediction": (tuple(tuple(0.6 if cell else 0.4 for cell in row) for row in MASK_BOARD.target),)},
        ),
        Pitfall(
            "Without an object in the picture smooth alone decides: a faint 0.1 everywhere costs 0.783 with smooth 1, "
            "and would cost 0.973 with smooth 0.1.",
            state={"prediction": FAINT, "target": NO_OBJECT},
        ),
        Pitfall(
            "Mean over the pictures or over one large picture? Here each mask has a term of its own. Where code adds "
            "up intersections and unions of a whole batch first, large objects count more and small ones get lost.",
        ),
    ),
    relatives=(
        Relative("dice", "twice the intersection over the sum of the sizes; the milder mark"),
        Relative("tversky", "this loss with weights 1 and 1 on false alarms and misses"),
        Relative("iou", "the same idea for boxes"),
    ),
    suits=(
        Suit(
            predicts="mask",
            reason="It is a smooth stand-in for the intersection over union, by which masks are compared.",
            labels=("hard",),
            trouble=("imbalance",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Rahman, Wang (2016): Optimizing Intersection-Over-Union in Deep Neural Networks for Image Segmentation, "
        "International Symposium on Visual Computing, 234-244",
        "Jaccard (1912): The Distribution of the Flora in the Alpine Zone, New Phytologist 11(2), 37-50",
        "https://keras.io/api/metrics/segmentation_metrics/",
    ),
    goldens=(
        Golden(
            "Keras 3.15.1, Tversky with weights 1, epsilon 1e-30 and one more cell that is 1 in both masks",
            _P,
            _Y,
            0.2817537860283342,
        ),
        Golden(
            "Keras 3.15.1, Tversky with weights 1, epsilon 1e-30 and two more cells that are 1 in both masks",
            _P,
            _Y,
            0.46150065530799467,
            "sum",
            {"smooth": 2.0},
        ),
    ),
    errors=MASK_ERRORS,
    derived=_derived,
    derived_labels={"intersection": "Intersection", "union": "Union"},
    invariances=(MIRROR,),
)
