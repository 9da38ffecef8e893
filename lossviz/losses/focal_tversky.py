"""Focal Tversky loss."""

from __future__ import annotations

from typing import Final

import torch
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


def _miss(inputs: Inputs, params: Params) -> Tensor:
    return miss(inputs, 1.0, params["alpha"], params["beta"], params["smooth"])


def _terms(inputs: Inputs, params: Params) -> Tensor:
    tversky, gamma = _miss(inputs, params), params["gamma"]
    if gamma >= 1:
        return torch.pow(tversky, gamma)
    # At a perfect mask a root has an infinite slope; 0 is put there, so that no gradient is infinite times 0.
    perfect = tversky == 0
    return torch.where(perfect, 0.0, torch.where(perfect, 1.0, tversky) ** gamma)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    tversky, gamma = _miss(inputs, params), params["gamma"]
    outer = gamma * torch.pow(tversky, gamma - 1)
    if gamma < 1:
        outer = torch.where(tversky == 0, 0.0, outer)
    slope: Tensor = outer[..., None, None] * miss_slope(inputs, 1.0, params["alpha"], params["beta"], params["smooth"])
    return slope


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {**dict(zip(TVERSKY_LABELS, tally(inputs), strict=True)), "tversky": _miss(inputs, params)}


_P = [[[0.1, 0.6, 0.9], [0.2, 0.8, 0.3]], [[0.7, 0.05, 0.4], [0.0, 1.0, 0.5]]]
_Y = [[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]
_SOURCE: Final = "power of Keras 3.15.1, Tversky with its alpha and beta exchanged, epsilon 1e-30 and"

LOSS = Loss(
    key="focal_tversky",
    title="Focal Tversky",
    task="segmentation",
    position=4,
    summary="The Tversky loss of a mask raised to a power, which decides whether good or bad masks get the attention.",
    notice=(
        "The Tversky loss of the starting example, 0.415, is raised to the power 0.75 and becomes 0.517. Set gamma to "
        "1: the plain Tversky loss. Set it to 2: 0.172. Now move the predicted shape one cell to the right and watch "
        "an object cell: with gamma 0.75 its slope grows from −0.061 to −0.065, with gamma 2 it shrinks from −0.054 to "
        "−0.032 as the mask gets better."
    ),
    use_when=(
        "Objects are small and the masks of most pictures are already good: a gamma below 1 keeps the slope up until "
        "the mask is perfect. Above 1 the bad masks get the attention."
    ),
    avoid_when="Labels are noisy at the rim, or a gamma below 1 makes the last steps of training restless.",
    aliases=("focal Tversky loss", "FTL"),
    inputs=MASK_INPUTS,
    parameters=(
        Parameter(
            "gamma",
            r"\gamma",
            0.75,
            0.0,
            3.0,
            0.05,
            "Power to which the Tversky loss is raised; the paper writes one over it.",
            low_open=True,
        ),
        *TVERSKY_WEIGHTS,
        SMOOTH,
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"t_i^{\,\gamma},\quad t_i = 1 - \frac{TP_i + s}{D_i},\quad D_i = TP_i + \alpha\, FP_i + \beta\, FN_i + s"
    ),
    gradient_formula=(
        r"\gamma\, t_i^{\,\gamma - 1} \cdot \begin{cases} -\dfrac{1 - (1 - \beta)(1 - t_i)}{D_i} & y_{ij} = 1 \\[2ex] "
        r"\dfrac{\alpha\,(1 - t_i)}{D_i} & y_{ij} = 0 \end{cases}"
    ),
    worked=("({tversky})^{gamma}",),
    board=MASK_BOARD,
    code=Code(
        torch=TVERSKY_TORCH_TERMS + "terms = (1 - index) ** {gamma}\nloss = terms.{reduction}()",
        keras=TVERSKY_KERAS_TERMS + "terms = (1 - index) ** {gamma}\nloss = keras.ops.{reduction}(terms)",
        keras_note=TVERSKY_KERAS_NOTE,
    ),
    minimiser="No closed form: for one true mask the mask itself, as with the Tversky loss.",
    pitfalls=(
        Pitfall(
            "Two conventions for gamma. Abraham and Khan write the power as 1/gamma and advise gamma 4/3, which is the "
            "0.75 here; much code puts gamma into the power itself. Taken the wrong way round, about as the 1.35 here, "
            "the starting example costs 0.305 instead of 0.517.",
            parameters={"gamma": 1.35},
        ),
        Pitfall(
            "With a gamma below 1 the slope grows without limit as the mask gets perfect. Here only one object cell is "
            "off, at 0.99, and its slope is −0.265; the plain Tversky loss has −0.054 there. At the perfect mask "
            "itself PyTorch would give infinity or no number at all; here it is set to 0.",
            state={
                "prediction": (
                    tuple(
                        tuple(0.99 if (row, column) == (2, 1) else cell for column, cell in enumerate(cells))
                        for row, cells in enumerate(MASK_BOARD.target)
                    ),
                )
            },
        ),
        Pitfall(
            "Below 1 it is the opposite of the focal loss in spite of its name: the power raises the slope of masks "
            "that are good already. To attend to the bad ones choose a gamma above 1; with 2 the starting example "
            "costs 0.172.",
            parameters={"gamma": 2.0},
        ),
        Pitfall(
            "Abraham and Khan call the price of misses alpha; here, as in the Tversky loss, it is beta. And without an "
            "object in the picture smooth decides: a faint 0.1 everywhere costs 0.612.",
            state={"prediction": FAINT, "target": NO_OBJECT},
        ),
    ),
    relatives=(
        Relative("tversky", "the same without the power"),
        Relative("focal", "the idea it is named after, on single predictions"),
        Relative("dice", "both prices at one half and gamma 1"),
    ),
    suits=(
        Suit(
            predicts="mask",
            reason="Its power keeps the slope up for small objects whose masks are nearly right.",
            labels=("hard",),
            trouble=("imbalance", "vanishing"),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Abraham, Khan (2019): A Novel Focal Tversky Loss Function with Improved Attention U-Net for Lesion "
        "Segmentation, arXiv:1810.07842",
    ),
    goldens=(
        Golden(f"{_SOURCE} one more cell that is 1 in both masks", _P, _Y, 0.2689244991699713),
        Golden(
            f"{_SOURCE} two more cells that are 1 in both masks",
            _P,
            _Y,
            0.03614847607603402,
            "sum",
            {"alpha": 0.4, "beta": 0.6, "gamma": 2.0, "smooth": 2.0},
        ),
    ),
    errors=(*MASK_ERRORS, ErrorCase([[[0.5]]], [[[1.0]]], "(0, 3]", {"gamma": 0.0})),
    kinks="For gamma below 1 the slope is infinite at a perfect mask, where 0 is put in its place.",
    derived=_derived,
    derived_labels={**TVERSKY_LABELS, "tversky": "Tversky loss"},
    invariances=(MIRROR,),
)
