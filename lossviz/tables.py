"""Handle tables: everything the board shows, at every position that a handle can take, all else held fixed.

The browser looks numbers up in these tables while a hand moves; it computes no loss itself.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.evaluation import board_state
from lossviz.losses.base import Loss, Params
from lossviz.losses.board import Axis, Handle

Floats = NDArray[np.float64]
MAX_BYTES: Final = 1024 * 1024
KINK_REACH: Final = 1e-7
KINK_JUMP: Final = 1e-3


@dataclass(frozen=True)
class HandleTable:
    """One handle's table.

    Args:
        handle: The handle.
        positions: Its positions, (m,).
        columns: Every shown quantity by name, (m, size); "slope" for handles on a line, and "slope_left" and
            "slope_right" where the loss has kinks.
        at: Row of the present position.
    """

    handle: Handle
    positions: Floats
    columns: Mapping[str, Floats]
    at: int


@dataclass(frozen=True)
class Path:
    """States that a descent passed, to be played on the board.

    Args:
        rows: Whole rows, one a state, (states, width).
        projected: For each state the flat indices of the predictions that the domain held back.
        steps: Number of the step after which each state stood.
        outcome: What became of the run: its kind and a sentence.
    """

    rows: Floats
    projected: Sequence[Sequence[int]]
    steps: Sequence[int]
    outcome: Mapping[str, Any] | None


@dataclass(frozen=True)
class Tables:
    """The tables of all handles in a state, ready to be sent.

    Args:
        loss: The loss.
        params: Its parameters.
        reduction: Name of the reduction.
        axis: Axis of the predictions.
        base: Every shown quantity in the present state by name, (size,).
        handles: One table a handle.
        shape: Shape of the prediction.
    """

    loss: Loss
    params: Params
    reduction: str
    axis: Axis
    base: Mapping[str, Floats]
    handles: tuple[HandleTable, ...]
    shape: tuple[int, ...]
    _labels: Mapping[str, str] = field(default_factory=dict)

    def handle(self, name: str) -> HandleTable:
        """The table of a handle.

        Raises:
            KeyError: If there is no handle of that name, with those there are.

        Example:
            >>> round(float(tables("mse", [1.0], [0.0]).handle("Prediction 1").columns["value"].max()), 3)
            25.0
        """
        for table in self.handles:
            if table.handle.name == name:
                return table
        raise KeyError(f"no handle {name!r}; there are {', '.join(table.handle.name for table in self.handles)}")

    def to_bytes(self, revision: int = 0, path: Path | None = None) -> bytes:
        """One message of at most 1 MiB: header length, JSON header, padding to 8, float64 numbers.

        Where the numbers would not fit, every second position is left out (the present one stays), and again.

        Args:
            revision: Number of this state; later ones are higher.
            path: States to play before the present one.

        Returns:
            The message.

        Example:
            >>> len(tables("mse", [1.0, 2.0], [0.0, 0.0]).to_bytes()) < MAX_BYTES
            True
        """
        thinning = 1
        while True:
            message = self._pack(revision, path, thinning)
            if len(message) <= MAX_BYTES or thinning > 8:
                return message
            thinning *= 2

    def _pack(self, revision: int, path: Path | None, thinning: int) -> bytes:
        floats: list[Floats] = [np.concatenate(list(self.base.values()))]
        offset = len(floats[0])

        def put(block: Floats) -> int:
            nonlocal offset
            floats.append(np.ascontiguousarray(block, dtype=np.float64).reshape(-1))
            offset += floats[-1].size
            return offset - floats[-1].size

        handles = [self._pack_handle(table, thinning, put) for table in self.handles]
        header = {
            "revision": revision,
            "loss": self.loss.key,
            "title": self.loss.title,
            "kind": self.loss.board.kind,
            "samples": self.shape[0],
            "classes": self.shape[1] if len(self.shape) == 2 else None,
            "parameters": {name: value for name, value in self.params.items() if value is not None},
            "reduction": {
                "name": self.reduction,
                "title": self.loss.reduction(self.reduction).title,
            },
            "columns": [{"name": name, "size": len(values)} for name, values in self.base.items()],
            "width": sum(len(values) for values in self.base.values()),
            "base": 0,
            "axis": {"low": self.axis.low, "high": self.axis.high, "step": self.axis.step, "label": self.axis.label},
            "labels": dict(self._labels),
            "worked": list(self.loss.worked),
            "case": "case" if "case" in self.base else None,
            "handles": handles,
            "path": None,
            "outcome": None,
        }
        if path is not None:
            header["path"] = {
                "offset": put(path.rows),
                "rows": len(path.rows),
                "steps": list(path.steps),
                "projected": [list(row) for row in path.projected],
            }
            header["outcome"] = path.outcome
        text = json.dumps(header, allow_nan=False).encode()
        padding = -(4 + len(text)) % 8
        return struct.pack("<I", len(text)) + text + b"\0" * padding + np.concatenate(floats).astype("<f8").tobytes()

    def _pack_handle(self, table: HandleTable, thinning: int, put: Any) -> dict[str, Any]:
        handle = table.handle
        keep = np.arange(len(table.positions))
        if handle.kind == "line" and thinning > 1:
            keep = np.unique(np.append(keep[::thinning], (table.at, keep[-1])))
        columns = [{"name": "t", "start": 0, "size": 1, "offset": put(table.positions[keep])}]
        for name, values in table.columns.items():
            start, stop = _varying(values, self.base.get(name))
            if stop > start:
                block = values[keep, start:stop]
                columns.append({"name": name, "start": start, "size": stop - start, "offset": put(block)})
        line = handle.kind == "line"
        return {
            "name": handle.name,
            "kind": handle.kind,
            "variable": handle.variable,
            "index": list(handle.index),
            "sample": handle.index[0],
            "low": float(table.positions[0]),
            "high": float(table.positions[-1]),
            "step": (0.005 if table.positions[-1] - table.positions[0] == 1 else self.axis.step) if line else None,
            "count": len(keep),
            "at": int(np.searchsorted(keep, table.at)),
            "choices": list(handle.choices) or None,
            "columns": columns,
        }


def _varying(values: Floats, base: Floats | None) -> tuple[int, int]:
    """The range of elements that differ from the present state anywhere along a handle."""
    if base is None:
        return 0, values.shape[1]
    same = (values == base) | (np.isnan(values) & np.isnan(base))
    moving = np.flatnonzero(~same.all(0))
    return (int(moving[0]), int(moving[-1]) + 1) if moving.size else (0, 0)


def tables(key: str, prediction: Any, target: Any, reduction: str = "mean", **parameters: Any) -> Tables:
    """The handle tables of a loss in a state of its board.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: What is dragged, (n,) or (n, k): the loss's prediction, for `kl_div` the logits of it. At most 8
            samples and 5 classes.
        target: The loss's target.
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
    loss.reduction(reduction)
    state = board_state(loss, prediction, target)
    board = loss.board
    with torch.no_grad():
        batch = {name: value[None] for name, value in state.items()}
    base = rows(loss, params, reduction, batch["prediction"], batch["target"])
    return Tables(
        loss=loss,
        params=params,
        reduction=reduction,
        axis=board.axis(state),
        base={name: values[0] for name, values in base.items()},
        handles=tuple(_table(loss, params, reduction, state, handle) for handle in board.handles(state)),
        shape=tuple(state["prediction"].shape),
        _labels={
            "prediction": board.prediction_label,
            "target": "Label" if board.kind == "binary" else "Class" if board.kind == "classes" else "Target",
            "gradient": "Gradient",
            "share": "Share of the loss",
            **loss.derived_labels,
        },
    )


def rows(loss: Loss, params: Params, reduction: str, prediction: Tensor, target: Tensor) -> dict[str, Floats]:
    """Every shown quantity in a batch of board states.

    Args:
        loss: The loss.
        params: Its checked parameters.
        reduction: Name of a reduction.
        prediction: Board predictions, (m, n) or (m, n, k); may depend on a position by autograd.
        target: Targets with the same m in front.

    Returns:
        Arrays (m, size) by name: value, denominator, terms, share (a sample's part of the value), gradient (of the
        value with respect to the board's prediction), prediction, target, and what the loss derives.

    Example:
        >>> loss = losses.get("mse")
        >>> state = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
        >>> rows(loss, {}, "mean", state, torch.zeros_like(state))["share"].tolist()
        [[2.0, 0.0]]
    """
    leaf = prediction if prediction.requires_grad else prediction.detach().clone().requires_grad_()
    columns, value = _columns(loss, params, reduction, leaf, target)
    (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return _arrays(columns, value, gradient, leaf, target)


def _columns(
    loss: Loss, params: Params, reduction: str, prediction: Tensor, target: Tensor
) -> tuple[dict[str, Tensor], Tensor]:
    inputs = loss.board.inputs({"prediction": prediction, "target": target})
    terms = loss.terms(inputs, params)
    denominator = torch.as_tensor(loss.denominator(inputs, params, reduction), dtype=torch.float64)
    denominator = denominator.expand(len(terms))
    value = terms.flatten(1).sum(1) / denominator
    share = terms.flatten(2).sum(2) if terms.dim() > 2 else terms
    columns = {"value": value, "denominator": denominator, "terms": terms, "share": share / denominator[:, None]}
    if loss.derived is not None:
        columns.update(loss.derived(inputs, params))
    return columns, value


def _arrays(
    columns: Mapping[str, Tensor], value: Tensor, gradient: Tensor, prediction: Tensor, target: Tensor
) -> dict[str, Floats]:
    named = {"value": value, **columns, "gradient": gradient, "prediction": prediction, "target": target}
    return {name: tensor.detach().reshape(len(value), -1).double().numpy() for name, tensor in named.items()}


def _table(loss: Loss, params: Params, reduction: str, state: Mapping[str, Tensor], handle: Handle) -> HandleTable:
    line = handle.kind == "line"
    columns, slope = _along(loss, params, reduction, state, handle, handle.positions)
    if line:
        columns["slope"] = slope
        if loss.kinks:
            columns |= _sides(loss, params, reduction, state, handle, slope)
    now = float(state[handle.variable][handle.index])
    at = int(np.flatnonzero(handle.positions.numpy() == now)[0])
    return HandleTable(handle, handle.positions.numpy(), columns, at)


def _along(
    loss: Loss, params: Params, reduction: str, state: Mapping[str, Tensor], handle: Handle, positions: Tensor
) -> tuple[dict[str, Floats], Floats]:
    """All columns at all positions, and the slope along the handle: one batched call, one autograd.grad."""
    line = handle.kind == "line"
    t = positions.clone().requires_grad_(line)
    batch = {name: value.expand(len(t), *value.shape) for name, value in state.items()}
    batch[handle.variable] = handle.place(state, t)
    prediction = batch["prediction"]
    if not prediction.requires_grad:
        prediction = prediction.detach().clone().requires_grad_()
    columns, value = _columns(loss, params, reduction, prediction, batch["target"])
    wanted = (prediction, t) if line else (prediction,)
    gradient, *slope = torch.autograd.grad(value.sum(), wanted)
    arrays = _arrays(columns, value, gradient, prediction, batch["target"])
    return arrays, slope[0].numpy()[:, None] if slope else np.zeros((len(t), 0))


def _sides(
    loss: Loss, params: Params, reduction: str, state: Mapping[str, Tensor], handle: Handle, slope: Floats
) -> dict[str, Floats]:
    """The slope just left and just right of every position; equal to the slope except at a kink."""
    reach = KINK_REACH * torch.clamp(handle.positions.abs(), min=1.0)
    low, high = float(handle.positions[0]), float(handle.positions[-1])
    sides = []
    for shifted in (handle.positions - reach, handle.positions + reach):
        inside = shifted.clamp(low, high) if loss.board.unit_interval else shifted
        sides.append(_along(loss, params, reduction, state, handle, inside)[1])
    left, right = sides
    kink = np.abs(right - left) > KINK_JUMP * (1 + np.abs(slope)) / max(1.0, len(state["prediction"]))
    return {"slope_left": np.where(kink, left, slope), "slope_right": np.where(kink, right, slope)}
