"""Functions of small tensors, recorded once and then repeated with NumPy on the same memory.

For a handful of numbers nearly all of an operation's time is the way into it, and NumPy's is about a third of torch's.
A loss is written once, with torch; what it does with the batches is recorded, and played back thousands of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from lossviz.training.operations import Call, Instruction, instructions


def play(program: Iterable[Instruction]) -> None:
    """Follow instructions one after the other."""
    for function, arguments in program:
        function(*arguments)


class Recorded:
    """What a function did with tensors of many batches, to be done again for all of them or for one.

    The function keeps the first axis, that of the batches, of all it works on; and it may not look at its numbers to
    decide what to do: what it did once, it is taken to do always. Whatever follows from the settled tensors alone is
    worked out in one go, when they have changed.

    Args:
        function: takes the tensors, first those that move, and returns one.
        moving: what changes from one time to the next, (batches or 1, …).
        settled: what changes seldom, (batches or 1, …); see `settle`.

    Example:
        >>> x, y, slope = torch.zeros(3, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.zeros(2)
        >>> squares = Recorded(lambda x, y: 2 * (x - y), [x], [y])
        >>> program = squares.batch(1, slope)
        >>> x[1] = 10.0
        >>> play(program)
        >>> slope
        tensor([14., 12.])
    """

    def __init__(self, function: Callable[..., Tensor], moving: Sequence[Tensor], settled: Sequence[Tensor]) -> None:
        with _Recorder() as recorder:
            self._result = function(*moving, *settled)
            if any(seen.view and seen.result is self._result for seen in recorder.calls):
                self._result = self._result.clone()
        # Tensors that belong to the batches: those of which every batch has its own numbers, and the steps in between,
        # for which the memory of one batch does for all.
        self._own = {id(tensor): tensor for tensor in (*moving, *settled)}
        self._between: dict[int, Tensor] = {}
        self._calls: list[_Seen] = []
        self._settling: list[Instruction] = []
        at_rest = {id(tensor) for tensor in settled}
        for seen in recorder.calls:
            sources = {id(tensor) for tensor in seen.tensors if id(tensor) in self._own or id(tensor) in self._between}
            if not sources:
                continue
            settles = sources <= at_rest
            if settles:
                at_rest.add(id(seen.result))
            own = sources <= self._own.keys() if seen.view else settles
            (self._own if own else self._between)[id(seen.result)] = seen.result
            if seen.view:
                continue
            if settles:
                self._settling += instructions(seen.call(lambda tensor: tensor))
            else:
                self._calls.append(seen)
        self._shared: dict[int, list[Instruction]] = {}

    def settle(self) -> None:
        """Work out again what follows from the settled tensors alone."""
        play(self._settling)

    def whole(self, out: Tensor) -> list[Instruction]:
        """What does it again for all batches at once, and leaves the result in `out`."""

        def place(tensor: Tensor) -> Tensor:
            return out if tensor is self._result and id(tensor) in self._between else tensor

        return [item for seen in self._calls for item in instructions(seen.call(place))] + self._copy(self._result, out)

    def batch(self, number: int, out: Tensor) -> list[Instruction]:
        """What does it again for one batch, and leaves the result in `out`, which has no axis of batches."""

        def place(tensor: Tensor) -> Tensor:
            if tensor is self._result and id(tensor) in self._between:
                return out
            if id(tensor) in self._between:
                return tensor[0]
            if id(tensor) in self._own:
                return tensor[number if len(tensor) > 1 else 0]
            return tensor

        found: list[Instruction] = []
        for position, seen in enumerate(self._calls):
            if any(id(tensor) in self._own for tensor in seen.tensors):
                found += instructions(seen.call(place))
            else:
                if position not in self._shared:
                    self._shared[position] = instructions(seen.call(place))
                found += self._shared[position]
        return found + self._copy(place(self._result), out)

    def _copy(self, result: Tensor, out: Tensor) -> list[Instruction]:
        """What fetches a result that nothing moves."""
        return [] if id(self._result) in self._between else [(np.copyto, (out.numpy(), result.numpy()))]


class Repeated:
    """What a procedure did with tensors in which it finds and leaves its numbers, to be done again.

    Args:
        procedure: does it once.
        replaced: tensors in whose place others may stand.

    Example:
        >>> x, y, total = torch.ones(2), torch.full((2,), 5.0), torch.zeros(2)
        >>> program = Repeated(lambda: total.add_(x), [x]).instead([y])
        >>> play(program)
        >>> total
        tensor([6., 6.])
    """

    def __init__(self, procedure: Callable[[], object], replaced: Sequence[Tensor]) -> None:
        self._replaced = list(replaced)
        with _Recorder() as recorder:
            procedure()
        self._calls = recorder.calls
        self._shared: dict[int, list[Instruction]] = {}

    def instead(self, tensors: Sequence[Tensor]) -> list[Instruction]:
        """What does it again with other tensors in place of those to be replaced."""
        standing = {id(before): now for before, now in zip(self._replaced, tensors, strict=True)}

        def place(tensor: Tensor) -> Tensor:
            return standing.get(id(tensor), tensor)

        found: list[Instruction] = []
        for position, seen in enumerate(self._calls):
            touched = any(id(tensor) in standing for tensor in (*seen.tensors, seen.result))
            if seen.view:
                if touched:
                    standing[id(seen.result)] = seen.again(place)
            elif touched:
                found += instructions(seen.call(place))
            else:
                if position not in self._shared:
                    self._shared[position] = instructions(seen.call(place))
                found += self._shared[position]
        return found


class _Seen:
    """An operation that torch was seen to do."""

    def __init__(self, function: Any, given: tuple[Any, ...], named: dict[str, Any], result: Tensor) -> None:
        self.function = function
        self.given = given
        self.named = named
        self.result = result
        self.tensors = [value for value in tree_leaves((given, named)) if isinstance(value, Tensor)]
        memory = result.untyped_storage().data_ptr()
        shared = any(tensor.untyped_storage().data_ptr() == memory for tensor in self.tensors)
        self.view = shared and not function._schema.is_mutable

    def again(self, place: Callable[[Tensor], Tensor]) -> Tensor:
        """Its result on other tensors."""
        given, named = tree_map_only(Tensor, place, (self.given, self.named))
        return cast(Tensor, self.function(*given, **named))

    def call(self, place: Callable[[Tensor], Tensor]) -> Call:
        """The operation on other tensors, `place` of those that it was seen with."""
        given, named = tree_map_only(Tensor, place, (self.given, self.named))
        named.pop("out", None)
        return Call(self.function, given, named, place(self.result))


class _One:
    """An operation that gives several tensors, of which one is wanted."""

    def __init__(self, function: Any, position: int) -> None:
        self._function = function
        self._position = position
        self._schema = function._schema
        self.overloadpacket = function.overloadpacket

    def __call__(self, *given: Any, **named: Any) -> Tensor:
        return cast(Tensor, self._function(*given, **named)[self._position])


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down every operation that reaches torch, with the tensor that it gave."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[_Seen] = []

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        result = func(*args, **named)
        if isinstance(result, Tensor):
            self.calls.append(_Seen(func, args, named, result))
        elif isinstance(result, (list, tuple)) and all(isinstance(one, Tensor) for one in result):
            self.calls += [_Seen(_One(func, position), args, named, one) for position, one in enumerate(result)]
        else:
            raise TypeError(f"{func} gives no tensor; a recorded function may not look at its numbers")
        return result
