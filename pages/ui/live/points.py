"""Points that a learner moves or adds: where they take effect, and which of them a frame has to show."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lossviz.training import Intervention, RunConfig, RunState, Split, dataset_at

#: Points of one part that are drawn at most, besides those that somebody moved or added.
DRAWN_POINTS = 1000


def next_epoch(state: RunState) -> int:
    """The first update of the next epoch that has not begun; of a finished run, of its last one."""
    return state.begun + (len(state.batches) if state.position else 0)


def too_late(state: RunState) -> bool:
    """Whether no epoch is left in which a change could take effect."""
    return state.finished or next_epoch(state) >= state.config.epochs * state.config.updates_per_epoch


def intervention(update: int, row: int | None, point: tuple[float, ...]) -> Intervention:
    """A point that moves, or one that is added where it has no number yet.

    Raises:
        ValueError: it is not allowed in any run.
    """
    return Intervention(update, "add", point) if row is None else Intervention(update, "move", (row, *point))


def from_the_start(config: RunConfig, row: int | None, point: tuple[float, ...]) -> RunConfig:
    """The run anew, with all points as they are in the end and one more change.

    Raises:
        ValueError: the change is not allowed.
    """
    settled = replace(config, interventions=(*config.rate_changes, *config.settled().interventions))
    return settled.with_intervention(intervention(0, row, point))


def points_to_come(state: RunState) -> Split:
    """The points as the learner has arranged them, also where they take effect only when the next epoch begins."""
    return dataset_at(state.config, next_epoch(state)) if state.point_updates else state.split


def drawn_rows(config: RunConfig, split: Split) -> Mapping[str, np.ndarray]:
    """Which rows of each part are drawn: every k-th, for thousands would slow the browser down, and those changed."""
    training, samples = config.training_samples, config.samples or 0
    moved = {item.row for item in config.point_changes if item.kind == "move"}
    found = {}
    for part, first, rows in (("train", 0, training), ("validation", training, samples - training)):
        every = -(-rows // DRAWN_POINTS) or 1
        touched = {row - first for row in moved if first <= row < first + rows}
        found[part] = np.array(sorted({*range(0, rows, every), *touched}), dtype=np.int32)
    added = np.arange(training, len(split.y_train), dtype=np.int32)
    return {**found, "train": np.concatenate([found["train"], added])}


def numbers_of(config: RunConfig, part: str, rows: np.ndarray) -> np.ndarray:
    """The numbers of a part's rows, as moves name them."""
    training, samples = config.training_samples, config.samples or 0
    if part == "validation":
        return (rows + training).astype(np.int32)
    return np.where(rows < training, rows, rows + samples - training).astype(np.int32)


def answer(run: int, made: Intervention, config: RunConfig, branched: bool) -> dict[str, Any]:
    """The message that a change has been made: the change, all that the run now holds, and whether it forgot others."""
    held = {"interventions": config.to_dict()["interventions"], "branched": branched}
    return {"type": "intervention", "run": run, **made.to_dict(), **held}
