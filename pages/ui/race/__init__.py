"""The race component: a toolbar, the curves of all racers, and a table that ranks them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import streamlit as st

from lossviz.training import DIFFERENCES, RunConfig, stable_limit
from pages.ui import server
from pages.ui.live.own_delivery import deliver
from pages.ui.race.state import RaceState, train_link

HERE: Final = Path(__file__).parent
LIVE: Final = HERE.parent / "live"
#: One module in several files, because a component's script is one text and has no address to import from.
SCRIPTS: Final = (
    *(HERE.parent / "component.js", LIVE / "own_points.js", LIVE / "socket.js", LIVE / "curves.js"),
    *(HERE / name for name in ("race_style.js", "race_curves.js", "race_sweep.js", "race_table.js", "race.js")),
)

_component = st.components.v2.component(
    "lossviz_race",
    html=(HERE / "race.html").read_text(encoding="utf-8"),
    css=(HERE / "race.css").read_text(encoding="utf-8"),
    js="\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS),
    isolate_styles=False,
)


def race(state: RaceState, key: str = "race") -> RunConfig | None:
    """Show a race and let the learner play it.

    The component keeps its race as long as run and racers are the same; how it is ranked and drawn may change.

    Args:
        state: The race.
        key: The element's key; an element keeps its place and its race under it.

    Returns:
        The racer whose own page was asked for, if the race is on own data: a link cannot open it, because it leads to
        a session that was not given the data.
    """
    deliver(state.config.own)
    asked = _component(key=key, data=race_data(state), on_open_change=lambda: None).open
    known = state.config.own and type(asked) is int and 0 <= asked < len(state.racers)
    return state.racers[asked].config if known else None


def race_data(state: RaceState) -> dict[str, Any]:
    """What the browser is told: the race, how to draw it, and where its racers' own pages are."""
    racers = state.racers
    opening = {"config": state.config.to_dict(), "by": state.by, "values": list(state.values)}
    text = json.dumps(opening, sort_keys=True)
    return {
        "race": hashlib.sha256(text.encode()).hexdigest()[:16],
        "opening": opening,
        "racers": [{"name": racer.name, "link": train_link(racer.config)} for racer in racers],
        "what": DIFFERENCES[state.by].title,
        "measure": state.measure,
        "log": state.log and state.measure == "loss",
        "metric": state.config.metric,
        "part": "validation" if state.config.validation_samples else "training",
        "rates": [racer.config.learning_rate for racer in racers] if state.by == "rate" else None,
        "limit": stable_limit(state.config) if state.by == "rate" else None,
        "band": state.by == "seed",
        "mixed": state.by == "loss",
        "title": state.config.data.title,
        "own": state.config.own and state.config.own.key,
        "socket": server.public_path("/race"),
        "plotly": server.plotly_url(),
    }
