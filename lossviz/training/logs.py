"""Curves of runs made elsewhere, to overlay and to diagnose: the logs that Keras, Hugging Face and TensorBoard write.

Nothing of a file is kept: `read_log` is a function of its bytes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossviz.datasets import records
from lossviz.datasets.records import shown
from lossviz.training.event_files import CutOffError, is_event_file, scalars

BYTES_HIGH = records.BYTES_HIGH
POINTS_HIGH = 100_000
SERIES_HIGH = 50
NAME_HIGH = 100

Points = tuple[NDArray[np.float64], NDArray[np.float64]]

# What a log may count, the finest first: where a log has both, epochs repeat and updates do not.
_STEPS = ("step", "global_step", "_step", "iteration", "iter", "update", "epoch")
_CLOCKS = {"wall time", "wall_time", "timestamp", "_timestamp", "_runtime", "time", "runtime"}
_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "validation"),
}
_MEASURES = {
    "loss": "loss",
    **dict.fromkeys(("acc", "accuracy", "binary_accuracy", "categorical_accuracy"), "accuracy"),
    "sparse_categorical_accuracy": "accuracy",
}
_WHOLE_RUN = {
    **dict.fromkeys(("lr", "learning_rate"), "learning_rate"),
    **dict.fromkeys(("grad_norm", "gradient_norm"), "gradient_norm"),
}
# What the Hugging Face Trainer adds at the end of a run or of an evaluation; `train_loss` is the run's mean.
_SUMMARY = re.compile(r"(train|eval)_(runtime|\w+_per_second|jit_compilation_time)|total_flos|train_loss")
_NUMBERS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}


@dataclass(frozen=True, eq=False)
class Log:
    """The curves of one run.

    Args:
        name: of the file.
        kind: "CSV", "JSON lines", "Keras history", "Hugging Face trainer state" or "TensorBoard events".
        counts: what steps count: "epoch", "step" or another name from the file, or "row" where the file says nothing.
        series: steps and values of each curve, in the order of the file; arrays are read-only. Known names are
            `train_loss`, `validation_loss`, `train_accuracy`, `validation_accuracy`, `learning_rate` and
            `gradient_norm`; others stay as they are. Values may be NaN or infinite.
        file_names: the name in the file of each curve.
        left_out: names in the file of what is no curve of numbers.
        note: what the reader should know of the file, in a sentence; empty if nothing.
    """

    name: str
    kind: str
    counts: str
    series: Mapping[str, Points]
    file_names: Mapping[str, str]
    left_out: tuple[str, ...]
    note: str = ""


def read_log(name: str, data: bytes | str) -> Log:
    r"""Return the curves in a log; its kind is told from what it holds.

    Args:
        name: of the file, as the learner will know the curves by.
        data: the file: CSV with a header (as Keras's CSVLogger or pandas writes it), JSON lines, the JSON of a Keras
            `History.history` (or of an object with it, or of the table pandas makes of it), a Hugging Face
            `trainer_state.json`, or a TensorBoard event file. At most 5 MB, 50 curves, and 100,000 points a curve.

    Returns:
        The log. A curve has a point wherever the file has a value for it.

    Raises:
        ValueError: the file is none of these, is too large or damaged; the message names the row, line or record.

    Example:
        >>> from lossviz.training.logs import read_log
        >>> log = read_log("run.csv", "epoch,loss,val_loss\n0,0.9,1.0\n1,0.5,nan\n")
        >>> log.kind, log.counts, {key: values.tolist() for key, (_, values) in log.series.items()}
        ('CSV', 'epoch', {'train_loss': [0.9, 0.5], 'validation_loss': [1.0, nan]})
    """
    size = len(data)
    if size > BYTES_HIGH:
        raise ValueError(f"the file has {size:,} bytes; at most {BYTES_HIGH:,} are allowed")
    if isinstance(data, bytes) and (is_event_file(data) or "tfevents" in name):
        return _events(name, data)
    text = records.decode(data)
    if not text.strip():
        raise ValueError("the file is empty; a log of a run is needed")
    if text.lstrip()[0] not in "{[":
        return _csv(name, text)
    whole = _parsed(text)
    if isinstance(whole, dict):
        if "log_history" in whole:
            return _trainer_state(name, whole["log_history"])
        if any(isinstance(value, list | dict) for value in whole.values()):
            return _history(name, whole)
    return _json_lines(name, text)


@dataclass
class _Curves:
    """Curves while they are read, by their names in the file."""

    points: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    left_out: dict[str, None] = field(default_factory=dict)

    def add(self, where: str, name: str, step: float, value: float) -> None:
        if name not in self.points:
            if len(name) > NAME_HIGH:
                raise ValueError(f"{where}: the name {shown(name)} has more than {NAME_HIGH} characters")
            if len(self.points) == SERIES_HIGH:
                raise ValueError(f"{where}: the file has more than {SERIES_HIGH} curves; at most those are allowed")
            self.points[name] = ([], [])
        steps, values = self.points[name]
        if len(steps) == POINTS_HIGH:
            raise ValueError(f"{where}: {shown(name)} has more than {POINTS_HIGH:,} points; at most those are allowed")
        steps.append(step)
        values.append(value)

    def log(self, name: str, kind: str, counts: str) -> Log:
        if not self.points:
            raise ValueError(f"the file holds no curve of numbers (it was read as {kind})")
        series, file_names = {}, {}
        for own, (steps, values) in self.points.items():
            key = known_name(own)
            while key in series:  # Two names of the file may mean one thing, such as loss and train_loss.
                key = own if own not in series else f"{key} again"
            arrays = np.array(steps, dtype=np.float64), np.array(values, dtype=np.float64)
            for array in arrays:
                array.setflags(write=False)
            series[key], file_names[key] = arrays, own
        left_out = tuple(own for own in self.left_out if own not in self.points)
        return Log(name, kind, counts, MappingProxyType(series), MappingProxyType(file_names), left_out)


def known_name(name: str) -> str:
    """Return the name that a curve has here, or the name itself if it means nothing here.

    Example:
        >>> from lossviz.training.logs import known_name
        >>> [known_name(name) for name in ("val_loss", "Loss/train", "eval_accuracy", "epoch_acc", "lr", "perplexity")]
        ['validation_loss', 'train_loss', 'validation_accuracy', 'train_accuracy', 'learning_rate', 'perplexity']
    """
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    parts = [_PARTS[word] for word in words if word in _PARTS]
    rest = "_".join(word for word in words if word not in _PARTS and word != "epoch")
    if rest in _WHOLE_RUN and not parts:
        return _WHOLE_RUN[rest]
    if rest in _MEASURES and len(parts) <= 1:
        return f"{parts[0] if parts else 'train'}_{_MEASURES[rest]}"
    return name


def _step_name(names: Iterable[str]) -> str | None:
    """Return the name of what counts the steps."""
    lower = {name.strip().lower(): name for name in names}
    return next((lower[step] for step in _STEPS if step in lower), None)


def _counts(name: str | None) -> str:
    return "row" if name is None else name.strip().lower().lstrip("_").replace("global_", "")


def _aside(name: str) -> bool:
    """Whether a name is a clock or another count of steps, and so no curve."""
    return name.strip().lower() in {*_STEPS, *_CLOCKS}


# Text


def _csv(name: str, text: str) -> Log:
    mark = records.separator(text)
    (first, names), *rows = records.records(text, mark, POINTS_HIGH)
    if not rows:
        raise ValueError(f"row {first} is the only one; a header and rows of values below it are needed")
    if not names[0] and len(names) > 1 and all(row[0] == str(place) for place, (_, row) in enumerate(rows)):
        # What pandas writes: the number of each row, without a name.
        names, rows = names[1:], [(number, row[1:]) for number, row in rows]
    for place, own in enumerate(names, start=1):
        if not own or _text_number(own) is not None:
            raise ValueError(f"row {first}: column {place} has no name; a header such as epoch,loss,val_loss is needed")
        if own in names[: place - 1]:
            raise ValueError(f"row {first}: two columns have the name {shown(own)}; every name may stand once")
    counter = _step_name(names)
    places = range(len(rows))
    steps: list[float | None] = list(places)
    kept: dict[str, list[float | None]] = {}
    curves = _Curves()
    for place, own in enumerate(names):
        cells = [row[place] for _, row in rows]
        values = [_text_number(cell) for cell in cells]
        filled = [cell not in ("", "NA") for cell in cells]
        words = [number for number in places if filled[number] and values[number] is None]
        if own == counter:
            steps = values
        elif _aside(own) or len(words) == sum(filled):
            curves.left_out[own] = None
        elif words:
            row, cell = rows[words[0]][0], cells[words[0]]
            raise ValueError(f"row {row}, column {shown(own)}: {shown(cell)} is not a number")
        else:
            kept[own] = values
    for number, (row, _) in enumerate(rows):
        where = f"row {row}"
        step = _step(where, counter, steps[number])
        for own, values in kept.items():
            value = values[number]
            if value is not None:
                curves.add(where, own, step, value)
    if not curves.points:
        row, cells = rows[0]
        held = ", ".join(shown(cell) for cell in cells[:4])
        raise ValueError(
            f"no column holds numbers (read as CSV with the {records.SEPARATORS[mark]} as separator); "
            f"row {row} begins with {held}. A header such as epoch,loss and numbers with a decimal point are needed"
        )
    return curves.log(name, "CSV", _counts(counter))


def _text_number(text: str) -> float | None:
    if records.NUMBER.fullmatch(text):
        return float(text)
    return _NUMBERS.get(text.lower().removeprefix("+"))


def _step(where: str, name: str | None, step: float | None) -> float:
    if step is None or not math.isfinite(step):
        raise ValueError(f"{where}: {name} has no number; every row needs one, to place its values")
    return step


# JSON


def _parsed(text: str) -> Any:
    """Return what JSON text holds, or None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _breach(text: str) -> str:
    """Return what keeps text from being JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno} breaks off or is wrong at character {error.colno}"
    except RecursionError:
        return "its brackets are nested too deep"
    except ValueError:
        return "one of its numbers is too long"
    return "it holds nothing"


def _json_number(where: str, name: str, value: Any) -> float | None:
    """Return a number, or None if the value is none; NaN and infinities may be written as words."""
    if isinstance(value, str):
        return _NUMBERS.get(value.lower())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{where}: {shown(name)} is too large a number") from None


def _json_lines(name: str, text: str) -> Log:
    whole = _parsed(text)
    if isinstance(whole, list):
        return _entries(name, "JSON lines", ((f"entry {number}", item) for number, item in enumerate(whole, start=1)))
    if _parsed(text.strip().split("\n", maxsplit=1)[0]) is None:
        # Not one object a line, so one that was meant to fill the file.
        raise ValueError(f"the file begins like JSON, but {_breach(text)}; it may be cut off")
    lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    return _entries(name, "JSON lines", ((f"line {number}", _parsed(line)) for number, line in lines))


def _trainer_state(name: str, history: Any) -> Log:
    if not isinstance(history, list):
        raise ValueError("log_history is no list; a trainer_state.json with a list of entries is needed")
    trimmed = (
        {key: value for key, value in item.items() if not _SUMMARY.fullmatch(key)} if isinstance(item, dict) else item
        for item in history
    )
    entries = ((f"log_history entry {number}", item) for number, item in enumerate(trimmed, start=1))
    return _entries(name, "Hugging Face trainer state", entries)


def _entries(name: str, kind: str, given: Iterable[tuple[str, Any]]) -> Log:
    """Return the log of objects that each hold the values of one moment."""
    names: dict[str, None] = {}
    found: list[tuple[str, dict[str, Any]]] = []
    for where, item in given:
        if len(found) == POINTS_HIGH:
            raise ValueError(f"{where}: the file has more than {POINTS_HIGH:,} entries; at most those are allowed")
        if not isinstance(item, dict):
            raise ValueError(f'{where} is not a JSON object such as {{"step": 1, "loss": 0.5}}')
        names.update(dict.fromkeys(item))
        found.append((where, item))
    counter = _step_name(names)
    curves = _Curves()
    for number, (where, item) in enumerate(found):
        step = number if counter is None else _json_number(where, counter, item.get(counter))
        placed = _step(where, counter, step)
        for own, value in item.items():
            if own == counter:
                continue
            read = None if _aside(own) else _json_number(where, own, value)
            own = _clean(own)
            if read is None:
                curves.left_out[own] = None
            else:
                curves.add(where, own, placed, read)
    return curves.log(name, kind, _counts(counter))


def _history(name: str, whole: Mapping[str, Any]) -> Log:
    """Return the log of lists that each hold one curve."""
    lists = whole["history"] if isinstance(whole.get("history"), dict) else whole
    lists = {own: _numbered(values) for own, values in lists.items()}
    counter = _step_name(lists)
    steps = lists[counter] if counter else whole.get("epoch")
    curves = _Curves()
    for own, values in lists.items():
        if own == counter:
            continue
        if not isinstance(values, list) or _aside(own):
            curves.left_out[_clean(own)] = None
            continue
        if isinstance(steps, list) and len(steps) != len(values):
            raise ValueError(f"{shown(own)} has {len(values):,} values for {len(steps):,} epochs; one each is needed")
        for number, value in enumerate(values):
            where = f"{shown(own)}, value {number + 1}"
            # Where JSON has no word for NaN, programs write null.
            read = math.nan if value is None else _json_number(where, own, value)
            if read is None:
                raise ValueError(f"{where} is not a number")
            step = _json_number(where, "epoch", steps[number]) if isinstance(steps, list) else number
            curves.add(where, _clean(own), _step(where, "epoch", step), read)
    if not isinstance(steps, list) and len({len(values) for _, values in curves.points.values()}) > 1:
        raise ValueError("the lists have different lengths, so their epochs are not known; add a list named epoch")
    return curves.log(name, "Keras history", _counts(counter or "epoch"))


def _numbered(values: Any) -> Any:
    """Return as a list what pandas writes as an object, {"0": 0.9, "1": 0.5}; anything else as it is."""
    if isinstance(values, dict) and values and list(values) == [str(place) for place in range(len(values))]:
        return list(values.values())
    return values


def _clean(name: str) -> str:
    """Return a name without halves of characters, which JSON can hold and no page can show."""
    return name.encode("utf-8", errors="replace").decode("utf-8")


# TensorBoard


def _events(name: str, data: bytes) -> Log:
    curves = _Curves()
    note = ""
    try:
        for number, tag, step, value in scalars(data):
            curves.add(f"record {number}", tag, step, value)
    except CutOffError as error:
        if not curves.points:
            raise
        note = f"The file ends too early: {error}. What stands before it is shown."
    return replace(curves.log(name, "TensorBoard events", "step"), note=note)
