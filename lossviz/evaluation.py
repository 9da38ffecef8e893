"""The value, the terms and the gradient of a loss at a point, with every input checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.losses.base import Input, Loss, shorten

Array = NDArray[Any]
DTYPES: Final = {"float64": torch.float64, "float32": torch.float32}
MAX_ELEMENTS: Final = 1_000_000
SIMPLEX_TOLERANCE: Final = 1e-5
"""How far a row of probabilities may be from the sum 1: float32 rounding over a thousand classes."""
LOG_TOLERANCE: Final = 1e-2
"""The same for rows of log-probabilities, which people type with two decimals and nudge for finite differences."""


AXES: Final = {
    "n": "samples",
    "k": "classes",
    "d": "coordinates",
    "h": "rows",
    "w": "columns",
    "t": "frames",
    "l": "symbols",
    "c": "4 numbers of a box",
}
"""What the axes of inputs count."""


@dataclass(frozen=True)
class Evaluation:
    """A loss at a point.

    Args:
        value: The reduced loss.
        terms: What the reduction acts on.
        per_sample: The terms of each sample, added up where it has several.
        gradient: d value / d prediction by autograd, shaped like the prediction; by name where there are several.
        closed_form: The same from the loss's own formula.
        denominator: What the sum of the terms was divided by.
    """

    value: float
    terms: Array
    per_sample: Array
    gradient: Any
    closed_form: Any
    denominator: float


def evaluate(
    key: str,
    prediction: Any,
    target: Any = None,
    reduction: str = "mean",
    dtype: str = "float64",
    **parameters: Any,
) -> Evaluation:
    r"""Evaluate a loss and its gradient.

    Formula: value = sum of terms / denominator; gradient = d value / d prediction.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: Numbers, (n,) or any shape with samples first, (n, k) for losses over classes; where a loss has
            several predictions a mapping by their names.
        target: Numbers of the shape that the loss declares; a mapping where there are several; None where there is
            none.
        reduction: One of the loss's reductions; "mean" is always its default.
        dtype: "float64" or "float32".
        **parameters: The loss's parameters, such as `delta=1.5`.

    Returns:
        Value, terms and gradient. What a float cannot hold is infinite, such as the square of 1e200.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal, naming it, its value and what is allowed.

    Example:
        >>> evaluate("mse", [2.0, 0.0], [0.0, 0.0]).value
        2.0
        >>> evaluate("mse", [2.0, 0.0], [0.0, 0.0]).gradient.tolist()
        [2.0, 0.0]

    Source: the references of each loss.
    """
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    loss.reduction(reduction)
    with torch.inference_mode(False), torch.enable_grad():  # whatever mode the caller is in
        inputs = check_inputs(loss, prediction, target, dtype)
        shape = tuple(inputs[loss.predictions[0].name].shape)
        leaves = {item.name: inputs[item.name] for item in loss.predictions if item.differentiable}
        if loss.elementwise:
            inputs = {name: tensor.reshape(-1) for name, tensor in inputs.items()}
        leaves = {name: inputs[name].requires_grad_() for name in leaves}
        full = loss.hold(inputs, params)
        terms = loss.terms(full, params)
        denominator = float(loss.denominator(inputs, params, reduction))
        if denominator == 0:
            raise ValueError("weight gives every target the weight 0, so their mean is not defined; raise one of them")
        value = terms.sum() / denominator
        gradients = slopes_of(value, tuple(leaves.values()))
        closed = loss.derivatives(full, params)
    terms = terms.detach()
    if loss.elementwise:
        terms = terms.reshape(shape)

    def mirror(slopes: Mapping[str, Tensor]) -> Any:
        arrays = {
            name: slope.detach().numpy().reshape(shape if loss.elementwise else slope.shape)
            for name, slope in slopes.items()
        }
        return arrays if len(loss.predictions) > 1 else next(iter(arrays.values()))

    return Evaluation(
        value=float(value.detach()),
        terms=terms.numpy(),
        per_sample=terms.reshape(len(terms), -1).sum(1).numpy(),
        gradient=mirror(dict(zip(leaves, gradients, strict=True))),
        closed_form=mirror({name: closed[name].detach() / denominator for name in leaves}),
        denominator=denominator,
    )


def slopes_of(value: Tensor, leaves: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The gradient of a number along each tensor; 0 where the number does not depend on it.

    Example:
        >>> point = torch.tensor([3.0], requires_grad=True)
        >>> slopes_of(torch.tensor(1.0), (point,))
        (tensor([0.]),)
    """
    if not value.requires_grad:
        return tuple(torch.zeros_like(leaf) for leaf in leaves)
    return torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)


def check_inputs(loss: Loss, prediction: Any, target: Any = None, dtype: str = "float64") -> dict[str, Tensor]:
    """Turn the arguments of a loss into tensors, refusing what it is not defined for.

    Args:
        loss: The loss.
        prediction: Its prediction, by name where there are several.
        target: Its target, by name where there are several; None where there is none.
        dtype: "float64" or "float32".

    Returns:
        Tensors by name; class indices are int64.

    Raises:
        ValueError: If an argument is not legal, naming it, its value and what is allowed.

    Example:
        >>> check_inputs(losses.get("mse"), [1], [2])["target"]
        tensor([2.], dtype=torch.float64)
    """
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"dtype is {shorten(dtype)}; allowed are {', '.join(map(repr, DTYPES))}")
    given = by_name("prediction", [item.name for item in loss.predictions], prediction)
    given |= by_name("target", [item.name for item in loss.targets], target)
    arrays = {item.name: _array(item.name, given[item.name]) for item in loss.inputs}
    sizes = _check_shapes(loss, arrays)
    tensors = {}
    for item in loss.inputs:
        _check_domain(item, arrays[item.name], sizes.get("k", 0))
        tensor = torch.from_numpy(arrays[item.name])
        tensors[item.name] = tensor.long() if item.domain.kind == "index" else tensor.to(DTYPES[dtype])
        if not bool(torch.isfinite(tensors[item.name]).all()):
            raise ValueError(f"{item.name} is too large for {dtype}; its limit is {torch.finfo(DTYPES[dtype]).max:.3g}")
    return tensors


def by_name(role: str, names: list[str], given: Any) -> dict[str, Any]:
    """The arguments of a role by name: a mapping, or the one itself.

    Raises:
        ValueError: If a name is missing or unknown, or a mapping is needed.

    Example:
        >>> by_name("target", ["target"], [1.0])
        {'target': [1.0]}
    """
    if not names:
        if given is not None and not (isinstance(given, Mapping) and not given):
            raise ValueError(f"{role} is {shorten(given)}; this loss has none, so allowed is None")
        return {}
    if not isinstance(given, Mapping):
        if len(names) > 1:
            raise ValueError(f"{role} is {shorten(given)}; allowed is a mapping with {', '.join(names)}")
        return {names[0]: given}
    if set(given) != set(names):
        found = shorten(sorted(map(str, given)))
        raise ValueError(f"{role} has the names {found}; allowed are exactly {', '.join(names)}")
    return {name: given[name] for name in names}


def _check_shapes(loss: Loss, arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, int]:
    """Refuse shapes that do not go together; returns the size of every axis."""
    first = loss.inputs[0]
    shape = arrays[first.name].shape
    if loss.elementwise:
        for item in loss.inputs[1:]:
            if arrays[item.name].shape != shape:
                found = arrays[item.name].shape
                raise ValueError(f"{item.name} has shape {found}; a {first.name} of shape {shape} needs {shape}")
        return {"n": shape[0]}
    sizes: dict[str, int] = {"c": 4}
    for item in loss.inputs:
        found = arrays[item.name].shape
        words = f"({', '.join(AXES.get(axis, axis) for axis in item.shape)}{',' if len(item.shape) == 1 else ''})"
        expected = tuple(sizes.get(axis, size) for axis, size in zip(item.shape, found, strict=False))
        if len(found) != len(item.shape):
            if item is first or any(axis not in sizes for axis in item.shape):
                raise ValueError(f"{item.name} has shape {found}; allowed is {words}")
            expected = tuple(sizes[axis] for axis in item.shape)
        if found != expected:
            needs = f"a {first.name} of shape {shape} needs {expected}" if item is not first else f"allowed is {words}"
            raise ValueError(f"{item.name} has shape {found}; {needs}")
        sizes |= dict(zip(item.shape, found, strict=True))
        if "k" in item.shape and sizes["k"] < 2:
            raise ValueError(f"{item.name} has shape {found}; at least 2 classes are needed")
    return sizes


def _array(name: str, value: Any) -> NDArray[np.float64]:
    if isinstance(value, Mapping | str | bytes) or value is None:
        raise ValueError(f"{name} is {type(value).__name__}; allowed are numbers in a list or an array")
    try:
        array = _floats(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # torch raises RuntimeError for what has no numbers
        raise ValueError(f"{name} is {shorten(value)}; allowed are numbers in rows of equal length") from None
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; at least one sample is needed, in a list")
    if array.size > MAX_ELEMENTS:
        raise ValueError(f"{name} holds {array.size} numbers; allowed are at most {MAX_ELEMENTS}")
    bad = array[~np.isfinite(array)]
    if bad.size:
        raise ValueError(f"{name} holds {bad[0]}; allowed are finite numbers")
    return array


def _floats(value: Any) -> NDArray[np.float64]:
    """A new float64 array; anything that is not made of real numbers raises, truth values included."""
    if isinstance(value, Tensor):
        dense = value.detach().cpu().to_dense() if value.is_sparse else value.detach().cpu()
        value = dense.double().numpy() if dense.is_floating_point() else dense.numpy()
    array = np.asarray(value)
    if array.dtype.kind == "O" and not all(type(number) in (int, float) for number in array.flat):
        raise ValueError  # whole numbers beyond 64 bits arrive as objects and are fine
    if array.dtype.kind not in "iufO" or _holds_truth_value(value):
        raise ValueError
    with np.errstate(over="ignore"):  # what float64 cannot hold becomes infinite and is refused as such
        return array.astype(np.float64)


def _holds_truth_value(value: Any) -> bool:
    """Whether a nested list has True or False among its numbers, which NumPy would turn into 1 and 0."""
    if isinstance(value, list | tuple):
        return any(_holds_truth_value(item) for item in value)
    return isinstance(value, bool | np.bool_)


def _check_domain(item: Input, array: NDArray[np.float64], classes: int) -> None:
    domain = item.domain
    if domain.kind == "real":
        return
    if domain.kind == "interval":
        below = array <= domain.low if domain.low_open else array < domain.low
        wrong = array[below | (array > domain.high)]
    elif domain.kind == "labels":
        wrong = array[~np.isin(array, domain.values)]
    elif domain.kind == "index":
        wrong = array[(array != np.floor(array)) | (array < max(domain.low, 0)) | (array >= classes)]
    elif domain.kind == "box":
        bad = array[(array[..., :2] >= array[..., 2:]).any(-1)]
        if len(bad):
            numbers = ", ".join(f"{number:g}" for number in bad[0])
            raise ValueError(f"{item.name} holds the box {numbers}; allowed is {domain.describe()}")
        return
    elif domain.kind == "log_probability":
        wrong = array[array > SIMPLEX_TOLERANCE]
    else:
        wrong = array[(array < 0) | (array > 1)]
    if wrong.size:
        raise ValueError(f"{item.name} holds {wrong[0]:g}; allowed is {domain.describe(classes)}")
    if domain.kind in ("simplex", "log_probability"):
        logarithms = domain.kind == "log_probability"
        sums = (np.exp(array) if logarithms else array).sum(-1)
        off = sums[np.abs(sums - 1) > (LOG_TOLERANCE if logarithms else SIMPLEX_TOLERANCE)]
        if off.size:
            found = "whose exponentials sum to" if logarithms else "that sums to"
            raise ValueError(f"{item.name} has a row {found} {off[0]:g}; allowed are {domain.describe()}")


def board_state(loss: Loss, prediction: Any, target: Any = None) -> dict[str, Tensor]:
    """Check the numbers of a board and turn them into its state.

    Args:
        loss: The loss.
        prediction: What is dragged; by name where the board has several variables of that role.
        target: The targets, likewise; None where there are none.

    Returns:
        float64 tensors by the names of the board's variables.

    Raises:
        ValueError: If a number is not legal or does not fit on the board.

    Example:
        >>> board_state(losses.get("mse"), [1], [2])["prediction"]
        tensor([1.], dtype=torch.float64)
    """
    given: dict[str, Any] = {}
    for role, numbers in (("prediction", prediction), ("target", target)):
        given |= by_name(role, [item.name for item in loss.board.variables if item.role == role], numbers)
    state = {name: torch.from_numpy(_array(name, value)) for name, value in given.items()}
    loss.board.check(state)
    inputs = loss.board.inputs(state)
    predictions = {item.name: inputs[item.name] for item in loss.predictions}
    check_inputs(loss, predictions, {item.name: inputs[item.name] for item in loss.targets} or None)
    return state
