"""The programs of runs on texts: PyTorch's takes the same steps, Keras's begins alike and comes near."""

import ast
import json
from dataclasses import replace

import pytest
import torch

from lossviz.datasets import reviews
from lossviz.export import keras_script, run_notebook, run_report, run_script, state_dict
from lossviz.export.run_report import settings_rows
from lossviz.training import Intervention, RunConfig, init, measure, predict
from tests.export.test_run_keras import fit
from tests.export.test_run_script import assert_same_curves, execute, trained

BASE = RunConfig(
    dataset="reviews", samples=60, hidden=(3,), embedding=2, dtype="float64", learning_rate=0.3, batch_size=8, epochs=3
)
CASES = {
    "lstm": {},
    "rnn": {"model": "rnn"},
    "float32": {"dtype": "float32"},
    "first weights xavier": {"initialisation": "xavier"},
    "first weights he": {"initialisation": "he", "model": "rnn"},
    "first weights large": {"initialisation": "large"},
    "first weights zeros": {"initialisation": "zeros"},
    "penalties, clipping and changes": {
        "l1": 0.01,
        "l2": 0.02,
        "clip": "norm",
        "clip_at": 0.1,
        "optimizer": "adamw",
        "learning_rate": 0.01,
        "schedule": "cosine",
        "interventions": (Intervention(5, value=0.05),),
    },
    "labels -1 and +1": {"loss": "hinge", "loss_parameters": ()},
    "sigmoid twice": {"wiring": "sigmoid_twice"},
    "a probability": {"loss": "bce", "loss_parameters": ()},
    "best weights": {"best_weights": True, "patience": 2, "epochs": 12, "learning_rate": 3.0, "noise": 0.3},
    "without validation, full batch": {"validation_fraction": 0.0, "batch_size": None},
}


@pytest.mark.parametrize("case", CASES)
def test_pytorch_takes_the_same_steps(case):
    config = replace(BASE, **CASES[case])
    state, events = trained(config)
    text, names = execute(run_script(config))
    assert_same_curves(text, config, events)
    assert ("# Stopped early." in text) == ("Stopped early" in state.reason)
    model, tolerance = names["model"], 1e-9 if config.dtype == "float64" else 1e-4
    found = state_dict(state)
    for name, tensor in found.items():
        torch.testing.assert_close(model.state_dict()[name], tensor, rtol=tolerance, atol=tolerance)
    assert not model.load_state_dict(found).missing_keys
    if config.dtype == "float64":
        raw = model(names["x_train"])[:, 0].detach()
        shown = predict(state, state.split.x_train)
        # These losses show a probability where the labels are 0 and 1, else the score.
        expected = raw.numpy() if config.loss == "hinge" else torch.sigmoid(raw).numpy()
        assert shown == pytest.approx(expected, rel=1e-9)


def test_only_what_the_run_needs_stands_in_the_program():
    program = run_script(replace(BASE, validation_fraction=0.0, batch_size=None))
    for word in ("standard deviation", "Dropout", "eval()", "shuffle", "validation", "penalty", "_P_", "dict["):
        assert word not in program, word
    tree = ast.parse(program)
    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not any(name.startswith("_") and name != "__init__" for name in functions)


def numbers(variable):
    return variable.value.detach().numpy()


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_keras_begins_alike_and_makes_the_same_of_the_same_weights(model):
    config = replace(BASE, model=model, dtype="float32", optimizer="adam", learning_rate=0.01, epochs=2, l2=1e-5)
    names = {}
    history, _ = fit(config, names)
    events = trained(config)[1]
    assert history["loss"][0] == pytest.approx(events[0].batch_loss, abs=0.3)
    assert len(history["val_loss"]) == 2
    ours = init(config)
    network = ours.network.split(ours.network.parameters)
    bias = network["recurrent.bias_ih_l0"] + network["recurrent.bias_hh_l0"]
    given = [
        network["embedding.weight"],
        network["recurrent.weight_ih_l0"].t(),
        network["recurrent.weight_hh_l0"].t(),
        *(bias, network["output.weight"].t(), network["output.bias"]),
    ]
    for variable, value in zip(names["model"].trainable_variables, given, strict=True):
        variable.assign(value.contiguous())
    # Gates, masks and padding agree: each text gives what it gives here.
    raw = names["model"](torch.from_numpy(names["x_validation"])).detach()[:, 0]
    assert torch.sigmoid(raw).numpy() == pytest.approx(predict(ours, ours.split.x_validation), abs=1e-6)


@pytest.mark.parametrize("how", ["he", "large"])
def test_keras_draws_first_weights_as_we_do(how):
    config = replace(BASE, initialisation=how, hidden=(32,), embedding=16, dtype="float32", learning_rate=1e-12)
    names = {}
    fit(replace(config, epochs=1, batch_size=None), names)
    network = init(config).network
    ours = network.split(network.parameters)
    found = names["model"].trainable_variables
    pairs = (
        (found[0], ours["embedding.weight"]),
        (found[1], ours["recurrent.weight_ih_l0"]),
        (found[2], ours["recurrent.weight_hh_l0"]),
        (found[4], ours["output.weight"]),
    )
    for theirs, own in pairs:
        assert numbers(theirs).std() == pytest.approx(float(own.std(correction=0)), rel=0.3), own.shape


def test_notebook_and_report_say_what_was_trained():
    state, events = trained(BASE)
    cells = json.loads(run_notebook(BASE))["cells"]
    assert any("nn.LSTM(2, 3, batch_first=True)" in "".join(cell["source"]) for cell in cells)
    rows = dict(settings_rows(BASE))
    assert rows["Model"] == "LSTM with 3 units on words of 2 numbers"
    assert rows["Reviews"] == "30 to train on, 30 for validation"
    assert not {"Units", "Features", "Activation", "Points"} & set(rows)
    page = run_report(BASE, events)
    assert "LSTM with 3 units" in page
    assert "synthetic" in run_script(BASE)
    assert repr(measure(state).train_loss) in page
    assert "two biases" in keras_script(BASE)
    assert len(reviews.vocabulary()) == 51
    assert "Embedding(\n        51, 2, mask_zero=True," in keras_script(BASE)
