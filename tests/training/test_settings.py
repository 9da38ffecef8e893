"""Schedules, penalties, clipping, dropout, batch normalisation and early stopping against PyTorch's own."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lossviz import optimizers
from lossviz.models import Network
from lossviz.training import (
    PLAYGROUND,
    Intervention,
    RunConfig,
    advance,
    apply,
    init,
    measure,
    restore,
    run,
    snapshot,
    walk,
)
from tests.training.test_engine import ACTIVATION_MODULES, Textbook

BASE = RunConfig(
    dataset="moons", samples=60, hidden=(5, 4), dtype="float64", learning_rate=0.1, batch_size=8, epochs=12, seed=3
)


class Dropout(nn.Module):
    """Dropout by masks from the run's own stream."""

    def __init__(self, share, generator):
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x):
        if not self.training:
            return x
        return x * torch.empty_like(x).bernoulli_(1 - self.share, generator=self.generator) / (1 - self.share)


class Restrained(Textbook):
    """The textbook loop with everything that a config can add, each from torch where torch has it."""

    def __init__(self, config):
        super().__init__(config)
        masks, layers = torch.Generator().manual_seed(config.seed + 2**33), []
        for layer in self.model:
            if isinstance(layer, nn.Linear) and layer.out_features != config.sizes[-1]:
                layers.append(layer)
                if config.batch_norm:
                    layers.append(nn.BatchNorm1d(layer.out_features, dtype=layer.weight.dtype))
            else:
                layers.append(layer)
                if config.dropout and not isinstance(layer, nn.Linear):
                    layers.append(Dropout(config.dropout, masks))
        self.model = nn.Sequential(*layers)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=config.learning_rate)
        lr = torch.optim.lr_scheduler
        self.scheduler = {
            "constant": lambda: None,
            "step": lambda: lr.StepLR(self.optimizer, config.every, config.factor),
            "cosine": lambda: lr.CosineAnnealingLR(self.optimizer, config.epochs, config.low * config.learning_rate),
            "warmup": lambda: lr.LambdaLR(
                self.optimizer, lambda n: min(1.0, (n + 1) / (config.every * config.updates_per_epoch))
            ),
            "plateau": lambda: lr.ReduceLROnPlateau(self.optimizer, factor=config.factor, patience=config.every),
        }[config.schedule]()

    def epoch(self, order, first_update):
        total, config = 0.0, self.config
        weights = [layer.weight for layer in self.model if isinstance(layer, nn.Linear)]
        for rows in order.split(config.batch_rows):
            self.model.train()
            self.optimizer.zero_grad()
            value = self.value(self.train[0][rows], self.train[1][rows])
            penalty = sum(config.l1 * w.abs().sum() + config.l2 * w.square().sum() for w in weights)
            (value + penalty).backward()
            if config.clip == "norm":
                nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_at)
            elif config.clip == "value":
                nn.utils.clip_grad_value_(self.model.parameters(), config.clip_at)
            self.optimizer.step()
            if config.schedule == "warmup":
                self.scheduler.step()
            total += value.item() * len(rows)
        self.model.eval()
        with torch.no_grad():
            validation = self.value(*self.validation).item()
            training = self.value(*self.train).item()
        if config.schedule in {"step", "cosine"}:
            self.scheduler.step()
        elif config.schedule == "plateau":
            self.scheduler.step(validation)
        return total / len(order), training, validation


CASES = {
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.02},
    "clip by norm": {"clip": "norm", "clip_at": 0.05},
    "clip by value": {"clip": "value", "clip_at": 0.02},
    "clip that never acts": {"clip": "norm", "clip_at": 1000.0},
    "dropout": {"dropout": 0.3},
    "batch normalisation": {"batch_norm": True},
    "all at once": {"l1": 1e-3, "l2": 1e-3, "clip": "norm", "clip_at": 0.1, "dropout": 0.2, "batch_norm": True},
    "steps": {"schedule": "step", "every": 3, "factor": 0.3},
    "cosine": {"schedule": "cosine", "low": 0.1},
    "warm-up": {"schedule": "warmup", "every": 4},
    "plateau": {"schedule": "plateau", "every": 1, "factor": 0.4, "learning_rate": 3.0},
}


def flat(model):
    """The textbook's parameters in the run's order: blocks, then scales and shifts."""
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    norms = [layer for layer in model if isinstance(layer, nn.BatchNorm1d)]
    parts = [torch.cat([layer.weight, layer.bias[:, None]], dim=1).reshape(-1) for layer in linears]
    return torch.cat([*parts, *(part for norm in norms for part in (norm.weight, norm.bias))]).detach()


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
@pytest.mark.parametrize("case", CASES)
def test_a_run_equals_the_textbook_loop(case, activation):
    config = replace(BASE, activation=activation, **CASES[case])
    assert config.training_samples % config.batch_rows == 6  # a last batch that is smaller
    state, book = init(config), Restrained(config)
    torch.testing.assert_close(state.network.parameters, flat(book.model), rtol=0, atol=0)
    rates = set()
    for _ in range(config.epochs):
        first = state.updates
        event = advance(state, 10**9)
        expected = book.epoch(state.order, first)
        assert (event.batch_loss, event.train_loss, event.validation_loss) == pytest.approx(expected, rel=1e-11)
        assert state.learning_rate == pytest.approx(book.optimizer.param_groups[0]["lr"], rel=1e-12)
        rates.add(event.learning_rate)
    torch.testing.assert_close(state.network.parameters, flat(book.model), rtol=1e-11, atol=1e-12)
    assert (len(rates) > 1) == (config.schedule != "constant")
    plain = list(run(replace(config, **{name: getattr(BASE, name) for name in CASES[case] if name != "learning_rate"})))
    assert (event.train_loss == plain[-1].train_loss) == (case == "clip that never acts")


@pytest.mark.parametrize("case", CASES)
def test_a_snapshot_goes_on_bit_for_bit(case):
    config = replace(BASE, patience=50, best_weights=True, **CASES[case])
    state = init(config)
    for _ in range(17):
        advance(state, 1)
    again = restore(config, snapshot(state))
    while not state.finished:
        assert advance(again, 5) == advance(state, 5)
    assert torch.equal(again.network.parameters, state.network.parameters)
    assert again.reason == state.reason


def test_early_stopping_ends_the_run_and_brings_the_best_weights_back():
    config = RunConfig(
        dataset="sine", samples=30, noise=0.4, data_seed=1, hidden=(32, 32), optimizer="adam", learning_rate=0.01,
        batch_size=None, epochs=1000, patience=40, best_weights=True,
    )  # fmt: skip
    state, events = init(config), []
    while not state.finished:
        events.append(advance(state, 10))
    validation = [event.validation_loss for event in events]
    best = int(np.argmin(validation))
    assert len(events) == best + 1 + 40 < 1000
    assert measure(state).validation_loss == validation[best] < validation[-1]
    assert state.restored
    assert state.reason == (
        f"Stopped early after epoch {len(events)}: the validation loss has had no new minimum for 40 epochs. "
        f"The weights of epoch {best + 1}, where it was lowest, are back."
    )
    without = list(run(replace(config, best_weights=False)))
    assert [event.validation_loss for event in without] == validation


def test_best_weights_come_back_at_the_end_and_after_an_overflow():
    config = replace(PLAYGROUND, epochs=30, learning_rate=3.0, best_weights=True)
    state, losses = init(config), []
    while not state.finished:
        event = advance(state, 100)
        losses.append(event.validation_loss)
    assert measure(state).validation_loss == min(losses)
    overflowing = RunConfig(
        dataset="sine", hidden=(), loss="mse", learning_rate=5.0, batch_size=None, best_weights=True, standardise=False
    )
    state, losses = init(overflowing), []
    while not state.finished:
        losses.append(advance(state, 100).validation_loss)
    assert not math.isfinite(losses[-1])
    assert measure(state).validation_loss == min(loss for loss in losses if math.isfinite(loss))
    assert "too large" in state.reason


def test_a_rate_set_on_the_way_holds_there_and_the_schedule_goes_on_from_it():
    config = replace(BASE, schedule="step", every=3, factor=0.5)
    changed = replace(config, interventions=(Intervention(5 * config.updates_per_epoch, value=1.0),))
    rates = [event.learning_rate for event in run(changed)]
    assert rates == pytest.approx([0.1] * 3 + [0.05] * 2 + [1.0] + [0.5] * 3 + [0.25] * 3)
    state = init(config)
    while state.updates < 5 * config.updates_per_epoch:
        advance(state, 10**9)
    apply(state, Intervention(state.updates, value=1.0))
    assert [advance(state, 10**9).learning_rate for _ in range(7)] == rates[5:]


def test_dropout_and_batch_normalisation_act_in_training_alone():
    config = replace(BASE, dropout=0.5, batch_norm=True)
    state = init(config)
    first, second = measure(state), measure(state)
    assert first == second
    rows = state.batches[0]
    state.shuffle()
    drawn = [state.network.train(rows.x, state.workspaces[len(rows)], state.masks).clone() for _ in range(2)]
    assert not torch.equal(*drawn)


@pytest.mark.parametrize("activation", ACTIVATION_MODULES)
def test_several_networks_side_by_side_pass_as_each_alone(activation):
    generator = torch.Generator().manual_seed(0)
    sizes, runs = (3, 5, 4, 2), 3
    together = networks(sizes, activation, runs)
    x = torch.randn(runs, 7, 4, dtype=torch.float64, generator=generator)
    delta = torch.randn(runs, 7, 2, dtype=torch.float64, generator=generator)
    together.parameters.copy_(torch.randn(together.parameters.shape, dtype=torch.float64, generator=generator))
    space = together.workspace(7)
    raw = together.train(x, space, generator)
    together.backward(x, delta, space)
    for number in range(runs):
        alone = networks(sizes, activation, None)
        alone.parameters.copy_(together.parameters[number])
        own = alone.workspace(7)
        torch.testing.assert_close(raw[number], alone.train(x[number], own, generator), rtol=1e-12, atol=1e-12)
        alone.backward(x[number], delta[number], own)
        torch.testing.assert_close(together.gradient[number], alone.gradient, rtol=1e-12, atol=1e-12)


def networks(sizes, activation, runs):
    """Networks with batch normalisation, before training."""
    network = Network(sizes, activation, torch.float64, batch_norm=True, runs=runs)
    network.initialise("zeros", torch.Generator())
    return network


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dropout": 0.95}, "dropout is 0.95; a number from 0 to 0.9"),
        ({"factor": 0.0}, "factor is 0.0; a number above 0 to 1"),
        ({"clip_at": 0}, "clip_at is 0; a number above 0 to"),
        ({"l2": -1.0}, "l2 is -1.0; a number from 0 to 10"),
        ({"every": 0}, "every is 0; a whole number from 1"),
        ({"low": 2}, "low is 2; a number from 0 to 1"),
        ({"beta2": 1.0}, "beta2 is 1.0; a number from 0 to below 1"),
        ({"schedule": "linear"}, "allowed: constant, step, cosine, warmup, plateau"),
        ({"clip": "both"}, "allowed: none, norm, value"),
        ({"patience": 0}, "patience is 0; a whole number from 1"),
        ({"batch_norm": 1}, "batch_norm is 1; allowed: true, false"),
        ({"batch_norm": True, "batch_size": 1}, "the batch holds 1 sample; batch normalisation needs 2"),
        ({"batch_norm": True, "batch_size": 29}, "the last batch holds 1 sample"),
        ({"patience": 5, "validation_fraction": 0.0}, "no points are held out for validation"),
        ({"best_weights": True, "validation_fraction": 0.0}, "best_weights is True, and no points are held out"),
    ],
)
def test_bad_or_contradictory_settings_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        replace(BASE, **given)


def test_a_walk_says_why_it_cannot_be():
    with pytest.raises(ValueError, match="dropout, batch normalisation, a penalty or clipping"):
        walk(init(replace(PLAYGROUND, dropout=0.2)))
    assert walk(init(replace(PLAYGROUND, hidden=(), dropout=0.2))).number == 1


@pytest.mark.parametrize("key", optimizers.SCHEDULES)
def test_shares_stay_in_bounds(key):
    plan = optimizers.Plan(key, every=1, factor=0.01, low=0.0, epochs=500, updates=3)
    shares = [plan.share(update, drops) for update in range(1500) for drops in (0, 1, 400)]
    assert all(0 < share <= 1 for share in shares)


def test_masks_do_not_share_a_stream_with_the_order():
    plain, dropped = (init(replace(BASE, dropout=share)) for share in (0.0, 0.5))
    for state in (plain, dropped):
        advance(state, 30)
    assert torch.equal(plain.order, dropped.order)
