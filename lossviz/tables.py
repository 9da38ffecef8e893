"""Handle tables: everything the board shows, at every position that a handle can take, all else held fixed.

The browser looks numbers up in these tables while a hand moves; it computes no loss itself.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.boards import Handle, State
from lossviz.evaluation import board_state, slopes_of
from lossviz.losses.base import Inputs, Loss, Params

Floats = NDArray[np.float64]
MAX_BYTES: Final = 1024 * 1024
ROOM_FOR_OTHERS: Final = 384 * 1024
"""How far a message is filled with handles that were not asked for."""
BATCH_ROWS: Final = 4096
"""How many positions are worked out in one call."""
MADE_AHEAD: Final = 20
"""How many tables are made at once while a message is filled."""
KINK_REACH: Final = 1e-7
KINK_JUMP: Final = 1e-3


@dataclass(frozen=True)
class HandleTable:
    """One handle's table.

    Args:
        handle: The handle.
        positions: Its positions, (m,), or (m, 2) for a plane, whose second coordinate changes fastest.
        columns: Every shown quantity by name, (m, size); "slope" along the handle, one number or for a plane two, and
            for lines "slope_left" and "slope_right" where the loss has kinks.
        at: Row of the present position.
    """

    handle: Handle
    positions: Floats
    columns: dict[str, Floats]
    at: int


@dataclass(frozen=True)
class Path:
    """States that a descent passed, to be played on the board.

    Args:
        rows: Whole rows, one a state, (states, width).
        projected: For each state the flat indices of the predictions that the domain held back, by variable.
        steps: Number of the step after which each state stood.
        outcome: What became of the run: its kind and a sentence.
    """

    rows: Floats
    projected: Sequence[Mapping[str, Sequence[int]]]
    steps: Sequence[int]
    outcome: Mapping[str, Any] | None


class Tables:
    """The tables of a state, each made when it is asked for."""

    def __init__(self, loss: Loss, params: Params, reduction: str, state: State) -> None:
        """Set them up; `tables` checks the arguments.

        Args:
            loss: The loss.
            params: Its checked parameters.
            reduction: Name of the reduction.
            state: A checked state of its board.
        """
        self.loss = loss
        self.params = params
        self.reduction = reduction
        self.state = state
        self._made: dict[str, HandleTable] = {}

    @cached_property
    def declared(self) -> tuple[Handle, ...]:
        """All handles, in the order of the board."""
        return self.loss.board.handles(self.state)

    @cached_property
    def base(self) -> dict[str, Floats]:
        """Every shown quantity in the present state by name, (size,)."""
        batch = {name: value[None] for name, value in self.state.items()}
        return {name: values[0] for name, values in rows(self.loss, self.params, self.reduction, batch).items()}

    @property
    def handles(self) -> tuple[HandleTable, ...]:
        """All tables."""
        self._make(self.declared)
        return tuple(self._made[handle.name] for handle in self.declared)

    def handle(self, name: str) -> HandleTable:
        """The table of a handle.

        Raises:
            KeyError: If there is no handle of that name, with those there are.

        Example:
            >>> round(float(tables("mse", [1.0], [0.0]).handle("Prediction 1").columns["value"].max()), 3)
            25.0
        """
        for handle in self.declared:
            if handle.name == name:
                self._make((handle,))
                return self._made[name]
        raise KeyError(f"no handle {name!r}; there are {', '.join(handle.name for handle in self.declared)}")

    def _make(self, handles: Sequence[Handle]) -> None:
        """Make the tables that are missing, many in one batch: a call costs more than its rows."""
        batch: list[Handle] = []
        size = 0
        for handle in (*(handle for handle in handles if handle.name not in self._made), None):
            rows_of = 0 if handle is None else math.prod(map(len, handle.positions))
            if batch and (handle is None or size + rows_of > BATCH_ROWS):
                made = _tables(self.loss, self.params, self.reduction, self.state, batch)
                self._made |= {table.handle.name: table for table in made}
                batch, size = [], 0
            if handle is not None:
                batch.append(handle)
                size += rows_of

    def to_bytes(self, revision: int = 0, path: Path | None = None, active: str | None = None) -> bytes:
        """One message of at most 1 MiB: header length, JSON header, padding to 8, float64 numbers.

        The active handle's table comes first, then the others in their order while there is room; handles without a
        table are named with their positions, to be asked for.

        Args:
            revision: Number of this state; later ones are higher.
            path: States to play before the present one.
            active: Name of the handle that is needed first; the board's first one unless given.

        Returns:
            The message.

        Example:
            >>> len(tables("mse", [1.0, 2.0], [0.0, 0.0]).to_bytes()) < MAX_BYTES
            True
        """
        blocks = _Blocks()
        base = blocks.put(np.concatenate(list(self.base.values())))
        first = next((handle for handle in self.declared if handle.name == active), self.declared[0])
        order = [first, *(handle for handle in self.declared if handle is not first)]
        path_size = 0 if path is None else path.rows.nbytes
        packed: dict[str, dict[str, Any]] = {}
        self._make((first,))
        room = ROOM_FOR_OTHERS - path_size
        for index, handle in enumerate(order):
            header = _describe(handle)
            header["positions"] = [blocks.put(places.numpy()) for places in handle.positions]
            columns = None
            # A plane that nobody asked for costs more than the wait for it.
            if handle is first or (handle.kind != "plane" and 8 * blocks.size < room):
                if handle.name not in self._made:
                    self._make([later for later in order[index:] if later.kind != "plane"][:MADE_AHEAD])
                columns = self._varying(handle)
                if handle is not first and 8 * (blocks.size + sum(block.size for *_, block in columns)) > room:
                    columns, room = None, 0
            header["loaded"] = columns is not None
            header["columns"] = [
                {"name": name, "start": start, "size": block.shape[1], "offset": blocks.put(block)}
                for name, start, block in columns or []
            ]
            packed[handle.name] = header
        header = {
            **self._header(),
            "revision": revision,
            "base": base,
            "handles": [packed[handle.name] for handle in self.declared],
            "path": None,
            "outcome": None,
        }
        if path is not None:
            header["path"] = {
                "offset": blocks.put(path.rows),
                "rows": len(path.rows),
                "steps": list(path.steps),
                "projected": [{name: list(flats) for name, flats in held.items()} for held in path.projected],
            }
            header["outcome"] = path.outcome
        text = json.dumps(header, allow_nan=False).encode()
        padding = -(4 + len(text)) % 8
        message = struct.pack("<I", len(text)) + text + b"\0" * padding + blocks.to_bytes()
        assert len(message) <= MAX_BYTES, f"the message for {self.loss.key} has {len(message)} bytes"
        return message

    def _header(self) -> dict[str, Any]:
        loss, board, state = self.loss, self.loss.board, self.state
        return {
            "loss": loss.key,
            "title": loss.title,
            "kind": board.kind,
            "samples": board.samples(state),
            "max_samples": board.max_samples,
            "min_samples": board.min_samples,
            "full": board.full(state),
            "parameters": {name: value for name, value in self.params.items() if value is not None},
            "reduction": {"name": self.reduction, "title": loss.reduction(self.reduction).title},
            "columns": [{"name": name, "size": len(values)} for name, values in self.base.items()],
            "width": sum(len(values) for values in self.base.values()),
            "variables": [
                {
                    "name": item.name,
                    "label": item.label,
                    "role": item.role,
                    "axes": list(item.axes),
                    "shape": list(state[item.name].shape),
                    "gradient": f"gradient.{item.name}" in self.base,
                    "low": item.low,
                    "high": item.high,
                    "values": list(item.values) or None,
                }
                for item in board.variables
            ],
            "scene": board.scene(state),
            "labels": {"share": "Share of the loss", **loss.derived_labels},
            "worked": list(loss.worked),
            "case": "case" if "case" in self.base else None,
        }

    def _varying(self, handle: Handle) -> list[tuple[str, int, Floats]]:
        """The columns of a handle's table, each cut to the numbers that change along it."""
        found = []
        for name, values in self._made[handle.name].columns.items():
            start, stop = _changing(values, self.base.get(name))
            if stop > start:
                found.append((name, start, values[:, start:stop]))
        return found


class _Blocks:
    """Blocks of numbers behind each other, each at its offset."""

    def __init__(self) -> None:
        self._blocks: list[Floats] = []
        self.size = 0

    def put(self, block: Floats) -> int:
        self._blocks.append(np.ascontiguousarray(block, dtype=np.float64).reshape(-1))
        self.size += self._blocks[-1].size
        return self.size - self._blocks[-1].size

    def to_bytes(self) -> bytes:
        return np.concatenate(self._blocks).astype("<f8").tobytes()


def _describe(handle: Handle) -> dict[str, Any]:
    """A handle without its numbers."""
    axes = handle.axes
    return {
        "name": handle.name,
        "kind": handle.kind,
        "variable": handle.variable,
        "sample": handle.sample,
        "flats": list(handle.flats),
        "at": _row_of(handle),
        "now": list(handle.at),
        "low": [float(places[0]) for places in handle.positions],
        "high": [float(places[-1]) for places in handle.positions],
        "step": [axis.step for axis in axes] or None,
        "counts": [len(places) for places in handle.positions],
        "choices": list(handle.choices) or None,
        "smooth": handle.smooth,
        "part": handle.part,
    }


def _row_of(handle: Handle) -> int:
    """The row of the present position."""
    places = [
        int(torch.nonzero(positions == now)[0]) for positions, now in zip(handle.positions, handle.at, strict=True)
    ]
    return places[0] if len(places) == 1 else places[0] * len(handle.positions[1]) + places[1]


def _changing(values: Floats, base: Floats | None) -> tuple[int, int]:
    """The range of elements that differ from the present state anywhere along a handle."""
    if base is None:
        return 0, values.shape[1]
    same = (values == base) | (np.isnan(values) & np.isnan(base))
    moving = np.flatnonzero(~same.all(0))
    return (int(moving[0]), int(moving[-1]) + 1) if moving.size else (0, 0)


def tables(key: str, prediction: Any, target: Any = None, reduction: str = "mean", **parameters: Any) -> Tables:
    """The handle tables of a loss in a state of its board.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: What is dragged: the board's variable of that role, such as logits for `kl_div`; by name where
            there are several.
        target: The board's target, likewise; None where there is none.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        One table a handle, all numbers in float64.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal or does not fit on the board.

    Example:
        >>> table = tables("mse", [1.0, 2.0], [0.0, 0.0]).handle("Prediction 2")
        >>> row = int((table.positions == 0.8).argmax())
        >>> round(float(table.columns["value"][row, 0]), 6), round(float(table.columns["slope"][row, 0]), 6)
        (0.82, 0.8)

    Source: design of the board, README.
    """
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    return Tables(loss, params, loss.reduction(reduction).name, board_state(loss, prediction, target))


def rows(loss: Loss, params: Params, reduction: str, batch: State) -> dict[str, Floats]:
    """Every shown quantity in a batch of board states.

    Args:
        loss: The loss.
        params: Its checked parameters.
        reduction: Name of a reduction.
        batch: The board's variables, each (m, …).

    Returns:
        Arrays (m, size) by name: value, denominator, terms, share (a sample's part of the value), what the loss
        derives, the board's variables, and for each prediction "gradient.<name>", of the value with respect to it.

    Example:
        >>> loss = losses.get("mse")
        >>> state = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
        >>> rows(loss, {}, "mean", {"prediction": state, "target": torch.zeros_like(state)})["share"].tolist()
        [[2.0, 0.0]]
    """
    return _rows(loss, params, reduction, batch, ())[0]


def _rows(
    loss: Loss, params: Params, reduction: str, batch: State, along: tuple[Tensor, ...]
) -> tuple[dict[str, Floats], tuple[Tensor, ...]]:
    """All columns, and the slopes of the value along further tensors that the batch depends on: one backward pass."""
    board = loss.board
    named = [item.name for item in board.variables if item.role == "prediction"]
    state = dict(batch)
    for name in named:
        if not state[name].requires_grad:
            state[name] = state[name].detach().clone().requires_grad_()
    inputs, terms, denominator, value = _values(loss, params, reduction, state)
    share = terms.reshape(len(terms), board.samples({name: tensor[0] for name, tensor in state.items()}), -1).sum(2)
    columns = {
        "value": value,
        "denominator": denominator,
        "terms": terms,
        "share": share / denominator[:, None],
        **(loss.derived(inputs, params) if loss.derived else {}),
        **{item.name: state[item.name] for item in board.variables},
    }
    slopes = slopes_of(value.sum(), (*(state[name] for name in named), *along))
    columns |= {f"gradient.{name}": slope for name, slope in zip(named, slopes, strict=False)}
    arrays = {name: tensor.detach().reshape(len(terms), -1).double().numpy() for name, tensor in columns.items()}
    return arrays, slopes[len(named) :]


def _values(loss: Loss, params: Params, reduction: str, batch: State) -> tuple[Inputs, Tensor, Tensor, Tensor]:
    """The loss's inputs in a batch of states, its terms, what their sum is divided by, and the value."""
    inputs = loss.hold(loss.board.inputs(batch), params)
    terms = loss.terms(inputs, params)
    denominator = torch.as_tensor(loss.denominator(inputs, params, reduction), dtype=torch.float64).expand(len(terms))
    return inputs, terms, denominator, terms.flatten(1).sum(1) / denominator


def _along(
    loss: Loss, params: Params, reduction: str, state: State, requests: Sequence[tuple[Handle, Tensor]]
) -> list[tuple[dict[str, Floats], Floats]]:
    """All columns at positions of several handles, and the slopes along each: one batched call, one backward pass."""
    leaves, batch = _placed(state, requests)
    columns, slopes = _rows(loss, params, reduction, batch, tuple(t for t in leaves if t.requires_grad))
    found, start, left = [], 0, iter(slopes)
    for t in leaves:
        rows_of = slice(start, start + len(t))
        slope = next(left).reshape(len(t), -1).numpy() if t.requires_grad else np.zeros((len(t), 0))
        found.append(({name: values[rows_of] for name, values in columns.items()}, slope))
        start += len(t)
    return found


def _placed(state: State, requests: Sequence[tuple[Handle, Tensor]]) -> tuple[list[Tensor], State]:
    """Leaves of the positions asked for, and the board's states with the handles there, one after the other."""
    leaves = [
        positions.clone().requires_grad_(handle.kind != "choice" and handle.smooth) for handle, positions in requests
    ]
    placed = [handle.place(state, t) for (handle, _), t in zip(requests, leaves, strict=True)]
    batch = {
        name: torch.cat(
            [changed.get(name, value.expand(len(t), *value.shape)) for changed, t in zip(placed, leaves, strict=True)]
        )
        for name, value in state.items()
    }
    return leaves, batch


def _tables(loss: Loss, params: Params, reduction: str, state: State, handles: Sequence[Handle]) -> list[HandleTable]:
    """The tables of several handles, made together."""
    grids = [handle.grid() for handle in handles]
    made = []
    for handle, grid, (columns, slope) in zip(
        handles, grids, _along(loss, params, reduction, state, list(zip(handles, grids, strict=True))), strict=True
    ):
        if slope.shape[1]:
            columns["slope"] = slope
        made.append(HandleTable(handle, grid.numpy(), columns, _row_of(handle)))
    lines = [table for table in made if table.handle.kind == "line" and table.handle.smooth]
    if loss.kinks and lines:
        _add_sides(loss, params, reduction, state, lines)
    return made


def _add_sides(loss: Loss, params: Params, reduction: str, state: State, tables: Sequence[HandleTable]) -> None:
    """The slope just left and just right of every position; equal to the slope except at a kink.

    A slope that jumps at a position differs from a neighbour's, so only such positions are looked at from both sides.
    """
    variables = {item.name: item for item in loss.board.variables}
    suspects: list[tuple[HandleTable, NDArray[np.intp], Floats]] = []
    requests: tuple[list[tuple[Handle, Tensor]], ...] = ([], [])
    for table in tables:
        slope = table.columns["slope"][:, 0]
        table.columns["slope_left"], table.columns["slope_right"] = slope[:, None].copy(), slope[:, None].copy()
        jump = KINK_JUMP * (1 + np.abs(slope)) / max(1, loss.board.samples(state))
        change = np.abs(np.diff(slope))
        suspect = np.flatnonzero(np.maximum(np.append(change, 0), np.append(0, change)) > jump / 2)
        if not suspect.size:
            continue
        suspects.append((table, suspect, jump[suspect]))
        positions, item = table.handle.positions[0][torch.from_numpy(suspect)], variables[table.handle.variable]
        reach = KINK_REACH * torch.clamp(positions.abs(), min=1.0)
        low = item.low + KINK_REACH * item.low_open
        for side, sign in zip(requests, (-1, 1), strict=True):
            side.append((table.handle, (positions + sign * reach).clamp(low, item.high)))
    if not suspects:
        return
    sides = []
    for side in requests:
        leaves, batch = _placed(state, side)
        value = _values(loss, params, reduction, batch)[-1]
        sides.append([slope.numpy() for slope in slopes_of(value.sum(), tuple(leaves))])
    for (table, suspect, jump), left, right in zip(suspects, *sides, strict=True):
        kink = np.abs(right - left) > jump
        table.columns["slope_left"][suspect[kink], 0] = left[kink]
        table.columns["slope_right"][suspect[kink], 0] = right[kink]
