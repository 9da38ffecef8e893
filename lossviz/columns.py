"""The columns of the board's tables: every shown quantity in a batch of states, and along the way of a handle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz.boards import Handle, State
from lossviz.evaluation import slopes_of
from lossviz.losses.base import Inputs, Loss, Params

Floats = NDArray[np.float64]
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
        >>> from lossviz import losses
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


def handle_tables(
    loss: Loss, params: Params, reduction: str, state: State, handles: Sequence[Handle]
) -> list[HandleTable]:
    """The tables of several handles, made together."""
    grids = [handle.grid() for handle in handles]
    made = []
    for handle, grid, (columns, slope) in zip(
        handles, grids, _along(loss, params, reduction, state, list(zip(handles, grids, strict=True))), strict=True
    ):
        if slope.shape[1]:
            columns["slope"] = slope
        made.append(HandleTable(handle, grid.numpy(), columns, row_of(handle)))
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


def row_of(handle: Handle) -> int:
    """The row of the present position."""
    places = [
        int(torch.nonzero(positions == now)[0]) for positions, now in zip(handle.positions, handle.at, strict=True)
    ]
    return places[0] if len(places) == 1 else places[0] * len(handle.positions[1]) + places[1]
