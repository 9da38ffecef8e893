"""Colours and lines that are told apart on a light and on a dark page, in colour and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go


@dataclass(frozen=True)
class Colours:
    """The colours of one theme.

    Args:
        text: Titles and tick labels.
        grid: Grid lines.
        zero: The lines through 0.
        lines: Colours of curves, in order.
    """

    text: str
    grid: str
    zero: str
    lines: tuple[str, ...]


LIGHT: Final = Colours("#0d1722", "#dfe5ec", "#7e8b99", ("#0072b2", "#c65102", "#00805d", "#a6408a"))
DARK: Final = Colours("#e8eef5", "#2a3542", "#7f8ea0", ("#56b4e9", "#f0943a", "#2fbf93", "#dd92c0"))
DASHES: Final = ("solid", "dash", "dot", "dashdot")
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def colours(dark: bool) -> Colours:
    """The colours of the dark or the light theme.

    Example:
        >>> colours(dark=True).text
        '#e8eef5'
    """
    return DARK if dark else LIGHT


def style(figure: go.Figure, dark: bool, height: int) -> go.Figure:
    """Give a figure the look of the pages: their font, no background, a grid that stays behind.

    Args:
        figure: The figure; it is changed.
        dark: Whether the page is dark.
        height: In pixels.

    Returns:
        The same figure.

    Example:
        >>> style(go.Figure(), dark=False, height=300).layout.height
        300
    """
    theme = colours(dark)
    axes: dict[str, Any] = {
        "gridcolor": theme.grid,
        "zerolinecolor": theme.zero,
        "zerolinewidth": 1,
        "linecolor": theme.zero,
        "tickfont": {"size": 13},
        "title": {"font": {"size": 14}, "standoff": 8},
        "automargin": True,
        "fixedrange": True,
        "hoverformat": ".4~g",
    }
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": theme.text, "size": 14},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 14}, "itemwidth": 40},
        hovermode="x unified",
        hoverlabel={"bgcolor": "#1a232d" if dark else "#ffffff", "font": {"color": theme.text}},
        dragmode=False,
    )
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)
    return figure
