"""Typed page state and the URL: the only code that touches the session's state and the query parameters.

A page has one frozen state, made from the URL when the page is entered and written back to the URL after every change.
Widgets are controlled: before one is drawn, `seed` gives it the state's value; its `on_change` reads `widget` and puts
a new state. So a preset, an undo or a link can change every widget at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")


def page_state(page: str, parse: Callable[[Mapping[str, str]], tuple[T, list[str]]]) -> T:
    """The state of a page: the session's, or on entering the page by a link the URL's.

    Args:
        page: The page's name.
        parse: Turns query parameters into a state and into notices about values that were not legal.
    """
    entered = st.session_state.get("entered") != page
    st.session_state["entered"] = page
    key = f"{page}.state"
    if key not in st.session_state or (entered and st.query_params):
        state, notices = parse({name: st.query_params[name] for name in st.query_params})
        st.session_state[key] = state
        st.session_state[f"{page}.notices"] = notices
    return st.session_state[key]


def put(page: str, state: Any, notices: Sequence[str] = ()) -> None:
    """Make a new state the page's, with notices about it in place of those about the one that the URL held."""
    st.session_state[f"{page}.state"] = state
    st.session_state[f"{page}.notices"] = list(notices)


def current(page: str) -> Any:
    """The page's state, once `page_state` has made it."""
    return st.session_state[f"{page}.state"]


def show_notices(page: str) -> None:
    """Say which values of the URL were not legal and what stands instead."""
    notices = st.session_state.get(f"{page}.notices")
    if notices:
        st.warning("\n\n".join(notices), icon=":material/link_off:")


def write_url(parameters: Mapping[str, str]) -> None:
    """Make the address bar show the state; only what is not at its default."""
    if {name: st.query_params[name] for name in st.query_params} != dict(parameters):
        st.query_params.from_dict(dict(parameters))


def seed(key: str, value: Any) -> str:
    """Give a widget its value before it is drawn; returns the key to draw it with."""
    if st.session_state.get(key, ...) != value:
        st.session_state[key] = value
    return key


def widget(key: str) -> Any:
    """What a widget holds, for its `on_change`."""
    return st.session_state[key]


def remember(key: str, value: Any) -> None:
    """Keep a value of this session that belongs in no URL, such as the states to go back to."""
    st.session_state[key] = value


def recall(key: str, default: Any = None) -> Any:
    """What was kept under a key."""
    return st.session_state.get(key, default)
