"""What NumPy does for an operation of torch, on the same memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

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
    scale: list[Instruction] = [] if value == 1 else [(np.multiply, (room, np.asarray(value, room.dtype), room))]
    return [
        (np.multiply, (call.array(1), call.array(2), room)),
        *scale,
        (np.add, (call.array(0), room, call.out)),
    ]


def _softplus(call: Call) -> list[Instruction]:
    """As torch has it: x itself above 20."""
    x, large = call.array(0), np.empty(call.out.shape, bool)
    return [
        (np.exp, (x, call.out)),
        (np.log1p, (call.out, call.out)),
        (np.greater, (x, np.asarray(20, x.dtype), large)),
        (np.copyto, (call.out, x, "same_kind", large)),
    ]


def _shifted(call: Call, powers: Tensor) -> tuple[list[Instruction], Array, Tensor]:
    """Numbers minus the largest along the last axis: how, the largest, and room for the sums of powers."""
    numbers = call.given[0]
    largest, total = torch.empty_like(numbers[..., :1]), torch.empty_like(numbers[..., :1])
    return (
        [
            (partial(torch.amax, dim=-1, keepdim=True, out=largest), (numbers,)),
            (np.subtract, (call.array(0), largest.numpy(), powers.numpy())),
        ],
        largest.numpy(),
        total,
    )


def _softmax(call: Call) -> list[Instruction]:
    shift, _, total = _shifted(call, call.result)
    return [
        *shift,
        (np.exp, (call.out, call.out)),
        (partial(torch.sum, dim=-1, keepdim=True, out=total), (call.result,)),
        (np.divide, (call.out, total.numpy(), call.out)),
    ]


def _log_softmax(call: Call) -> list[Instruction]:
    powers = torch.empty_like(call.result)
    shift, _, total = _shifted(call, call.result)
    return [
        *shift,
        (np.exp, (call.out, powers.numpy())),
        (partial(torch.sum, dim=-1, keepdim=True, out=total), (powers,)),
        (np.log, (total.numpy(), total.numpy())),
        (np.subtract, (call.out, total.numpy(), call.out)),
    ]


def _logsumexp(call: Call) -> list[Instruction]:
    powers = torch.empty_like(call.given[0])
    shift, largest, total = _shifted(call, powers)
    sums = total.numpy()
    if call.out.ndim < sums.ndim:
        largest, sums = largest[..., 0], sums[..., 0]
    return [
        *shift,
        (np.exp, (powers.numpy(), powers.numpy())),
        (partial(torch.sum, dim=-1, keepdim=True, out=total), (powers,)),
        (np.log, (sums, sums)),
        (np.add, (sums, largest, call.out)),
    ]


def _last_axis(rule: Callable[[Call], list[Instruction]], call: Call) -> list[Instruction]:
    axes = call.given[1] if isinstance(call.given[1], list) else [call.given[1]]
    return rule(call) if axes in ([-1], [call.array(0).ndim - 1]) else _by_torch(call)


def _one_hot(call: Call) -> list[Instruction]:
    classes, chosen = np.arange(call.out.shape[-1]), np.empty(call.out.shape, bool)
    return [
        (np.equal, (call.array(0)[..., None], classes, chosen)),
        (np.copyto, (call.out, chosen)),
    ]


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
            *(("sigmoid", expit), ("square", np.square)),
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
    "softplus": _softplus,
    "softmax": partial(_last_axis, _softmax),
    "log_softmax": partial(_last_axis, _log_softmax),
    "logsumexp": partial(_last_axis, _logsumexp),
    "one_hot": _one_hot,
    **dict.fromkeys(("zeros_like", "full_like"), lambda call: [(np.copyto, (call.out, call.out.copy()))]),
}

_WITH_OUT: Final = (torch.amax, torch.bmm, torch.gather, torch.sum)


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
