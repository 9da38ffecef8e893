"""Where the parameters of a run went, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from lossviz.landscape.evaluate import Vector
from lossviz.training.checks import whole
from lossviz.training.config import RunConfig
from lossviz.training.engine import RunState, advance, init, measure

#: Most moments that a trajectory keeps.
MOST_MOMENTS: Final = 500


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A run up to some epoch, and the parameters on the way.

    Args:
        state: the run at its end.
        vectors: parameters at the start, at epochs evenly apart and at the end, shape (moments, parameters).
        epochs: the epochs of these moments, from 0.
        losses: the training loss at these moments.
        overflowed: whether the run ended early because its numbers overflowed; its end is the last epoch before.
    """

    state: RunState
    vectors: Vector
    epochs: tuple[int, ...]
    losses: Vector
    overflowed: bool


def trajectory(config: RunConfig, epochs: int, moments: int = 100) -> Trajectory:
    """Train, and keep the parameters on the way.

    Args:
        config: the run. Its own number of epochs does not count.
        epochs: how many epochs to train, 1 to 10,000.
        moments: about how many moments to keep, 2 to 500; never fewer than the run has, up to this.

    Returns:
        The trajectory.

    Raises:
        ValueError: epochs or moments is out of bounds.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> way = trajectory(CLASSIC, epochs=10, moments=5)
        >>> way.epochs, way.vectors.shape, way.losses[0].item()
        ((0, 2, 4, 6, 8, 10), (6, 2), 30.0)
    """
    moments = whole("moments", moments, 2, MOST_MOMENTS)
    config = replace(config, epochs=epochs)
    state = init(config)
    every = max(1, epochs // moments)
    kept = [(0, _vector(state), measure(state).train_loss)]
    last = kept[0]
    overflowed = False
    while not state.finished:
        event = advance(state, config.updates_per_epoch)
        if event is None:
            continue
        vector = _vector(state)
        if not (np.isfinite(vector).all() and np.isfinite(event.train_loss)):
            overflowed = True
            break
        # A run that ends early may go back to its best weights, which are not those that the event is about.
        last = (event.epoch, vector, measure(state).train_loss if state.finished else event.train_loss)
        if event.epoch % every == 0:
            kept.append(last)
    if kept[-1][0] != last[0]:
        kept.append(last)
    if overflowed:
        state.network.parameters.copy_(torch.from_numpy(last[1]))
    numbers, vectors, losses = zip(*kept, strict=True)
    return Trajectory(state, np.stack(vectors), tuple(numbers), np.array(losses), overflowed)


def _vector(state: RunState) -> Vector:
    return state.network.parameters.to(torch.float64).numpy().copy()
