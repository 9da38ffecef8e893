"""Update rules of several runs at once: runs that differ in their optimizer cost little more than runs that share one.

Every rule here is a case of one formula, whose coefficients are columns with one number a run:

    v ← k v + j g
    s ← h s + i g²
    θ ← λ θ − η (a g + b v) / (c √s + ε)

The formula's rounding differs from that of the rules in `rules.py`, which single runs follow; tests compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
from torch import Tensor

from .rules import ADAGRAD_EPSILON, EPSILON, Optimizer, Settings


@dataclass(frozen=True, slots=True)
class Case:
    """What one rule puts into the formula. As it stands here, nothing is divided by and nothing remembered: SGD.

    Args:
        keep: k, the share of the velocity that is kept.
        take: j, what the gradient adds to it.
        hold: h, the share of the squares that is kept.
        add: i, what the squared gradient adds to them.
        ahead: a, the gradient's own share of the step.
        along: b, the velocity's.
        epsilon: ε; 1 where the squares are not used.
        correction: share that corrects the velocity for having started from 0 (Adam's β₁), or 0.
        squares_correction: the same for the squares (β₂).
        decay: share of the learning rate by which the parameters shrink.
    """

    keep: float = 0.0
    take: float = 1.0
    hold: float = 0.0
    add: float = 0.0
    ahead: float = 0.0
    along: float = 1.0
    epsilon: float = 1.0
    correction: float = 0.0
    squares_correction: float = 0.0
    decay: float = 0.0


def _adam(settings: Settings, decay: float = 0.0) -> Case:
    beta1, beta2 = settings.beta1, settings.beta2
    return Case(beta1, 1.0 - beta1, beta2, 1.0 - beta2, 0.0, 1.0, EPSILON, beta1, beta2, decay)


CASES: Final[Mapping[str, Callable[[Settings], Case]]] = {
    "sgd": lambda settings: Case(),
    "momentum": lambda settings: Case(keep=settings.momentum),
    "nesterov": lambda settings: Case(keep=settings.momentum, ahead=1.0, along=settings.momentum),
    "adagrad": lambda settings: Case(hold=1.0, add=1.0, epsilon=ADAGRAD_EPSILON),
    "rmsprop": lambda settings: Case(hold=settings.decay, add=1.0 - settings.decay, epsilon=EPSILON),
    "adam": _adam,
    "adamw": lambda settings: _adam(settings, settings.weight_decay),
}
"""The rules as cases of the formula, by key."""


class Together:
    """The optimizers of several runs that go on in step; parameters and gradient hold one row a run.

    Args:
        rules: update rule and settings of each run.
        parameters: (runs, n), changed in place.
        gradient: (runs, n), read at each update.

    Example:
        >>> import torch
        >>> from lossviz import optimizers
        >>> parameters, gradient = torch.ones(2, 1), torch.ones(2, 1)
        >>> rules = [(optimizers.get(key), optimizers.Settings()) for key in ("sgd", "adam")]
        >>> both = Together(rules, parameters, gradient)
        >>> both.plan(torch.tensor([[0.5, 0.25]], dtype=torch.float64), updates=1, made=0)
        >>> both.update(0)
        >>> parameters.tolist()
        [[0.5], [0.75]]
    """

    def __init__(self, rules: Sequence[tuple[Optimizer, Settings]], parameters: Tensor, gradient: Tensor) -> None:
        self._parameters = parameters
        self._gradient = gradient
        self._made = 0
        self._rates: list[Tensor] = []  # of each update
        # One rule for all is followed as it is written: its own formula is the shortest.
        self._shared = rules[0] if all(rule == rules[0] for rule in rules) else None
        if self._shared is not None:
            self._slots = self._shared[0].start(parameters)
            return
        # For tensors of this size NumPy's way into an operation is the shorter one.
        self._numbers, self._slopes = parameters.numpy(), gradient.numpy()
        cases = [CASES[optimizer.key](settings) for optimizer, settings in rules]
        columns = np.array([astuple(case) for case in cases]).T[:, :, None]
        *most, self._correction, self._squares_correction, self._decay = columns
        self._keep, self._take, self._hold, self._add, self._ahead, self._along, self._epsilon = (
            column.astype(self._numbers.dtype) for column in most
        )
        self._columns = np.zeros((1, len(rules), 1))  # of rates
        self._adapts = any(case.add for case in cases)
        self._looks_ahead = any(case.ahead for case in cases)
        self._shrinks = any(case.decay for case in cases)
        self._velocity, self._squares, self._work, self._direction = (np.zeros_like(self._numbers) for _ in range(4))

    def plan(self, rates: Tensor | None, updates: int, made: int) -> None:
        """Fix the learning rates of the next updates.

        Args:
            rates: (updates, runs) in float64, or (1, runs) for the same at each; None if all are as they were, and as
                many.
            updates: how many updates will be made.
            made: how many have been made before.
        """
        self._made = made
        if self._shared is not None:
            if rates is not None:
                self._rates = list(rates[..., None].expand(updates, -1, -1).to(self._parameters.dtype))
            return
        if rates is not None:
            self._columns = rates[..., None].numpy()
        dtype = self._numbers.dtype
        count = np.arange(made + 1.0, made + updates + 1.0)[:, None, None]
        self._steps = (-self._columns / (1.0 - self._correction**count)).astype(dtype)
        self._shrink = np.broadcast_to((1.0 - self._columns * self._decay).astype(dtype), self._steps.shape)
        self._scale = (1.0 / np.sqrt(1.0 - self._squares_correction**count)).astype(dtype)

    def update(self, number: int) -> None:
        """Make the update of a number, counted from 0 since the latest `plan`."""
        if self._shared is not None:
            rule, settings = self._shared
            made = self._made + number + 1
            rule.update(self._parameters, self._gradient, self._slots, self._rates[number], settings, made)
            return
        slopes, velocity, work = self._slopes, self._velocity, self._work
        direction = velocity
        np.multiply(velocity, self._keep, velocity)
        np.add(velocity, np.multiply(slopes, self._take, work), velocity)
        if self._looks_ahead:
            direction = np.multiply(velocity, self._along, self._direction)
            np.add(direction, np.multiply(slopes, self._ahead, work), direction)
        if self._adapts:
            np.multiply(self._squares, self._hold, self._squares)
            np.multiply(np.multiply(slopes, self._add, work), slopes, work)
            np.add(self._squares, work, self._squares)
            np.multiply(np.sqrt(self._squares, work), self._scale[number], work)
            direction = np.divide(direction, np.add(work, self._epsilon, work), self._direction)
        if self._shrinks:
            np.multiply(self._numbers, self._shrink[number], self._numbers)
        np.add(self._numbers, np.multiply(direction, self._steps[number], work), self._numbers)
