"""What several losses for two classes declare alike."""

from __future__ import annotations

from typing import Final

from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Numbers, binary
from lossviz.losses._shared import REAL
from lossviz.losses.base import Domain, ErrorCase, Input

ZERO_ONE: Final = Input(
    "target", "target", ("n", "..."), Domain("labels", values=(0.0, 1.0)), "label, 0 or 1", differentiable=False
)
LOGIT_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "..."), REAL, "logit of label 1: 0 means a probability of 0.5"),
    ZERO_ONE,
)
ZERO_ONE_ERRORS: Final = (
    ErrorCase([0.5], [-1.0], "one of 0, 1"),
    ErrorCase([0.5], [0.5], "one of 0, 1"),
    ErrorCase([0.5, 0.5], [1.0], "shape"),
    ErrorCase([float("nan")], [1.0], "finite"),
)
KERAS_HAS_NONE: Final = "Keras has no such loss; these few lines are all there is to it."


def score_board(*kinks: float, lines: tuple[float, ...] = (0.0,)) -> Numbers:
    """Four scores with labels −1 and +1: right, safely right, wrong, badly wrong.

    Args:
        *kinks: Margins (label times score) at which something happens; handles can be put exactly there.
        lines: Scores that are marked.

    Example:
        >>> board = score_board(0.5)
        >>> 0.5 in board.handles(board.example())[0].positions[0].tolist()
        True
    """
    return binary(
        prediction=(0.3, -2.0, 0.5, -1.5),
        target=(1.0, -1.0, -1.0, 1.0),
        labels=(-1.0, 1.0),
        lines=lines,
        snap=lambda label: tuple(label * kink for kink in kinks),
    )


def minus_log_sigmoid(score: Tensor) -> Tensor:
    r"""Minus the logarithm of the sigmoid, `-\ln \sigma(s) = \ln(1 + e^{-s})`, without overflow.

    Example:
        >>> import torch
        >>> minus_log_sigmoid(torch.tensor([-1000.0, 0.0]))
        tensor([1.0000e+03, 6.9315e-01])
    """
    # Beyond 40 it is -score to the last digit; softplus's own threshold of 20 would lose some. F.logsigmoid runs in
    # several threads even for ten numbers, which costs five times as much.
    return F.softplus(-score, threshold=40)
