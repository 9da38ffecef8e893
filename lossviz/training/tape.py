"""Going back to any moment of a run: snapshots at ends of epochs, within a bound of memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from lossviz.training.checks import whole
from lossviz.training.engine import RunState
from lossviz.training.snapshot import restore, snapshot

#: Bytes of snapshots that a tape keeps unless it is told otherwise.
TAPE_BYTES: Final = 64 * 2**20


class Tape:
    """Snapshots of one run, from which each of its moments can be reached again.

    While they fit, every epoch has one. Then every second one is let go, again and again, so that the memory stays
    bounded however long the run is; a moment between two snapshots is recomputed from the one before it.

    Args:
        state: a run before its first update, or at any other; the tape does not reach back before it.
        budget: bytes that the snapshots may take; the first one is always kept.

    Raises:
        ValueError: budget is below 0.

    Example:
        >>> from lossviz.training import CLASSIC, Tape, advance, init
        >>> state = init(CLASSIC)
        >>> tape = Tape(state)
        >>> for _ in range(5):
        ...     event = advance(state, 1)
        ...     tape.keep(state)
        >>> back = tape.nearest(3, state)
        >>> back.updates, advance(back, 1) == advance(tape.nearest(3, state), 1)
        (3, True)
    """

    def __init__(self, state: RunState, budget: int = TAPE_BYTES) -> None:
        self._budget = whole("budget", budget, 0, 2**53)
        self._every = 1  # epochs from one snapshot to the next
        self._saved: dict[int, dict[str, Any]] = {}  # by the updates made at each
        self._first = state.updates
        self._bytes = 0
        self._add(state)

    @property
    def bytes(self) -> int:
        """Bytes that the snapshots take."""
        return self._bytes

    def keep(self, state: RunState, *, anew: bool = False) -> None:
        """Take a snapshot, if the run is at the end of an epoch that is due and has none.

        Args:
            state: the run.
            anew: whether the snapshot of this very moment, if there is one, is no longer true: points have changed.
        """
        if anew and state.updates in self._saved:
            self._remove(state.updates)
            self._add(state)
        if state.position == 0 and state.epoch % self._every == 0 and state.updates not in self._saved:
            self._add(state)
            while self._bytes > self._budget and len(self._saved) > 1:
                self._thin(len(state.batches))

    def nearest(self, update: int, state: RunState) -> RunState:
        """Return the run at the moment nearest to `update`, and not after it, that needs no recomputing.

        Args:
            update: how many updates have been made at the moment asked for; not below those at the first snapshot.
            state: the run wherever it stands now, with its config; it is not changed. It is returned itself if it
                stands nearer than every snapshot.

        Raises:
            ValueError: update lies before the first snapshot.
        """
        if update < self._first:
            raise ValueError(f"update is {update}; {self._first} or more is allowed")
        moment = max(moment for moment in self._saved if moment <= update)
        if moment <= state.updates <= update:
            return state
        return restore(state.config, self._saved[moment])

    def cut(self, update: int) -> None:
        """Let go of all snapshots taken after `update` updates: the run goes another way from there."""
        for moment in [moment for moment in self._saved if moment > update]:
            self._remove(moment)

    def _add(self, state: RunState) -> None:
        saved = self._saved[state.updates] = snapshot(state)
        self._bytes += _size(saved)

    def _thin(self, batches: int) -> None:
        """Keep only every second of the snapshots, and the first."""
        self._every *= 2
        for moment in [moment for moment in self._saved if moment % (batches * self._every)]:
            if moment != self._first:
                self._remove(moment)

    def _remove(self, moment: int) -> None:
        self._bytes -= _size(self._saved.pop(moment))


def _size(saved: Mapping[str, Any]) -> int:
    return sum(value.nbytes for value in saved.values() if isinstance(value, np.ndarray))
