"""Race: up to sixteen runs from one start, live, ranked on what is comparable."""

from pathlib import Path

import streamlit as st

from pages.ui.own_panel import own_panel
from pages.ui.own_store import known
from pages.ui.race import controls, race
from pages.ui.race.state import format_url, parse
from pages.ui.state import current, page_state, put, show_notices, write_url
from pages.ui.train_state import TrainState

st.html(Path(__file__).parent / "ui" / "race" / "page.css")
page_state("race", lambda params: parse(params, known()))
st.title("Race")
st.markdown(
    "Up to 16 runs start together, on the same points, and differ in one thing. Pick an example or set up your own."
)
show_notices("race")
controls.examples()
controls.settings()
if current("race").wanted:
    own_panel("race", controls.use_own, controls.resume_own)
controls.ranking()
state = current("race")
write_url(format_url(state))
chosen = race(state)
if chosen is not None:
    put("train", TrainState(chosen))
    st.switch_page("train.py")
st.caption("The address of this page holds the whole race: copy it to share exactly this one.")
