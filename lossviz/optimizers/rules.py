"""Update rules, in place on one flat parameter vector, as torch.optim defines them.

Each rule takes the parameters, the gradient, its own memory (one tensor a slot, zeros at the start), the learning
rate, the momentum and the number of this update counted from 1. Reference: the pseudo-code in the documentation of
torch.optim.SGD, RMSprop and Adam, with their default constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

DECAY = 0.99  # alpha of torch.optim.RMSprop
BETA1, BETA2 = 0.9, 0.999  # betas of torch.optim.Adam
EPSILON = 1e-8

Slots = Mapping[str, Tensor]
Rule = Callable[[Tensor, Tensor, Slots, float, float, int], None]


@dataclass(frozen=True)
class Optimizer:
    """One update rule: its name, its formula and the slots that it remembers from update to update."""

    key: str
    title: str
    formula: str
    description: str
    slots: tuple[str, ...]
    update: Rule
    uses_momentum: bool = False

    def start(self, parameters: Tensor) -> dict[str, Tensor]:
        """Return the memory before the first update: a tensor of zeros for each slot."""
        return {slot: torch.zeros_like(parameters) for slot in self.slots}


def _sgd(parameters: Tensor, gradient: Tensor, slots: Slots, rate: float, momentum: float, count: int) -> None:
    parameters.add_(gradient, alpha=-rate)


def _momentum(parameters: Tensor, gradient: Tensor, slots: Slots, rate: float, momentum: float, count: int) -> None:
    velocity = slots["velocity"]
    velocity.mul_(momentum).add_(gradient)
    parameters.add_(velocity, alpha=-rate)


def _rmsprop(parameters: Tensor, gradient: Tensor, slots: Slots, rate: float, momentum: float, count: int) -> None:
    square = slots["square"]
    square.mul_(DECAY).addcmul_(gradient, gradient, value=1.0 - DECAY)
    parameters.addcdiv_(gradient, square.sqrt().add_(EPSILON), value=-rate)


def _adam(parameters: Tensor, gradient: Tensor, slots: Slots, rate: float, momentum: float, count: int) -> None:
    mean, square = slots["mean"], slots["square"]
    mean.lerp_(gradient, 1.0 - BETA1)
    square.mul_(BETA2).addcmul_(gradient, gradient, value=1.0 - BETA2)
    size = square.sqrt().div_(math.sqrt(1.0 - BETA2**count)).add_(EPSILON)
    parameters.addcdiv_(mean, size, value=-rate / (1.0 - BETA1**count))


SGD = Optimizer(
    key="sgd",
    title="SGD",
    formula="θ ← θ − η g",
    description="Stochastic gradient descent: one step downhill, as long as the gradient times the learning rate.",
    slots=(),
    update=_sgd,
)

MOMENTUM = Optimizer(
    key="momentum",
    title="SGD with momentum",
    formula="v ← μ v + g, θ ← θ − η v",
    description="Keeps part of the last step's speed, so it runs on through shallow stretches.",
    slots=("velocity",),
    update=_momentum,
    uses_momentum=True,
)

RMSPROP = Optimizer(
    key="rmsprop",
    title="RMSprop",
    formula="s ← 0.99 s + 0.01 g², θ ← θ − η g / (√s + 10⁻⁸)",
    description="Divides each gradient by its recent size, so that all parameters move at a similar pace.",
    slots=("square",),
    update=_rmsprop,
)

ADAM = Optimizer(
    key="adam",
    title="Adam",
    formula="m ← 0.9 m + 0.1 g, s ← 0.999 s + 0.001 g², θ ← θ − η m̂ / (√ŝ + 10⁻⁸)",
    description="Momentum and RMSprop together, corrected for having started from zero.",
    slots=("mean", "square"),
    update=_adam,
)
