"""Functions of small tensors, recorded once and then repeated with NumPy on the same memory.

For a handful of numbers nearly all of an operation's time is the way into it, and NumPy's is about a third of torch's.
A loss is written once, with torch; what it does with the batches is recorded, and played back thousands of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from lossviz.training.operations import Array, Call, Instruction, instructions

Place = Callable[[Tensor], Tensor]
"""Says which tensor stands in the place of one."""


def play(program: Iterable[Instruction]) -> None:
    """Follow instructions one after the other."""
    for function, arguments in program:
        function(*arguments)


class Recorded:
    """What functions did with two tensors of many batches, to be done again for all of them or for one.

    Both tensors and all that follows from them are (batches, racers, …), and no racer's numbers reach another's; each
    function is for some neighbouring racers alone. What several functions do alike is done once. No function may look
    at its numbers to decide what to do, or name the number of batches: what it did once, it is taken to do always.

    Args:
        functions: each takes the two tensors and returns one.
        racers: for which racers each is.
        moving: what changes from one time to the next.
        settled: what changes seldom; what follows from it alone is worked out in one go, by `settle`.
        at_once: whether `whole` is wanted, or `batch`, whose steps take the memory of one batch.

    Example:
        >>> x, y = torch.zeros(3, 2, 1), torch.arange(6.0).view(3, 2, 1)
        >>> out = torch.zeros(2, 1)
        >>> functions = [lambda x, y: 2 * (x - y), lambda x, y: (x - y) ** 2]
        >>> both = Recorded(functions, [slice(0, 1), slice(1, 2)], x, y, at_once=False)
        >>> program = both.batch(2, [out[:1], out[1:]])
        >>> x += 10.0
        >>> play(program)
        >>> out.tolist()
        [[12.0], [25.0]]
    """

    def __init__(
        self,
        functions: Sequence[Callable[..., Tensor]],
        racers: Sequence[slice],
        moving: Tensor,
        settled: Tensor,
        *,
        at_once: bool,
    ) -> None:
        tried = [tensor if at_once else tensor[:1] for tensor in (moving, settled)]
        with torch.inference_mode(), _Recorder(sharing=True) as recorder:
            results = [function(*tried) for function in functions]
            users = _users(recorder.calls, results)
            viewed = {id(seen.result) for seen in recorder.calls if seen.view}
            # A result has memory of its own, and nobody else needs it.
            results = [
                result.clone() if id(result) in viewed or users[id(result)] != {user} else result
                for user, result in enumerate(results)
            ]
        self._results = results
        self._racers = racers
        self._users = _users(recorder.calls, results)
        # Every batch has its own numbers of these, by what stands for them in the trial; for all other steps the memory
        # of one batch does for all.
        self._own = {id(tensor): whole for tensor, whole in zip(tried, (moving, settled), strict=True)}
        self._between: set[int] = set()
        self._calls: list[_Seen] = []
        self._settling: list[Instruction] = []
        # Holds the tensors, so that none is taken for another that had its place in memory.
        self._seen = [*tried, *recorder.calls]
        at_rest = {id(tried[1])}
        for seen in recorder.calls:
            sources = {id(tensor) for tensor in seen.tensors} & (self._own.keys() | self._between)
            if not sources or id(seen.result) not in self._users:
                continue
            settles = sources <= at_rest
            if settles:
                at_rest.add(id(seen.result))
            if sources <= self._own.keys() if seen.view else settles:
                self._own[id(seen.result)] = seen.result if at_once else seen.again(self._whole)
            else:
                self._between.add(id(seen.result))
            if settles and not seen.view:
                self._settling += instructions(seen.call(self._whole))
            elif not seen.view:
                self._calls.append(seen)
        self._standing: dict[tuple[int, int, int], Tensor] = {}
        self._arrays: dict[int, Array] = {}

    def _whole(self, tensor: Tensor) -> Tensor:
        return self._own.get(id(tensor), tensor)

    def settle(self) -> None:
        """Work out again what follows from the settled tensor alone."""
        play(self._settling)

    def whole(self, outs: Sequence[Tensor]) -> list[Instruction]:
        """What does it again for all batches at once, and leaves each function's result for its racers in `outs`."""
        return self._program(None, outs)

    def batch(self, number: int, outs: Sequence[Tensor]) -> list[Instruction]:
        """What does it again for one batch; `outs`, the same for all batches, have no axis of batches."""
        return self._program(number, outs)

    def _program(self, number: int | None, outs: Sequence[Tensor]) -> list[Instruction]:
        own: dict[tuple[int, int, int], Tensor] = {}
        arrays: dict[int, Array] = {}
        first = 0 if number is not None else slice(None)
        mine = number if number is not None else slice(None)
        out_of = {id(result): out for result, out in zip(self._results, outs, strict=True)}

        def placed(users: frozenset[int]) -> Place:
            # From the first racer that needs it to the last.
            first_racer = min(self._racers[user].start for user in users)
            end = max(self._racers[user].stop for user in users)
            rows = slice(first_racer, end)
            axis = (slice(None), rows) if number is None else (rows,)

            def place(tensor: Tensor) -> Tensor:
                key = (id(tensor), first_racer, end)
                if id(tensor) in self._between:
                    if id(tensor) in out_of:
                        return out_of[id(tensor)]
                    if key not in self._standing:
                        found = self._standing[key] = tensor[first][axis]
                        self._arrays[id(found)] = found.numpy()
                    return self._standing[key]
                if id(tensor) in self._own:
                    if key not in own:
                        found = own[key] = self._own[id(tensor)][mine][axis]
                        arrays[id(found)] = found.numpy()
                    return own[key]
                return tensor

            return place

        def array(tensor: Tensor) -> Array:
            found = arrays.get(id(tensor), self._arrays.get(id(tensor)))
            return tensor.numpy() if found is None else found

        program: list[Instruction] = []
        for seen in self._calls:
            users = self._users[id(seen.result)]
            if number is None or any(id(tensor) in self._own for tensor in seen.tensors):
                program += instructions(seen.call(placed(users), array))
            else:
                program += seen.lasting(placed(users), array)
        for user, (result, out) in enumerate(zip(self._results, outs, strict=True)):
            if id(result) in self._own:
                program.append((np.copyto, (out.numpy(), placed(frozenset({user}))(result).numpy())))
        return program


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

    def instead(self, tensors: Sequence[Tensor]) -> list[Instruction]:
        """What does it again with other tensors in place of those to be replaced."""
        standing = {id(before): now for before, now in zip(self._replaced, tensors, strict=True)}

        def place(tensor: Tensor) -> Tensor:
            return standing.get(id(tensor), tensor)

        found: list[Instruction] = []
        for seen in self._calls:
            touched = any(id(tensor) in standing for tensor in (*seen.tensors, seen.result))
            if seen.view:
                if touched:
                    standing[id(seen.result)] = seen.again(place)
            elif touched:
                found += instructions(seen.call(place))
            else:
                found += seen.lasting(place)
        return found


class _Seen:
    """An operation that torch was seen to do."""

    def __init__(self, function: Any, given: tuple[Any, ...], named: dict[str, Any], result: Tensor) -> None:
        self.function = function
        self.given = given
        self.named = named
        self.result = result
        self.tensors = [value for value in _leaves((*given, *named.values())) if isinstance(value, Tensor)]
        self.memory = result.untyped_storage().data_ptr()
        self.changes = bool(function._schema.is_mutable)
        shares = any(tensor.untyped_storage().data_ptr() == self.memory for tensor in self.tensors)
        self.view = shares and not self.changes
        self._lasting: list[Instruction] | None = None

    def again(self, place: Place) -> Tensor:
        """Its result on other tensors."""
        given, named = self._placed(place)
        return cast(Tensor, self.function(*given, **named))

    def call(self, place: Place, array: Callable[[Tensor], Array] = Tensor.numpy) -> Call:
        """The operation on other tensors, `place` of those that it was seen with."""
        given, named = self._placed(place)
        named.pop("out", None)
        return Call(self.function, given, named, place(self.result), array)

    def lasting(self, place: Place, array: Callable[[Tensor], Array] = Tensor.numpy) -> list[Instruction]:
        """What does it again, worked out once: for tensors that are the same each time."""
        if self._lasting is None:
            self._lasting = instructions(self.call(place, array))
        return self._lasting

    def _placed(self, place: Place) -> tuple[list[Any], dict[str, Any]]:
        def new(value: Any) -> Any:
            if isinstance(value, Tensor):
                return place(value)
            return [new(item) for item in value] if isinstance(value, list) else value

        return [new(value) for value in self.given], {name: new(value) for name, value in self.named.items()}


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
    """Writes down every operation that reaches torch, with the tensor that it gave.

    Args:
        sharing: give what an operation gave before, where the same is asked for again.
    """

    def __init__(self, *, sharing: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[_Seen] = []
        self._sharing = sharing
        self._known: dict[tuple[Any, ...], _Seen] = {}
        # Of two views of the same, the later one counts as the earlier.
        self._same: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        parts = _PARTS.get(func.overloadpacket.__name__)
        if parts is not None and all(value is None for value in named.values()):
            with self:
                return parts(*args)
        request = (func, *(self._identity(value) for value in (*args, *named.items())))
        known = self._known.get(request)
        if known is not None and not known.view:
            return known.result
        result = func(*args, **named)
        if isinstance(result, Tensor):
            seen = _Seen(func, args, named, result)
            self.calls.append(seen)
            if seen.changes:
                self._forget(seen.memory)
            elif known is not None:
                self._same[id(result)] = id(known.result)
            elif self._sharing and func is not torch.ops.aten.clone.default:
                self._known[request] = seen
        elif isinstance(result, (list, tuple)) and all(isinstance(one, Tensor) for one in result):
            self.calls += [_Seen(_One(func, position), args, named, one) for position, one in enumerate(result)]
        else:
            raise TypeError(f"{func} gives no tensor; a recorded function may not look at its numbers")
        return result

    def _identity(self, value: Any) -> Any:
        """What tells two arguments apart; a number by its type too, since 1 and True are equal."""
        if isinstance(value, Tensor):
            return self._same.get(id(value), id(value))
        if isinstance(value, (list, tuple)):
            return tuple(self._identity(item) for item in value)
        return (type(value), repr(value))

    def _forget(self, memory: int) -> None:
        """Ask anew for what was made of tensors that have changed."""
        self._known = {
            request: seen
            for request, seen in self._known.items()
            if all(tensor.untyped_storage().data_ptr() != memory for tensor in (*seen.tensors, seen.result))
        }


def _softmax(x: Tensor, axis: int) -> Tensor:
    powers = (x - x.amax([axis], True)).exp()
    return powers / powers.sum([axis], True)


def _log_softmax(x: Tensor, axis: int) -> Tensor:
    shifted = x - x.amax([axis], True)
    return shifted - shifted.exp().sum([axis], True).log()


def _logsumexp(x: Tensor, axes: list[int], kept: bool = False) -> Tensor:
    largest = x.amax(axes, True)
    found = (x - largest).exp().sum(axes, True).log() + largest
    return found if kept else found.squeeze(axes)


#: Operations that share steps, by the name that torch has for them.
_PARTS: Final[dict[str, Callable[..., Tensor]]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
}


def _leaves(values: Iterable[Any]) -> list[Any]:
    return [leaf for value in values for leaf in (_leaves(value) if isinstance(value, (list, tuple)) else [value])]


def _users(calls: Sequence[_Seen], results: Sequence[Tensor]) -> dict[int, frozenset[int]]:
    """By tensor, the numbers of those results that hang on it."""
    users: dict[int, frozenset[int]] = {}
    for number, result in enumerate(results):
        users[id(result)] = users.get(id(result), frozenset()) | {number}
    for seen in reversed(calls):
        needed = users.get(id(seen.result), frozenset())
        for tensor in seen.tensors:
            users[id(tensor)] = users.get(id(tensor), frozenset()) | needed
    return {tensor: found for tensor, found in users.items() if found}
