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

from lossviz import losses
from lossviz.boards import Handle, State
from lossviz.columns import Floats, HandleTable, handle_tables, row_of, rows
from lossviz.evaluation import board_state
from lossviz.losses.base import Loss, Params

MAX_BYTES: Final = 1024 * 1024
ROOM_FOR_OTHERS: Final = 384 * 1024
"""How far a message is filled with handles that were not asked for."""
BATCH_ROWS: Final = 4096
"""How many positions are worked out in one call."""
MADE_AHEAD: Final = 20
"""How many tables are made at once while a message is filled."""


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
                made = handle_tables(self.loss, self.params, self.reduction, self.state, batch)
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
        "at": row_of(handle),
        "now": list(handle.at),
        "low": [float(places[0]) for places in handle.positions],
        "high": [float(places[-1]) for places in handle.positions],
        "step": [axis.step for axis in axes] or None,
        "counts": [len(places) for places in handle.positions],
        "choices": list(handle.choices) or None,
        "smooth": handle.smooth,
        "part": handle.part,
    }


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
