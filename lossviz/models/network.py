"""A linear model or a multilayer perceptron whose parameters are one flat vector, with the chain rule by hand.

Writing the chain rule out, into buffers that are made once, trains a tiny network several times faster than
recording a graph for each batch, because at these sizes the bookkeeping costs more than the arithmetic. The
tests prove the gradients equal to autograd's.

Layer l has one block of shape (outputs, inputs + 1): its weights and, as the last column, its biases. Every
activation carries a column of ones, so a layer is one matrix product, and so is the gradient of its block.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from .activations import ACTIVATIONS, Activation

INITIALISATIONS: Final[Mapping[str, str]] = {
    "default": "Random, small",
    "xavier": "Xavier",
    "he": "He",
    "large": "Too large",
    "zeros": "All zero",
}
"""How the first weights can be drawn, by key, with a title for the menu."""
LARGE: Final = 10.0


class Network:
    """Parameters, their gradient, and the forward and backward pass of a fully connected network.

    Args:
        sizes: numbers of units from the features to the outputs, for example (2, 4, 2, 1); two sizes are a
            linear model.
        activation: key of the activation of the hidden layers, one of `ACTIVATIONS`.
        dtype: torch.float32 or torch.float64.

    Raises:
        ValueError: fewer than two sizes, a size below 1, or an unknown activation.

    Example:
        >>> import torch
        >>> from lossviz.models import Network, with_ones
        >>> net = Network((1, 1), "tanh", torch.float64)
        >>> net.weights[0].fill_(2.0).item(), net.biases[0].fill_(1.0).item()
        (2.0, 1.0)
        >>> space = net.workspace(3)
        >>> net.forward(with_ones(torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)), space)[:, 0].tolist()
        [1.0, 3.0, 5.0]

    Reference:
        Rumelhart, Hinton, Williams (1986), Learning representations by back-propagating errors, Nature 323.
    """

    def __init__(self, sizes: Sequence[int], activation: str, dtype: torch.dtype) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes is {tuple(sizes)!r}; two or more sizes of 1 or more are allowed")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}; allowed: {', '.join(ACTIVATIONS)}")
        self.sizes = tuple(sizes)
        self.activation: Activation = ACTIVATIONS[activation]
        self.dtype = dtype
        self.parameters = torch.zeros(sum(k * (n + 1) for n, k in pairwise(self.sizes)), dtype=dtype)
        self.gradient = torch.zeros_like(self.parameters)
        self.blocks = self.split(self.parameters)
        self.gradient_blocks = self.split(self.gradient)
        self.weights = [block[:, :-1] for block in self.blocks]
        self.biases = [block[:, -1] for block in self.blocks]
        self._transposed = [block.t() for block in self.blocks]

    def split(self, flat: Tensor) -> list[Tensor]:
        """Return views of a flat vector as one block (outputs, inputs + 1) for each layer."""
        blocks, start = [], 0
        for inputs, outputs in pairwise(self.sizes):
            stop = start + outputs * (inputs + 1)
            blocks.append(flat[start:stop].view(outputs, inputs + 1))
            start = stop
        return blocks

    def initialise(self, how: str, generator: torch.Generator) -> None:
        """Set the parameters as one of `INITIALISATIONS` says.

        "default" draws weights and then biases of each layer from U(-1/sqrt(inputs), 1/sqrt(inputs)), in the same
        order as a chain of `nn.Linear`: after `torch.manual_seed(s)` such a chain holds the same numbers as this
        network does with a generator seeded with s. "xavier" and "he" draw the weights as
        `nn.init.xavier_uniform_` and `nn.init.kaiming_normal_(nonlinearity="relu")` do; biases are 0. "large" is the
        default times 10, "zeros" is 0 everywhere.

        References:
            Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, AISTATS.
            He, Zhang, Ren, Sun (2015), Delving Deep into Rectifiers, ICCV.
        """
        if how not in INITIALISATIONS:
            raise ValueError(f"initialisation is {how!r}; allowed: {', '.join(INITIALISATIONS)}")
        self.parameters.zero_()
        if how == "zeros":
            return
        for weight, bias in zip(self.weights, self.biases, strict=True):
            drawn = torch.empty(weight.shape, dtype=self.dtype)
            outputs, inputs = weight.shape
            if how == "xavier":
                bound = math.sqrt(3.0) * math.sqrt(2.0 / (inputs + outputs))
                weight.copy_(drawn.uniform_(-bound, bound, generator=generator))
            elif how == "he":
                weight.copy_(drawn.normal_(0.0, math.sqrt(2.0) / math.sqrt(inputs), generator=generator))
            else:
                # Both bounds are 1/sqrt(inputs); the first is rounded as nn.init.kaiming_uniform_(a=sqrt(5)) rounds it.
                bound = math.sqrt(3.0) * (math.sqrt(2.0 / 6.0) / math.sqrt(inputs))
                weight.copy_(drawn.uniform_(-bound, bound, generator=generator))
                bound = 1.0 / math.sqrt(inputs)
                bias.copy_(torch.empty(outputs, dtype=self.dtype).uniform_(-bound, bound, generator=generator))
        if how == "large":
            self.parameters.mul_(LARGE)

    def workspace(self, rows: int) -> Workspace:
        """Return the buffers that a pass over `rows` rows needs."""
        return Workspace(self, rows)

    def forward(self, x: Tensor, space: Workspace) -> Tensor:
        """Return the raw outputs (rows, outputs) for features x (rows, features + 1) that carry the ones column."""
        activate = self.activation.forward
        # Not strict: the last layer has no activation and comes after the loop.
        for block, z, a, with_bias in zip(self._transposed, space.sums, space.activations, space.inputs, strict=False):
            torch.mm(x, block, out=z)
            activate(z, a)
            x = with_bias
        return torch.mm(x, self._transposed[-1], out=space.sums[-1])

    def backward(self, x: Tensor, delta: Tensor, space: Workspace) -> None:
        """Write d loss/d parameters into `gradient`, given delta = d loss/d raw outputs (rows, outputs).

        A pass of `forward` over the same x with the same workspace must come first.
        """
        unactivate = self.activation.backward
        for layer in range(len(self.blocks) - 1, 0, -1):
            torch.mm(delta.t(), space.inputs[layer - 1], out=self.gradient_blocks[layer])
            below = space.deltas[layer - 1]
            torch.mm(delta, self.weights[layer], out=below)
            unactivate(below, space.sums[layer - 1], space.activations[layer - 1], space.scratch[layer - 1])
            delta = below
        torch.mm(delta.t(), x, out=self.gradient_blocks[0])


class Workspace:
    """Buffers of one pass: weighted sums of every layer; activations and deltas of the hidden ones."""

    def __init__(self, network: Network, rows: int) -> None:
        hidden, outputs = network.sizes[1:-1], network.sizes[-1]
        dtype = network.dtype
        self.sums = [torch.zeros(rows, units, dtype=dtype) for units in (*hidden, outputs)]
        # What the next layer takes in: the activations and, as the last column, the ones that meet its biases.
        self.inputs = [torch.ones(rows, units + 1, dtype=dtype) for units in hidden]
        self.activations = [inputs[:, :-1] for inputs in self.inputs]
        self.deltas = [torch.zeros(rows, units, dtype=dtype) for units in hidden]
        self.scratch = [torch.zeros(rows, units, dtype=dtype) for units in hidden]


def with_ones(x: Tensor) -> Tensor:
    """Return x (rows, features) with a last column of ones, as the network's passes take it."""
    return torch.cat([x, torch.ones(x.shape[0], 1, dtype=x.dtype)], dim=1)
