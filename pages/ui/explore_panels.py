"""The panels below the board: what to notice, the formula and its proof, code, and what is good to know."""

from __future__ import annotations

import itertools
from dataclasses import replace

import streamlit as st

import lossviz
from lossviz.export import keras_code, torch_code
from lossviz.writing import format_number
from pages.ui.explore_state import DEFAULT_RATE, ExploreState, start
from pages.ui.tables import show_table


def notice_panel(state: ExploreState) -> None:
    """What to try and what to see."""
    st.markdown(state.declared.notice)
    if replace(state, rate=DEFAULT_RATE) != start(state.loss):
        st.caption("The numbers in this text are those of the board that this loss starts with.")
    if state.declared.kinks:
        st.markdown(f"**Kinks.** {state.declared.kinks}")


def proof_panel(state: ExploreState) -> None:
    """The formula, the same with the numbers put in, and the gradient three ways."""
    loss = state.declared
    inputs = loss.board.inputs(state.tensors())
    prediction = {item.name: inputs[item.name] for item in loss.predictions}
    target = {item.name: inputs[item.name] for item in loss.targets} or None
    proof = lossviz.prove(loss.key, prediction, target, state.reduction, **state.parameters)
    reduction = loss.reduction(state.reduction)
    left, right = st.columns(2)
    with left:
        st.markdown("**One term**")
        st.latex(_lines(r"\ell = " + loss.formula))
        st.markdown(f"**The loss** (reduction: {reduction.title.lower()})")
        st.latex("L = " + reduction.formula.replace("#", r"\ell"))
        st.markdown("**Slope of one term along the prediction**")
        st.latex(_lines(loss.gradient_formula))
    with right:
        st.markdown("**With these numbers, term by term**")
        worked = [
            (str(index), text, format_number(value))
            for index, (text, value) in enumerate(zip(proof.worked, proof.terms, strict=True), 1)
        ]
        show_table((("Term", "Formula", "Value"), worked), "Terms with their numbers")
        total = format_number(sum(proof.terms))
        st.markdown(
            f"Sum of the terms {total}, divided by {format_number(proof.denominator)}: **{format_number(proof.value)}**"
        )
    st.markdown("**The gradient three ways**")
    places = itertools.product(*map(range, proof.autograd.shape))
    # Samples are counted from 1 on the screen, classes from 0 as in PyTorch.
    names = [", ".join([str(place[0] + 1), *map(str, place[1:])]) for place in places]
    ways = (proof.closed_form, proof.autograd, proof.central_differences)
    rows = [
        (name, *map(format_number, slopes)) for name, *slopes in zip(names, *(way.flat for way in ways), strict=True)
    ]
    head = "Sample" if proof.autograd.ndim == 1 else "Sample, class"
    show_table(((head, "Closed form", "PyTorch's autograd", "Central differences"), rows), "The gradient three ways")
    kinks = " At a kink they need not agree: the central difference averages both sides." if proof.at_kink.any() else ""
    st.markdown(
        f"Each is the slope of the loss along one number of the prediction ({loss.input('prediction').meaning}). "
        f"Relative to 1 plus the slope's size, the three differ by at most {format_number(proof.gap)}.{kinks}"
    )


def _lines(formula: str) -> str:
    """A formula with one definition a line, so that it fits on a phone."""
    parts = formula.split(r",\quad")
    return formula if len(parts) == 1 else r"\begin{gathered}" + r",\\[1ex] ".join(parts) + r"\end{gathered}"


def code_panel(state: ExploreState) -> None:
    """The board as programs."""
    loss = state.declared
    arguments = (*state.arguments, state.reduction)
    left, right = st.columns(2)
    with left:
        st.markdown("**PyTorch** prints the value on the board, then the gradient.")
        st.code(torch_code(*arguments, **state.parameters), language="python")
    with right:
        st.markdown(f"**Keras 3** works in float32. {loss.code.keras_note}")
        st.code(keras_code(*arguments, **state.parameters), language="python")


def about_panel(state: ExploreState) -> None:
    """Domain, minimiser, pitfalls, other names and sources."""
    loss = state.declared
    for item in loss.inputs:
        st.markdown(f"**{item.name.capitalize()}**: {item.meaning}; {item.domain.describe()}.")
    st.markdown(f"**Best constant prediction**: {loss.minimiser}")
    st.markdown("**Mind**\n" + "\n".join(f"- {pitfall}" for pitfall in loss.pitfalls))
    if loss.aliases:
        st.markdown(f"**Also called** {', '.join(loss.aliases)}.")
    st.markdown("**Sources**\n" + "\n".join(f"- {reference}" for reference in loss.references))
