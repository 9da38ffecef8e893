"""The batches of runs that go on in step, laid out so that one update takes few operations on tensors without gaps.

At the sizes of these models an operation costs about the same whatever it works on. So racers stand in an order in
which those with the same labels are neighbours, and among them those with the same loss: what a loss does is done once
for all its racers, straight on a slice of the network's raw outputs, and repeated without torch (see `Recorded`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor

from lossviz import losses
from lossviz.models import LINKS, Network
from lossviz.training.config import RunConfig
from lossviz.training.data import TORCH_DTYPES
from lossviz.training.operations import Array, Instruction
from lossviz.training.recorded import Recorded, Repeated, play

#: Most outputs for which what is done with them is recorded. With more of them the way into an operation counts little,
#: and a recording keeps the memory of every step.
RECORDED_HIGH: Final = 30_000


def recordable(outputs: int) -> bool:
    """Whether what is done with so many outputs is recorded."""
    return outputs <= RECORDED_HIGH


#: Most batches that have room at a time; each has instructions of its own.
SLOTS: Final = 100


def loss_of(config: RunConfig) -> tuple[str, ...]:
    """What racers of one team share; sorted by it, those with the same labels are neighbours.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> loss_of(CLASSIC)
        ('value', 'identity', 'mse', '()')
    """
    return (config.fit.labels, config.fit.link, config.loss_key, repr(config.loss_parameters))


def neighbours(configs: Sequence[RunConfig], key: Callable[[RunConfig], Any]) -> Iterator[tuple[slice, RunConfig]]:
    """Give racers that stand behind each other and agree in something, with the first of them."""
    start = 0
    for _, members in groupby(configs, key):
        found = list(members)
        yield slice(start, start + len(found)), found[0]
        start += len(found)


class Team:
    """Racers of a head that stand behind each other and share their loss with its link.

    Args:
        racers: where they stand in the head.
        config: one of them.
        raw: the outputs of the head's racers, (batches, racers, rows, outputs).
        target: what they meet, (batches, racers, rows, …).
    """

    def __init__(self, racers: slice, config: RunConfig, raw: Tensor, target: Tensor) -> None:
        self.racers = racers
        self._raw, self._target = raw[:, racers], target[:, racers]
        self._link = LINKS[config.fit.link]
        self._loss = losses.get(config.loss_key)
        self._parameters = config.parameters
        # Only class weights make the divisor differ from batch to batch.
        self.weighted = self._parameters.get("weight") is not None

    def divisors(self, rows: slice) -> Tensor:
        """What the sum over some rows of each batch is divided by, (batches, racers) or 1 for all, in float64."""
        inputs = _inputs(_without_single(self._raw[:, :, rows]), self._target[:, :, rows])
        found = self._loss.denominator(inputs, self._parameters, "mean")
        return torch.as_tensor(found, dtype=torch.float64).expand(self._raw.shape[:2])

    def _predict(self, raw: Tensor) -> Tensor:
        raw = _without_single(raw)
        return raw if self._link.key == "identity" else self._link.function(raw)

    def slope(self, raw: Tensor, target: Tensor) -> Tensor:
        """The derivative of the sum of the terms with respect to the raw outputs, (batches, racers, rows, …)."""
        prediction = self._predict(raw)
        slope = cast(Tensor, self._loss.derivative(_inputs(prediction, target), self._parameters))
        if self._link.key == "identity":
            return slope
        return self._link.backward(slope.clone() if raw.shape[-1] > 1 else slope, prediction)

    def part(self, slopes: Tensor) -> Tensor:
        """The team's part of the slopes of its head for one batch, in the shape that `slope` gives them."""
        return _without_single(slopes[self.racers])

    def write(self, what: Callable[..., Tensor], batches: slice, out: Tensor) -> None:
        """Leave in `out` what `slope` or `sums` gives for some batches."""
        out.copy_(what(self._raw[batches], self._target[batches]))

    def sums(self, raw: Tensor, target: Tensor) -> Tensor:
        """The sum of the terms of each row, (batches, racers, rows)."""
        terms = self._loss.terms(_inputs(self._predict(raw), target), self._parameters)
        return terms.flatten(3).sum(-1) if terms.dim() > 3 else terms


def _without_single(raw: Tensor) -> Tensor:
    """Outputs without their axis where a row has one alone."""
    return raw[..., 0] if raw.shape[-1] == 1 else raw


def _inputs(prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
    return {"prediction": prediction, "target": target}


@dataclass(frozen=True)
class Head:
    """Racers that stand behind each other and meet the same labels, (batches, racers, rows, …)."""

    racers: slice
    config: RunConfig
    target: Tensor
    teams: list[Team]


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
        for racers, first in neighbours(configs, lambda config: config.fit.labels):
            target = truth(first)
            target = target.view(batches, 1, rows, *target.shape[1:])
            target = target.repeat(1, racers.stop - racers.start, *[1] * (target.dim() - 2))
            teams = [
                Team(own, config, self.raw[:, racers], target) for own, config in neighbours(configs[racers], loss_of)
            ]
            self.heads.append(Head(racers, first, target, teams))
        self.recorded: list[Recorded] = []

    def record(self, head: Head, functions: Sequence[Callable[..., Tensor]], *, at_once: bool) -> Recorded:
        """Record what the teams of a head do with its outputs and targets: a function of each, or several rounds."""
        racers = [team.racers for team in head.teams] * (len(functions) // len(head.teams))
        found = Recorded(functions, racers, self.raw[:, head.racers], head.target, at_once=at_once)
        self.recorded.append(found)
        return found

    def settle(self) -> None:
        """Take notice of new targets."""
        for recorded in self.recorded:
            recorded.settle()


class Sums(Outputs):
    """What is worked out once an epoch: the losses of the batches, as they were before their updates, and of the parts.

    Its rows are those of the batches in the order of training, and behind them the rows of all parts.

    Args:
        configs: racers in the order of `loss_of`.
        network: their networks.
        x: the rows of all parts as the network takes them, (racers, rows, features + 1).
        truth: the targets of the parts, as a config's loss takes them; the first part is trained on.
        parts: rows of each.
    """

    def __init__(
        self,
        configs: Sequence[RunConfig],
        network: Network,
        x: Tensor,
        truth: Callable[[RunConfig], Sequence[Tensor]],
        parts: Sequence[int],
    ) -> None:
        self._count, racers = parts[0], len(configs)
        super().__init__(configs, lambda config: _twice_the_first(truth(config)), 1, parts[0] + sum(parts))
        #: The raw outputs of the parts, (racers, rows, outputs).
        self.parts = self.raw[0][:, self._count :]
        self._sums = torch.zeros(1, racers, self.raw.shape[2], dtype=self.raw.dtype)
        space = network.workspace(sum(parts)).into(self.parts)
        self._program = Repeated(lambda: network.forward(x, space), []).instead([])
        for head in self.heads:
            outs = [self._sums[:, head.racers][:, team.racers] for team in head.teams]
            if recordable(self.raw.numel()):
                recorded = self.record(head, [team.sums for team in head.teams], at_once=True)
                self._program += recorded.whole(outs)
            else:
                self._program += [
                    (team.write, (team.sums, slice(None), out)) for team, out in zip(head.teams, outs, strict=True)
                ]
        self._starts = list(accumulate(parts[:-1], initial=parts[0]))
        # What a row's sum counts in the loss.
        self._weights = torch.zeros_like(self._sums[0], dtype=torch.float64)
        self._weighted = torch.zeros_like(self._weights).numpy()
        self._program.append((np.multiply, (self._sums[0].numpy(), self._weights.numpy(), self._weighted)))
        teams = [team for head in self.heads for team in head.teams]
        for start, rows in zip(self._starts, parts, strict=True):
            part = slice(start, start + rows)
            self._weights[:, part] = 1.0 / torch.cat([team.divisors(part) for team in teams], 1)[0][:, None]

    def weigh(self, block: Block, rows: slice, batches: int) -> None:
        """Take over how much the rows of a block's first batches count."""
        weights = block.size / self._count / block.divisor[:batches, :, 0].double()
        np.copyto(*_behind_each_other(self._weights[:, rows], weights))

    def keeping(self, raw: Tensor, rows: slice) -> Instruction:
        """What takes over the outputs of batches that stand at some rows in the order of training."""
        return np.copyto, _behind_each_other(self.raw[0][:, rows], raw)

    def take_targets(self, block: Block, rows: slice, batches: int) -> None:
        """Take over what the outputs of a block's first batches are compared with; `settle` when all have been."""
        for own, head in zip(self.heads, block.heads, strict=True):
            np.copyto(*_behind_each_other(own.target[0][:, rows], head.target[:batches]))
        if block.weighted:
            self.weigh(block, rows, batches)

    def losses(self) -> list[list[float]]:
        """For each racer the mean of its batches' losses, weighted by their rows, and the losses of the parts."""
        play(self._program)
        return cast(list[list[float]], np.add.reduceat(self._weighted, [0, *self._starts], axis=1).tolist())


def _behind_each_other(room: Tensor, batches: Tensor) -> tuple[Array, Array]:
    """Room for (racers, all rows, …), and (batches, racers, rows or 1, …) as it is copied there."""
    count, racers = batches.shape[:2]
    return room.view(racers, count, -1, *room.shape[2:]).numpy(), batches.transpose(0, 1).numpy()


def _twice_the_first(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([parts[0], *parts])


class Block(Outputs):
    """Consecutive batches of an epoch that have the same size.

    Args:
        configs: racers in the order of `loss_of`.
        network: their networks.
        features: the training rows as the network takes them.
        truth: the training targets of a config.
        rows: which of the epoch's rows, counted in the order of training, the block holds.
        size: rows of each batch.
        generator: draws the masks of dropout.
        sums: takes over the outputs.
    """

    def __init__(
        self,
        configs: Sequence[RunConfig],
        network: Network,
        features: Tensor,
        truth: Callable[[RunConfig], Tensor],
        rows: slice,
        size: int,
        generator: torch.Generator,
        sums: Sums,
    ) -> None:
        self.size = size
        batches, racers = min(SLOTS, (rows.stop - rows.start) // size), len(configs)
        self._features = features
        # A feature's numbers lie side by side, as a unit's do in the networks.
        self.x = torch.zeros(batches, racers, features.shape[1], size, dtype=features.dtype).mT
        super().__init__(configs, lambda config: truth(config)[rows][: batches * size], batches, size)
        self._truth = [truth(head.config) for head in self.heads]
        # What the sum of a batch's terms is divided by.
        self.divisor = torch.ones(batches, racers, 1, 1, dtype=self.raw.dtype)
        for head in self.heads:
            for team in head.teams:
                self._divide(head, team)
        self.weighted = any(team.weighted for head in self.heads for team in head.teams)
        self._programs = self._record(network, configs[0].dropout, generator)
        self._gather(torch.arange(rows.stop)[None], slice(rows.start, rows.start + batches * size))
        self._sums = sums
        # The rows that there is room for at a time, how many batches they are, and what keeps their outputs.
        self._rooms: list[tuple[slice, int, list[Instruction]]] = []
        room = SLOTS * size
        for start in range(rows.start, rows.stop, room):
            part = slice(start, min(start + room, rows.stop))
            batches = (part.stop - start) // size
            sums.weigh(self, part, batches)
            self._rooms.append((part, batches, [sums.keeping(self.raw[:batches], part)]))

    def rounds(self, orders: Tensor | None) -> Iterator[list[Instruction]]:
        """Take in as many batches as there is room for at a time, and give what works out the gradient for each.

        Args:
            orders: the rows of an epoch in a new order, (1 or racers, rows of the epoch); None if it stays as it is.
        """
        for rows, batches, keep in self._rooms:
            if orders is not None:
                self._gather(orders, rows)
                self._sums.take_targets(self, rows, batches)
            yield from self._programs[:batches]
            play(keep)

    def _record(self, network: Network, dropout: float, generator: torch.Generator) -> list[list[Instruction]]:
        slope, space = torch.zeros_like(self.raw[0]), network.workspace(self.size, dropout)
        delta = torch.zeros_like(slope.mT, memory_format=torch.contiguous_format).mT
        x, raw = self.x[0], self.raw[0]
        space = space.into(raw)
        # A trial is no training: what it changes is put back.
        running, state = network.running.clone(), generator.get_state()
        there = Repeated(lambda: network.train(x, space, generator), [x, raw])
        back = Repeated(lambda: network.backward(x, delta, space), [x, raw])
        network.running.copy_(running)
        generator.set_state(state)
        slopes = self._slopes(slope)
        return [
            [
                *there.instead([self.x[number], self.raw[number]]),
                *slopes(number),
                (np.divide, (slope.numpy(), self.divisor[number].numpy(), delta.numpy())),
                *back.instead([self.x[number], self.raw[number]]),
            ]
            for number in range(len(self.x))
        ]

    def _slopes(self, slope: Tensor) -> Callable[[int], list[Instruction]]:
        """What leaves the slopes of a batch in `slope`, before they are divided."""
        parts = [[team.part(slope[head.racers]) for team in head.teams] for head in self.heads]
        if recordable(self.raw[0].numel()):
            recorded = [self.record(head, [team.slope for team in head.teams], at_once=False) for head in self.heads]
            return lambda number: [
                instruction
                for slopes, outs in zip(recorded, parts, strict=True)
                for instruction in slopes.batch(number, outs)
            ]
        return lambda number: [
            (team.write, (team.slope, slice(number, number + 1), out[None]))
            for head, outs in zip(self.heads, parts, strict=True)
            for team, out in zip(head.teams, outs, strict=True)
        ]

    def _divide(self, head: Head, team: Team) -> None:
        """Work out a team's divisors for the targets as they are now."""
        self.divisor[:, head.racers][:, team.racers] = team.divisors(slice(None))[..., None, None]

    def _gather(self, orders: Tensor, rows: slice) -> None:
        order = orders[:, rows].reshape(len(orders), -1, self.size).transpose(0, 1)
        batches = order.shape[0]
        self.x[:batches] = self._features[order]
        for head, truth in zip(self.heads, self._truth, strict=True):
            head.target[:batches] = truth[order if len(orders) == 1 else order[:, head.racers]]
            for team in head.teams:
                if team.weighted:
                    self._divide(head, team)
        self.settle()
