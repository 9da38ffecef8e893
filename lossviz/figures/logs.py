"""Curves of runs made elsewhere, over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lossviz.figures.theme import DASHES, colours, style

POINTS = 2000
"""A curve is drawn with about so many points at most."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve.

    Args:
        name: What the legend calls it.
        run: Number of its run, from 0: the colour.
        part: Number of its part, from 0: the line style, such as solid for training and dashed for validation.
        steps: Where its points are.
        values: Its values; those that are not finite part the line.
    """

    name: str
    run: int
    part: int
    steps: NDArray[np.float64]
    values: NDArray[np.float64]


def logs_figure(
    curves: Sequence[Curve], across: str, up: str, *, log: bool = False, smoothing: float = 0.0, dark: bool = False
) -> go.Figure:
    """Draw curves over each other.

    Args:
        curves: What to draw; at most as many runs as there are colours.
        across: What the steps count.
        up: What the values measure.
        log: Whether the vertical axis is logarithmic.
        smoothing: Share of the smoothed curve that is kept at each point, 0 to below 1; the raw one stays, faintly.
        dark: Whether the page is dark.

    Returns:
        A figure with one trace a curve, and a faint one before it where it is smoothed.

    Example:
        >>> import numpy as np
        >>> steps = np.arange(3.0)
        >>> figure = logs_figure([Curve("run, training", 0, 0, steps, 1 / (1 + steps))], "epoch", "Loss")
        >>> [trace.name for trace in figure.data]
        ['run, training']
    """
    figure = go.Figure()
    palette = colours(dark).lines
    for curve in curves:
        line = {"color": palette[curve.run % len(palette)], "dash": DASHES[curve.part % len(DASHES)], "width": 2.5}
        values = np.where(np.isfinite(curve.values), curve.values, np.nan)
        smooth = smoothed(values, smoothing) if smoothing else values
        keep = slice(None, None, -(-len(values) // POINTS))
        # A single point has no line.
        mode = "lines" if len(values) > 1 else "markers"
        if smoothing:
            figure.add_trace(
                go.Scatter(
                    x=curve.steps[keep], y=values[keep], name=f"{curve.name}, raw", mode=mode, opacity=0.3,
                    line={**line, "width": 1.5}, showlegend=False, hoverinfo="skip",
                )
            )  # fmt: skip
        figure.add_trace(go.Scatter(x=curve.steps[keep], y=smooth[keep], name=curve.name, mode=mode, line=line))
    style(figure, dark, height=420)
    figure.update_xaxes(title_text=across)
    figure.update_yaxes(title_text=up, type="log" if log else "linear")
    return figure


def smoothed(values: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return the exponential moving mean, corrected for having started from nothing; gaps are passed over.

    It ends with the last value: a run that diverged has no level that a flat line might show.

    m ← s m + (1 − s) v, shown as m / (1 − sⁿ) after n values.

    Args:
        values: Shape (points,); NaN where there is none.
        share: s, from 0 to below 1.

    Returns:
        Shape (points,); NaN up to the first value and after the last.

    Example:
        >>> smoothed(np.array([1.0, 3.0]), 0.5).round(4).tolist()
        [1.0, 2.3333]
    """
    mean, weight, result = 0.0, 0.0, np.empty_like(values)
    for at, value in enumerate(values):
        if not np.isnan(value):
            mean, weight = share * mean + (1.0 - share) * value, share * weight + (1.0 - share)
        result[at] = mean / weight if weight else np.nan
    known = np.flatnonzero(~np.isnan(values))
    result[known[-1] + 1 if known.size else 0 :] = np.nan
    return result
