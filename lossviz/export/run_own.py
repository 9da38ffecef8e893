"""The rows of a run on own data as a file that lies beside its programs, and the lines that read it there."""

from __future__ import annotations

import csv
import io

import numpy as np

from lossviz.datasets.own_points import OwnPoints, read_key
from lossviz.training import RunConfig


def own_points(config: RunConfig) -> OwnPoints:
    """Return a run's own data.

    Raises:
        ValueError: the run is on no own data.
    """
    if config.own is None:
        raise ValueError(f"dataset is {config.dataset!r}, which is nobody's own data")
    return config.own


def own_file_name(config: RunConfig) -> str:
    """Return the name of the file that the programs of a run on own data read; other data has another name."""
    key = read_key(own_points(config).key)
    assert key is not None
    return f"lossviz-own-{key.column}-{key.task}-{key.hash[:8]}.csv"


def own_csv(config: RunConfig) -> str:
    r"""Return the rows of a run on own data as CSV: a column for each feature, then the target, classes as numbers.

    Reading a number as float32 gives the very number that the run used.

    Args:
        config: a run on own data.

    Returns:
        A line with the names, then one for each row of the file that the learner gave.

    Raises:
        ValueError: the run is on no own data.

    Example:
        >>> from lossviz.datasets.own import read_csv
        >>> points = read_csv("size;sort\n0,1;apple\n2;pear\n3;apple\n4;pear").points
        >>> own_csv(RunConfig(dataset=points.key, own=points)).splitlines()
        ['size,sort (0 = apple; 1 = pear)', '0.1,0', '2,1', '3,0', '4,1']
    """
    own = own_points(config)
    classes = "; ".join(f"{number} = {name}" for number, name in enumerate(own.classes))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*own.feature_names, f"{own.target_name} ({classes})" if classes else own.target_name])
    for row in np.column_stack([own.x, own.y]):
        writer.writerow([_digits(value) for value in row])
    return file.getvalue()


def _digits(value: np.float32) -> str:
    """The fewest digits that stand for a float32 alone, also where they are read as a float64 first."""
    text = str(value)
    return text.removesuffix(".0") if np.float32(float(text)) == value else repr(float(value))


def reading_lines(config: RunConfig) -> list[str]:
    """Return the lines of a program that read the file; they make x and y, float64."""
    return [
        f'table = np.loadtxt("{own_file_name(config)}", np.float32, delimiter=",", skiprows=1, encoding="utf-8")',
        "x, y = table[:, :-1].astype(np.float64), table[:, -1].astype(np.float64)",
    ]


def reading_text(config: RunConfig) -> str:
    """Return what a program says of the file."""
    rows, features = own_points(config).x.shape
    count = f"{features} feature{'s' if features > 1 else ''}"
    return f"Own data, {rows:,} rows with {count}. It is read from {own_file_name(config)}, which must lie beside this."
