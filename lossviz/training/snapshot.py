"""A run put aside as plain arrays and numbers, and taken up again bit for bit, in the middle of an epoch too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lossviz.optimizers import Waiting
from lossviz.training.config import RunConfig
from lossviz.training.engine import RunState

_NUMBERS = {
    "epoch": int,
    "updates": int,
    "position": int,
    "rate": float,
    "base": float,
    "penalty": float,
    "penalty_in_epoch": float,
    "penalty_after": float,
    "drops": int,
    "finished": bool,
    "restored": bool,
    "reason": str,
}


def _arrays(state: RunState) -> dict[str, Tensor]:
    """All tensors that a run's future depends on, and the predictions its epoch has made so far."""
    arrays = {
        "parameters": state.network.parameters,
        "order": state.order,
        "predictions": state.ordered.prediction,
        "generator": state.generator.get_state(),
        "waiting": torch.tensor(
            [x for waiting in _waiting(state) for x in (waiting.best, waiting.epochs)], dtype=torch.float64
        ),
        **{f"slot.{name}": slot for name, slot in state.slots.items()},
    }
    if state.config.batch_norm:
        arrays["running"] = state.network.running
    if state.config.dropout:
        arrays["masks"] = state.masks.get_state()
    if state.best is not None:
        arrays["best"] = state.best
    return arrays


def _waiting(state: RunState) -> tuple[Waiting, Waiting]:
    return state.plateau, state.stopping


def snapshot(state: RunState) -> dict[str, Any]:
    """Return all that a run needs to go on, as numpy arrays, numbers and text.

    Args:
        state: a run at any update.

    Returns:
        A new dictionary that shares no memory with the run. Together with `state.config` it is the whole run.

    Example:
        >>> from lossviz.training import CLASSIC, init, restore, snapshot, step
        >>> state = init(CLASSIC)
        >>> first = step(state)
        >>> again = restore(state.config, snapshot(state))
        >>> step(again) == step(state)
        True
    """
    arrays = {name: tensor.numpy().copy() for name, tensor in _arrays(state).items()}
    return {**arrays, **{name: getattr(state, name) for name in _NUMBERS}}


def restore(config: RunConfig, saved: Mapping[str, Any]) -> RunState:
    """Return the run that `snapshot` put aside.

    Args:
        config: the config of that run, `state.config`, with the interventions made so far.
        saved: what `snapshot` returned.

    Returns:
        A state that goes on exactly as the first one would have.

    Raises:
        ValueError: an entry is missing or unknown, or does not fit the config.

    Example:
        >>> from lossviz.training import CLASSIC, RunConfig, init, restore, snapshot
        >>> restore(RunConfig(), snapshot(init(CLASSIC)))
        Traceback (most recent call last):
        ValueError: parameters has shape (2,) and type float32; this config needs shape (25,) and type float32
    """
    state = RunState(config)
    expected = {*_arrays(state), *_NUMBERS}
    if set(saved) != expected:
        odd = sorted(set(saved) ^ expected, key=str)
        raise ValueError(f"the snapshot has wrong or missing entries {odd}; needed: {', '.join(sorted(expected))}")
    for name, kind in _NUMBERS.items():
        # JSON as a browser writes it has no whole floats: 1.0 comes back as 1.
        if type(saved[name]) is not kind and not (kind is float and type(saved[name]) is int):
            raise ValueError(f"{name} is {saved[name]!r}; a value of type {kind.__name__} is needed")
    for name, kind in _NUMBERS.items():
        setattr(state, name, kind(saved[name]))
    if any(update <= state.begun for update in state.point_updates):
        state.take_points(state.begun)
    tensors = _arrays(state)
    for name, tensor in tensors.items():
        array = np.asarray(saved[name])
        needed = tensor.numpy()
        if array.shape != needed.shape or array.dtype != needed.dtype:
            raise ValueError(
                f"{name} has shape {array.shape} and type {array.dtype}; "
                f"this config needs shape {needed.shape} and type {needed.dtype}"
            )
    rows, batches = len(state.training), len(state.batches)
    if not np.array_equal(np.sort(saved["order"]), np.arange(rows)):
        raise ValueError(f"order does not hold each row number from 0 to {rows - 1} once")
    if not 0 <= saved["position"] < batches:
        raise ValueError(f"position is {saved['position']}; a whole number from 0 to {batches - 1} is needed")
    if not all(0 <= epochs <= saved["epoch"] for epochs in np.reshape(saved["waiting"], (2, 2))[:, 1]):
        raise ValueError(f"waiting is {saved['waiting']}; epochs from 0 to {saved['epoch']} are needed")
    if saved["epoch"] < 0 or saved["updates"] != saved["epoch"] * batches + saved["position"]:
        raise ValueError(
            f"updates is {saved['updates']}; epoch {saved['epoch']} and position {saved['position']} "
            f"with {batches} updates an epoch need {saved['epoch'] * batches + saved['position']}"
        )
    for name, tensor in tensors.items():
        if name not in {"generator", "masks", "waiting"}:
            tensor.copy_(torch.from_numpy(np.array(saved[name])))
    for name, generator in (("generator", state.generator), ("masks", state.masks)):
        if name in saved:
            generator.set_state(torch.from_numpy(np.array(saved[name])))
    for waiting, (best, epochs) in zip(_waiting(state), np.reshape(saved["waiting"], (2, 2)).tolist(), strict=True):
        waiting.best, waiting.epochs = best, int(epochs)
    state.gather()
    return state
