"""The Keras program takes the run's steps on full batches, and comes near it with smaller ones."""

import contextlib
import io
import warnings
from dataclasses import replace

import numpy as np
import pytest

from lossviz import losses
from lossviz.export import keras_script
from lossviz.models import ACTIVATIONS, INITIALISATIONS
from lossviz.optimizers import SCHEDULES
from lossviz.training import CLASSIC, Intervention, RunConfig, losses_for, preset
from tests.export.test_run_script import every_loss, trained

FULL = RunConfig(
    dataset="moons", samples=60, hidden=(5, 4), dtype="float64", learning_rate=0.1, batch_size=None, epochs=7, seed=3
)
CHANGES = (Intervention(2, value=0.05), Intervention(4, value=0.3))
CASES = {
    **{key: {"optimizer": key} for key in ("sgd", "momentum", "nesterov", "adagrad")},
    **{key: {"optimizer": key, "learning_rate": 0.003} for key in ("rmsprop", "adam", "adamw")},
    **{f"activation {key}": {"activation": key} for key in ACTIVATIONS},
    **{f"first weights {key}": {"initialisation": key} for key in INITIALISATIONS},
    **{key: {"schedule": key, "every": 2, "low": 0.1, "learning_rate": 3.0} for key in SCHEDULES},
    **{f"changes with {key}": {"schedule": key, "every": 2, "interventions": CHANGES} for key in SCHEDULES},
    "changes at every update": {"interventions": tuple(Intervention(at, value=0.01 + at / 7) for at in range(7))},
    "clip by norm": {"clip": "norm", "clip_at": 0.05},
    "clip by value": {"clip": "value", "clip_at": 0.02},
    "without validation": {"validation_fraction": 0.0},
    "float32": {"dtype": "float32"},
    "softmax twice": {"dataset": "iris", "noise": 0.0, "wiring": "softmax_twice"},
    "sigmoid twice": {"wiring": "sigmoid_twice"},
    **{
        f"labels of {loss}": {"loss": loss, "wiring": "labels_zero_one"}
        for loss in ("hinge", "squared_hinge", "soft_margin", "exponential")
    },
}


def fit(config, names=None):
    """What Keras kept of each epoch, and the weights of the dense layers; the program's names come into `names`."""
    import keras

    names = {} if names is None else names
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras on torch uses what NumPy 2 deprecates
            exec(compile(keras_script(config), "run_keras.py", "exec"), names)
    finally:
        keras.config.set_floatx("float32")
    dense = [layer for layer in names["model"].layers if isinstance(layer, keras.layers.Dense)]
    return names["history"].history, [layer.kernel.value.detach().numpy() for layer in dense]


def assert_same_curves(config, rel=1e-4, metrics=True):
    history, _ = fit(config)
    events = trained(config)[1]
    assert len(history["loss"]) == len(events)
    for number, event in enumerate(events):
        assert history["loss"][number] == pytest.approx(event.batch_loss, rel=rel, abs=1e-6)
        if event.validation_loss is not None:
            assert history["val_loss"][number] == pytest.approx(event.validation_loss, rel=rel, abs=1e-6)
            if metrics:
                name = f"val_{config.metric}"
                assert history[name][number] == pytest.approx(event.validation_metric, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_full_batches_take_the_same_steps(case):
    assert_same_curves(replace(FULL, **{"loss": None, "loss_parameters": (), **CASES[case]}))


@pytest.mark.parametrize(("data", "loss", "parameters"), list(every_loss()))
def test_every_loss(data, loss, parameters):
    config = RunConfig(
        dataset=data, loss=loss, loss_parameters=parameters, samples=61, batch_size=None, epochs=3, hidden=(4,)
    )
    assert_same_curves(config, rel=5e-4)


def test_every_loss_has_keras_code():
    for task in ("regression", "binary", "multiclass"):
        assert all(losses.get(key).code.keras for key in losses_for(task))


def test_penalties_are_part_of_keras_losses():
    config = replace(FULL, l1=0.003, l2=0.02)
    history, weights = fit(config)
    event = trained(config)[1][-1]
    penalty = sum(0.003 * abs(weight).sum() + 0.02 * (weight**2).sum() for weight in weights)
    assert history["val_loss"][-1] - penalty == pytest.approx(event.validation_loss, rel=1e-4)


def test_early_stopping_ends_at_the_same_epoch_with_the_best_weights():
    config = replace(FULL, dataset="sine", loss=None, noise=0.4, samples=30, hidden=(16,), optimizer="adam", epochs=60,
                     learning_rate=0.05, patience=5, best_weights=True, loss_parameters=())  # fmt: skip
    history, kernels = fit(config)
    state, events = trained(config)
    assert len(history["loss"]) == len(events) < 60
    for kernel, weight in zip(kernels, state.network.weights, strict=True):
        np.testing.assert_allclose(kernel.T, weight.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "config",
    [
        replace(preset("iris").config, epochs=30),
        replace(FULL, batch_size=8, dtype="float32", epochs=20, learning_rate=0.5),
        replace(FULL, batch_size=8, dropout=0.1, batch_norm=True, epochs=20, learning_rate=0.5),
        RunConfig(dataset="digits", hidden=(32,), epochs=4, learning_rate=0.2, batch_size=32),
    ],
    ids=lambda config: config.dataset,
)
def test_smaller_batches_come_near(config):
    history, _ = fit(config)
    last = trained(config)[1][-1]
    assert history["loss"][-1] == pytest.approx(last.batch_loss, rel=0.4)
    assert history["val_accuracy"][-1] == pytest.approx(last.validation_metric, abs=0.1)


def test_the_classic_example():
    assert_same_curves(replace(CLASSIC, epochs=40), rel=1e-5)
