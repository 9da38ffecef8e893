"""A config round-trips, is hashable, and refuses whatever it does not allow with a message that says what it does."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossviz import datasets, losses
from lossviz.training import BOUNDS, CLASSIC, PLAYGROUND, Intervention, RunConfig, losses_for
from lossviz.training import dataset as data_of

DATASETS = datasets.keys()
FIELDS = sorted(RunConfig().to_dict())


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_data_set_has_a_working_default(dataset):
    config = RunConfig(dataset=dataset)
    assert config.samples == datasets.get(dataset).samples
    assert config.noise == datasets.get(dataset).noise
    assert config.sizes[0] == len(datasets.get(dataset).feature_names)
    assert config.training_samples + config.validation_samples == config.samples


def every_config():
    for dataset in DATASETS:
        for loss in losses_for(datasets.get(dataset).task):
            yield RunConfig(dataset=dataset, loss=loss)
    yield CLASSIC
    yield PLAYGROUND
    yield RunConfig(interventions=(Intervention(5, "learning_rate", 0.1),), hidden=(), batch_size=None)
    yield RunConfig(dataset="iris", loss_parameters={"weight": (1, 2.5, 3), "label_smoothing": 0.1})


@pytest.mark.parametrize("config", list(every_config()), ids=str)
def test_round_trip_through_json(config):
    text = json.dumps(config.to_dict(), allow_nan=False)
    again = RunConfig.from_dict(json.loads(text))
    assert again == config
    assert hash(again) == hash(config)
    assert RunConfig.from_dict({}) == RunConfig()


def test_every_loss_with_a_fit_trains_on_its_task():
    tasks = ("regression", "binary", "multiclass")
    found = {(key, task) for task in tasks for key in losses_for(task)}
    assert found == {(key, fit.task) for key in losses.keys() for fit in losses.get(key).fits}  # noqa: SIM118
    assert {"mse", "bce", "hinge", "cross_entropy", "zero_one", "pseudo_huber"} <= {key for key, _ in found}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dataset": "cirlce"}, "dataset is 'cirlce'; allowed: .*circle"),
        ({"dataset": 3}, "dataset is 3"),
        ({"dataset": "iris", "samples": 151}, "samples is 151; a whole number from 10 to 150"),
        ({"samples": 9}, "from 10 to 5000"),
        ({"samples": 100.0}, "samples is 100.0"),
        ({"samples": True}, "samples is True"),
        ({"dataset": "four_points", "samples": 5}, "from 4 to 4"),
        ({"noise": 0.6}, "noise is 0.6; a number from 0 to 0.5"),
        ({"noise": math.nan}, "noise is nan"),
        ({"dataset": "iris", "noise": 0.1}, "from 0 to 0 "),
        ({"data_seed": -1}, "data_seed is -1"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"validation_fraction": 0.95}, "from 0 to 0.9"),
        ({"stratify": "yes"}, "stratify is 'yes'; allowed: true, false"),
        ({"dataset": "sine", "stratify": True}, "target of sine is a number; only classes have shares"),
        (
            {"dataset": "digits", "stratify": True, "samples": 40},
            "class '8' has 1 of the 40 points; each class needs 2 or more",
        ),
        (
            {"dataset": "wine", "stratify": True, "validation_fraction": 0.01},
            r"2 of the 178 points are held out; 3 classes need 3 or more there: change",
        ),
        (
            {"dataset": "wine", "stratify": True, "samples": 20, "validation_fraction": 0.9},
            "2 of the 20 points are left to train on",
        ),
        ({"standardise": 1}, "standardise is 1; allowed: true, false"),
        ({"hidden": [1] * 7}, "list of 0 to 6"),
        ({"hidden": [0]}, r"hidden\[0\] is 0; a whole number from 1 to 64"),
        ({"hidden": "44"}, "hidden is '44'"),
        ({"hidden": 4}, "hidden is 4"),
        ({"model": "transformer"}, "model is 'transformer'; allowed: dense, rnn, lstm"),
        ({"model": ["rnn"]}, r"model is \['rnn'\]; allowed"),
        ({"model": "rnn"}, "model is 'rnn'; Circle holds numbers, no texts, so dense is allowed"),
        ({"embedding": 4}, "embedding is 4; Circle holds numbers"),
        ({"activation": "swish"}, "tanh, relu, leaky_relu"),
        ({"initialisation": "ones"}, "default, xavier, he"),
        ({"dtype": "float16"}, "float32, float64"),
        ({"loss": "cross_entropy"}, "allowed with binary data: .*bce"),
        ({"loss": ["mse"]}, "loss is "),
        ({"loss_parameters": 3}, "loss_parameters is 3"),
        ({"loss_parameters": {"delta": 1.0}}, "delta"),
        ({"dataset": "iris", "loss_parameters": {"label_smoothing": 2}}, "label_smoothing is 2"),
        ({"dataset": "iris", "loss_parameters": {"weight": [1, 2]}}, "3 numbers above 0"),
        ({"dataset": "iris", "loss_parameters": {"weight": [1, 2, 0]}}, "3 numbers above 0"),
        ({"optimizer": "adan"}, "sgd, momentum, nesterov, adagrad"),
        ({"learning_rate": 0}, "learning_rate is 0; a number above 0 to 100"),
        ({"learning_rate": 10**400}, "learning_rate is 1000"),
        ({"learning_rate": 10**5000}, "a very large number"),
        ({"learning_rate": "0.1"}, "learning_rate is '0.1'"),
        ({"learning_rate": None}, "learning_rate is None"),
        ({"momentum": 1.0}, "momentum is 1.0; a number from 0 to below 1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"epochs": 10_001}, "from 1 to 10000"),
        ({"epochs": 10**30}, "epochs is 1000"),
        ({"interventions": [{"update": 1}]}, "exactly update, kind and value"),
        ({"interventions": [7]}, "an intervention is 7"),
        ({"interventions": [{"update": -1, "kind": "learning_rate", "value": 1}]}, "intervention.update is -1"),
        ({"interventions": [{"update": 1, "kind": "momentum", "value": 1}]}, "intervention.kind is 'momentum'"),
        ({"interventions": [{"update": 1, "kind": "learning_rate", "value": 0}]}, "intervention.value is 0"),
        ({"interventions": [{"update": 1, "kind": "learning_rate", "value": 1}] * 1001}, "1,001 changes; at most"),
        ({"epoch": 3}, "unknown field 'epoch'; allowed: dataset, samples"),
        ({3: 3}, "unknown field 3"),
    ],
)
def test_refused_with_a_message(fields, message):
    with pytest.raises(ValueError, match=message):
        RunConfig.from_dict(fields)


def test_the_message_for_an_unknown_field_names_every_field():
    with pytest.raises(ValueError, match="unknown field") as caught:
        RunConfig.from_dict({"lr": 0.1})
    assert all(name in str(caught.value) for name in FIELDS)


@pytest.mark.parametrize("value", [None, 3, "config", [["epochs", 3]], True])
def test_only_an_object_is_a_config(value):
    with pytest.raises(ValueError, match="the config is"):
        RunConfig.from_dict(value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
likely = {
    "dataset": st.sampled_from(datasets.keys()),
    "loss": st.sampled_from(losses.keys()),
    "loss_parameters": st.dictionaries(st.sampled_from(["delta", "gamma", "weight", "alpha", "tau"]), anything),
    "interventions": st.lists(st.fixed_dictionaries({"update": anything, "kind": anything, "value": anything})),
}


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), anything, max_size=6) | anything)
def test_random_json_gives_a_config_or_a_value_error(value):
    check(value)


@given(st.fixed_dictionaries({}, optional={name: likely.get(name, anything) | anything for name in FIELDS}))
def test_random_values_of_real_fields_give_a_config_or_a_value_error(value):
    check(value)


def check(value):
    try:
        config = RunConfig.from_dict(value)
    except ValueError as error:
        message = str(error)
    else:
        message = "a config of the usual length"
        assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert 20 < len(message) < 700


def test_interventions_are_sorted_and_the_last_one_at_an_update_counts():
    one, two, three = Intervention(9, value=0.1), Intervention(3, value=0.2), Intervention(9, value=0.3)
    config = RunConfig(interventions=(one, two, three))
    assert config.interventions == (two, three)
    assert config.with_intervention(one).interventions == (two, one)


@pytest.mark.parametrize(("dataset", "fraction"), [("wine", 0.3), ("digits", 0.25), ("circle", 0.5)])
def test_a_stratified_split_keeps_the_share_of_every_class(dataset, fraction):
    config = RunConfig(dataset=dataset, validation_fraction=fraction, stratify=True, data_seed=3)
    split = data_of(config)
    everything = np.concatenate([split.y_train, split.y_validation])
    drawn, y = config.data.generate(config.samples, config.noise, 3)
    assert sorted(map(tuple, drawn.tolist())) == sorted(
        map(tuple, np.concatenate([split.x_train, split.x_validation]).tolist())
    )
    assert np.sort(everything).tolist() == np.sort(y).tolist()
    held_out, whole = np.bincount(split.y_validation.astype(int)), np.bincount(y.astype(int))
    assert np.abs(held_out - whole * config.validation_samples / config.samples).max() < 1.0
    plain = data_of(replace(config, stratify=False)).y_validation.astype(int)
    assert dataset == "circle" or np.abs(np.bincount(plain) - held_out).max() > 1
    assert RunConfig(dataset=dataset, stratify=True, validation_fraction=0.0).training_samples == len(y)


def test_sizes_of_the_parts():
    assert RunConfig(validation_fraction=0.0).validation_samples == 0
    assert RunConfig(validation_fraction=0.001).validation_samples == 1
    assert RunConfig(dataset="four_points", validation_fraction=0.9).training_samples == 1
    config = RunConfig(samples=45, validation_fraction=0.0, batch_size=10)
    assert (config.updates_per_epoch, config.batch_rows) == (5, 10)
    assert RunConfig(samples=45, batch_size=5000).updates_per_epoch == 1
    assert BOUNDS["epochs"] == (1, 10_000)
