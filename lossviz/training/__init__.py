"""Training tiny models as a stream of events.

Example:
    >>> from lossviz.training import CLASSIC, run
    >>> events = list(run(CLASSIC))
    >>> events[0].batch_loss, round(events[-1].batch_loss, 6)
    (30.0, 0.000155)
"""

from lossviz.training.config import BOUNDS, Intervention, RunConfig, losses_for
from lossviz.training.data import Split, dataset
from lossviz.training.engine import Event, RunState, apply, init, measure, run, step
from lossviz.training.gallery import CLASSIC, PLAYGROUND
from lossviz.training.inspect import decision_map, output, predict
from lossviz.training.measure import Measurement
from lossviz.training.snapshot import restore, snapshot

__all__ = [
    "BOUNDS",
    "CLASSIC",
    "PLAYGROUND",
    "Event",
    "Intervention",
    "Measurement",
    "RunConfig",
    "RunState",
    "Split",
    "apply",
    "dataset",
    "decision_map",
    "init",
    "losses_for",
    "measure",
    "output",
    "predict",
    "restore",
    "run",
    "snapshot",
    "step",
]
