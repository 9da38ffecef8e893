"""The lowest point of the surface of one weight and one bias, and how racing optimizers stand to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from lossviz.datasets.base import Array
from lossviz.landscape.evaluate import Batch, Vector
from lossviz.landscape.linear import Curvature, Path, check_linear, check_point, curvature, gradients
from lossviz.training.engine import RunState

#: Share of the way from the start's loss down to the minimum's that may be left "close to" the minimum.
CLOSE: Final = 0.01
#: The same of a racer that has settled.
SETTLED: Final = 1e-4
#: What can become of a racer, by key, in words.
OUTCOMES: Final = {
    "overflowed": "Ran away, overflowed",
    "climbing": "Climbs, runs away",
    "settled": "Settled at the minimum",
    "around": "Hops around the minimum",
    "close": "Close, still moving",
    "swinging": "Swings from side to side",
    "on the way": "On the way",
    "still": "Hardly moves",
}
_SIDE: Final = 31  # points along each axis of a round of the search
_ROUNDS: Final = 44  # each halves the square; 2⁻⁴⁴ of its side is about what float64 tells apart
_REACH: Final = 4.0  # how far outside of its square a minimum is looked for, in sides
_HELD: Final = 0.01  # share of the squared weight and bias that the logistic regression behind a square is charged


@dataclass(frozen=True, eq=False)
class Minimum:
    """The lowest point that was found.

    Args:
        point: weight and bias.
        loss: the training loss there.
        flat: whether points beside it are just as low, so that it is one of many.
        curvature: how the surface bends there.
        uneven: whether it bends differently on different sides, so that the Hessian there is that of one side.
    """

    point: tuple[float, float]
    loss: float
    flat: bool
    curvature: Curvature
    uneven: bool


@dataclass(frozen=True)
class Standing:
    """Where a racer stands at its end.

    Args:
        optimizer: its key.
        loss: the training loss at its end.
        distance: from its end to the minimum, in units of weight and bias; None where there is no single minimum.
        steps: the step from which on it stays close to the minimum's loss; None where it does not.
        outcome: one of `OUTCOMES`.
    """

    optimizer: str
    loss: float
    distance: float | None
    steps: int | None
    outcome: str


def square(state: RunState, inside: Sequence[Sequence[float]] = ()) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return a square of weights and biases that is worth looking at.

    For regression it lies around the line of least squares. For two classes it lies around 0 and reaches twice as far
    as logistic regression goes, so that the shelves of losses that flatten out show too.

    Args:
        state: a run on numbers or two classes whose model has one weight and one bias; it is not changed.
        inside: points that must lie in it too, with some room around them.

    Returns:
        (low, high) of the weights and of the biases, on round numbers and equally far apart, so that a picture with
        equal axes shows gradients at right angles to contour lines. Weight 0 and bias 0 lie inside.

    Raises:
        ValueError: the model has other parameters, or a point is not two finite numbers.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> square(init(CLASSIC))
        ((-1.0, 5.0), (-3.0, 3.0))
    """
    check_linear(state.config.sizes)
    matrix, y = state.training.x.double().numpy(), state.split.y_train
    if state.config.task == "binary":
        centre, half = np.zeros(2), 2.0 * float(np.abs(_logistic(matrix, y)).max())
    else:
        centre = np.linalg.lstsq(matrix, y, rcond=None)[0]
        spread = float(y.std())
        half = 1.2 * max(float(np.abs(centre).max()), spread, spread / (float(matrix[:, 0].std()) or 1.0)) or 1.0
    for place in inside:
        half = max(half, 1.1 * float(np.abs(np.array(check_point("inside", place)) - centre).max()))
    step = 10.0 ** math.floor(math.log10(half)) / 2.0
    half = step * math.ceil(half / step)
    (left, near) = (step * round((float(middle) - half) / step) for middle in centre)
    # Multiples of 0.05 are not exact; the last digits would show.
    return (round(left, 9), round(left + 2.0 * half, 9)), (round(near, 9), round(near + 2.0 * half, 9))


def _logistic(matrix: Vector, y: Array) -> Vector:
    """Weight and bias of logistic regression, by Newton's method; held back a little, as classes need not overlap."""
    found = np.zeros(2)
    for _ in range(20):
        p = 1.0 / (1.0 + np.exp(-matrix @ found))
        bend = matrix.T @ (matrix * (p * (1.0 - p))[:, None]) + _HELD * np.eye(2)
        found = found + np.linalg.solve(bend, matrix.T @ (y - p) - _HELD * found)
    return found


def lowest_point(state: RunState, weights: Sequence[float], biases: Sequence[float]) -> Minimum | None:
    """Return the lowest point of the surface in and around a square.

    A grid over twice the square is searched, then finer and finer ones around the lowest point so far; where the
    surface bends upwards, Newton's method gives the last digits.

    Args:
        state: a run whose model has one weight and one bias; it is not changed.
        weights: lowest and highest weight of the square.
        biases: lowest and highest bias.

    Returns:
        The minimum, or None where the loss goes on falling away from the square.

    Raises:
        ValueError: the model has other parameters, or an argument is not allowed.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> found = lowest_point(init(CLASSIC), (-1, 5), (-3, 3))
        >>> [round(value, 9) for value in found.point], round(found.loss, 9), found.flat
        ([2.0, 0.0], 0.0, False)

    Reference:
        Nocedal, Wright (2006), Numerical Optimization, section 2.2, for Newton's method.
    """
    check_linear(state.config.sizes)
    batch = Batch(state, torch.float64)
    ends = np.array([weights, biases], dtype=np.float64)
    home, side = ends.mean(axis=1), float((ends[:, 1] - ends[:, 0]).max())
    steps = np.linspace(-1.0, 1.0, _SIDE)
    offsets = np.stack([part.ravel() for part in np.meshgrid(steps, steps)], axis=1)

    def losses(points: Vector) -> Vector:
        found = batch.losses(torch.from_numpy(points)).numpy()
        return np.where(np.isfinite(found), found, np.inf)

    point, reach = home, side
    for _ in range(_ROUNDS):
        points = point + reach * offsets
        found = losses(points)
        point = points[int(found.argmin())]
        reach /= 2.0
    if np.abs(point - home).max() > _REACH * side or not np.isfinite(losses(point[None])).all():
        return None
    bend = curvature(state, point.tolist())
    for _ in range(3):
        if bend.condition is None:
            break
        slope = gradients(state, point[None])[0]
        moved = point - np.linalg.solve(bend.hessian, slope)
        if not np.linalg.norm(gradients(state, moved[None])[0]) < np.linalg.norm(slope):
            break
        point, bend = moved, curvature(state, moved.tolist())
    loss = float(losses(point[None])[0])
    # Not along a diagonal, on which a residual may be exactly 0 and its second derivative that of a corner.
    angles = 0.1 + np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    flat = bool((losses(point + 1e-3 * side * ring) <= loss + 1e-12 * (1.0 + abs(loss))).any())
    beside = [curvature(state, near.tolist()) for near in point + 1e-6 * side * ring]
    values = np.array([near.eigenvalues for near in beside])
    allowed = 1e-3 * float(np.abs(values).max())
    uneven = bool(np.ptp(values, axis=0).max() > allowed)
    if not uneven and np.abs(values - bend.eigenvalues).max() > allowed:
        # All around it bends alike: at the point itself a formula with a sign or an absolute value misled autograd.
        bend = beside[0]
    return Minimum((float(point[0]), float(point[1])), loss, flat, bend, uneven)


def standings(paths: Sequence[Path], minimum: Minimum | None) -> tuple[Standing, ...]:
    """Return how each racer stands at its end.

    Args:
        paths: from `race`.
        minimum: from `lowest_point`; without one, nobody is close to it.

    Returns:
        One standing for each path, in their order.

    Example:
        >>> from lossviz.landscape import race
        >>> from lossviz.training import CLASSIC, init
        >>> paths = race(CLASSIC, (0.0, 0.0), {"sgd": 0.01, "adagrad": 0.1}, updates=60)
        >>> found = standings(paths, lowest_point(init(CLASSIC), (-1, 5), (-3, 3)))
        >>> [(item.steps, item.outcome) for item in found]
        [(14, 'close'), (None, 'on the way')]
    """
    return tuple(_standing(path, minimum) for path in paths)


def _standing(path: Path, minimum: Minimum | None) -> Standing:
    end, last = path.points[-1], float(path.losses[-1])
    distance = None
    steps = None
    if minimum is not None:
        if not minimum.flat:
            distance = float(np.hypot(*(end - np.array(minimum.point))))
        allowed = max(CLOSE * (float(path.losses[0]) - minimum.loss), 1e-12 * (1.0 + abs(minimum.loss)))
        far = np.flatnonzero(~(path.losses - minimum.loss <= allowed))
        first = int(far[-1]) + 1 if len(far) else 0
        steps = first if first < len(path.losses) else None
    return Standing(path.optimizer, last, distance, steps, _outcome(path, minimum, steps is not None))


def _outcome(path: Path, minimum: Minimum | None, close: bool) -> str:
    if path.overflowed:
        return "overflowed"
    # What the last tenth of the race did: how long its way was, and how far it came.
    tail = path.points[-max(3, len(path.points) // 10) :]
    way = float(np.linalg.norm(np.diff(tail, axis=0), axis=1).sum())
    gained = float(np.linalg.norm(tail[-1] - tail[0]))
    width = float(np.linalg.norm(np.ptp(path.points, axis=0))) or 1.0
    drop = float(path.losses[0]) - (0.0 if minimum is None else minimum.loss)
    excess = float(path.losses[-len(tail) :].max()) - (0.0 if minimum is None else minimum.loss)
    if close and (way < 1e-3 * width or excess < SETTLED * drop):
        return "settled"
    if way < 1e-3 * width:
        return "still"
    turning = way > 2.0 * gained
    if close:
        return "around" if turning else "close"
    if path.losses[-1] > path.losses[0]:
        return "climbing"
    return "swinging" if turning else "on the way"
