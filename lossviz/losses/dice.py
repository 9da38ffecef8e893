"""Dice loss."""

from __future__ import annotations

from torch import Tensor

from lossviz.losses._overlap import (
    CELLS,
    FAINT,
    MASK_BOARD,
    MASK_ERRORS,
    MASK_INPUTS,
    MIRROR,
    NO_OBJECT,
    SMOOTH,
    miss,
    miss_slope,
)
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Golden,
    Inputs,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    if not params["squared"]:
        return miss(inputs, 2.0, 1.0, 1.0, params["smooth"])
    p, y = inputs["prediction"], inputs["target"]
    # The sum of both squares less twice the product: what is lacking, without a difference of like numbers.
    total: Tensor = p.square().sum(CELLS) + y.square().sum(CELLS) + params["smooth"]
    return (p - y).square().sum(CELLS) / total


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    if not params["squared"]:
        return miss_slope(inputs, 2.0, 1.0, 1.0, params["smooth"])
    p, y = inputs["prediction"], inputs["target"]
    total: Tensor = p.square().sum(CELLS) + y.square().sum(CELLS) + params["smooth"]
    return 2 * (p - y - _terms(inputs, params)[..., None, None] * p) / total[..., None, None]


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    p, y = inputs["prediction"], inputs["target"]
    return {
        "intersection": (p * y).sum(CELLS),
        "size_prediction": (p.square() if params["squared"] else p).sum(CELLS),
        "size_target": y.sum(CELLS),
    }


def _torch(params: Params, _: str) -> str:
    power = "**2" if params["squared"] else ""
    size = f"(prediction{power}).sum(cells)" if power else "prediction.sum(cells)"
    return (
        "cells = (1, 2)\n"
        "intersection = (prediction * target).sum(cells)\n"
        f"size = {size} + target.sum(cells)\n"
        "terms = 1 - (2 * intersection + {smooth}) / (size + {smooth})\n"
        "loss = terms.{reduction}()"
    )


def _keras(params: Params, _: str) -> str:
    power = "**2" if params["squared"] else ""
    return (
        "cells = (1, 2)\n"
        "intersection = keras.ops.sum(prediction * target, axis=cells)\n"
        f"size = keras.ops.sum(prediction{power}, axis=cells) + keras.ops.sum(target, axis=cells)\n"
        "terms = 1 - (2 * intersection + {smooth}) / (size + {smooth})\n"
        "loss = keras.ops.{reduction}(terms)"
    )


_P = [[[0.1, 0.6, 0.9], [0.2, 0.8, 0.3]], [[0.7, 0.05, 0.4], [0.0, 1.0, 0.5]]]
_Y = [[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]

LOSS = Loss(
    key="dice",
    title="Dice",
    task="segmentation",
    position=1,
    summary="How badly a predicted mask covers the true one: one minus twice the shared area over the sum of both.",
    notice=(
        "The prediction lies one cell too far to the left and costs 0.420. Take the predicted shape and move it one "
        "cell to the right: 0.252. What remains is doubt; paint every cell of the object to 1 and all others to 0, and "
        "the loss is 0. Compare the slopes: all 12 cells of the object share one, −0.060, and all background cells "
        "another, 0.024, because only the sums over the picture count."
    ),
    use_when=(
        "A model marks the pixels of an object that covers a small part of the picture: the many background pixels "
        "that are right neither cost anything nor drown the rest."
    ),
    avoid_when=(
        "You need probabilities that can be trusted, or many pictures show no object at all; a cross-entropy, alone or "
        "added to it, then does better."
    ),
    aliases=(
        "Dice loss",
        "soft Dice",
        "F1 loss",
        "Sørensen-Dice",
        "Sørensen-Dice coefficient",
        "DSC loss",
        "V-Net loss",
    ),
    inputs=MASK_INPUTS,
    parameters=(
        SMOOTH,
        Parameter.flag(
            "squared",
            r"\text{squared}",
            "Whether the probabilities below the fraction line are squared, as in the V-Net paper.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"1 - \frac{2 \sum_j p_{ij}\, y_{ij} + s}{\sum_j p_{ij}^{\,a} + \sum_j y_{ij} + s},\quad "
        r"a = 1 \text{ (squared: } a = 2\text{)},\quad j \text{ runs over the cells}"
    ),
    gradient_formula=(r"\frac{a\, p_{ij}^{\,a-1}\,(1 - \ell_i) - 2\, y_{ij}}{\sum_m p_{im}^{\,a} + \sum_m y_{im} + s}"),
    worked=("1 − (2 · {intersection} + {smooth}) / ({size_prediction} + {size_target} + {smooth})",),
    board=MASK_BOARD,
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note=(
            "The class keras.losses.Dice has no smooth; it adds 1e-7 below the fraction line only, and without "
            "axis=(1, 2) it takes all pictures of a batch as one."
        ),
    ),
    minimiser=(
        "No closed form: for one true mask the mask itself. Over several true masks the best constant mask mostly "
        "consists of zeros and ones, not of each cell's frequency."
    ),
    pitfalls=(
        Pitfall(
            "A picture without the object has an overlap of 0 whatever the model says, and smooth alone decides what "
            "that costs. A faint 0.1 everywhere costs 0.783 with smooth 1; with smooth 0.1 it would be 0.973, "
            "with smooth 100 only 0.035.",
            state={"prediction": FAINT, "target": NO_OBJECT},
        ),
        Pitfall(
            "It takes probabilities. Applied twice, the sigmoid turns a perfect mask into 0.731 inside and 0.5 "
            "outside, and the loss cannot get below 0.451.",
            state={"prediction": (tuple(tuple(0.731 if cell else 0.5 for cell in row) for row in MASK_BOARD.target),)},
        ),
        Pitfall(
            "A confident mistake is not corrected more urgently than a slight one: the background cell at 0.6 has the "
            "slope 0.0244, and so has the one at 0.1. So it pushes all cells to 0 or 1, and what comes out is no "
            "trustworthy probability.",
        ),
        Pitfall(
            "Two formulas go by the same name. With squares below the fraction line, as in the V-Net paper, the "
            "starting example costs 0.287 instead of 0.420: compare values only where the formula is the same.",
            parameters={"squared": True},
        ),
    ),
    relatives=(
        Relative("jaccard", "divides by the union instead of the mean size; the same order of masks, a harder mark"),
        Relative("tversky", "lets false alarms and misses cost differently"),
        Relative("combo", "adds a cross-entropy, which gives each cell a slope of its own"),
        Relative("bce", "looks at each cell alone"),
    ),
    suits=(
        Suit(
            predicts="mask",
            reason="It compares areas, so a small object counts as much as a large one.",
            labels=("hard",),
            trouble=("imbalance",),
        ),
        Suit(
            predicts="mask",
            reason="It follows the Dice score, with which masks are mostly judged, in medicine above all.",
            labels=("hard",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Milletari, Navab, Ahmadi (2016): V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image "
        "Segmentation, arXiv:1606.04797",
        "Sudre et al. (2017): Generalised Dice Overlap as a Deep Learning Loss Function for Highly Unbalanced "
        "Segmentations, arXiv:1707.03237",
        "https://keras.io/api/losses/probabilistic_losses/",
    ),
    goldens=(
        Golden(
            "Keras 3.15.1, Dice with epsilon 1e-30 and one more cell that is 1 in both masks, which is smooth 2",
            _P,
            _Y,
            0.16397782741788702,
            "mean",
            {"smooth": 2.0},
        ),
        Golden(
            "Keras 3.15.1, Dice with epsilon 1e-30 and two more cells that are 1 in both masks, which is smooth 4",
            _P,
            _Y,
            0.2608468100696081,
            "sum",
            {"smooth": 4.0},
        ),
        Golden(
            "NumPy 2.4.6, formula of section 3 of Milletari (2016) with smooth",
            _P,
            _Y,
            0.07861633885093966,
            "mean",
            {"smooth": 0.5, "squared": True},
        ),
    ),
    errors=MASK_ERRORS,
    derived=_derived,
    derived_labels={
        "intersection": "Intersection",
        "size_prediction": "Size of the prediction",
        "size_target": "Size of the truth",
    },
    invariances=(MIRROR,),
)
