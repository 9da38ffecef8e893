"""Generated data with a number to predict."""

from __future__ import annotations

import numpy as np

from .base import Array, Dataset


def _four_points(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    x = np.arange(1.0, samples + 1.0)
    return x[:, None], 2.0 * x


def _sine(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    x = np.sort(generator.uniform(-3.0, 3.0, samples))
    return x[:, None], np.sin(x) + noise * generator.standard_normal(samples)


def _outliers(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    x = np.sort(generator.uniform(-3.0, 3.0, samples))
    y = x + 1.0 + noise * generator.standard_normal(samples)
    # All outliers lie above the line and at its right end, so that they pull the slope and not only the height.
    count = max(1, round(0.1 * samples))
    right = np.flatnonzero(x >= np.quantile(x, 0.7))
    chosen = generator.choice(right, size=min(count, right.size), replace=False)
    y[chosen] += generator.uniform(9.0, 12.0, chosen.size)
    return x[:, None], y


FOUR_POINTS = Dataset(
    key="four_points",
    title="Four points on a line",
    task="regression",
    description="The classic first example: x is 1, 2, 3, 4 and y is exactly twice x.",
    feature_names=("x",),
    target_name="y",
    draw=_four_points,
    samples=4,
    samples_low=4,
    samples_high=4,
)

SINE = Dataset(
    key="sine",
    title="Noisy sine",
    task="regression",
    description="One wave of a sine with random noise added: a curve that no straight line can follow.",
    feature_names=("x",),
    target_name="y",
    draw=_sine,
    samples=100,
    noise=0.2,
    noise_high=1.0,
    noise_meaning="Standard deviation of the random number added to each y.",
)

OUTLIERS = Dataset(
    key="outliers",
    title="Line with outliers",
    task="regression",
    description="Points near the line y = x + 1, but one in ten lies about ten units too high.",
    feature_names=("x",),
    target_name="y",
    draw=_outliers,
    samples=60,
    noise=0.3,
    noise_high=1.0,
    noise_meaning="Standard deviation of the random number added to each y.",
)
