"""Points moved and added on the way: the run equals a plain loop on the same points, and repeats bit for bit."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    Intervention,
    RunConfig,
    UpdateWatch,
    advance,
    apply,
    dataset,
    dataset_at,
    examine,
    hardest,
    init,
    lineup,
    measure,
    movable,
    predict,
    restore,
    run,
    run_race,
    snapshot,
    step,
    walk,
)

LINE = RunConfig(
    dataset="outliers", samples=23, validation_fraction=0.3, hidden=(), batch_size=5, epochs=12, dtype="float64"
)
PER_EPOCH = 4  # 16 training points in batches of 5, 5, 5 and 1
MOONS = RunConfig(dataset="moons", samples=40, hidden=(3,), batch_size=9, epochs=12, dtype="float64", optimizer="adam")
LOSSES = {
    "mse": nn.functional.mse_loss,
    "huber": nn.functional.huber_loss,
    "hinge": lambda prediction, target: torch.relu(1 - prediction * target).mean(),
}


def move(update, row, *point):
    return Intervention(update, "move", (row, *point))


def add(update, *point):
    return Intervention(update, "add", point)


LINE_CHANGES = (
    move(0, 3, 1.0, -4.0),
    add(PER_EPOCH, 2.5, 30.0),
    move(2 * PER_EPOCH, 17, 0.5, 3.0),  # a validation point
    Intervention(2 * PER_EPOCH + 1, value=0.01),
    add(3 * PER_EPOCH, -2.5, -30.0),
    add(3 * PER_EPOCH, 0.0, 12.0),
    move(3 * PER_EPOCH, 23, 2.0, 25.0),  # the point added first
    move(5 * PER_EPOCH, 25, 0.0, 2.0),  # the point added last
    move(5 * PER_EPOCH, 3, 1.0, 2.0),
)


def plain_loop(config):
    """Epoch by epoch the losses of the loop as a tutorial writes it, with points and sizes of batches kept by hand."""
    untouched = dataset(replace(config, interventions=()))
    dtype, fit = getattr(torch, config.dtype), config.fit
    x = [*untouched.x_train.tolist(), *untouched.x_validation.tolist()]
    y = [*untouched.y_train.tolist(), *untouched.y_validation.tolist()]
    train, validation = list(range(len(untouched.y_train))), list(range(len(untouched.y_train), len(y)))
    sizes = [len(part) for part in torch.arange(len(train)).split(config.batch_rows)]

    def tensors(rows):
        features = np.array([x[row] for row in rows])
        if config.standardise:
            features = (features - untouched.mean) / untouched.spread
        labels = torch.tensor([y[row] for row in rows], dtype=dtype)
        return torch.tensor(features, dtype=dtype), 2 * labels - 1 if fit.labels == "plus_minus" else labels

    layers = []
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        for inputs, outputs in pairwise(config.sizes):
            layers += [nn.Linear(inputs, outputs, dtype=dtype), nn.Tanh()]
    model = nn.Sequential(*layers[:-1])
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[config.optimizer]
    optimizer = kind(model.parameters(), lr=config.learning_rate)
    shuffle = torch.Generator().manual_seed(config.seed + 2**32)

    def value(inputs, target):
        return LOSSES[config.loss](model(inputs)[:, 0], target)

    updates = 0
    for _ in range(config.epochs):
        changes = [item for item in config.interventions if item.update == updates]
        for item in changes:
            if item.kind == "add":
                *features, target = item.value
                train.append(len(x))
                x.append(features)
                y.append(target)
                smallest = max(number for number, size in enumerate(sizes) if size == min(sizes))
                sizes[smallest] += 1
        for item in changes:
            if item.kind == "move":
                row, *features, target = item.value
                x[row], y[row] = features, target
        inputs, targets = tensors(train)
        order = torch.randperm(len(train), generator=shuffle) if len(sizes) > 1 else torch.arange(len(train))
        total = 0.0
        for rows in order.split(sizes):
            for item in config.interventions:
                if item.kind == "learning_rate" and item.update == updates:
                    optimizer.param_groups[0]["lr"] = item.value
            optimizer.zero_grad()
            batch = value(inputs[rows], targets[rows])
            batch.backward()
            optimizer.step()
            updates += 1
            total += batch.item() * len(rows)
        with torch.no_grad():
            held_out = value(*tensors(validation)).item() if validation else None
            yield total / len(train), value(inputs, targets).item(), held_out


@pytest.mark.parametrize(
    "config",
    [
        replace(LINE, interventions=LINE_CHANGES),
        replace(LINE, interventions=LINE_CHANGES, loss="huber", loss_parameters=(), standardise=False),
        replace(LINE, batch_size=None, interventions=(move(0, 3, 1, -4), add(2, 2.5, 30), add(7, 1, 1))),
        replace(
            MOONS,
            loss="hinge",
            loss_parameters=(),
            interventions=(move(3, 1, 0.5, 0.5, 1), add(6, 0.1, 0.2, 0), *[add(9, 1, 1, 1)] * 9, move(9, 44, 2, 2, 0)),
        ),
    ],
    ids=["mse", "huber", "full batch", "classes"],
)
def test_a_run_equals_the_plain_loop_on_the_same_points(config):
    events = list(run(config))
    for event, expected in zip(events, plain_loop(config), strict=True):
        found = [event.batch_loss, event.train_loss, event.validation_loss]
        assert found[: 2 if expected[2] is None else 3] == pytest.approx(
            expected[:2] if expected[2] is None else expected, rel=1e-12, abs=1e-12
        )
    untouched = list(run(replace(config, interventions=())))
    assert events[-1].train_loss != pytest.approx(untouched[-1].train_loss, rel=1e-3)


def test_changes_on_the_way_replay_bit_for_bit():
    first, again = init(LINE), []
    events = []
    while not first.finished:
        for item in LINE_CHANGES:
            if item.update == first.updates:
                apply(first, item)
        event = step(first)
        events += [event] if event else []
    assert first.config == replace(LINE, interventions=LINE_CHANGES)
    again = list(run(first.config))
    assert again == events
    assert list(run(RunConfig.from_dict(first.config.to_dict()))) == events


@pytest.mark.parametrize("updates", [*range(4 * PER_EPOCH), 5 * PER_EPOCH, 12 * PER_EPOCH])
def test_a_run_is_put_aside_and_taken_up_again(updates):
    # The last change falls where the run ends, and so never takes effect.
    config = replace(LINE, interventions=(*LINE_CHANGES, move(12 * PER_EPOCH, 0, 9, 9)))
    state = init(config)
    while state.updates < updates:
        step(state)
    copy = restore(config, snapshot(state))
    assert (copy.begun, copy.last_batch_loss(), measure(copy)) == (state.begun, state.last_batch_loss(), measure(state))
    np.testing.assert_array_equal(copy.split.x_train, state.split.x_train)
    np.testing.assert_array_equal(copy.split.y_validation, state.split.y_validation)
    while not state.finished:
        assert step(copy) == step(state)
    assert snapshot(copy)["parameters"].tobytes() == snapshot(state)["parameters"].tobytes()


def test_a_point_moved_at_rest_changes_the_losses_at_once_and_no_event_before():
    state = init(replace(CLASSIC, learning_rate=0.05))
    events = [advance(state, 1) for _ in range(5)]
    before = measure(state)
    assert before.train_loss == events[-1].train_loss
    apply(state, move(5, 3, 4, 20))
    w, b = (float(value) for value in state.network.parameters)
    expected = sum((w * x + b - y) ** 2 for x, y in ((1, 2), (2, 4), (3, 6), (4, 20))) / 4
    assert measure(state).train_loss == pytest.approx(expected, rel=1e-5)
    assert hardest(state, 1)[0].target == 20
    assert state.last_batch_loss() is None
    assert walk(state).targets.tolist() == [2, 4, 6, 20]
    event = advance(state, 1)
    assert event.batch_loss == pytest.approx(expected, rel=1e-5)
    assert state.last_batch_loss() == pytest.approx(expected, rel=1e-5)


def test_the_later_move_of_a_point_at_one_update_holds():
    state = init(CLASSIC)
    for item in (move(0, 3, 4, 20), move(0, 1, 2, 9), move(0, 3, 4, 30)):
        apply(state, item)
    assert state.config.interventions == (move(0, 1, 2, 9), move(0, 3, 4, 30))
    assert state.split.y_train.tolist() == [2, 9, 6, 30]


def test_a_point_added_before_others_takes_its_number_and_they_the_next_ones():
    config = CLASSIC
    for item in (add(7, 7, 70), move(9, 4, 7, 71), move(9, 2, 3, 5), add(3, 3, 30), move(4, 4, 3, 31)):
        config = config.with_intervention(item)
    assert config.interventions == (
        add(3, 3, 30),
        move(4, 4, 3, 31),
        add(7, 7, 70),
        move(9, 2, 3, 5),
        move(9, 5, 7, 71),
    )
    assert dataset_at(config, 8).y_train.tolist() == [2, 4, 6, 8, 31, 70]
    assert dataset_at(config, 9).y_train.tolist() == [2, 4, 5, 8, 31, 71]


def test_standardisation_keeps_to_the_points_as_they_were():
    config = replace(LINE, interventions=(move(0, 3, 500.0, 1.0),))
    before, after = dataset(LINE), dataset(config)
    assert (after.mean, after.spread) == (before.mean, before.spread)
    x = np.array([[1.0], [2.0]])
    assert predict(init(config), x).tolist() == predict(init(LINE), x).tolist()
    assert not after.x_train.flags.writeable


def test_as_many_updates_an_epoch_as_before_with_every_point_in_one_batch():
    config = replace(LINE, interventions=tuple(add(0, 0.01 * number, 1.0) for number in range(20)))
    state = init(config)
    assert [len(batch) for batch in state.batches] == [9, 9, 9, 9]
    event = advance(state, 10**9)
    assert event.updates == PER_EPOCH
    assert sorted(state.order.tolist()) == list(range(36))


@pytest.mark.parametrize(
    ("config", "item", "said"),
    [
        (LINE, move(1, 0, 1, 1), "first update of an epoch is allowed, a multiple of 4"),
        (LINE, move(0, 23, 1, 1), "row in intervention.value is 23; a whole number from 0 to 22"),
        (LINE, move(0, 0, 1, 1, 1), "has 2 features; the data set 'outliers' has 1"),
        (LINE, add(0, 1, 1, 1), "has 2 features"),
        (MOONS, add(0, 1, 1), "has 1 feature;"),
        (MOONS, move(0, 0, 1, 1, 2), "class in intervention.value is 2; a whole number from 0 to 1"),
        (MOONS, add(0, 1, 1, 0.5), "class in intervention.value is 0.5"),
        (RunConfig(dataset="iris", hidden=()), add(0, 1, 1, 1), "where they are drawn"),
        (RunConfig(dataset="diabetes", hidden=()), move(0, 0, 1, 1), "where they are drawn"),
    ],
)
def test_points_that_a_run_cannot_have_are_refused(config, item, said):
    state = init(config)
    with pytest.raises(ValueError, match=said):
        apply(state, item)
    assert state.config == config


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("move", (-1, 1.0, 1.0)),
        ("move", (1.0, 1.0, 1.0)),
        ("move", (0, 1.0)),
        ("move", (0, 1.0, 1.0, 1.0, 1.0)),
        ("move", (0, float("nan"), 1.0)),
        ("add", (1.0, float("inf"))),
        ("add", (1.0, 1.1e6)),
        ("add", (1.0,)),
        ("add", 3.0),
        ("add", "12"),
        ("learning_rate", (0.1,)),
    ],
)
def test_values_that_are_no_point_are_refused(kind, value):
    with pytest.raises(ValueError, match=r"intervention\.value"):
        Intervention(0, kind, value)


def test_a_hundred_points_and_a_thousand_changes_at_most():
    state = init(CLASSIC)
    for number in range(100):
        apply(state, add(0, 1, number))
    with pytest.raises(ValueError, match="101 points are added; at most 100"):
        apply(state, add(0, 1, 1))
    full = replace(CLASSIC, interventions=tuple(move(number // 4, number % 4, 1, 1) for number in range(1000)))
    with pytest.raises(ValueError, match="holds 1,000 changes"):
        full.with_intervention(Intervention(3, value=0.1))
    assert full.with_intervention(move(0, 0, 5, 5)).interventions[0] == move(0, 0, 5, 5)


def test_racers_run_on_the_points_as_they_are_in_the_end():
    config = replace(LINE, interventions=LINE_CHANGES)
    racers = [racer.config for racer in lineup(config, "loss", ("mse", "huber", "mae"))]
    split = dataset(racers[0])
    assert split.y_train.tolist() == dataset_at(config, 10**6).y_train.tolist()
    rounds = list(run_race(racers))
    for place, racer in enumerate(racers):
        for alone, together in zip(run(racer), (events[place] for events in rounds), strict=True):
            assert together.train_loss == pytest.approx(alone.train_loss, rel=1e-9)
            assert together.batch_loss == pytest.approx(alone.batch_loss, rel=1e-9)
            assert together.validation_loss == pytest.approx(alone.validation_loss, rel=1e-9)


def test_no_race_on_points_that_differ_or_change_on_the_way():
    moved = replace(CLASSIC, interventions=(move(0, 3, 4, 20),))
    late = replace(CLASSIC, interventions=(move(1, 3, 4, 20),))
    for configs in ((CLASSIC, moved), (late, late)):
        with pytest.raises(ValueError, match="same points from the start"):
            list(run_race(configs))


def test_losses_before_and_after_a_change_are_not_compared():
    # A line that has settled; then a point is pulled far out, and the loss is a hundred times as large.
    config = replace(CLASSIC, learning_rate=0.1, epochs=300)
    state, watch = init(config), []
    follow = UpdateWatch(state)
    while state.epoch < 200:
        watch.append(follow.advance(1))
    apply(state, move(200, 3, 4, 40))
    said = examine(state, watch)
    assert said.kind == "waiting"
    assert said.sentence.startswith("The points have changed")
    while not state.finished:
        watch.append(follow.advance(1))
    # Against all events the run would seem to diverge.
    assert examine(state, watch).kind in {"flat", "still falling"}
    assert watch[-1].train_loss > 100 * watch[199].train_loss


def test_the_largest_stable_rate_follows_the_points():
    config = replace(CLASSIC, learning_rate=0.1, epochs=60, interventions=(move(20, 3, 8, 16),))
    state, events = init(config), []
    while not state.finished:
        events.append(advance(state, 1))
    assert examine(state, events[:20]).kind != "diverging"
    assert examine(state, events).kind in {"diverging", "not finite"}


numbers = st.floats(-1e6, 1e6, allow_nan=False)
point_changes = st.one_of(
    st.builds(lambda at, row, x, y: move(2 * at, row, x, y), st.integers(0, 5), st.integers(0, 9), numbers, numbers),
    st.builds(lambda at, x, y: add(2 * at, x, y), st.integers(0, 5), numbers, numbers),
    st.builds(lambda at, rate: Intervention(at, value=rate), st.integers(0, 9), st.floats(1e-6, 0.01)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(point_changes, max_size=12))
def test_changes_survive_json_and_repeat(made):
    config = RunConfig(
        dataset="sine", samples=10, validation_fraction=0.0, hidden=(2,), batch_size=5, epochs=5, dtype="float64"
    )
    for item in made:
        config = config.with_intervention(item)
    assert RunConfig.from_dict(config.to_dict()) == config
    assert [repr(event) for event in run(config)] == [repr(event) for event in run(config)]
    # As a point is dragged, the run that goes on and the one that replays stand on the same points.
    assert len(dataset_at(config, 100).y_train) == 10 + sum(item.kind == "add" for item in made)


def test_points_move_where_they_are_drawn():
    assert movable(LINE.data)
    assert movable(PLAYGROUND.data)
    assert movable(RunConfig(dataset="exam").data)
    assert not movable(RunConfig(dataset="iris").data)
