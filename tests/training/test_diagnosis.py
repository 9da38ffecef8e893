"""Each diagnosis is made where its numbers say so, and noise alone never makes one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lossviz.training import CLASSIC, PLAYGROUND, Event, RunConfig, dataset, diagnose, largest_stable_rate, run
from lossviz.training.diagnosis import diagnose_curves, validation_minimum


def events_of(train, validation=None, rate=0.03):
    validation = [None] * len(train) if validation is None else validation
    return [
        Event(index + 1, float(a), float(a), None if b is None else float(b), None, None, rate, index + 1)
        for index, (a, b) in enumerate(zip(train, validation, strict=True))
    ]


EPOCHS = np.arange(200)
FALLING = np.exp(-EPOCHS / 60)


def test_nothing_yet():
    assert diagnose([], RunConfig()).kind == "waiting"


def test_falling_flat_and_rising():
    assert diagnose(events_of(FALLING), PLAYGROUND).kind == "still falling"
    assert diagnose(events_of(np.ones(50)), PLAYGROUND).kind == "flat"
    assert diagnose(events_of(np.zeros(50)), PLAYGROUND).kind == "flat"
    assert diagnose(events_of(1 + EPOCHS / 2000), PLAYGROUND).kind == "rising"
    assert diagnose(events_of(1 + EPOCHS), PLAYGROUND).kind == "diverging"
    again = np.concatenate([FALLING, FALLING[-1] + np.arange(30) / 30])
    assert diagnose(events_of(again), PLAYGROUND).kind == "diverging"


@pytest.mark.parametrize("seed", range(30))
def test_noise_alone_is_flat(seed):
    generator = np.random.default_rng(seed)
    values = 1 + 0.1 * generator.standard_normal((2, 300))
    kinds = {diagnose(events_of(values[0, :n], values[1, :n]), PLAYGROUND).kind for n in range(40, 300, 20)}
    assert "validation rising" not in kinds
    assert "diverging" not in kinds


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("seed", range(10))
def test_a_clear_minimum_and_a_rise_are_found(noise, seed):
    valley = 1 + ((EPOCHS - 80) / 100) ** 2 + noise * np.random.default_rng(seed).standard_normal(200)
    diagnosis = diagnose(events_of(FALLING, valley), PLAYGROUND)
    assert diagnosis.kind == "validation rising"
    assert abs(diagnosis.since - 81) <= (1 if noise == 0 else 25)
    assert f"since epoch {diagnosis.since}" in diagnosis.sentence
    assert validation_minimum(events_of(FALLING[:90], valley[:90])) is None


def test_no_rise_where_training_rises_too_or_validation_comes_down_again():
    valley = 1 + ((EPOCHS - 80) / 100) ** 2
    assert validation_minimum(events_of(valley, valley)) is None
    bump = 1 + np.exp(-(((EPOCHS - 100) / 20) ** 2)) - EPOCHS / 1e6
    assert validation_minimum(events_of(FALLING, bump)) is None
    assert validation_minimum(events_of(FALLING)) is None
    assert validation_minimum(events_of(FALLING[:11], valley[:11])) is None


def test_the_classic_run_is_still_falling_and_diverges_above_its_limit():
    assert diagnose(list(run(CLASSIC)), CLASSIC).kind == "still falling"
    fast = replace(CLASSIC, learning_rate=0.12)
    events = list(run(fast))
    for count in (1, 2, 10, 100, 1000):
        diagnosis = diagnose(events[:count], fast)
        assert diagnosis.kind == "diverging"
        assert "0.12 is above 0.119756" in diagnosis.sentence
        assert "2/λmax" in diagnosis.sentence


def test_a_rate_changed_on_the_way_is_the_rate_that_counts():
    events = events_of(np.linspace(1, 0.5, 30), rate=0.2)
    diagnosis = diagnose(events, CLASSIC)
    assert diagnosis.kind == "still falling"
    assert "will turn" in diagnosis.sentence


def test_overflow_is_explained():
    config = replace(CLASSIC, learning_rate=1.0)
    events = list(run(config))
    diagnosis = diagnose(events, config)
    assert diagnosis.kind == "not finite"
    assert f"epoch {len(events)}" in diagnosis.sentence


def test_zero_weights_in_a_network_are_named():
    config = RunConfig(initialisation="zeros", epochs=30, loss="bce")
    diagnosis = diagnose(list(run(config)), config)
    assert diagnosis.kind == "flat"
    assert "began at zero" in diagnosis.sentence


def test_the_largest_stable_rate_is_two_over_the_largest_eigenvalue():
    assert largest_stable_rate(CLASSIC) == pytest.approx(0.119756, abs=5e-7)
    assert largest_stable_rate(CLASSIC) == pytest.approx(2 / 16.700610, rel=1e-7)
    config = RunConfig(dataset="diabetes", hidden=(), batch_size=None, dtype="float64", epochs=400)
    limit = largest_stable_rate(config)
    split = dataset(config)
    x = torch.tensor((split.x_train - split.mean) / split.spread)
    y = torch.tensor(split.y_train)

    def loss(p):
        return ((x @ p[:-1] + p[-1] - y) ** 2).mean()

    hessian = torch.autograd.functional.hessian(loss, torch.zeros(11, dtype=torch.float64))
    assert limit == pytest.approx(2 / float(torch.linalg.eigvalsh(hessian)[-1]), rel=1e-12)
    stable, unstable = (list(run(replace(config, learning_rate=limit * share))) for share in (0.99, 1.01))
    assert stable[-1].train_loss < stable[0].train_loss
    assert unstable[-1].train_loss > unstable[0].train_loss
    for other in (
        replace(CLASSIC, optimizer="adam"),
        replace(CLASSIC, hidden=(2,)),
        replace(CLASSIC, batch_size=2),
        RunConfig(loss="mse", hidden=(), batch_size=None),
    ):
        assert largest_stable_rate(other) is None


def test_means_are_called_so_and_single_values_too():
    def said(*losses):
        return diagnose_curves(np.array(losses), None, np.arange(len(losses)), "step").sentence

    assert said(0.9, 0.5) == "Still falling: the training loss went from 0.9 to 0.5 in the last step."
    falling = "Still falling: the training loss averaged 0.8 over 2 steps, then 0.3 over the last 2."
    assert said(0.9, 0.7, 0.4, 0.2) == falling
    rising = "The training loss is rising: it averaged 0.225 over 2 steps, then 0.275 over the last 2."
    assert said(0.22, 0.23, 0.27, 0.28) == rising
