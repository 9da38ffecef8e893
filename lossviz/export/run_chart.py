"""Line charts as SVG text: no script, colours by CSS classes, readable without colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from lossviz.writing import format_number

WIDTH: Final = 720.0
HEIGHT: Final = 300.0
LEFT: Final = 88.0
RIGHT: Final = 120.0
TOP: Final = 16.0
BOTTOM: Final = 44.0
POINTS: Final = 500
"""A curve is drawn with at most about so many points; of what lies between, the lowest and the highest stay."""
_LOG_FROM: Final = 100.0  # the vertical axis is logarithmic where the largest value is so many times the smallest


@dataclass(frozen=True)
class Curve:
    """One line of a chart: a name and a value for each epoch; what is not finite is left out."""

    name: str
    values: Sequence[float | None]


def chart(title: str, epochs: Sequence[int], curves: Sequence[Curve], *, even: bool = False) -> str:
    """Return a line chart over the epochs; the first curve is solid, the second dashed.

    Args:
        title: what the vertical axis shows.
        epochs: the numbers of the epochs, in order.
        curves: one or two curves with a value for each epoch.
        even: whether the vertical axis must have even steps; else it is logarithmic where the values differ much.

    Returns:
        An svg element with a text for screen readers.

    Example:
        >>> text = chart("Loss", [1, 2], [Curve("training", [2.0, 1.0])])
        >>> text.count("<polyline"), "training from 2 to 1" in text
        (1, True)
    """
    known = [value for curve in curves for value in curve.values if value is not None and math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    logarithmic = not even and low > 0.0 and high / low > _LOG_FROM
    marks = _log_ticks(low, high) if logarithmic else ticks(low, high)
    low, high = min(low, marks[0]), max(high, marks[-1])
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)

    def x(epoch: float) -> float:
        return LEFT + (epoch - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        share = math.log(value / low) / math.log(high / low) if logarithmic else (value - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<path class="grid" d="M{LEFT:g} {y(mark):.1f}H{WIDTH - RIGHT:g}"/>'
        f'<text class="tick" x="{LEFT - 8:g}" y="{y(mark) + 4:.1f}" text-anchor="end">{format_number(mark)}</text>'
        for mark in marks
    ]
    parts += [
        f'<text class="tick" x="{x(epoch):.1f}" y="{HEIGHT - BOTTOM + 18:g}" text-anchor="middle">{epoch:,}</text>'
        for epoch in _epoch_ticks(first, epochs[-1])
    ]
    ends: list[float] = []
    for number, curve in enumerate(curves):
        places, values = thinned(epochs, curve.values)
        if not len(places):
            continue
        line = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in zip(places, values, strict=True))
        end = y(values[-1]) + 4.0
        while any(abs(end - other) < 15.0 for other in ends):  # names do not lie upon each other
            end += 5.0
        ends.append(end)
        parts.append(f'<polyline class="curve c{number}" points="{line}"/>')
        parts.append(
            f'<text class="name n{number}" x="{x(places[-1]) + 8:.1f}" y="{end:.1f}">{escape(curve.name)}</text>'
        )
    spoken = escape(f"{title}: {'; '.join(_spoken(curve) for curve in curves)}.")
    axis = escape(f"{title}, logarithmic" if logarithmic else title)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{spoken}">{"".join(parts)}'
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 6:g}" text-anchor="middle">Epoch</text>'
        f'<text class="axis" transform="translate(14 {middle:g}) rotate(-90)" text-anchor="middle">{axis}</text>'
        "</svg>"
    )


def thinned(epochs: Sequence[int], values: Sequence[float | None]) -> tuple[list[int], list[float]]:
    """The points of a curve that are drawn: all, or of each short stretch the lowest and the highest.

    Example:
        >>> places, values = thinned(range(10_000), [1.0] * 5_000 + [7.0] + [1.0] * 4_999)
        >>> len(places) <= 502, max(values), (places[0], places[-1])
        (True, 7.0, (0, 9999))
    """
    points = [
        (place, value)
        for place, value in zip(epochs, values, strict=True)
        if value is not None and math.isfinite(value)
    ]
    if len(points) > POINTS:
        kept = {0, len(points) - 1}
        numbers = np.array([value for _, value in points])
        for stretch in np.array_split(np.arange(len(points)), POINTS // 2):
            kept |= {int(stretch[numbers[stretch].argmin()]), int(stretch[numbers[stretch].argmax()])}
        points = [points[number] for number in sorted(kept)]
    return [place for place, _ in points], [value for _, value in points]


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from at or below the lowest to at or above the highest value.

    Example:
        >>> ticks(0.13, 0.94)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = (high - low) or abs(high) or 1.0
    rough = span / 5.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1.0, 2.0, 5.0, 10.0) if factor * size >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    # Multiplied out and rounded, so that 3 steps of 0.2 are 0.6.
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(number * step, digits) for number in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    step = max(1, math.ceil((last - first) / 8))
    return [10.0**power for power in range(first, last + step, step)]


def _epoch_ticks(first: int, last: int) -> list[int]:
    """The first and the last epoch, and round numbers that are not too near to them."""
    room = (last - first) / 12.0
    return [first, *(int(mark) for mark in ticks(first, last) if first + room < mark < last - room), *{last} - {first}]


def _spoken(curve: Curve) -> str:
    known = [value for value in curve.values if value is not None and math.isfinite(value)]
    return (
        f"{curve.name} from {format_number(known[0])} to {format_number(known[-1])}" if known else f"{curve.name}: none"
    )
