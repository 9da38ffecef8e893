"""Landscape: the loss as a surface over the weights, and training as a way down."""

from pathlib import Path

import streamlit as st

from pages.ui import landscape_controls as controls
from pages.ui.landscape_linear import linear_section
from pages.ui.landscape_network import network_section
from pages.ui.landscape_state import format_url, parse
from pages.ui.state import current, page_state, show_notices, write_url

st.html(Path(__file__).parent / "ui" / "landscape.css")
page_state("landscape", parse)
st.title("Loss landscape")
st.markdown("Every choice of weights has a loss. Read the loss as a height, and training is a walk downhill.")
show_notices("landscape")
controls.section()
state = current("landscape")
write_url(format_url(state))
if state.section == "linear":
    linear_section(state)
else:
    network_section(state)
