"""Runs equal the textbook loop, repeat bit for bit, and end with an explanation where numbers overflow."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from lossviz import datasets, losses
from lossviz.models import ACTIVATIONS
from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    Intervention,
    RunConfig,
    advance,
    apply,
    dataset,
    init,
    losses_for,
    measure,
    run,
    step,
)

X2 = {
    1: 30.000000,
    100: 0.034290,
    200: 0.018825,
    300: 0.010334,
    400: 0.005673,
    500: 0.003115,
    600: 0.001710,
    700: 0.000939,
    800: 0.000515,
    900: 0.000283,
    1000: 0.000155,
}

ACTIVATION_MODULES = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "identity": nn.Identity,
}
LINK_MODULES = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "log_softmax": lambda z: torch.log_softmax(z, 1)}
TORCH_OPTIMIZERS = {
    "sgd": lambda p, c: torch.optim.SGD(p, lr=c.learning_rate),
    "momentum": lambda p, c: torch.optim.SGD(p, lr=c.learning_rate, momentum=c.momentum),
    "nesterov": lambda p, c: torch.optim.SGD(p, lr=c.learning_rate, momentum=c.momentum, nesterov=True),
    "adagrad": lambda p, c: torch.optim.Adagrad(p, lr=c.learning_rate),
    "rmsprop": lambda p, c: torch.optim.RMSprop(p, lr=c.learning_rate),
    "adam": lambda p, c: torch.optim.Adam(p, lr=c.learning_rate),
    "adamw": lambda p, c: torch.optim.AdamW(p, lr=c.learning_rate),
}


class Textbook:
    """The loop as tutorials write it, on nn.Module, autograd and torch.optim, with the run's own order of samples."""

    def __init__(self, config):
        split, fit = dataset(config), config.fit
        dtype = getattr(torch, config.dtype)
        self.config, self.link = config, LINK_MODULES.get(fit.link, lambda z: z)
        self.loss, self.parameters = losses.get(config.loss), config.parameters

        def tensors(x, y):
            x = torch.tensor((x - split.mean) / split.spread if config.standardise else x, dtype=dtype)
            if fit.labels == "index":
                return x, torch.tensor(y).long()
            if fit.labels == "one_hot":
                return x, nn.functional.one_hot(torch.tensor(y).long(), len(split.classes)).to(dtype)
            return x, torch.tensor(2 * y - 1 if fit.labels == "plus_minus" else y, dtype=dtype)

        self.train, self.validation = (
            tensors(split.x_train, split.y_train),
            tensors(split.x_validation, split.y_validation),
        )
        layers = []
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            for inputs, outputs in pairwise(config.sizes):
                layers += [nn.Linear(inputs, outputs, dtype=dtype), ACTIVATION_MODULES[config.activation]()]
        self.model = nn.Sequential(*layers[:-1])
        self.optimizer = TORCH_OPTIMIZERS[config.optimizer](self.model.parameters(), config)

    def value(self, x, y):
        prediction = self.link(self.model(x))
        inputs = {"prediction": prediction if prediction.shape[1] > 1 else prediction[:, 0], "target": y}
        terms = self.loss.terms(inputs, self.parameters)
        return terms.sum() / self.loss.denominator(inputs, self.parameters, "mean")

    def epoch(self, order, first_update):
        """One epoch; returns the weighted batch loss and the losses of both parts after it."""
        total = 0.0
        for number, rows in enumerate(order.split(self.config.batch_rows)):
            for change in self.config.interventions:
                if change.update == first_update + number:
                    self.optimizer.param_groups[0]["lr"] = change.value
            self.optimizer.zero_grad()
            value = self.value(self.train[0][rows], self.train[1][rows])
            value.backward()
            self.optimizer.step()
            total += value.item() * len(rows)
        with torch.no_grad():
            validation = self.value(*self.validation).item() if len(self.validation[0]) else None
            return total / len(order), self.value(*self.train).item(), validation

    def flat(self):
        linears = [layer for layer in self.model if isinstance(layer, nn.Linear)]
        parts = [torch.cat([layer.weight, layer.bias[:, None]], dim=1).reshape(-1) for layer in linears]
        return torch.cat(parts).detach()


def assert_equals_textbook(config, tolerance=1e-12):
    state, book = init(config), Textbook(config)
    torch.testing.assert_close(state.network.parameters, book.flat(), rtol=0, atol=0)
    for _ in range(config.epochs):
        first = state.updates
        event = advance(state, 10**9)
        expected = book.epoch(state.order, first)
        assert (event.batch_loss, event.train_loss) == pytest.approx(expected[:2], rel=tolerance, abs=tolerance)
        if expected[2] is None:
            assert event.validation_loss is None
        else:
            assert event.validation_loss == pytest.approx(expected[2], rel=tolerance, abs=tolerance)
    torch.testing.assert_close(state.network.parameters, book.flat(), rtol=tolerance, atol=tolerance)


CHANGES = (Intervention(30, value=0.004), Intervention(95, value=0.03))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("optimizer", TORCH_OPTIMIZERS)
@pytest.mark.parametrize(
    ("data", "loss"), [("sine", "mse"), ("circle", "mse"), ("circle", "bce"), ("blobs", "cross_entropy")]
)
def test_equals_nn_module_and_torch_optim(optimizer, activation, data, loss):
    config = RunConfig(
        dataset=data,
        loss=loss,
        optimizer=optimizer,
        activation=activation,
        samples=95,
        validation_fraction=0.3,
        hidden=(5, 4),
        dtype="float64",
        learning_rate=0.02,
        batch_size=8,
        epochs=15,
        interventions=CHANGES,
    )
    assert config.epochs * config.updates_per_epoch > 120
    assert_equals_textbook(config)


def every_loss():
    for task, data in (("regression", "outliers"), ("binary", "moons"), ("multiclass", "blobs")):
        for loss in losses_for(task):
            yield data, loss


@pytest.mark.parametrize(("data", "loss"), list(every_loss()))
@pytest.mark.parametrize("hidden", [(), (3,), (6, 5, 4, 3, 2, 2)], ids=str)
def test_every_loss_at_every_depth_equals_autograd(data, loss, hidden):
    config = RunConfig(
        dataset=data, loss=loss, samples=60, hidden=hidden, dtype="float64", batch_size=7, epochs=3, learning_rate=0.05
    )
    assert_equals_textbook(config)


@pytest.mark.parametrize("data", ["diabetes", "breast_cancer", "iris"])
def test_real_data_equals_the_textbook_loop(data):
    assert_equals_textbook(
        RunConfig(dataset=data, dtype="float64", hidden=(8,), epochs=3, batch_size=32, learning_rate=0.001), 1e-11
    )


def test_class_weights_divide_each_batch_by_its_own_weights():
    weights = {"weight": (1.0, 4.0, 0.5), "label_smoothing": 0.1}
    assert_equals_textbook(
        RunConfig(dataset="iris", dtype="float64", batch_size=16, epochs=4, loss_parameters=weights, learning_rate=0.1)
    )


def test_the_classic_example_reproduces_its_table():
    events = list(run(CLASSIC))
    assert [event.epoch for event in events] == list(range(1, 1001))
    for epoch, value in X2.items():
        assert f"{events[epoch - 1].batch_loss:.6f}" == f"{value:.6f}"
    assert all(event.validation_loss is None for event in events)
    state = init(CLASSIC)
    while not state.finished:
        step(state)
    assert round(state.network.weights[0].item(), 6) == 1.989659
    assert round(state.network.biases[0].item(), 6) == 0.030405
    assert state.reason == "All 1,000 epochs are done."


def test_the_classic_example_diverges_just_above_its_largest_stable_rate():
    losses_ = [event.batch_loss for event in run(replace(CLASSIC, learning_rate=0.12))]
    assert losses_[0] == 30.0
    assert all(later > earlier for earlier, later in pairwise(losses_))
    assert losses_[99] == pytest.approx(66.95, abs=0.005)
    table = {0.001: 1.125118, 0.01: 0.034290, 0.1: 0.000151, 0.119: 2.418}
    for rate, value in table.items():
        events = list(run(replace(CLASSIC, learning_rate=rate, epochs=100, dtype="float64")))
        assert events[-1].batch_loss == pytest.approx(value, abs=0.0005 if rate == 0.119 else 5e-7)


@pytest.mark.parametrize(
    "config", [replace(PLAYGROUND, epochs=5), RunConfig(dataset="iris", epochs=5, optimizer="adam")]
)
def test_same_config_same_events_bit_for_bit(config):
    first = list(run(config))
    assert list(run(config)) == first
    assert list(run(replace(config, seed=1))) != first
    state, stepped = init(config), []
    while not state.finished:
        event = step(state)
        if event:
            stepped.append(event)
    assert stepped == first
    chunked, state = [], init(config)
    while not state.finished:
        event = advance(state, 7)
        if event:
            chunked.append(event)
    assert chunked == first


def test_runs_leave_global_random_state_alone():
    before = torch.get_rng_state()
    list(run(RunConfig(epochs=2)))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_intervention_applied_live_replays_exactly():
    config = replace(PLAYGROUND, epochs=6)
    state, live = init(config), []
    while not state.finished:
        if state.updates in (0, 37, 60):
            apply(state, Intervention(state.updates, value=0.01 * (state.updates + 1)))
            assert state.learning_rate == 0.01 * (state.updates + 1)
        event = step(state)
        if event:
            live.append(event)
    assert [item.update for item in state.config.interventions] == [0, 37, 60]
    assert list(run(state.config)) == live
    assert list(run(RunConfig.from_dict(state.config.to_dict()))) == live
    assert live != list(run(config))
    replayed = init(state.config)
    while replayed.updates < 37:
        step(replayed)
    assert replayed.learning_rate == 0.01 * 38


def test_an_intervention_in_the_past_is_refused():
    state = init(RunConfig())
    advance(state, 5)
    with pytest.raises(ValueError, match=r"intervention\.update is 4; the next update, 5"):
        apply(state, Intervention(4, value=0.1))
    apply(state, Intervention(100, value=0.5))
    assert state.learning_rate == 0.03


def test_overflow_ends_the_run_with_an_explanation():
    state = init(replace(CLASSIC, learning_rate=1.0))
    events = []
    while not state.finished:
        events.append(step(state))
    assert len(events) < 30
    assert not events[-1].finite
    assert all(event.finite for event in events[:-1])
    assert f"epoch {len(events)}" in state.reason
    assert "float32" in state.reason
    assert "smaller learning rate" in state.reason
    assert events[-1].train_metric is None or events[-1].train_metric < 0
    assert step(state) is None
    assert advance(state, 10) is None
    assert len(list(run(replace(CLASSIC, learning_rate=1.0)))) == len(events)


@pytest.mark.parametrize("data", datasets.keys())
@pytest.mark.parametrize("rate", [1e-6, 100.0])
def test_every_loss_on_every_data_set_runs_or_ends_with_a_reason(data, rate):
    for loss in losses_for(datasets.get(data).task):
        config = RunConfig(dataset=data, loss=loss, epochs=2, learning_rate=rate, batch_size=64)
        state = init(config)
        while not state.finished:
            step(state)
        assert state.reason.endswith(".")


def test_batch_loss_is_weighted_by_batch_size_and_last_batch_loss_is_its_own():
    config = RunConfig(samples=25, validation_fraction=0.0, batch_size=10, epochs=1, dtype="float64")
    state, total = init(config), 0.0
    assert state.last_batch_loss() is None
    for size in (10, 10, 5):
        event = step(state)
        total += state.last_batch_loss() * size
    assert event.batch_loss == pytest.approx(total / 25, rel=1e-12)


def test_metrics_are_accuracy_and_r_squared():
    state = init(RunConfig(dataset="iris", epochs=40, learning_rate=0.1))
    while not state.finished:
        event = step(state)
    assert event.train_metric > 0.9
    assert event.train_metric * 75 == pytest.approx(round(event.train_metric * 75))
    assert measure(state).validation_metric == event.validation_metric
    zero = measure(init(CLASSIC))
    assert zero.train_metric == pytest.approx(1 - 120 / 20)
    assert zero.validation_metric is None
    one = RunConfig(dataset="four_points", validation_fraction=0.3, hidden=(), batch_size=None)
    assert one.validation_samples == 1
    assert measure(init(one)).validation_metric is None  # one point has no spread
    event = list(run(replace(CLASSIC, learning_rate=0.1)))[-1]
    assert event.train_metric == pytest.approx(1.0, abs=1e-6)


def test_updates_and_rates_are_counted():
    events = list(run(replace(PLAYGROUND, epochs=3, interventions=(Intervention(30, value=0.2),))))
    assert [event.updates for event in events] == [25, 50, 75]
    assert [event.learning_rate for event in events] == [0.03, 0.2, 0.2]
    assert all(math.isfinite(event.validation_loss) for event in events)
    with pytest.raises(ValueError, match="updates is 0"):
        advance(init(PLAYGROUND), 0)
