"""The state of the Compare page, its URL, and its controls.

A link reads `with=huber:delta:3~mse&aligned=1&target=2`: losses joined by `~`, each with the parameters that are not at
their default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from lossviz import losses
from lossviz.compare import FEWEST, MAX_TARGET, MOST, axis_of, comparable
from lossviz.losses.base import TASKS, Parameter
from pages.ui.links import quote
from pages.ui.parameter import parameter_control
from pages.ui.state import current, put, seed, widget

PAGE = "compare"
Entry = tuple[str, Mapping[str, Any]]
DEFAULT: tuple[Entry, ...] = (("mse", {}), ("mae", {}), ("huber", {}))
START_TARGET = 1.0

# Parameters at their default are left out, as in the state.
EXAMPLES: Mapping[str, tuple[Entry, ...]] = {
    "Outliers": (("mse", {}), ("mae", {}), ("huber", {}), ("tukey_biweight", {})),
    "One family, four shapes": tuple(
        ("general_robust", given) for given in ({"alpha": 2.0}, {"alpha": 1.0}, {}, {"alpha": -2.0})
    ),
    "Too low or too high": (("quantile", {}), ("quantile", {"tau": 0.1}), ("expectile", {})),
    "Margins": (("zero_one", {}), ("hinge", {}), ("bce_with_logits", {}), ("exponential", {})),
    "Confident mistakes": (("bce", {}), ("brier", {}), ("focal", {})),
    "Several classes": (("cross_entropy", {}), ("multi_margin", {}), ("generalized_cross_entropy", {})),
}


@dataclass(frozen=True)
class CompareState:
    """What the Compare page shows.

    Args:
        entries: Losses with the parameters that are not at their default.
        aligned: Whether each is scaled to the value 1 at one place.
        target: The target of regression losses.
    """

    entries: tuple[Entry, ...] = DEFAULT
    aligned: bool = False
    target: float = START_TARGET


def state() -> CompareState:
    """The page's state."""
    return current(PAGE)


def parse(params: Mapping[str, str]) -> tuple[CompareState, list[str]]:
    """Turn query parameters into a state; what is not legal falls back to the default, with a notice."""
    notices = [
        f"The link holds {quote(name)}, which this page does not know; it is left out."
        for name in params
        if name not in ("with", "aligned", "target")
    ]
    now = CompareState()
    if "with" in params:
        entries = []
        for text in params["with"].split("~"):
            try:
                entries.append(_entry(text))
            except ValueError as error:
                notices.append(f"The link's loss {quote(text)} is left out: {error}.")
        if len(entries) > MOST:
            notices.append(f"The link holds {len(entries)} losses; here are the first {MOST}.")
        if len(entries) >= FEWEST:
            now = replace(now, entries=tuple(entries[:MOST]))
        else:
            notices.append(f"A comparison needs {FEWEST} to {MOST} losses; here is the starting example instead.")
    if params.get("aligned", "0") not in ("0", "1"):
        notices.append(f"The link's aligned is {quote(params['aligned'])}; allowed are 0 and 1. Here is 0 instead.")
    now = replace(now, aligned=params.get("aligned") == "1")
    if "target" in params:
        try:
            target = float(params["target"])
            if not abs(target) <= MAX_TARGET:
                raise ValueError
            now = replace(now, target=target)
        except ValueError:
            notices.append(
                f"The link's target is {quote(params['target'])}; allowed is a number from {-MAX_TARGET:g} to "
                f"{MAX_TARGET:g}. Here is {START_TARGET:g} instead."
            )
    return now, notices


def _entry(text: str) -> Entry:
    key, *rest = text.split(":")
    if key not in losses.keys():  # noqa: SIM118 - keys() is the registry's own function
        raise ValueError("there is no such loss")
    loss = losses.get(key)
    if len(rest) % 2:
        raise ValueError("a setting is not complete")
    known = {item.name: item for item in loss.parameters}
    given: dict[str, Any] = {}
    for name, value in zip(rest[::2], rest[1::2], strict=True):
        if name not in known:
            raise ValueError(f"it has no setting {quote(name)}")
        given[name] = known[name].check(_value(known[name], value))
    return key, _changed(key, given)


def _value(parameter: Parameter, text: str) -> Any:
    if parameter.kind == "number":
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{parameter.name} is {quote(text)}; allowed is {parameter.describe()}") from None
    if parameter.kind == "flag":
        return {"true": True, "false": False}.get(text, text)
    return text


def _changed(key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Only the parameters that are not at their default, in the loss's order."""
    return {
        item.name: given[item.name]
        for item in losses.get(key).parameters
        if item.name in given and given[item.name] != item.default
    }


def format_entries(entries: tuple[Entry, ...]) -> str:
    """Losses with their parameters as a link writes them."""
    return "~".join(
        ":".join([key, *(text for name, value in given.items() for text in (name, _text(value)))])
        for key, given in entries
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def format_url(now: CompareState) -> dict[str, str]:
    """The query parameters that restore a state: only what is not at its default."""
    params: dict[str, str] = {}
    if now.entries != DEFAULT:
        params["with"] = format_entries(now.entries)
    if now.aligned:
        params["aligned"] = "1"
    if now.target != START_TARGET:
        params["target"] = _text(now.target)
    return params


# Controls


def examples() -> None:
    """Comparisons that show something at once."""
    now = state()
    chosen = next((name for name, entries in EXAMPLES.items() if entries == now.entries), None)
    st.pills(
        "Examples",
        list(EXAMPLES),
        key=seed("compare.example", chosen),
        on_change=_choose_example,
    )


def _choose_example() -> None:
    name = widget("compare.example")
    if name is not None:
        put(PAGE, replace(state(), entries=EXAMPLES[name]))


def menus() -> None:
    """One menu for each loss, with its settings below."""
    now = state()
    for index, column in enumerate(st.columns(len(now.entries))):
        with column:
            _menu(index, now)
    with st.container(horizontal=True):
        if len(now.entries) < MOST:
            st.button("Add a loss", icon=":material/add:", on_click=_add, key="compare.add")
        if len(now.entries) > FEWEST:
            st.button("Remove the last loss", icon=":material/remove:", on_click=_remove, key="compare.remove")


def _menu(index: int, now: CompareState) -> None:
    key, given = now.entries[index]
    name = f"compare.loss.{index}"
    st.selectbox(
        f"Loss {index + 1}",
        losses.keys(),
        format_func=lambda key: f"{TASKS[losses.get(key).task]} · {losses.get(key).title}",
        key=seed(name, key),
        on_change=lambda: _set(index, (widget(name), {})),
    )
    for item in losses.get(key).parameters:
        if item.kind != "class_weights":
            _setting(index, key, item, given.get(item.name, item.default))


def _setting(index: int, key: str, item: Parameter, value: Any) -> None:
    name = seed(f"compare.{index}.{key}.{item.name}", value)
    title = f"{item.title} of loss {index + 1}"

    def take() -> None:
        typed = widget(name)
        _set(index, (key, {**state().entries[index][1], item.name: item.default if typed is None else typed}))

    limits = None, None
    if item.kind == "number":
        # The field's own bounds are closed; an open end begins one step further in.
        low = item.low + item.step * item.low_open
        high = item.high - item.step * item.high_open
        limits = (
            min(low, value) if math.isfinite(low) else None,
            max(high, value) if math.isfinite(high) else None,
        )
    parameter_control(item, name, take, title=title, limits=limits)


def _set(index: int, entry: Entry) -> None:
    entries = list(state().entries)
    entries[index] = (entry[0], _changed(*entry))
    put(PAGE, replace(state(), entries=tuple(entries)))


def _add() -> None:
    """One more loss that fits on the axis, or the first one again, to give it other settings."""
    now = state()
    axis = axis_of(losses.get(now.entries[0][0]))[0]
    shown = {key for key, _ in now.entries}
    fitting = [key for key, other in comparable().items() if other == axis and key not in shown]
    put(PAGE, replace(now, entries=(*now.entries, (fitting[0] if fitting else now.entries[0][0], {}))))


def _remove() -> None:
    now = state()
    put(PAGE, replace(now, entries=now.entries[:-1]))


def scale() -> None:
    """Natural or aligned scale, and the target where it matters."""
    now = state()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.toggle(
            "Scale each to the value 1 at one place",
            key=seed("compare.aligned", now.aligned),
            on_change=lambda: put(PAGE, replace(state(), aligned=bool(widget("compare.aligned")))),
            help="Only the shapes are compared then. Off: each loss has its own scale.",
        )
        if axis_of(losses.get(now.entries[0][0]))[0] == "residual":
            st.number_input(
                "Target",
                min_value=-MAX_TARGET,
                max_value=MAX_TARGET,
                step=0.5,
                format="%g",
                width=180,
                key=seed("compare.target", now.target),
                on_change=_set_target,
                help="Some losses, such as the relative ones, look different for another target.",
            )


def _set_target() -> None:
    typed = widget("compare.target")
    put(PAGE, replace(state(), target=START_TARGET if typed is None else float(typed)))
