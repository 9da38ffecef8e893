"""The controls of how the Train page's model is trained."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from lossviz import losses, optimizers
from lossviz.losses.base import Parameter
from lossviz.optimizers import SCHEDULES
from lossviz.training import BOUNDS, losses_for
from lossviz.training.config import CLIPPING, DTYPES
from lossviz.training.wiring import RIGHT, WIRINGS, wirings_for
from pages.ui.links import plain
from pages.ui.parameter import parameter_control
from pages.ui.state import remember, seed, widget
from pages.ui.train_change import change, config, field, whole

PATIENCE: Final = 20
"""Epochs that early stopping waits, when it is switched on."""


def training() -> None:
    """Loss, optimizer, schedule, batches and what holds the run back."""
    now = config()
    loss = losses.get(now.loss_key)
    st.selectbox(
        "Loss",
        losses_for(now.task),
        format_func=lambda key: losses.get(key).title,
        key=seed("train.loss", now.loss_key),
        on_change=lambda: _take_loss(widget("train.loss")),
        help="What training makes as small as it can. Only losses that fit the data are listed.",
    )
    st.caption(loss.summary)
    for parameter in loss.parameters:
        _loss_parameter(parameter)
    _wiring()
    st.selectbox(
        "Optimizer",
        optimizers.keys(),
        format_func=lambda key: optimizers.get(key).title,
        help="How gradients become new weights.",
        **field("optimizer"),
    )
    optimizer = optimizers.get(now.optimizer)
    st.caption(optimizer.description)
    st.number_input(
        "Learning rate at the start",
        value=None,
        step=0.01,
        format="%g",
        help="How far one update goes. You can change it during the run, next to the charts. Above 0, up to 100.",
        **field("learning_rate"),
    )
    for name in optimizer.settings:
        _setting(name)
    _schedule()
    st.toggle(
        "Full batch",
        help="Every update uses all training points at once.",
        key=seed("train.full_batch", now.batch_size is None),
        on_change=lambda: change(batch_size=None if widget("train.full_batch") else 10),
    )
    if now.batch_size is not None:
        st.number_input(
            "Batch size",
            *whole("batch_size"),
            help="How many points one update looks at. Smaller batches: more updates an epoch, with noisier gradients.",
            **field("batch_size"),
        )
    updates = now.updates_per_epoch
    st.caption(f"{updates:,} {'update' if updates == 1 else 'updates'} an epoch.")
    if now.batch_size is not None and now.batch_size > now.batch_rows:
        st.caption(f"There are only {now.batch_rows:,} {now.data.noun} to train on; one batch holds them all.")
    st.number_input(
        "Epochs", *whole("epochs"), help="How often the run goes through all training points.", **field("epochs")
    )
    _restraint()
    _stopping()
    with st.expander("Number format"):
        st.segmented_control(
            "Number format",
            DTYPES,
            label_visibility="collapsed",
            help="float32 is what PyTorch trains with unless told otherwise; float64 carries twice as many digits.",
            **field("dtype"),
        )


def _take_loss(key: str) -> None:
    """Another loss, with its own parameters; a mistake stays where it is possible with both."""
    now = config()
    wiring = now.wiring if now.wiring in wirings_for(key, now.task) else RIGHT
    change(loss=key, loss_parameters=(), wiring=wiring)


def _wiring() -> None:
    """Mistakes that programs with this loss are known for; most losses have none."""
    now = config()
    possible = wirings_for(now.loss_key, now.task)
    if len(possible) == 1:
        return
    with st.expander("A mistake to try", expanded=now.wiring != RIGHT):
        st.radio(
            "How model, labels and loss are put together",
            possible,
            format_func=lambda key: WIRINGS[key].title,
            captions=[WIRINGS[key].meaning for key in possible],
            **field("wiring"),
        )


SETTINGS = {
    "momentum": ("Momentum", 0.01, "The share of the last step's speed that is kept."),
    "decay": ("Decay α", 0.01, "The share of the running mean of squared gradients that is kept at each update."),
    "beta1": ("Beta 1", 0.01, "The share of the running mean of gradients that is kept at each update."),
    "beta2": ("Beta 2", 0.001, "The share of the running mean of squared gradients that is kept at each update."),
    "weight_decay": ("Weight decay", 0.01, "How strongly each step shrinks the weights, times the learning rate."),
}


def _setting(name: str) -> None:
    """One number of the optimizer."""
    title, step, meaning = SETTINGS[name]
    low, high = BOUNDS[name]
    bounds = f"From {low:g} to below {high:g}." if name != "weight_decay" else f"From {low:g} to {high:g}."
    _number(name, title, step, f"{meaning} {bounds}")


def _number(name: str, title: str, step: float, help_text: str) -> None:
    st.number_input(title, value=None, step=step, format="%g", help=help_text, **field(name))


EVERY = {
    "step": ("Epochs between drops", "After so many epochs the rate is multiplied by the factor, again and again."),
    "warmup": ("Epochs of warm-up", "So many epochs it takes to reach the full rate."),
    "plateau": (
        "Epochs without progress",
        "The rate drops when more epochs than this bring no new minimum.",
    ),
}


def _schedule() -> None:
    """What becomes of the learning rate."""
    now = config()
    st.selectbox(
        "Learning-rate schedule",
        tuple(SCHEDULES),
        format_func=lambda key: SCHEDULES[key].title,
        help="How the learning rate changes from epoch to epoch by itself.",
        **field("schedule"),
    )
    schedule = SCHEDULES[now.schedule]
    st.caption(schedule.description)
    if "every" in schedule.settings:
        title, meaning = EVERY[now.schedule]
        st.number_input(title, *whole("every"), help=meaning, **field("every"))
    if "factor" in schedule.settings:
        _number("factor", "Factor of a drop", 0.1, "What a drop multiplies the rate by. Above 0, up to 1.")
    if "low" in schedule.settings:
        _number("low", "Share at the end", 0.05, "The share of the rate that the cosine falls towards. From 0 to 1.")


def _restraint() -> None:
    """Penalties on large weights, and clipping of large gradients."""
    now = config()
    with st.expander("Penalties and clipping", expanded=bool(now.l1 or now.l2 or now.clip != "none")):
        penalty = "is added to the loss that is differentiated; the losses shown do not contain it. From 0 to 10."
        _number("l1", "L1 penalty", 0.001, f"This number times the sum of all weights' sizes {penalty}")
        _number("l2", "L2 penalty", 0.001, f"This number times the sum of all squared weights {penalty}")
        st.selectbox(
            "Gradient clipping",
            tuple(CLIPPING),
            format_func=CLIPPING.__getitem__,
            help=(
                "By norm: a gradient that is too long is shortened and keeps its direction. By value: each of its "
                "numbers is brought into bounds, which may turn it."
            ),
            **field("clip"),
        )
        if now.clip != "none":
            title = "Longest gradient" if now.clip == "norm" else "Largest number in a gradient"
            _number("clip_at", title, 0.1, "Above 0, up to 1,000,000.")


def _stopping() -> None:
    """When a run ends before its last epoch, and with which weights."""
    now = config()
    with st.expander("Early stopping", expanded=now.patience is not None or now.best_weights):
        st.toggle(
            "Stop when validation no longer improves",
            help="Ends the run when the validation loss has had no new minimum for some epochs.",
            key=seed("train.stop", now.patience is not None),
            on_change=lambda: change(patience=PATIENCE if widget("train.stop") else None),
        )
        if now.patience is not None:
            st.number_input(
                "Patience",
                *whole("patience"),
                help="So many epochs without a new minimum end the run.",
                **field("patience"),
            )
        st.toggle(
            "Bring the best weights back",
            help="At the end the model gets the weights of the epoch with the lowest validation loss.",
            **field("best_weights"),
        )


def _loss_parameter(parameter: Parameter) -> None:
    now, name = config(), parameter.name
    key = f"train.{now.loss}.{name}"
    value = now.parameters[name]
    if parameter.kind == "class_weights":
        classes = plain(", ".join(now.data.classes))
        seed(key, "" if value is None else ", ".join(f"{weight:g}" for weight in value))
        parameter_control(parameter, key, lambda: _take_weights(name, widget(key)), classes=f"each of {classes}")
        return
    parameter_control(parameter, seed(key, value), lambda: _take_parameter(name, widget(key)))


def _take_parameter(name: str, value: Any) -> None:
    if value is not None:
        change(loss_parameters={**config().parameters, name: value})


def _take_weights(name: str, text: str) -> None:
    try:
        weights = tuple(float(part) for part in text.replace(";", ",").split(",")) if text.strip() else None
    except ValueError:
        remember(
            "train.problem", f"{text[:60]!r} is not a list of numbers such as 1, 3, 1. The weights before still hold."
        )
        return
    change(loss_parameters={**config().parameters, name: weights})
