"""What the training loop asks of a model, whatever it is made of."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor


class Model(Protocol):
    """Parameters and their gradient as flat vectors, and the passes that use and fill them.

    `running` is what training changes besides the parameters; a workspace holds the buffers of one pass, with the raw
    outputs in `sums[-1]`.
    """

    parameters: Tensor
    gradient: Tensor
    running: Tensor
    dtype: torch.dtype
    batch_norm: bool

    @property
    def weight_mask(self) -> Tensor:
        """1 where a parameter is a weight, else 0: penalties act on weights alone."""

    def layers(self, flat: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return views of a vector of the parameters' length as weights and biases of each layer, first to last."""

    def initialise(self, how: str, generator: torch.Generator) -> None:
        """Set the parameters as one of `INITIALISATIONS` says."""

    def workspace(self, rows: int, dropout: float = 0.0) -> Any:
        """Return the buffers that a pass over so many rows needs."""

    def forward(self, x: Tensor, space: Any) -> Tensor:
        """Return the raw outputs (rows, outputs) in evaluation mode."""

    def train(self, x: Tensor, space: Any, generator: torch.Generator) -> Tensor:
        """Return the raw outputs in training mode."""

    def backward(self, x: Tensor, delta: Tensor, space: Any) -> None:
        """Write d loss/d parameters into `gradient`, given d loss/d raw outputs, after a pass of `train`."""
