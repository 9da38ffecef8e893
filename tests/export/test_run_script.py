"""The PyTorch program of a run reproduces its curves to six digits; the data are the same bit for bit."""

import ast
import contextlib
import csv
import io
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from lossviz import datasets
from lossviz.export import curves_csv, run_script, state_dict
from lossviz.export.run_data import data_section
from lossviz.export.run_rounding import rounding_epoch, same
from lossviz.export.run_script import columns
from lossviz.models import ACTIVATIONS, INITIALISATIONS
from lossviz.optimizers import SCHEDULES
from lossviz.optimizers import keys as optimizer_keys
from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    Intervention,
    RunConfig,
    advance,
    dataset,
    init,
    losses_for,
    presets,
)
from tests.training.test_settings import BASE
from tests.training.test_settings import CASES as SETTINGS

CHANGES = (Intervention(11, value=0.05), Intervention(30, value=0.02))
CASES = {
    **SETTINGS,
    **{f"{case} in float32": {**SETTINGS[case], "dtype": "float32"} for case in ("all at once", "cosine")},
    **{key: {"optimizer": key} for key in optimizer_keys()},
    "settings of adamw": {"optimizer": "adamw", "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.3},
    "settings of nesterov": {"optimizer": "nesterov", "momentum": 0.7},
    "settings of rmsprop": {"optimizer": "rmsprop", "decay": 0.8},
    **{f"activation {key}": {"activation": key} for key in ACTIVATIONS},
    **{f"first weights {key}": {"initialisation": key} for key in INITIALISATIONS},
    "first weights he, batch normalisation": {"initialisation": "he", "batch_norm": True},
    **{f"changes with {key}": {"schedule": key, "every": 2, "interventions": CHANGES, "low": 0.1} for key in SCHEDULES},
    "changes at every update": {"interventions": tuple(Intervention(at, value=0.01 + at / 700) for at in range(45))},
    "a plateau that never drops": {"schedule": "plateau", "factor": 1.0},
    "plateau without validation": {"schedule": "plateau", "every": 1, "learning_rate": 2.0, "validation_fraction": 0.0},
    "full batch": {"batch_size": None, "interventions": CHANGES, "l1": 0.01},
    "single samples": {"batch_size": 1},
    "without validation": {"validation_fraction": 0.0},
    "fewer rows of real data": {"dataset": "breast_cancer", "samples": 90, "noise": 0.0, "data_seed": 3},
    "one point for validation": {"dataset": "sine", "loss": "mse", "samples": 20, "validation_fraction": 0.01},
    "steps that are too large": {"dataset": "sine", "loss": "mse", "hidden": (), "learning_rate": 60.0, "epochs": 300},
    "early stopping": {"patience": 3, "best_weights": True, "learning_rate": 3.0, "epochs": 60},
    "patience alone": {"patience": 2, "learning_rate": 3.0, "epochs": 60},
    "softmax twice": {"dataset": "blobs", "wiring": "softmax_twice"},
    "sigmoid twice": {"wiring": "sigmoid_twice", "loss": "bce_with_logits"},
    **{
        f"labels of {loss}": {"loss": loss, "wiring": "labels_zero_one"}
        for loss in ("hinge", "squared_hinge", "modified_huber", "perceptron", "exponential", "soft_margin")
    },
    "best weights alone": {"best_weights": True, "learning_rate": 3.0, "dropout": 0.2},
}


def execute(program):
    """The lines that a program prints, and its names, with torch left as it was."""
    names, printed = {"__name__": "__main__"}, io.StringIO()
    with torch.random.fork_rng(), contextlib.redirect_stdout(printed):
        try:
            exec(compile(program, "run.py", "exec"), names)
        finally:
            torch.set_default_dtype(torch.float32)
    return printed.getvalue(), names


def rows(text):
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def trained(config):
    state, events = init(config), []
    while not state.finished:
        events.append(advance(state, config.updates_per_epoch))
    return state, events


def assert_same_curves(text, config, events, until=None, agree=same):
    """The printed curves equal the events to six digits, up to an epoch."""
    printed = rows(text)
    assert list(printed[0]) == columns(config)
    assert until is not None or len(printed) == len(events)
    for row, event in zip(printed[:until], events[:until], strict=True):
        assert (int(row["epoch"]), int(row["updates"])) == (event.epoch, event.updates)
        assert float(row["learning_rate"]) == pytest.approx(event.learning_rate, rel=1e-9)
        for name in ("batch_loss", "train_loss", "validation_loss"):
            found = float(row[name]) if name in row else None
            assert agree(found, getattr(event, name)), (event.epoch, name)
        for part in ("train", "validation"):
            metric = getattr(event, f"{part}_metric")
            if metric is not None:
                assert float(row[f"{part}_{config.metric}"]) == pytest.approx(metric, rel=5e-6, abs=5e-7)


def six_significant_digits(found, expected):
    return found is expected is None or found == pytest.approx(expected, rel=5e-6, abs=0.0)


@pytest.mark.parametrize("example", presets(), ids=lambda example: example.key)
def test_every_preset_is_reproduced_to_six_digits(example):
    """All of its curves, from the first epoch to the last."""
    state, events = trained(example.config)
    text, names = execute(run_script(example.config))
    assert_same_curves(text, example.config, events, agree=six_significant_digits)
    for name, tensor in state_dict(state).items():
        torch.testing.assert_close(names["model"].state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_every_setting_is_reproduced(case):
    config = replace(BASE, **{"loss": None, "loss_parameters": (), **CASES[case]})
    state, events = trained(config)
    text, names = execute(run_script(config))
    assert_same_curves(text, config, events)
    assert ("# Stopped early." in text) == ("Stopped early" in state.reason)
    assert ("the steps were too large" in text) == ("too large" in state.reason)
    if state.restored:
        best = min(range(len(events)), key=lambda number: events[number].validation_loss) + 1
        assert f"# The weights of epoch {best} are back." in text
    tolerance = {"rtol": 1e-9, "atol": 1e-9} if config.dtype == "float64" else {"rtol": 1e-3, "atol": 1e-4}
    if "too large" not in state.reason:
        for name, tensor in state_dict(state).items():
            torch.testing.assert_close(names["model"].state_dict()[name], tensor, **tolerance)


def every_loss():
    for task, data in (("regression", "outliers"), ("binary", "moons"), ("multiclass", "blobs")):
        for loss in losses_for(task):
            yield data, loss, {}
    yield "moons", "bce_with_logits", {"pos_weight": 2.5}
    yield "moons", "asymmetric", {"gamma_pos": 0.0, "shift": 0.0}
    yield "outliers", "general_robust", {"welsch": True}
    for loss in ("cross_entropy", "nll", "multi_margin"):
        yield "blobs", loss, {"weight": (1.0, 4.0, 0.5)}
    yield "blobs", "cross_entropy", {"weight": (1.0, 4.0, 0.5), "label_smoothing": 0.1}


@pytest.mark.parametrize(("data", "loss", "parameters"), list(every_loss()))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_loss_is_reproduced(data, loss, parameters, dtype):
    config = RunConfig(
        dataset=data,
        loss=loss,
        loss_parameters=parameters,
        dtype=dtype,
        samples=61,
        batch_size=7,
        epochs=3,
        hidden=(4,),
    )
    events = trained(config)[1]
    assert_same_curves(execute(run_script(config))[0], config, events)


def test_the_program_stands_alone(tmp_path):
    """In a Python of its own, with nothing of the project in reach."""
    config = RunConfig(dataset="iris", epochs=4, dropout=0.2, batch_norm=True)
    program = tmp_path / "run.py"
    program.write_text(run_script(config), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert_same_curves(done.stdout, config, trained(config)[1])


@pytest.mark.parametrize("key", datasets.keys())
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"validation_fraction": 0.0, "standardise": False},
        {"samples": 50, "noise": 0.3, "data_seed": 7},
        {"validation_fraction": 0.25, "data_seed": 5, "stratify": True},
    ],
)
def test_the_data_are_the_same_bit_for_bit(key, fields):
    data = datasets.get(key)
    if "samples" in fields:
        fields = {**fields, "noise": data.noise_high / 2, "samples": min(50, data.samples_high)}
    if data.task == "regression":
        fields = {name: value for name, value in fields.items() if name != "stratify"}
    config = RunConfig(dataset=key, **fields)
    section, names = data_section(config), {}
    exec("\n".join(["import numpy as np", *section.imports, section.code]), names)
    split = dataset(config)
    for part in ("train", "validation") if config.validation_samples else ("train",):
        x, y = getattr(split, f"x_{part}"), getattr(split, f"y_{part}")
        assert np.array_equal(names[f"x_{part}"], (x - split.mean) / split.spread if config.standardise else x)
        assert np.array_equal(names[f"y_{part}"], y)


def test_only_what_the_run_needs_stands_in_the_program():
    program = run_script(CLASSIC)
    for word in ("Dropout", "scheduler", "eval()", "clip", "shuffle", "best", "validation", "penalty", "changes"):
        assert word not in program, word
    for config in (CLASSIC, PLAYGROUND, replace(BASE, **CASES["all at once"])):
        imported = [
            node for node in ast.walk(ast.parse(run_script(config))) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        names = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported]
        assert set(names) <= {"numpy", "torch", "torch.nn"}


def test_every_field_of_a_config_reaches_the_program():
    """A field that is new must be looked at here: a program without it would be another run."""
    known = {field.name for field in fields(RunConfig)}
    assert known == {
        *("dataset", "samples", "noise", "data_seed", "validation_fraction", "stratify", "standardise"),
        *("model", "hidden", "embedding", "activation", "initialisation", "dtype", "loss", "loss_parameters"),
        "wiring",
        *("optimizer", "learning_rate", "momentum", "decay", "beta1", "beta2", "weight_decay"),
        *("schedule", "every", "factor", "low", "clip", "clip_at", "l1", "l2", "dropout", "batch_norm"),
        *("patience", "best_weights", "batch_size", "epochs", "seed", "interventions", "own"),
    }


def test_the_program_prints_the_lines_of_the_csv_file():
    config = replace(CLASSIC, epochs=5, dtype="float64")
    text = execute(run_script(config))[0]
    assert text.splitlines()[0] == curves_csv(config, trained(config)[1]).splitlines()[0]


def test_runs_that_magnify_rounding_are_known():
    restless = replace(PLAYGROUND, optimizer="adam", activation="relu", hidden=(16, 16), learning_rate=0.05, epochs=100)
    calm = replace(PLAYGROUND, epochs=100)
    assert rounding_epoch(calm, trained(calm)[1]) is None
    epochs = [rounding_epoch(config, trained(config)[1]) for config in (restless, replace(restless, dtype="float64"))]
    assert epochs[0] is not None
    assert epochs[1] is None or epochs[1] > epochs[0]
