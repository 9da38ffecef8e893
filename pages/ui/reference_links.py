"""Links between the pages: to the board in a state, to a card, to a comparison."""

from __future__ import annotations

import streamlit as st

from pages.ui.explore_state import ExploreState, format_url


def board_link(label: str, state: ExploreState, _key: str = "") -> None:
    """A link to the Explore page with a board in a state."""
    # The loss is named even where it is the default: a link without parameters would show the board of before.
    st.page_link(
        "explore.py",
        label=label,
        icon=":material/tune:",
        query_params={"loss": state.loss, **format_url(state)},
    )


def card_link(label: str, state: ExploreState) -> None:
    """A link to the card of a loss with the numbers of a board."""
    query = {"loss": state.loss, **format_url(state)}
    st.page_link("reference.py", label=label, icon=":material/description:", query_params=query)


def compare_link(label: str, entries: str) -> None:
    """A link to a comparison, written as in its address."""
    st.page_link("compare.py", label=label, icon=":material/stacked_line_chart:", query_params={"with": entries})
