"""Runs with exactly one fault get its name and a cure that helps; healthy runs get no false alarm."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    Intervention,
    RunConfig,
    advance,
    dataset,
    diagnose,
    examine,
    init,
    neighbours,
    preset,
    run,
    snapshot,
)

FAULTS = {
    "unscaled inputs": [
        preset("unscaled").config,
        RunConfig(dataset="wine", hidden=(8,), standardise=False, batch_size=16, epochs=60, validation_fraction=0.3),
    ],
    "dead units": [
        preset("dead_units").config,
        RunConfig(dataset="circle", hidden=(8, 8), activation="relu", learning_rate=3.0, epochs=80, seed=1),
    ],
    "vanishing gradients": [
        preset("vanishing").config,
        RunConfig(dataset="moons", hidden=(6,) * 5, activation="sigmoid", epochs=60),
    ],
    "exploding gradients": [
        preset("exploding").config,
        RunConfig(
            dataset="spiral", hidden=(16,) * 4, activation="identity", initialisation="large", learning_rate=0.001,
            epochs=50,
        ),
    ],
    "unsuitable loss": [preset("squared_after_sigmoid").config],
    "softmax twice": [
        preset("softmax_twice").config,
        RunConfig(dataset="iris", hidden=(8,), wiring="softmax_twice", epochs=60),
    ],
    "sigmoid twice": [
        preset("sigmoid_twice").config,
        RunConfig(dataset="breast_cancer", hidden=(), wiring="sigmoid_twice", batch_size=32, epochs=60),
    ],
    "labels 0 and 1": [
        preset("labels_zero_one").config,
        RunConfig(dataset="breast_cancer", hidden=(), loss="exponential", wiring="labels_zero_one", epochs=40),
        RunConfig(dataset="circle", hidden=(8,), loss="soft_margin", wiring="labels_zero_one", epochs=40),
    ],
    "oscillating": [
        preset("oscillating").config,
        replace(preset("outliers_mse").config, loss="mae", loss_parameters=(), learning_rate=0.5),
    ],
    "too slow": [
        preset("too_slow").config,
        RunConfig(dataset="circle", hidden=(8,), learning_rate=0.0003, epochs=200),
        RunConfig(dataset="iris", hidden=(), learning_rate=0.0003, epochs=100),
    ],
    "plateau": [RunConfig(dataset="circle", hidden=(8, 8), activation="sigmoid", epochs=60)],
    "underfitting": [
        preset("xor_linear").config,
        RunConfig(dataset="spiral", hidden=(), learning_rate=0.1, epochs=100),
        RunConfig(dataset="sine", hidden=(), learning_rate=0.02, epochs=200),
    ],
    "small validation part": [preset("small_validation").config],
    "diverging": [preset("classic_diverging").config],
    "not finite": [replace(CLASSIC, learning_rate=1.0)],
    "validation rising": [preset("overfitting").config],
}  # fmt: skip
HEALTHY = {
    **{
        key: preset(key).config
        for key in ("diabetes", "classic", "outliers_mse", "outliers_huber", "breast_cancer", "playground")
    },
    **{key: preset(key).config for key in ("exam", "iris", "blobs", "wine", "digits", "spiral", "early_stopping")},
    "moons": RunConfig(dataset="moons", hidden=(8,), optimizer="adam", learning_rate=0.01, epochs=200),
    "sine": RunConfig(dataset="sine", hidden=(16,), learning_rate=0.1, epochs=300),
    "deep": RunConfig(dataset="moons", hidden=(8, 8, 8, 8), optimizer="adam", learning_rate=0.01, epochs=60),
    "relu": RunConfig(dataset="circle", hidden=(16, 16), activation="relu", optimizer="adam", learning_rate=0.003),
    "normalised": RunConfig(dataset="circle", hidden=(16,), batch_norm=True, optimizer="adam", learning_rate=0.01),
    "dropout": RunConfig(dataset="circle", hidden=(32,), dropout=0.2, optimizer="adam", learning_rate=0.01, epochs=100),
    "circle in 40 epochs": RunConfig(dataset="circle", hidden=(8,), epochs=40),
    "circle, two layers": RunConfig(dataset="circle", hidden=(8, 8), batch_size=16, epochs=40),
    "exclusive or, late": RunConfig(dataset="xor", hidden=(8, 8), learning_rate=0.01, batch_size=16, epochs=150),
    "exclusive or": RunConfig(dataset="xor", hidden=(8,), batch_size=16, epochs=40),
    "moons, small steps": RunConfig(dataset="moons", hidden=(8, 8), learning_rate=0.01, batch_size=16, epochs=150),
    "cosine": RunConfig(dataset="circle", hidden=(8,), schedule="cosine", learning_rate=0.3, epochs=100),
}
CASES = [(kind, number) for kind, configs in FAULTS.items() for number in range(len(configs))]


def trained(config, looks=()):
    """The run at its end, its events, and what was seen after some epochs."""
    state, events, seen = init(config), [], []
    while not state.finished:
        events.append(advance(state, 10**6))
        if len(events) in looks:
            seen.append(examine(state, events).kind)
    return state, events, seen


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_a_fault_gets_its_name_and_a_cure_that_helps(kind, number):
    config = FAULTS[kind][number]
    state, events, _ = trained(config)
    found = examine(state, events)
    assert found.kind == kind
    assert any(character.isdigit() for character in found.sentence)
    assert found.experiment.startswith("Try ")
    assert found.experiment.endswith(".")
    cured = replace(config, **found.change)
    again, after, _ = trained(cured)
    assert examine(again, after).kind != kind
    # The metric compares runs with different losses; what a run forgot, validation tells.
    if kind not in {"small validation part", "oscillating"}:
        part = "validation_metric" if config.validation_samples else "train_metric"
        better, worse = (getattr(last, part) for last in (after[-1], events[-1]))
        assert worse is None or better > worse


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_runs_get_no_false_alarm(name):
    state, events, seen = trained(HEALTHY[name], looks=(1, 2, 5, 10, 20, 40, 80, 150, 250, 500))
    assert {*seen, examine(state, events).kind} <= {"still falling", "flat", "rising", "validation rising"} - (
        set() if name == "early_stopping" else {"validation rising"}
    )


def test_looking_changes_nothing():
    config = preset("too_slow").config
    state = init(config)
    events = [advance(state, 1) for _ in range(100)]
    before = snapshot(state)
    assert examine(state, events).kind == "too slow"
    for name, value in snapshot(state).items():
        assert np.array_equal(value, before[name]), name
    while not state.finished:
        events.append(advance(state, 1))
        if len(events) % 10 == 0:
            examine(state, events)
    assert events == list(run(config))


def test_the_trial_says_what_training_on_would_do():
    config = preset("too_slow").config
    state, events, _ = trained(config)
    sentence = examine(state, events).sentence
    longer = list(run(replace(config, epochs=config.epochs + 50)))
    faster = list(run(ten_times_from_its_end(config)))
    now, usual, ten = events[-1].train_loss, longer[-1].train_loss, faster[-1].train_loss
    assert f"by only {(now - usual) / now:.2%}" in sentence
    assert f"{(now - ten) / (now - usual):.1f} times as much" in " ".join(sentence.split())


def ten_times_from_its_end(config):
    """The same run with ten times the rate from its end on."""
    return replace(
        config,
        epochs=config.epochs + 50,
        interventions=(Intervention(config.epochs * config.updates_per_epoch, value=10 * config.learning_rate),),
    )


def test_a_large_run_is_looked_at_without_a_trial():
    config = RunConfig(
        dataset="circle", samples=5000, hidden=(64,) * 6, activation="gelu", learning_rate=1e-6, batch_size=None,
        epochs=12,
    )  # fmt: skip
    state, events, _ = trained(config)
    assert examine(state, events).kind in {"flat", "still falling"}


def test_neighbours_are_those_of_a_plain_search():
    config = RunConfig(dataset="iris")
    split = dataset(config)
    x = torch.tensor((split.x_train - split.mean) / split.spread)
    distance = torch.cdist(x, x)
    distance.fill_diagonal_(torch.inf)
    nearest = distance.topk(5, largest=False).indices.numpy()
    votes = np.array([np.bincount(split.y_train[row].astype(int), minlength=3).argmax() for row in nearest])
    assert neighbours(config) == pytest.approx((votes == split.y_train).mean())
    assert neighbours(RunConfig(dataset="sine", noise=0.0)) > 0.95
    assert neighbours(replace(CLASSIC, validation_fraction=0.0)) is None


def test_without_events_nothing_is_said():
    assert examine(init(PLAYGROUND), []) == diagnose([], PLAYGROUND)
