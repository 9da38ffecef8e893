"""The points of a run: split into training and validation part, and prepared for the passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from lossviz import datasets
from lossviz.datasets.base import Array, Dataset, split_rows
from lossviz.datasets.own_points import OwnPoints
from lossviz.models import with_ones
from lossviz.training.config import RunConfig
from lossviz.training.interventions import Intervention
from lossviz.training.remembered import remembered

TORCH_DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True, eq=False)
class Split:
    """The points of a run in raw units; targets are numbers or class numbers from 0. All arrays are read-only.

    `mean` and `spread` are those of the training part's features: `(x - mean) / spread` is what a standardised
    model sees. A feature that never changes has spread 1.
    """

    x_train: Array
    y_train: Array
    x_validation: Array
    y_validation: Array
    feature_names: tuple[str, ...]
    target_name: str
    classes: tuple[str, ...]
    task: datasets.Task
    mean: Array
    spread: Array


def dataset(config: RunConfig) -> Split:
    """Return the points that a run uses.

    Args:
        config: its data set, samples, noise, data seed, validation fraction, whether it is stratified, and
            interventions at update 0 count.

    Returns:
        The split as it is before the first update; rows keep the data set's order within each part.

    Example:
        >>> from lossviz.training import RunConfig, dataset
        >>> split = dataset(RunConfig(dataset="iris", validation_fraction=0.2))
        >>> split.x_train.shape, split.x_validation.shape, split.classes
        ((120, 4), (30, 4), ('setosa', 'versicolor', 'virginica'))
    """
    return dataset_at(config, 0)


@remembered(64)
def dataset_at(config: RunConfig, update: int) -> Split:
    """Return the points that an update uses.

    Args:
        config: its data set, samples, noise, data seed, validation fraction, whether it is stratified, and
            interventions count.
        update: number of the update, counted from 0.

    Returns:
        The split. Points added to the training part follow its others; mean and spread are those of the points that
        nobody has moved.

    Example:
        >>> from lossviz.training import CLASSIC, Intervention, dataset_at
        >>> config = CLASSIC.with_intervention(Intervention(update=100, kind="move", value=(3, 4, 20)))
        >>> dataset_at(config, 99).y_train.tolist(), dataset_at(config, 100).y_train.tolist()
        ([2.0, 4.0, 6.0, 8.0], [2.0, 4.0, 6.0, 20.0])
    """
    return _rearranged(original(config), tuple(item for item in config.point_changes if item.update <= update))


def original(config: RunConfig) -> Split:
    """Return the points before anybody has moved one or added to them."""
    assert config.samples is not None
    assert config.noise is not None
    drawn = (config.samples, config.noise, config.data_seed, config.validation_samples, config.stratify)
    if config.own is None:
        return _split(config.dataset, *drawn)
    latest = _OWN.get(config.own)
    if latest is None or latest[0] != drawn:
        latest = _OWN[config.own] = (drawn, _split_of(config.data, *drawn))
    return latest[1]


#: The latest split of own data, for as long as somebody holds the data.
_OWN: WeakKeyDictionary[OwnPoints, tuple[tuple[int, float, int, int, bool], Split]] = WeakKeyDictionary()


@lru_cache(maxsize=64)
def _split(key: str, samples: int, noise: float, seed: int, held_out: int, stratify: bool) -> Split:
    return _split_of(datasets.get(key), samples, noise, seed, held_out, stratify)


def _split_of(data: Dataset, samples: int, noise: float, seed: int, held_out: int, stratify: bool) -> Split:
    x, y = data.generate(samples, noise, seed)
    train, validation = split_rows(samples, seed, held_out, y if stratify else None)
    spread = x[train].std(axis=0)
    split = Split(
        x_train=x[train],
        y_train=y[train],
        x_validation=x[validation],
        y_validation=y[validation],
        feature_names=data.feature_names,
        target_name=data.target_name,
        classes=data.classes,
        task=data.task,
        mean=x[train].mean(axis=0),
        spread=np.where(spread > 0, spread, 1.0),
    )
    return _frozen(split)


def _rearranged(split: Split, changes: tuple[Intervention, ...]) -> Split:
    """Return the points after moves and additions."""
    if not changes:
        return split
    samples, added = len(split.y_train) + len(split.y_validation), sum(item.kind == "add" for item in changes)
    # In the order of their numbers: training points, validation points, those added.
    x = np.concatenate([split.x_train, split.x_validation, np.zeros((added, split.x_train.shape[1]))])
    y = np.concatenate([split.y_train, split.y_validation, np.zeros(added, split.y_train.dtype)])
    row = samples
    for item in changes:
        at = item.row if item.kind == "move" else row
        x[at], y[at] = item.point
        row += item.kind == "add"
    train = np.r_[: len(split.y_train), samples : samples + added]
    validation = np.arange(len(split.y_train), samples)
    return _frozen(
        replace(split, x_train=x[train], y_train=y[train], x_validation=x[validation], y_validation=y[validation])
    )


def _frozen(split: Split) -> Split:
    for value in vars(split).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return split


def features(config: RunConfig, x: Array) -> Tensor:
    """Return raw features as the model takes them: standardised if the config says so, with a column of ones."""
    if config.standardise:
        split = original(config)
        x = (x - split.mean) / split.spread
    return with_ones(torch.from_numpy(np.array(x, dtype=np.float64)).to(TORCH_DTYPES[config.dtype]))


_ENCODERS: dict[str, Callable[[Tensor, int, torch.dtype], Tensor]] = {
    "value": lambda y, classes, dtype: y.to(dtype),
    "zero_one": lambda y, classes, dtype: y.to(dtype),
    "plus_minus": lambda y, classes, dtype: (2.0 * y - 1.0).to(dtype),
    "index": lambda y, classes, dtype: y.long(),
    "one_hot": lambda y, classes, dtype: torch.nn.functional.one_hot(y.long(), classes).to(dtype),
}


def targets(config: RunConfig, y: Array) -> Tensor:
    """Return targets as the loss takes them: numbers, 0/1, -1/+1, class numbers or one-hot rows."""
    classes = len(config.data.classes)
    return _ENCODERS[config.fit.labels](torch.from_numpy(y.copy()), classes, TORCH_DTYPES[config.dtype])


class Rows:
    """Some points as the passes take them, with room for their predictions.

    `prediction` has shape (rows, outputs); `inputs` holds the same memory in the shape the loss takes, and the
    targets. Slices share memory with the whole.
    """

    def __init__(self, x: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.x = x
        self.target = target
        self.prediction = prediction
        shaped = prediction if prediction.shape[1] > 1 else prediction.view(-1)
        self.inputs = {"prediction": shaped, "target": target}

    def __len__(self) -> int:
        return self.x.shape[0]

    @classmethod
    def of(cls, config: RunConfig, x: Array, y: Array) -> Rows:
        """Return the rows of raw features and targets."""
        prepared = features(config, x)
        return cls(prepared, targets(config, y), torch.zeros(len(x), config.sizes[-1], dtype=prepared.dtype))

    def empty_like(self) -> Rows:
        """Return rows of the same shape with memory of their own."""
        return Rows(self.x.clone(), self.target.clone(), self.prediction.clone())

    def batches(self, sizes: Sequence[int]) -> list[Rows]:
        """Return consecutive slices of so many rows each."""
        ends = list(accumulate(sizes))
        return [self.slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]

    def slice(self, start: int, stop: int) -> Rows:
        """Return the rows from start to before stop."""
        return Rows(self.x[start:stop], self.target[start:stop], self.prediction[start:stop])
