"""Numbers in the texts of losses on masks."""

from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from lossviz import evaluate, losses
from lossviz.losses._overlap import FAINT, NO_OBJECT
from tests.losses.claims.tools import Claim, placed, start

MASK = losses.get("dice").board.example()
TRUTH = MASK["target"]
MOVED = {"prediction": MASK["prediction"].roll(1, dims=-1)}
"""The predicted shape one cell to the right; the last column holds background only."""
EMPTY = {"prediction": FAINT, "target": NO_OBJECT}
EVERYTHING = {"prediction": torch.ones_like(TRUTH)}
ALMOST = {"prediction": torch.where(torch.arange(36).view(1, 6, 6) == 13, 0.99, TRUTH)}
ONE_MISSED = {"prediction": torch.where(torch.arange(36).view(1, 6, 6) == 13, 0.0, TRUTH)}


def cell(row: int, column: int) -> int:
    """Where a cell's slope stands; rows and columns from 0."""
    return 6 * row + column


OBJECT, BACKGROUND = cell(2, 2), cell(0, 0)
FAINT_OBJECT, HALF_OBJECT = cell(1, 3), cell(1, 2)
"""Object cells that are predicted with 0.1 and with 0.6."""


def slope(key: str, at: int, change: Any = None, **parameters: float) -> float:
    return placed(key, "gradient.prediction", at, change, **parameters)


def keras_version() -> float:
    """The one that the tests are run with, to two places."""
    return float(".".join(version("keras").split(".")[:2]))


CLAIMS: list[Claim] = [
    ("dice", "to the right: 0.252", lambda: placed("dice", "value", 0, MOVED)),
    ("dice", "share one, −0.060", lambda: slope("dice", OBJECT)),
    ("dice", "cells another, 0.024", lambda: slope("dice", BACKGROUND)),
    ("dice", "everywhere costs 0.783", lambda: placed("dice", "value", 0, EMPTY)),
    ("dice", "it would be 0.973", lambda: placed("dice", "value", 0, EMPTY, smooth=0.1)),
    ("dice", "with smooth 100 only 0.035", lambda: placed("dice", "value", 0, EMPTY, smooth=100)),
    ("dice", "a perfect mask into 0.731", lambda: float(torch.sigmoid(torch.tensor(1.0)))),
    ("dice", "inside and 0.5", lambda: float(torch.sigmoid(torch.tensor(0.0)))),
    ("dice", "below 0.451", lambda: placed("dice", "value", 0, {"prediction": TRUTH.sigmoid()})),
    ("dice", "has the slope 0.0244", lambda: slope("dice", cell(2, 0))),
    ("dice", "instead of 0.420", lambda: start("dice", "value")),
    ("jaccard", "asks 0.420", lambda: start("dice", "value")),
    ("jaccard", "to the right: 0.390", lambda: placed("jaccard", "value", 0, MOVED)),
    ("jaccard", "would cost 0.973", lambda: placed("jaccard", "value", 0, EMPTY, smooth=0.1)),
    ("tversky", "Exchange the prices: 0.391", lambda: placed("tversky", "value", alpha=0.7, beta=0.3)),
    ("tversky", "in version 3.15", keras_version),
    ("tversky", "Keras 3.15", keras_version),
    ("tversky", "instead of 0.415", lambda: start("tversky", "value")),
    ("tversky", "whose 36", lambda: float(TRUTH.numel())),
    ("tversky", "the whole picture, 24", lambda: float((1 - TRUTH).sum())),
    ("tversky", "costs only 0.085", lambda: placed("tversky", "value", 0, EVERYTHING, alpha=0.05, beta=0.95)),
    ("tversky", "would cost 0.915", lambda: placed("tversky", "value", 0, EMPTY, smooth=0.1)),
    ("focal_tversky", "Set it to 2: 0.172", lambda: placed("focal_tversky", "value", gamma=2)),
    ("focal_tversky", "grows from −0.061", lambda: slope("focal_tversky", OBJECT)),
    ("focal_tversky", "to −0.065", lambda: slope("focal_tversky", OBJECT, MOVED)),
    ("focal_tversky", "shrinks from −0.054", lambda: slope("focal_tversky", OBJECT, gamma=2)),
    ("focal_tversky", "to −0.032", lambda: slope("focal_tversky", OBJECT, MOVED, gamma=2)),
    ("focal_tversky", "in version 3.15", keras_version),
    ("focal_tversky", "which is the 0.75", lambda: 1 / (4 / 3)),
    ("focal_tversky", "instead of 0.517", lambda: start("focal_tversky", "value")),
    ("focal_tversky", "its slope is −0.265", lambda: slope("focal_tversky", cell(2, 1), ALMOST)),
    ("focal_tversky", "loss has −0.054", lambda: slope("tversky", cell(2, 1), ALMOST)),
    ("combo", "has the slope −0.099", lambda: slope("combo", FAINT_OBJECT)),
    ("combo", "0.6 only −0.041", lambda: slope("combo", HALF_OBJECT)),
    ("combo", "both have −0.060", lambda: slope("combo", HALF_OBJECT, alpha=0)),
    ("combo", "would be −0.169", lambda: 0.5 * start("combo", "cross_entropy") - 0.5 * (1 - start("dice", "value"))),
    ("combo", "gives 0.485", lambda: evaluate("bce", MASK["prediction"].flatten(), TRUTH.flatten()).value),
    ("combo", "the mask costs 0.715", lambda: placed("combo", "value", 0, ONE_MISSED)),
    ("combo", "everywhere, where the cross-entropy part is only 0.053", lambda: 0.5 * -np.log(0.9)),
]
