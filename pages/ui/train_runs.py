"""The runs of this session on the Train page: a table to overlay, rename, compare, open again and delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import numpy as np
import streamlit as st

from lossviz import losses, optimizers
from lossviz.figures.logs import Curve, logs_figure
from lossviz.training import MODELS, Event, RunConfig, run
from lossviz.training.remembered import remembered
from lossviz.writing import format_number, heading
from pages.ui.card import dark
from pages.ui.links import plain
from pages.ui.live import LiveMessage, run_name
from pages.ui.state import recall, remember, seed, widget
from pages.ui.tables import show_table
from pages.ui.train_change import start_run

MOST: Final = 20
"""Runs that are kept; the oldest gives way."""
OVERLAID: Final = 4
NAME: Final = 40
#: Runs with more are not trained again for the overlay: others who train on the same server would wait.
MOST_UPDATES: Final = 200_000
MEASURES: Final = {"loss": "Loss", "metric": "Accuracy or R²"}


@dataclass(frozen=True)
class Kept:
    """One run of the session.

    Args:
        config: The run, with the changes made on the way.
        epochs: How many epochs it was trained for.
        name: What the learner calls it.
        number: Its number in the session, from 1.
    """

    config: RunConfig
    epochs: int
    name: str
    number: int


def keep(message: LiveMessage) -> None:
    """Keep the run that has come to rest; the same run trained further takes its own place."""
    if message.state == "playing" or message.epoch == 0:
        return
    runs: dict[str, Kept] = dict(recall("train.runs") or {})
    key = run_name(message.config) + str(hash(message.config.interventions))
    if key in runs:
        runs[key] = replace(runs[key], epochs=max(runs[key].epochs, message.epoch))
    else:
        number = recall("train.runs.count", 0) + 1
        remember("train.runs.count", number)
        runs[key] = Kept(message.config, message.epoch, f"Run {number}", number)
        runs = dict(list(runs.items())[-MOST:])
    remember("train.runs", runs)


@remembered(32)
def events_of(config: RunConfig, epochs: int) -> tuple[Event, ...]:
    """The run's events, worked out anew: the same config gives the same numbers."""
    return tuple(islice(run(config), epochs))


def differences(configs: Sequence[RunConfig]) -> dict[str, tuple[str, ...]]:
    """The settings in which runs differ, by title, each run's in words."""
    found = {}
    for name in RunConfig.field_names():
        values = [_words(config, name) for config in configs]
        if len(set(values)) > 1:
            found[heading(name)] = tuple(values)
    return found


def _words(config: RunConfig, name: str) -> str:
    value: Any = getattr(config, name)
    if name == "dataset":
        return config.data.title
    if name == "loss":
        return losses.get(config.loss_key).title
    if name == "optimizer":
        return optimizers.get(config.optimizer).title
    if name == "hidden":
        return " and ".join(map(str, config.hidden)) or "none"
    if name == "model":
        return MODELS[config.model]
    if name == "batch_size":
        return "all" if value is None else str(value)
    if name == "loss_parameters":
        return ", ".join(f"{key} {_plain(part)}" for key, part in config.parameters.items()) or "none"
    if name == "interventions":
        return f"{len(value)} {'change' if len(value) == 1 else 'changes'}" if value else "none"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value).replace("_", " ")


def runs_panel() -> None:
    """The table and, for the runs that are ticked, their curves and how they differ."""
    runs: dict[str, Kept] = recall("train.runs") or {}
    if not runs:
        return
    st.header("Runs of this session", divider=True)
    st.caption(
        f"The last {MOST} runs are kept until you leave. Tick up to {OVERLAID} to lay their curves over each other."
    )
    for key, kept in runs.items():
        _row(key, kept)
    chosen = [kept for key, kept in runs.items() if recall(f"train.runs.tick.{key}")]
    if len(chosen) > OVERLAID:
        st.warning(f"{len(chosen)} runs are ticked; the first {OVERLAID} are drawn.")
    short = [kept for kept in chosen[:OVERLAID] if kept.epochs * kept.config.updates_per_epoch <= MOST_UPDATES]
    for kept in chosen[:OVERLAID]:
        if kept not in short:
            updates = kept.epochs * kept.config.updates_per_epoch
            st.warning(
                f"{plain(kept.name)} has {updates:,} updates; runs of up to {MOST_UPDATES:,} are laid over each other."
            )
    if short:
        _overlay(short)


def _row(key: str, kept: Kept) -> None:
    config = kept.config
    with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
        st.checkbox(f"Overlay {plain(kept.name)}", key=f"train.runs.tick.{key}")
        st.text_input(
            f"Name of run {kept.number}",
            max_chars=NAME,
            key=seed(f"train.runs.name.{key}", kept.name),
            on_change=_rename,
            args=(key,),
            label_visibility="collapsed",
            width=180,
        )
        st.caption(
            f"{config.data.title}, {losses.get(config.loss_key).title}, "
            f"{optimizers.get(config.optimizer).title}, rate {config.learning_rate:g}, {kept.epochs:,} of "
            f"{config.epochs:,} epochs"
        )
        st.button(
            "Open",
            key=f"train.runs.open.{key}",
            on_click=start_run,
            args=(config,),
            help=f"Show {plain(kept.name)} again",
        )
        st.button(
            "Delete", key=f"train.runs.delete.{key}", on_click=_delete, args=(key,), help=f"Forget {plain(kept.name)}"
        )


def _rename(key: str) -> None:
    runs: dict[str, Kept] = dict(recall("train.runs"))
    typed = str(widget(f"train.runs.name.{key}")).strip()
    runs[key] = replace(runs[key], name=typed or f"Run {runs[key].number}")
    remember("train.runs", runs)


def _delete(key: str) -> None:
    runs = dict(recall("train.runs"))
    del runs[key]
    remember("train.runs", runs)


def _overlay(chosen: Sequence[Kept]) -> None:
    measure = st.segmented_control(
        "Show",
        list(MEASURES),
        format_func=MEASURES.__getitem__,
        default="loss",
        key="train.runs.measure",
        width="content",
    )
    with st.spinner("Training the runs again…"):
        histories = [events_of(kept.config, kept.epochs) for kept in chosen]
    if measure == "metric":
        parts = [("training", "train_metric"), ("validation", "validation_metric")]
    else:
        parts = [("training", "train_loss"), ("validation", "validation_loss")]
        if len({(kept.config.loss, kept.config.loss_parameters) for kept in chosen}) > 1:
            st.info(
                "These runs have different losses. Their values are not comparable; accuracy and R² are.",
                icon=":material/info:",
            )
    curves = []
    for place, (kept, events) in enumerate(zip(chosen, histories, strict=True)):
        steps = np.array([event.epoch for event in events], dtype=np.float64)
        for part, (half, name) in enumerate(parts):
            values = np.array([np.nan if (value := getattr(event, name)) is None else value for event in events])
            if np.isfinite(values).any():
                curves.append(Curve(f"{kept.name}, {half}", place, part, steps, values))
    st.plotly_chart(
        logs_figure(curves, "Epoch", MEASURES[measure or "loss"], dark=dark()),
        key="train.runs.figure",
        theme=None,
        config={"displayModeBar": False},
        alt="Curves of the ticked runs by epoch. The table below holds their last numbers.",
    )
    names = tuple(kept.name for kept in chosen)
    rows = [
        ("Training loss", *(format_number(events[-1].train_loss) for events in histories)),
        ("Validation loss", *(_shown(events[-1].validation_loss) for events in histories)),
        ("Training accuracy or R²", *(_shown(events[-1].train_metric) for events in histories)),
        ("Validation accuracy or R²", *(_shown(events[-1].validation_metric) for events in histories)),
        *((title, *values) for title, values in differences([kept.config for kept in chosen]).items()),
    ]
    show_table((("What", *names), rows), "The ticked runs: last numbers, and the settings in which they differ")


def _shown(value: float | None) -> str:
    return "none" if value is None else format_number(value)
