"""What NumPy does for an operation of torch, on the same memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

#: Most columns that are added one by one.
FEW: Final = 6
#: Most numbers for which SciPy's logistic function, one number after the other, beats four steps of NumPy's on many.
SCALAR: Final = 256

Instruction = tuple[Callable[..., Any], tuple[Any, ...]]
"""What is called, and with what."""

Array = np.ndarray[Any, Any]


class Call:
    """One operation: its arguments, and where its result is written.

    Args:
        function: the operation of torch.
        given: its arguments, tensors and numbers.
        settings: its named arguments, but for `out`.
        result: the tensor that it wrote, and that its instructions write again.
        array: gives a tensor's memory as an array.
    """

    def __init__(
        self,
        function: Any,
        given: Sequence[Any],
        settings: dict[str, Any],
        result: Tensor,
        array: Callable[[Tensor], Array] = Tensor.numpy,
    ) -> None:
        self.function = function
        self.given = given
        self.settings = settings
        self.result = result
        self._array = array
        self.out = array(result)

    def array(self, position: int, like: Array | None = None) -> Array:
        """An argument as an array."""
        value = self.given[position]
        if isinstance(value, Tensor):
            return self._array(value)
        return np.asarray(value, (self.out if like is None else like).dtype)

    def room(self) -> Array:
        """An array for a step in between."""
        return np.empty_like(self.out)


def _scaled(rule: Callable[..., Any], call: Call) -> list[Instruction]:
    """Add or subtract, where the second may be taken several times."""
    alpha = call.settings.get("alpha", 1)
    if alpha == 1:
        return _binary(rule, call)
    room = call.room()
    return [
        (np.multiply, (call.array(1), np.asarray(alpha, room.dtype), room)),
        (rule, (call.array(0), room, call.out)),
    ]


def _binary(rule: Callable[..., Any], call: Call) -> list[Instruction]:
    first = call.array(0)
    return [(rule, (first, call.array(1, first), call.out))]


def _bounded(source: Array, least: Array | None, most: Array | None, out: Array) -> list[Instruction]:
    found: list[Instruction] = []
    for bound, rule in ((least, np.maximum), (most, np.minimum)):
        if bound is not None:
            found.append((partial(rule, out=out), (source, bound)))
            source = out
    return found


def _clamp(call: Call) -> list[Instruction]:
    bounds = [
        None if position >= len(call.given) or call.given[position] is None else call.array(position)
        for position in (1, 2)
    ]
    return _bounded(call.array(0), bounds[0], bounds[1], call.out)


def _power(call: Call) -> list[Instruction]:
    if call.given[1] == 2:
        return [(np.square, (call.array(0), call.out))]
    if call.given[1] == 1:
        return [(np.copyto, (call.out, call.array(0)))]
    return [(np.power, (call.array(0), call.array(1), call.out))]


def _choice(call: Call, otherwise: int, chosen: int, mask: int) -> list[Instruction]:
    """One argument where another holds, and elsewhere a third; each by its position."""
    return [
        (np.copyto, (call.out, call.array(otherwise))),
        (np.copyto, (call.out, call.array(chosen), "same_kind", call.array(mask))),
    ]


def _addcmul(call: Call) -> list[Instruction]:
    room, value = call.room(), call.settings.get("value", 1)
    scale: list[Instruction] = []
    if value not in (1, -1):
        scale = [(np.multiply, (room, np.asarray(value, room.dtype), room))]
    return [
        (np.multiply, (call.array(1), call.array(2), room)),
        *scale,
        (np.subtract if value == -1 else np.add, (call.array(0), room, call.out)),
    ]


def _sigmoid(call: Call) -> list[Instruction]:
    x, out, one = call.array(0), call.out, np.asarray(1, call.out.dtype)
    if out.size <= SCALAR:
        return [(expit, (x, out))]
    return [(np.negative, (x, out)), (np.exp, (out, out)), (np.add, (out, one, out)), (np.reciprocal, (out, out))]


def _softplus(call: Call) -> list[Instruction]:
    """As torch has it: x itself above a threshold."""
    x, large = call.array(0), np.empty(call.out.shape, bool)
    threshold = call.given[2] if len(call.given) > 2 else 20
    return [
        (np.exp, (x, call.out)),
        (np.log1p, (call.out, call.out)),
        (np.greater, (x, np.asarray(threshold, x.dtype), large)),
        (np.copyto, (call.out, x, "same_kind", large)),
    ]


def _along(rule: np.ufunc, call: Call) -> list[Instruction]:
    """A sum or a largest number along the last axis, where it is short: NumPy's own way along it would be long."""
    if not _few_columns(call):
        return _by_torch(call)
    numbers = call.array(0)
    out = call.out[..., 0] if call.out.ndim == numbers.ndim else call.out
    columns = [numbers[..., column] for column in range(numbers.shape[-1])]
    if len(columns) == 1:
        return [(np.copyto, (out, columns[0]))]
    write = partial(rule, out=out, dtype=out.dtype)
    return [(write, (columns[0], columns[1])), *((write, (out, column)) for column in columns[2:])]


def _mean(call: Call) -> list[Instruction]:
    if not _few_columns(call):
        return _by_torch(call)
    count = np.asarray(call.array(0).shape[-1], call.out.dtype)
    return [*_along(np.add, call), (np.divide, (call.out, count, call.out))]


def _few_columns(call: Call) -> bool:
    return _last(call) and call.array(0).shape[-1] <= FEW


def _last(call: Call) -> bool:
    """Whether the operation is along the last axis alone."""
    axes = call.given[1] if isinstance(call.given[1], list) else [call.given[1]]
    return axes in ([-1], [call.array(0).ndim - 1])


def _gather(call: Call) -> list[Instruction]:
    """Of each row the number that an index names."""
    source, places = call.array(0), call.array(2)
    if not _last(call) or places.shape != (*source.shape[:-1], 1) or not source.flags.c_contiguous:
        return _by_torch(call)
    starts = np.arange(0, source.size, source.shape[-1]).reshape(places.shape)
    found = np.empty_like(starts)
    # The indices are right; clipping them is NumPy's way to write straight to where the result belongs.
    return [
        (np.add, (starts, places, found)),
        (source.reshape(-1).take, (found, None, call.out, "clip")),
    ]


def _distance(rule: Callable[..., Any], call: Call) -> list[Instruction]:
    """A function of the distance between prediction and target."""
    if len(call.given) < 3 or call.given[2] != 0:
        return _by_torch(call)
    return [(np.subtract, (call.array(0), call.array(1), call.out)), (rule, (call.out, call.out))]


def _binary_cross_entropy(call: Call) -> list[Instruction]:
    """Of probabilities: (y − 1) ln(1 − p) − y ln p, where, as torch has it, no logarithm is below −100."""
    p, y, weight, reduction = call.given
    if weight is not None or reduction != 0:
        return _by_torch(call)
    p, y, room, least = call.array(0), call.array(1), call.room(), np.asarray(-100, call.out.dtype)
    return [
        (np.negative, (p, room)),
        (np.log1p, (room, room)),
        *_bounded(room, least, None, room),
        (np.subtract, (y, np.asarray(1, room.dtype), call.out)),
        (np.multiply, (call.out, room, call.out)),
        (np.log, (p, room)),
        *_bounded(room, least, None, room),
        (np.multiply, (room, y, room)),
        (np.subtract, (call.out, room, call.out)),
    ]


def _binary_cross_entropy_with_logits(call: Call) -> list[Instruction]:
    """Of raw outputs: (1 − y) x + w (ln(1 + e^−|x|) + max(−x, 0)), where w is 1 or, where y is 1, a weight."""
    _, _, weight, positive, reduction = call.given
    if weight is not None or reduction != 0:
        return _by_torch(call)
    x, y, room, one = call.array(0), call.array(1), call.room(), np.asarray(1, call.out.dtype)
    weighted: list[Instruction] = []
    if positive is not None:
        weights, more = call.room(), call.array(3) - one
        weighted = [
            (np.multiply, (y, more, weights)),
            (np.add, (weights, one, weights)),
            (np.multiply, (room, weights, room)),
        ]
    return [
        (np.abs, (x, room)),
        (np.negative, (room, room)),
        (np.exp, (room, room)),
        (np.log1p, (room, room)),
        *_bounded(x, None, np.zeros((), x.dtype), call.out),
        (np.subtract, (room, call.out, room)),
        *weighted,
        (np.subtract, (one, y, call.out)),
        (np.multiply, (call.out, x, call.out)),
        (np.add, (call.out, room, call.out)),
    ]


def _one_hot(call: Call) -> list[Instruction]:
    classes, chosen = np.arange(call.out.shape[-1]), np.empty(call.out.shape, bool)
    return [
        (np.equal, (call.array(0)[..., None], classes, chosen)),
        (np.copyto, (call.out, chosen)),
    ]


def _products(call: Call) -> list[Instruction]:
    """Products of matrices; NumPy has no fast way for outer ones."""
    first, second = call.array(0), call.array(1)
    return [(np.multiply if first.shape[-1] == 1 else np.matmul, (first, second, call.out))]


def _by_torch(call: Call) -> list[Instruction]:
    """An operation that has no rule, at torch's own price."""
    if call.result is call.given[0]:
        return [(partial(call.function, **call.settings), tuple(call.given))]
    function = getattr(torch, call.function.overloadpacket.__name__, None)
    if function in _WITH_OUT:
        return [(partial(function, out=call.result, **call.settings), tuple(call.given))]
    return [(_copied, (call.result, partial(call.function, *call.given, **call.settings)))]


def _copied(result: Tensor, function: Callable[[], Tensor]) -> None:
    result.copy_(function())


_RULES: Final[dict[str, Callable[[Call], list[Instruction]]]] = {
    **{
        name: lambda call, rule=rule: [(rule, (call.array(0), call.out))]  # type: ignore[misc]
        for name, rule in (
            *(("abs", np.abs), ("exp", np.exp), ("expm1", np.expm1), ("log", np.log), ("log1p", np.log1p)),
            *(("neg", np.negative), ("reciprocal", np.reciprocal), ("sign", np.sign), ("tanh", np.tanh)),
            ("square", np.square),
        )
    },
    **{
        name: partial(_binary, rule)
        for name, rule in (
            *(("div", np.divide), ("mul", np.multiply), ("hypot", np.hypot), ("eq", np.equal)),
            *(("ge", np.greater_equal), ("gt", np.greater), ("le", np.less_equal), ("lt", np.less)),
        )
    },
    "add": partial(_scaled, np.add),
    "sub": partial(_scaled, np.subtract),
    "rsub": lambda call: [(np.subtract, (call.array(1), call.array(0), call.out))],
    "maximum": lambda call: _bounded(call.array(0), call.array(1), None, call.out),
    "relu": lambda call: _bounded(call.array(0), np.zeros((), call.out.dtype), None, call.out),
    "clamp": _clamp,
    "clamp_min": _clamp,
    "pow": _power,
    "copy": lambda call: [(np.copyto, (call.out, call.array(1)))],
    **dict.fromkeys(("to", "_to_copy", "clone"), lambda call: [(np.copyto, (call.out, call.array(0), "unsafe"))]),
    "where": partial(_choice, otherwise=2, chosen=1, mask=0),
    "masked_fill": partial(_choice, otherwise=0, chosen=2, mask=1),
    "addcmul": _addcmul,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "one_hot": _one_hot,
    "bmm": _products,
    "gather": _gather,
    "sum": partial(_along, np.add),
    "amax": partial(_along, np.maximum),
    "mean": _mean,
    "mse_loss": partial(_distance, np.square),
    "l1_loss": partial(_distance, np.abs),
    "binary_cross_entropy": _binary_cross_entropy,
    "binary_cross_entropy_with_logits": _binary_cross_entropy_with_logits,
    **dict.fromkeys(("zeros_like", "full_like"), lambda call: [(np.copyto, (call.out, call.out.copy()))]),
}

_WITH_OUT: Final = (torch.amax, torch.gather, torch.mean, torch.sum)


def instructions(call: Call) -> list[Instruction]:
    """Return what does the operation again, on the numbers that its arguments hold by then.

    `np.errstate` is the caller's: torch gives infinities and NaN without a warning.

    Example:
        >>> x, y = torch.tensor([1.0, -2.0]), torch.zeros(2)
        >>> [(rule, arguments)] = instructions(Call(torch.ops.aten.abs.default, [x], {}, y))
        >>> _ = rule(*arguments)
        >>> y
        tensor([1., 2.])
    """
    name = call.function.overloadpacket.__name__.removesuffix("_")
    return _RULES.get(name, _by_torch)(call)
