"""Points that were moved or added, as lines of a run's programs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lossviz.export.section import Section
from lossviz.training import Intervention, RunConfig

WIDTH: Final = 100
_MADE_LARGER: Final = "each point added makes the smallest batch larger, of several the last"


def later(config: RunConfig) -> tuple[Intervention, ...]:
    """Return the changes of points that take effect after the first update."""
    return tuple(item for item in config.point_changes if item.update)


def added_at(config: RunConfig, update: int) -> int:
    """Return how many points have been added by then."""
    return sum(item.kind == "add" and item.update <= update for item in config.point_changes)


def _point(config: RunConfig, item: Intervention) -> tuple[list[float], float]:
    features, target = item.point
    return list(features), int(target) if config.data.classes else target


def _moves(config: RunConfig, changes: Iterable[Intervention]) -> dict[str, dict[int, list[Any]]]:
    """By part and update: rows of that part with features and target."""
    training, samples = config.training_samples, config.samples or 0
    found: dict[str, dict[int, list[Any]]] = {"train": {}, "validation": {}}
    for item in changes:
        if item.kind == "move":
            held_out = training <= item.row < samples
            row = item.row - (training if held_out else 0 if item.row < training else samples - training)
            part = found["validation" if held_out else "train"]
            part.setdefault(item.update, []).append((row, *_point(config, item)))
    return {part: updates for part, updates in found.items() if updates}


def _additions(config: RunConfig, changes: Iterable[Intervention]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for item in changes:
        if item.kind == "add":
            found.setdefault(item.update, []).append(_point(config, item))
    return found


def first_lines(config: RunConfig) -> list[str]:
    """Return the NumPy lines that move and add points before the first update, to stand before standardisation."""
    changes = [item for item in config.point_changes if not item.update]
    lines: list[str] = ["", "# Points that were moved or added by hand."] if changes else []
    for points in _additions(config, changes).values():
        lines += [*_loop("point, target", points)]
        lines.append("    x_train, y_train = np.append(x_train, [point], axis=0), np.append(y_train, target)")
    for part, updates in _moves(config, changes).items():
        lines += [*_loop("row, point, target", updates[0])]
        lines.append(f"    x_{part}[row], y_{part}[row] = point, target")
    return lines


def _loop(names: str, values: list[Any]) -> list[str]:
    line = f"for {names} in {values!r}:"
    if len(line) <= WIDTH:
        return [line]
    return [f"for {names} in [", *_wrapped(values, 4), "]:"]


def _wrapped(values: list[Any], indent: int) -> list[str]:
    text = textwrap.wrap(f"{', '.join(map(repr, values))},", WIDTH - indent, break_long_words=False)
    return [" " * indent + line for line in text]


def points_section(config: RunConfig, target: Callable[[str], str]) -> list[Section]:
    """Return the part of the PyTorch program that holds the points changed on the way; none where there are none.

    Args:
        config: the run.
        target: turns the name of an array of targets into the code that makes a tensor of it.
    """
    changes = later(config)
    if not changes:
        return []
    lines = []
    additions, moves = _additions(config, changes), _moves(config, changes)
    if additions:
        lines += _table("added", additions)
    for part, updates in moves.items():
        lines += _table(f"moved_{part}", updates)
    point = "(np.array([point]) - mean) / deviation" if config.standardise else "np.array([point])"
    lines += [
        "",
        "",
        "def tensors(point, target):",
        f"    x = torch.tensor({point}, dtype=torch.{config.dtype})",
        f"    return x, {target('np.array([target])')}",
    ]
    text = (
        "Where an epoch begins, points were moved or added by hand: by the number of the update, counted from 0, and "
        "for a point that moves with its row."
    )
    kept = " Mean and deviation stay those of the points as they were." if config.standardise else ""
    return [Section("Points changed on the way", text + kept, "\n".join(lines), ("import torch",))]


def _table(name: str, values: Mapping[int, list[Any]]) -> list[str]:
    lines = [f"{name} = {{"]
    for update, points in values.items():
        line = f"    {update}: {points!r},"
        lines += [line] if len(line) <= WIDTH else [f"    {update}: [", *_wrapped(points, 8), "    ],"]
    return [*lines, "}"]


def sizes_lines(config: RunConfig) -> list[str]:
    """Return the line that says how large the batches are, where they are not all but the last alike."""
    if not added_at(config, config.updates_per_epoch * config.epochs) or config.updates_per_epoch == 1:
        return []
    sizes = config.batch_sizes(added_at(config, 0))
    line = f"sizes = {sizes}"
    if len(line) > WIDTH - 30:
        return [f"# The sizes of the batches: {_MADE_LARGER}.", "sizes = [", *_wrapped(sizes, 4), "]"]
    return [f"# The sizes of the batches: {_MADE_LARGER}.", line]


def epoch_lines(config: RunConfig) -> list[str]:
    """Return the lines at the beginning of an epoch that change the points."""
    changes = later(config)
    additions, moves = _additions(config, changes), _moves(config, changes)
    lines = []
    if additions:
        lines += [
            "for point in added.get(updates, []):",
            "    x, y = tensors(*point)",
            "    x_train, y_train = torch.cat([x_train, x]), torch.cat([y_train, y])",
        ]
        if config.updates_per_epoch > 1:
            lines.append("    sizes[max(k for k, size in enumerate(sizes) if size == min(sizes))] += 1")
    for part in moves:
        lines += [
            f"for row, *point in moved_{part}.get(updates, []):",
            f"    x_{part}[row : row + 1], y_{part}[row : row + 1] = tensors(*point)",
        ]
    return lines
