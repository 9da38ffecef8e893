"""Geometry: how losses lie on the screen, which handles they have, and what moving one does to their inputs."""

from __future__ import annotations

from lossviz.boards.alignment import Alignment, alignments
from lossviz.boards.bars import Bars
from lossviz.boards.base import LIMIT, MAX_CLASSES, MAX_SAMPLES, Axis, Board, Handle, State, Variable
from lossviz.boards.boxes import Boxes
from lossviz.boards.mask import Mask
from lossviz.boards.numbers import Number, Numbers, binary, line
from lossviz.boards.plane import Plane, Points

__all__ = [
    "LIMIT",
    "MAX_CLASSES",
    "MAX_SAMPLES",
    "Alignment",
    "Axis",
    "Bars",
    "Board",
    "Boxes",
    "Handle",
    "Mask",
    "Number",
    "Numbers",
    "Plane",
    "Points",
    "State",
    "Variable",
    "alignments",
    "binary",
    "line",
]
