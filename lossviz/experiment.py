"""Which constant prediction is best for a set of targets, found by trying."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.cards import loss_at
from lossviz.evaluation import check_inputs
from lossviz.losses.base import Domain, Inputs, Loss, Params

POINTS: Final = 401
ZOOMS: Final = 6
STARTS: Final = 12
STEPS: Final = 400
RATE: Final = 0.2
MOST_NUMBERS: Final = 64
"""How many numbers a constant prediction may have and still be searched for."""
SAME: Final = 1e-12
"""Values closer than this, relative to 1 plus their size, count as equal."""


@dataclass(frozen=True)
class Sweep:
    """The loss of every constant prediction that is one number.

    Args:
        constants: The constants tried, ascending, (m,).
        values: The reduced loss with each, (m,).
        low: Smallest constant with the smallest loss, to six decimals; NaN where the loss falls on and on.
        high: Largest such constant: above `low` where several are equally good.
        value: The smallest loss; NaN where it falls on and on.
        declared: The constant that the loss's closed form gives; NaN where it has none, or none for these targets.
        declared_value: The loss there.
    """

    constants: NDArray[np.float64]
    values: NDArray[np.float64]
    low: float
    high: float
    value: float
    declared: float
    declared_value: float


@dataclass(frozen=True)
class Search:
    """The best constant prediction of several numbers, found by descent from several starts.

    Args:
        found: The constants, by the name of the prediction, without the axis of the samples.
        value: The reduced loss with them.
        declared: What the loss's closed form gives for its only prediction; None where it has none.
        declared_value: The loss there; NaN where there is none.
    """

    found: Mapping[str, NDArray[np.float64]]
    value: float
    declared: NDArray[np.float64] | None
    declared_value: float


def best_constant(
    key: str, prediction: Any, target: Any = None, reduction: str = "mean", **parameters: Any
) -> Sweep | Search | None:
    """Try constant predictions against a set of targets.

    One number is swept along its domain and the smallest value is enclosed ever more closely. Several numbers are
    found by gradient descent with Adam's rule from several starts.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: Predictions, only their shapes count.
        target: The targets.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        A sweep or a search; None where the loss has no target, or says that no constant of several numbers is best.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> sweep = best_constant("mse", [0.0, 0.0, 0.0], [1.0, 2.0, 6.0])
        >>> round(sweep.low, 6), sweep.declared
        (3.0, 3.0)
        >>> sweep = best_constant("mae", [0.0, 0.0], [1.0, 2.0])
        >>> sweep.low, sweep.high
        (1.0, 2.0)
        >>> search = best_constant("cross_entropy", [[0.0, 0.0]] * 4, [0, 0, 0, 1])
        >>> round(float(search.found["prediction"][0] - search.found["prediction"][1]), 4)  # ln 3
        1.0986

    Source: Casella, Berger (2002): Statistical Inference, section 7.3.1.
    """
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    inputs = check_inputs(loss, prediction, target)
    if not loss.targets or not all(_searchable(item.domain) for item in loss.predictions):
        return None
    if loss.elementwise:
        inputs = {name: tensor.reshape(-1) for name, tensor in inputs.items()}
    shapes = {item.name: inputs[item.name].shape[1:] for item in loss.predictions}
    if len(shapes) == 1 and not shapes[loss.predictions[0].name]:
        return _sweep(loss, inputs, params, reduction)
    per_sample = all(item.shape[0] == "n" for item in loss.predictions)
    numbers = sum(math.prod(shape) for shape in shapes.values())
    if not per_sample or numbers > MOST_NUMBERS or loss.minimiser.startswith("None"):
        return None
    return _search(loss, inputs, params, reduction, shapes)


def _searchable(domain: Domain) -> bool:
    return domain.kind not in ("index", "labels")


def _declared(loss: Loss, inputs: Inputs, params: Params) -> Tensor | None:
    if loss.best_constant is None:
        return None
    return loss.best_constant(inputs[loss.targets[0].name], params).double()


def _sweep(loss: Loss, inputs: Inputs, params: Params, reduction: str) -> Sweep:
    item, target = loss.predictions[0], inputs[loss.targets[0].name].double()

    def values_at(constants: Tensor) -> Tensor:
        batch = {name: value.expand(len(constants), *value.shape) for name, value in inputs.items()}
        batch[item.name] = constants[:, None].expand(len(constants), len(target))
        return loss_at(loss, batch, params, reduction)

    declared = _declared(loss, inputs, params)
    given = float(declared) if declared is not None else math.nan
    if not math.isfinite(given):
        given = math.nan
    low, high = _range(item.domain, target, given, loss.task)
    marks = [value for value in (*target.tolist(), given) if low <= value <= high]
    looks: list[tuple[Tensor, Tensor]] = []
    for _ in range(3):
        constants = _grid(low, high, marks)
        values = values_at(constants)
        looks.append((constants, values))
        best = int(values.argmin())
        if best == 0 and low > item.domain.low and values[0] < values[1]:
            low -= high - low
        elif best == len(values) - 1 and high < item.domain.high and values[-1] < values[-2]:
            high += high - low
        else:
            break
    falls_on = (best == 0 and low > item.domain.low + 1e-3) or (best == len(values) - 1 and high < item.domain.high)
    falls_on = falls_on and not _flat_end(values, best)
    first = last = value = math.nan
    if falls_on:
        constants, values = looks[0]
    else:
        first, last, value = _enclose(values_at, constants, values)
    at_given = float(values_at(torch.tensor([given], dtype=torch.float64))[0]) if not math.isnan(given) else math.nan
    return Sweep(constants.numpy(), values.numpy(), first, last, value, given, at_given)


def _flat_end(values: Tensor, best: int) -> bool:
    """Whether the loss no longer falls at the end where it is smallest."""
    inner = 1 if best == 0 else -2
    return bool(values[inner] == values[best])


def _range(domain: Domain, target: Tensor, declared: float, task: str) -> tuple[float, float]:
    """Where to look first: the domain where it has two ends, a few scores, or somewhat more than the targets' range."""
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        return domain.low, domain.high
    known = target if math.isnan(declared) else torch.cat([target, torch.tensor([declared], dtype=torch.float64)])
    low, high = float(known.min()), float(known.max())
    margin = max(1.0, (high - low) / 2)
    low, high = low - margin, high + margin
    if task != "regression":
        low, high = min(low, -6.0), max(high, 6.0)
    if math.isfinite(domain.low):
        low = domain.low + (high - domain.low) * 1e-3 if domain.low_open else domain.low
    return low, high


def _grid(low: float, high: float, marks: list[float]) -> Tensor:
    even = torch.linspace(low, high, POINTS, dtype=torch.float64).tolist()
    return torch.tensor(sorted({*even, *marks}), dtype=torch.float64)


def _enclose(values_at: Any, constants: Tensor, values: Tensor) -> tuple[float, float, float]:
    """The smallest value, and from where to where it is taken."""
    smallest = math.inf
    for _ in range(ZOOMS):
        smallest = min(smallest, float(values.min()))
        equal = (values <= smallest + SAME * (1 + abs(smallest))).nonzero()[:, 0]
        first, last = int(equal[0]), int(equal[-1])
        left = float(constants[max(first - 1, 0)])
        right = float(constants[min(last + 1, len(constants) - 1)])
        kept = [float(constants[first]), float(constants[last])]
        if right - left <= 1e-9:
            break
        # Ends of a flat stretch are looked for on both sides; in between all is equal.
        ends = [np.linspace(left, kept[0], POINTS // 2), np.linspace(kept[1], right, POINTS // 2)]
        constants = torch.tensor(sorted({*kept, *ends[0].tolist(), *ends[1].tolist()}), dtype=torch.float64)
        values = values_at(constants)
    smallest = min(smallest, float(values.min()))
    equal = (values <= smallest + 2 * SAME * (1 + abs(smallest))).nonzero()[:, 0]
    low, high = float(constants[int(equal[0])]), float(constants[int(equal[-1])])
    if high - low < 1e-5 * (1 + abs(low)):  # as flat as floats are around the bottom of a bowl
        low = high = (low + high) / 2
    return round(low, 6) + 0.0, round(high, 6) + 0.0, smallest


def _legal(domain: Domain, free: Tensor) -> Tensor:
    """Free numbers turned into legal predictions."""
    if domain.kind == "simplex":
        return torch.softmax(free, -1)
    if domain.kind == "log_probability":
        return torch.log_softmax(free, -1)
    if domain.kind == "box":
        size = torch.nn.functional.softplus(free[..., 2:]) + 1e-6
        return torch.cat([free[..., :2], free[..., :2] + size], -1)
    if domain.kind == "interval":
        if math.isfinite(domain.low) and math.isfinite(domain.high):
            return domain.low + (domain.high - domain.low) * torch.sigmoid(free)
        return domain.low + torch.nn.functional.softplus(free) if math.isfinite(domain.low) else free
    return free


def _search(loss: Loss, inputs: Inputs, params: Params, reduction: str, shapes: Mapping[str, torch.Size]) -> Search:
    generator = torch.Generator().manual_seed(0)
    domains = {item.name: item.domain for item in loss.predictions}
    samples = len(inputs[loss.predictions[0].name])
    free = {
        name: torch.randn(STARTS, 1, *shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()
    }
    for name in free:
        free[name][0] = 0.5  # one start in the middle of nearly every domain
        if domains[name].kind == "box":
            free[name] = free[name] + 3.0

    def values_at(points: Mapping[str, Tensor]) -> Tensor:
        count = len(next(iter(points.values())))
        batch = {name: value.expand(count, *value.shape) for name, value in inputs.items()}
        for name, point in points.items():
            batch[name] = point.expand(count, samples, *point.shape[2:])
        return loss_at(loss, batch, params, reduction)

    names = list(free)
    mean = {name: torch.zeros_like(free[name]) for name in names}
    square = {name: torch.zeros_like(free[name]) for name in names}
    for step in range(1, STEPS + 1):
        leaves = {name: free[name].detach().requires_grad_() for name in names}
        total = values_at({name: _legal(domains[name], leaf) for name, leaf in leaves.items()}).sum()
        slopes = torch.autograd.grad(total, [leaves[name] for name in names])
        rate = RATE * (1 + math.cos(math.pi * step / STEPS)) / 2
        for name, slope in zip(names, slopes, strict=True):
            mean[name] = 0.9 * mean[name] + 0.1 * slope
            square[name] = 0.99 * square[name] + 0.01 * slope**2
            moved = mean[name] / (1 - 0.9**step) / ((square[name] / (1 - 0.99**step)).sqrt() + 1e-12)
            free[name] = free[name] - rate * moved
    legal = {name: _legal(domains[name], free[name]) for name in names}
    values = values_at(legal)
    best = int(values.argmin())
    declared = _declared(loss, inputs, params)
    at_declared = math.nan
    if declared is not None:
        at_declared = float(values_at({names[0]: declared.reshape(1, 1, *shapes[names[0]])})[0])
    return Search(
        {name: legal[name][best, 0].numpy() for name in names},
        float(values[best]),
        None if declared is None else declared.numpy(),
        at_declared,
    )
