"""Runs of one form, computed as one batched model.

Racers of a group share architecture, batch size, data and number of epochs; loss, optimizer, learning rate, first
weights, seed, penalties and clipping may differ. Each racer's loss reaches its own parameters alone, so every one
follows the same run alone, up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import torch
from torch import Tensor

from lossviz import losses, optimizers
from lossviz.models import LINKS, Network
from lossviz.optimizers import THRESHOLD, Waiting
from lossviz.training.config import RunConfig
from lossviz.training.data import TORCH_DTYPES, dataset, features, targets
from lossviz.training.engine import CLIP_EPSILON, MASK_STREAM, ORDER_STREAM, Event
from lossviz.training.measure import Scores

#: Most numbers that one layer of a group may hold while it is measured, so that no race fills the memory.
LARGEST: Final = 4_000_000
SAME_DATA: Final = ("dataset", "samples", "noise", "data_seed", "validation_fraction", "stratify")


@dataclass(frozen=True)
class _Team:
    """Racers of a group that stand behind each other and share their loss."""

    racers: slice
    config: RunConfig

    @property
    def count(self) -> int:
        return int(self.racers.stop - self.racers.start)


class _Prediction:
    """Predictions and targets of one team on some rows, as its loss takes them.

    Views into the group's buffers are made once: at these sizes making one costs as much as an operation on it.
    """

    def __init__(self, team: _Team, raw: Tensor, prediction: Tensor, target: Tensor) -> None:
        config = team.config
        self.loss = losses.get(config.loss_key)
        self.parameters = config.parameters
        self.link = LINKS[config.fit.link]
        self.raw = raw
        self.prediction = prediction
        self.inputs = {"prediction": prediction[..., 0] if prediction.shape[-1] == 1 else prediction, "target": target}
        self.divisor = torch.ones(())
        self.divide()

    def divide(self) -> None:
        """Work out what each racer's terms are divided by; only class weights make it differ."""
        found = [
            float(
                self.loss.denominator(
                    {name: value[racer] for name, value in self.inputs.items()}, self.parameters, "mean"
                )
            )
            for racer in range(len(self.prediction) if callable(self.loss.reduction("mean").divisor) else 1)
        ]
        shape = (-1, *[1] * (self.inputs["prediction"].dim() - 1)) if len(found) > 1 else ()
        self.divisor = torch.tensor(found, dtype=self.prediction.dtype).view(shape)

    def predict(self) -> None:
        """Take in the raw outputs as they are now."""
        self.link.forward(self.raw, self.prediction)

    def slope(self) -> Tensor:
        """Predict, and return d loss/d raw output."""
        self.predict()
        slope = self.loss.derivatives(self.inputs, self.parameters)["prediction"]
        return self.link.backward(torch.div(slope, self.divisor).view(self.prediction.shape), self.prediction)

    def terms(self) -> Tensor:
        """The terms of each row, (racers, rows), in float64."""
        terms = self.loss.terms(self.inputs, self.parameters)
        return terms.reshape(*self.prediction.shape[:2], -1).sum(2, dtype=torch.float64)


class Group:
    """Racers that are computed as one batched model; `epoch` moves all of them on.

    Args:
        configs: runs of one form; see `form`.
    """

    def __init__(self, configs: Sequence[RunConfig]) -> None:
        first = configs[0]
        self.order_of = sorted(range(len(configs)), key=lambda racer: _loss_of(configs[racer]))
        self.configs = [configs[racer] for racer in self.order_of]
        self.epochs = 0
        self.updates = 0
        self.finished = [False] * len(configs)
        runs, dtype = len(configs), TORCH_DTYPES[first.dtype]
        self.network = Network(first.sizes, first.activation, dtype, batch_norm=first.batch_norm, runs=runs)
        for racer, config in enumerate(self.configs):
            alone = Network(first.sizes, first.activation, dtype, batch_norm=first.batch_norm)
            alone.initialise(config.initialisation, torch.Generator().manual_seed(config.seed))
            self.network.parameters[racer] = alone.parameters
            self.network.running[racer] = alone.running
        self._data(first)
        self._rules()
        self.masks = torch.Generator().manual_seed(first.seed + MASK_STREAM)
        self.base = [config.learning_rate for config in self.configs]
        self.drops = [0] * runs
        self.plateau = [Waiting() for _ in configs]
        self.stopping = [Waiting() for _ in configs]
        self.rates: list[float] = list(self.base)

    def _data(self, first: RunConfig) -> None:
        """Rows in the order of training, and all rows for the measurement, for every racer."""
        runs, split = len(self.configs), dataset(first)
        self.x = features(first, split.x_train)
        self.scores = Scores(first, split)
        count = len(self.x)
        everything = torch.cat([self.x, features(first, split.x_validation)]) if len(split.x_validation) else self.x
        if runs * len(everything) * max(first.sizes) > LARGEST:
            raise ValueError(
                f"{runs} racers with {len(everything):,} points and layers of up to {max(first.sizes)} units are too "
                "many; choose fewer racers, fewer points or fewer units"
            )
        self.everything = everything.expand(runs, *everything.shape)
        self.space = self.network.workspace(len(everything))
        self.ordered = self.x.repeat(runs, 1, 1)
        prediction = torch.zeros(runs, count, first.sizes[-1], dtype=self.x.dtype)
        measured = torch.zeros(runs, len(everything), first.sizes[-1], dtype=self.x.dtype)
        size = first.batch_rows
        self.ranges = [slice(start, min(start + size, count)) for start in range(0, count, size)]
        self.batches = [self.ordered[:, rows] for rows in self.ranges]
        self.spaces = {
            len(self.x[rows]): self.network.workspace(len(self.x[rows]), first.dropout) for rows in self.ranges
        }
        self.deltas = {size: torch.zeros_like(space.sums[-1]) for size, space in self.spaces.items()}
        self.teams, self.targets, self.ordered_targets = [], [], []
        self.parts: list[list[tuple[_Prediction, Tensor]]] = [[] for _ in self.ranges]
        self.whole: list[_Prediction] = []
        self.halves: list[list[_Prediction]] = []
        for team in _teams(self.configs, _loss_of):
            target = targets(team.config, split.y_train)
            ordered = target.repeat(team.count, *[1] * target.dim())
            self.teams.append(team)
            self.targets.append(target)
            self.ordered_targets.append(ordered)
            for index, rows in enumerate(self.ranges):
                raw = self.spaces[rows.stop - rows.start].sums[-1][team.racers]
                piece = _Prediction(team, raw, prediction[team.racers, rows], ordered[:, rows])
                self.parts[index].append((piece, self.deltas[rows.stop - rows.start][team.racers]))
            self.whole.append(_Prediction(team, prediction[team.racers], prediction[team.racers], ordered))
            held_out = targets(team.config, split.y_validation)
            halves = [(slice(0, count), target), (slice(count, len(everything)), held_out)]
            self.halves.append(
                [
                    _Prediction(
                        team,
                        self.space.sums[-1][team.racers, rows],
                        measured[team.racers, rows],
                        truth.expand(team.count, *truth.shape),
                    )
                    for rows, truth in halves
                    if len(truth)
                ]
            )
        sizes = torch.tensor([rows.stop - rows.start for rows in self.ranges])
        self.batch_of_row = torch.repeat_interleave(torch.arange(len(self.ranges)), sizes)
        self.batch_sizes = sizes.to(torch.float64)
        seeds = sorted({config.seed for config in self.configs})
        self.generators = {seed: torch.Generator().manual_seed(seed + ORDER_STREAM) for seed in seeds}
        self.orders = {seed: torch.arange(count) for seed in seeds}

    def _rules(self) -> None:
        """Optimizers by runs of racers that share one, and what holds the gradients back."""
        network, configs = self.network, self.configs
        self.rate_column = torch.zeros(len(configs), 1, dtype=network.dtype)
        self.optimizers = []
        for team in _teams(configs, lambda config: (config.optimizer, config.settings)):
            rule = optimizers.get(team.config.optimizer)
            rows, slopes = network.parameters[team.racers], network.gradient[team.racers]
            rates = self.rate_column[team.racers]
            self.optimizers.append((rule, team.config.settings, rows, slopes, rule.start(rows), rates))
        mask = network.weight_mask

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=network.dtype)[:, None]

        self.l1 = mask * column([config.l1 for config in configs]) if any(config.l1 for config in configs) else None
        self.l2 = mask * column([2 * config.l2 for config in configs]) if any(config.l2 for config in configs) else None
        norms, values = (
            [config.clip_at if config.clip == kind else math.inf for config in configs] for kind in ("norm", "value")
        )
        self.longest = column(norms) if min(norms) < math.inf else None
        self.largest = column(values) if min(values) < math.inf else None
        self.by_update = any(config.schedule == "warmup" for config in configs)
        self.changes = {item.update for config in configs for item in config.interventions}
        self.plans = [config.plan for config in configs]
        self.set_rates = [{item.update: item.value for item in config.interventions} for config in configs]

    def epoch(self) -> list[Event | None]:
        """Train one epoch; return each racer's event in the order of the group's configs, None once it is over."""
        with torch.inference_mode():
            if len(self.ranges) > 1:
                self._shuffle()
            for index in range(len(self.ranges)):
                self._update(index)
            self.epochs += 1
            return self._measure()

    def _shuffle(self) -> None:
        for seed, order in self.orders.items():
            torch.randperm(len(order), generator=self.generators[seed], out=order)
        orders = [self.orders[config.seed] for config in self.configs]
        alike = len(self.orders) == 1
        if alike:
            self.ordered.copy_(self.x[orders[0]])
        else:
            torch.index_select(self.x, 0, torch.cat(orders), out=self.ordered.view(-1, self.x.shape[1]))
        for team, target, ordered in zip(self.teams, self.targets, self.ordered_targets, strict=True):
            if alike:
                ordered.copy_(target[orders[0]])
                continue
            for place, order in enumerate(orders[team.racers]):
                ordered[place] = target[order]
        for part in self.parts:
            for piece, _ in part:
                if callable(piece.loss.reduction("mean").divisor):
                    piece.divide()

    def _take_rates(self) -> None:
        for racer, (plan, set_on_the_way) in enumerate(zip(self.plans, self.set_rates, strict=True)):
            share = plan.share(self.updates, self.drops[racer])
            if self.updates in set_on_the_way:
                self.base[racer] = set_on_the_way[self.updates] / share
            self.rates[racer] = set_on_the_way.get(self.updates, self.base[racer] * share)
        self.rate_column.copy_(torch.tensor(self.rates, dtype=torch.float64)[:, None])

    def _update(self, index: int) -> None:
        if index == 0 or self.by_update or self.updates in self.changes:
            self._take_rates()
        network, x, pieces = self.network, self.batches[index], self.parts[index]
        space = self.spaces[x.shape[1]]
        network.train(x, space, self.masks)
        if len(pieces) == 1:
            delta = pieces[0][0].slope()
        else:
            delta = self.deltas[x.shape[1]]
            for piece, own in pieces:
                own.copy_(piece.slope())
        network.backward(x, delta, space)
        self._restrain()
        self.updates += 1
        for rule, settings, parameters, gradient, slots, rates in self.optimizers:
            rule.update(parameters, gradient, slots, rates, settings, self.updates)

    def _restrain(self) -> None:
        gradient, parameters = self.network.gradient, self.network.parameters
        if self.l1 is not None:
            gradient.addcmul_(parameters.sign(), self.l1)
        if self.l2 is not None:
            gradient.addcmul_(parameters, self.l2)
        if self.largest is not None:
            torch.clamp(gradient, -self.largest, self.largest, out=gradient)
        if self.longest is not None:
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient.mul_((self.longest / (norm + CLIP_EPSILON)).clamp_(max=1.0))

    def _batch_losses(self) -> list[float]:
        """Mean of each racer's batch losses in this epoch, weighted by batch size."""
        found: list[float] = []
        for place, (team, whole) in enumerate(zip(self.teams, self.whole, strict=True)):
            sums = torch.zeros(team.count, len(self.ranges), dtype=torch.float64)
            sums.index_add_(1, self.batch_of_row, whole.terms())
            divisors = torch.stack(
                [part[place][0].divisor.double().reshape(-1).expand(team.count) for part in self.parts],
                dim=1,
            )
            found += ((sums / divisors * self.batch_sizes).sum(1) / len(self.x)).tolist()
        return found

    def _measure(self) -> list[Event | None]:
        batch_losses = self._batch_losses()
        raw = self.network.forward(self.everything, self.space)
        values: list[list[float]] = []
        for halves in self.halves:
            sums = []
            for half in halves:
                half.predict()
                sums.append(half.terms().sum(1) / half.divisor.double().reshape(-1))
            values += torch.stack(sums, dim=1).tolist()
        metrics = self.scores.metrics(raw)
        events: list[Event | None] = []
        for racer, (value, metric) in enumerate(zip(values, metrics, strict=True)):
            if self.finished[racer]:
                events.append(None)
                continue
            held_out = len(value) > 1
            event = Event(
                self.epochs,
                batch_losses[racer],
                value[0],
                value[1] if held_out else None,
                metric[0],
                metric[1] if held_out else None,
                self.rates[racer],
                self.updates,
            )
            self._watch(racer, event)
            events.append(event)
        return events

    def _watch(self, racer: int, event: Event) -> None:
        """Let the racer's schedule and early stopping see its epoch."""
        config = self.configs[racer]
        loss = event.train_loss if event.validation_loss is None else event.validation_loss
        plateau, stopping = self.plateau[racer], self.stopping[racer]
        plateau.see(loss, THRESHOLD)
        if plateau.epochs > config.every:
            self.drops[racer] += 1
            plateau.epochs = 0
        stopping.see(loss)
        early = config.patience is not None and stopping.epochs >= config.patience
        self.finished[racer] = not event.finite or early or self.epochs == config.epochs


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
        *(config.standardise, config.sizes, config.activation, config.dtype, config.batch_norm),
        *(config.dropout, config.batch_rows, config.epochs, seed),
    )


def _loss_of(config: RunConfig) -> tuple[Any, ...]:
    return (config.loss_key, repr(config.loss_parameters))


def _teams(configs: Sequence[RunConfig], key: Callable[[RunConfig], Any]) -> Iterator[_Team]:
    """Neighbours that agree in something."""
    start = 0
    for _, members in groupby(configs, key):
        found = list(members)
        yield _Team(slice(start, start + len(found)), found[0])
        start += len(found)
