"""How far two computers that round differently agree on a run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from lossviz.training import Event, RunConfig, advance, init

# Curves agree where they differ by at most half of the sixth decimal or of the sixth significant digit.
DECIMALS: Final = 5e-7
DIGITS: Final = 5e-6
_NUDGE: Final = {"float32": 2.0**-21, "float64": 2.0**-50}  # a few roundings


def same(found: float | None, expected: float | None) -> bool:
    """Whether two losses agree to six digits, or are both no finite number.

    Example:
        >>> same(0.1234561, 0.1234564), same(0.123456, 0.123457), same(None, None)
        (True, False, True)
    """
    if found is None or expected is None:
        return found is expected
    if abs(found - expected) <= max(DECIMALS, DIGITS * abs(expected)):
        return True
    return found == expected or (math.isnan(found) and math.isnan(expected))


def rounding_epoch(config: RunConfig, events: Iterable[Event]) -> int | None:
    """Return the epoch from which different rounding can show in the first six digits of the losses.

    The run is repeated with first weights that lie a few roundings away. Most runs forget such a difference; a restless
    one doubles it again and again, and then no two kinds of processor give the same curve to the end.

    Args:
        config: the run.
        events: what it brought, in order.

    Returns:
        The epoch; None if six digits agree to the end.

    Example:
        >>> from lossviz.training import CLASSIC, run
        >>> rounding_epoch(CLASSIC, run(CLASSIC)) is None
        True
    """
    state = init(config)
    state.network.parameters.mul_(1.0 + _NUDGE[config.dtype])
    for event in events:
        nudged = advance(state, config.updates_per_epoch)
        # One of the two may stop early a little sooner.
        if nudged is None or not all(
            same(getattr(nudged, name), getattr(event, name))
            for name in ("batch_loss", "train_loss", "validation_loss")
        ):
            return event.epoch
    return None
