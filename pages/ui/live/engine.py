"""One thread that computes for all runs, first come, first served, in slots whose length depends on the load."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import torch

from lossviz.training import TAPE_BYTES

T = TypeVar("T")

#: Seconds of updates in one slot when a run is alone, and the least when many share the engine.
LONGEST_SLOT: Final = 0.012
SHORTEST_SLOT: Final = 0.004
#: A connection costs little while its run is paused; a class of thirty with two windows each fits.
CONNECTIONS: Final = 64
#: Bytes that all runs together may keep to go back in.
ALL_TAPES_BYTES: Final = 8 * TAPE_BYTES


class Engine:
    """Shares one thread among runs.

    Several threads would fight over the interpreter lock: one thread that takes slots in turn does twice the work
    and treats all alike. The length of a slot is the server's to set; a client could only starve the others with it.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "lossviz-engine", initializer=lambda: torch.set_num_threads(1))
        self.connections = 0
        self.running = 0

    @property
    def full(self) -> bool:
        """Whether no further connection can be served."""
        return self.connections >= CONNECTIONS

    @property
    def tape_bytes(self) -> int:
        """Bytes that a run opened now may keep to go back in."""
        return min(TAPE_BYTES, ALL_TAPES_BYTES // max(1, self.connections))

    @property
    def slot(self) -> float:
        """Seconds that one slot may last at the present load."""
        return max(SHORTEST_SLOT, LONGEST_SLOT / max(1, self.running))

    @property
    def window(self) -> int:
        """Frames that may be on their way to a browser: while it draws one, the next is computed."""
        return 2 if self.running <= 1 else 1

    async def call(self, work: Callable[[], T]) -> T:
        """Run `work` when its turn comes."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


ENGINE: Final = Engine()
