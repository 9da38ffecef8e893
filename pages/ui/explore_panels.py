"""The panels below the board: what to notice, and the parts of the loss's card for what is on the board."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lossviz import evaluate
from lossviz.export.card import card_html
from lossviz.training import preset
from pages.ui import card
from pages.ui import explore_actions as actions
from pages.ui.explore_state import DEFAULT_RATE, ExploreState, start
from pages.ui.reference_links import card_link
from pages.ui.state import recall, remember
from pages.ui.train_state import TrainState
from pages.ui.train_state import format_url as train_url

KEY = "explore.card"
REVIEW_LOSS = "bce"
REVIEW = 0.8
"""Probability of "positive" that a network gives a review in the example."""
OPENED = "explore.opened"
"""How often a panel has opened a board."""

# The panels lie below the board: what one of them opens would stand out of sight.
_scroller = st.components.v2.component(
    "lossviz_scroller",
    js="""
let seen = 0;
export default function ({ data }) {
  if (data.opened > seen) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const board = document.querySelector(".st-key-board");
    board.style.scrollMarginTop = "72px";
    requestAnimationFrame(() => board.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" }));
  }
  seen = data.opened;
}
""",
)


def panels(state: ExploreState) -> None:
    """The tabs; only the open one is made, so that a drag waits for no other."""
    names = ("What to notice", "Formula and proof", "Code", "Numerics", "Good to know")
    card.styles()
    drawn = (notice_panel, proof_panel, card.code, numerics_panel, about_panel)
    for tab, draw in zip(st.tabs(names, key="explore.tab", on_change="rerun"), drawn, strict=True):
        if tab.open:
            with tab:
                draw(state)
    _scroller(key="explore.scroller", data={"opened": recall(OPENED, 0)}, height=0)


def notice_panel(state: ExploreState) -> None:
    """What to try and what to see."""
    st.markdown(state.declared.notice)
    if replace(state, rate=DEFAULT_RATE) != start(state.loss):
        st.caption("The numbers in this text are those of the board that this loss starts with.")
    if state.declared.kinks:
        st.markdown(f"**Kinks.** {state.declared.kinks}")
    if state.loss == REVIEW_LOSS:
        review_panel()


def review_panel() -> None:
    """One review on the board, and the way to a network that reads many of them."""
    board, loss = review_board()
    st.markdown(
        "**From one review to a network that reads.** A network reads a short review and gives “positive” the "
        f"probability {REVIEW:g}. The review is positive, label 1: that costs {loss:.4f}."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        _open_board("Put this review on the board", board, f"{KEY}.review")
        st.page_link(
            "train.py",
            label="Watch a network learn to read reviews",
            icon=":material/play_circle:",
            query_params=train_url(TrainState(preset("reviews").config)),
        )


def review_board() -> tuple[ExploreState, float]:
    """The board with one review that is found positive with probability 0.8 and is, and its loss."""
    board = replace(start(REVIEW_LOSS), numbers={"prediction": (REVIEW,), "target": (1.0,)})
    return board, evaluate(REVIEW_LOSS, *board.arguments[1:], board.reduction).value


def proof_panel(state: ExploreState) -> None:
    """The formula, the same with the numbers put in, and the gradient three ways."""
    card.formulas(state)
    st.markdown("**The gradient three ways**")
    card.three_ways(state)


def numerics_panel(state: ExploreState) -> None:
    """The board in float64 and in float32."""
    card.numerics(state, _open_board, KEY)


def about_panel(state: ExploreState) -> None:
    """When to use it, what goes wrong, domains, the best constant, relatives, other names and sources."""
    loss = state.declared
    with st.container(horizontal=True, vertical_alignment="center"):
        card_link("Open as a card", state)
        st.download_button(
            "Save as one page",
            lambda: card_html(*state.arguments, state.reduction, **state.parameters),
            file_name=f"{loss.key}.html",
            mime="text/html",
            icon=":material/print:",
            on_click="ignore",
            key=f"{KEY}.save",
            help=card.SAVE_HELP,
        )
    card.advice(loss)
    st.markdown("**What goes wrong**")
    card.pitfalls(loss, _open_board, KEY)
    st.markdown("**What goes in**")
    card.inputs(loss)
    st.markdown("**The best constant prediction**")
    card.best(state, KEY)
    st.markdown("**Properties**")
    card.good_to_know(loss)
    st.markdown("**Relatives**")
    card.relatives(loss, _open_relative, KEY)
    card.aliases(loss)
    st.markdown("**Sources**")
    card.sources(loss)


def _open_board(label: str, board: ExploreState, key: str) -> None:
    def opened() -> None:
        actions.change(replace(board, rate=actions.state().rate))
        _show_board()

    st.button(label, key=key, type="tertiary", icon=":material/tune:", on_click=opened)


def _open_relative(label: str, other: str, key: str) -> None:
    def opened() -> None:
        actions.choose_loss(other)
        _show_board()

    st.button(label, key=key, type="tertiary", on_click=opened)


def _show_board() -> None:
    """Bring the board into view once it is drawn."""
    remember(OPENED, recall(OPENED, 0) + 1)
