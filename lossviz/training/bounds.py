"""Lowest and highest value of each number that a run can be set to."""

from __future__ import annotations

from typing import Final

from lossviz import datasets

#: Lowest and highest value of each number in a `RunConfig`; `samples` and `noise` have bounds by data set too.
BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "samples": (4, datasets.SAMPLES_HIGH),
    "data_seed": (0, 2**32 - 1),
    "validation_fraction": (0.0, 0.9),
    "layers": (0, 6),
    "units": (1, 64),
    "recurrent_units": (1, 32),
    "embedding": (1, 32),
    "learning_rate": (0.0, 100.0),
    "momentum": (0.0, 1.0),
    "decay": (0.0, 1.0),
    "beta1": (0.0, 1.0),
    "beta2": (0.0, 1.0),
    "weight_decay": (0.0, 10.0),
    "every": (1, 10_000),
    "factor": (0.0, 1.0),
    "low": (0.0, 1.0),
    "clip_at": (0.0, 1e6),
    "l1": (0.0, 10.0),
    "l2": (0.0, 10.0),
    "dropout": (0.0, 0.9),
    "patience": (1, 10_000),
    "batch_size": (1, datasets.SAMPLES_HIGH),
    "epochs": (1, 10_000),
    "seed": (0, 2**32 - 1),
    "interventions": (0, 1000),
    "added": (0, 100),
    "coordinate": (-1e6, 1e6),
}


def whole_bounds(name: str) -> tuple[int, int]:
    """Return the bounds of a whole number."""
    low, high = BOUNDS[name]
    return int(low), int(high)
