"""The loss of every constant prediction, with the best one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from lossviz.experiment import Sweep
from lossviz.figures.theme import colours, style


def constant_figure(sweep: Sweep, targets: Sequence[float], dark: bool = False) -> go.Figure:
    """Draw the loss along the constant, the targets on the axis, what was found and what the loss declares.

    Args:
        sweep: The experiment.
        targets: The targets it was made with.
        dark: Whether the page is dark.

    Returns:
        A figure with the traces "Loss", "Targets", "Found" and "Declared", the last two where there are such.

    Example:
        >>> from lossviz.experiment import best_constant
        >>> sweep = best_constant("mse", [0.0, 0.0], [1.0, 2.0])
        >>> [trace.name for trace in constant_figure(sweep, [1.0, 2.0]).data]
        ['Loss', 'Targets', 'Found', 'Declared']
    """
    theme = colours(dark)
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=sweep.constants, y=sweep.values, name="Loss", mode="lines", line={"color": theme.lines[0], "width": 3}
        )
    )
    finite = sweep.values[~(abs(sweep.values) == math.inf)]
    low, high = float(finite.min()), float(finite.max())
    room = 0.08 * (high - low) or 1.0
    figure.add_trace(
        go.Scatter(
            x=list(targets),
            y=[low - room] * len(targets),
            name="Targets",
            mode="markers",
            marker={"symbol": "triangle-up", "size": 12, "color": theme.text},
            hovertemplate="%{x}",
        )
    )
    if not math.isnan(sweep.value):
        both = [sweep.low] if sweep.low == sweep.high else [sweep.low, sweep.high]
        figure.add_trace(
            go.Scatter(
                x=both,
                y=[sweep.value] * len(both),
                name="Found",
                mode="markers" if len(both) == 1 else "lines+markers",
                line={"color": theme.lines[1], "width": 4},
                marker={"symbol": "circle", "size": 13, "color": theme.lines[1]},
            )
        )
    if not math.isnan(sweep.declared):
        figure.add_trace(
            go.Scatter(
                x=[sweep.declared],
                y=[sweep.declared_value],
                name="Declared",
                mode="markers",
                marker={"symbol": "x-thin", "size": 15, "line": {"width": 3, "color": theme.text}},
            )
        )
    style(figure, dark, height=320)
    figure.update_xaxes(title_text="The same prediction for every sample")
    figure.update_yaxes(title_text="Loss", range=[low - 2 * room, high + room])
    return figure
