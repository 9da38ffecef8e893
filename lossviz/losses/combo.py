"""Combo loss: weighted cross-entropy and Dice."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

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
    ErrorCase,
    Golden,
    Inputs,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _weight(inputs: Inputs, params: Params) -> Tensor:
    y = inputs["target"]
    weight: Tensor = params["beta"] * y + (1 - params["beta"]) * (1 - y)
    return weight


def _cross_entropy(inputs: Inputs, params: Params) -> Tensor:
    p, y = inputs["prediction"], inputs["target"]
    return F.binary_cross_entropy(p, y, weight=_weight(inputs, params), reduction="none").mean(CELLS)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    alpha: float = params["alpha"]
    return alpha * _cross_entropy(inputs, params) + (1 - alpha) * miss(inputs, 2.0, 1.0, 1.0, params["smooth"])


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    p, y = inputs["prediction"], inputs["target"]
    alpha, cells = params["alpha"], p.shape[-1] * p.shape[-2]
    # As in torch's backward the divisor stays at 1e-12 or more.
    cross_entropy = _weight(inputs, params) * (p - y) / torch.clamp(p * (1 - p), min=1e-12) / cells
    dice = miss_slope(inputs, 2.0, 1.0, 1.0, params["smooth"])
    slope: Tensor = alpha * cross_entropy + (1 - alpha) * dice
    return slope


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {
        "cross_entropy": _cross_entropy(inputs, params),
        "dice_loss": miss(inputs, 2.0, 1.0, 1.0, params["smooth"]),
    }


_P = [[[0.1, 0.6, 0.9], [0.2, 0.8, 0.3]], [[0.7, 0.05, 0.4], [0.15, 0.95, 0.5]]]
_Y = [[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]

LOSS = Loss(
    key="combo",
    title="Combo (cross-entropy and Dice)",
    task="segmentation",
    position=5,
    summary="A mixture of two views of a mask: the surprise at each cell, and the overlap as a whole.",
    notice=(
        "The starting example costs 0.331: half of the weighted cross-entropy, 0.242, and half of the Dice loss, "
        "0.420. Compare two cells of the object: the one predicted with 0.1 has the slope −0.099, the one with 0.6 "
        "only −0.041. Drag alpha to 0: now both have −0.060, because Dice alone sees only sums."
    ),
    use_when=(
        "An overlap loss alone trains restlessly: the cross-entropy gives each cell a slope of its own from the first "
        "step, Dice keeps small objects from being ignored."
    ),
    avoid_when="You want one number with a plain meaning: the mixture has none, and alpha must be chosen.",
    aliases=("combo loss", "BCE-Dice", "BCE + Dice", "Dice-BCE", "Dice plus cross-entropy"),
    inputs=MASK_INPUTS,
    parameters=(
        Parameter("alpha", r"\alpha", 0.5, 0.0, 1.0, 0.05, "Share of the cross-entropy; the rest is Dice."),
        Parameter(
            "beta",
            r"\beta",
            0.5,
            0.0,
            1.0,
            0.05,
            "Weight of object cells in the cross-entropy; above one half a miss costs more than a false alarm.",
        ),
        SMOOTH,
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\alpha\, b_i + (1 - \alpha)\, d_i,\quad "
        r"b_i = -\frac{1}{m} \sum_{j=1}^{m} \left[\beta\, y_{ij} \ln p_{ij} + (1 - \beta)(1 - y_{ij}) "
        r"\ln(1 - p_{ij})\right],\quad "
        r"d_i = 1 - \frac{2 \sum_j p_{ij}\, y_{ij} + s}{\sum_j p_{ij} + \sum_j y_{ij} + s}"
    ),
    gradient_formula=(
        r"\frac{\alpha}{m} \left[\frac{(1-\beta)(1-y_{ij})}{1-p_{ij}} - \frac{\beta\, y_{ij}}{p_{ij}}\right] + "
        r"(1 - \alpha)\, \frac{1 - d_i - 2\, y_{ij}}{\sum_j p_{ij} + \sum_j y_{ij} + s}"
    ),
    worked=("{alpha} · {cross_entropy} + (1 − {alpha}) · {dice_loss}",),
    board=MASK_BOARD,
    code=Code(
        torch=(
            "cells = (1, 2)\n"
            "weight = {beta} * target + (1 - {beta}) * (1 - target)\n"
            'surprise = F.binary_cross_entropy(prediction, target, weight=weight, reduction="none").mean(cells)\n'
            "intersection = (prediction * target).sum(cells)\n"
            "size = prediction.sum(cells) + target.sum(cells)\n"
            "dice = 1 - (2 * intersection + {smooth}) / (size + {smooth})\n"
            "terms = {alpha} * surprise + (1 - {alpha}) * dice\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "cells = (1, 2)\n"
            "weight = keras.ops.array({beta} * target + (1 - {beta}) * (1 - target))\n"
            "surprise = keras.ops.mean(keras.ops.binary_crossentropy(target, prediction) * weight, axis=cells)\n"
            "intersection = keras.ops.sum(prediction * target, axis=cells)\n"
            "size = keras.ops.sum(prediction, axis=cells) + keras.ops.sum(target, axis=cells)\n"
            "dice = 1 - (2 * intersection + {smooth}) / (size + {smooth})\n"
            "terms = {alpha} * surprise + (1 - {alpha}) * dice\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras keeps probabilities 1e-7 away from 0 and 1; PyTorch stops the logarithm at −100 instead.",
    ),
    minimiser=(
        "No closed form: for one true mask the mask itself. Over several, something between each cell's frequency, "
        "which the cross-entropy wants, and the zeros and ones of Dice."
    ),
    pitfalls=(
        Pitfall(
            "The paper subtracts the Dice score instead of adding one minus it, so its loss is lower by 1 − alpha and "
            "goes below 0. The slopes are the same; the starting example, 0.331 here, would be −0.169.",
        ),
        Pitfall(
            "With beta at one half the cross-entropy is half of the usual one, since both kinds of cells have the "
            "weight 0.5. Compare with alpha 1: 0.242 here, where binary cross-entropy gives 0.485.",
            parameters={"alpha": 1.0},
        ),
        Pitfall(
            "A single cell that is surely wrong weighs as much as a bad mask. One object cell at 0, all else perfect: "
            "the logarithm of 0 stops at PyTorch's limit of −100, and the mask costs 0.715, more than the starting "
            "example.",
            state={
                "prediction": (
                    tuple(
                        tuple(0.0 if (row, column) == (2, 1) else cell for column, cell in enumerate(cells))
                        for row, cells in enumerate(MASK_BOARD.target)
                    ),
                )
            },
        ),
        Pitfall(
            "Without an object the Dice part is large, however faint the prediction: 0.783 for 0.1 everywhere, where "
            "the cross-entropy part is only 0.053. The mixture costs 0.418.",
            state={"prediction": FAINT, "target": NO_OBJECT},
        ),
    ),
    relatives=(
        Relative("dice", "the overlap part alone (alpha 0)"),
        Relative("bce", "twice the other part (alpha 1, beta one half)"),
        Relative("focal_tversky", "attends to hard masks by a power instead"),
    ),
    suits=(
        Suit(
            predicts="mask",
            reason="The cross-entropy keeps each cell's probability honest while Dice looks after small objects.",
            labels=("hard",),
            trouble=("imbalance", "vanishing"),
            wants=("probabilities",),
        ),
    ),
    properties=("non_convex",),
    references=(
        "Taghanaki et al. (2019): Combo Loss: Handling Input and Output Imbalance in Multi-Organ Segmentation, "
        "arXiv:1805.02798",
        "https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, log_loss with sample_weight; Keras 3.15.1, Dice with one more cell that is 1 in both",
            _P,
            _Y,
            0.15771055839193165,
            "mean",
            {"smooth": 2.0},
        ),
        Golden(
            "scikit-learn 1.9.1, log_loss with sample_weight; Keras 3.15.1, Dice with one more cell that is 1 in both",
            _P,
            _Y,
            0.3406982101186121,
            "sum",
            {"alpha": 0.2, "beta": 0.7, "smooth": 2.0},
        ),
    ),
    errors=(*MASK_ERRORS, ErrorCase([[[0.5]]], [[[1.0]]], "[0, 1]", {"alpha": 1.5})),
    derived=_derived,
    derived_labels={"cross_entropy": "Weighted cross-entropy", "dice_loss": "Dice loss"},
    invariances=(MIRROR,),
)
