"""Tversky loss."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.losses._overlap import (
    FAINT,
    MASK_BOARD,
    MASK_ERRORS,
    MASK_INPUTS,
    MIRROR,
    NO_OBJECT,
    SMOOTH,
    TVERSKY_KERAS_NOTE,
    TVERSKY_KERAS_TERMS,
    TVERSKY_LABELS,
    TVERSKY_TORCH_TERMS,
    TVERSKY_WEIGHTS,
    miss,
    miss_slope,
    tally,
)
from lossviz.losses.base import MEAN, SUM, Code, ErrorCase, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return miss(inputs, 1.0, params["alpha"], params["beta"], params["smooth"])


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    return miss_slope(inputs, 1.0, params["alpha"], params["beta"], params["smooth"])


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return dict(zip(TVERSKY_LABELS, tally(inputs), strict=True))


_P = [[[0.1, 0.6, 0.9], [0.2, 0.8, 0.3]], [[0.7, 0.05, 0.4], [0.0, 1.0, 0.5]]]
_Y = [[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]
_SOURCE: Final = "Keras 3.15.1, Tversky with its alpha and beta exchanged, epsilon 1e-30 and"

LOSS = Loss(
    key="tversky",
    title="Tversky",
    task="segmentation",
    position=3,
    summary="An overlap loss on masks in which false alarms and misses have prices of their own.",
    notice=(
        "The prediction shares 6.4 cells with the object, claims 4.4 that are background and misses 5.6. With 0.3 for "
        "a false alarm and 0.7 for a miss it costs 0.415. Exchange the prices: 0.391, because more is missed "
        "than falsely claimed. Object cells have the slope −0.065, background cells 0.014: it would rather claim too "
        "much than miss something."
    ),
    use_when=(
        "Missing a part of the object is worse than marking too much, as with lesions and tumours, or the other way "
        "round: set the two prices."
    ),
    avoid_when="Both mistakes weigh the same (Dice is the same with fewer settings), or probabilities must be right.",
    aliases=("Tversky loss", "Tversky index loss"),
    inputs=MASK_INPUTS,
    parameters=(*TVERSKY_WEIGHTS, SMOOTH),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"1 - \frac{TP_i + s}{D_i},\quad D_i = TP_i + \alpha\, FP_i + \beta\, FN_i + s,\quad "
        r"TP_i = \sum_j p_{ij} y_{ij},\ FP_i = \sum_j p_{ij} (1 - y_{ij}),\ FN_i = \sum_j (1 - p_{ij}) y_{ij}"
    ),
    gradient_formula=(
        r"\begin{cases} -\dfrac{1 - (1 - \beta)(1 - \ell_i)}{D_i} & y_{ij} = 1 \\[2ex] "
        r"\dfrac{\alpha\,(1 - \ell_i)}{D_i} & y_{ij} = 0 \end{cases}"
    ),
    worked=(
        "1 − ({true_positive} + {smooth}) / ({true_positive} + {alpha} · {false_positive} + {beta} · {false_negative} "
        "+ {smooth})",
    ),
    board=MASK_BOARD,
    code=Code(
        torch=TVERSKY_TORCH_TERMS + "terms = 1 - index\nloss = terms.{reduction}()",
        keras=TVERSKY_KERAS_TERMS + "terms = 1 - index\nloss = keras.ops.{reduction}(terms)",
        keras_note=TVERSKY_KERAS_NOTE,
    ),
    minimiser=(
        "No closed form: for one true mask the mask itself. Over several true masks a higher price on misses makes the "
        "best constant mask larger."
    ),
    pitfalls=(
        Pitfall(
            "Nobody agrees which of alpha and beta is which. Here, as in Salehi's paper, alpha is the price of "
            "false positives. Keras 3.15.1 says so too and yet multiplies the false negatives by alpha, so that with "
            "its settings exchanged the starting example costs 0.391 instead of 0.415.",
            parameters={"alpha": 0.7, "beta": 0.3},
        ),
        Pitfall(
            "With false alarms almost free, everything becomes object. Alpha 0.05 and beta 0.95: marking the whole "
            "picture, 24 of whose 36 cells are background, costs only 0.085.",
            state={"prediction": (((1.0,) * 6,) * 6,)},
            parameters={"alpha": 0.05, "beta": 0.95},
        ),
        Pitfall(
            "Without an object in the picture only false positives and smooth count: a faint 0.1 everywhere costs "
            "0.519 with smooth 1, and would cost 0.915 with smooth 0.1.",
            state={"prediction": FAINT, "target": NO_OBJECT},
        ),
    ),
    relatives=(
        Relative("dice", "both prices at one half, and half the smooth: the same number"),
        Relative("jaccard", "both prices at 1"),
        Relative("focal_tversky", "raises it to a power"),
    ),
    suits=(
        Suit(
            predicts="mask",
            reason="It has one price for marking too much and another for missing something.",
            labels=("hard",),
            trouble=("uneven_costs", "imbalance"),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Salehi, Erdogmus, Gholipour (2017): Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional "
        "Deep Networks, arXiv:1706.05721",
        "Tversky (1977): Features of Similarity, Psychological Review 84(4), 327-352",
        "https://keras.io/api/losses/probabilistic_losses/",
    ),
    goldens=(
        Golden(f"{_SOURCE} one more cell that is 1 in both masks", _P, _Y, 0.1735998163375509),
        Golden(
            f"{_SOURCE} two more cells that are 1 in both masks",
            _P,
            _Y,
            0.3101914981917353,
            "sum",
            {"alpha": 0.2, "beta": 0.9, "smooth": 2.0},
        ),
    ),
    errors=(*MASK_ERRORS, ErrorCase([[[0.5]]], [[[1.0]]], "[0, 10]", {"alpha": -0.1})),
    derived=_derived,
    derived_labels=TVERSKY_LABELS,
    invariances=(MIRROR,),
)
