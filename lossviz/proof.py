"""The proof of a gradient: closed form, autograd and central differences side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.evaluation import check_inputs, evaluate
from lossviz.losses.base import Domain, Loss, Params
from lossviz.writing import fill

DIFFERENCE: Final = 1e-6
KINK: Final = 1e-3
"""How far left and right slope may be apart, relative to 1 + the slope, where there is no kink."""


@dataclass(frozen=True)
class Proof:
    """A loss with its numbers put in, and its gradient three ways.

    The gradients and `at_kink` are shaped like the prediction; by name where there are several.

    Args:
        value: The reduced loss.
        denominator: What the sum of the terms was divided by.
        worked: Each term's formula with the numbers put in.
        terms: Each term's value, in the same order.
        closed_form: Gradient by the loss's own formula.
        autograd: Gradient by torch's autograd.
        central_differences: Gradient by (L(x + h) - L(x - h)) / 2h; NaN at the edge of the domain.
        gap: Largest distance between any two of the three, relative to 1 + the gradient's size, kinks and edges aside.
        at_kink: Where the slope on the left differs from that on the right, so that the three need not agree.
    """

    value: float
    denominator: float
    worked: tuple[str, ...]
    terms: tuple[float, ...]
    closed_form: Any
    autograd: Any
    central_differences: Any
    gap: float
    at_kink: Any


def prove(key: str, prediction: Any, target: Any = None, reduction: str = "mean", **parameters: Any) -> Proof:
    """Show how a value comes about and prove its gradient three ways.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: The loss's prediction, by name where there are several.
        target: The loss's target, likewise; None where there is none.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        The proof.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> proof = prove("mse", [3.0], [1.0])
        >>> proof.worked, proof.closed_form.tolist(), proof.gap < 1e-8
        (('(3 − 1)²',), [4.0], True)

    Source: Griewank, Walther (2008): Evaluating Derivatives.
    """
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    result = evaluate(key, prediction, target, reduction, **parameters)
    inputs = check_inputs(loss, prediction, target)
    flat = {name: tensor.reshape(-1) for name, tensor in inputs.items()} if loss.elementwise else inputs
    full = loss.hold(flat, params)
    single = len(loss.predictions) == 1
    autograd = {loss.predictions[0].name: result.gradient} if single else result.gradient
    closed = {loss.predictions[0].name: result.closed_form} if single else result.closed_form
    central, kinks, gap = {}, {}, 0.0
    for name, gradient in autograd.items():
        sides = (side.reshape(gradient.shape) / result.denominator for side in _one_sided(loss, params, full, name))
        left, right = sides
        central[name] = (left + right) / 2
        kinks[name] = np.abs(right - left) > KINK * (1 + np.abs(gradient))
        trusted = ~kinks[name] & np.isfinite(central[name])
        ways = np.stack([closed[name], gradient, central[name]])
        gaps = ((ways.max(0) - ways.min(0)) / (1 + np.abs(gradient)))[trusted]
        gap = max(gap, float(gaps.max()) if gaps.size else 0.0)
    return Proof(
        value=result.value,
        denominator=result.denominator,
        worked=worked_terms(loss, params, full),
        terms=tuple(result.terms.reshape(-1).tolist()),
        closed_form=result.closed_form,
        autograd=result.gradient,
        central_differences=next(iter(central.values())) if single else central,
        gap=gap,
        at_kink=next(iter(kinks.values())) if single else kinks,
    )


def _one_sided(loss: Loss, params: Params, inputs: Mapping[str, Tensor], name: str) -> list[NDArray[np.float64]]:
    """Slopes of the summed terms on the left and on the right of every number of a prediction.

    What the loss holds fixed stays as it is in `inputs`.
    """
    prediction = inputs[name]
    size = prediction.numel()
    step = DIFFERENCE * prediction.abs().clamp(min=1.0).reshape(-1)
    batch = {other: value.expand(size, *value.shape) for other, value in inputs.items()}
    base = _sum(loss, params, batch)
    slopes = []
    for sign in (-1, 1):
        moved = (prediction.reshape(-1) + sign * torch.diag(step)).reshape(size, *prediction.shape)
        inside = _inside(moved, loss.input(name).domain)
        legal = torch.where(inside.reshape(size, *([1] * prediction.dim())), moved, batch[name])
        slope = sign * (_sum(loss, params, {**batch, name: legal}) - base) / step
        slopes.append(torch.where(inside, slope, torch.nan).numpy())
    return slopes


def _inside(moved: Tensor, domain: Domain) -> Tensor:
    flat = moved.flatten(1)
    if domain.kind == "interval":
        above = flat > domain.low if domain.low_open else flat >= domain.low
        return (above & (flat <= domain.high)).all(1)
    return torch.ones(len(flat), dtype=torch.bool)


def _sum(loss: Loss, params: Params, inputs: Mapping[str, Tensor]) -> Tensor:
    return loss.terms(inputs, params).flatten(1).sum(1)


def worked_terms(loss: Loss, params: Params, inputs: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Each term's formula with the numbers put in.

    Args:
        loss: The loss.
        params: Its checked parameters.
        inputs: Its arguments.

    Returns:
        One line a term.

    Example:
        >>> loss = losses.get("mse")
        >>> worked_terms(loss, {}, {"prediction": torch.tensor([1.5]), "target": torch.tensor([-2.0])})
        ('(1.5 − (−2))²',)
    """
    columns = {**inputs, **(loss.derived(inputs, params) if loss.derived else {})}
    count = loss.terms(inputs, params).numel()
    lines = []
    for term in range(count):

        def number(name: str, term: int = term) -> float:
            if name not in columns:
                return float(params[name])
            values = columns[name].reshape(-1)
            return float(values[term * len(values) // count])

        case = int(number("case")) if "case" in columns else 0
        lines.append(fill(loss.worked[case], number))
    return tuple(lines)
