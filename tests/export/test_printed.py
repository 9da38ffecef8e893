"""What we say that Keras prints is what Keras prints: a real fit on the same data, weights and order of the samples."""

import contextlib
import io
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from lossviz.export import keras_script
from lossviz.training import Intervention, RunConfig, advance, init, measure, preset, restore, snapshot
from lossviz.training.printed import keras_line, loss_in_training_mode, printed, why

PLAIN = RunConfig(
    dataset="moons", samples=74, hidden=(5, 4), learning_rate=0.2, batch_size=8, epochs=3, validation_fraction=0.3
)
CASES = {
    "plain": PLAIN,
    "float64": replace(PLAIN, dtype="float64"),
    "penalties": replace(PLAIN, l1=0.003, l2=0.02),
    "batch statistics": replace(PLAIN, batch_norm=True, validation_fraction=0.25),
    "regression": RunConfig(dataset="sine", samples=50, hidden=(6,), epochs=3, batch_size=8),
    "scores": replace(PLAIN, loss="hinge", loss_parameters=()),
    "probabilities": replace(PLAIN, loss="brier", loss_parameters=()),
    "between -1 and 1": replace(PLAIN, loss="mse", loss_parameters=()),
    "several classes": RunConfig(dataset="iris", hidden=(6,), epochs=3, batch_size=16, learning_rate=0.1),
    "one-hot": RunConfig(dataset="iris", hidden=(6,), epochs=3, batch_size=16, learning_rate=0.1, loss="kl_div"),
    "one batch": replace(PLAIN, batch_size=None),
    "no validation": replace(PLAIN, validation_fraction=0.0),
}


def fitted(config, orders):
    """Keras with the model of this run, one `fit` an epoch, its samples in the order of ours: history and print."""
    import keras

    names, told = {}, []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras on torch uses what NumPy 2 deprecates
            exec(compile(keras_script(config).split("history = ")[0], "until_fit.py", "exec"), names)
            column = (slice(None),) if config.fit.labels == "one_hot" else (slice(None), None)
            held_out = {}
            if config.validation_samples:
                held_out["validation_data"] = (names["x_validation"], names["y_validation"][column])
            for order in orders:
                said = io.StringIO()
                x, y = names["x_train"][order], names["y_train"][column][order]
                with contextlib.redirect_stdout(said):
                    fit = names["model"].fit(x, y, batch_size=config.batch_rows, shuffle=False, verbose=2, **held_out)
                told.append(({name: values[0] for name, values in fit.history.items()}, said.getvalue()))
    finally:
        keras.config.set_floatx("float32")
    return told


def epochs(config):
    """Each epoch of our run as we say that Keras prints it, and the order of its samples."""
    state, found = init(config), []
    while not state.finished:
        event = advance(state, 10**6)
        found.append((printed(state, event), state.order.numpy().copy()))
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_real_fit_prints_these_numbers(case):
    config = CASES[case]
    ours = epochs(config)
    for (found, _), (history, said) in zip(ours, fitted(config, [order for _, order in ours]), strict=True):
        # Keras keeps probabilities away from 0 in its divergence, and divides by another root in its normalisation.
        near = {"rel": 1e-6, "abs": {"one-hot": 5e-6, "batch statistics": 1e-4}.get(case, 1e-6)}
        assert found.loss == pytest.approx(history["loss"], **near)
        assert found.metric == pytest.approx(history[config.metric], rel=1e-5)
        # Keras's running variance is another one, so evaluation differs with batch normalisation.
        if config.validation_samples and case != "batch statistics":
            assert found.validation_loss == pytest.approx(history["val_loss"], **near)
            assert found.validation_metric == pytest.approx(history[f"val_{config.metric}"], rel=1e-5, abs=1e-5)
        names = re.findall(r"- (\w+): ", said)
        assert names == re.findall(r"(?:- |/\d+ - )(\w+): ", keras_line(found, config))
        batches = said.splitlines()[-1].split(" - ")[0].strip()
        assert keras_line(found, config).splitlines()[1].split(" - ")[0] == batches


def test_the_line_has_keras_digits():
    config = replace(PLAIN, epochs=10)
    found = replace(epochs(PLAIN)[0][0], loss=1234.56789, metric=None, validation_loss=0.00012345)
    assert "loss: 1234.5679 - val_accuracy: " in keras_line(found, config)
    assert keras_line(found, config).endswith("val_loss: 1.2345e-04")
    assert keras_line(found, config).startswith("Epoch 1/10\n")


def test_evaluation_includes_the_penalties_of_the_weights_after_the_epoch():
    config = replace(PLAIN, l1=0.003, l2=0.02)
    state = init(config)
    event = advance(state, 10**6)
    found = printed(state, event)
    weights = [weight.double() for weight in state.network.weights]
    penalty = sum(float(0.003 * weight.abs().sum() + 0.02 * weight.square().sum()) for weight in weights)
    assert found.evaluated_penalty == pytest.approx(penalty, rel=1e-6)
    assert found.evaluated_loss == pytest.approx(measure(state).train_loss + penalty, rel=1e-6)
    assert found.validation_loss == pytest.approx(measure(state).validation_loss + penalty, rel=1e-6)
    assert found.loss == pytest.approx(event.batch_loss + found.penalty)
    assert f"{found.penalty:.4g} on average over the epoch, {penalty:.4g} after it" in why(state)


def test_a_run_that_was_put_aside_in_the_middle_of_an_epoch_says_the_same():
    config = replace(PLAIN, l2=0.02)
    state = init(config)
    advance(state, 3)
    again = restore(config, snapshot(state))
    first, second = (printed(run, advance(run, 10**6)) for run in (state, again))
    assert first == second
    assert first.penalty > 0.0


def test_points_that_change_after_an_epoch_do_not_change_what_it_printed():
    moved = Intervention(2 * PLAIN.updates_per_epoch, "move", (0, 9.0, 9.0, 1))
    still, later = epochs(PLAIN), epochs(replace(PLAIN, interventions=(moved,)))
    assert [found.metric for found, _ in still[:2]] == [found.metric for found, _ in later[:2]]
    assert still[2][0] != later[2][0]


def test_only_the_epoch_that_has_just_ended_can_be_told():
    state = init(PLAIN)
    event = advance(state, 10**6)
    advance(state, 1)
    with pytest.raises(ValueError, match="event is of epoch 1; the epoch that has just ended, 1"):
        printed(state, event)


def test_the_loss_in_training_mode_is_that_of_a_plain_loop_with_dropout():
    """With the masks that the run would draw next, by the run itself on a copy with the learning rate 0."""
    config = replace(preset("playground").config, dropout=0.4, epochs=50)
    state = init(config)
    for _ in range(3):
        advance(state, 10**6)
    before = snapshot(state)
    on = loss_in_training_mode(state)
    assert all(np.array_equal(value, before[name]) for name, value in snapshot(state).items())
    assert on != pytest.approx(measure(state).train_loss, rel=1e-3)
    losses = []
    for seed in range(40):
        state.masks.manual_seed(seed)
        losses.append(loss_in_training_mode(state))
    # By hand: the forward pass with masks of nn.Dropout.
    network, x, y = state.network, state.training.x[:, :-1], state.training.target
    generator, plain = torch.Generator().manual_seed(1), []
    for _ in range(40):
        units = x
        for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            units = units @ weight.T + bias
            if layer < 2:
                mask = torch.empty_like(units).bernoulli_(0.6, generator=generator)
                units = torch.tanh(units) * mask / 0.6
        plain.append(float((torch.tanh(units[:, 0]) - y).square().mean()))
    assert np.mean(losses) == pytest.approx(np.mean(plain), rel=0.02)


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        ({}, ["mean over the epoch's 7 batches"], ["dropout", "penalties", "statistics"]),
        ({"batch_size": None}, ["what evaluate() gave after the epoch before"], ["mean over", "dropout"]),
        ({"dropout": 0.3}, ["leaves out 30% of the hidden units", "with dropout and"], ["statistics", "penalties"]),
        ({"dropout": 0.3, "batch_size": None}, ["before the update.", "with dropout and"], ["the epoch before"]),
        ({"dropout": 0.3, "hidden": ()}, ["7 batches"], ["dropout", "leaves out"]),
        ({"batch_norm": True, "batch_size": 13}, ["with batch statistics and", "running means"], ["dropout"]),
        ({"l1": 0.1}, ["Keras adds the penalties"], ["dropout"]),
    ],
)  # fmt: skip
def test_the_reasons_are_those_of_the_run(changes, there, absent):
    state = init(replace(PLAIN, **changes))
    advance(state, 10**6)
    text = why(state)
    assert all(part in text for part in there), text
    assert not any(part in text for part in absent), text
