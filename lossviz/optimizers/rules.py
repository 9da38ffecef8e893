"""Update rules, in place on one flat parameter vector, as torch.optim defines them.

Each rule takes the parameters, the gradient, its own memory (one tensor a slot, zeros at the start), the learning
rate, the momentum and the number of this update counted from 1. Reference: the pseudo-code in the documentation of
torch.optim.SGD, Adagrad, RMSprop, Adam and AdamW, with their default constants.
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
ADAGRAD_EPSILON = 1e-10  # eps of torch.optim.Adagrad
WEIGHT_DECAY = 0.01  # weight_decay of torch.optim.AdamW

Slots = Mapping[str, Tensor]
Rule = Callable[[Tensor, Tensor, Slots, float, float, int], None]


@dataclass(frozen=True)
class Optimizer:
    """One update rule: its name, its formula and the slots that it remembers from update to update.

    `symbols` says what the formula writes beyond θ, η and g.
    """

    key: str
    title: str
    formula: str
    description: str
    slots: tuple[str, ...]
    update: Rule
    symbols: str = ""
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


def _nesterov(parameters: Tensor, gradient: Tensor, slots: Slots, rate: float, momentum: float, count: int) -> None:
    velocity = slots["velocity"]
    velocity.mul_(momentum).add_(gradient)
    parameters.add_(gradient, alpha=-rate).add_(velocity, alpha=-rate * momentum)


def _adagrad(parameters: Tensor, gradient: Tensor, slots: Slots, rate: float, momentum: float, count: int) -> None:
    total = slots["total"]
    total.addcmul_(gradient, gradient)
    parameters.addcdiv_(gradient, total.sqrt().add_(ADAGRAD_EPSILON), value=-rate)


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


def _adamw(parameters: Tensor, gradient: Tensor, slots: Slots, rate: float, momentum: float, count: int) -> None:
    parameters.mul_(1.0 - rate * WEIGHT_DECAY)
    _adam(parameters, gradient, slots, rate, momentum, count)


_MEANS = "m and s running means of g and g² (with a hat: corrected for having started from 0)"

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
    symbols="v the velocity, μ the momentum",
    uses_momentum=True,
)

NESTEROV = Optimizer(
    key="nesterov",
    title="SGD with Nesterov momentum",
    formula="v ← μ v + g, θ ← θ − η (g + μ v)",
    description="Momentum that looks a step ahead, so it brakes earlier before it overshoots.",
    slots=("velocity",),
    update=_nesterov,
    symbols="v the velocity, μ the momentum",
    uses_momentum=True,
)

ADAGRAD = Optimizer(
    key="adagrad",
    title="Adagrad",
    formula="s ← s + g², θ ← θ − η g / (√s + 10⁻¹⁰)",
    description="Divides each gradient by the size of all earlier ones together, so its steps only get smaller.",
    slots=("total",),
    update=_adagrad,
    symbols="s the sum of all g² so far",
)

RMSPROP = Optimizer(
    key="rmsprop",
    title="RMSprop",
    formula="s ← 0.99 s + 0.01 g², θ ← θ − η g / (√s + 10⁻⁸)",
    description="Divides each gradient by its recent size, so that all parameters move at a similar pace.",
    slots=("square",),
    update=_rmsprop,
    symbols="s a running mean of g²",
)

ADAM = Optimizer(
    key="adam",
    title="Adam",
    formula="m ← 0.9 m + 0.1 g, s ← 0.999 s + 0.001 g², θ ← θ − η m̂ / (√ŝ + 10⁻⁸)",
    description="Momentum and RMSprop together, corrected for having started from zero.",
    slots=("mean", "square"),
    update=_adam,
    symbols=_MEANS,
)

ADAMW = Optimizer(
    key="adamw",
    title="AdamW",
    formula="θ ← θ − 0.01 η θ, then as Adam",
    description="Adam that also shrinks every weight a little at each step, whatever its gradient.",
    slots=("mean", "square"),
    update=_adamw,
    symbols=_MEANS,
)
