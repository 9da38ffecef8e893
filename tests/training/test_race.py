"""Racers of a batched group follow the same runs alone.

The rates here let no run jump about: one that does doubles the last digit's rounding at every turn.
"""

import math
from dataclasses import replace
from itertools import product

import pytest

from lossviz.training import PLAYGROUND, Intervention, Race, RunConfig, losses_for, run, run_race

CIRCLE = replace(PLAYGROUND, samples=120, dtype="float64", epochs=100)
SINE = RunConfig(dataset="sine", samples=60, hidden=(5, 3), dtype="float64", learning_rate=0.05, epochs=100)
BLOBS = RunConfig(dataset="blobs", samples=90, hidden=(4,), dtype="float64", epochs=100, batch_size=8)
OPTIMIZERS = {
    "sgd": 0.1,
    "momentum": 0.02,
    "nesterov": 0.02,
    "adagrad": 0.1,
    "rmsprop": 0.01,
    "adam": 0.01,
    "adamw": 0.01,
}
RACES = {
    "rates": [replace(CIRCLE, learning_rate=0.003 * 1.25**power) for power in range(16)],
    "optimizers": [replace(CIRCLE, optimizer=key, learning_rate=rate) for key, rate in OPTIMIZERS.items()],
    "losses of a regression": [
        replace(SINE, loss=loss, loss_parameters=(), learning_rate=0.01)
        for loss in ("mse", "mae", "huber", "log_cosh", "quantile", "expectile", "cauchy", "mse")
    ],
    "losses of two classes": [
        replace(CIRCLE, loss=loss, loss_parameters=(), learning_rate=0.02)
        for loss in ("mse", "bce", "bce_with_logits", "hinge", "squared_hinge", "focal", "brier", "exponential")
    ],
    "losses of several classes": [
        replace(BLOBS, loss=loss, loss_parameters=())
        for loss in ("cross_entropy", "nll", "multi_margin", "categorical_hinge", "poly1")
    ],
    "class weights": [
        replace(BLOBS, loss_parameters={"weight": weight}) for weight in (None, (1.0, 2.0, 5.0), (3.0, 1.0, 1.0))
    ],
    "seeds": [replace(CIRCLE, seed=seed) for seed in range(5)],
    "first weights": [replace(CIRCLE, initialisation=how) for how in ("default", "xavier", "he", "large", "zeros")],
    "depth": [replace(SINE, hidden=hidden) for hidden in ((), (4,), (4, 4), (4, 4, 4), (4,))],
    "batch size": [replace(SINE, batch_size=size, learning_rate=0.02) for size in (None, 1, 7, 30, 7)],
    "batch normalisation": [
        replace(BLOBS, batch_norm=True, batch_size=9, learning_rate=rate) for rate in (0.01, 0.03, 0.1)
    ],
    "dropout": [
        replace(CIRCLE, dropout=0.3, loss=loss, loss_parameters=(), seed=seed)
        for loss in ("mse", "bce")
        for seed in (0, 1)
    ],
    "restraint": [
        CIRCLE,
        replace(CIRCLE, l1=0.001),
        replace(CIRCLE, l2=0.003),
        replace(CIRCLE, clip="norm", clip_at=0.1),
        replace(CIRCLE, clip="value", clip_at=0.05),
        replace(CIRCLE, clip="norm", clip_at=0.2, l1=0.001, l2=0.001),
    ],
    "schedules": [
        replace(CIRCLE, schedule="step", every=20),
        replace(CIRCLE, schedule="cosine"),
        replace(CIRCLE, schedule="warmup", every=30),
        replace(CIRCLE, schedule="plateau", every=2, factor=0.7),
        replace(CIRCLE, interventions=(Intervention(100, value=0.1), Intervention(333, value=0.01))),
    ],
    "early stopping": [
        replace(SINE, samples=30, noise=0.4, hidden=(16,), optimizer="adam", patience=patience)
        for patience in (2, 9, None)
    ],
}  # fmt: skip
# One batch is trained as it is measured, but for dropout and batch normalisation.
RACES |= {
    f"{name}, full batches": [replace(config, batch_size=None) for config in RACES[name]]
    for name in RACES
    if name not in {"schedules", "depth", "batch size"}
}
RACES["schedules, full batches"] = [
    *(replace(config, batch_size=None, interventions=()) for config in RACES["schedules"]),
    replace(CIRCLE, batch_size=None, interventions=(Intervention(10, value=0.1), Intervention(33, value=0.01))),
]
IN_SEVERAL_GROUPS = {"depth", "batch size", "dropout", "dropout, full batches"}


def numbers(event):
    return [value for value in (event.batch_loss, event.train_loss, event.validation_loss) if value is not None]


@pytest.mark.parametrize("name", RACES)
def test_each_racer_follows_the_same_run_alone(name):
    configs = RACES[name]
    race = Race(configs)
    while not race.finished:
        race.epoch()
    for config, events in zip(configs, race.events, strict=True):
        alone = list(run(config))
        assert len(events) == len(alone)
        for ours, theirs in zip(events, alone, strict=True):
            assert numbers(ours) == pytest.approx(numbers(theirs), rel=1e-9, abs=1e-9)
            assert (ours.epoch, ours.updates) == (theirs.epoch, theirs.updates)
            assert ours.learning_rate == pytest.approx(theirs.learning_rate, rel=1e-15)
            assert ours.train_metric == pytest.approx(theirs.train_metric, rel=1e-9, abs=1e-9)
            assert ours.validation_metric == pytest.approx(theirs.validation_metric, rel=1e-9, abs=1e-9)
    # Runs of one form share a batched model.
    assert (len(race.groups) == 1) == (name not in IN_SEVERAL_GROUPS)


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_every_loss_can_race(task):
    base = {"regression": SINE, "binary": CIRCLE, "multiclass": BLOBS}[task]
    keys = losses_for(task)
    for start, batch in product(range(0, len(keys), 16), (10, None)):
        configs = [
            replace(base, loss=key, loss_parameters=(), learning_rate=1e-3, epochs=3, batch_size=batch)
            for key in keys[start : start + 16]
        ]
        rounds = list(run_race(configs))
        for racer, config in enumerate(configs):
            for events, alone in zip(rounds, run(config), strict=True):
                assert numbers(events[racer]) == pytest.approx(numbers(alone), rel=1e-9, abs=1e-9), config.loss


@pytest.mark.parametrize("batch", [10, None])
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_what_is_too_large_to_be_recorded_goes_the_same_way(monkeypatch, task, batch):
    base = replace({"regression": SINE, "binary": CIRCLE, "multiclass": BLOBS}[task], epochs=5, batch_size=batch)
    configs = [replace(base, loss=loss, loss_parameters=()) for loss in losses_for(task)]
    recorded = list(run_race(configs))
    monkeypatch.setattr("lossviz.training.blocks.RECORDED_HIGH", 0)
    for now, before in zip(run_race(configs), recorded, strict=True):
        assert [numbers(event) for event in now] == [pytest.approx(numbers(event), rel=1e-9) for event in before]


def test_more_batches_than_have_room_at_a_time_go_the_same_way(monkeypatch):
    base = replace(BLOBS, batch_size=4, epochs=3)
    configs = [*(replace(base, loss_parameters={"weight": weight}) for weight in (None, (1.0, 2.0, 5.0))), base]
    monkeypatch.setattr("lossviz.training.blocks.SLOTS", 3)
    assert base.training_samples % 4
    assert base.training_samples // 4 % 3
    for racer, config in enumerate(configs):
        for events, alone in zip(run_race(configs), run(config), strict=True):
            assert numbers(events[racer]) == pytest.approx(numbers(alone), rel=1e-9)


def test_a_racer_that_overflows_ends_and_disturbs_nobody():
    configs = [replace(SINE, hidden=(), batch_size=None, learning_rate=rate) for rate in (0.05, 50.0, 0.1)]
    race = Race([replace(config, epochs=200) for config in configs])
    while not race.finished:
        race.epoch()
    assert [len(events) for events in race.events] == [200, len(race.events[1]), 200]
    assert not race.events[1][-1].finite
    assert all(math.isfinite(value) for racer in (0, 2) for event in race.events[racer] for value in numbers(event))


def test_a_race_repeats_bit_for_bit():
    configs = RACES["optimizers"]
    assert [*run_race(configs)] == [*run_race(configs)]


@pytest.mark.parametrize(
    ("configs", "message"),
    [
        ([], "0 runs are to race; 1 to 16 are allowed"),
        ([CIRCLE] * 17, "17 runs are to race"),
        ([CIRCLE, SINE], "the racers differ in dataset"),
        ([CIRCLE, replace(CIRCLE, samples=100)], "the racers differ in samples"),
        ([CIRCLE, replace(CIRCLE, data_seed=1)], "the racers differ in data_seed"),
        ([replace(CIRCLE, samples=5000, hidden=(64,), learning_rate=0.01 * (n + 1)) for n in range(16)], "too many"),
    ],
)
def test_a_race_that_cannot_be_is_refused(configs, message):
    with pytest.raises(ValueError, match=message):
        Race(configs)
