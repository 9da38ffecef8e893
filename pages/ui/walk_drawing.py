"""A small network as a drawing: layers as columns, numbers on units and connections."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise

import streamlit as st

GAP_X, GAP_Y, RADIUS, TOP, SIDE = 210, 108, 32, 44, 58

_CSS = """
.walk-scroll { overflow-x: auto; border: 1px solid var(--st-border-color-light, var(--st-border-color));
  border-radius: var(--st-base-radius); background: var(--st-secondary-background-color); }
.walk-scroll:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
svg { display: block; margin: 0 auto; font-family: var(--st-font); font-variant-numeric: tabular-nums; }
text { fill: var(--st-text-color); font-size: 13px; text-anchor: middle; }
.halo { paint-order: stroke; stroke: var(--st-secondary-background-color); stroke-width: 5px; stroke-linejoin: round; }
.column { font-weight: 600; font-size: 14px; }
.unit { fill: var(--st-background-color); stroke: var(--st-text-color); stroke-width: 1.5; }
.lit { stroke: var(--st-primary-color); stroke-width: 3; }
.value { font-weight: 600; }
.plus, .minus { fill: none; }
.plus { stroke: var(--st-blue-color); }
.minus { stroke: var(--st-orange-color); stroke-dasharray: 6 4; }
"""
_JS = """
export default function ({ parentElement, data }) {
  const place = parentElement.querySelector(".walk-scroll")
  if (place.innerHTML !== data) place.innerHTML = data
}
"""
_component = st.components.v2.component(
    "lossviz_network",
    html='<div class="walk-scroll" tabindex="0" role="region" aria-label="The network"></div>',
    css=_CSS,
    js=_JS,
)


Point = tuple[float, float]


@dataclass(frozen=True)
class Unit:
    """One circle: what it is, its number, and a line below it."""

    title: str
    value: str
    below: str = ""


@dataclass(frozen=True)
class Column:
    """One layer of units; `edges[j][i]` is the number on the connection into unit j from unit i before it."""

    title: str
    units: tuple[Unit, ...]
    edges: tuple[tuple[float, ...], ...] = ()
    lit: bool = False


def short(value: float) -> str:
    """A number with three digits and a true minus sign."""
    return f"{value:.3g}".replace("-", "−")


def network_svg(columns: tuple[Column, ...], summary: str) -> str:
    """The drawing as SVG text.

    Args:
        columns: From the inputs to the output.
        summary: What a screen reader says instead of the drawing.
    """
    width = 2 * SIDE + GAP_X * (len(columns) - 1) + 2 * RADIUS
    height = TOP + GAP_Y * max(len(column.units) for column in columns) + 8
    edges, labels, units = [], [], []
    for index, column in enumerate(columns):
        x = _x(index)
        units.append(f'<text class="column" x="{x}" y="22">{escape(column.title)}</text>')
        lines = _lines(columns[index - 1], column, index, height) if index else []
        largest = max((abs(number) for _, _, number in lines), default=0.0) or 1.0
        along = _clearest([(start[1], end[1]) for start, end, _ in lines])
        for start, end, number in lines:
            thickness = 1.2 + 3.0 * min(1.0, abs(number) / largest)
            edges.append(
                f'<path class="{"minus" if number < 0 else "plus"}" stroke-width="{thickness:.1f}" '
                f'd="M{start[0]} {start[1]:.1f}L{end[0]} {end[1]:.1f}"/>'
            )
            px, py = (a + (b - a) * along for a, b in zip(start, end, strict=True))
            labels.append(f'<text class="halo" x="{px:.1f}" y="{py + 4:.1f}">{short(number)}</text>')
        for row, unit in enumerate(column.units):
            y = _y(row, len(column.units), height)
            lit = " lit" if column.lit else ""
            units.append(
                f'<circle class="unit{lit}" cx="{x}" cy="{y:.1f}" r="{RADIUS}"/>'
                f'<text class="value" x="{x}" y="{y + 5:.1f}">{escape(unit.value)}</text>'
                f'<text class="halo" x="{x}" y="{y - RADIUS - 6:.1f}">{escape(unit.title)}</text>'
                f'<text class="halo" x="{x}" y="{y + RADIUS + 15:.1f}">{escape(unit.below)}</text>'
            )
    return (
        f'<svg role="img" aria-label="{escape(summary)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{"".join(edges + labels + units)}</svg>'
    )


def draw_network(columns: tuple[Column, ...], summary: str, key: str) -> None:
    """Show the drawing; on a narrow screen it scrolls sideways."""
    _component(key=key, data=network_svg(columns, summary))


def _lines(before: Column, column: Column, index: int, height: int) -> list[tuple[Point, Point, float]]:
    """Start, end and number of each connection into a column."""
    return [
        (
            (_x(index - 1) + RADIUS, _y(source, len(before.units), height)),
            (_x(index) - RADIUS, _y(row, len(column.units), height)),
            number,
        )
        for row, numbers in enumerate(column.edges)
        for source, number in enumerate(numbers)
    ]


def _clearest(heights: list[tuple[float, float]]) -> float:
    """How far along the connections, between two columns, their numbers lie farthest apart."""

    def room(along: float) -> float:
        places = sorted(start + (end - start) * along for start, end in heights)
        return min((b - a for a, b in pairwise(places)), default=0.0)

    return max((0.5, *(step / 50 for step in range(10, 41))), key=room)


def _x(index: int) -> int:
    return SIDE + RADIUS + GAP_X * index


def _y(row: int, count: int, height: int) -> float:
    middle = TOP + (height - TOP - 8) / 2
    return middle + GAP_Y * (row - (count - 1) / 2)
