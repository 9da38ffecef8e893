"""Penalties and clipping: what is done to a gradient before an optimizer sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol

import torch
from torch import Tensor

from lossviz.training.config import RunConfig

CLIP_EPSILON: Final = 1e-6  # of torch.nn.utils.clip_grad_norm_


class Learner(Protocol):
    """What has parameters and a gradient: one flat vector each, or one row a run of several that go on in step."""

    parameters: Tensor
    gradient: Tensor

    @property
    def weight_mask(self) -> Tensor:
        """1 where a parameter is a weight: penalties act on weights alone."""


class Restraint:
    """Adds the slopes of the penalties to a gradient, then clips it, as torch.nn.utils does.

    Args:
        configs: the runs, one for each row of the parameters.
        network: holds their parameters and gradient.
    """

    def __init__(self, configs: Sequence[RunConfig], network: Learner) -> None:
        self._network = network
        rows = network.parameters.shape[:-1]

        def column(values: list[float], least: float) -> Tensor | None:
            """A number for each run; None where no run asks for it."""
            if all(value == least for value in values):
                return None
            return torch.tensor(values, dtype=network.parameters.dtype).view(*rows, 1)

        def clipped(kind: str) -> list[float]:
            return [config.clip_at if config.clip == kind else math.inf for config in configs]

        l1, l2 = column([config.l1 for config in configs], 0.0), column([2 * config.l2 for config in configs], 0.0)
        self._l1 = None if l1 is None else network.weight_mask * l1
        self._l2 = None if l2 is None else network.weight_mask * l2
        self._largest, self._longest = column(clipped("value"), math.inf), column(clipped("norm"), math.inf)
        self.needed = any(part is not None for part in (self._l1, self._l2, self._largest, self._longest))

    @property
    def penalised(self) -> bool:
        """Whether a penalty is added to the loss of a run."""
        return self._l1 is not None or self._l2 is not None

    def penalty(self) -> Tensor:
        """What the penalties add to the loss as the parameters stand now, l1 Σ|w| + l2 Σw², for each run."""
        parameters = self._network.parameters
        total = torch.zeros(parameters.shape[:-1], dtype=torch.float64)
        if self._l1 is not None:
            total += (self._l1 * parameters.abs()).sum(-1, dtype=torch.float64)
        if self._l2 is not None:
            total += 0.5 * (self._l2 * parameters.square()).sum(-1, dtype=torch.float64)
        return total

    def apply(self) -> None:
        """Change the gradient as it stands now."""
        gradient, parameters = self._network.gradient, self._network.parameters
        if self._l1 is not None:
            gradient.addcmul_(parameters.sign(), self._l1)
        if self._l2 is not None:
            gradient.addcmul_(parameters, self._l2)
        if self._largest is not None:
            torch.clamp(gradient, -self._largest, self._largest, out=gradient)
        if self._longest is not None:
            norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
            gradient.mul_((self._longest / (norm + CLIP_EPSILON)).clamp_(max=1.0))
