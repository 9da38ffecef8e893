"""What losses on embeddings share: directions, their gradients, and the symmetries of the plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from lossviz.losses._shared import REAL
from lossviz.losses.base import Domain, Input, Inputs

PLUS_MINUS: Final = Domain("labels", values=(-1.0, 1.0))
CLASSES: Final = Domain("labels", values=(0.0, 1.0, 2.0))
ZERO_VECTOR: Final = "A vector of length 0 has no direction: its similarity counts as 0, with the gradient 0."
KERAS_UNITS: Final = "Keras has no loss of this name; keras.ops says it in a few lines."


def points(name: str, meaning: str) -> Input:
    """An input that holds one differentiable point a sample."""
    return Input(name, "prediction", ("n", "d"), REAL, meaning)


def directions(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors scaled to length 1, and one over their lengths; both 0 for a vector of length 0.

    Args:
        vectors: (..., d).

    Returns:
        Unit vectors (..., d) and inverse lengths (..., 1).
    """
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    # Below the smallest normal number 1 / length overflows; `where` on both sides keeps 0/0 out of the gradient too.
    some = length > torch.finfo(vectors.dtype).tiny
    inverse = torch.where(some, 1 / torch.where(some, length, 1.0), 0.0)
    return vectors * inverse, inverse


def along_directions(units: Tensor, inverse: Tensor, gradient: Tensor) -> Tensor:
    """The gradient along vectors from the gradient along their directions: what points outwards has no effect.

    Formula: (g − (g · u) u) / |x|.
    """
    return (gradient - (gradient * units).sum(-1, keepdim=True) * units) * inverse


def similarities(first: Tensor, second: Tensor) -> Tensor:
    """The cosine of every vector of (..., n, d) with every vector of (..., m, d): (..., n, m)."""
    return directions(first)[0] @ directions(second)[0].mT


def turned(*names: str) -> Callable[[Inputs], Inputs]:
    """A rotation of all vectors by the angle of the triangle 3, 4, 5, in the first two coordinates."""

    def turn(vectors: Tensor) -> Tensor:
        x, y = vectors[..., 0], vectors[..., 1]
        return torch.cat([torch.stack([0.6 * x - 0.8 * y, 0.8 * x + 0.6 * y], -1), vectors[..., 2:]], -1)

    return lambda inputs: {**inputs, **{name: turn(inputs[name]) for name in names}}


def stretched(*names: str) -> Callable[[Inputs], Inputs]:
    """Every vector made longer or shorter by a factor of its own."""

    def stretch(vectors: Tensor) -> Tensor:
        return vectors * (0.75 + 0.5 * torch.arange(vectors.shape[-2], dtype=vectors.dtype))[:, None]

    return lambda inputs: {**inputs, **{name: stretch(inputs[name]) for name in names}}


def shifted(*names: str) -> Callable[[Inputs], Inputs]:
    """All inputs of these names moved by the same distance."""
    return lambda inputs: {**inputs, **{name: inputs[name] + 1.25 for name in names}}


def exchanged(first: str, second: str) -> Callable[[Inputs], Inputs]:
    """Two inputs exchanged."""
    return lambda inputs: {**inputs, first: inputs[second], second: inputs[first]}
