"""The Train page's URL restores every legal run, and a tampered one gives the default with a notice."""

import math
import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossviz import datasets, losses, optimizers
from lossviz.models import ACTIVATIONS, INITIALISATIONS
from lossviz.training import CLASSIC, Intervention, RunConfig, losses_for, models_for, presets
from lossviz.training.wiring import wirings_for
from pages.ui.train_data import with_dataset
from pages.ui.train_state import (
    PHASES,
    START,
    TrainState,
    changes_left_out,
    format_url,
    last_walk,
    parse,
)

FIELDS = [
    *(
        "data",
        "samples",
        "noise",
        "data_seed",
        "validation",
        "stratify",
        "standardise",
        "model",
        "hidden",
        "embedding",
        "activation",
        "start",
        "dtype",
    ),
    *(
        "loss",
        "wiring",
        "optimizer",
        "rate",
        "momentum",
        "decay",
        "beta1",
        "beta2",
        "weight_decay",
        "schedule",
        "every",
        "factor",
    ),
    *("low", "clip", "clip_at", "l1", "l2", "dropout", "batch_norm", "patience", "best", "batch", "epochs", "seed"),
    *("changes", "walk", "phase", "sample"),
]
NAMES = [
    *FIELDS,
    *(parameter.name for key in losses.keys() for parameter in losses.get(key).parameters),  # noqa: SIM118
    "nonsense",
]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *(*datasets.keys(), *losses.keys(), *optimizers.keys(), *ACTIVATIONS, *PHASES, "none", "all", "yes", "no"),
            *("nan", "inf", "-1", "1e999", "9" * 5000, "4_2", "1_2_3", "0.5", "120:0.01~300:0.001", "1:", "~", "٣"),
        ]
    ),
    st.floats().map(str),
    st.integers(-10, 2000).map(str),
)


def numbers(low, high):
    return st.floats(low, high, exclude_min=low == 0.0, allow_subnormal=False)


def dense_models():
    return st.fixed_dictionaries(
        {
            "standardise": st.booleans(),
            "hidden": st.lists(st.integers(1, 64), max_size=6).map(tuple),
            "activation": st.sampled_from(sorted(ACTIVATIONS)),
            "dropout": st.floats(0.0, 0.9),
        }
    )


def read_models(data):
    units = st.integers(1, 32)
    return st.fixed_dictionaries(
        {"model": st.sampled_from(models_for(data)), "hidden": st.tuples(units), "embedding": units}
    )


@st.composite
def configs(draw):
    data = datasets.get(draw(st.sampled_from(datasets.keys())))
    loss = losses.get(draw(st.sampled_from(losses_for(data.task))))
    parameters = {}
    for item in loss.parameters:
        if item.kind == "class_weights":
            weight = st.floats(0.001, min(item.high, 1000.0))
            parameters[item.name] = draw(st.none() | st.tuples(*[weight] * len(data.classes)))
        elif item.kind in ("flag", "choice"):
            parameters[item.name] = draw(st.sampled_from(list(item.options) or [False, True]))
        else:
            inside = st.floats(item.low, item.high, exclude_min=item.low_open, exclude_max=item.high_open)
            parameters[item.name] = draw(inside)
    changes = st.dictionaries(st.integers(0, 10_000), numbers(0.0, 100.0), max_size=20)
    config = RunConfig(
        dataset=data.key,
        samples=draw(st.integers(data.samples_low, data.samples_high)),
        noise=draw(st.floats(0.0, data.noise_high)),
        data_seed=draw(st.integers(0, 2**32 - 1)),
        validation_fraction=draw(st.floats(0.0, 0.9)),
        **draw(read_models(data) if data.vocabulary else dense_models()),
        initialisation=draw(st.sampled_from(list(INITIALISATIONS))),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        loss=loss.key,
        loss_parameters=parameters,
        wiring=draw(st.sampled_from(wirings_for(loss.key, data.task))),
        optimizer=draw(st.sampled_from(optimizers.keys())),
        learning_rate=draw(numbers(0.0, 100.0)),
        **{name: draw(st.floats(0.0, 0.999)) for name in ("momentum", "decay", "beta1", "beta2")},
        weight_decay=draw(st.floats(0.0, 10.0)),
        schedule=draw(st.sampled_from(list(optimizers.SCHEDULES))),
        every=draw(st.integers(1, 10_000)),
        factor=draw(numbers(0.0, 1.0)),
        low=draw(st.floats(0.0, 1.0)),
        clip=draw(st.sampled_from(["none", "norm", "value"])),
        clip_at=draw(numbers(0.0, 1e6)),
        l1=draw(st.floats(0.0, 10.0)),
        l2=draw(st.floats(0.0, 10.0)),
        batch_size=draw(st.none() | st.integers(1, 5000)),
        epochs=draw(st.integers(1, 10_000)),
        seed=draw(st.integers(0, 2**32 - 1)),
        interventions=tuple(Intervention(update=at, value=rate) for at, rate in draw(changes).items()),
    )
    watched = config.validation_samples > 0
    full = config.batch_size is None and config.training_samples > 1
    return replace(
        config,
        batch_norm=full and not data.vocabulary and draw(st.booleans()),
        patience=draw(st.none() | st.integers(1, 10_000)) if watched else None,
        best_weights=watched and draw(st.booleans()),
    )


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), TEXTS, max_size=8))
def test_any_url_gives_a_state_and_says_what_it_left_out(params):
    state, notices = parse(params)
    assert all(notice.startswith("The link") for notice in notices)
    # What a stranger wrote may not become a link, an image or other markup of ours.
    assert not any(re.search(r"[\[\]<>$*]|https?://", notice) for notice in notices)
    again, quiet = parse(format_url(state))
    assert again == state
    assert quiet == []


@given(configs(), st.data())
def test_every_legal_run_is_restored_from_a_short_url(config, data):
    state = TrainState(
        config,
        walk=data.draw(st.integers(1, last_walk(config))),
        phase=data.draw(st.sampled_from(PHASES)),
        sample=data.draw(st.integers(1, config.batch_rows)),
    )
    params = format_url(state)
    # Streamlit percent-encodes all other characters.
    assert all(re.fullmatch(r"[A-Za-z0-9_.~:-]+", text) for text in params.values())
    assert changes_left_out(state) == 0
    assert len(urlencode(params)) < 1900
    assert parse(params) == (state, [])


def test_the_first_visit_shows_real_data():
    assert parse({}) == (TrainState(START), [])
    assert format_url(TrainState(START)) == {}
    assert datasets.get(START.dataset).real


@pytest.mark.parametrize("example", presets(), ids=lambda example: example.key)
def test_examples_are_restored(example):
    assert parse(format_url(TrainState(example.config))) == (TrainState(example.config), [])


def test_a_readable_link():
    config = replace(
        RunConfig(dataset="circle", hidden=(8, 4), learning_rate=0.1),
        interventions=(Intervention(update=120, value=0.01), Intervention(update=300, value=0.001)),
    )
    link = "data=circle&hidden=8_4&rate=0.1&walk=2&phase=update&changes=120:0.01~300:0.001"
    assert urlencode(format_url(TrainState(config, walk=2, phase="update")), safe=":~") == link


def test_changes_that_do_not_fit_are_counted():
    changes = tuple(Intervention(update=at, value=math.pi / (at + 1)) for at in range(1000))
    state = TrainState(replace(CLASSIC, interventions=changes))
    params = format_url(state)
    assert len(urlencode(params)) <= 1800
    kept, notices = parse(params)
    assert notices == []
    assert kept.config.interventions == changes[: 1000 - changes_left_out(state)]
    assert 900 < changes_left_out(state) < 1000


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"data": "mnist"}, ["`mnist`", "diabetes", "circle"]),
        ({"rate": "banana"}, ["rate", "`banana`", "a number"]),
        ({"rate": "-1"}, ["rate", "-1", "above 0 to 100"]),
        ({"epochs": "99999"}, ["epochs", "99999", "1 to 10000"]),
        ({"samples": "3"}, ["samples", "3", "10 to 442"]),
        ({"hidden": "4_2_"}, ["hidden", "`4_2_`", "4_2"]),
        ({"hidden": "4_999"}, ["hidden", "999", "1 to 64"]),
        ({"data": "sine", "stratify": "yes"}, ["stratify is True", "sine", "Here is no instead."]),
        ({"standardise": "maybe"}, ["standardise", "`maybe`", "yes or no"]),
        ({"loss": "hinge"}, ["loss", "hinge", "mse"]),
        ({"optimizer": "adan"}, ["optimizer", "adan", "rmsprop"]),
        ({"changes": "5:0.1~x"}, ["changes", "`5:0.1~x`", "120:0.01~250:m12_3.5_4~300:a1.2_3.4"]),
        ({"changes": "5:-1"}, ["changes", "-1", "above 0 to 100"]),
        ({"loss": "huber", "delta": "0"}, ["delta", "0"]),
        ({"data": "iris", "weight": "1_2"}, ["weight", "3 numbers"]),
        ({"walk": "0"}, ["walk", "`0`", "1 to"]),
        ({"phase": "sideways"}, ["phase", "`sideways`", "backward"]),
        ({"colour": "red"}, ["`colour`"]),
        ({"rate": "[x](http://example.org)"}, ["rate", "`?x??http:??example.org?`"]),
    ],
)
def test_a_tampered_value_is_named_and_replaced(params, said):
    state, notices = parse(params)
    assert len(notices) == 1
    assert all(part in notices[0] for part in said), notices[0]
    legal = {name: text for name, text in params.items() if name in {"data", "loss"}}
    assert state == parse(legal)[0]


def test_another_data_set_keeps_the_model_and_replaces_a_loss_that_does_not_fit():
    old = RunConfig(dataset="circle", hidden=(8,), loss="bce", learning_rate=0.2)
    new, said = with_dataset(old, "iris")
    assert (new.dataset, new.samples, new.hidden, new.learning_rate) == ("iris", 150, (8,), 0.2)
    assert new.loss == "cross_entropy"
    assert "Binary cross-entropy does not fit" in said
    assert "Cross-entropy" in said
    same, quiet = with_dataset(replace(old, interventions=(Intervention(update=3, value=0.1),)), "moons")
    assert (same.loss, quiet) == ("bce", "")
    assert same.interventions == ()


@pytest.mark.parametrize("key", datasets.keys())
def test_every_way_to_and_from_texts_is_open(key):
    numbers = RunConfig(
        dataset="circle", hidden=(8, 4), activation="relu", batch_norm=True, dropout=0.2, optimizer="adam", seed=4
    )
    texts = RunConfig(dataset="reviews", model="rnn", hidden=(3,), embedding=2, optimizer="adam", seed=4)
    for old in (numbers, texts):
        new, said = with_dataset(old, key)
        assert (new.dataset, new.optimizer, new.seed) == (key, "adam", 4)
        if old.recurrent == new.recurrent:
            assert (new.model, new.hidden, new.embedding) == (old.model, old.hidden, old.embedding)
            assert (new.activation, new.dropout) == (old.activation, old.dropout)
            assert "model" not in said
        else:
            fresh = RunConfig(dataset=key)
            assert (new.model, new.hidden, new.embedding) == (fresh.model, fresh.hidden, fresh.embedding)
            assert ("LSTM" if new.recurrent else "Fully connected") in said
    assert with_dataset(with_dataset(numbers, "reviews")[0], key)[0].dataset == key


def test_a_link_with_a_model_that_does_not_suit_says_why():
    for params, part in (
        ({"data": "reviews", "standardise": "yes"}, "which have no mean"),
        ({"data": "reviews", "hidden": "4_2"}, "one number, the units of the recurrent layer"),
        ({"data": "reviews", "model": "dense"}, "are texts"),
        ({"data": "reviews", "activation": "relu"}, "with tanh"),
        ({"data": "reviews", "dropout": "0.5"}, "without dropout"),
        ({"data": "circle", "model": "lstm"}, "holds numbers"),
        ({"data": "circle", "embedding": "4"}, "no words to embed"),
    ):
        state, notices = parse(params)
        assert len(notices) == 1
        assert part in notices[0]
        assert state.config == RunConfig(dataset=params["data"])
    found, notices = parse({"data": "reviews", "model": "rnn", "hidden": "3", "embedding": "2"})
    assert (found.config.model, found.config.hidden, found.config.embedding, notices) == ("rnn", (3,), 2, [])


def test_no_parameter_of_a_loss_is_called_like_a_field_of_the_link():
    for key in losses.keys():  # noqa: SIM118 - keys() is the registry's own function
        if losses.get(key).fits:
            assert not set(FIELDS) & {item.name for item in losses.get(key).parameters}, key


def test_batch_normalisation_that_another_data_set_cannot_have_is_switched_off():
    config = RunConfig(dataset="iris", batch_norm=True, validation_fraction=0.2)
    assert with_dataset(config, "breast_cancer")[0].batch_norm
    rows = with_dataset(config, "breast_cancer")[0].training_samples
    size = next(size for size in range(2, rows) if rows % size == 1 and config.training_samples % size != 1)
    new, remark = with_dataset(replace(config, batch_size=size), "breast_cancer")
    assert not new.batch_norm
    assert remark.endswith("batch normalisation is off.")
