"""Figures: numbers in, a Plotly figure out; nothing is computed here."""

from lossviz.figures.comparison import comparison_figure
from lossviz.figures.constant import constant_figure
from lossviz.figures.landscape import Track, contour_figure, perspective_figure
from lossviz.figures.logs import logs_figure

__all__ = ["Track", "comparison_figure", "constant_figure", "contour_figure", "logs_figure", "perspective_figure"]
