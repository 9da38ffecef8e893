"""The Reference page: the list of all losses with its search, and one card."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import streamlit as st

from lossviz import losses
from lossviz.cards import MAX_QUERY, Match, find, nearest_names
from lossviz.compare import MOST, axis_of
from lossviz.export.card import card_html
from lossviz.losses.base import PROPERTIES, TASKS
from pages.ui import card
from pages.ui.explore_state import ExploreState
from pages.ui.reference_links import board_link, compare_link
from pages.ui.reference_state import ReferenceState
from pages.ui.state import current, put, seed, widget

PAGE = "reference"
COLUMNS = 3


def state() -> ReferenceState:
    """The page's state."""
    return current(PAGE)


def search() -> None:
    """Search field and filters."""
    now = state()
    st.text_input(
        "Search",
        key=seed("reference.query", now.query),
        on_change=lambda: put(PAGE, replace(state(), query=widget("reference.query").strip())),
        max_chars=MAX_QUERY,
        placeholder="A name, such as Huber, BPR, L2 or log loss",
        icon=":material/search:",
    )
    st.pills(
        "What it is for",
        list(TASKS),
        format_func=TASKS.__getitem__,
        key=seed("reference.task", now.task or None),
        on_change=lambda: put(PAGE, replace(state(), task=widget("reference.task") or "")),
    )
    st.pills(
        "Properties it must have",
        list(PROPERTIES),
        selection_mode="multi",
        format_func=lambda name: PROPERTIES[name].split(":")[0],
        key=seed("reference.properties", list(now.properties)),
        on_change=_filter,
    )


def _filter() -> None:
    chosen = widget("reference.properties")
    put(PAGE, replace(state(), properties=tuple(name for name in PROPERTIES if name in chosen)))


def results() -> None:
    """The losses that fit, in groups as in the menus; a search puts the best match first."""
    now = state()
    found = find(now.query, now.task, now.properties)
    if not found:
        near = nearest_names(now.query) if now.query else ()
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        st.markdown(f"**No loss fits.**{hint} Search for another word, or take filters away.")
        return
    count = "1 loss" if len(found) == 1 else f"{len(found)} losses"
    if now.query:
        st.header(f"{count} found")
        _grid(found)
        return
    st.markdown(count)
    for task, group in groupby(found, key=lambda match: losses.get(match.key).task):
        st.header(TASKS[task])
        _grid(tuple(group))


def _grid(found: tuple[Match, ...]) -> None:
    for first in range(0, len(found), COLUMNS):
        for column, match in zip(st.columns(COLUMNS), found[first : first + COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                loss = losses.get(match.key)
                st.button(
                    loss.title, key=f"reference.open.{match.key}", type="tertiary", on_click=show, args=(match.key,)
                )
                if match.alias:
                    st.caption(f"{match.alias} is the same function as {loss.title}.")
                st.markdown(loss.summary)


def show(key: str) -> None:
    """Open a card."""
    put(PAGE, state().open(key))


def show_list() -> None:
    """Go back to the list."""
    put(PAGE, replace(state(), board=None))


def open_card(board: ExploreState) -> None:
    """One loss, from what it measures to its sources."""
    loss = board.declared
    st.button("All losses", icon=":material/arrow_back:", on_click=show_list, key="reference.back")
    st.header(loss.title)
    st.markdown(loss.summary)
    card.chips(loss)
    card.aliases(loss)
    with st.container(horizontal=True, vertical_alignment="center"):
        board_link("Open on the board", board)
        _compare(board)
        st.download_button(
            "Save as one page",
            lambda: card_html(*board.arguments, board.reduction, **board.parameters),
            file_name=f"{loss.key}.html",
            mime="text/html",
            icon=":material/print:",
            on_click="ignore",
            help=card.SAVE_HELP,
        )
    key = f"reference.{loss.key}"
    st.subheader("Formula")
    card.formulas(board)
    st.subheader("The gradient three ways")
    card.three_ways(board)
    st.subheader("When to use it")
    card.advice(loss)
    st.subheader("What goes wrong")
    card.pitfalls(loss, board_link, key)
    st.subheader("What goes in")
    card.inputs(loss)
    st.subheader("The best constant prediction")
    card.best(board, key)
    st.subheader("Good to know")
    card.good_to_know(loss)
    st.subheader("Numerics")
    card.numerics(board, board_link, key)
    st.subheader("Code")
    card.code(board)
    st.subheader("Relatives")
    card.relatives(loss, _relative, key)
    st.subheader("Sources")
    card.sources(loss)


def _relative(label: str, other: str, key: str) -> None:
    st.button(label, key=key, type="tertiary", on_click=show, args=(other,))


def _compare(board: ExploreState) -> None:
    axis = axis_of(board.declared)[0]
    if axis is None:
        return
    near = [item.key for item in board.declared.relatives]
    fitting = [key for key in dict.fromkeys(near) if axis_of(losses.get(key))[0] == axis]
    if fitting:
        compare_link("Compare with its relatives", "~".join([board.loss, *fitting][:MOST]))
