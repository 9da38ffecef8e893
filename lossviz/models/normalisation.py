"""Batch normalisation of one layer, with its chain rule by hand, as `torch.nn.BatchNorm1d` computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor

EPSILON: Final = 1e-5  # eps of torch.nn.BatchNorm1d
MOMENTUM: Final = 0.1  # its momentum: the share of the new batch in the running mean and variance


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """z ← scale (z − mean) / √(variance + ε) + shift, over the rows of a batch.

    All fields are views of shape (…, 1, units) into a network's flat vectors, changed in place.

    Args:
        scale: γ, 1 at the start.
        shift: β, 0 at the start.
        scale_slope: where d loss/d scale is written.
        shift_slope: where d loss/d shift is written.
        mean: running mean, for evaluation.
        variance: running variance, for evaluation.

    Example:
        >>> import torch
        >>> one = lambda: torch.zeros(1, 1, dtype=torch.float64)
        >>> norm = BatchNorm(one(), one(), one(), one(), one(), one())
        >>> norm.reset()
        >>> z = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
        >>> norm.normalise(z, torch.zeros_like(z), one())
        >>> [round(value, 4) for value in z[:, 0].tolist()], norm.mean.item()
        ([-1.0, 1.0], 0.2)

    Reference:
        Ioffe, Szegedy (2015), Batch Normalization, ICML; documentation of torch.nn.BatchNorm1d.
    """

    scale: Tensor
    shift: Tensor
    scale_slope: Tensor
    shift_slope: Tensor
    mean: Tensor
    variance: Tensor

    def reset(self) -> None:
        """Set everything as it is before training."""
        for tensor, value in ((self.scale, 1.0), (self.shift, 0.0), (self.mean, 0.0), (self.variance, 1.0)):
            tensor.fill_(value)

    def evaluate(self, z: Tensor) -> None:
        """Normalise z (…, rows, units) in place by the running mean and variance."""
        z.sub_(self.mean).mul_((self.variance + EPSILON).rsqrt_()).mul_(self.scale).add_(self.shift)

    def normalise(self, z: Tensor, normal: Tensor, deviation: Tensor) -> None:
        """Normalise z in place by its own mean and variance, and let the running ones follow.

        `normal` takes (z − mean) / √(variance + ε) and `deviation` 1/√(variance + ε), for the way back.
        """
        rows = z.shape[-2]
        mean = z.mean(-2, keepdim=True)
        normal.copy_(z.sub_(mean))
        variance = z.square().mean(-2, keepdim=True)
        self.mean.lerp_(mean, MOMENTUM)
        # The running one is the unbiased estimate, as in torch.
        self.variance.lerp_(variance * (rows / (rows - 1)), MOMENTUM)
        deviation.copy_(variance.add_(EPSILON).rsqrt_())
        normal.mul_(deviation)
        z.copy_(normal).mul_(self.scale).add_(self.shift)

    def backward(self, delta: Tensor, normal: Tensor, deviation: Tensor) -> None:
        """Turn delta = d loss/d output into d loss/d z in place, and write the slopes of scale and shift."""
        self.shift_slope.copy_(delta.sum(-2, keepdim=True))
        self.scale_slope.copy_((delta * normal).sum(-2, keepdim=True))
        rows = delta.shape[-2]
        delta.sub_(self.shift_slope / rows).sub_(normal * (self.scale_slope / rows)).mul_(deviation * self.scale)
