"""Files of a run: every number comes back as it was, and bad ones are refused with the reason."""

import csv
import io
import json
import math
import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lossviz.export import config_json, curves_csv, read_config, run_script, state_dict, state_dict_bytes
from lossviz.export.run_script import columns
from lossviz.training import CLASSIC, PLAYGROUND, Event, Intervention, RunConfig, measure, presets
from tests.export.test_run_script import CASES, execute, trained
from tests.training.test_settings import BASE


def read_back(config, text):
    """Events from a CSV text."""
    read, events = csv.DictReader(io.StringIO(text)), []
    for row in read:
        number = {name: float(value) if value else None for name, value in row.items()}
        events.append(
            Event(
                int(row["epoch"]),
                number["batch_loss"],
                number["train_loss"],
                number.get("validation_loss"),
                number[f"train_{config.metric}"],
                number.get(f"validation_{config.metric}"),
                number["learning_rate"],
                int(row["updates"]),
            )
        )
    return events


@pytest.mark.parametrize(
    "config",
    [
        replace(CLASSIC, epochs=50),
        replace(PLAYGROUND, epochs=20),
        RunConfig(dataset="sine", samples=20, validation_fraction=0.01, epochs=3),
        RunConfig(dataset="diabetes", epochs=3),
    ],
    ids=str,
)
def test_curves_come_back_as_they_were(config):
    events = trained(config)[1]
    text = curves_csv(config, events)
    assert text.count("\n") == len(events) + 1
    assert text.splitlines()[0].split(",") == columns(config)
    assert read_back(config, text) == events


@given(st.lists(st.floats(), min_size=5, max_size=5))
def test_any_number_comes_back(values):
    batch, train, validation, metric, rate = values
    event = Event(1, batch, train, validation, metric, None, rate, 25)
    config = replace(PLAYGROUND, epochs=1)
    found = read_back(config, curves_csv(config, [event]))[0]
    for name in ("batch_loss", "train_loss", "validation_loss", "train_metric", "learning_rate"):
        one, other = getattr(found, name), getattr(event, name)
        assert one == other or (math.isnan(one) and math.isnan(other))
    assert found.validation_metric is None


CONFIGS = [
    *(example.config for example in presets()),
    replace(PLAYGROUND, interventions=tuple(Intervention(at, value=0.001 * (at + 1) / 3) for at in range(1000))),
    RunConfig(dataset="iris", loss_parameters={"weight": (0.1, 1 / 3, 2.0)}, learning_rate=0.1 + 0.2),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.dataset)
def test_settings_come_back_as_they_were(config):
    assert read_config(config_json(config)) == config
    assert read_config("\ufeff" + config_json(config)) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is no JSON: line 1, column 1"),
        ('{"dataset": "iris",\n "epochs": }', "the file is no JSON: line 2, column 12"),
        ("\x00\x01binary", "the file is no JSON"),
        ("[1, 2]", "the config is [1, 2]; an object with named fields is allowed"),
        ('"iris"', "the config is 'iris'; an object"),
        ('{"epoch": 3}', "unknown field 'epoch'; allowed: dataset,"),
        ('{"epochs": 0}', "epochs is 0; a whole number from 1 to 10000"),
        ('{"learning_rate": NaN}', "learning_rate is nan; a number above 0"),
        ('{"learning_rate": 1e999}', "learning_rate is inf; a number above 0"),
        ('{"dataset": "iris", "loss": "mse"}', "loss is 'mse'; allowed with multiclass data"),
        ('{"interventions": [{"update": 1}]}', "exactly update, kind and value are allowed"),
        ("[" * 100_000, "nested too deeply"),
        ('{"seed": ' + "9" * 5000 + "}", "a number with thousands of digits"),
        (" " * 1_000_001, "the file has 1,000,001 characters"),
    ],
)
def test_what_describes_no_run_is_refused_with_the_reason(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_config(text)


@pytest.mark.parametrize("case", ["all at once", "without validation", "activation gelu", "early stopping"])
def test_the_weights_load_into_the_programs_model(case):
    config = replace(BASE, **{"samples": 60, **CASES[case]})
    state, _ = trained(config)
    names = execute(run_script(replace(config, epochs=1, patience=None, best_weights=False)))[1]
    loaded = torch.load(io.BytesIO(state_dict_bytes(state)), weights_only=True)
    names["model"].load_state_dict(loaded)
    assert loaded.keys() == state_dict(state).keys()
    for name, tensor in state_dict(state).items():
        assert torch.equal(loaded[name], tensor)
    loss, metric = names["measure"](names["x_train"], names["y_train"])
    assert loss == pytest.approx(measure(state).train_loss, rel=1e-12)
    assert metric == pytest.approx(measure(state).train_metric, rel=1e-12)


def test_a_file_of_numbers_is_plain_json():
    given = json.loads(config_json(CLASSIC))
    assert given == CLASSIC.to_dict()
