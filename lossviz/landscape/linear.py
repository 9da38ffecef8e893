"""The exact loss landscape of a model with one weight and one bias, and optimizers racing on it.

The surface, its gradient and its Hessian are computed in float64 whatever the run's dtype; the paths are runs of the
engine. Weight and bias are the model's own: where a run standardises its feature, the weight belongs to the
standardised feature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch

from lossviz import optimizers
from lossviz.landscape.evaluate import FAR, Batch, Surface, Vector, grid, parameter_vectors
from lossviz.training.checks import number, shorten, whole
from lossviz.training.config import RunConfig
from lossviz.training.engine import RunState, advance, init

#: Longest race, in updates.
MAX_UPDATES: Final = 1000
#: An eigenvalue below this share of the largest is rounding.
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Curvature:
    """How the surface bends at a point.

    Args:
        hessian: second derivatives, shape (2, 2), weight first.
        eigenvalues: of the Hessian, the smaller first; below 0 the surface bends downwards in that direction.
        eigenvectors: the directions they belong to, as columns, shape (2, 2).
        condition: largest over smallest eigenvalue; None where the surface does not bend upwards in both directions.
        largest_stable_step: 2/λmax, the learning rate above which gradient descent runs away from a minimum that
            bends like this; None where nothing bends upwards, so that no rate is too large.
    """

    hessian: Vector
    eigenvalues: Vector
    eigenvectors: Vector
    condition: float | None
    largest_stable_step: float | None


@dataclass(frozen=True, eq=False)
class Path:
    """Where one optimizer went.

    Args:
        optimizer: its key.
        learning_rate: its rate.
        points: (weight, bias) at the start and after each update, shape (updates + 1, 2); all finite.
        losses: the training loss at each of them, shape (updates + 1,); the last may be infinite or not a number.
        overflowed: whether it ran away until its numbers overflowed, and so ended early.
    """

    optimizer: str
    learning_rate: float
    points: Vector
    losses: Vector
    overflowed: bool


def surface(state: RunState, weights: Sequence[float], biases: Sequence[float], size: int = 51) -> Surface:
    """Return the training loss on a grid of weights and biases.

    Args:
        state: a run whose model has one weight and one bias; it is not changed, and its parameters do not matter.
        weights: lowest and highest weight, the grid's first axis; within ±1e6.
        biases: lowest and highest bias, its second axis.
        size: points along each axis, 2 to 201; the outermost lie on the ends.

    Returns:
        The surface, `first` holding the weights and `second` the biases.

    Raises:
        ValueError: the model has other parameters, or an argument is not allowed.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> surface(init(CLASSIC), (0, 4), (-1, 1), 5).lowest
        (2.0, 0.0, 0.0)
    """
    batch = _batch(state)
    first, second, points = grid(("weights", weights), ("biases", biases), size)
    batch.check_work(len(points))
    return Surface(first, second, batch.losses(points).numpy().reshape(len(second), len(first)))


def gradients(state: RunState, points: Any) -> Vector:
    """Return the gradient of the training loss at given weights and biases, in closed form.

    Formula: ∂L/∂w = Σ δᵢ xᵢ, ∂L/∂b = Σ δᵢ, with δᵢ = ∂L/∂zᵢ and zᵢ = w xᵢ + b.

    Args:
        state: a run whose model has one weight and one bias; it is not changed.
        points: (weight, bias) pairs, shape (points, 2).

    Returns:
        Shape (points, 2): the slopes along weight and bias. Descent goes the opposite way.

    Raises:
        ValueError: the model has other parameters, or points has another shape or numbers that are not finite.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> gradients(init(CLASSIC), [[0.0, 0.0], [2.0, 0.0]]).tolist()
        [[-30.0, -10.0], [0.0, 0.0]]

    Reference:
        Goodfellow, Bengio, Courville (2016), Deep Learning, section 6.5.
    """
    batch = _batch(state)
    checked = parameter_vectors("points", points, 2)
    batch.check_work(len(checked))
    with torch.inference_mode():
        return (batch.slopes(torch.from_numpy(checked)) @ batch.x.t()).numpy()


def curvature(state: RunState, point: Sequence[float]) -> Curvature:
    """Return the Hessian of the training loss at a weight and bias, and what follows from it.

    Formula: H = ∇²L(w, b); condition = λmax/λmin; largest stable step = 2/λmax.

    Args:
        state: a run whose model has one weight and one bias; it is not changed.
        point: weight and bias.

    Returns:
        The Hessian by automatic differentiation, its eigenvalues and eigenvectors, the condition number and the
        largest stable step of gradient descent. Where the loss has a kink, the Hessian is that of one side, and for
        losses made of straight pieces it is 0.

    Raises:
        ValueError: the model has other parameters, point is not two finite numbers, or the loss overflows there.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> bend = curvature(init(CLASSIC), (0.0, 0.0))
        >>> bend.hessian.tolist(), round(bend.largest_stable_step, 6), round(bend.condition, 2)
        ([[15.0, 5.0], [5.0, 2.0]], 0.119756, 55.78)

    Reference:
        Goodfellow, Bengio, Courville (2016), Deep Learning, section 4.3.
    """
    batch = _batch(state)
    where = torch.tensor(check_point("point", point), dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(batch.loss, where).numpy()  # type: ignore[no-untyped-call]
    if not np.isfinite(hessian).all():
        raise ValueError(f"the loss overflows at {tuple(where.tolist())!r}; a point closer to the data is allowed")
    values, vectors = np.linalg.eigh(hessian)
    low, high = float(values[0]), float(values[1])
    return Curvature(
        hessian=hessian,
        eigenvalues=values,
        eigenvectors=vectors,
        condition=high / low if low > _ROUNDING * high and high > 0.0 else None,
        largest_stable_step=2.0 / high if high > 0.0 and math.isfinite(2.0 / high) else None,
    )


def race(
    config: RunConfig, start: Sequence[float], rates: Mapping[str, float] | None = None, updates: int = 100
) -> tuple[Path, ...]:
    """Let optimizers run from one weight and bias, each on full batches, by the engine's own updates.

    Args:
        config: a config whose model has one weight and one bias; its data, loss and settings hold for every racer.
            Its batch size, its seed and changes made on the way do not count, so that nothing is left to chance.
        start: weight and bias where all begin.
        rates: the learning rate of each optimizer that runs, by key; None means all of them at the config's rate.
        updates: how many updates each makes, 1 to 1,000.

    Returns:
        The paths, in the order of `rates`. The engine works in the config's dtype.

    Raises:
        ValueError: the model has other parameters, start is not two finite numbers, an optimizer is unknown, or a
            rate or the number of updates is out of bounds.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> sgd, adam = race(CLASSIC, (0.0, 0.0), {"sgd": 0.1, "adam": 0.5}, updates=50)
        >>> [round(value, 3) for value in sgd.points[1].tolist() + adam.points[1].tolist()]
        [3.0, 1.0, 0.5, 0.5]
    """
    check_linear(config.sizes)
    weight, bias = check_point("start", start)
    updates = whole("updates", updates, 1, MAX_UPDATES)
    if rates is None:
        rates = dict.fromkeys(optimizers.keys(), config.learning_rate)
    if not isinstance(rates, Mapping) or not rates:
        raise ValueError(f"rates is {shorten(rates)}; learning rates by optimizer are allowed")
    alone = replace(config.settled(0), batch_size=None, epochs=updates)
    racers = [replace(alone, optimizer=key, learning_rate=rate) for key, rate in rates.items()]
    return tuple(_path(racer, weight, bias) for racer in racers)


def _path(config: RunConfig, weight: float, bias: float) -> Path:
    state = init(config)
    parameters = state.network.parameters
    parameters.copy_(torch.tensor([weight, bias], dtype=torch.float64))
    points, losses = [parameters.tolist()], [state.meter.measure().train_loss]
    overflowed = False
    while not (state.finished or overflowed):
        event = advance(state, 1)
        assert event is not None  # A full batch is an epoch, so every update ends with an event.
        here = parameters.tolist()
        overflowed = not (event.finite and all(map(math.isfinite, here)))
        if all(map(math.isfinite, here)):
            points.append(here)
            losses.append(event.train_loss)
    return Path(config.optimizer, config.learning_rate, np.array(points), np.array(losses), overflowed)


def _batch(state: RunState) -> Batch:
    check_linear(state.config.sizes)
    return Batch(state, torch.float64)


def check_linear(sizes: tuple[int, ...]) -> None:
    """Refuse a model with more than one weight and one bias."""
    if sizes != (1, 1):
        raise ValueError(
            f"the model has units {'-'.join(map(str, sizes))}; a linear model on one feature with one output, 1-1, "
            "is allowed"
        )


def check_point(name: str, value: Any) -> tuple[float, float]:
    """Return a weight and a bias, both finite."""
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"{name} is {shorten(value)}; two numbers, weight and bias, are allowed")
    return number(f"{name} weight", value[0], -FAR, FAR), number(f"{name} bias", value[1], -FAR, FAR)
