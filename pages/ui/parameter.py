"""The control of one parameter of a loss, the same on every page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lossviz.losses.base import Parameter


def parameter_control(
    parameter: Parameter,
    key: str,
    changed: Callable[[], None],
    *,
    title: str = "",
    classes: str = "each class",
    limits: tuple[float | None, float | None] = (None, None),
) -> None:
    """Draw it.

    Args:
        parameter: What it sets.
        key: The widget's key, seeded with the value to show.
        changed: Called after a change.
        title: Its name where the page shows several losses; the parameter's title unless given.
        classes: Whom class weights are for.
        limits: Bounds that the number field itself holds; without them the page says what is allowed after typing.
    """
    title = title or parameter.title
    if parameter.kind == "choice":
        names = parameter.options
        st.selectbox(
            title, list(names), format_func=names.__getitem__, key=key, on_change=changed, help=parameter.meaning
        )
    elif parameter.kind == "flag":
        st.checkbox(title, key=key, on_change=changed, help=parameter.meaning)
    elif parameter.kind == "class_weights":
        help_text = f"{parameter.meaning} One number above 0 for {classes}, such as 1, 3, 1. Empty: all 1."
        st.text_input(title, key=key, on_change=changed, placeholder="all 1", help=help_text)
    else:
        low, high = limits
        st.number_input(
            title,
            min_value=low,
            max_value=high,
            value=None,
            step=parameter.step,
            format="%g",
            key=key,
            on_change=changed,
            help=f"{parameter.meaning} Allowed: {parameter.describe()}.",
        )
