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
from lossviz.losses.base import Loss, Params
from lossviz.writing import fill

DIFFERENCE: Final = 1e-6


@dataclass(frozen=True)
class Proof:
    """A loss with its numbers put in, and its gradient three ways.

    Args:
        value: The reduced loss.
        denominator: What the sum of the terms was divided by.
        worked: Each term's formula with the numbers put in.
        terms: Each term's value, in the same order.
        closed_form: Gradient by the loss's own formula, shaped like the prediction.
        autograd: Gradient by torch's autograd.
        central_differences: Gradient by (L(x + h) - L(x - h)) / 2h; NaN at the edge of the domain.
        gap: Largest distance between any two of the three, relative to 1 + the gradient's size, kinks and edges aside.
        at_kink: Where the slope on the left differs from that on the right, so that the three need not agree.
    """

    value: float
    denominator: float
    worked: tuple[str, ...]
    terms: tuple[float, ...]
    closed_form: NDArray[np.float64]
    autograd: NDArray[np.float64]
    central_differences: NDArray[np.float64]
    gap: float
    at_kink: NDArray[np.bool_]


def prove(key: str, prediction: Any, target: Any, reduction: str = "mean", **parameters: Any) -> Proof:
    """Show how a value comes about and prove its gradient three ways.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: The loss's prediction.
        target: The loss's target.
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
    flat = inputs if loss.classwise else {name: tensor.reshape(-1) for name, tensor in inputs.items()}
    shape = result.gradient.shape
    left, right = (side.reshape(shape) / result.denominator for side in _one_sided(loss, params, flat))
    central = (left + right) / 2
    kink = np.abs(right - left) > 1e-3 * (1 + np.abs(result.gradient))
    trusted = ~kink & np.isfinite(central)
    scale = 1 + np.abs(result.gradient)
    ways = np.stack([result.closed_form, result.gradient, central])
    gap = ((ways.max(0) - ways.min(0)) / scale)[trusted]
    return Proof(
        value=result.value,
        denominator=result.denominator,
        worked=worked_terms(loss, params, flat),
        terms=tuple(result.terms.reshape(-1).tolist()),
        closed_form=result.closed_form,
        autograd=result.gradient,
        central_differences=central,
        gap=float(gap.max()) if gap.size else 0.0,
        at_kink=kink,
    )


def _one_sided(loss: Loss, params: Params, inputs: Mapping[str, Tensor]) -> list[NDArray[np.float64]]:
    """Slopes of the summed terms on the left and on the right of every number of the prediction."""
    prediction = inputs["prediction"]
    size = prediction.numel()
    step = DIFFERENCE * prediction.abs().clamp(min=1.0).reshape(-1)
    batch = {name: value.expand(size, *value.shape) for name, value in inputs.items()}
    base = _sum(loss, params, batch)
    slopes = []
    for sign in (-1, 1):
        moved = (prediction.reshape(-1) + sign * torch.diag(step)).reshape(size, *prediction.shape)
        domain = loss.input("prediction").domain
        inside = _inside(moved, domain.kind, domain.low, domain.high)
        legal = torch.where(inside.reshape(size, *([1] * prediction.dim())), moved, batch["prediction"])
        slope = sign * (_sum(loss, params, {**batch, "prediction": legal}) - base) / step
        slopes.append(torch.where(inside, slope, torch.nan).numpy())
    return slopes


def _inside(moved: Tensor, kind: str, low: float, high: float) -> Tensor:
    flat = moved.flatten(1)
    if kind == "interval":
        return ((flat >= low) & (flat <= high)).all(1)
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
