"""Losses side by side: their values above, their slopes below."""

from __future__ import annotations

from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from lossviz.compare import Comparison
from lossviz.figures.theme import DASHES, colours, style

JUMP: Final = 1e-3
"""How much the sides of a place must differ, compared with the size of the number, to part the line there."""


def comparison_figure(comparison: Comparison, dark: bool = False) -> go.Figure:
    """Draw a comparison: values above slopes, on one axis.

    Each loss has a colour and a line style of its own. The vertical axes show what the curves have in common; one that
    grows much faster than the others leaves the picture.

    Args:
        comparison: What to draw.
        dark: Whether the page is dark.

    Returns:
        A figure with two traces for each loss, of which the one above is in the legend.

    Example:
        >>> from lossviz.compare import compare
        >>> figure = comparison_figure(compare([("mse", {}), ("mae", {})]))
        >>> [trace.name for trace in figure.data]
        ['Mean squared error', 'Mean squared error', 'Mean absolute error', 'Mean absolute error']
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.58, 0.42])
    palette = colours(dark).lines
    for index, curve in enumerate(comparison.curves):
        line = {"color": palette[index], "dash": DASHES[index], "width": 3}
        lines = ((1, curve.values, curve.value_sides), (2, curve.slopes, curve.slope_sides))
        for row, numbers, sides in lines:
            x, y = _parted(comparison.places, numbers, sides)
            figure.add_trace(
                go.Scatter(
                    x=x,
                    y=y,
                    name=curve.title,
                    legendgroup=str(index),
                    showlegend=row == 1,
                    mode="lines",
                    line=line,
                ),
                row=row,
                col=1,
            )
    style(figure, dark, height=560)
    scaled = " (scaled)" if comparison.aligned else ""
    figure.update_xaxes(title_text=comparison.label, row=2, col=1)
    figure.update_yaxes(
        title_text=f"Loss{scaled}", range=_range([curve.values for curve in comparison.curves]), row=1, col=1
    )
    figure.update_yaxes(
        title_text=f"Slope{scaled}", range=_range([curve.slopes for curve in comparison.curves]), row=2, col=1
    )
    if comparison.aligned:
        figure.add_vline(x=comparison.reference, line={"color": colours(dark).zero, "width": 1, "dash": "dot"})
    return figure


def _parted(
    places: NDArray[np.float64], numbers: NDArray[np.float64], sides: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points of a line that is parted where both sides of a place differ, rather than joined across."""
    left, right = sides
    jump = np.abs(right - left) > JUMP * (1 + np.abs(numbers))
    x, y = np.repeat(places, np.where(jump, 3, 1)), np.repeat(numbers, np.where(jump, 3, 1))
    first = np.flatnonzero(jump) + 2 * np.arange(jump.sum())
    y[first], y[first + 1], y[first + 2] = left[jump], np.nan, right[jump]
    return x, y


def _range(series: list[np.ndarray]) -> list[float]:
    """From the lowest to the highest number that most curves reach, with a little room."""
    known = [numbers[np.isfinite(numbers)] for numbers in series]
    known = [numbers for numbers in known if numbers.size]
    if not known:
        return [0.0, 1.0]
    low = float(np.median([numbers.min() for numbers in known]))
    high = float(np.median([numbers.max() for numbers in known]))
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.08 * (high - low) or 1.0
    return [low - room, high + room]
