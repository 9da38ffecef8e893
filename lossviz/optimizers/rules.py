"""Update rules, in place on one flat parameter vector, as torch.optim defines them.

Each rule takes the parameters, the gradient, its own memory (one tensor a slot, zeros at the start), the learning
rate, its settings and the number of this update counted from 1. Parameters may also be (runs, n), one row a run that
goes on in step with the others; then the rate is (runs, 1). Reference: the pseudo-code in the documentation of
torch.optim.SGD, Adagrad, RMSprop, Adam and AdamW, with their default constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

EPSILON: Final = 1e-8
ADAGRAD_EPSILON: Final = 1e-10  # eps of torch.optim.Adagrad


@dataclass(frozen=True, slots=True)
class Settings:
    """What optimizers can be told besides the learning rate.

    Args:
        momentum: share of the last step's velocity that is kept.
        decay: share of the running mean of g² that is kept, alpha of torch.optim.RMSprop.
        beta1: the same for Adam's mean of g.
        beta2: the same for Adam's mean of g².
        weight_decay: share of a weight, times the learning rate, by which AdamW shrinks it at each step.
    """

    momentum: float = 0.9
    decay: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    weight_decay: float = 0.01


Slots = Mapping[str, Tensor]
Rule = Callable[[Tensor, Tensor, Slots, "float | Tensor", Settings, int], None]


@dataclass(frozen=True)
class Optimizer:
    """One update rule: its name, its formula and the slots that it remembers from update to update.

    `symbols` says what the formula writes beyond θ, η and g; `settings` names the fields of `Settings` that it uses.
    """

    key: str
    title: str
    formula: str
    description: str
    slots: tuple[str, ...]
    update: Rule
    symbols: str = ""
    settings: tuple[str, ...] = ()

    def start(self, parameters: Tensor) -> dict[str, Tensor]:
        """Return the memory before the first update: a tensor of zeros for each slot."""
        return {slot: torch.zeros_like(parameters) for slot in self.slots}


def _descend(parameters: Tensor, direction: Tensor, rate: float | Tensor) -> None:
    """θ ← θ − η d."""
    if isinstance(rate, Tensor):
        parameters.addcmul_(direction, rate, value=-1.0)
    else:
        parameters.add_(direction, alpha=-rate)


def _divided(parameters: Tensor, direction: Tensor, size: Tensor, rate: float | Tensor) -> None:
    """θ ← θ − η d / s."""
    if isinstance(rate, Tensor):
        parameters.addcmul_(direction / size, rate, value=-1.0)
    else:
        parameters.addcdiv_(direction, size, value=-rate)


def _sgd(p: Tensor, gradient: Tensor, slots: Slots, rate: float | Tensor, settings: Settings, count: int) -> None:
    _descend(p, gradient, rate)


def _momentum(p: Tensor, gradient: Tensor, slots: Slots, rate: float | Tensor, settings: Settings, count: int) -> None:
    velocity = slots["velocity"]
    velocity.mul_(settings.momentum).add_(gradient)
    _descend(p, velocity, rate)


def _nesterov(p: Tensor, gradient: Tensor, slots: Slots, rate: float | Tensor, settings: Settings, count: int) -> None:
    velocity = slots["velocity"]
    velocity.mul_(settings.momentum).add_(gradient)
    _descend(p, gradient, rate)
    _descend(p, velocity, rate * settings.momentum)


def _adagrad(p: Tensor, gradient: Tensor, slots: Slots, rate: float | Tensor, settings: Settings, count: int) -> None:
    total = slots["total"]
    total.addcmul_(gradient, gradient)
    _divided(p, gradient, total.sqrt().add_(ADAGRAD_EPSILON), rate)


def _rmsprop(p: Tensor, gradient: Tensor, slots: Slots, rate: float | Tensor, settings: Settings, count: int) -> None:
    square = slots["square"]
    square.mul_(settings.decay).addcmul_(gradient, gradient, value=1.0 - settings.decay)
    _divided(p, gradient, square.sqrt().add_(EPSILON), rate)


def _adam(p: Tensor, gradient: Tensor, slots: Slots, rate: float | Tensor, settings: Settings, count: int) -> None:
    mean, square = slots["mean"], slots["square"]
    mean.lerp_(gradient, 1.0 - settings.beta1)
    square.mul_(settings.beta2).addcmul_(gradient, gradient, value=1.0 - settings.beta2)
    size = square.sqrt().div_(math.sqrt(1.0 - settings.beta2**count)).add_(EPSILON)
    _divided(p, mean, size, rate / (1.0 - settings.beta1**count))


def _adamw(p: Tensor, gradient: Tensor, slots: Slots, rate: float | Tensor, settings: Settings, count: int) -> None:
    p.mul_(1.0 - rate * settings.weight_decay)
    _adam(p, gradient, slots, rate, settings, count)


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
    settings=("momentum",),
)

NESTEROV = Optimizer(
    key="nesterov",
    title="SGD with Nesterov momentum",
    formula="v ← μ v + g, θ ← θ − η (g + μ v)",
    description="Momentum that looks a step ahead, so it brakes earlier before it overshoots.",
    slots=("velocity",),
    update=_nesterov,
    symbols="v the velocity, μ the momentum",
    settings=("momentum",),
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
    formula="s ← α s + (1 − α) g², θ ← θ − η g / (√s + 10⁻⁸)",
    description="Divides each gradient by its recent size, so that all parameters move at a similar pace.",
    slots=("square",),
    update=_rmsprop,
    symbols="s a running mean of g², α the share of it that is kept",
    settings=("decay",),
)

ADAM = Optimizer(
    key="adam",
    title="Adam",
    formula="m ← β₁ m + (1 − β₁) g, s ← β₂ s + (1 − β₂) g², θ ← θ − η m̂ / (√ŝ + 10⁻⁸)",
    description="Momentum and RMSprop together, corrected for having started from zero.",
    slots=("mean", "square"),
    update=_adam,
    symbols=_MEANS,
    settings=("beta1", "beta2"),
)

ADAMW = Optimizer(
    key="adamw",
    title="AdamW",
    formula="θ ← θ − λ η θ, then as Adam",
    description="Adam that also shrinks every weight a little at each step, whatever its gradient.",
    slots=("mean", "square"),
    update=_adamw,
    symbols=f"λ the weight decay, {_MEANS}",
    settings=("beta1", "beta2", "weight_decay"),
)
