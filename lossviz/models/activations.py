"""Activation functions, each with its derivative written in terms of its own output.

The derivative works in place on the gradient that arrives from above: `delta` becomes delta * f'(z), where only
the output a = f(z) and a scratch tensor of the same shape are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Activation:
    """One activation: `forward(z, out)` writes f(z) into out; `backward(delta, a, scratch)` multiplies by f'(z).

    `function(z)` is torch's own, which autograd can differentiate.
    """

    key: str
    title: str
    formula: str
    slope: str
    function: Callable[[Tensor], Tensor]
    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor, Tensor], object]


def _tanh(z: Tensor, out: Tensor) -> None:
    torch.tanh(z, out=out)


def _tanh_backward(delta: Tensor, a: Tensor, scratch: Tensor) -> None:
    torch.mul(delta, a, out=scratch)
    delta.addcmul_(scratch, a, value=-1.0)


def _relu(z: Tensor, out: Tensor) -> None:
    torch.clamp_min(z, 0.0, out=out)


def _relu_backward(delta: Tensor, a: Tensor, scratch: Tensor) -> None:
    # a is 0 where z <= 0, so its sign is the slope: 1 above 0, and 0 at and below 0 as torch's relu has it.
    torch.sign(a, out=scratch)
    delta.mul_(scratch)


def _sigmoid(z: Tensor, out: Tensor) -> None:
    torch.sigmoid(z, out=out)


def _sigmoid_backward(delta: Tensor, a: Tensor, scratch: Tensor) -> None:
    torch.mul(delta, a, out=scratch)
    torch.addcmul(scratch, scratch, a, value=-1.0, out=delta)


ACTIVATIONS: dict[str, Activation] = {
    activation.key: activation
    for activation in (
        Activation("tanh", "tanh", "tanh(z)", "1 − a²", torch.tanh, _tanh, _tanh_backward),
        Activation("relu", "ReLU", "max(0, z)", "1 if z > 0, else 0", torch.relu, _relu, _relu_backward),
        Activation("sigmoid", "Sigmoid", "1 / (1 + e⁻ᶻ)", "a (1 − a)", torch.sigmoid, _sigmoid, _sigmoid_backward),
    )
}
