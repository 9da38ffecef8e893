"""Figures: numbers in, a Plotly figure out; nothing is computed here."""

from lossviz.figures.comparison import comparison_figure
from lossviz.figures.constant import constant_figure

__all__ = ["comparison_figure", "constant_figure"]
