"""Planes through a network's parameters, and the training loss on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from lossviz.landscape.evaluate import Batch, Surface, Vector, grid, parameter_vectors
from lossviz.training.checks import number, whole
from lossviz.training.engine import RunState
from lossviz.training.model import dense

_HIGHEST_SEED: Final = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Plane:
    """All points centre + a · first direction + b · second direction.

    Args:
        centre: parameter vector at (0, 0), shape (parameters,).
        directions: shape (2, parameters); neither need be of length 1 or at right angles to the other.
        shares: of a trajectory's variance, how much lies along each direction; None for other planes.
    """

    centre: Vector
    directions: Vector
    shares: tuple[float, float] | None = None

    def points(self, coordinates: Any) -> Vector:
        """Return the parameter vectors, shape (points, parameters), at coordinates of shape (points, 2)."""
        return self.centre + parameter_vectors("coordinates", coordinates, 2) @ self.directions

    def project(self, vectors: Any) -> Vector:
        """Return the coordinates, shape (points, 2), of the points of the plane that lie nearest to vectors.

        Args:
            vectors: parameter vectors, shape (points, parameters).

        Returns:
            Shape (points, 2).

        Raises:
            ValueError: vectors has another shape or holds numbers that are not finite.
        """
        offsets = parameter_vectors("vectors", vectors, len(self.centre)) - self.centre
        return np.linalg.lstsq(self.directions.T, offsets.T, rcond=None)[0].T.astype(np.float64)


def random_plane(state: RunState, seed: int = 0) -> Plane:
    """Return the plane of two random directions through the parameters as they stand, normalised unit by unit.

    Each direction is drawn from a normal distribution; then the weights that enter a unit are scaled to the length of
    that unit's own weights, and all biases are 0, as in the authors' program. So a step along a direction changes every
    unit by its own size. The reason for both: a relu network in which one layer's weights and biases are ten times as
    large, and the next layer's weights a tenth, is the same function, and it gets exactly the same surface.

    Formula: dᵤ ← dᵤ ‖wᵤ‖ / ‖dᵤ‖ for the incoming weights wᵤ of every unit u.

    Args:
        state: a run at any update; it is not changed. Its parameters are the centre.
        seed: decides the directions; 0 to 2³² − 1.

    Returns:
        The plane. Its directions are as good as never at right angles, and making them so would undo the scaling.

    Raises:
        ValueError: seed is not allowed, the network is recurrent, a parameter is not finite, or all weights are 0, so
            that there is no length.

    Example:
        >>> from lossviz.training import PLAYGROUND, init
        >>> state = init(PLAYGROUND)
        >>> plane = random_plane(state)
        >>> unit = slice(0, 2)  # the two weights of the first hidden unit
        >>> bool(np.isclose(np.linalg.norm(plane.directions[0, unit]), np.linalg.norm(plane.centre[unit])))
        True

    Reference:
        Li, Xu, Taylor, Studer, Goldstein (2018), Visualizing the Loss Landscape of Neural Nets, arXiv:1712.09913.
    """
    generator = torch.Generator().manual_seed(whole("seed", seed, 0, _HIGHEST_SEED))
    centre = state.network.parameters.to(torch.float64).clone()
    if not centre.isfinite().all():
        raise ValueError("the run's parameters are not finite; an earlier moment of the run is allowed")
    network = dense(state.network, "a random plane")
    blocks = network.split(centre)
    if not any(block[:, :-1].any() for block in blocks):
        raise ValueError("all weights are 0, so directions of their length are 0 too; a trained model is allowed")
    directions = torch.randn(2, len(centre), dtype=torch.float64, generator=generator)
    for direction in directions:
        for part, own in zip(network.split(direction), blocks, strict=True):
            weights = part[:, :-1]
            weights.mul_(own[:, :-1].norm(dim=1, keepdim=True) / weights.norm(dim=1, keepdim=True))
            part[:, -1] = 0.0
    return Plane(centre.numpy(), directions.numpy())


def trajectory_plane(vectors: Any) -> Plane:
    """Return the plane along which a trajectory of parameter vectors spreads most, through its last vector.

    The directions are the first two principal ones: right singular vectors of the vectors minus their mean, of length 1
    and at right angles, each with its largest entry positive. As the plane goes through the last vector, the loss at
    (0, 0) is exactly that of the end; other vectors lie beside the plane, and `shares` tells how much of the path's
    variance the plane shows.

    Formula: Θ − mean(Θ) = U Σ Vᵀ; directions v₁, v₂; shares σ₁²/Σσ², σ₂²/Σσ².

    Args:
        vectors: parameters at three moments or more, in order, shape (moments, parameters).

    Returns:
        The plane with its shares.

    Raises:
        ValueError: vectors has another shape, holds numbers that are not finite, or never changes.

    Example:
        >>> plane = trajectory_plane([[0.0, 0.0, 5.0], [3.0, 0.0, 5.0], [3.0, 1.0, 5.0], [6.0, 1.0, 5.0]])
        >>> [round(share, 3) for share in plane.shares], plane.centre.tolist()
        ([0.974, 0.026], [6.0, 1.0, 5.0])

    Reference:
        Li, Xu, Taylor, Studer, Goldstein (2018), section 7, arXiv:1712.09913.
    """
    shape = np.shape(vectors)
    checked = parameter_vectors("vectors", vectors, shape[1] if len(shape) == 2 else 2)
    if len(checked) < 3 or checked.shape[1] < 2:
        raise ValueError(f"vectors has shape {checked.shape}; at least 3 moments of at least 2 parameters are allowed")
    spread = torch.from_numpy(checked - checked.mean(axis=0))
    if not spread.any():
        raise ValueError("vectors never changes; a trajectory that moves is allowed")
    _, lengths, rows = torch.linalg.svd(spread, full_matrices=False)
    directions = rows[:2].numpy()
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[[0, 1], largest])[:, None]
    variances = (lengths / lengths[0]).square()
    shares = (variances[:2] / variances.sum()).tolist()
    return Plane(checked[-1], directions, (shares[0], shares[1]))


def plane_surface(
    state: RunState, plane: Plane, first: Sequence[float], second: Sequence[float], size: int = 51
) -> Surface:
    """Return the training loss on a grid over a plane.

    Args:
        state: a run of the network that the plane belongs to; it is not changed, and its parameters do not matter. The
            arithmetic is done in its dtype.
        plane: from `random_plane` or `trajectory_plane`.
        first: lowest and highest coordinate along the first direction, within ±1e6.
        second: the same along the second.
        size: points along each axis, 2 to 201; the outermost lie on the ends.

    Returns:
        The surface; each number is what `measure(state).train_loss` would be with the parameters at that point.

    Raises:
        ValueError: the plane belongs to another network, an argument is not allowed, or the job would take much longer
            than a few seconds.

    Example:
        >>> from lossviz.training import PLAYGROUND, init
        >>> state = init(PLAYGROUND)
        >>> plane_surface(state, random_plane(state), (-1, 1), (-1, 1), 21).losses.shape
        (21, 21)
    """
    count = state.network.parameters.numel()
    if plane.directions.shape != (2, count):
        raise ValueError(f"the plane has {plane.directions.shape[-1]} parameters; the network's {count} are allowed")
    columns, rows, coordinates = grid(("first", first), ("second", second), size)
    batch = Batch(state, state.network.dtype)
    batch.check_work(len(coordinates))
    centre, directions = torch.from_numpy(plane.centre), torch.from_numpy(plane.directions)
    # A vector for each point of the largest grid would be gigabytes for large networks, so they are made as needed.
    parts = torch.split(coordinates, batch.chunk)
    losses = torch.cat([batch.losses(centre + part @ directions) for part in parts])
    return Surface(columns, rows, losses.numpy().reshape(len(rows), len(columns)))


def frame(coordinates: Any, margin: float = 0.25) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return ends of the two axes that hold all coordinates, with a margin on each side.

    Args:
        coordinates: shape (points, 2): a projected trajectory, or weights and biases of a race.
        margin: share of the extent that is added on each side, 0 to 10. An axis along which nothing extends gets the
            extent of the other, or 2 where neither extends.

    Returns:
        (low, high) of the first and of the second axis.

    Raises:
        ValueError: coordinates has another shape or holds numbers that are not finite, or margin is out of bounds.

    Example:
        >>> frame([[0.0, 1.0], [4.0, 3.0]])
        ((-1.0, 5.0), (0.5, 3.5))
    """
    checked = parameter_vectors("coordinates", coordinates, 2)
    margin = number("margin", margin, 0.0, 10.0)
    low, high = checked.min(axis=0), checked.max(axis=0)
    extent = high - low
    widest = float(extent.max()) or 2.0
    # An extent that is only rounding would make ends that floats cannot tell apart.
    thin = extent < 1e-6 * widest
    middle = (low + high) / 2.0
    half = np.where(thin, widest, extent) * (0.5 + margin)
    ends = [(float(m - h), float(m + h)) for m, h in zip(middle, half, strict=True)]
    return ends[0], ends[1]
