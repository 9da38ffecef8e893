"""The data sets that a model can be trained on, by key.

Example:
    >>> from lossviz import datasets
    >>> datasets.keys()[:4]
    ('diabetes', 'four_points', 'sine', 'outliers')
    >>> datasets.get("iris").classes
    ('setosa', 'versicolor', 'virginica')
"""

from __future__ import annotations

from difflib import get_close_matches

from . import classification, real, regression, reviews
from .base import SAMPLES_HIGH, Dataset, Task

__all__ = ["SAMPLES_HIGH", "Dataset", "Task", "get", "keys"]

_DATASETS = {
    dataset.key: dataset
    for dataset in (
        real.DIABETES,
        regression.FOUR_POINTS,
        regression.SINE,
        regression.OUTLIERS,
        real.BREAST_CANCER,
        classification.EXAM,
        classification.CIRCLE,
        classification.XOR,
        classification.GAUSSIANS,
        classification.SPIRAL,
        classification.MOONS,
        reviews.REVIEWS,
        real.IRIS,
        real.WINE,
        real.DIGITS,
        classification.BLOBS,
    )
}


def keys(task: Task | None = None) -> tuple[str, ...]:
    """Return the keys of all data sets, or of those of one task; real data comes first within its task.

    Args:
        task: "regression", "binary", "multiclass" or None for all.

    Returns:
        The keys, in the order in which a page should show them.

    Example:
        >>> from lossviz import datasets
        >>> datasets.keys("multiclass")
        ('iris', 'wine', 'digits', 'blobs')
    """
    return tuple(key for key, dataset in _DATASETS.items() if task is None or dataset.task == task)


def get(key: str) -> Dataset:
    """Return the data set of that key.

    Args:
        key: one of `keys()`.

    Returns:
        The data set, with its title, meaning, bounds and the function that makes its points.

    Raises:
        KeyError: there is no such data set; the message holds the nearest names.

    Example:
        >>> from lossviz import datasets
        >>> datasets.get("diabetes").samples
        442
    """
    if key not in _DATASETS:
        near = get_close_matches(str(key), _DATASETS, n=3) or list(_DATASETS)
        raise KeyError(f"unknown data set {key!r}; nearest: {', '.join(near)}")
    return _DATASETS[key]
