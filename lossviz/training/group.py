"""Runs of one form, computed as one batched model.

Racers of a group share architecture, batch size, data and number of epochs; loss, optimizer, learning rate, first
weights, seed, penalties and clipping may differ. Each racer's loss reaches its own parameters alone, so every one
follows the same run alone, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import accumulate, groupby
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from lossviz import optimizers
from lossviz.models import Network
from lossviz.optimizers import THRESHOLD, Together, Waiting
from lossviz.training.blocks import Block, Sums, loss_of
from lossviz.training.config import SAME_DATA, RunConfig
from lossviz.training.data import TORCH_DTYPES, Split, dataset, features, targets
from lossviz.training.engine import MASK_STREAM, ORDER_STREAM, Event
from lossviz.training.measure import Scores
from lossviz.training.recorded import play
from lossviz.training.restraint import Restraint
from lossviz.training.whole import Whole, is_whole

#: Most numbers that one layer of a group may hold while it is measured, so that no race fills the memory.
LARGEST: Final = 4_000_000


class Group:
    """Racers that are computed as one batched model; `epoch` moves all of them on.

    Args:
        configs: runs of one form; see `form`.
    """

    @torch.inference_mode()
    def __init__(self, configs: Sequence[RunConfig]) -> None:
        first = configs[0]
        self.order_of = sorted(range(len(configs)), key=lambda racer: loss_of(configs[racer]))
        self.configs = [configs[racer] for racer in self.order_of]
        self.epochs = 0
        self.updates = 0
        self.finished = [False] * len(configs)
        runs, dtype = len(configs), TORCH_DTYPES[first.dtype]
        self.network = Network(first.sizes, first.activation, dtype, batch_norm=first.batch_norm, runs=runs)
        alone = Network(first.sizes, first.activation, dtype, batch_norm=first.batch_norm)
        for racer, config in enumerate(self.configs):
            alone.initialise(config.initialisation, torch.Generator().manual_seed(config.seed))
            self.network.parameters[racer] = alone.parameters
            self.network.running[racer] = alone.running
        split = dataset(first)
        self.measuring = _Measuring(self.configs, self.network, split)
        self._batches(split)
        self.restraint = Restraint(self.configs, self.network)
        rules = [(optimizers.get(config.optimizer), config.settings) for config in self.configs]
        self.optimizers = Together(rules, self.network.parameters, self.network.gradient)
        self.plans = [config.plan for config in self.configs]
        self.by_update = any(config.schedule == "warmup" for config in self.configs)
        self.set_rates = [{item.update: item.rate for item in config.rate_changes} for config in self.configs]
        self.steady = not any(self.set_rates) and all(config.schedule == "constant" for config in self.configs)
        self.base = [config.learning_rate for config in self.configs]
        self.drops = [0] * runs
        self.plateau = [Waiting() for _ in configs]
        self.stopping = [Waiting() for _ in configs]
        # Whether the racer's schedule or early stopping looks at its losses.
        self.watched = [config.schedule == "plateau" or config.patience is not None for config in self.configs]
        self.rates: list[float] = list(self.base)

    def _batches(self, split: Split) -> None:
        """The batches of an epoch in blocks of equal ones, and the order in which every seed brings their rows."""
        first, count, sums = self.configs[0], len(split.x_train), self.measuring.sums
        self.blocks: list[Block | Whole] = []
        if isinstance(sums, Whole):
            self.blocks.append(sums)
            self.batches = 1
            return
        sizes = first.batch_sizes(count - first.training_samples)
        x = features(first, split.x_train)
        ends = list(accumulate(sizes))
        masks = torch.Generator().manual_seed(first.seed + MASK_STREAM)
        truth = partial(targets, y=split.y_train)
        for size, group in groupby(range(len(sizes)), key=lambda number: sizes[number]):
            numbers = list(group)
            rows = slice(ends[numbers[0]] - size, ends[numbers[-1]])
            self.blocks.append(Block(self.configs, self.network, x, truth, rows, size, masks, sums))
        self.batches = len(sizes)
        self.count = count
        seeds = sorted({config.seed for config in self.configs})
        self.generators = [torch.Generator().manual_seed(seed + ORDER_STREAM) for seed in seeds]
        self.orders = torch.arange(count).repeat(len(seeds), 1)
        self.seed_of = torch.tensor([seeds.index(config.seed) for config in self.configs])

    def epoch(self) -> list[Event | None]:
        """Train one epoch; return each racer's event in the order of the group's configs, None once it is over."""
        with torch.inference_mode(), np.errstate(all="ignore"):
            updates = self.batches
            orders = self._shuffled() if updates > 1 else None
            self.optimizers.plan(self._rates_of_epoch(), updates, self.updates)
            programs = (program for block in self.blocks for program in block.rounds(orders))
            for number, program in enumerate(programs):
                play(program)
                if self.restraint.needed:
                    self.restraint.apply()
                self.optimizers.update(number)
            if orders is not None:
                self.measuring.sums.settle()
            self.updates += updates
            self.epochs += 1
            return self._events()

    def _shuffled(self) -> Tensor:
        """The order of an epoch's rows, (1 or racers, rows)."""
        for order, generator in zip(self.orders, self.generators, strict=True):
            torch.randperm(self.count, generator=generator, out=order)
        return self.orders if len(self.orders) == 1 else self.orders[self.seed_of]

    def _rates_of_epoch(self) -> Tensor | None:
        """The learning rates of the epoch's updates, (updates, runs), or (1, runs) where all are the same.

        None where they are those of the epoch before.
        """
        if self.steady and self.epochs:
            return None
        updates = range(self.updates, self.updates + self.batches)
        if not self.by_update and not any(update in rates for rates in self.set_rates for update in updates):
            updates = updates[:1]
        found = []
        for update in updates:
            for racer, (plan, set_on_the_way) in enumerate(zip(self.plans, self.set_rates, strict=True)):
                share = plan.share(update, self.drops[racer])
                if update in set_on_the_way:
                    self.base[racer] = set_on_the_way[update] / share
                self.rates[racer] = set_on_the_way.get(update, self.base[racer] * share)
            found.append(list(self.rates))
        return torch.tensor(found, dtype=torch.float64)

    def _events(self) -> list[Event | None]:
        """Measure all racers after an epoch."""
        losses, metrics = self.measuring.measure()
        events: list[Event | None] = [None] * len(self.configs)
        over = self.epochs == self.configs[0].epochs
        for racer, (loss, metric) in enumerate(zip(losses, metrics, strict=True)):
            if self.finished[racer]:
                continue
            held_out = (loss[2], metric[1]) if len(loss) > 2 else (None, None)
            event = events[racer] = Event(
                self.epochs, loss[0], loss[1], held_out[0], metric[0], held_out[1], self.rates[racer], self.updates
            )
            early = self.watched[racer] and self._watch(racer, event.watched)
            self.finished[racer] = early or over or not event.finite
        return events

    def _watch(self, racer: int, loss: float) -> bool:
        """Let the racer's schedule and early stopping see its epoch; return whether it stops."""
        config = self.configs[racer]
        if config.schedule == "plateau":
            plateau = self.plateau[racer]
            plateau.see(loss, THRESHOLD)
            if plateau.epochs > config.every:
                self.drops[racer] += 1
                plateau.epochs = 0
        if config.patience is None:
            return False
        self.stopping[racer].see(loss)
        return self.stopping[racer].epochs >= config.patience


class _Measuring:
    """Losses and metrics of all racers on the batches, the training and the validation part."""

    def __init__(self, configs: Sequence[RunConfig], network: Network, split: Split) -> None:
        first, parts = configs[0], [(split.x_train, split.y_train), (split.x_validation, split.y_validation)]
        x = torch.cat([features(first, part) for part, _ in parts if len(part)])
        if len(configs) * len(x) * max(first.sizes) > LARGEST:
            raise ValueError(
                f"{len(configs)} racers with {len(x):,} points and layers of up to {max(first.sizes)} units are too "
                "many; choose fewer racers, fewer points or fewer units"
            )
        labels = [y for _, y in parts if len(y)]
        kind = Whole if is_whole(first, len(configs) * len(x) * first.sizes[-1]) else Sums
        x = x.mT.contiguous().mT.expand(len(configs), *x.shape)
        self.sums = kind(
            configs, network, x, lambda config: [targets(config, y) for y in labels], [len(y) for y in labels]
        )
        self._scores = Scores(first, split, self.sums.parts)

    def measure(self) -> tuple[list[list[float]], list[list[float | None]]]:
        """Return for each racer the losses of batches and parts, and the metric of each part."""
        return self.sums.losses(), self._scores.metrics()


def form(config: RunConfig) -> tuple[Any, ...]:
    """What racers of one group share.

    Example:
        >>> from dataclasses import replace
        >>> from lossviz.training import PLAYGROUND
        >>> form(PLAYGROUND) == form(replace(PLAYGROUND, learning_rate=0.1, optimizer="adam", loss="hinge"))
        True
        >>> form(PLAYGROUND) == form(replace(PLAYGROUND, batch_size=20))
        False
    """
    # With dropout the seed draws the masks, which a group shares.
    seed = config.seed if config.dropout and config.hidden else None
    return (
        *(getattr(config, name) for name in SAME_DATA),
        config.point_changes,
        *(config.standardise, config.sizes, config.activation, config.dtype, config.batch_norm),
        *(config.dropout, config.batch_rows, config.epochs, seed),
    )
