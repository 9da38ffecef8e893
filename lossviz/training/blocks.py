"""The batches of runs that go on in step, laid out so that one update takes few operations on tensors without gaps.

At the sizes of these models an operation costs about the same whatever it works on. So racers stand in an order in
which those with the same link and labels are neighbours, and among them those with the same loss: the link is applied
once for all who share it, and each loss once for all its racers, straight on a slice of the network's raw outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import torch
from torch import Tensor

from lossviz import losses
from lossviz.losses.base import Loss
from lossviz.models import LINKS, Link, Network, Workspace
from lossviz.training.config import RunConfig
from lossviz.training.data import TORCH_DTYPES


def loss_of(config: RunConfig) -> tuple[str, ...]:
    """What racers of one team share; sorted by it, those with the same link and labels are neighbours.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> loss_of(CLASSIC)
        ('identity', 'value', 'mse', '()')
    """
    return (config.fit.link, config.fit.labels, config.loss_key, repr(config.loss_parameters))


def neighbours(configs: Sequence[RunConfig], key: Callable[[RunConfig], Any]) -> Iterator[tuple[slice, RunConfig]]:
    """Give racers that stand behind each other and agree in something, with the first of them."""
    start = 0
    for _, members in groupby(configs, key):
        found = list(members)
        yield slice(start, start + len(found)), found[0]
        start += len(found)


@dataclass(frozen=True)
class Head:
    """Racers whose outputs reach the loss through the same link and meet the same labels.

    Its tensors begin (batches, racers, rows); where the link is the identity, the predictions are the raw outputs.
    """

    racers: slice
    config: RunConfig
    link: Link
    raw: Tensor
    prediction: Tensor
    target: Tensor

    @property
    def linked(self) -> bool:
        """Whether predictions are something else than raw outputs."""
        return self.prediction is not self.raw


class Team:
    """Racers of a head that share their loss: its inputs, and what it divides the sum of the terms of a batch by."""

    def __init__(self, racers: slice, config: RunConfig, head: Head) -> None:
        self.racers = racers
        self.loss: Loss = losses.get(config.loss_key)
        self.parameters = config.parameters
        own = slice(racers.start - head.racers.start, racers.stop - head.racers.start)
        prediction = head.prediction[:, own]
        prediction = prediction[..., 0] if prediction.shape[-1] == 1 else prediction
        self.inputs = {"prediction": prediction, "target": head.target[:, own]}
        # Only class weights make the divisor differ from batch to batch.
        self.weighted = callable(self.loss.reduction("mean").divisor)
        shape = prediction.shape[:2] if self.weighted else (1, 1)
        self.divisor = torch.ones(*shape, *[1] * (prediction.dim() - 2), dtype=prediction.dtype)
        self.divide()

    def divide(self) -> None:
        """Work out the divisors for the targets as they are now."""
        found = torch.as_tensor(self.loss.denominator(self.inputs, self.parameters, "mean"))
        self.divisor.copy_(found.view(*found.shape, *[1] * (self.divisor.dim() - found.dim())))

    def divisors(self, rows: slice) -> Tensor:
        """What the sum over some rows of each batch is divided by, as they are now, in float64."""
        inputs = {name: value[:, :, rows] for name, value in self.inputs.items()}
        return torch.as_tensor(self.loss.denominator(inputs, self.parameters, "mean"), dtype=torch.float64)

    def terms(self) -> Tensor:
        """The terms, (batches, racers, rows, terms of a row)."""
        terms = self.loss.terms(self.inputs, self.parameters)
        return terms.reshape(*self.inputs["prediction"].shape[:3], -1)


class Outputs:
    """Raw outputs of all racers on some batches of equal size, and what the losses make of them.

    Args:
        configs: racers in the order of `loss_of`.
        truth: the targets of all rows, one batch behind the other, as a config's loss takes them.
        batches: how many batches there are.
        rows: rows of each.
    """

    def __init__(
        self, configs: Sequence[RunConfig], truth: Callable[[RunConfig], Tensor], batches: int, rows: int
    ) -> None:
        outputs, dtype = configs[0].sizes[-1], TORCH_DTYPES[configs[0].dtype]
        self.raw = torch.zeros(batches, len(configs), rows, outputs, dtype=dtype)
        self.heads: list[Head] = []
        self.teams: list[Team] = []
        for racers, first in neighbours(configs, lambda config: loss_of(config)[:2]):
            link, raw, target = LINKS[first.fit.link], self.raw[:, racers], truth(first)
            target = target.view(batches, 1, rows, *target.shape[1:])
            target = target.repeat(1, raw.shape[1], *[1] * (target.dim() - 2))
            prediction = raw if link.key == "identity" else raw.clone()
            head = Head(racers, first, link, raw, prediction, target)
            self.heads.append(head)
            for own, config in neighbours(configs[racers], loss_of):
                team = slice(racers.start + own.start, racers.start + own.stop)
                self.teams.append(Team(team, config, head))


class Batch:
    """One batch of all racers: views that an update needs, made once, because making one costs as much as using it."""

    def __init__(self, block: Block, number: int, space: Workspace) -> None:
        self.x = block.x[number]
        self.space = space.into(block.raw[number])
        self.delta = block.delta
        self.links = [
            (head.link, head.raw[number], head.prediction[number], block.delta[head.racers])
            for head in block.heads
            if head.linked
        ]
        self.pieces = []
        for team in block.teams:
            slope = block.delta[team.racers]
            self.pieces.append(
                (
                    cast(Callable[..., Tensor], team.loss.derivative),
                    {name: value[number] for name, value in team.inputs.items()},
                    team.parameters,
                    team.divisor[number if team.weighted else 0],
                    slope[..., 0] if slope.shape[-1] == 1 else slope,
                )
            )

    def slopes(self) -> Tensor:
        """Predict from the raw outputs; return d loss/d raw output of every racer."""
        for link, raw, prediction, _ in self.links:
            link.forward(raw, prediction)
        for derivative, inputs, parameters, divisor, slope in self.pieces:
            torch.div(derivative(inputs, parameters), divisor, out=slope)
        for link, _, prediction, slope in self.links:
            slope.copy_(link.backward(slope, prediction))
        return self.delta


class Block(Outputs):
    """Consecutive batches of an epoch that have the same size.

    Args:
        configs: racers in the order of `loss_of`.
        network: their networks.
        features: the training rows as the network takes them.
        truth: the training targets of a config.
        rows: which of the epoch's rows, counted in the order of training, the block holds.
        size: rows of each batch.
    """

    def __init__(
        self,
        configs: Sequence[RunConfig],
        network: Network,
        features: Tensor,
        truth: Callable[[RunConfig], Tensor],
        rows: slice,
        size: int,
    ) -> None:
        batches, racers = (rows.stop - rows.start) // size, len(configs)
        self.rows, self.size = rows, size
        self._features = features
        self.x = torch.zeros(batches, racers, size, features.shape[1], dtype=features.dtype)

        super().__init__(configs, lambda config: truth(config)[rows], batches, size)
        self._truth = {head.config.fit.labels: truth(head.config) for head in self.heads}
        self.delta = torch.zeros_like(self.raw[0])
        space = network.workspace(size, configs[0].dropout)
        self.batches = [Batch(self, number, space) for number in range(batches)]
        self.gather(torch.arange(len(features))[None])

    def gather(self, orders: Tensor) -> None:
        """Take in the rows of an epoch in a new order, (1 or racers, rows of the epoch)."""
        order = orders[:, self.rows].reshape(len(orders), -1, self.size).transpose(0, 1)
        self.x.copy_(self._features[order])
        for head in self.heads:
            own = order if len(orders) == 1 else order[:, head.racers]
            head.target.copy_(self._truth[head.config.fit.labels][own])
        for team in self.teams:
            if team.weighted:
                team.divide()

    def losses(self) -> Tensor:
        """Each racer's loss on each batch, before its update, (racers, batches) in float64."""
        found = []
        for team in self.teams:
            sums = team.terms().flatten(2).sum(2, dtype=torch.float64)
            found.append(sums / team.divisor.flatten(2)[..., 0].double())
        return torch.cat(found, dim=1).T
