"""Frames against symbols: a recording of few frames in which a short sequence of symbols is to be found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, ClassVar, Final

import torch

from lossviz.boards.base import Axis, Board, Handle, Link, State, Variable, put

BLANK: Final = 0


@cache
def alignments(frames: int, symbols: int) -> tuple[tuple[int, ...], ...]:
    """All ways to walk through a target sequence with blanks around its symbols, one place a frame.

    The places are counted 0 to 2 * symbols: even ones are blanks, place 2 i + 1 is the target's symbol i. A walk starts
    on the first blank or symbol, stays, goes on by one, or goes from one symbol to the next past the blank between
    them, and ends on the last symbol or blank. Going past a blank is legal only between unlike symbols; here it is
    always listed.

    Args:
        frames: How many frames there are.
        symbols: How long the target is.

    Returns:
        The walks, each with one place a frame.

    Example:
        >>> alignments(2, 1)
        ((0, 1), (1, 1), (1, 2))
        >>> len(alignments(5, 3))
        28
    """
    last = 2 * symbols

    def walk(done: tuple[int, ...]) -> list[tuple[int, ...]]:
        if len(done) == frames:
            return [done] if done[-1] >= last - 1 else []
        at = done[-1]
        ahead = [at, at + 1, *([at + 2] if at % 2 else [])]
        return [full for place in ahead if place <= last for full in walk((*done, place))]

    return tuple(full for start in (0, 1) for full in walk((start,)))


@dataclass(frozen=True)
class Alignment(Board):
    """A grid with one column a frame and one row a symbol, its logits dragged, its target chosen.

    Args:
        prediction: Starting logits: a row of symbols a frame.
        target: Starting target: numbers of symbols.
        symbols: Their names, the blank first.
        link: Turns the state into the loss's arguments.
    """

    kind: ClassVar[str] = "alignment"
    prediction: tuple[tuple[float, ...], ...]
    target: tuple[float, ...]
    symbols: tuple[str, ...]
    link: Link | None = None

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        legal = tuple(float(index) for index in range(1, len(self.symbols)))
        return (
            Variable("prediction", "Logit", "prediction", ("n", "t", "k"), (self.prediction,)),
            Variable("target", "Target", "target", ("n", "l"), (self.target,), values=legal),
        )

    @property
    def max_samples(self) -> int:
        return 1

    def axis(self, state: State) -> Axis:
        """The axis of the logits, coarser than on a number line: a cell is small."""
        axis = Axis.around(state["prediction"].flatten().tolist(), "Logit")
        return Axis(axis.low, axis.high, 2 * axis.step, axis.label)

    def scene(self, state: State) -> dict[str, Any]:
        _, frames, _ = state["prediction"].shape
        axis = self.axis(state)
        return {
            "axis": {"low": axis.low, "high": axis.high, "step": axis.step, "label": axis.label},
            "symbols": list(self.symbols),
            "alignments": [list(walk) for walk in alignments(frames, state["target"].shape[1])],
        }

    def handles(self, state: State) -> tuple[Handle, ...]:
        _, frames, symbols = state["prediction"].shape
        axis = self.axis(state)
        names = self.symbols[:symbols]
        logits = []
        for frame in range(frames):
            for index, name in enumerate(names):
                at, flat = (float(state["prediction"][0, frame, index]),), frame * symbols + index
                title = f"Frame {frame + 1} logit {name}"
                place = put("prediction", (flat,))
                logits.append(
                    Handle(title, "line", "prediction", 0, (flat,), at, (axis.positions(at),), place, axes=(axis,))
                )
        values = torch.arange(1, symbols, dtype=torch.float64)
        targets = [
            Handle(
                f"Target {place + 1}",
                "choice",
                "target",
                0,
                (place,),
                (float(state["target"][0, place]),),
                (values,),
                put("target", (place,)),
                choices=tuple(names[1:]),
            )
            for place in range(state["target"].shape[1])
        ]
        return (*logits, *targets)
