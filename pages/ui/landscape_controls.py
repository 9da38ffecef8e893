"""The controls of the Landscape page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from lossviz import datasets, losses, optimizers
from lossviz.losses.base import Parameter
from lossviz.training import BOUNDS, preset
from pages.ui import landscape_state as rules
from pages.ui.landscape_state import LandscapeState
from pages.ui.landscape_view import clicked_place
from pages.ui.parameter import parameter_control
from pages.ui.state import current, put, recall, remember, seed, widget

PAGE = "landscape"
PICTURE = "landscape.picture"
NUMBER_WIDTH = 170


def state() -> LandscapeState:
    """The page's state."""
    return current(PAGE)


def change(**fields: Any) -> None:
    """Put a state that differs in these fields."""
    remember("landscape.problem", "")
    put(PAGE, replace(state(), **fields))


def _field(name: str, value: Any = ..., take: Callable[[Any], Any] = lambda shown: shown) -> dict[str, Any]:
    """Key and callback of the widget that shows one field of the state."""
    key = seed(f"landscape.{name}", getattr(state(), name) if value is ... else value)

    def taken() -> None:
        shown = widget(key)
        # Segments give None when the chosen one is clicked again, and number fields when they are emptied.
        if shown is not None:
            change(**{name: take(shown)})

    return {"key": key, "on_change": taken}


def section() -> None:
    """One weight and one bias, or a network."""
    st.segmented_control(
        "Landscape of",
        rules.SECTIONS,
        format_func=rules.SECTIONS.__getitem__,
        **_field("section"),
    )


def view(arrows: bool) -> None:
    """How the surface is drawn, in both sections."""
    now = state()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "View",
            rules.VIEWS,
            format_func=rules.VIEWS.__getitem__,
            label_visibility="collapsed",
            width="content",
            **_field("view"),
        )
        st.toggle(
            "Log scale",
            help="Colours and heights follow powers of ten, so that small losses are told apart too.",
            **_field("log"),
        )
        if arrows and now.view == "contour":
            st.toggle(
                "Arrows",
                help="They point downhill, against the gradient. Longer is steeper, on a logarithmic scale.",
                **_field("arrows"),
            )


# One weight and one bias


def setting() -> None:
    """Data, loss and what all racers have in common."""
    now = state()
    declared = losses.get(now.loss)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Data set",
            rules.linear_datasets(),
            format_func=lambda key: datasets.get(key).title,
            width=230,
            key=seed("landscape.data", now.data),
            on_change=_take_data,
            help=datasets.get(now.data).description,
        )
        st.selectbox(
            "Loss",
            rules.linear_losses(now.data),
            format_func=lambda key: losses.get(key).title,
            width=230,
            key=seed("landscape.loss", now.loss),
            on_change=lambda: change(loss=widget("landscape.loss"), parameters=()),
            help=declared.summary,
        )
        for item in declared.parameters:
            with st.container(width=NUMBER_WIDTH):
                _parameter(item)
        st.number_input(
            "Learning rate",
            value=None,
            step=0.01,
            format="%g",
            width=NUMBER_WIDTH,
            help=f"The same for all optimizers. Above 0, up to {BOUNDS['learning_rate'][1]:g}.",
            key=seed("landscape.rate", now.rate),
            on_change=_take_rate,
        )
        st.number_input(
            "Steps",
            1,
            rules.MAX_STEPS,
            step=10,
            width=NUMBER_WIDTH,
            help="How many updates each optimizer makes, on all points at once.",
            **_field("steps"),
        )
    st.pills(
        "Optimizers in the race",
        optimizers.keys(),
        format_func=lambda key: optimizers.get(key).title,
        selection_mode="multi",
        key=seed("landscape.racers", list(now.racers)),
        on_change=_take_racers,
    )
    if recall("landscape.problem"):
        st.error(recall("landscape.problem"))


def _parameter(item: Parameter) -> None:
    now = state()
    given = dict(now.parameters)
    key = seed(f"landscape.{now.loss}.{item.name}", given.get(item.name, item.default))

    def take() -> None:
        value = widget(key)
        try:
            given[item.name] = item.check(item.default if value is None else value)
        except ValueError as error:
            remember("landscape.problem", f"{error}. The setting before still holds.")
            return
        change(parameters=rules.changed(now.loss, given))

    parameter_control(item, key, take)


def _take_data() -> None:
    """The loss stays where it suits the new points too and they are of the same task."""
    now, data = state(), widget("landscape.data")
    if datasets.get(data).task == datasets.get(now.data).task:
        change(data=data, start=None)
    else:
        change(data=data, start=None, loss=rules.default_loss(data), parameters=())


def _take_rate() -> None:
    rate, high = widget("landscape.rate"), BOUNDS["learning_rate"][1]
    if rate is None:
        return
    if not 0.0 < rate <= high:
        problem = f"The learning rate is {rate:g}; a number above 0, up to {high:g}, is allowed."
        remember("landscape.problem", f"{problem} The setting before still holds.")
        return
    change(rate=float(rate))


def _take_racers() -> None:
    chosen = widget("landscape.racers")
    change(racers=tuple(key for key in optimizers.keys() if key in chosen))  # noqa: SIM118 - the registry's function


def start_fields() -> None:
    """The start in numbers: what a click on the map sets too."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for index, title in enumerate(("Start: weight w", "Start: bias b")):
            key = seed(f"landscape.start.{index}", state().begin[index])
            st.number_input(
                title,
                -rules.FAR,
                rules.FAR,
                step=0.1,
                format="%g",
                width=NUMBER_WIDTH,
                key=key,
                on_change=_take_start,
                args=(index, key),
            )


def _take_start(index: int, key: str) -> None:
    value = widget(key)
    if value is None:
        return
    place = list(state().begin)
    place[index] = float(value)
    _begin_at((place[0], place[1]))


def take_click() -> None:
    """Begin the race where the map was clicked."""
    place = clicked_place(PICTURE)
    if place is not None:
        _begin_at(rules.round_start(place, recall("landscape.side", 1.0)))


def _begin_at(start: tuple[float, float]) -> None:
    change(start=None if start == rules.default_start(state().data) else start)


# A network


def network() -> None:
    """Which network, how long it is trained, and which plane is shown."""
    now = state()
    most = rules.most_epochs(now.example)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Example",
            rules.examples(),
            format_func=lambda key: preset(key).title,
            width=280,
            key=seed("landscape.example", now.example),
            on_change=lambda: change(example=widget("landscape.example"), epochs=None),
        )
        st.slider(
            "Epochs of training",
            1,
            most,
            width=280,
            help="The picture is that of the weights after so many passes through the training points.",
            **_field("epochs", now.trained, lambda shown: None if shown == most else shown),
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Directions", rules.PLANES, format_func=rules.PLANES.__getitem__, width="content", **_field("plane")
        )
        if now.plane == "random":
            st.number_input("Seed of the directions", 0, rules.SEED_HIGH, step=1, width=NUMBER_WIDTH, **_field("seed"))
