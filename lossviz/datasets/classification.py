"""Generated points, in the plane or on a line, that belong to two or three classes.

Circle, xor, gaussians and spiral follow the sets of TensorFlow Playground (github.com/tensorflow/playground,
`dataset.ts`): features between about -6 and 6, two classes of the same size.
"""

from __future__ import annotations

import numpy as np

from .base import Array, Dataset

PLANE = ("x1", "x2")
RADIUS = 5.0


def _halves(samples: int) -> Array:
    """Class numbers 0 and 1, alternating, so that any size is balanced to within one point."""
    return np.arange(samples) % 2.0


def _circle(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    y = _halves(samples)
    inside = y == 1.0
    radius = np.where(inside, 0.5, 0.7) * RADIUS + np.where(inside, -0.5, 0.3) * RADIUS * generator.random(samples)
    angle = 2.0 * np.pi * generator.random(samples)
    x = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return x + noise * RADIUS / 3.0 * generator.uniform(-1.0, 1.0, x.shape), y


def _xor(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    y = _halves(samples)
    x = generator.uniform(0.0, RADIUS, (samples, 2)) + 0.3
    sign = np.where(generator.random(samples) < 0.5, -1.0, 1.0)
    x[:, 0] *= sign
    x[:, 1] *= np.where(y == 1.0, sign, -sign)
    return x + noise * RADIUS * generator.uniform(-1.0, 1.0, x.shape), y


def _gaussians(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    y = _halves(samples)
    centre = np.where(y == 1.0, 2.0, -2.0)[:, None]
    return centre + np.sqrt(0.5 + 7.0 * noise) * generator.standard_normal((samples, 2)), y


def _spiral(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    y = _halves(samples)
    along = np.arange(samples) // 2 / max(1.0, samples / 2.0)
    angle = 1.75 * along * 2.0 * np.pi + np.where(y == 1.0, 0.0, np.pi)
    x = RADIUS * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return x + noise * generator.uniform(-1.0, 1.0, x.shape), y


def _moons(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    y = _halves(samples)
    angle = np.pi * generator.random(samples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1.0 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    x = np.where(y[:, None] == 0.0, upper, lower)
    return x + noise * generator.standard_normal(x.shape), y


def _exam(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    y = _halves(samples)
    hours = np.where(y == 1.0, 4.5, 2.5) + (0.5 + noise) * generator.standard_normal(samples)
    return np.abs(hours)[:, None], y


def _blobs(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    y = np.arange(samples) % 3.0
    angle = 2.0 * np.pi * (y / 3.0 + 0.25)
    centre = 3.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centre + (0.8 + 2.0 * noise) * generator.standard_normal(centre.shape), y


EXAM = Dataset(
    key="exam",
    title="Exam by hours of study",
    task="binary",
    description="Made-up students who passed an exam or failed, by the hours they studied. The two groups overlap.",
    feature_names=("hours",),
    target_name="result",
    classes=("failed", "passed"),
    draw=_exam,
    samples=40,
    noise=0.8,
    noise_high=1.5,
    noise_meaning="How far each group is spread: the standard deviation of the hours grows from 0.5 to 2.",
)

CIRCLE = Dataset(
    key="circle",
    title="Circle",
    task="binary",
    description="One class in the middle, the other in a ring around it.",
    feature_names=PLANE,
    target_name="class",
    classes=("ring", "middle"),
    draw=_circle,
    samples=500,
    noise_high=0.5,
    noise_meaning="How far each point is moved at random; 0.5 moves it by up to 0.8 units each way.",
)

XOR = Dataset(
    key="xor",
    title="Exclusive or",
    task="binary",
    description="Opposite corners belong together: the class is 1 where x1 and x2 have the same sign.",
    feature_names=PLANE,
    target_name="class",
    classes=("signs differ", "signs agree"),
    draw=_xor,
    samples=500,
    noise_high=0.5,
    noise_meaning="How far each point is moved at random; 0.5 moves it by up to 2.5 units each way.",
)

GAUSSIANS = Dataset(
    key="gaussians",
    title="Two clouds",
    task="binary",
    description="Two round clouds of points that a straight line can separate.",
    feature_names=PLANE,
    target_name="class",
    classes=("lower left", "upper right"),
    draw=_gaussians,
    samples=500,
    noise_high=0.5,
    noise_meaning="How wide the clouds are: the variance grows from 0.5 to 4.",
)

SPIRAL = Dataset(
    key="spiral",
    title="Spiral",
    task="binary",
    description="Two arms wound around each other: hard for a small network.",
    feature_names=PLANE,
    target_name="class",
    classes=("arm A", "arm B"),
    draw=_spiral,
    samples=500,
    noise_high=0.5,
    noise_meaning="How far each point is moved at random, in units each way.",
)

MOONS = Dataset(
    key="moons",
    title="Two moons",
    task="binary",
    description="Two half circles that reach into each other.",
    feature_names=PLANE,
    target_name="class",
    classes=("upper moon", "lower moon"),
    draw=_moons,
    samples=300,
    noise=0.15,
    noise_high=0.5,
    noise_meaning="Standard deviation of the random number added to each coordinate.",
)

BLOBS = Dataset(
    key="blobs",
    title="Three clouds",
    task="multiclass",
    description="Three round clouds of points, one for each class.",
    feature_names=PLANE,
    target_name="class",
    classes=("top", "lower left", "lower right"),
    draw=_blobs,
    samples=300,
    noise=0.2,
    noise_high=0.5,
    noise_meaning="How wide the clouds are: the standard deviation grows from 0.8 to 1.8.",
)
