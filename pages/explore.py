"""Explore: pick a loss, drag predictions against targets, watch the value and the gradient."""

from functools import partial

import streamlit as st

from lossviz.losses.base import Parameter
from pages.ui import explore_actions as actions
from pages.ui.board import board
from pages.ui.explore_panels import panels
from pages.ui.explore_state import format_url, parse
from pages.ui.parameter import parameter_control
from pages.ui.state import page_state, recall, seed, show_notices, widget, write_url

PARAMETER_WIDTHS = {"number": 1.2, "choice": 1.6, "flag": 0.8, "class_weights": 1.8}


def controls() -> None:
    """Loss, reduction and parameters; each change makes a new state before the page is drawn."""
    state = actions.state()
    loss = state.declared
    widths = [3.2, 1.6, *(PARAMETER_WIDTHS[item.kind] for item in loss.parameters)]
    columns = st.columns(widths, vertical_alignment="bottom")
    with columns[0]:
        st.selectbox(
            "Loss",
            actions.KEYS,
            format_func=actions.menu_label,
            key=seed("explore.loss", state.loss),
            on_change=lambda: actions.choose_loss(widget("explore.loss")),
            help="Type to search by name or by another name, such as L2 or log loss.",
        )
    with columns[1]:
        names = [reduction.name for reduction in loss.reductions]
        st.selectbox(
            "Reduction",
            names,
            format_func=lambda name: loss.reduction(name).title,
            key=seed(f"explore.{loss.key}.reduction", state.reduction),
            on_change=lambda: actions.choose_reduction(widget(f"explore.{loss.key}.reduction")),
            help="How the terms become one number.",
        )
    for column, parameter in zip(columns[2:], loss.parameters, strict=True):
        with column:
            key = seed(f"explore.{state.loss}.{parameter.name}", actions.draft(parameter, state))
            parameter_control(parameter, key, partial(_take, parameter, key))
    for problem in actions.parameter_problems(loss):
        st.error(problem)


def _take(parameter: Parameter, key: str) -> None:
    actions.set_parameter(parameter, widget(key))


@st.fragment
def laboratory() -> None:
    """Everything below the heading; a drag reruns only this."""
    actions.receive(recall("board"))
    state = actions.state()
    above = st.container()
    # The board's tables go out first: a hand is waiting for them.
    board(actions.tables_message(), key="board", learning_rate=state.rate, answers=recall("explore.seq"))
    with above:
        controls()
        st.markdown(state.declared.summary)
    write_url(format_url(state))
    problem = recall("explore.problem")
    if problem:
        st.warning(problem)
    panels(state)


page_state("explore", parse)
st.title("Explore a loss")
show_notices("explore")
laboratory()
