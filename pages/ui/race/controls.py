"""The controls of the Race page: examples, what differs and how, and what the racers are ranked on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from lossviz import losses, optimizers
from lossviz.datasets.own_points import OwnPoints
from lossviz.training import BOUNDS, DIFFERENCES, MODELS, RACERS, differences, preset, presets
from lossviz.writing import sentence
from pages.ui import train_state
from pages.ui.own_store import Wanted
from pages.ui.race import state as rules
from pages.ui.race.state import EXAMPLES, RaceState
from pages.ui.state import current, put, recall, remember, seed, widget
from pages.ui.train_data import with_dataset

PAGE = "race"
HINTS = {
    "rate": "Numbers above 0, up to 100, with commas between them.",
    "batch": "Whole numbers, with commas between them; all means all training points.",
    "depth": "Whole numbers from 0 to 6, with commas between them; 0 is a linear model.",
    "units": "Whole numbers from 1 to 64, of a recurrent layer to 32, with commas between them.",
    "seed": "Whole numbers, with commas between them. A seed decides the first weights and the order of the points.",
}


def state() -> RaceState:
    """The page's state."""
    return current(PAGE)


def take(new: RaceState) -> None:
    """Show another race, unless it cannot be shown."""
    try:
        rules.check(new)
    except ValueError as error:
        remember("race.problem", f"{_sentence(str(error))} The race before still stands.")
        return
    remember("race.problem", "")
    put(PAGE, replace(new, wanted=None))


def use_own(points: OwnPoints) -> None:
    """Race around the same model and training on own data."""
    take(rules.with_config(state(), with_dataset(state().config, points.key, points)[0]))


def resume_own(wanted: Wanted, points: OwnPoints) -> None:
    """Show the race that a link asked for, on these points."""
    put(PAGE, *rules.parse({**wanted.query, "data": points.key}, {points.key: points}))


def _sentence(message: str) -> str:
    # The name of a field, such as learning_rate, as words.
    name, space, rest = message.partition(" ")
    return sentence(f"{name.replace('_', ' ')}{space}{rest}")


def examples() -> None:
    """Races worth seeing, and a comment on the one that is shown."""
    now = state()
    chosen = next((item for item in EXAMPLES if item.state.racers == now.racers), None)
    st.pills(
        "Examples",
        [item.key for item in EXAMPLES],
        format_func=lambda key: next(item.title for item in EXAMPLES if item.key == key),
        key=seed("race.example", chosen.key if chosen else None),
        on_change=_take_example,
    )
    st.markdown(chosen.comment if chosen else "This is your own race.")


def _take_example() -> None:
    key = widget("race.example")
    if key is not None:
        take(next(item.state for item in EXAMPLES if item.key == key))


def settings() -> None:
    """The run that the race goes around, what differs, and the values."""
    now = state()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Race around",
            [example.key for example in presets()],
            index=None,
            placeholder="Your own settings",
            format_func=lambda key: preset(key).title,
            width=270,
            key=seed("race.around", _example_around(now)),
            on_change=_take_run,
            help="An example of the Train page. For a run of your own, set it there and race it.",
        )
        st.selectbox(
            "What differs",
            differences(now.config),
            format_func=lambda key: DIFFERENCES[key].title,
            width=170,
            key=seed("race.by", now.by),
            on_change=lambda: take(rules.with_by(state(), widget("race.by"))),
        )
        st.number_input(
            "Epochs",
            *map(int, BOUNDS["epochs"]),
            width=140,
            key=seed("race.epochs", now.config.epochs),
            on_change=_take_epochs,
        )
        _values(now)
    if recall("race.problem"):
        st.error(recall("race.problem"))
    # Not a caption: those are faded, and a link in one is too faint.
    st.markdown(f":small[{shared_settings(now)}]")
    if now.config.own:
        st.page_link(
            "train.py",
            label="Open this run on the Train page",
            icon=":material/monitoring:",
            query_params=train_state.format_url(train_state.TrainState(now.config)),
        )


def _values(now: RaceState) -> None:
    difference = DIFFERENCES[now.by]
    key = f"race.values.{now.by}.{now.config.task}"
    if difference.options:
        options = difference.options(now.config)
        st.multiselect(
            f"Racers, up to {RACERS}",
            list(options),
            format_func=options.__getitem__,
            max_selections=RACERS,
            key=seed(key, list(now.values)),
            on_change=lambda: take(replace(state(), values=tuple(widget(key)))),
            width="stretch",
        )
        return
    text = ", ".join(rules.value_text(now.by, value) for value in now.values)
    st.text_input(
        f"Values, up to {RACERS}",
        key=seed(key, text),
        on_change=lambda: _take_text(widget(key)),
        help=HINTS[now.by],
        max_chars=400,
        width="stretch",
    )


def _example_around(now: RaceState) -> str | None:
    """The Train page's example that the race goes around, for however many epochs."""
    epochs = now.config.epochs
    return next((item.key for item in presets() if replace(item.config.settled(), epochs=epochs) == now.config), None)


def _take_text(text: str) -> None:
    by = state().by
    parts = [part for part in text.replace(";", ",").split(",") if part.strip()]
    try:
        values = tuple(rules.read_value(by, part) for part in parts)
    except ValueError as error:
        remember("race.problem", f"{_sentence(str(error))} The race before still stands.")
        return
    take(replace(state(), values=values))


def _take_run() -> None:
    key = widget("race.around")
    if key is not None:
        take(rules.with_config(state(), preset(key).config))


def _take_epochs() -> None:
    epochs = widget("race.epochs")
    if epochs is not None:
        take(replace(state(), config=replace(state().config, epochs=epochs)))


def shared_settings(now: RaceState) -> str:
    """What all racers have in common."""
    config = now.config
    held_out = f", {config.validation_samples:,} for validation" if config.validation_samples else ""
    batch = "full batches" if config.updates_per_epoch == 1 else f"batches of {config.batch_rows:,}"
    units = " and ".join(map(str, config.hidden))
    model = f"{units} hidden units" if config.hidden else "linear model"
    if config.recurrent:
        model = MODELS[config.model] + (f" of {units} units" if now.by != "units" else "")
        model = f"recurrent layer of {units} units" if now.by == "model" else model
    elif now.by == "units":
        model = f"{len(config.hidden) or 1} hidden layer{'s' if len(config.hidden) > 1 else ''}"
    if now.by == "depth":
        model = f"hidden layers of {units or 4} units"
    parts: dict[str, Any] = {
        "data": f"{config.data.title}, {config.training_samples:,} {config.data.noun} to train on{held_out}",
        "depth": model,
        "loss": losses.get(config.loss_key).title,
        "optimizer": optimizers.get(config.optimizer).title,
        "rate": f"learning rate {config.learning_rate:g}",
        "batch": batch,
    }
    if now.by != "depth":
        parts.pop(now.by, None)
    same = " · ".join(parts.values())
    # A link in the text opens a page of its own, which has not been given the data.
    own = "" if config.own else f"[Open this run on the Train page]({rules.train_link(config)})"
    start = "" if now.by in ("start", "seed") else " The first weights come from the same seed."
    return f"Common to all: {same}.{start} {own}".strip()


def ranking() -> None:
    """What the racers are ranked and drawn on."""
    now = state()
    if now.by == "loss":
        st.info(
            "The racers have different losses. Values of different losses are not comparable: a smaller number of one "
            f"is not better than a larger one of another. So all are ranked on {_metric(now)}.",
            icon=":material/balance:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {"metric": _metric(now).capitalize() if now.config.metric == "accuracy" else "R²", "loss": "Loss"}
        st.segmented_control(
            "Rank by",
            tuple(names),
            format_func=names.__getitem__,
            width="content",
            key=seed("race.rank", now.rank),
            on_change=_take_rank,
        )
        if now.measure == "loss":
            st.toggle(
                "Log scale",
                key=seed("race.log", now.log),
                on_change=lambda: take(replace(state(), log=widget("race.log"))),
            )


def _take_rank() -> None:
    rank = widget("race.rank")
    if rank is not None:
        take(replace(state(), rank=rank))


def _metric(now: RaceState) -> str:
    return "accuracy" if now.config.metric == "accuracy" else "R²"
