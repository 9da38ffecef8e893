"""Activation functions, each with its derivative.

The derivative works in place on the gradient that arrives from above: `delta` becomes delta * f'(z), where z is the
weighted sum, a = f(z) the output and scratch a tensor of the same shape. Most need only the output.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

LEAK: Final = 0.01
"""Slope of the leaky ReLU below 0, torch's default."""


@dataclass(frozen=True)
class Activation:
    """One activation: `forward(z, out)` writes f(z) into out; `backward(delta, z, a, scratch)` multiplies by f'(z).

    `function(z)` is torch's own, which autograd can differentiate.
    """

    key: str
    title: str
    formula: str
    slope: str
    function: Callable[[Tensor], Tensor]
    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor, Tensor, Tensor], object]


def _tanh(z: Tensor, out: Tensor) -> None:
    torch.tanh(z, out=out)


def _tanh_backward(delta: Tensor, z: Tensor, a: Tensor, scratch: Tensor) -> None:
    torch.mul(delta, a, out=scratch)
    delta.addcmul_(scratch, a, value=-1.0)


def _relu(z: Tensor, out: Tensor) -> None:
    torch.clamp_min(z, 0.0, out=out)


def _relu_backward(delta: Tensor, z: Tensor, a: Tensor, scratch: Tensor) -> None:
    # a is 0 where z <= 0, so its sign is the slope: 1 above 0, and 0 at and below 0 as torch's relu has it.
    torch.sign(a, out=scratch)
    delta.mul_(scratch)


def _leaky_relu(z: Tensor, out: Tensor) -> None:
    torch.mul(z, LEAK, out=out)
    torch.maximum(z, out, out=out)


def _leaky_relu_backward(delta: Tensor, z: Tensor, a: Tensor, scratch: Tensor) -> None:
    # 1 above 0, and the leak at and below 0 as torch has it.
    torch.gt(z, 0.0, out=scratch)
    delta.mul_(scratch.mul_(1.0 - LEAK).add_(LEAK))


def _gelu(z: Tensor, out: Tensor) -> None:
    torch.mul(z, math.sqrt(0.5), out=out)
    out.erf_().add_(1.0).mul_(z).mul_(0.5)


def _gelu_backward(delta: Tensor, z: Tensor, a: Tensor, scratch: Tensor) -> None:
    torch.mul(z, z, out=scratch)
    density = scratch.mul_(-0.5).exp_().mul_(1.0 / math.sqrt(2.0 * math.pi))
    below = torch.special.ndtr(z)
    delta.mul_(below.addcmul_(z, density))


def _sigmoid(z: Tensor, out: Tensor) -> None:
    torch.sigmoid(z, out=out)


def _sigmoid_backward(delta: Tensor, z: Tensor, a: Tensor, scratch: Tensor) -> None:
    torch.mul(delta, a, out=scratch)
    torch.addcmul(scratch, scratch, a, value=-1.0, out=delta)


def _identity(z: Tensor, out: Tensor) -> None:
    out.copy_(z)


def _identity_backward(delta: Tensor, z: Tensor, a: Tensor, scratch: Tensor) -> None:
    pass


ACTIVATIONS: dict[str, Activation] = {
    activation.key: activation
    for activation in (
        Activation("tanh", "tanh", "tanh(z)", "1 − a²", torch.tanh, _tanh, _tanh_backward),
        Activation("relu", "ReLU", "max(0, z)", "1 if z > 0, else 0", torch.relu, _relu, _relu_backward),
        Activation(
            "leaky_relu",
            "Leaky ReLU",
            "max(0.01 z, z)",
            "1 if z > 0, else 0.01",
            lambda z: F.leaky_relu(z, LEAK),
            _leaky_relu,
            _leaky_relu_backward,
        ),
        Activation("gelu", "GELU", "z Φ(z)", "Φ(z) + z φ(z)", F.gelu, _gelu, _gelu_backward),
        Activation("sigmoid", "Sigmoid", "1 / (1 + e⁻ᶻ)", "a (1 − a)", torch.sigmoid, _sigmoid, _sigmoid_backward),
        Activation("identity", "Identity", "z", "1", lambda z: z, _identity, _identity_backward),
    )
}
