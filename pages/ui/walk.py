"""One update of the run, phase by phase: forward, loss, backward, update, with the true numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from lossviz import optimizers
from lossviz.training import CLASSIC, RunConfig, Walk
from pages.ui import walk_steps as steps
from pages.ui.live import LiveMessage
from pages.ui.state import current, put, seed, widget, write_url
from pages.ui.tables import show_table
from pages.ui.train_state import PHASES, TrainState, format_url, last_walk
from pages.ui.walk_drawing import draw_network


def walk_panel(message: LiveMessage | None) -> None:
    """The section of the Train page; moving in it reruns nothing else."""
    st.header("One update, phase by phase", divider="gray")
    st.markdown(
        "Training repeats four phases: **forward** makes predictions, **loss** measures how wrong they are, "
        "**backward** finds the gradient of each weight and bias, **update** moves them. Walk through them here."
    )
    _walk(message)


@st.fragment
def _walk(message: LiveMessage | None) -> None:
    state: TrainState = current("train")
    write_url(format_url(state))
    reason = steps.too_large(state.config)
    if reason:
        st.info(reason, icon=":material/zoom_in:")
        if st.button("Walk through the classic example", help="Four points, one weight, one bias."):
            put("train", TrainState(CLASSIC))
            st.rerun()
        return
    found = steps.walk_of_update(state.config, state.walk)
    _controls(state, found, message)
    if isinstance(found, str):
        st.warning(found)
        return
    _phase(state, found)


def _put(**changes: object) -> None:
    put("train", replace(current("train"), **changes))  # type: ignore[type-var]


def move(state: TrainState, by: int) -> TrainState:
    """The state one phase on (by = 1) or back (by = -1); nothing lies before the first or after the last."""
    place = (state.walk - 1) * len(PHASES) + PHASES.index(state.phase) + by
    place = max(0, min(place, last_walk(state.config) * len(PHASES) - 1))
    return replace(state, walk=place // len(PHASES) + 1, phase=PHASES[place % len(PHASES)])


def _controls(state: TrainState, found: Walk | str, message: LiveMessage | None) -> None:
    last = last_walk(state.config)
    ended = isinstance(found, str)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Phase",
            PHASES,
            format_func=str.capitalize,
            key=seed("walk.phase", state.phase),
            on_change=lambda: _put(phase=widget("walk.phase") or state.phase),
            width="content",
        )
        st.button(
            "Back",
            icon=":material/arrow_back:",
            disabled=move(state, -1) == state,
            on_click=lambda: put("train", move(state, -1)),
        )
        st.button(
            "Next phase" if state.phase != PHASES[-1] else "Next update",
            icon=":material/arrow_forward:",
            type="primary",
            disabled=ended or move(state, 1) == state,
            on_click=lambda: put("train", move(state, 1)),
            key="walk.next",
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Update",
            min_value=1,
            max_value=last,
            step=1,
            key=seed("walk.update", state.walk),
            on_change=lambda: _put(walk=widget("walk.update")),
            help=f"Which update of the run to walk through, 1 to {last:,}. Each one trains on one batch.",
            width=150,
        )
        if isinstance(found, Walk) and len(found.inputs) > 1:
            rows = len(found.inputs)
            st.number_input(
                "Sample",
                min_value=1,
                max_value=rows,
                step=1,
                key=seed("walk.sample", steps.sample_row(found, state.sample) + 1),
                on_change=lambda: _put(sample=widget("walk.sample")),
                help=f"Which sample of the batch the drawing follows through the network, 1 to {rows}.",
                width=150,
            )
        if message and message.state == "paused" and 0 < message.updates < last and state.walk != message.updates + 1:
            st.button(
                f"Go to the run above (update {message.updates + 1:,})",
                icon=":material/my_location:",
                on_click=lambda: _put(walk=message.updates + 1, phase=PHASES[0]),
                help="Walk through the update that the run above makes next.",
                key="walk.here",
            )


def _phase(state: TrainState, found: Walk) -> None:
    config, sample = state.config, state.sample
    batch = f"batch of {len(found.inputs)}" if len(found.inputs) > 1 else "one sample"
    text = getattr(found, f"{state.phase}_text")
    st.subheader(f"Update {found.number:,}, {state.phase}")
    st.markdown(text)
    columns, summary = steps.drawing(config, found, state.phase, sample)
    draw_network(columns, summary, key="walk.network")
    row = steps.sample_row(found, sample)
    st.caption(f"{_legend(state.phase)} Shown: sample {row + 1} of a {batch}.")
    if state.phase == "forward":
        st.markdown(f"**Sample {row + 1}, unit by unit.** {_activations(config, found)}")
        show_table(steps.forward_table(config, found, sample), "Weighted sums and activations")
    elif state.phase == "loss":
        show_table(steps.loss_table(found), "Predictions, targets and loss terms")
        hidden = len(found.inputs) - steps.MOST_ROWS
        if hidden > 0:
            st.caption(f"The first {steps.MOST_ROWS} samples; {hidden} more count in the same way.")
        st.markdown(f"Sum of the terms: {steps.loss_sum(config, found)}")
    elif state.phase == "backward":
        st.markdown(f"**Sample {row + 1}: the slope travels back**, from the output to the first layer.")
        show_table(steps.slope_table(config, found, sample), "Slopes of the loss at each unit")
        st.markdown(f"**Whole batch: the gradient of each parameter.** {_agreement(found)}")
        _by_layer(found, steps.backward_table)
    else:
        symbols = optimizers.get(config.optimizer).symbols
        named = f", {symbols}" if symbols else ""
        st.markdown(f"Here θ is a weight or bias, η the learning rate{named} and g the gradient.")
        _by_layer(found, steps.update_table)
        st.markdown("The next update starts from the values on the right, with the next batch.")


def _by_layer(found: Walk, table: Callable[[Walk, int], steps.Table]) -> None:
    """A table for each layer, the output first: that is the way the slopes travel."""
    numbers = range(len(found.layers), 0, -1)
    names = [found.layers[number - 1].name for number in numbers]
    for place, number in zip(st.tabs([name[0].upper() + name[1:] for name in names]), numbers, strict=True):
        with place:
            show_table(table(found, number), f"Parameters of the {found.layers[number - 1].name}")
    st.caption(
        "w1[2,3] is the weight in layer 1 into its unit 2 from the third input; b1[2] is the bias of that unit. "
        "Layers are counted from the input."
    )


def _legend(phase: str) -> str:
    signs = "Solid blue lines are positive, dashed orange ones negative; thicker is larger."
    if phase == "backward":
        return (
            f"Circles hold the slope of the loss at each unit's weighted sum, lines and biases the gradients. {signs}"
        )
    if phase == "update":
        return f"Lines and biases hold the values after the update; circles still hold this forward pass. {signs}"
    return f"Circles hold what flows out of each unit, lines the weights. {signs}"


def _activations(config: RunConfig, found: Walk) -> str:
    last = found.layers[-1]
    parts = [] if len(found.layers) == 1 else [f"In the hidden layers a = {found.layers[0].activation}"]
    parts.append(
        "in the output layer a = z, the weighted sum itself"
        if last.activation == "z"
        else f"in the output layer a = {last.activation}"
    )
    text = ", ".join(parts)
    features = " Features are standardised." if config.standardise else ""
    return f"{text[0].upper()}{text[1:]}.{features}"


def _agreement(found: Walk) -> str:
    gap = steps.autograd_gap(found)
    if gap == 0.0:
        return "The chain rule and PyTorch's autograd agree in every digit."
    return f"The chain rule and PyTorch's autograd agree to within {gap:.0e} of the largest gradient: rounding."
