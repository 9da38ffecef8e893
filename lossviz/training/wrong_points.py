"""The points that a classifier gets wrong, the costliest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lossviz.datasets.base import Array
from lossviz.training.checks import whole
from lossviz.training.data import Rows
from lossviz.training.engine import RunState
from lossviz.training.insight import Sample, forward, largest_first, row_losses
from lossviz.training.inspect import shown


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Which points of one part are predicted as another class.

    Args:
        part: "validation", or "training" where no points are held out.
        samples: how many points the part has.
        wrong: how many of them are predicted as another class.
        worst: those with the largest loss, the largest first; their numbers count within the part, from 1.
    """

    part: str
    samples: int
    wrong: int
    worst: tuple[Sample, ...]


def mistakes(state: RunState, count: int = 8) -> Mistakes:
    """Return the points that the model gets wrong, of the validation part or, without one, of the training part.

    Args:
        state: a run on classes, at any update; it is not changed.
        count: how many of them to describe, 1 or more; there may be fewer.

    Returns:
        How many are wrong, and those with the largest loss.

    Raises:
        ValueError: the task is regression, or count is below 1.

    Example:
        >>> from lossviz.training import init, mistakes, preset
        >>> found = mistakes(init(preset("blobs").config), 2)
        >>> found.part, found.samples, found.wrong, len(found.worst)
        ('validation', 150, 108, 2)
    """
    count = whole("count", count, 1, 2**31)
    config, split = state.config, state.split
    if config.task == "regression":
        raise ValueError(f"dataset is {config.dataset!r}, whose task is regression; data with classes are allowed")
    held_out = len(split.y_validation) > 0
    x, y = (split.x_validation, split.y_validation) if held_out else (split.x_train, split.y_train)
    space, rows = forward(state, Rows.of(config, x, y) if held_out else None)
    raw = space.sums[-1]
    # As the accuracy counts: every link of a binary loss has its threshold where the raw output is 0.
    predicted = raw.argmax(1) if config.task == "multiclass" else (raw[:, 0] > 0.0).long()
    wrong = np.flatnonzero(predicted.numpy() != y)
    losses, predictions = row_losses(state, rows), shown(state, raw)
    worst = wrong[largest_first(losses[wrong])[:count]]
    return Mistakes(
        "validation" if held_out else "training",
        len(y),
        len(wrong),
        tuple(_sample(row, x, y, predictions, losses) for row in worst.tolist()),
    )


def _sample(row: int, x: Array, y: Array, predictions: Array, losses: Array) -> Sample:
    return Sample(row + 1, tuple(x[row].tolist()), float(y[row]), predictions[row], float(losses[row]))
