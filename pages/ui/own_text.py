"""What the page says of a learner's own file: how it was read, and what became of each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

import numpy as np

from lossviz.datasets import Task
from lossviz.datasets.own import Table
from lossviz.datasets.own_points import CLASSES_HIGH
from lossviz.datasets.records import COLUMNS_HIGH, ROWS_HIGH
from lossviz.writing import format_number
from pages.ui.links import plain
from pages.ui.tables import Table as TextTable

PROMISE: Final = (
    f"A CSV file with up to {ROWS_HIGH:,} rows and {COLUMNS_HIGH} columns. It goes to the server that runs this page, "
    "stays in its memory as long as this page is open, and is written nowhere. A link holds only a hash of its "
    "numbers: whoever opens the link is asked for the file."
)
TASKS: Final[dict[Task, str]] = {
    "regression": "A number",
    "binary": "One of two classes",
    "multiclass": "One of several classes",
}
#: Targets that spread over more than this, or less than its inverse, are hard on a network.
_SPREAD: Final = 300.0
_USES: Final = {"target": "Target", "feature": "Feature", "left out": "Left out"}


def tasks(table: Table) -> tuple[Task, ...]:
    """What can be learnt from the target as it is."""
    target = next(column for column in table.columns if column.use == "target")
    if target.kind != "number":
        return (table.task,)
    levels = len(np.unique(table.y))
    found: dict[Task, bool] = {"regression": True, "binary": levels == 2, "multiclass": 3 <= levels <= CLASSES_HIGH}
    return tuple(task for task in get_args(Task) if found[task])


def summary(table: Table) -> str:
    """How the file was read, in a few sentences."""
    rows, features = table.x.shape
    what = TASKS[table.task].lower()
    if table.classes:
        counts = np.bincount(table.y.astype(np.int64), minlength=len(table.classes))
        what += f" ({', '.join(f'{name} {count:,}' for name, count in zip(table.classes, counts, strict=True))})"
    sentences = [f"{rows:,} rows and {_count(features, 'feature')}. The target {table.target_name} is {what}."]
    if table.left_out:
        verb = "row is" if len(table.left_out) == 1 else "rows are"
        sentences.append(
            f"{len(table.left_out):,} {verb} left out because a value is missing: {_rows(table.left_out)}."
        )
    constant = [column.name for column in table.columns if "nothing to learn" in column.note]
    if constant:
        sentences.append(f"Left out because every value is the same: {', '.join(constant)}.")
    decimal = "decimal comma" if table.decimal == "," else "decimal point"
    head = "the first row as names" if table.header else "no row of names"
    sentences.append(f"Read with the {table.separator} between cells, a {decimal} and {head}.")
    return plain(" ".join(sentences))


def advice(table: Table) -> str:
    """What to change about the target, or nothing."""
    if table.task != "regression":
        return ""
    spread = float(np.std(table.y, dtype=np.float64))
    if 1 / _SPREAD <= spread <= _SPREAD:
        return ""
    sizes = ("badly from numbers that large", "larger units, such as thousands")
    if spread < 1:
        sizes = ("badly from numbers that small", "smaller units")
    return (
        f"The target's standard deviation is {format_number(spread)}. Targets keep their units, and a network learns "
        f"{sizes[0]}: write this column in {sizes[1]}, and open the file again."
    )


def column_table(table: Table) -> TextTable:
    """Every column of the file: what it holds, what became of it, and what is missing."""
    lines = [
        (
            column.name,
            column.kind[0].upper() + column.kind[1:],
            _USES[column.use],
            f"{len(column.missing):,} ({_rows(column.missing)})" if column.missing else "None",
            column.note or "As it is.",
        )
        for column in table.columns
    ]
    return ("Column", "Holds", "Use", "Missing", "What became of it"), lines


def _rows(numbers: Sequence[int]) -> str:
    """Numbers of rows, the first few of them."""
    more = f" and {len(numbers) - 5:,} more" if len(numbers) > 5 else ""
    return f"row{'' if len(numbers) == 1 else 's'} {', '.join(f'{number:,}' for number in numbers[:5])}{more}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
