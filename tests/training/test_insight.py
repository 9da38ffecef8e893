"""What goes on inside a run, compared with autograd and with loops that write everything out."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lossviz import datasets
from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    RunConfig,
    UpdateWatch,
    activations,
    advance,
    gradient_shares,
    hardest,
    init,
    layer_names,
    losses_for,
    measure,
    predict,
    restore,
    run,
    sample_gradient_norms,
    sample_losses,
    snapshot,
)

DOUBLE = {"dtype": "float64"}


def trained(config: RunConfig, updates: int = 12):
    state = init(config)
    while state.updates < updates:
        advance(state, updates - state.updates)
    return state


def forward(state, parameters, x):
    """The network written with torch's own functions; returns the outputs of every hidden layer, and the raw ones."""
    hidden = []
    for index, block in enumerate(state.network.split(parameters)):
        z = x[:, :-1] @ block[:, :-1].T + block[:, -1]
        if index == len(state.network.blocks) - 1:
            return hidden, z
        a = state.network.activation.function(z)
        hidden.append(a)
        x = torch.cat([a, torch.ones(len(a), 1, dtype=a.dtype)], 1)
    raise AssertionError


def loss_of(state, parameters, x, target):
    prediction = state.link.function(forward(state, parameters, x)[1])
    inputs = {"prediction": prediction if prediction.shape[1] > 1 else prediction[:, 0], "target": target}
    return state.loss.terms(inputs, state.loss_parameters).sum()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adamw", "hidden": (5,), "activation": "relu"},
        {"optimizer": "momentum", "l2": 0.01, "l1": 0.001},
        {"optimizer": "nesterov", "clip": "norm", "clip_at": 0.05},
        {"optimizer": "rmsprop", "clip": "value", "clip_at": 0.01},
        {"dataset": "iris", "optimizer": "adagrad", "hidden": ()},
    ],
)
@pytest.mark.parametrize("updates", [1, 17, 24, 25])
def test_the_latest_update_is_what_autograd_and_the_parameters_say(changes, updates):
    config = RunConfig(**{**DOUBLE, "epochs": 50, "batch_size": 10, **changes})
    watch = UpdateWatch(init(config))
    while watch.state.updates < updates:
        watch.advance(updates - watch.state.updates)
    twin = trained(config, updates - 1)
    before = twin.network.parameters.clone().requires_grad_()
    if twin.position == 0:
        twin.shuffle()
    rows = twin.batches[twin.position]
    penalty = config.l1 * (before * twin.network.weight_mask).abs().sum()
    penalty = penalty + config.l2 * (before * twin.network.weight_mask).square().sum()
    loss = loss_of(twin, before, rows.x.clone(), rows.target.clone()) / twin.denominators[twin.position] + penalty
    gradient = torch.autograd.grad(loss, before)[0]
    if config.clip == "value":
        gradient = gradient.clamp(-config.clip_at, config.clip_at)
    elif config.clip == "norm":
        held = torch.nn.Parameter(before.detach().clone())
        held.grad = gradient
        torch.nn.utils.clip_grad_norm_([held], config.clip_at)
        gradient = held.grad
    moved = watch.state.network.parameters - before.detach()
    blocks = (twin.network.split(each) for each in (gradient, moved, before.detach()))
    found = watch.layers()
    assert [layer.name for layer in found] == list(layer_names(config))
    for layer, slope, change, start in zip(found, *blocks, strict=True):
        assert layer.weights == pytest.approx(float(slope[:, :-1].norm()), rel=1e-10)
        assert layer.biases == pytest.approx(float(slope[:, -1].norm()), rel=1e-10)
        assert layer.gradient == pytest.approx(float(slope.norm()), rel=1e-10)
        assert layer.ratio == pytest.approx(float(change.norm() / start.norm()), rel=1e-10)


@pytest.mark.parametrize("config", [PLAYGROUND, CLASSIC, RunConfig(dropout=0.3, batch_norm=True, patience=3)])
def test_a_watched_run_is_the_run(config):
    config = replace(config, epochs=12)
    watch = UpdateWatch(init(config))
    events = []
    while not watch.state.finished:
        event = watch.advance(7)
        events += [event] if event else []
    assert events == list(run(config))
    assert watch.advance(1) is None


def test_an_update_that_nobody_saw_has_no_numbers():
    state = trained(PLAYGROUND)
    assert UpdateWatch(state).layers() is None
    again = UpdateWatch(restore(state.config, snapshot(state)))
    assert again.layers() is None
    again.advance(1)
    assert again.layers() is not None
    assert UpdateWatch(init(PLAYGROUND)).layers() is None


def test_steps_from_zero_and_to_the_best_weights_have_no_ratio():
    watch = UpdateWatch(init(RunConfig(initialisation="zeros")))
    watch.advance(1)
    assert [layer.ratio for layer in watch.layers()] == [None, None, None]
    config = RunConfig(dataset="iris", learning_rate=3.0, epochs=30, best_weights=True, patience=1)
    watch = UpdateWatch(init(config))
    while not watch.state.finished:
        watch.advance(100)
    assert watch.state.restored
    assert {layer.ratio for layer in watch.layers()} == {None}
    with pytest.raises(ValueError, match="updates is 0"):
        watch.advance(0)


@pytest.mark.parametrize("key", ["tanh", "sigmoid", "relu", "leaky_relu", "gelu", "identity"])
def test_activations_are_counted(key):
    state = trained(RunConfig(activation=key, hidden=(6, 3), **DOUBLE))
    expected, _ = forward(state, state.network.parameters, state.training.x)
    found = activations(state, 10)
    assert [layer.units for layer in found] == [6, 3]
    for layer, values in zip(found, expected, strict=True):
        numbers = values.numpy()
        edges = np.linspace(layer.low, layer.high, 11)
        np.testing.assert_array_equal(layer.counts, np.histogram(numbers, edges)[0])
        assert layer.counts.sum() == numbers.size
        assert layer.not_finite == 0
        if key == "relu":
            assert layer.dead == sum((numbers == 0).all(axis=0))
        else:
            assert layer.dead is None
        if key in {"tanh", "sigmoid"}:
            near = 0.01 * (layer.high - layer.low)
            outside = (numbers <= layer.low + near) | (numbers >= layer.high - near)
            assert layer.saturated == pytest.approx(outside.mean())
        else:
            assert math.log2(layer.high).is_integer()
            assert layer.high / 2 < np.abs(numbers).max() <= layer.high
            assert layer.saturated is None


def test_dead_units_and_linear_models_and_overflow():
    state = init(RunConfig(activation="relu", hidden=(4,)))
    state.network.biases[0][:3] = -1e6
    assert activations(state)[0].dead == 3
    assert activations(init(CLASSIC)) == []
    state.network.weights[0].fill_(math.inf)
    layer = activations(state)[0]
    assert layer.not_finite > 0
    assert layer.not_finite + layer.counts.sum() == 4 * len(state.training)
    with pytest.raises(ValueError, match="bins is 1"):
        activations(state, 1)


def test_evaluation_mode_is_what_predictions_use():
    state = trained(RunConfig(dropout=0.5, batch_norm=True, **DOUBLE))
    first = sample_losses(state)
    assert first.mean() == pytest.approx(measure(state).train_loss, rel=1e-12)
    np.testing.assert_array_equal(first, sample_losses(state))


@pytest.mark.parametrize("key", ["circle", "diabetes", "iris", "sine"])
def test_the_mean_of_the_sample_losses_is_the_training_loss(key):
    for loss in losses_for(datasets.get(key).task):
        state = trained(RunConfig(dataset=key, loss=loss, learning_rate=1e-4, **DOUBLE), 5)
        assert sample_losses(state).mean() == pytest.approx(measure(state).train_loss, rel=1e-9)


def test_class_weights_belong_to_the_sample_losses():
    config = RunConfig(dataset="iris", loss_parameters={"weight": (1.0, 2.0, 5.0)}, **DOUBLE)
    state = trained(config)
    assert sample_losses(state).mean() == pytest.approx(measure(state).train_loss, rel=1e-12)
    norms = sample_gradient_norms(state)
    np.testing.assert_allclose(norms, by_autograd(state)[0], rtol=1e-9)


def test_the_hardest_samples():
    state = trained(RunConfig(dataset="iris", **DOUBLE))
    losses, split = sample_losses(state), state.split
    found = hardest(state, 5)
    assert [sample.loss for sample in found] == sorted(losses, reverse=True)[:5]
    for sample in found:
        row = sample.number - 1
        assert sample.loss == losses[row]
        assert sample.features == tuple(split.x_train[row])
        assert sample.target == split.y_train[row]
        np.testing.assert_allclose(sample.prediction, predict(state, split.x_train[row : row + 1])[0], rtol=1e-9)
    assert len(hardest(init(CLASSIC), 100)) == 4
    with pytest.raises(ValueError, match="count is 0"):
        hardest(state, 0)


def by_autograd(state):
    """Norms of the gradients of single samples in a loop, and their sum."""
    rows = state.training
    denominator = float(state.loss.denominator(rows.inputs, state.loss_parameters, "mean"))
    gradients = []
    for row in range(len(rows)):
        parameters = state.network.parameters.clone().requires_grad_()
        loss = loss_of(state, parameters, rows.x[row : row + 1].clone(), rows.target[row : row + 1].clone())
        gradients.append(torch.autograd.grad(loss / denominator, parameters)[0])
    every = torch.stack(gradients)
    return every.norm(dim=1).numpy(), every.sum(0)


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(samples=40),
        RunConfig(samples=40, activation="relu", hidden=(5, 4, 3), dropout=0.4),
        RunConfig(samples=40, loss="hinge", activation="gelu"),
        RunConfig(samples=40, dataset="sine", loss="huber", hidden=(), batch_norm=True),
        RunConfig(samples=30, dataset="iris", l2=0.1, clip="norm", activation="sigmoid"),
    ],
)
def test_gradients_of_single_samples(config):
    state = trained(replace(config, dtype="float64"))
    kept = {name: value.copy() for name, value in snapshot(state).items() if isinstance(value, np.ndarray)}
    gradient = state.network.gradient.clone()
    norms, total = by_autograd(state)
    np.testing.assert_allclose(sample_gradient_norms(state), norms, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(gradient_shares(state), norms / norms.sum(), rtol=1e-9, atol=1e-15)
    # The vectors add up to the gradient of the training loss.
    parameters = state.network.parameters.clone().requires_grad_()
    rows = state.training
    loss = loss_of(state, parameters, rows.x.clone(), rows.target.clone())
    loss = loss / float(state.loss.denominator(rows.inputs, state.loss_parameters, "mean"))
    torch.testing.assert_close(total, torch.autograd.grad(loss, parameters)[0], rtol=1e-9, atol=1e-14)
    # Looking changes nothing.
    assert torch.equal(gradient, state.network.gradient)
    for name, value in kept.items():
        np.testing.assert_array_equal(snapshot(state)[name], value)


def test_batch_normalisation_mixes_samples():
    state = init(RunConfig(batch_norm=True))
    with pytest.raises(ValueError, match="mixes the samples"):
        sample_gradient_norms(state)
    with pytest.raises(ValueError, match="batch_norm is True"):
        gradient_shares(state)


def test_shares_of_a_run_that_overflowed_or_is_done():
    state = init(replace(CLASSIC, learning_rate=0.2))
    while not state.finished:
        advance(state, 100)
    assert gradient_shares(state).sum() == pytest.approx(1)  # the loss overflowed, the parameters not yet
    assert hardest(state, 1)[0].loss > 1e30 or math.isnan(hardest(state, 1)[0].loss)
    state.network.parameters.fill_(math.nan)
    assert np.isnan(gradient_shares(state)).all()
    assert [sample.number for sample in hardest(state)] == [1, 2, 3, 4]
    perfect = init(CLASSIC)
    perfect.network.weights[0].fill_(2.0)
    assert gradient_shares(perfect).tolist() == [0, 0, 0, 0]
