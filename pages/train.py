"""Train: a tiny model on real or generated data, live, with every setting in the link."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.ui import train_controls as controls
from pages.ui.live import LiveMessage, live, run_name
from pages.ui.own_panel import own_panel
from pages.ui.own_store import known
from pages.ui.state import current, page_state, put, show_notices, write_url
from pages.ui.train_change import resume_own, use_own
from pages.ui.train_export import export_panel
from pages.ui.train_open import open_panel
from pages.ui.train_runs import keep, runs_panel
from pages.ui.train_share import share
from pages.ui.train_state import format_url, parse
from pages.ui.walk import walk_panel

# Wide enough for the longest data set's name.
st.set_page_config(initial_sidebar_state=344)
st.html(Path(__file__).parent / "ui" / "train.css")
page_state("train", lambda params: parse(params, known()))
with st.sidebar:
    controls.settings()

st.title("Train a tiny model")
st.markdown("Pick an example, or change the settings at the side (double arrow on a phone). Then press Play.")
show_notices("train")
controls.gallery()
controls.show_remarks()
own_panel("train", use_own, resume_own)


def heard(message: LiveMessage) -> None:
    """Take over what was done with the run on screen; keep every run that comes to rest."""
    keep(message)
    state = current("train")
    if run_name(message.config) == run_name(state.config):
        # Changes made on the way belong to the run: the link holds them, and a replay is exact.
        at = state.at if message.state == "playing" else message.updates
        put("train", replace(state, config=message.config, at=at))


state = current("train")
message = live(state.config, key="train", shown=state.shown, at=state.at, heard=heard)
if message is not None and message.shown != state.shown:
    state = replace(state, shown=message.shown)
    put("train", state)
write_url(format_url(state))
share(state)

walk_panel(message)
export_panel(state.config)
open_panel()
runs_panel()
