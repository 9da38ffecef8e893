"""Runs on a learner's own data: configs by key, splits, findings, and nothing that keeps the data."""

import gc
import json
import weakref
from dataclasses import replace

import numpy as np
import pytest

from lossviz.datasets.own import read_csv
from lossviz.datasets.own_points import OwnDataNeeded, OwnPoints, read_key
from lossviz.training import (
    RunConfig,
    dataset,
    examine,
    init,
    largest_stable_rate,
    neighbours,
    restore,
    run,
    run_race,
    snapshot,
    step,
)


def table(rows=60, seed=0):
    """Heights, a shop and prices that follow from them."""
    random = np.random.default_rng(seed)
    size, far = random.normal(50.0, 10.0, rows), random.normal(3.0, 1.0, rows)
    price = 0.2 * size - far + random.normal(0.0, 0.1, rows)
    lines = [
        f"{a:.2f},{b:.2f},{c:.2f},{'dear' if c > 7 else 'cheap'}" for a, b, c in zip(size, far, price, strict=True)
    ]
    return "size,far,price,class\n" + "\n".join(lines)


PRICES = read_csv(table(), target="price").points
CLASSES = read_csv(table(), target="class").points


def run_on(points, **fields):
    return RunConfig(dataset=points.key, own=points, **fields)


def test_a_run_trains_on_the_rows_of_the_file():
    config = run_on(PRICES, validation_fraction=0.0, hidden=(), epochs=200)
    split = dataset(config)
    assert np.array_equal(split.x_train, PRICES.x.astype(np.float64))
    assert np.array_equal(split.y_train, PRICES.y.astype(np.float64))
    assert split.feature_names == ("size", "far", "class = dear")
    assert split.target_name == "price"
    assert list(run(config))[-1].train_metric > 0.98


def test_the_same_config_gives_the_same_events():
    config = run_on(CLASSES, epochs=5)
    again = replace(config, own=read_csv(table(), target="class").points)
    assert list(run(config)) == list(run(again))
    assert config == again
    assert hash(config) == hash(again)


def test_part_of_the_rows_is_drawn_with_the_data_seed():
    one, other = (dataset(run_on(PRICES, samples=20, data_seed=seed)) for seed in (1, 2))
    assert len(one.x_train) == len(one.x_validation) == 10
    rows = {tuple(row) for row in PRICES.x.astype(np.float64).tolist()}
    assert {tuple(row) for row in [*one.x_train.tolist(), *one.x_validation.tolist()]} < rows
    assert not np.array_equal(one.x_train, other.x_train)


def test_the_settings_hold_the_key_and_not_the_data():
    config = run_on(CLASSES, hidden=(3,))
    given = json.loads(json.dumps(config.to_dict()))
    assert given["dataset"] == CLASSES.key
    assert "own" not in given
    assert RunConfig.from_dict(given, own=CLASSES) == config
    assert "own=" not in repr(config)
    with pytest.raises(OwnDataNeeded, match="the file with these numbers is needed") as needed:
        RunConfig.from_dict(given)
    assert needed.value.key == CLASSES.key
    with pytest.raises(OwnDataNeeded):
        RunConfig.from_dict(given, own=PRICES)


def test_the_key_says_column_task_and_numbers():
    assert read_key(PRICES.key)[:2] == (3, "regression")
    assert read_key(CLASSES.key)[:2] == (4, "binary")
    other = read_csv(table(seed=1), target="price").points
    assert read_key(other.key)[:2] == read_key(PRICES.key)[:2]
    assert other.key != PRICES.key
    same_numbers = read_csv("a,b\n1,0\n2,1\n3,0\n4,1"), read_csv("a,b\n1,0\n2,1\n3,0\n4,1", task="regression")
    assert same_numbers[0].hash == same_numbers[1].hash
    assert same_numbers[0].points.key != same_numbers[1].points.key


@pytest.mark.parametrize("key", ["own-0-binary-" + 16 * "a", "own-2-ranking-" + 16 * "a", "own-2-binary-a", 7, ["own"]])
def test_what_is_no_key_is_no_data_set(key):
    assert read_key(key) is None
    with pytest.raises(ValueError, match="dataset is"):
        RunConfig(dataset=key, own=CLASSES)


def test_another_data_set_lets_go_of_the_data():
    assert replace(run_on(PRICES), dataset="diabetes", samples=None).own is None


def test_a_class_without_rows_to_train_on_is_refused_with_a_way_out():
    points = read_csv("x,fruit\n1,apple\n2,apple\n3,apple\n4,apple\n5,apple\n6,pear").points
    config = run_on(points, validation_fraction=0.0)
    seeds = [seed for seed in range(20) if points.untrained(6, seed, 3)]
    assert 3 < len(seeds) < 17
    with pytest.raises(ValueError, match=r"validation_fraction 0\.5 .* none of class 'pear' is left .* data seed"):
        replace(config, validation_fraction=0.5, data_seed=seeds[0])
    seed = next(seed for seed in range(20) if seed not in seeds)
    assert dataset(replace(config, validation_fraction=0.5, data_seed=seed)).y_train.max() == 1.0


def test_a_file_of_the_fewest_rows_trains():
    points = read_csv("x,y\n1,2\n2,4\n3,6\n4,8").points
    config = run_on(points, validation_fraction=0.25, hidden=())
    assert config.samples == 4
    assert len(list(run(replace(config, epochs=3)))) == 3


def test_extreme_numbers_train_or_end_with_a_sentence():
    points = read_csv("a,b,y\n1e38,1,3e38\n-1e38,2,-3e38\n3e38,3,1e-40\n2,4,1e38").points
    state = init(run_on(points, epochs=5, batch_size=2))
    while not state.finished:
        step(state)
    assert "grew beyond the largest number" in state.reason


def test_findings_know_own_data():
    small = init(run_on(PRICES, validation_fraction=0.05))
    assert examine(small, []).kind in {"waiting", "small validation part"}
    assert neighbours(run_on(CLASSES)) > 0.6
    config = run_on(PRICES, validation_fraction=0.0, hidden=(), batch_size=None)
    assert largest_stable_rate(config) == largest_stable_rate(config) > 0.1
    assert largest_stable_rate(replace(config, standardise=False)) < 0.01
    raw = run_on(PRICES, standardise=False, learning_rate=1.0, epochs=3)
    state = init(raw)
    events = [event for _ in range(3 * raw.updates_per_epoch) if (event := step(state))]
    assert examine(state, events).kind == "unscaled inputs"


def test_a_snapshot_is_taken_up_again():
    config = run_on(CLASSES)
    state = init(config)
    step(state)
    assert step(restore(config, snapshot(state))) == step(state)


def test_a_race_on_own_data():
    racers = [run_on(CLASSES, learning_rate=rate, epochs=2) for rate in (0.01, 0.1)]
    for events, alone in zip(zip(*run_race(racers), strict=True), map(run, racers), strict=True):
        assert [event.train_loss for event in events] == pytest.approx([event.train_loss for event in alone])


def test_nothing_keeps_the_data():
    points = read_csv(table(seed=5), target="class").points
    gone = weakref.ref(points), weakref.ref(points.x)
    gc.disable()  # a circle of references would only be found by the collector
    try:
        config = run_on(points, epochs=1, hidden=(), loss="mse")
        list(run(config))
        list(run_race([config, replace(config, seed=1)]))
        neighbours(config)
        largest_stable_rate(replace(config, batch_size=None))
        examine(init(config), [])
        del points, config
        assert [ref() is None for ref in gone] == [True, True]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"x": np.zeros((4, 1))}, "x is no float32 array with 2 dimensions"),
        ({"x": np.zeros(4, np.float32)}, "x is no float32 array with 2 dimensions"),
        ({"y": np.zeros((4, 1), np.float32)}, "y is no float32 array with 1 dimensions"),
        ({"x": np.full((4, 1), np.nan, np.float32)}, "x holds nan; finite numbers"),
        ({"y": np.float32([1, 2, 3, np.inf])}, "y holds inf; finite numbers"),
        ({"y": np.zeros(5, np.float32)}, "x has 4 rows and y 5"),
        ({"x": np.zeros((3, 1), np.float32), "y": np.zeros(3, np.float32)}, "4 to 5,000"),
        ({"x": np.zeros((4, 0), np.float32), "feature_names": ()}, "x has 0 features"),
        ({"x": np.zeros((4, 501), np.float32)}, "x has 501 features"),
        ({"x": np.zeros((5000, 50), np.float32), "y": np.zeros(5000, np.float32)}, "1,020,000 bytes; at most"),
        ({"column": 0}, "column is 0"),
        ({"column": True}, "column is True"),
        ({"column": 51}, "column is 51"),
        ({"feature_names": ["a"]}, "feature_names does not hold 1 name"),
        ({"feature_names": ("a", "b")}, "feature_names does not hold 1 name"),
        ({"feature_names": ("",)}, "feature_names holds ''"),
        ({"feature_names": ("a\nb",)}, "printable characters are allowed"),
        ({"feature_names": (124 * "a",)}, "1 to 123 printable"),
        ({"target_name": 61 * "a"}, "1 to 60 printable"),
        ({"target_name": 7}, "target_name holds '7'"),
        ({"task": "ranking"}, "task is 'ranking'"),
        ({"classes": ("a", "b")}, "classes does not hold 0 names, as regression needs"),
        ({"task": "binary", "classes": ("a",)}, "classes does not hold 2 names"),
        ({"task": "multiclass", "classes": ("a", "b")}, "classes does not hold 3 to 10 names"),
        ({"task": "binary", "classes": ("a", "b")}, "each class number from 0 to 1"),
        ({"task": "binary", "classes": ("a", "b"), "y": np.float32([0, 0, 0, 0])}, "each class number"),
        ({"task": "binary", "classes": ("a", "b"), "y": np.float32([0, 1, 0.5, 0])}, "each class number"),
    ],
)  # fmt: skip
def test_points_of_another_form_are_refused(fields, message):
    good = {
        "x": np.float32([[1], [2], [3], [4]]),
        "y": np.float32([1, 2, 3, 4]),
        "feature_names": ("a",),
        "target_name": "b",
        "task": "regression",
        "classes": (),
        "column": 2,
    }
    OwnPoints(**good)
    with pytest.raises(ValueError, match=message):
        OwnPoints(**{**good, **fields})


def test_points_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        PRICES.x[0, 0] = 1.0


def test_names_on_several_lines_become_one():
    points = read_csv('"a\nb",y\n1,2\n2,3\n3,4\n4,6').points
    assert points.feature_names == ("a b",)
