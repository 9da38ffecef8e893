"""A learner's own rows as a run takes them: checked, named, and held by nothing but the run and who gave them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from lossviz.datasets.base import Array, Dataset, Task, split_rows
from lossviz.datasets.records import COLUMNS_HIGH, ROWS_HIGH, shown

Floats = NDArray[np.float32]

ROWS_LOW: Final = 4
CLASSES_HIGH: Final = 10
BYTES_HIGH: Final = 1_000_000
#: Characters of a column's name; a feature made of a category is called "column = value".
NAME_HIGH: Final = 60
FEATURE_NAME_HIGH: Final = 2 * NAME_HIGH + 3
FEATURES_HIGH: Final = COLUMNS_HIGH * CLASSES_HIGH
TITLE: Final = "Your own data"

_KEY: Final = re.compile(r"own-([1-9][0-9]?)-(regression|binary|multiclass)-([0-9a-f]{16})")


class OwnKey(NamedTuple):
    """What the key of own data says: the number of the target's column in the file, the task, and a hash."""

    column: int
    task: Task
    hash: str


def read_key(key: object) -> OwnKey | None:
    """Return what a key of own data says, or None if it is no such key.

    Example:
        >>> read_key("own-3-binary-0123456789abcdef")
        OwnKey(column=3, task='binary', hash='0123456789abcdef')
        >>> read_key("iris") is None
        True
    """
    found = _KEY.fullmatch(key) if isinstance(key, str) else None
    return OwnKey(int(found[1]), found[2], found[3]) if found else None  # type: ignore[arg-type]


class OwnDataNeeded(ValueError):
    """A config names own data that it was not given."""

    def __init__(self, key: str) -> None:
        super().__init__(f"dataset is {key!r}, which is somebody's own data; the file with these numbers is needed")
        self.key = key


def hash_of(x: Floats, y: Floats) -> str:
    """Return the SHA-256 of features and targets as 64 hexadecimal digits."""
    digest = hashlib.sha256(f"{x.shape[0]} {x.shape[1]}\n".encode())
    digest.update(np.ascontiguousarray(x, dtype="<f4").tobytes())
    digest.update(np.ascontiguousarray(y, dtype="<f4").tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class OwnPoints:
    r"""Own data, ready for a run. The arrays are read-only.

    Args:
        x: features, float32, shape (rows, features): 4 to 5,000 rows, 1 to 500 features.
        y: targets, float32, shape (rows,): numbers for regression, class numbers from 0 for the other tasks.
        feature_names: one for each feature.
        target_name: what is predicted.
        task: "regression", "binary" or "multiclass".
        classes: names of the classes, 2 for binary, 3 to 10 for multiclass, none for regression; each has a row.
        column: number of the target's column in the file, from 1.

    Raises:
        ValueError: something is not of that form; the message says what.

    Example:
        >>> from lossviz.datasets.own import read_csv
        >>> points = read_csv("size,price\n1,10\n2,20.5\n3,29\n4,41").points
        >>> points.key
        'own-2-regression-e5f4b28a2940e028'
        >>> points.dataset.generate(4, 0.0, seed=0)[1].tolist()
        [10.0, 20.5, 29.0, 41.0]
    """

    x: Floats
    y: Floats
    feature_names: tuple[str, ...]
    target_name: str
    task: Task
    classes: tuple[str, ...]
    column: int

    def __post_init__(self) -> None:
        x, y = self.x, self.y
        for name, array, dimensions in (("x", x, 2), ("y", y, 1)):
            if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.ndim != dimensions:
                raise ValueError(f"{name} is no float32 array with {dimensions} dimensions")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}; finite numbers are allowed")
        rows, features = x.shape
        if len(y) != rows or not ROWS_LOW <= rows <= ROWS_HIGH:
            raise ValueError(f"x has {rows:,} rows and y {len(y):,}; as many are needed, {ROWS_LOW} to {ROWS_HIGH:,}")
        if not 1 <= features <= FEATURES_HIGH:
            raise ValueError(f"x has {features:,} features; 1 to {FEATURES_HIGH} are allowed")
        if x.nbytes + y.nbytes > BYTES_HIGH:
            raise ValueError(f"x and y take {x.nbytes + y.nbytes:,} bytes; at most {BYTES_HIGH:,} are allowed")
        if type(self.column) is not int or not 1 <= self.column <= COLUMNS_HIGH:
            raise ValueError(f"column is {self.column!r}; a whole number from 1 to {COLUMNS_HIGH} is allowed")
        _check_names("feature_names", self.feature_names, features, FEATURE_NAME_HIGH)
        _check_names("target_name", (self.target_name,), 1, NAME_HIGH)
        self._check_classes()
        x.setflags(write=False)
        y.setflags(write=False)

    def _check_classes(self) -> None:
        if self.task not in get_args(Task):
            raise ValueError(f"task is {shown(str(self.task))}; allowed: {', '.join(get_args(Task))}")
        low, high = {"regression": (0, 0), "binary": (2, 2), "multiclass": (3, CLASSES_HIGH)}[self.task]
        if not isinstance(self.classes, tuple) or not low <= len(self.classes) <= high:
            count = f"{low}" if low == high else f"{low} to {high}"
            raise ValueError(f"classes does not hold {count} names, as {self.task} needs")
        _check_names("classes", self.classes, len(self.classes), NAME_HIGH)
        if self.classes and not np.array_equal(np.unique(self.y), np.arange(len(self.classes))):
            raise ValueError(f"y does not hold each class number from 0 to {len(self.classes) - 1}, and these alone")

    @cached_property
    def key(self) -> str:
        """The name of this data in configs and links: where the target stands in the file, the task, a hash."""
        return f"own-{self.column}-{self.task}-{hash_of(self.x, self.y)[:16]}"

    @cached_property
    def dataset(self) -> Dataset:
        """The points as a data set."""
        x, y = self.x, self.y  # not self: a circle would outlive the run until the garbage collector comes by

        def draw(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
            chosen = np.sort(generator.permutation(len(x))[:samples])
            return x[chosen].astype(np.float64), y[chosen].astype(np.float64)

        count = f"{len(self.feature_names)} feature{'s' if len(self.feature_names) > 1 else ''}"
        return Dataset(
            key=self.key,
            title=TITLE,
            task=self.task,
            description=f"{len(x):,} rows with {count}: predict {self.target_name}.",
            feature_names=self.feature_names,
            target_name=self.target_name,
            draw=draw,
            samples=len(x),
            samples_low=min(10, len(x)),
            samples_high=len(x),
            classes=self.classes,
            real=True,
        )

    def untrained(self, samples: int, seed: int, held_out: int) -> tuple[str, ...]:
        r"""Return the classes without a row in the training part.

        Args:
            samples: how many rows are used.
            seed: what draws them and the validation part.
            held_out: how many of them are for validation.

        Example:
            >>> from lossviz.datasets.own import read_csv
            >>> points = read_csv("x,fruit\n1,apple\n2,apple\n3,apple\n4,pear").points
            >>> points.untrained(4, seed=0, held_out=0), points.untrained(4, seed=0, held_out=2)
            ((), ('pear',))
        """
        _, y = self.dataset.generate(samples, 0.0, seed)
        train, _ = split_rows(samples, seed, held_out)
        present = set(y[train].tolist())
        return tuple(name for number, name in enumerate(self.classes) if number not in present)


def _check_names(field: str, names: Sequence[str], count: int, longest: int) -> None:
    if not isinstance(names, tuple) or len(names) != count:
        raise ValueError(f"{field} does not hold {count:,} name{'' if count == 1 else 's'}")
    for name in names:
        if not isinstance(name, str) or not 0 < len(name) <= longest or not name.isprintable():
            raise ValueError(
                f"{field} holds {shown(str(name))}; texts of 1 to {longest} printable characters are allowed"
            )
