"""The parts of a loss's card, for the board's numbers: drawn below the board and on the Reference page alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch

import lossviz
from lossviz.cards import domain_sentence, place_names
from lossviz.experiment import Search, Sweep, best_constant
from lossviz.export import keras_code, torch_code
from lossviz.figures import constant_figure
from lossviz.losses.base import PROPERTIES, TASKS, Loss, Parameter
from lossviz.numerics import Precision, extremes, precisions
from lossviz.writing import format_number, heading
from pages.ui.explore_state import ExploreState, pitfall_state, start
from pages.ui.tables import show_table

Opener = Callable[[str, ExploreState, str], None]
"""Draws a link or a button that opens the board: its label, the state, and a key."""
MOST_ROWS = 24
STYLES = Path(__file__).parent / "card.css"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DEFINITIONS = re.compile(r"(?<=[,;])\s*\\quad\s*")
_GROUPS = (
    (re.compile(r"\\begin\b"), re.compile(r"\\end\b")),
    (re.compile(r"\\left(?![a-z])"), re.compile(r"\\right(?![a-z])")),
)
SAVE_HELP = "One page of A4 that prints and saves as a PDF from any browser, also without a network."


def styles() -> None:
    """The look of cards and of links between the pages."""
    st.html(STYLES)


def by_name(loss: Loss, numbers: Any) -> Mapping[str, Any]:
    """Gradients by the name of the prediction, also where there is only one."""
    return numbers if isinstance(numbers, Mapping) else {loss.predictions[0].name: numbers}


def arguments(state: ExploreState) -> tuple[str, Any, Any]:
    """Loss, predictions and targets as the loss takes them, behind the board's link."""
    loss = state.declared
    inputs = loss.board.inputs(state.tensors())
    targets = {item.name: inputs[item.name] for item in loss.targets}
    return loss.key, {item.name: inputs[item.name] for item in loss.predictions}, targets or None


def chips(loss: Loss) -> None:
    """Group and properties as small labels."""
    words = [TASKS[loss.task], *(PROPERTIES[name].split(":")[0] for name in loss.properties)]
    items = "".join(f"<li>{escape(word)}</li>" for word in words)
    st.html(f"<ul class='lossviz-chips' aria-label='Group and properties'>{items}</ul>")


def formulas(state: ExploreState) -> None:
    """One term, the reduction, the slope, and the term with the board's numbers."""
    loss, proof = state.declared, lossviz.prove(*arguments(state), state.reduction, **state.parameters)
    reduction = loss.reduction(state.reduction)
    left, right = st.columns(2)
    with left:
        st.markdown("**One term**")
        st.latex(_lines(r"\ell_i = " + loss.formula))
        st.markdown(f"**The loss** (reduction: {reduction.title.lower()})")
        st.latex("L = " + reduction.formula.replace("#", r"\ell_i"))
        st.markdown("**Slope of one term along the prediction**")
        st.latex(_lines(loss.gradient_formula))
        if loss.frozen_note:
            st.markdown(f"**Held fixed.** {loss.frozen_note}")
    with right:
        st.markdown("**With these numbers, term by term**")
        worked = [
            (str(index), text, format_number(value))
            for index, (text, value) in enumerate(zip(proof.worked, proof.terms, strict=True), 1)
        ]
        show_table((("Term", "Formula", "Value"), worked[:MOST_ROWS]), "Terms with their numbers")
        _left_out(worked)
        total = format_number(sum(proof.terms))
        st.markdown(
            f"Sum of the terms {total}, divided by {format_number(proof.denominator)}: **{format_number(proof.value)}**"
        )


def three_ways(state: ExploreState) -> None:
    """The gradient by the closed form, by autograd and by central differences."""
    loss, proof = state.declared, lossviz.prove(*arguments(state), state.reduction, **state.parameters)
    ways = [by_name(loss, way) for way in (proof.closed_form, proof.autograd, proof.central_differences)]
    rows = [
        (place, *map(format_number, slopes))
        for name in ways[0]
        for place, *slopes in zip(
            _places(loss, name, ways[0][name].shape), *(np.ravel(way[name]) for way in ways), strict=True
        )
    ]
    head = ("Slope along", "Closed form", "PyTorch's autograd", "Central differences")
    show_table((head, rows[:MOST_ROWS]), "The gradient three ways")
    _left_out(rows)
    at_kink = any(kinks.any() for kinks in by_name(loss, proof.at_kink).values())
    kinks = " At a kink they need not agree: the central difference averages both sides." if at_kink else ""
    held = " What the loss holds fixed stays fixed in all three." if loss.frozen_note else ""
    meanings = "; ".join(item.meaning for item in loss.predictions if item.differentiable)
    st.markdown(
        f"Each is the slope of the loss along one number of the prediction ({meanings}). "
        f"Relative to 1 plus the slope's size, the three differ by at most {format_number(proof.gap)}.{kinks}{held}"
    )


def _places(loss: Loss, name: str, shape: tuple[int, ...]) -> list[str]:
    item = loss.input(name)
    prefix = "" if len(loss.predictions) == 1 else f"{heading(name)}, "
    names = [f"{prefix}{place}" for place in place_names(item, shape)]
    return [place[0].upper() + place[1:] for place in names]


def _left_out(rows: list[Any]) -> None:
    if len(rows) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(rows)} rows.")


def _lines(formula: str) -> str:
    """A formula with one definition a line, so that it fits on a phone."""
    lines: list[str] = []
    for part in _DEFINITIONS.split(formula):
        if lines and _is_open(lines[-1]):
            lines[-1] += rf"\quad {part}"
        else:
            lines.append(part)
    return r"\begin{gathered}" + r"\\[1ex] ".join(lines) + r"\end{gathered}" if len(lines) > 1 else formula


def _is_open(formula: str) -> bool:
    """Whether a group that begins in it has not ended."""
    return any(len(start.findall(formula)) != len(end.findall(formula)) for start, end in _GROUPS)


def code(state: ExploreState) -> None:
    """The board as programs."""
    loss = state.declared
    given = (*state.arguments, state.reduction)
    left, right = st.columns(2)
    with left:
        st.markdown("**PyTorch** prints the value on the board, then the gradient.")
        st.code(torch_code(*given, **state.parameters), language="python", wrap_lines=True)
    with right:
        keras = keras_code(*given, **state.parameters)
        if keras is None:
            st.markdown(f"**Keras 3.** {loss.code.keras_note}")
        else:
            st.markdown(f"**Keras 3** works in float32. {loss.code.keras_note}")
            st.code(keras, language="python", wrap_lines=True)


def inputs(loss: Loss) -> None:
    """What goes in: arguments and settings with what they may be."""
    lines = [f"- **{heading(item.name)}.** {domain_sentence(item)}" for item in loss.inputs]
    lines += [
        f"- **{item.title}** (setting). {item.meaning} Allowed: {item.describe()}. Default: {_default(item)}."
        for item in loss.parameters
    ]
    st.markdown("\n".join(lines))


def _default(item: Parameter) -> str:
    if item.kind == "number":
        return format_number(item.default)
    return item.options[item.default] if item.kind == "choice" else str(item.default)


def good_to_know(loss: Loss) -> None:
    """Properties in words, what leaves the loss as it is, and where its slope jumps."""
    lines = [f"- {PROPERTIES[name]}." for name in loss.properties]
    lines += [f"- {item.text}" for item in loss.invariances]
    if loss.kinks:
        lines.append(f"- **Kinks.** {loss.kinks}")
    st.markdown("\n".join(lines))


def advice(loss: Loss) -> None:
    """When to use it and when not."""
    left, right = st.columns(2)
    left.markdown(f"**Use it when**\n\n{loss.use_when}")
    right.markdown(f"**Rather not when**\n\n{loss.avoid_when}")


def pitfalls(loss: Loss, opener: Opener, key: str) -> None:
    """What goes wrong in practice, each with the board that shows it."""
    for index, pitfall in enumerate(loss.pitfalls):
        if pitfall.loss not in ("", loss.key):
            label = f"See it on the board of {lossviz.losses.get(pitfall.loss).title}"
        else:
            label = f"See pitfall {index + 1} on the board"
        with st.container(gap=None):
            st.markdown(f"{index + 1}. {pitfall.text}")
            opener(label, pitfall_state(loss.key, pitfall), f"{key}.pitfall.{index}")


def best(state: ExploreState, key: str) -> None:
    """The constant prediction that minimises the loss over the board's targets, by experiment."""
    loss = state.declared
    st.markdown(loss.minimiser)
    found = best_constant(*arguments(state), state.reduction, **state.parameters)
    if isinstance(found, Sweep):
        _sweep(state, found, key)
    elif found is not None:
        _search(loss, found)


def _sweep(state: ExploreState, found: Sweep, key: str) -> None:
    loss = state.declared
    inputs_now = loss.board.inputs(state.tensors())
    targets = inputs_now[loss.targets[0].name].reshape(-1).tolist()
    prediction = loss.predictions[0].meaning.split(":")[0].split(";")[0]
    if math.isnan(found.value):
        said = "the loss falls on and on towards one end, so no constant is best"
    elif found.low == found.high:
        said = f"the smallest loss is {format_number(found.value)}, with the constant {format_number(found.low)}"
    else:
        said = (
            f"the smallest loss is {format_number(found.value)}, with every constant from "
            f"{format_number(found.low)} to {format_number(found.high)}"
        )
        if found.low == found.constants[0] or found.high == found.constants[-1]:
            said += ", an end of what was tried"
    declared = ""
    if not math.isnan(found.declared):
        declared = (
            f" The rule above gives {format_number(found.declared)}, with the loss "
            f"{format_number(found.declared_value)}."
        )
    st.markdown(
        f"**By experiment.** Every sample of the board gets the same prediction ({prediction}). "
        f"Of {len(found.constants)} constants tried and more around the best, {said}.{declared}"
    )
    st.plotly_chart(
        constant_figure(found, targets, dark=dark()),
        key=f"{key}.constant",
        theme=None,
        config={"displayModeBar": False},
        alt="The loss of every constant prediction; the sentence above says where it is smallest.",
    )


def _search(loss: Loss, found: Search) -> None:
    st.markdown(
        "**By experiment.** Every sample of the board gets the same prediction, and gradient descent from "
        f"several starts looks for the best. The smallest loss it finds is **{format_number(found.value)}**."
    )
    for name, value in found.found.items():
        title = f"The best constant {name.replace('_', ' ')}"
        if value.ndim == 2:
            head = ("", *(f"Column {index + 1}" for index in range(value.shape[1])))
            lines = [(f"Row {index + 1}", *map(format_number, row)) for index, row in enumerate(value)]
        else:
            head, columns = ("Number of the prediction", "Found"), [np.ravel(value)]
            if found.declared is not None:
                head, columns = (*head, "By the rule above"), [*columns, np.ravel(found.declared)]
            places = _constant_names(loss, name, value.shape)
            lines = [(place, *map(format_number, row)) for place, *row in zip(places, *columns, strict=True)]
        show_table((head, lines), title)
    if found.declared is not None:
        st.markdown(
            f"With the numbers of the rule the loss is **{format_number(found.declared_value)}**. Where the two "
            "columns differ and the losses do not, several constants are equally good."
        )


def _constant_names(loss: Loss, name: str, shape: tuple[int, ...]) -> list[str]:
    item = loss.input(name)
    prefix = heading(name)
    if not shape:
        return [prefix]
    places = [place.removeprefix("sample 1, ") for place in place_names(item, (1, *shape))]
    return [f"{prefix}, {place}" for place in places] if len(loss.predictions) > 1 else [p.capitalize() for p in places]


def numerics(state: ExploreState, opener: Opener, key: str) -> None:
    """The board in float64 and float32, the formula that floats do not stand, and boards on which it breaks."""
    loss = state.declared
    ways = precisions(*arguments(state), state.reduction, **state.parameters)
    st.markdown(
        "The board shows float64: about 16 digits. Training mostly runs in float32: about 7 digits, and nothing above "
        "3.4×10³⁸."
    )
    head = ("What", "float64", "float32", "Difference")
    for way in ways:
        st.markdown(f"**{way.title}**")
        if way.code:
            st.code(way.code, language="python", wrap_lines=True)
        rows = _precision_rows(loss, way)
        show_table((head, rows[:MOST_ROWS]), f"{way.title} in float64 and float32")
        _left_out(rows)
    if loss.naive is not None:
        st.markdown(loss.naive.text)
    telling = extremes(loss.key)
    if telling:
        st.markdown("**Boards on which float32 goes wrong**")
        for index, extreme in enumerate(telling):
            label = f"Open this board ({index + 1} of {len(telling)})" if len(telling) > 1 else "Open this board"
            numbers = {name: torch.tensor(value, dtype=torch.float64) for name, value in extreme.state.items()}
            with st.container(gap=None):
                st.markdown(f"- {extreme.text}.")
                opener(label, start(loss.key).with_tensors({**loss.example, **numbers}), f"{key}.extreme.{index}")


def _precision_rows(loss: Loss, way: Precision) -> list[tuple[str, ...]]:
    rows = [("Loss", *_pair(way.value64, way.value32))]
    for name, gradient in way.gradient64.items():
        places = _places(loss, name, gradient.shape)
        pairs = zip(gradient.reshape(-1), way.gradient32[name].reshape(-1), strict=True)
        rows += [
            (f"Slope, {place[0].lower()}{place[1:]}", *_pair(float(exact), float(rounded)))
            for place, (exact, rounded) in zip(places, pairs, strict=True)
        ]
    return rows


def _pair(exact: float, rounded: float) -> tuple[str, str, str]:
    difference = rounded - exact
    return _digits(exact, 12), _digits(rounded, 9), "" if math.isnan(difference) else _digits(difference, 3)


def _digits(number: float, count: int) -> str:
    """A number with so many significant digits; what is no number by its name in programs."""
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    mantissa, _, exponent = f"{number or 0:.{count}g}".partition("e")
    power = f"×10{str(int(exponent)).translate(_RAISED)}" if exponent else ""
    return mantissa.replace("-", "−") + power


def sources(loss: Loss) -> None:
    """Primary sources; addresses become links."""
    lines = [f"- [{_short(item)}]({item})" if item.startswith("http") else f"- {item}" for item in loss.references]
    st.markdown("\n".join(lines))


def _short(address: str) -> str:
    return address.removeprefix("https://").removesuffix(".html")


def relatives(loss: Loss, show: Callable[[str, str, str], None], key: str) -> None:
    """Losses near it; `show` draws a link or button to another: its label, its key in the registry, and a key."""
    for item in loss.relatives:
        other = lossviz.losses.get(item.key)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            show(other.title, item.key, f"{key}.relative.{item.key}")
            st.markdown(f"{item.text[0].upper()}{item.text[1:]}.")


def aliases(loss: Loss) -> None:
    """Other names of the same function."""
    if loss.aliases:
        st.markdown(f"**Also called** {', '.join(loss.aliases)}.")


def dark() -> bool:
    """Whether the page is dark."""
    return st.context.theme.type == "dark"
