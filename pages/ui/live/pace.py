"""A set speed: how far a run may have come by now."""

import math
import time
from typing import Final

#: After a stall (a slow connection, a busy server) a run at a set speed goes on from there instead of catching up.
LONGEST_LAG: Final = 0.25


class Pace:
    """Counts steps, updates or epochs, at a set rate from a moment on."""

    def __init__(self) -> None:
        self._done = 0
        self._since = 0.0

    def begin(self, done: int) -> None:
        """Count from here: so many steps have been made."""
        self._done, self._since = done, time.monotonic()

    def due(self, rate: float | None, done: int) -> float:
        """How many steps may have been made by now, at so many a second; all of them if there is no rate."""
        if rate is None:
            return math.inf
        due = self._done + 1 + int((time.monotonic() - self._since) * rate)
        if due - done > max(1.0, LONGEST_LAG * rate):
            self.begin(done)
            return done + 1
        return due

    def wait(self, rate: float, done: int) -> float:
        """Seconds until the next step after those made is due."""
        return max(0.0, self._since + (done - self._done) / rate - time.monotonic())
