"""The landscape of one weight and one bias: the surface, its slopes, how it bends, and the paths on it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from lossviz import datasets, optimizers
from lossviz.datasets.base import Dataset
from lossviz.landscape import MAX_UPDATES, curvature, gradients, race, surface
from lossviz.training import (
    CLASSIC,
    Intervention,
    RunConfig,
    dataset,
    init,
    largest_stable_rate,
    losses_for,
    measure,
    run,
)

LINE = RunConfig(dataset="outliers", hidden=(), validation_fraction=0.25, dtype="float64")
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.05),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05),
}


def hours(samples, noise, generator):
    """Whether an exam is passed, by the hours studied: one feature, two classes that overlap."""
    x = generator.uniform(0.0, 6.0, samples)
    return x[:, None], (x + generator.standard_normal(samples) > 3.0).astype(np.float64)


@pytest.fixture
def passed(monkeypatch):
    """A config with one feature and two classes."""
    data = Dataset(
        key="hours",
        title="Exam",
        task="binary",
        description="Passed or not, by the hours studied.",
        feature_names=("hours",),
        target_name="passed",
        draw=hours,
        samples=40,
        classes=("failed", "passed"),
    )
    monkeypatch.setitem(datasets._DATASETS, "hours", data)
    return RunConfig(dataset="hours", hidden=(), loss="mse", validation_fraction=0.0, dtype="float64")


def numpy_losses(config, per_point):
    """The surface by a loop in NumPy, from raw data and a textbook formula."""
    split = dataset(config)
    x = (split.x_train[:, 0] - split.mean[0]) / split.spread[0]
    weights, biases = np.linspace(-3, 5, 9), np.linspace(-2, 7, 9)
    grid = [[np.mean(per_point(w * x + b, split.y_train)) for w in weights] for b in biases]
    found = surface(init(config), (-3, 5), (-2, 7), 9)
    np.testing.assert_allclose(found.first, weights)
    np.testing.assert_allclose(found.second, biases)
    return found.losses, np.array(grid)


def huber(delta):
    def per_point(z, y):
        error = np.abs(z - y)
        return np.where(error <= delta, 0.5 * error**2, delta * (error - 0.5 * delta))

    return per_point


def weighted_cross_entropy(z, y):
    p = 1 / (1 + np.exp(-z))
    return -(3 * y * np.log(p) + (1 - y) * np.log(1 - p))


def test_surfaces_equal_numpy(passed):
    for config, per_point in (
        (replace(LINE, loss="mse"), lambda z, y: (z - y) ** 2),
        (replace(LINE, loss="huber", loss_parameters={"delta": 0.7}), huber(0.7)),
        (replace(passed, loss="bce_with_logits", loss_parameters={"pos_weight": 3.0}), weighted_cross_entropy),
        (passed, lambda z, y: (np.tanh(z) - (2 * y - 1)) ** 2),
    ):
        found, expected = numpy_losses(config, per_point)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def every_line(passed):
    """One config for each loss of a task that one feature can have."""
    for loss in losses_for("regression"):
        yield replace(LINE, loss=loss)
    for loss in losses_for("binary"):
        yield replace(passed, loss=loss)


def test_every_loss_agrees_with_the_engine_and_with_central_differences(passed):
    points = np.array([[0.31, -0.42], [-0.64, 2.19]])
    for config in every_line(passed):
        state = init(config)

        def engine(point, state=state):
            state.network.parameters.copy_(torch.from_numpy(point))
            return measure(state).train_loss

        found = surface(state, (-0.64, 0.31), (-0.42, 2.19), 2)
        corners = [engine(np.array([w, b])) for b in found.second for w in found.first]
        np.testing.assert_allclose(found.losses.ravel(), corners, rtol=1e-10, atol=1e-12, err_msg=config.loss)

        slopes = gradients(state, points)
        steps = 1e-6 * np.eye(2)
        numeric = [[(engine(p + h) - engine(p - h)) / 2e-6 for h in steps] for p in points]
        np.testing.assert_allclose(slopes, numeric, rtol=1e-5, atol=1e-7, err_msg=config.loss)

        for point in points:
            bend = curvature(state, point)
            rows = (gradients(state, point + steps) - gradients(state, point - steps)) / 2e-6
            np.testing.assert_allclose(bend.hessian, rows, rtol=1e-5, atol=1e-6, err_msg=config.loss)
            vectors = bend.eigenvectors
            np.testing.assert_allclose(bend.hessian @ vectors, vectors * bend.eigenvalues, atol=1e-9)


def test_the_classic_example_has_its_known_landscape():
    state = init(CLASSIC)
    assert surface(state, (-1, 4), (-2, 2), 41).lowest == (2.0, 0.0, 0.0)
    np.testing.assert_array_equal(gradients(state, [[2.0, 0.0]]), [[0.0, 0.0]])
    bend = curvature(state, (2.0, 0.0))
    x = np.array([[1.0, 1], [2, 1], [3, 1], [4, 1]])
    np.testing.assert_allclose(bend.hessian, 2 / 4 * x.T @ x)
    np.testing.assert_allclose(bend.eigenvalues, [(17 - 269**0.5) / 2, (17 + 269**0.5) / 2])
    assert round(bend.largest_stable_step, 6) == 0.119756
    assert bend.largest_stable_step == pytest.approx(largest_stable_rate(CLASSIC), rel=1e-12)
    assert bend.condition == pytest.approx((17 + 269**0.5) / (17 - 269**0.5), rel=1e-12)


def test_descent_falls_below_the_largest_stable_step_and_runs_away_above_it():
    limit = curvature(init(CLASSIC), (2.0, 0.0)).largest_stable_step
    for share, grows in ((0.99, False), (1.01, True)):
        (path,) = race(replace(CLASSIC, dtype="float64"), (0.0, 0.0), {"sgd": share * limit}, 300)
        assert (path.losses[-1] > path.losses[0]) == grows


def test_where_nothing_bends_upwards_no_step_is_too_large():
    straight = curvature(init(replace(LINE, loss="mae")), (0.5, 0.5))
    np.testing.assert_array_equal(straight.hessian, 0)
    assert straight.condition is None
    assert straight.largest_stable_step is None
    # So far away that all errors are beyond delta, the Huber loss is straight too.
    assert curvature(init(replace(LINE, loss="huber")), (0.0, 1e5)).condition is None
    # Far from all points the Cauchy loss bends downwards in the direction of the errors.
    hollow = curvature(init(replace(LINE, loss="cauchy")), (0.0, 100.0))
    assert hollow.eigenvalues[0] < 0
    assert hollow.condition is None


def test_paths_are_those_of_torch_optim():
    for config in (replace(CLASSIC, dtype="float64"), replace(LINE, loss="huber")):
        state = init(config)
        x, y = state.training.x[:, 0], state.training.target
        for path in race(config, (4.0, -3.0), dict.fromkeys(OPTIMIZERS, 0.05), 60):
            w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (4.0, -3.0))
            optimizer = OPTIMIZERS[path.optimizer]([w, b])
            expected = []
            for _ in range(61):
                optimizer.zero_grad()
                error = w * x + b - y
                value = (error**2).mean() if config.loss == "mse" else torch.nn.functional.huber_loss(w * x + b, y)
                expected.append([w.item(), b.item(), value.item()])
                value.backward()
                optimizer.step()
            np.testing.assert_allclose(path.points, np.array(expected)[:, :2], rtol=1e-11, atol=1e-12)
            np.testing.assert_allclose(path.losses, np.array(expected)[:, 2], rtol=1e-11, atol=1e-12)


def test_the_path_of_sgd_is_the_engines_own_run():
    config = replace(CLASSIC, epochs=100)
    (path,) = race(config, (0.0, 0.0), {"sgd": config.learning_rate}, 100)
    events = list(run(config))
    assert path.losses[0] == 30.0
    assert path.losses[1:].tolist() == [event.train_loss for event in events]
    assert not path.overflowed
    # Batches, seed and changes on the way of the config leave no trace, so that nothing is left to chance.
    other = replace(config, batch_size=1, seed=7, interventions=(Intervention(3, value=0.1),))
    np.testing.assert_array_equal(race(other, (0.0, 0.0), {"sgd": 0.01}, 100)[0].points, path.points)


def test_all_optimizers_race_unless_some_are_named():
    paths = race(LINE, (1.0, 1.0), updates=5)
    assert tuple(path.optimizer for path in paths) == optimizers.keys()
    assert {path.learning_rate for path in paths} == {LINE.learning_rate}
    assert {path.points.shape for path in paths} == {(6, 2)}
    assert {tuple(path.points[0]) for path in paths} == {(1.0, 1.0)}


def test_a_racer_that_runs_away_stops_where_its_numbers_overflow():
    (path,) = race(CLASSIC, (0.0, 0.0), {"sgd": 50.0}, 500)
    assert path.overflowed
    assert len(path.points) == len(path.losses) < 20
    assert np.isfinite(path.points).all()
    assert all(later > earlier for earlier, later in pairwise(path.losses[:-1]))


def test_looking_changes_nothing():
    state = init(replace(LINE, initialisation="default"))
    before = state.network.parameters.clone()
    surface(state, (-1, 1), (-1, 1), 5)
    gradients(state, [[3.0, 3.0]])
    curvature(state, (3.0, 3.0))
    np.testing.assert_array_equal(state.network.parameters, before)


@pytest.mark.parametrize("config", [RunConfig(), replace(CLASSIC, hidden=(1,)), RunConfig(dataset="blobs", hidden=())])
def test_other_models_are_refused(config):
    state = init(config)
    for look in (
        lambda: surface(state, (-1, 1), (-1, 1)),
        lambda: gradients(state, [[0.0, 0.0]]),
        lambda: curvature(state, (0.0, 0.0)),
        lambda: race(config, (0.0, 0.0)),
    ):
        with pytest.raises(ValueError, match=r"the model has units .* 1-1, is allowed"):
            look()


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda s: surface(s, (-1, 1), (-1, 1), 1), "size is 1; a whole number from 2 to 201"),
        (lambda s: surface(s, (-1, 1), (-1, 1), 202), "size is 202"),
        (lambda s: surface(s, (-1, 1), (-1, 1), 5.5), "size is 5.5"),
        (lambda s: surface(s, (1, -1), (-1, 1)), "weights is .* a low below its high"),
        (lambda s: surface(s, (-1, 1), (-1, float("nan"))), "biases is nan"),
        (lambda s: surface(s, (-1, 1), 3.0), "biases is 3.0; two numbers"),
        (lambda s: gradients(s, [[0.0, float("inf")]]), "points holds inf"),
        (lambda s: gradients(s, [0.0, 1.0]), r"points has shape \(2,\); \(points, 2\)"),
        (lambda s: gradients(s, []), "points has shape"),
        (lambda s: curvature(s, (float("nan"), 0.0)), "point weight is nan"),
        (lambda s: curvature(s, "ab"), "point is 'ab'; two numbers"),
        (lambda s: race(s.config, (0.0, float("inf"))), "start bias is inf"),
        (lambda s: race(s.config, (2e6, 0.0)), "start weight is 2000000.0; a number from -1e\\+06 to 1e\\+06"),
        (lambda s: race(s.config, (0.0,)), "start is .* two numbers"),
        (lambda s: race(s.config, (0.0, 0.0), {"newton": 1.0}), "optimizer is 'newton'; allowed: sgd"),
        (lambda s: race(s.config, (0.0, 0.0), {"sgd": 0.0}), "learning_rate is 0.0"),
        (lambda s: race(s.config, (0.0, 0.0), {}), "rates is {}"),
        (lambda s: race(s.config, (0.0, 0.0), updates=MAX_UPDATES + 1), "updates is 1001"),
    ],
)
def test_bad_input_is_refused(look, message):
    with pytest.raises(ValueError, match=message):
        look(init(CLASSIC))


def test_a_hessian_that_overflows_is_refused(passed):
    with pytest.raises(ValueError, match="the loss overflows at"):
        curvature(init(replace(passed, loss="exponential")), (1e6, 0.0))
    found = surface(init(replace(passed, loss="exponential")), (-1e6, 1e6), (0, 1), 3)
    assert np.isinf(found.losses).any()
    assert np.isfinite(found.lowest[2])
