"""Learning-rate schedules: which share of the learning rate an update takes.

Each equals a scheduler of torch.optim.lr_scheduler: StepLR, CosineAnnealingLR and ReduceLROnPlateau once an epoch,
LinearLR for the warm-up at every update.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

THRESHOLD: Final = 1e-4  # threshold of torch's ReduceLROnPlateau: the share by which a loss must fall to count


@dataclass(frozen=True)
class Schedule:
    """One way of changing the rate; `settings` names the fields of a `Plan` that it uses, in the order of a form."""

    key: str
    title: str
    description: str
    settings: tuple[str, ...] = ()


SCHEDULES: Final = {
    schedule.key: schedule
    for schedule in (
        Schedule("constant", "Constant", "The same rate from the first update to the last."),
        Schedule("step", "Steps", "Large steps first, then a smaller rate every so many epochs.", ("every", "factor")),
        Schedule("cosine", "Cosine", "Falls slowly, then fast, then slowly again, to the last epoch.", ("low",)),
        Schedule(
            "warmup",
            "Warm-up",
            "Begins near 0 and grows evenly to the full rate, so that the first steps are small.",
            ("every",),
        ),
        Schedule(
            "plateau",
            "Reduce on plateau",
            "Drops when the validation loss (without one, the training loss) has not fallen for some epochs.",
            ("every", "factor"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule with its numbers.

    Args:
        schedule: key of `SCHEDULES`.
        every: epochs between two drops; for the warm-up its length; for the plateau the patience.
        factor: what a drop multiplies the rate by.
        low: share of the rate that the cosine falls towards.
        epochs: epochs of the whole run.
        updates: updates in one epoch.
    """

    schedule: str
    every: int
    factor: float
    low: float
    epochs: int
    updates: int

    def share(self, update: int, drops: int) -> float:
        """Return the share of the learning rate that an update takes.

        Args:
            update: number of the update, from 0.
            drops: how often the plateau has lowered the rate so far.

        Returns:
            A number above 0, at most 1.

        Example:
            >>> plan = Plan("step", every=10, factor=0.5, low=0.0, epochs=100, updates=5)
            >>> plan.share(49, 0), plan.share(50, 0), plan.share(100, 0)
            (1.0, 0.5, 0.25)

        Reference:
            Loshchilov, Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts, for the cosine.
        """
        epoch = update // self.updates
        if self.schedule == "step":
            return max(self.factor ** (epoch // self.every), _LEAST)
        if self.schedule == "cosine":
            return self.low + (1.0 - self.low) * (1.0 + math.cos(math.pi * epoch / self.epochs)) / 2.0
        if self.schedule == "warmup":
            return min(1.0, (update + 1) / (self.every * self.updates))
        if self.schedule == "plateau":
            return max(self.factor**drops, _LEAST)
        return 1.0


_LEAST: Final = 1e-12  # keeps a rate that was lowered hundreds of times above 0


@dataclass(slots=True)
class Waiting:
    """How long a loss has not improved: the lowest value, and the epochs since.

    Args:
        best: the lowest loss so far.
        epochs: epochs since then.
    """

    best: float = math.inf
    epochs: int = 0

    def see(self, loss: float, threshold: float = 0.0) -> bool:
        """Take in the loss of one more epoch; return whether it is lower than all before by more than a share of them.

        Example:
            >>> waiting = Waiting()
            >>> waiting.see(1.0), waiting.see(2.0), waiting.epochs
            (True, False, 1)
        """
        if loss < self.best * (1.0 - threshold):
            self.best, self.epochs = loss, 0
            return True
        self.epochs += 1
        return False
