"""Which points may be moved and added, and what that does to the batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lossviz.datasets.base import Dataset
from lossviz.training.bounds import whole_bounds
from lossviz.training.interventions import Intervention

if TYPE_CHECKING:
    from lossviz.training.config import RunConfig


def movable(data: Dataset) -> bool:
    """Whether points can be drawn where they lie: over one feature, for a number or two classes, or over two features.

    Example:
        >>> from lossviz import datasets
        >>> movable(datasets.get("outliers")), movable(datasets.get("iris"))
        (True, False)
    """
    features = len(data.feature_names)
    return (features == 1 and data.task != "multiclass") or (features == 2 and data.task != "regression")


def check_points(changes: Iterable[Intervention], data: Dataset, samples: int, updates_per_epoch: int) -> None:
    """Refuse points that a run cannot have.

    Args:
        changes: moves and additions in the order in which they take effect.
        data: the data set.
        samples: number of points that nobody has added.
        updates_per_epoch: updates in one epoch.

    Raises:
        ValueError: says which part of a change is not allowed, and what is.
    """
    rows, most = samples, whole_bounds("added")[1]
    for item in changes:
        if not movable(data):
            raise ValueError(
                f"a point is to {item.kind}, and the data set is {data.key!r}; points move where they are drawn: over "
                "one feature, for a number or two classes, or over two features, for classes"
            )
        if item.update % updates_per_epoch:
            raise ValueError(
                f"intervention.update of a point is {item.update}; the first update of an epoch is allowed, a "
                f"multiple of {updates_per_epoch}"
            )
        if item.kind == "move" and item.row >= rows:
            raise ValueError(
                f"the row in intervention.value is {item.row}; a whole number from 0 to {rows - 1} is allowed"
            )
        rows += item.kind == "add"
        if rows > samples + most:
            raise ValueError(f"{rows - samples} points are added; at most {most} are allowed")
        features, target = item.point
        if len(features) != len(data.feature_names):
            raise ValueError(
                f"intervention.value has {len(features)} feature{'s' * (len(features) > 1)}; the data set {data.key!r} "
                f"has {len(data.feature_names)}"
            )
        if data.classes and target not in range(len(data.classes)):
            raise ValueError(
                f"the class in intervention.value is {target:g}; a whole number from 0 to {len(data.classes) - 1} is "
                "allowed"
            )


def in_words(config: RunConfig, change: Intervention) -> str:
    """Return what becomes of a point; points count from 1 in the training part and in the validation part.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> in_words(CLASSIC, Intervention(0, "move", (3, 4, 20)))
        'point 4 at x = 4.0, y = 20.0'
    """
    features, target = change.point
    names = config.data.feature_names
    place = ", ".join(f"{name} = {value!r}" for name, value in zip(names, features, strict=True))
    classes = config.data.classes
    place += f", {config.data.target_name} = {classes[int(target)] if classes else repr(target)}"
    if change.kind == "add":
        return f"a new point at {place}"
    row, training, samples = change.row, config.training_samples, config.samples or 0
    if training <= row < samples:
        return f"validation point {row - training + 1} at {place}"
    return f"point {(row if row < training else row - samples + training) + 1} at {place}"


def batch_sizes(rows: int, size: int, added: int) -> list[int]:
    """Return how many samples each batch of an epoch holds.

    There are as many batches as without added points; each added point makes the smallest one larger, of several the
    last.

    Args:
        rows: training points that nobody has added.
        size: samples in a batch.
        added: points added.

    Example:
        >>> batch_sizes(10, 4, 0), batch_sizes(10, 4, 1), batch_sizes(10, 4, 4)
        ([4, 4, 2], [4, 4, 3], [4, 5, 5])
    """
    sizes = [min(size, rows - start) for start in range(0, rows, size)]
    for _ in range(added):
        smallest = min(sizes)
        sizes[len(sizes) - 1 - sizes[::-1].index(smallest)] += 1
    return sizes
