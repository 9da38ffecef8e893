"""The controls of the Train page: examples on top, settings of data, model and training at the side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from lossviz import datasets
from lossviz.datasets.own_points import OwnPoints
from lossviz.models import ACTIVATIONS, INITIALISATIONS
from lossviz.training import BOUNDS, parameter_count, preset, presets
from pages.ui.links import plain
from pages.ui.own_panel import ask_for_file
from pages.ui.own_store import known
from pages.ui.state import recall, seed, widget
from pages.ui.train_change import change, config, field, start_run, whole
from pages.ui.train_data import with_dataset
from pages.ui.train_recurrent import recurrent_layers
from pages.ui.train_state import TASK_TITLES
from pages.ui.train_training import training

#: Stands in the list of data sets for a file that is not there yet.
_OWN: Final = "own"

# Examples


def gallery() -> None:
    """The examples, by task; a task begins with its first one, on real data."""
    now = config()
    examples = presets(now.task)
    # What was changed on the way does not make an example another one; some hold changes themselves.
    runs = (now, replace(now, interventions=()))
    chosen = next((example for run in runs for example in examples if example.config == run), None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Task",
            TASK_TITLES,
            format_func=TASK_TITLES.__getitem__,
            key=seed("train.task", now.task),
            on_change=lambda: _choose_task(widget("train.task")),
            width="content",
        )
        st.selectbox(
            "Example",
            [example.key for example in examples],
            index=None,
            placeholder="Your own settings",
            format_func=lambda key: preset(key).title,
            key=seed("train.example", chosen.key if chosen else None),
            on_change=lambda: _choose_example(widget("train.example")),
            help="Each sets everything: data, model and training.",
        )
    st.markdown(chosen.comment if chosen else "These are your own settings.")


def _choose_task(task: Any) -> None:
    if task is not None:
        start_run(presets(task)[0].config)


def _choose_example(key: str | None) -> None:
    if key is not None:
        start_run(preset(key).config)


# Settings


def settings() -> None:
    """Everything that decides the run."""
    st.header("Settings")
    st.caption("A change starts a new run, paused before its first update.")
    st.subheader("Data")
    _data()
    st.subheader("Model")
    _model()
    st.subheader("Training")
    training()


def _data() -> None:
    now = config()
    data, held = now.data, known()
    st.selectbox(
        "Data set",
        (*datasets.keys(), *held, _OWN),
        format_func=lambda key: _data_title(key, held),
        key=seed("train.dataset", now.dataset),
        on_change=_choose_data,
        help="Grouped by what is to be predicted. Another data set keeps the model and the training settings.",
    )
    if recall("own.asked"):
        st.info("Open your file on the page, above the charts.", icon=":material/table_view:")
    # Synthetic texts and a learner's own file need no word on where they are from.
    origin = "" if data.vocabulary or now.own else " Real data." if data.real else " Generated."
    st.caption(f"{plain(data.description)}{origin}")
    if not data.real and data.samples_low < data.samples_high:
        st.slider(
            data.noun.capitalize(),
            data.samples_low,
            # The slider covers what is handy; a link may ask for more.
            max(1000, now.samples or 0),
            help=f"How many {data.noun} are generated, training and validation together; up to {data.samples_high:,}.",
            **field("samples"),
        )
    if data.noise_high > 0.0:
        st.slider("Noise", 0.0, data.noise_high, step=0.01, help=data.noise_meaning, **field("noise"))
    st.slider(
        "Held out for validation",
        *BOUNDS["validation_fraction"],
        step=0.05,
        format="percent",
        help=(
            f"{data.noun.capitalize()} that the model never trains on. They show how well it does on data it has not "
            "seen."
        ),
        **field("validation_fraction"),
    )
    held_out = f"{now.validation_samples:,} for validation" if now.validation_samples else "none for validation"
    st.caption(f"{now.training_samples:,} {data.noun} to train on, {held_out}.")
    if now.task != "regression" and now.validation_samples:
        st.toggle(
            "Stratify",
            help="Splits so that each class has the same share in both parts.",
            **field("stratify"),
        )
    if not data.vocabulary:
        st.toggle(
            "Standardise features",
            help=(
                "Shifts and scales each feature so that its training points have mean 0 and standard deviation 1. A "
                "point that is moved or added later does not change this scale."
            ),
            **field("standardise"),
        )
    st.number_input(
        "Data seed",
        *whole("data_seed"),
        help=f"Another number draws other {data.noun} and holds out others for validation.",
        **field("data_seed"),
    )


def _data_title(key: str, held: Mapping[str, OwnPoints]) -> str:
    if key == _OWN:
        return "Your own data: open a CSV file"
    own = held.get(key)
    if own is None:
        return f"{datasets.get(key).title} · {TASK_TITLES[datasets.get(key).task].lower()}"
    return f"{own.dataset.title}: {own.target_name} · {TASK_TITLES[own.task].lower()}"


def _choose_data() -> None:
    key = widget("train.dataset")
    if key == _OWN:
        ask_for_file()
        return
    start_run(*with_dataset(config(), key, known().get(key)))


def _model() -> None:
    now = config()
    if now.recurrent:
        recurrent_layers()
    else:
        _dense_layers()
    st.selectbox(
        "First weights",
        tuple(INITIALISATIONS),
        format_func=INITIALISATIONS.__getitem__,
        help=(
            "Random, small: as PyTorch's layers draw them. Xavier: of a size that suits tanh and sigmoid. "
            "He: of one that suits ReLU. Too large: ten times the first. All zero: hidden units stay alike and learn "
            "little."
        ),
        **field("initialisation"),
    )
    st.number_input(
        "Seed",
        *whole("seed"),
        help="Decides the first weights and the order of the samples. The same seed gives the same run.",
        **field("seed"),
    )


def _dense_layers() -> None:
    now = config()
    low, high = whole("layers")
    st.slider(
        "Hidden layers",
        low,
        high,
        help="0 is a linear model: a straight line, or a straight border between classes.",
        key=seed("train.layers", len(now.hidden)),
        on_change=lambda: change(hidden=_layers(config().hidden, widget("train.layers"))),
    )
    for index in range(len(now.hidden)):
        key = seed(f"train.units.{index}", now.hidden[index])
        st.slider(
            f"Units in hidden layer {index + 1}",
            *whole("units"),
            key=key,
            on_change=lambda index=index, key=key: change(hidden=_with_units(config().hidden, index, widget(key))),
        )
    if now.hidden:
        st.selectbox(
            "Activation",
            tuple(ACTIVATIONS),
            format_func=lambda key: ACTIVATIONS[key].title,
            help="What a hidden unit does with its weighted sum. With the identity, layers add up to a straight line.",
            **field("activation"),
        )
        st.toggle(
            "Batch normalisation",
            help=(
                "Each hidden unit's weighted sum gets mean 0 and variance 1 over the batch, then a scale and a shift "
                "that are learnt. In evaluation running means take the batch's place."
            ),
            **field("batch_norm"),
        )
        st.slider(
            "Dropout",
            *BOUNDS["dropout"],
            step=0.05,
            format="percent",
            help=(
                "The share of hidden units that each update leaves out at random; the others count for more. In "
                "evaluation all are there."
            ),
            **field("dropout"),
        )
    hidden = f"{' and '.join(map(str, now.hidden))} hidden, " if now.hidden else ""
    inputs, outputs = now.sizes[0], now.sizes[-1]
    norms = f", {2 * sum(now.hidden)} scales and shifts" if now.batch_norm and now.hidden else ""
    st.caption(f"Units: {inputs} in, {hidden}{outputs} out. {parameter_count(now):,} weights and biases{norms}.")


def _layers(hidden: tuple[int, ...], count: int) -> tuple[int, ...]:
    """As many layers as asked for; new ones are as wide as the last."""
    return hidden[:count] + (hidden[-1] if hidden else 4,) * (count - len(hidden))


def _with_units(hidden: tuple[int, ...], index: int, units: int) -> tuple[int, ...]:
    return (*hidden[:index], units, *hidden[index + 1 :])


def show_remarks() -> None:
    """What else a change brought with it, and why one was refused."""
    if recall("train.notice"):
        st.info(recall("train.notice"), icon=":material/swap_horiz:")
    if recall("train.problem"):
        st.error(recall("train.problem"))
