"""The picture of a landscape: a figure in which paths can be played, and whose start follows a click.

Streamlit's own chart cannot do this: it is made anew at every change, and of a map it reports no place that is clicked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import server
from pages.ui.state import widget

HERE = Path(__file__).parent

_component = st.components.v2.component(
    "lossviz_landscape",
    html=(HERE / "landscape_view.html").read_text(encoding="utf-8"),
    css=(HERE / "landscape_view.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in ("component.js", "landscape_view.js")),
    isolate_styles=False,
)


def picture(
    figure: Any,
    *,
    key: str,
    alt: str,
    race: str,
    unit: str = "Step",
    moments: tuple[int, ...] | None = None,
    clicked: Callable[[], None] | None = None,
) -> None:
    """Draw it.

    Args:
        figure: From `lossviz.figures`, with paths that say which they are.
        key: The element's key.
        alt: What a screen reader says of it.
        race: Names the paths; as long as it is the same, the step that is shown stays.
        unit: What a moment of a path is.
        moments: The number of each moment; counted from 0 unless given.
        clicked: Called after a click on the map, for `clicked_place`; None where a click means nothing.
    """
    data = {
        "figure": figure.to_json(),
        "alt": alt,
        "race": race,
        "unit": unit,
        "moments": moments,
        "clickable": clicked is not None,
        "plotly": server.plotly_url(),
    }
    _component(key=key, data=data, on_start_change=clicked or _nothing)


def clicked_place(key: str) -> tuple[float, float] | None:
    """The place that was clicked; None unless the browser sent two finite numbers."""
    sent = widget(key).get("start")
    if not isinstance(sent, list | tuple) or len(sent) != 2:
        return None
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in sent):
        return None
    return float(sent[0]), float(sent[1])


def _nothing() -> None:
    """A trigger exists only where a callback is named."""
