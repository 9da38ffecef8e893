"""A loss in float64 and in float32, beside the formula that floats do not stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.boards import Bars, Numbers
from lossviz.evaluation import DTYPES, check_inputs, evaluate, slopes_of
from lossviz.losses.base import Inputs, Loss, Params
from lossviz.writing import format_number

Gradient = Mapping[str, NDArray[Any]]

TELLING: Final = 1e-3
"""From this relative error on a float32 number is worth showing."""


@dataclass(frozen=True)
class Precision:
    """One way to compute a loss, in both precisions.

    Args:
        title: What is computed.
        code: The same as a line of PyTorch; empty for the loss's own function.
        value64: The value in float64.
        value32: The value in float32.
        gradient64: The gradient in float64, by the name of the prediction.
        gradient32: The gradient in float32.
    """

    title: str
    code: str
    value64: float
    value32: float
    gradient64: Gradient
    gradient32: Gradient


@dataclass(frozen=True)
class Extreme:
    """A board on which float32 goes wrong.

    Args:
        text: What happens there.
        state: The board's variables, as nested lists by name.
        fault: "inaccurate" (the value is off), "no slope" (the gradient is 0 and should not be), "infinite", "nan" or
            "no finite slope".
    """

    text: str
    state: Mapping[str, Any]
    fault: str


def precisions(
    key: str, prediction: Any, target: Any = None, reduction: str = "mean", **parameters: Any
) -> tuple[Precision, ...]:
    """Value and gradient in float64 and in float32, by the loss's function and by the formula as written.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: As for `lossviz.evaluate`.
        target: As for `lossviz.evaluate`.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        First the loss itself; then, where it is known, the naive formula; for `bce_with_logits` also a sigmoid
        followed by `bce`.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> stable, *_, chain = precisions("bce_with_logits", [17.0], [0.0])
        >>> stable.value32, chain.value32, float(chain.gradient32["prediction"][0])
        (17.0, 100.0, 0.0)

    Source: Goldberg (1991): What Every Computer Scientist Should Know About Floating-Point Arithmetic.
    """
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    both = [evaluate(key, prediction, target, reduction, dtype, **parameters) for dtype in DTYPES]
    gradients = [_by_name(loss, result.gradient) for result in both]
    found = [Precision(f"{loss.title}, as PyTorch computes it", "", both[0].value, both[1].value, *gradients)]
    if loss.naive is not None:
        found.append(
            _way(
                "The formula as written", loss.naive.code, loss, loss.naive.terms, prediction, target, reduction, params
            )
        )
    if key in _CHAINS:
        title, code, terms = _CHAINS[key]
        found.append(_way(title, code, loss, terms, prediction, target, reduction, params))
    return tuple(found)


def _by_name(loss: Loss, gradient: Any) -> Gradient:
    return gradient if isinstance(gradient, Mapping) else {loss.predictions[0].name: gradient}


def _way(
    title: str,
    code: str,
    loss: Loss,
    terms: Callable[[Inputs, Params], Tensor],
    prediction: Any,
    target: Any,
    reduction: str,
    params: Params,
) -> Precision:
    """A formula in both precisions, with its gradient by autograd."""
    values, gradients = [], []
    for dtype in DTYPES:
        with torch.inference_mode(False), torch.enable_grad():
            inputs = check_inputs(loss, prediction, target, dtype)
            shape = inputs[loss.predictions[0].name].shape
            if loss.elementwise:
                inputs = {name: tensor.reshape(-1) for name, tensor in inputs.items()}
            leaves = {item.name: inputs[item.name].requires_grad_() for item in loss.predictions if item.differentiable}
            value = terms(loss.hold(inputs, params), params).sum() / loss.denominator(inputs, params, reduction)
            slopes = slopes_of(value, tuple(leaves.values()))
        values.append(float(value.detach()))
        gradients.append(
            {
                name: slope.detach().numpy().reshape(shape if loss.elementwise else slope.shape)
                for name, slope in zip(leaves, slopes, strict=True)
            }
        )
    return Precision(title, code, values[0], values[1], gradients[0], gradients[1])


def _sigmoid_then_bce(inputs: Inputs, params: Params) -> Tensor:
    terms = torch.nn.functional.binary_cross_entropy(
        torch.sigmoid(inputs["prediction"]), inputs["target"], reduction="none"
    )
    weighted: Tensor = terms * (1 + (params["pos_weight"] - 1) * inputs["target"])
    return weighted


_CHAINS: Final = {
    "bce_with_logits": (
        "Sigmoid, then binary cross-entropy",
        "F.binary_cross_entropy(torch.sigmoid(prediction), target)",
        _sigmoid_then_bce,
    )
}


@cache
def extremes(key: str) -> tuple[Extreme, ...]:
    """Boards on which the loss, or its formula as written, breaks in float32: the mildest of each kind of fault.

    Tried are one sample with large predictions of both signs, probabilities at and next to 0 and 1, and every label.

    Args:
        key: One of `lossviz.losses.keys()`.

    Returns:
        At most one board for each fault of each way to compute the loss; none where nothing tried goes wrong.

    Example:
        >>> [extreme.state["prediction"] for extreme in extremes("bce_with_logits")]
        [[16.0], [17.0], [17.0]]
    """
    loss = losses.get(key)
    params = loss.check_parameters({})
    found: set[tuple[str, str]] = set()
    boards: dict[str, Extreme] = {}
    for text, state in _candidates(loss):
        tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in state.items()}
        try:
            loss.board.check(tensors)
            inputs = loss.board.inputs(tensors)
            prediction, target = (
                {item.name: inputs[item.name] for item in role} for role in (loss.predictions, loss.targets)
            )
            ways = precisions(key, prediction, target, **params)
        except ValueError:  # this prediction does not go with this target
            continue
        for way in ways:
            fault, words = _fault(way, ways[0])
            if fault and (way.title, fault) not in found:
                found.add((way.title, fault))
                before = boards.get(text)
                boards[text] = Extreme(f"{before.text}; {words}" if before else f"{text}: {words}", state, fault)
    return tuple(boards.values())


def _fault(way: Precision, true: Precision) -> tuple[str, str]:
    """What is wrong with a way in float32 against the loss in float64."""
    name = f"{way.title[0].lower()}{way.title[1:]}" if way.code else "float32"
    instead = f" instead of {format_number(true.value64)}" if math.isfinite(true.value64) else ""
    if math.isnan(way.value32):
        return "nan", f"{name} gives nan (not a number){instead}"
    if math.isinf(way.value32):
        return "infinite", f"{name} gives {format_number(way.value32)}{instead}"
    if not all(np.isfinite(slope).all() for slope in way.gradient32.values()):
        return "no finite slope", f"{name} has no finite gradient"
    steepest = max(_largest(true.gradient64), _largest(way.gradient64))
    if steepest > TELLING and _largest(way.gradient32) == 0:
        return "no slope", f"{name} has the gradient 0 instead of {format_number(_largest(true.gradient64))}"
    if math.isfinite(true.value64) and abs(way.value32 - true.value64) > TELLING * max(abs(true.value64), 1.0):
        return "inaccurate", f"{name} gives {format_number(way.value32)}{instead}"
    return "", ""


def _largest(gradient: Gradient) -> float:
    return max((float(np.abs(slope).max()) for slope in gradient.values() if np.isfinite(slope).all()), default=0.0)


_SCORES: Final = (16.0, -16.0, 17.0, -17.0, 50.0, -50.0, 90.0, -90.0, 120.0, -120.0, 800.0, -800.0)
_NEAR_ONE: Final = 1 / (1 + math.exp(-16))


def _candidates(loss: Loss) -> list[tuple[str, dict[str, Any]]]:
    """Boards of one sample at which floats are put to the test, the mildest first."""
    board = loss.board
    if isinstance(board, Bars):
        start = board.example()
        classes = start["prediction"].shape[1]
        one_hot = [[0.0, 1.0] + [0.0] * (classes - 2)]
        wrong: dict[str, list[Any]] = {"class": [[1.0]], "distribution": [one_hot]}
        return [
            (
                f"{board.label} 0 at {format_number(score)}",
                {"prediction": [[score] + [0.0] * (classes - 1)], "target": target},
            )
            for score in _SCORES
            for target in wrong.get(board.truth, [])
        ]
    variables = {variable.name: variable for variable in board.variables}
    if not isinstance(board, Numbers) or set(variables) != {"prediction", "target"} or board.min_samples > 1:
        return []
    prediction, target = variables["prediction"], variables["target"]
    unit = prediction.high <= 1.0
    tried = (0.0, 1.0, _NEAR_ONE) if unit else _SCORES
    labels = target.values or tuple(dict.fromkeys((float(board.example()["target"][0]), 1.0, 0.0)))
    return [
        (
            f"{prediction.label} {_short(value)}, {target.label.lower()} {format_number(label)}",
            {"prediction": [value], "target": [label]},
        )
        for value in tried
        for label in labels
    ]


def _short(value: float) -> str:
    return "1 − 1.1×10⁻⁷" if value == _NEAR_ONE else format_number(value)
