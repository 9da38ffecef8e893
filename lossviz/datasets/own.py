"""A learner's own data: a CSV file as features and a target, with a report of what was read and what was not.

Nothing of the file is kept: `read_csv` is a function of its text, and the numbers it returns fit into 1 MB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lossviz.datasets import records as source
from lossviz.datasets.base import Task
from lossviz.datasets.own_points import BYTES_HIGH, CLASSES_HIGH, NAME_HIGH, ROWS_LOW, Floats, OwnPoints, hash_of
from lossviz.datasets.records import COLUMNS_HIGH, ROWS_HIGH, Record, shown

__all__ = ["COLUMNS_HIGH", "Column", "Table", "read_csv"]

Kind = Literal["number", "two classes", "several classes", "text", "empty"]

# Written with or without capitals, except Python's None: "none" may be a category.
_MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "null", "?", "-"}
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_DECIMAL_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?(inf|infinity|∞)", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """One column of the file.

    Args:
        name: as the header writes it, or "column 1", "column 2", … where there is no header.
        kind: what its cells hold; "two classes" and "several classes" are words with at most `CLASSES_HIGH` values.
        use: what became of it.
        note: why it was left out or how it was encoded, as a sentence; empty where there is nothing to say.
        missing: numbers of the rows whose cell is empty, or says that there is no value.
    """

    name: str
    kind: Kind
    use: Literal["target", "feature", "left out"]
    note: str
    missing: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """What a CSV file holds, ready to train on. The arrays are read-only.

    Args:
        x: features, shape (rows, features).
        y: targets, shape (rows,): numbers for regression, class numbers from 0 for the other tasks.
        feature_names: one for each column of x; a category's is "column = value".
        target_name: the target's column.
        task: what a model can learn from the target.
        classes: names of the classes; none for regression.
        columns: every column of the file, in its order.
        targets: names of the columns that can be the target.
        rows: number in the file of each row of x; a header is row 1.
        left_out: numbers of the rows left out because a value is missing.
        separator: "comma", "semicolon" or "tab".
        decimal: "." or ",".
        header: whether the first row names the columns.
        hash: SHA-256 of the numbers as 64 hexadecimal digits.
    """

    x: Floats
    y: Floats
    feature_names: tuple[str, ...]
    target_name: str
    task: Task
    classes: tuple[str, ...]
    columns: tuple[Column, ...]
    targets: tuple[str, ...]
    rows: tuple[int, ...]
    left_out: tuple[int, ...]
    separator: str
    decimal: str
    header: bool
    hash: str

    @cached_property
    def points(self) -> OwnPoints:
        """The rows as a run takes them."""
        column = next(place for place, found in enumerate(self.columns, start=1) if found.use == "target")
        return OwnPoints(
            self.x,
            self.y,
            tuple(map(_printable, self.feature_names)),
            _printable(self.target_name),
            self.task,
            tuple(map(_printable, self.classes)),
            column,
        )


def _printable(name: str) -> str:
    """A name on one line; line breaks within quotation marks and invisible characters become spaces."""
    return "".join(sign if sign.isprintable() else " " for sign in name)


def read_csv(data: bytes | str, target: str | None = None, task: Task | None = None) -> Table:
    r"""Return the table in a CSV file.

    Separator (comma, semicolon, tab), decimal sign (a comma only beside the other separators), header and types are
    inferred. Words with two values become one feature of 0 and 1, with up to ten one feature for each value; columns
    of more words, of one value and of none are left out. Rows where a value that is used is missing are left out.

    Args:
        data: the file, UTF-8; at most 5 MB of text, 5,000 rows, 50 columns, and 1 MB as float32.
        target: name of the column to predict; None takes the last one that can be predicted.
        task: "regression", "binary" or "multiclass"; None takes two classes for two values, several classes for up to
            ten words or for consecutive whole numbers that each occur twice or more, else regression.

    Returns:
        The table, with a report on every column.

    Raises:
        ValueError: there is no table to be had from the file; the message names the row and the reason.

    Example:
        >>> from lossviz.datasets.own import read_csv
        >>> table = read_csv("age;height;sex\n3;0,95;girl\n4;1,02;boy\n5;1,1;boy\n6;;girl\n7;1,22;girl")
        >>> table.task, table.classes, table.feature_names, table.x.shape, table.left_out
        ('binary', ('boy', 'girl'), ('age', 'height'), (4, 2), (5,))
    """
    text = source.decode(data)
    mark = source.separator(text)
    records = source.records(text, mark)
    decimal = "." if mark == "," else _decimal(records)
    numeric = [_is_number(cell, decimal) for cell in records[0][1]]
    header = not any(numeric)
    names = _names(records[0], header)
    records = records[header:]
    if not records:
        raise ValueError("the file has a header and no rows; rows of values are needed")
    if len(records) > ROWS_HIGH:
        raise ValueError(f"the file has more than {ROWS_HIGH:,} rows; at most {ROWS_HIGH:,} are allowed")

    read = [_Cells(name, [(row, cells[place]) for row, cells in records], decimal) for place, name in enumerate(names)]
    targets = tuple(cells.name for cells in read if cells.varies and cells.kind != "text")
    chosen = _target(read, target, targets)
    used = [cells for cells in read if cells.name in targets]
    if len(used) < 2:
        raise ValueError(
            f"only column {shown(chosen.name)} can be used; a target and at least one other column "
            f"of numbers, or of words with at most {CLASSES_HIGH} values, are needed" + _why_not(read, targets)
        )
    keep = np.all([cells.present for cells in used], axis=0)
    if keep.sum() < ROWS_LOW:
        worst = min(used, key=lambda cells: int(cells.present.sum()))
        raise ValueError(
            f"{keep.sum()} of {len(records):,} rows have a value in every column; at least {ROWS_LOW} are needed. "
            f"Column {shown(worst.name)} lacks {len(worst.missing):,} values"
        )

    y, task, classes = _targets(chosen, keep, task)
    features: list[tuple[str, Floats]] = []
    columns = []
    for cells in read:
        own, note = ([], cells.note) if cells is chosen or cells not in used else _features(cells, keep)
        features += own
        use: Any = "target" if cells is chosen else "feature" if own else "left out"
        columns.append(Column(cells.name, cells.kind, use, note, cells.missing))
    if not features:
        raise ValueError("no column but the target varies over the rows without missing values; one is needed")
    size = (len(features) + 1) * len(y) * 4
    if size > BYTES_HIGH:
        raise ValueError(
            f"the table takes {size:,} bytes as {len(features)} features and a target of {len(y):,} rows; "
            f"at most {BYTES_HIGH:,} are allowed, so leave out columns or rows"
        )
    x = np.stack([values for _, values in features], axis=1)
    x.setflags(write=False)
    y.setflags(write=False)
    numbers = np.array([row for row, _ in records])
    return Table(
        x=x,
        y=y,
        feature_names=tuple(name for name, _ in features),
        target_name=chosen.name,
        task=task,
        classes=classes,
        columns=tuple(columns),
        targets=targets,
        rows=tuple(numbers[keep].tolist()),
        left_out=tuple(numbers[~keep].tolist()),
        separator=source.SEPARATORS[mark],
        decimal=decimal,
        header=header,
        hash=hash_of(x, y),
    )


class _Cells:
    """The cells of one column: their values, and of what kind they are."""

    def __init__(self, name: str, cells: Sequence[tuple[int, str]], decimal: str) -> None:
        self.name = name
        self.texts = [text for _, text in cells]
        self.present = np.array([not _is_missing(text) for text in self.texts])
        self.missing = tuple(row for row, text in cells if _is_missing(text))
        self.values: Floats = np.full(len(cells), np.nan, dtype=np.float32)
        self.note = ""
        given = [(row, text) for row, text in cells if not _is_missing(text)]
        words = [(row, text) for row, text in given if not _is_number(text, decimal)]
        for row, text in words:
            if _INFINITE.fullmatch(text):
                raise ValueError(f"row {row}, column {shown(name)}: {text} is infinite; finite numbers are allowed")
        if 0 < len(words) <= len(given) / 2:
            row, text = words[0]
            raise ValueError(
                f"row {row}, column {shown(name)}: {shown(text)} is {_what(text)}, not a number "
                "as most values of this column are"
            )
        self.kind: Kind = "number"
        if words:
            distinct = len(set(self.texts) - {text for text in self.texts if _is_missing(text)})
            self.kind = (
                "text"
                if distinct > CLASSES_HIGH or max(len(text) for _, text in given) > NAME_HIGH
                else ("several classes" if distinct > 2 else "two classes")
            )
            self.varies = distinct > 1
            if self.kind == "text":
                self.note = (
                    f"It is left out: {distinct:,} different texts such as {shown(words[0][1])} are no numbers, "
                    f"and more than {CLASSES_HIGH} or too long for categories."
                )
        else:
            for place, (row, text) in enumerate(cells):
                if self.present[place]:
                    self.values[place] = _number(row, name, text, decimal)
            self.varies = len(np.unique(self.values[self.present])) > 1
        if not given:
            self.kind, self.varies = "empty", False
            self.note = "It is left out: it holds no value."
        elif not self.varies:
            self.note = f"It is left out: every value is {shown(given[0][1])}, so there is nothing to learn from it."


def _is_missing(text: str) -> bool:
    return text == "None" or text.lower() in _MISSING


def _is_number(text: str, decimal: str) -> bool:
    return source.NUMBER.fullmatch(text.replace(",", ".") if decimal == "," else text) is not None


def _number(row: int, name: str, text: str, decimal: str) -> float:
    value = float(text.replace(",", ".") if decimal == "," else text)
    if not abs(value) <= float(np.finfo(np.float32).max):
        raise ValueError(
            f"row {row}, column {shown(name)}: {shown(text)} is too large; numbers up to 3.4e38 are allowed"
        )
    return value


def _what(text: str) -> str:
    return "a formula" if text[0] in "=@+-" else "text"


def _decimal(records: Sequence[Record]) -> str:
    """Return the decimal sign of a file whose separator is no comma."""
    first: dict[str, tuple[int, str]] = {}
    for row, cells in records:
        for cell in cells:
            for sign, form in ((",", _DECIMAL_COMMA), (".", _DECIMAL_POINT)):
                if sign not in first and form.fullmatch(cell):
                    first[sign] = (row, cell)
    if len(first) == 2:
        (row, comma), (other, point) = first[","], first["."]
        raise ValueError(
            f"row {row} holds {shown(comma)} and row {other} holds {shown(point)}; "
            "either decimal commas or decimal points are allowed, not both, and no thousands separators"
        )
    return "," if "," in first else "."


def _names(record: Record, header: bool) -> list[str]:
    row, cells = record
    if not header:
        return [f"column {place}" for place in range(1, len(cells) + 1)]
    seen: set[str] = set()
    for place, name in enumerate(cells, start=1):
        if not name:
            raise ValueError(f"row {row}: column {place} has no name; name every column, or delete it")
        if len(name) > NAME_HIGH:
            raise ValueError(f"row {row}: the name {shown(name)} has more than {NAME_HIGH} characters")
        if name in seen:
            raise ValueError(f"row {row}: two columns have the name {shown(name)}; every name may stand once")
        seen.add(name)
    return cells


def _why_not(read: Sequence[_Cells], targets: Sequence[str]) -> str:
    """Return the end of a message: why the first columns that cannot be used cannot."""
    others = [cells for cells in read if cells.name not in targets][:3]
    reasons = [f"{shown(cells.name)} ({cells.note.removeprefix('It is left out: ').rstrip('.')})" for cells in others]
    return f". Left out: {', '.join(reasons)}" if reasons else ""


def _target(read: Sequence[_Cells], target: str | None, targets: Sequence[str]) -> _Cells:
    by_name = {cells.name: cells for cells in read}
    allowed = ", ".join(map(shown, targets))
    if target is not None and target not in by_name:
        raise ValueError(f"there is no column {shown(str(target))} to predict; allowed: {allowed or 'none'}")
    if target is None:
        if not targets:
            raise ValueError("the file has no column to predict" + _why_not(read, targets))
        target = targets[-1]
    if target not in targets:
        why = by_name[target].note.removeprefix("It is left out: ")
        raise ValueError(f"column {shown(target)} cannot be predicted: {why} Allowed: {allowed or 'none'}")
    return by_name[target]


def _targets(cells: _Cells, keep: NDArray[np.bool_], task: Task | None) -> tuple[Floats, Task, tuple[str, ...]]:
    """Return the targets of the rows kept, the task, and the names of the classes."""
    name = shown(cells.name)
    if cells.kind == "number":
        values = cells.values[keep]
        levels, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
        classes = tuple(f"{value:.9g}" for value in levels.tolist()) if len(levels) <= CLASSES_HIGH else ()
        consecutive = len(levels) <= CLASSES_HIGH and levels[0] in (0, 1) and bool(np.all(np.diff(levels) == 1))
        by_class = consecutive and counts.min() > 1
    else:
        texts = [text for text, kept in zip(cells.texts, keep, strict=True) if kept]
        classes = tuple(sorted(set(texts)))
        numbers = np.array([classes.index(text) for text in texts])
        values = levels = np.arange(len(classes), dtype=np.float32)
        by_class = True
    if len(levels) < 2:
        raise ValueError(
            f"column {name} has the one value {shown(classes[0])} in the rows without missing values; "
            "a target needs at least two"
        )
    if task is None:
        task = "binary" if len(levels) == 2 else "multiclass" if by_class else "regression"
    if task == "regression":
        if cells.kind != "number":
            raise ValueError(f"column {name} holds words such as {shown(classes[0])}; regression needs numbers")
        return values.copy(), task, ()
    low, high = {"binary": (2, 2), "multiclass": (3, CLASSES_HIGH)}.get(task, (0, 0))
    if not high:
        raise ValueError(f"task is {shown(str(task))}; allowed: regression, binary, multiclass")
    if not low <= len(levels) <= high:
        count = "2 different values" if task == "binary" else f"{low} to {high} different values"
        raise ValueError(f"column {name} has {len(levels):,} different values; {task} classification needs {count}")
    return numbers.reshape(-1).astype(np.float32), task, classes


def _features(cells: _Cells, keep: NDArray[np.bool_]) -> tuple[list[tuple[str, Floats]], str]:
    """Return a column's features, and what there is to say of them."""
    if cells.kind == "number":
        values = cells.values[keep]
        levels = {f"{value:.9g}" for value in np.unique(values)[:2].tolist()}
        own = [(cells.name, values)]
    else:
        texts = np.array([text for text, kept in zip(cells.texts, keep, strict=True) if kept])
        levels = set(texts.tolist())
        # One of two classes says all; three or more get a feature each.
        encoded = sorted(levels)[1:] if len(levels) == 2 else sorted(levels)
        own = [(f"{cells.name} = {level}", (texts == level).astype(np.float32)) for level in encoded]
    if len(levels) < 2:
        return [], f"It is left out: in the rows without missing values every value is {shown(levels.pop())}."
    if cells.kind == "number":
        return own, ""
    if len(own) == 1:
        return own, f"It becomes one feature: 1 for {shown(encoded[0])}, 0 for {shown(min(levels))}."
    return own, f"It becomes {len(own)} features, one for each of its values: 1 where the row has it, else 0 (one-hot)."
