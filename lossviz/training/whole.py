"""The only batch of an epoch, trained as it is measured: one pass serves the epoch behind and the update ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lossviz.models import Network
from lossviz.training.blocks import Outputs, recordable
from lossviz.training.config import RunConfig
from lossviz.training.operations import Array, Instruction
from lossviz.training.recorded import Repeated, play


class Whole(Outputs):
    """Losses of all parts, and the slopes of the training part, from the same raw outputs.

    The outputs with which an epoch ends are those that the next update starts from, and losses and slopes have steps in
    common.

    Args:
        configs: racers in the order of `loss_of`; `is_whole` must hold for them.
        network: their networks.
        x: the rows of all parts as the network takes them, (racers, rows, features + 1); the first part is trained on.
        truth: the targets of the parts, as a config's loss takes them.
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
        super().__init__(configs, lambda config: torch.cat(list(truth(config))), 1, sum(parts))
        #: The raw outputs of the parts, (racers, rows, outputs).
        self.parts = self.raw[0]
        self._starts = list(accumulate(parts[:-1], initial=0))
        rows = [slice(start, start + count) for start, count in zip(self._starts, parts, strict=True)]
        # Each part has memory of its own, through which the update ahead runs without gaps.
        spaces = [network.workspace(part.stop - part.start).into(self.parts[:, part]) for part in rows]
        self._program: list[Instruction] = []
        for part, space in zip(rows, spaces, strict=True):
            self._program += Repeated(partial(network.forward, x[:, part], space), []).instead([])
        slope = torch.zeros_like(self.parts)
        self._sums = torch.zeros(1, len(configs), sum(parts), dtype=self.raw.dtype)
        for head in self.heads:
            functions = [*(team.sums for team in head.teams), *(team.slope for team in head.teams)]
            outs = [
                *(self._sums[:, head.racers][:, team.racers] for team in head.teams),
                *(team.part(slope[head.racers])[None] for team in head.teams),
            ]
            self._program += self.record(head, functions, at_once=True).whole(outs)
        teams = [team for head in self.heads for team in head.teams]
        divisors = [torch.cat([team.divisors(part) for team in teams], 1)[0] for part in rows]
        self._divisors = torch.stack(divisors, 1).numpy()
        trained = rows[0]
        delta = torch.zeros_like(slope[:, trained].mT, memory_format=torch.contiguous_format).mT
        divisor = divisors[0].to(slope.dtype)[:, None, None]
        back = Repeated(lambda: network.backward(x[:, trained], delta, spaces[0]), []).instead([])
        self._training: list[Instruction] = [
            (np.divide, (slope[:, trained].numpy(), divisor.numpy(), delta.numpy())),
            *back,
        ]
        with np.errstate(all="ignore"):
            self._before = self._measured()[:, 0]

    def rounds(self, orders: Tensor | None) -> Iterator[list[Instruction]]:
        """Give what works out the gradient of the only batch; its rows have no order."""
        yield self._training

    def _measured(self) -> Array:
        play(self._program)
        sums = np.add.reduceat(self._sums[0].numpy(), self._starts, axis=1, dtype=np.float64)
        return cast(Array, sums / self._divisors)

    def losses(self) -> list[list[float]]:
        """For each racer the loss of the batch as it was before the update, and the losses of the parts now."""
        found = self._measured()
        before, self._before = self._before, found[:, 0]
        return cast(list[list[float]], np.column_stack([before, found]).tolist())


def is_whole(config: RunConfig, outputs: int) -> bool:
    """Whether runs of a config's form have one batch, which is trained as it is measured, and small enough to record.

    Args:
        config: one of them.
        outputs: raw outputs of all parts, of all runs.

    Example:
        >>> from lossviz.training import CLASSIC, PLAYGROUND
        >>> is_whole(CLASSIC, 100), is_whole(PLAYGROUND, 100)
        (True, False)
    """
    same = not config.batch_norm and not (config.dropout and config.hidden)
    return config.updates_per_epoch == 1 and same and recordable(outputs)
