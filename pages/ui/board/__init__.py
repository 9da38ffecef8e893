"""The drag board: a component that looks every number up in tables, so that nothing leaves the browser during a drag.

The scripts in this folder share one scope: `SCRIPTS` joins them in this order into the one module of the component.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Final

import streamlit as st

HERE: Final = Path(__file__).resolve().parent
SCRIPTS: Final = (
    "numbers",
    "dom",
    "tables",
    "track",
    "field",
    "choice",
    "samples",
    "numbers_scene",
    "bars_scene",
    "picture",
    "names",
    "plane_scene",
    "boxes_scene",
    "cells",
    "mask_scene",
    "alignment_scene",
    "curves",
    "sentences",
    "worked",
    "descent",
    "hand",
    "board",
)
STYLES: Final = ("board", "controls", "tracks", "samples", "plane", "boxes", "mask", "alignment", "curves")

_component = st.components.v2.component(
    "lossviz_board",
    js="\n".join((HERE / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
    css="\n".join((HERE / f"{name}.css").read_text(encoding="utf-8") for name in STYLES),
)


def board(
    tables: bytes, key: str = "board", learning_rate: float = 0.1, answers: int | None = None
) -> dict[str, Any] | None:
    """Draw the board and return what the learner last did with it.

    Args:
        tables: What `lossviz.tables(...).to_bytes(revision)` returns, made after the board's last message was acted
            on. A board never goes back to a lower revision.
        key: Identity of the board on the page.
        learning_rate: What the learning rate field holds until the learner changes it.
        answers: Number ("seq") of the last message that the tables take account of.

    Returns:
        What the browser last sent, unchecked, or None: "seq" (it only grows), "action", "revision" of the tables that
        were on screen, "active" (the handle whose curve is shown), "values" (all variables as shown, flat, by name).
        The actions are "move" (a drag ended), "place" (a typed position: "handle" and "t", a number an axis), "load"
        (the table of a "handle" is needed), "paint" (numbers "flats" of a "variable" become "value"), "add", "remove"
        (with "sample"), "reset", "undo", and "step" and "run" (with "learning_rate").
    """
    settings = json.dumps({"key": key, "learning_rate": learning_rate, "answers": answers}).encode()
    envelope = struct.pack("<I", len(settings)) + settings + tables
    return _component(key=key, data=envelope, on_message_change=_nothing).message


def _nothing() -> None:
    """A state key exists only where a callback is named; the page reads the message itself."""
