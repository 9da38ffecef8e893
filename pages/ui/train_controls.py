"""The controls of the Train page: examples on top, settings of data, model and training at the side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from lossviz import datasets, losses, optimizers
from lossviz.losses.base import Parameter
from lossviz.models import ACTIVATIONS, INITIALISATIONS
from lossviz.training import BOUNDS, RunConfig, losses_for, preset, presets
from lossviz.training.config import DTYPES
from pages.ui.parameter import parameter_control
from pages.ui.state import current, put, recall, remember, seed, widget
from pages.ui.train_state import TASK_TITLES, TrainState, with_dataset
from pages.ui.walk_steps import parameter_count

PAGE = "train"


def config() -> RunConfig:
    """The run that the page shows."""
    return current(PAGE).config


def start_run(new: RunConfig, notice: str = "") -> None:
    """Show another run, and say what else had to change."""
    put(PAGE, TrainState(new))
    remember("train.notice", notice)
    remember("train.problem", "")


def change(**fields: Any) -> None:
    """Change settings: a new run, without the changes made on the way of the old one."""
    try:
        start_run(replace(config(), interventions=(), **fields))
    except ValueError as error:
        remember("train.problem", f"{error}. The setting before still holds.")


def _key(name: str) -> str:
    return f"train.{name}"


def _field(name: str, value: Any = ..., take: Callable[[Any], Any] = lambda shown: shown) -> dict[str, Any]:
    """Key and callback of the widget that shows one field of the config."""
    key = seed(_key(name), getattr(config(), name) if value is ... else value)
    return {"key": key, "on_change": lambda: _take(name, take)}


def _take(name: str, take: Callable[[Any], Any]) -> None:
    shown = widget(_key(name))
    # Pills and segments give None when the chosen one is clicked again, and number fields when they are emptied.
    if shown is not None:
        change(**{name: take(shown)})


# Examples


def gallery() -> None:
    """The examples, by task; a task begins with its first one, on real data."""
    now = replace(config(), interventions=())
    examples = presets(now.task)
    chosen = next((example for example in examples if example.config == now), None)
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
    _training()


def _data() -> None:
    now = config()
    data = datasets.get(now.dataset)
    st.selectbox(
        "Data set",
        datasets.keys(),
        format_func=lambda key: f"{datasets.get(key).title} · {TASK_TITLES[datasets.get(key).task].lower()}",
        key=seed("train.dataset", now.dataset),
        on_change=lambda: start_run(*with_dataset(config(), widget("train.dataset"))),
        help="Grouped by what is to be predicted. Another data set keeps the model and the training settings.",
    )
    st.caption(f"{data.description} {'Real data.' if data.real else 'Generated.'}")
    if not data.real and data.samples_low < data.samples_high:
        st.slider(
            "Points",
            data.samples_low,
            # The slider covers what is handy; a link may ask for more.
            max(1000, now.samples or 0),
            help=f"How many points are generated, training and validation together; up to {data.samples_high:,}.",
            **_field("samples"),
        )
    if data.noise_high > 0.0:
        st.slider("Noise", 0.0, data.noise_high, step=0.01, help=data.noise_meaning, **_field("noise"))
    st.slider(
        "Held out for validation",
        *BOUNDS["validation_fraction"],
        step=0.05,
        format="percent",
        help="Points that the model never trains on. They show how well it does on data it has not seen.",
        **_field("validation_fraction"),
    )
    held_out = f"{now.validation_samples:,} for validation" if now.validation_samples else "none for validation"
    st.caption(f"{now.training_samples:,} points to train on, {held_out}.")
    st.toggle(
        "Standardise features",
        help="Shifts and scales each feature so that its training points have mean 0 and standard deviation 1.",
        **_field("standardise"),
    )
    st.number_input(
        "Data seed",
        *_whole("data_seed"),
        help="Another number draws other points and holds out others for validation.",
        **_field("data_seed"),
    )


def _model() -> None:
    now = config()
    low, high = _whole("layers")
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
            *_whole("units"),
            key=key,
            on_change=lambda index=index, key=key: change(hidden=_with_units(config().hidden, index, widget(key))),
        )
    if now.hidden:
        st.selectbox(
            "Activation",
            tuple(ACTIVATIONS),
            format_func=lambda key: ACTIVATIONS[key].title,
            help="What a hidden unit does with its weighted sum. With the identity, layers add up to a straight line.",
            **_field("activation"),
        )
    hidden = f"{' and '.join(map(str, now.hidden))} hidden, " if now.hidden else ""
    inputs, outputs = now.sizes[0], now.sizes[-1]
    st.caption(f"Units: {inputs} in, {hidden}{outputs} out. {parameter_count(now):,} weights and biases.")
    st.selectbox(
        "First weights",
        tuple(INITIALISATIONS),
        format_func=INITIALISATIONS.__getitem__,
        help=(
            "Random, small: as PyTorch's nn.Linear draws them. Xavier: of a size that suits tanh and sigmoid. "
            "He: of one that suits ReLU. Too large: ten times the first. All zero: hidden units stay alike and learn "
            "little."
        ),
        **_field("initialisation"),
    )
    st.number_input(
        "Seed",
        *_whole("seed"),
        help="Decides the first weights and the order of the samples. The same seed gives the same run.",
        **_field("seed"),
    )


def _training() -> None:
    now = config()
    loss = losses.get(now.loss_key)
    st.selectbox(
        "Loss",
        losses_for(now.task),
        format_func=lambda key: losses.get(key).title,
        key=seed("train.loss", now.loss_key),
        on_change=lambda: change(loss=widget("train.loss"), loss_parameters=()),
        help="What training makes as small as it can. Only losses that fit the data are listed.",
    )
    st.caption(loss.summary)
    for parameter in loss.parameters:
        _loss_parameter(parameter)
    st.selectbox(
        "Optimizer",
        optimizers.keys(),
        format_func=lambda key: optimizers.get(key).title,
        help="How gradients become new weights.",
        **_field("optimizer"),
    )
    optimizer = optimizers.get(now.optimizer)
    st.caption(optimizer.description)
    st.number_input(
        "Learning rate at the start",
        value=None,
        step=0.01,
        format="%g",
        help="How far one update goes. You can change it during the run, next to the charts. Above 0, up to 100.",
        **_field("learning_rate"),
    )
    if optimizer.uses_momentum:
        st.slider(
            "Momentum",
            0.0,
            max(0.99, now.momentum),
            step=0.01,
            help="The share of the last step's speed that is kept.",
            **_field("momentum"),
        )
    st.toggle(
        "Full batch",
        help="Every update uses all training points at once.",
        key=seed("train.full_batch", now.batch_size is None),
        on_change=lambda: change(batch_size=None if widget("train.full_batch") else 10),
    )
    if now.batch_size is not None:
        st.number_input(
            "Batch size",
            *_whole("batch_size"),
            help="How many points one update looks at. Smaller batches: more updates an epoch, with noisier gradients.",
            **_field("batch_size"),
        )
    updates = now.updates_per_epoch
    st.caption(f"{updates:,} {'update' if updates == 1 else 'updates'} an epoch.")
    st.number_input(
        "Epochs", *_whole("epochs"), help="How often the run goes through all training points.", **_field("epochs")
    )
    with st.expander("More"):
        st.segmented_control(
            "Number format",
            DTYPES,
            help="float32 is what PyTorch trains with unless told otherwise; float64 carries twice as many digits.",
            **_field("dtype"),
        )


def _loss_parameter(parameter: Parameter) -> None:
    now, name = config(), parameter.name
    key = f"train.{now.loss}.{name}"
    value = now.parameters[name]
    if parameter.kind == "class_weights":
        classes = ", ".join(datasets.get(now.dataset).classes)
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


def _layers(hidden: tuple[int, ...], count: int) -> tuple[int, ...]:
    """As many layers as asked for; new ones are as wide as the last."""
    return hidden[:count] + (hidden[-1] if hidden else 4,) * (count - len(hidden))


def _with_units(hidden: tuple[int, ...], index: int, units: int) -> tuple[int, ...]:
    return (*hidden[:index], units, *hidden[index + 1 :])


def _whole(name: str) -> tuple[int, int]:
    low, high = BOUNDS[name]
    return int(low), int(high)


def show_remarks() -> None:
    """What else a change brought with it, and why one was refused."""
    if recall("train.notice"):
        st.info(recall("train.notice"), icon=":material/swap_horiz:")
    if recall("train.problem"):
        st.error(recall("train.problem"))
