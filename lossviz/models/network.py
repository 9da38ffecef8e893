"""A linear model or a multilayer perceptron whose parameters are one flat vector, with the chain rule by hand.

Writing the chain rule out, into buffers that are made once, trains a tiny network several times faster than
recording a graph for each batch, because at these sizes the bookkeeping costs more than the arithmetic. The
tests prove the gradients equal to autograd's.

Layer l has one block of shape (outputs, inputs + 1): its weights and, as the last column, its biases. Every
activation carries a column of ones, so a layer is one matrix product, and so is the gradient of its block.
Batch normalisation keeps its scales and shifts behind the blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from .activations import ACTIVATIONS, Activation
from .normalisation import BatchNorm

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
        batch_norm: whether each hidden layer normalises its weighted sums over the batch before its activation.
        runs: how many networks of this form are computed side by side; every tensor then has a first dimension of
            that size, and so have the features. None is one network, without that dimension.

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

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        dtype: torch.dtype,
        *,
        batch_norm: bool = False,
        runs: int | None = None,
    ) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes is {tuple(sizes)!r}; two or more sizes of 1 or more are allowed")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}; allowed: {', '.join(ACTIVATIONS)}")
        self.sizes = tuple(sizes)
        self.activation: Activation = ACTIVATIONS[activation]
        self.dtype = dtype
        self.batch_norm = batch_norm
        self.leading = () if runs is None else (runs,)
        self._product = torch.mm if runs is None else torch.bmm
        hidden = sum(self.sizes[1:-1])
        linear = sum(k * (n + 1) for n, k in pairwise(self.sizes))
        self.parameters = torch.zeros(*self.leading, linear + 2 * hidden * batch_norm, dtype=dtype)
        self.gradient = torch.zeros_like(self.parameters)
        self.blocks = self.split(self.parameters)
        self.gradient_blocks = self.split(self.gradient)
        self.weights = [block[..., :-1] for block in self.blocks]
        self.biases = [block[..., -1] for block in self.blocks]
        self._transposed = [block.mT for block in self.blocks]
        # Means and variances of the weighted sums as training met them, for use in evaluation.
        self.running = torch.zeros(*self.leading, 2 * hidden * batch_norm, dtype=dtype)
        self.norms = self._norms(linear) if batch_norm else []

    def split(self, flat: Tensor) -> list[Tensor]:
        """Return views of a flat vector (or of rows of them) as one block (outputs, inputs + 1) for each layer."""
        blocks, start = [], 0
        for inputs, outputs in pairwise(self.sizes):
            stop = start + outputs * (inputs + 1)
            blocks.append(flat[..., start:stop].view(*flat.shape[:-1], outputs, inputs + 1))
            start = stop
        return blocks

    def layers(self, flat: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return views of a flat vector as weights and biases of each layer; batch normalisation belongs to neither."""
        return [(block[..., :-1], block[..., -1]) for block in self.split(flat)]

    def _norms(self, start: int) -> list[BatchNorm]:
        """Views of the parameters behind the blocks: for each hidden layer scales, then shifts."""
        norms, past = [], 0
        for units in self.sizes[1:-1]:
            scale, shift = slice(start, start + units), slice(start + units, start + 2 * units)
            mean, variance = slice(past, past + units), slice(past + units, past + 2 * units)
            norms.append(
                BatchNorm(
                    scale=self.parameters[..., None, scale],
                    shift=self.parameters[..., None, shift],
                    scale_slope=self.gradient[..., None, scale],
                    shift_slope=self.gradient[..., None, shift],
                    mean=self.running[..., None, mean],
                    variance=self.running[..., None, variance],
                )
            )
            start, past = start + 2 * units, past + 2 * units
        return norms

    @property
    def weight_mask(self) -> Tensor:
        """1 where a parameter is a weight, 0 where it is a bias, a scale or a shift: penalties act on weights alone."""
        mask = torch.zeros_like(self.parameters)
        for block in self.split(mask):
            block[..., :-1] = 1.0
        return mask

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
        for norm in self.norms:
            norm.reset()
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
            for block in self.blocks:
                block.mul_(LARGE)

    def workspace(self, rows: int, dropout: float = 0.0) -> Workspace:
        """Return the buffers that a pass over `rows` rows needs; `dropout` is the share of units that is left out."""
        return Workspace(self, rows, dropout)

    def forward(self, x: Tensor, space: Workspace) -> Tensor:
        """Return the raw outputs (rows, outputs) in evaluation mode, for features x (rows, features + 1) with ones."""
        return self._pass(x, space, None)

    def train(self, x: Tensor, space: Workspace, generator: torch.Generator) -> Tensor:
        """Return the raw outputs in training mode: batch normalisation over these rows, and dropout."""
        return self._pass(x, space, generator)

    def _pass(self, x: Tensor, space: Workspace, generator: torch.Generator | None) -> Tensor:
        """The raw outputs; a generator says that it is training, and draws the masks of dropout."""
        activate, product = self.activation.forward, self._product
        below = x.mT
        # Not strict: the last layer has no activation and comes after the loop.
        for layer, (block, z, a, with_bias) in enumerate(
            zip(self.blocks, space.across.sums, space.across.activations, space.across.inputs, strict=False)
        ):
            product(block, below, out=z)
            if self.batch_norm and generator is None:
                self.norms[layer].evaluate(z.mT)
            elif self.batch_norm:
                self.norms[layer].normalise(z.mT, space.normal[layer], space.deviation[layer])
            activate(z, a)
            if space.dropout and generator is not None:
                mask = space.masks[layer]
                mask.bernoulli_(1.0 - space.dropout, generator=generator).div_(1.0 - space.dropout)
                torch.mul(a, mask.mT, out=space.across.units[layer])
            below = with_bias
        return product(below.mT, self._transposed[-1], out=space.sums[-1])

    def backward(self, x: Tensor, delta: Tensor, space: Workspace) -> None:
        """Write d loss/d parameters into `gradient`, given delta = d loss/d raw outputs (rows, outputs).

        A pass of `train` over the same x with the same workspace must come first.
        """
        unactivate, product, across = self.activation.backward, self._product, space.across
        above = delta.mT
        for layer in range(len(self.blocks) - 1, 0, -1):
            product(above, across.inputs[layer - 1].mT, out=self.gradient_blocks[layer])
            below = across.deltas[layer - 1]
            product(self.weights[layer].mT, above, out=below)
            if space.dropout:
                below.mul_(space.masks[layer - 1].mT)
            unactivate(below, across.sums[layer - 1], across.activations[layer - 1], across.scratch[layer - 1])
            if self.batch_norm:
                self.norms[layer - 1].backward(below.mT, space.normal[layer - 1], space.deviation[layer - 1])
            above = below
        product(above, x, out=self.gradient_blocks[0])


class Across:
    """The buffers of the hidden layers as they lie in memory: one row a unit, and a last row of ones for the biases.

    A unit's numbers lie side by side, so functions of them run through memory, and so do the products.
    """

    def __init__(self, network: Network, rows: int, dropout: float) -> None:
        def layers(make: Callable[..., Tensor], heights: Sequence[int]) -> list[Tensor]:
            return [make(*network.leading, height, rows, dtype=network.dtype) for height in heights]

        hidden = network.sizes[1:-1]
        self.sums = layers(torch.zeros, hidden)
        self.inputs = layers(torch.ones, [units + 1 for units in hidden])
        self.units = [inputs[..., :-1, :] for inputs in self.inputs]
        # Before dropout.
        self.activations = layers(torch.zeros, hidden) if dropout else self.units
        self.deltas = layers(torch.zeros, hidden)
        self.scratch = layers(torch.zeros, hidden)


class Workspace:
    """Buffers of one pass, one row a sample: weighted sums of all layers; activations and deltas of the hidden ones."""

    def __init__(self, network: Network, rows: int, dropout: float = 0.0) -> None:
        hidden, outputs = network.sizes[1:-1], network.sizes[-1]
        self.dropout = dropout
        self.across = Across(network, rows, dropout)
        # What enters the activations: with batch normalisation the weighted sums after it.
        self.sums = [
            *(sums.mT for sums in self.across.sums),
            torch.zeros(*network.leading, rows, outputs, dtype=network.dtype),
        ]
        # What the next layer takes in: the units and, as the last column, the ones that meet its biases.
        self.inputs, self.activations, self.deltas, self.scratch = (
            [tensor.mT for tensor in tensors]
            for tensors in (self.across.inputs, self.across.activations, self.across.deltas, self.across.scratch)
        )
        # Networks side by side leave out the same units, as they do alone after the same seed.
        self.masks = [torch.ones(rows, units, dtype=network.dtype) for units in hidden] if dropout else []
        shape = (*network.leading, rows)
        self.normal = [torch.zeros(*shape, units, dtype=network.dtype) for units in hidden * network.batch_norm]
        self.deviation = [
            torch.zeros(*network.leading, 1, units, dtype=network.dtype) for units in hidden * network.batch_norm
        ]

    def into(self, outputs: Tensor) -> Workspace:
        """Return the same buffers, but with the raw outputs written to a tensor of the caller's."""
        other = copy(self)
        other.sums = [*self.sums[:-1], outputs]
        return other


def with_ones(x: Tensor) -> Tensor:
    """Return x (rows, features) with a last column of ones, as the network's passes take it."""
    return torch.cat([x, torch.ones(x.shape[0], 1, dtype=x.dtype)], dim=1)
