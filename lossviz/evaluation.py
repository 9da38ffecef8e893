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


@dataclass(frozen=True)
class Evaluation:
    """A loss at a point.

    Args:
        value: The reduced loss.
        terms: What the reduction acts on.
        per_sample: The terms of each sample, added up where it has several.
        gradient: d value / d prediction by autograd, shaped like the prediction.
        closed_form: The same from the loss's own formula.
        denominator: What the sum of the terms was divided by.
    """

    value: float
    terms: Array
    per_sample: Array
    gradient: Array
    closed_form: Array
    denominator: float


def evaluate(
    key: str,
    prediction: Any,
    target: Any,
    reduction: str = "mean",
    dtype: str = "float64",
    **parameters: Any,
) -> Evaluation:
    r"""Evaluate a loss and its gradient.

    Formula: value = sum of terms / denominator; gradient = d value / d prediction.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: Numbers, (n,) or any shape with samples first; (n, k) for losses over classes.
        target: Numbers of the shape that the loss declares.
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
        shape = inputs["prediction"].shape
        if not loss.classwise:
            inputs = {name: tensor.reshape(-1) for name, tensor in inputs.items()}
        leaf = inputs["prediction"].requires_grad_()
        terms = loss.terms(inputs, params)
        denominator = float(loss.denominator(inputs, params, reduction))
        if denominator == 0:
            raise ValueError("weight gives every target the weight 0, so their mean is not defined; raise one of them")
        value = terms.sum() / denominator
        (gradient,) = torch.autograd.grad(value, leaf)
        closed_form = loss.derivative(inputs, params).detach() / denominator
    terms = terms.detach().reshape(terms.shape if loss.classwise else shape)
    return Evaluation(
        value=float(value.detach()),
        terms=terms.numpy(),
        per_sample=terms.reshape(len(terms), -1).sum(1).numpy(),
        gradient=gradient.numpy().reshape(shape),
        closed_form=closed_form.numpy().reshape(shape),
        denominator=denominator,
    )


def check_inputs(loss: Loss, prediction: Any, target: Any, dtype: str = "float64") -> dict[str, Tensor]:
    """Turn the arguments of a loss into tensors, refusing what it is not defined for.

    Args:
        loss: The loss.
        prediction: Its prediction.
        target: Its target.
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
    arrays = {"prediction": _array("prediction", prediction), "target": _array("target", target)}
    shape = arrays["prediction"].shape
    if loss.classwise and len(shape) != 2:
        raise ValueError(f"prediction has shape {shape}; allowed is (samples, classes)")
    if loss.classwise and shape[1] < 2:
        raise ValueError(f"prediction has shape {shape}; at least 2 classes are needed")
    expected = shape[:1] if loss.input("target").domain.kind == "index" else shape
    if arrays["target"].shape != expected:
        raise ValueError(f"target has shape {arrays['target'].shape}; a prediction of shape {shape} needs {expected}")
    for item in loss.inputs:
        _check_domain(item, arrays[item.name], shape[-1])
    tensors = {name: torch.from_numpy(array).to(DTYPES[dtype]) for name, array in arrays.items()}
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise ValueError(f"an input is too large for {dtype}; its limit is {torch.finfo(DTYPES[dtype]).max:.3g}")
    if loss.input("target").domain.kind == "index":
        tensors["target"] = torch.from_numpy(arrays["target"]).long()
    return tensors


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
        wrong = array[(array < domain.low) | (array > domain.high)]
    elif domain.kind == "labels":
        wrong = array[~np.isin(array, domain.values)]
    elif domain.kind == "index":
        wrong = array[(array != np.floor(array)) | (array < 0) | (array >= classes)]
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


def board_state(loss: Loss, prediction: Any, target: Any) -> dict[str, Tensor]:
    """Check the numbers of a board and turn them into its state.

    Args:
        loss: The loss.
        prediction: What is dragged, (n,) or (n, k).
        target: The loss's target.

    Returns:
        float64 tensors "prediction" and "target".

    Raises:
        ValueError: If a number is not legal or does not fit on the board.

    Example:
        >>> board_state(losses.get("mse"), [1], [2])["prediction"]
        tensor([1.], dtype=torch.float64)
    """
    state = {
        name: torch.from_numpy(_array(name, value)) for name, value in (("prediction", prediction), ("target", target))
    }
    loss.board.check(state)
    linked = loss.board.inputs(state)["prediction"] if loss.board.link else state["prediction"]
    check_inputs(loss, linked, state["target"])
    return state
