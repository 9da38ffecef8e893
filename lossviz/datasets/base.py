"""What a data set is: where its points come from, what they mean and how many there may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

Task = Literal["regression", "binary", "multiclass"]
Array = NDArray[np.floating[Any]]

SAMPLES_HIGH = 5000


@dataclass(frozen=True)
class Image:
    """How the features of a sample are pixels: row by row from the top left; 0 is white and `black` is black."""

    rows: int
    columns: int
    black: float

    def ink(self, x: Array) -> NDArray[np.uint8]:
        """Return pixels as whole numbers from 0 (white) to 255 (black), in the shape of x."""
        ink: NDArray[np.uint8] = np.rint(255.0 * np.clip(x / self.black, 0.0, 1.0)).astype(np.uint8)
        return ink


@dataclass(frozen=True)
class Dataset:
    """One data set: its meaning in words and the function that makes its points.

    `draw(samples, noise, generator)` returns features of shape (samples, features) in raw units and targets of
    shape (samples,): numbers for regression, class numbers from 0 for the other tasks. Real data ignores `noise`
    (its bound is 0) and returns its rows in file order; fewer samples than rows are drawn without replacement.
    `image` says how the features are pixels; None where they are not.
    Where there is a `vocabulary` the samples are texts: features are numbers of words in it, padded in front with 0.
    """

    key: str
    title: str
    task: Task
    description: str
    feature_names: tuple[str, ...]
    target_name: str
    draw: Callable[[int, float, np.random.Generator], tuple[Array, Array]]
    samples: int
    samples_low: int = 10
    samples_high: int = SAMPLES_HIGH
    noise: float = 0.0
    noise_high: float = 0.0
    noise_meaning: str = ""
    classes: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    real: bool = False
    image: Image | None = None

    @property
    def noun(self) -> str:
        """What its samples are called, in the plural."""
        return "reviews" if self.vocabulary else "points"

    @property
    def outputs(self) -> int:
        """Number of outputs a model needs: one for each of three or more classes, else one."""
        return len(self.classes) if self.task == "multiclass" else 1

    def generate(self, samples: int, noise: float, seed: int) -> tuple[Array, Array]:
        """Return features and targets; the same arguments always give the same numbers.

        Args:
            samples: number of points, from `samples_low` to `samples_high`.
            noise: from 0 to `noise_high`; `noise_meaning` says what it does.
            seed: a whole number of 0 or more.

        Returns:
            Features of shape (samples, features) and targets of shape (samples,), both float64.

        Raises:
            ValueError: an argument is out of its bounds.

        Example:
            >>> from lossviz import datasets
            >>> x, y = datasets.get("four_points").generate(4, 0.0, seed=0)
            >>> x[:, 0].tolist(), y.tolist()
            ([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0])
        """
        if not self.samples_low <= samples <= self.samples_high:
            raise ValueError(f"samples is {samples!r}; {self.key!r} allows {self.samples_low} to {self.samples_high}")
        if not 0.0 <= noise <= self.noise_high:
            raise ValueError(f"noise is {noise!r}; {self.key!r} allows 0 to {self.noise_high:g}")
        if seed < 0:
            raise ValueError(f"seed is {seed!r}; a whole number of 0 or more is allowed")
        return self.draw(samples, noise, np.random.default_rng(seed))


def split_rows(
    samples: int, seed: int, held_out: int, classes: Array | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers of the rows to train on and of those held out, each in order.

    They come from a stream of their own, so that the same points are drawn whatever share of them is held out.

    Args:
        samples: number of rows.
        seed: decides which rows are held out.
        held_out: number of rows held out.
        classes: the class of each row, if each class is to have the same share in both parts, as nearly as it can;
            every class then needs two rows or more, and each part at least as many rows as there are classes.

    Example:
        >>> train, validation = split_rows(6, seed=0, held_out=2)
        >>> sorted([*train.tolist(), *validation.tolist()]), len(validation)
        ([0, 1, 2, 3, 4, 5], 2)
        >>> train, validation = split_rows(6, seed=0, held_out=3, classes=np.array([0, 0, 0, 0, 1, 1]))
        >>> len(validation), bool(4 in validation) != bool(5 in validation)
        (3, True)

    Reference:
        Kohavi (1995), A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model Selection, IJCAI.
    """
    if classes is not None and held_out:
        split = train_test_split(np.arange(samples), test_size=held_out, stratify=classes, random_state=seed)
        train, validation = split
        return np.sort(train), np.sort(validation)
    order = np.random.default_rng((seed, 1)).permutation(samples)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
