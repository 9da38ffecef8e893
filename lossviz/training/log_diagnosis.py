"""What the curves in a log of a run made elsewhere say."""

from __future__ import annotations

import numpy as np

from lossviz.training.diagnosis import Diagnosis, diagnose_curves
from lossviz.training.logs import Log


def diagnose_log(log: Log) -> Diagnosis:
    r"""Say how a run went of which only the log is known.

    Validation losses are often noted more rarely than training losses: then the training loss is read off at the same
    steps, on the straight line between its neighbours.

    Args:
        log: what `read_log` returned.

    Returns:
        The diagnosis; of kind "waiting" if the log has no training loss.

    Example:
        >>> from lossviz.training.logs import read_log
        >>> diagnose_log(read_log("run.csv", "epoch,loss\n1,0.9\n2,0.5\n3,nan\n")).sentence.split(":")[0]
        'At epoch 3 the training loss is not a number'
    """
    unit = log.counts if log.counts in {"epoch", "step", "iteration", "update", "row"} else "step"
    if "train_loss" not in log.series:
        held = ", ".join(list(log.series)[:8])
        return Diagnosis("waiting", f"This log has no training loss, so nothing is said about it. It has: {held}.")
    steps, train = log.series["train_loss"]
    if "validation_loss" in log.series and np.isfinite(train).all():
        places, validation = log.series["validation_loss"]
        if len(places) >= 12:
            aligned = diagnose_curves(np.interp(places, steps, train), validation, places, unit)
            if aligned.kind == "validation rising":
                return aligned
    return diagnose_curves(train, None, steps, unit)
