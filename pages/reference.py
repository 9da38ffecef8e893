"""Reference: every loss as a card that can be searched, printed and opened on the board."""

import streamlit as st

from pages.ui import card
from pages.ui import reference_view as view
from pages.ui.reference_state import format_url, parse
from pages.ui.state import page_state, show_notices, write_url

card.styles()
page_state("reference", parse)
st.title("Reference")
show_notices("reference")
state = view.state()
if state.board is None:
    st.markdown("Every loss with its formula, its gradient, its pitfalls and its code. Pick one to open its card.")
    view.search()
    view.results()
else:
    view.open_card(state.board)
write_url(format_url(state))
