"""Planes through a network's parameters: their directions, and the losses on them, which are the engine's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lossviz.landscape import frame, plane_surface, random_plane, training_losses, trajectory_plane
from lossviz.models import ACTIVATIONS
from lossviz.training import CLASSIC, PLAYGROUND, RunConfig, advance, init, losses_for, measure

WEIGHTED = {"weight": (1.0, 2.0, 0.5), "label_smoothing": 0.1}
CONFIGS = [
    replace(PLAYGROUND, dtype="float64", validation_fraction=0.0),
    RunConfig(dataset="sine", hidden=(8,), activation="relu", loss="huber", dtype="float64"),
    RunConfig(dataset="spiral", hidden=(16, 16, 4), activation="sigmoid", dtype="float64"),
    RunConfig(dataset="gaussians", hidden=(), dtype="float64"),
    RunConfig(dataset="blobs", hidden=(5,), loss_parameters=WEIGHTED, dtype="float64"),
    *(RunConfig(dataset="blobs", hidden=(3, 2), loss=loss, dtype="float64") for loss in losses_for("multiclass")),
    *(RunConfig(dataset="moons", hidden=(3,), loss=loss, dtype="float64") for loss in losses_for("binary")),
    *(RunConfig(dataset="moons", hidden=(4, 3), activation=key, dtype="float64") for key in ACTIVATIONS),
]


def trained(config, updates=30):
    state = init(config)
    for _ in range(updates):
        advance(state, 1)
    return state


def engine_losses(state, points):
    """What `measure` says with the parameters set to each point."""
    own = state.network.parameters.clone()
    values = []
    for point in points:
        state.network.parameters.copy_(torch.from_numpy(point))
        values.append(measure(state).train_loss)
    state.network.parameters.copy_(own)
    return np.array(values)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.dataset}-{config.loss}-{config.activation}")
def test_losses_on_a_plane_are_those_of_the_engine(config):
    state = trained(config)
    plane = random_plane(state, seed=3)
    found = plane_surface(state, plane, (-1.5, 1), (-1, 2), 7)
    coordinates = np.stack([part.ravel() for part in np.meshgrid(found.first, found.second)], axis=1)
    expected = engine_losses(state, plane.points(coordinates))
    np.testing.assert_allclose(found.losses.ravel(), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(training_losses(state, plane.points(coordinates)), expected, rtol=1e-10, atol=1e-12)


def test_more_points_than_one_chunk_are_all_there():
    state = trained(CONFIGS[0])
    plane = random_plane(state)
    found = plane_surface(state, plane, (-1, 1), (-1, 1), 51)
    coordinates = np.stack([part.ravel() for part in np.meshgrid(found.first, found.second)], axis=1)
    some = np.arange(0, 2601, 17)
    expected = engine_losses(state, plane.points(coordinates[some]))
    np.testing.assert_allclose(found.losses.ravel()[some], expected, rtol=1e-10)
    points = plane.points(coordinates)
    np.testing.assert_allclose(training_losses(state, points), found.losses.ravel(), rtol=1e-12)


def test_a_float32_run_keeps_its_precision_and_its_centre():
    state = trained(PLAYGROUND)
    found = plane_surface(state, random_plane(state), (-1, 1), (-1, 1), 3)
    assert found.losses[1, 1] == pytest.approx(measure(state).train_loss, rel=1e-6)
    assert found.losses.dtype == np.float64


def test_the_weights_of_every_unit_of_a_random_direction_are_as_long_as_the_units_own():
    state = trained(RunConfig(dataset="blobs", hidden=(5, 3)))
    plane = random_plane(state, seed=1)
    np.testing.assert_array_equal(plane.centre, state.network.parameters.to(torch.float64))
    for direction in plane.directions:
        parts = state.network.split(torch.from_numpy(direction))
        for part, weights in zip(parts, state.network.weights, strict=True):
            np.testing.assert_allclose(part[:, :-1].norm(dim=1), weights.to(torch.float64).norm(dim=1), rtol=1e-12)
            assert not part[:, -1].any()


def test_the_same_function_with_weights_of_another_size_has_the_same_landscape():
    state = trained(RunConfig(dataset="moons", hidden=(6,), activation="relu", dtype="float64"))
    before = plane_surface(state, random_plane(state), (-1, 1), (-1, 1), 9)
    state.network.blocks[0].mul_(10.0)
    state.network.weights[1].div_(10.0)
    after = plane_surface(state, random_plane(state), (-1, 1), (-1, 1), 9)
    np.testing.assert_allclose(after.losses, before.losses, rtol=1e-12)


def test_random_planes_repeat_by_seed_and_leave_torchs_own_generator_alone():
    state = init(PLAYGROUND)
    before = torch.random.get_rng_state()
    one, again, other = random_plane(state, 5), random_plane(state, 5), random_plane(state, 6)
    np.testing.assert_array_equal(one.directions, again.directions)
    assert not np.allclose(one.directions, other.directions)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_trajectorys_plane_is_that_of_numpys_decomposition():
    state = init(PLAYGROUND)
    vectors = [state.network.parameters.clone().numpy()]
    for _ in range(40):
        advance(state, 25)
        vectors.append(state.network.parameters.clone().numpy())
    vectors = np.array(vectors, dtype=np.float64)
    plane = trajectory_plane(vectors)
    _, lengths, rows = np.linalg.svd(vectors - vectors.mean(axis=0))
    np.testing.assert_allclose(np.abs((plane.directions * rows[:2]).sum(axis=1)), 1.0, rtol=1e-10)
    np.testing.assert_allclose(plane.shares, (lengths**2 / (lengths**2).sum())[:2], rtol=1e-10)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    assert (plane.directions[[0, 1], np.abs(plane.directions).argmax(axis=1)] > 0).all()
    assert plane.shares[0] > plane.shares[1] > 0

    path = plane.project(vectors)
    np.testing.assert_allclose(path, (vectors - vectors[-1]) @ plane.directions.T, atol=1e-12)
    np.testing.assert_allclose(path[-1], 0.0, atol=1e-15)
    # The end of the run lies in the plane, so its loss there is the run's own.
    (w_low, w_high), (b_low, b_high) = frame(path)
    assert w_low < path[:, 0].min() < path[:, 0].max() < w_high
    assert b_low < path[:, 1].min() < path[:, 1].max() < b_high
    end = plane_surface(state, plane, (-1, 1), (-1, 1), 3).losses[1, 1]
    assert end == pytest.approx(measure(state).train_loss, rel=1e-6)


def test_the_first_two_directions_hold_more_of_the_path_than_any_other_two():
    vectors = np.random.default_rng(0).standard_normal((12, 6)).cumsum(axis=0)
    plane = trajectory_plane(vectors)
    spread = vectors - vectors.mean(axis=0)
    whole = (spread**2).sum()
    assert sum(plane.shares) == pytest.approx(((spread @ plane.directions.T) ** 2).sum() / whole, rel=1e-12)
    for seed in range(20):
        other = np.linalg.qr(np.random.default_rng(seed).standard_normal((6, 2)))[0]
        assert ((spread @ other) ** 2).sum() / whole < sum(plane.shares)


def test_a_straight_path_lies_along_the_first_direction():
    plane = trajectory_plane(np.outer(np.arange(5.0), [3.0, 0.0, 4.0]))
    np.testing.assert_allclose(plane.shares, (1.0, 0.0), atol=1e-15)
    np.testing.assert_allclose(plane.directions[0], [0.6, 0.0, 0.8], atol=1e-15)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)


def test_what_lies_in_a_plane_comes_back_from_it():
    state = trained(PLAYGROUND)
    coordinates = np.random.default_rng(0).uniform(-2, 2, (9, 2))
    plane = random_plane(state)
    np.testing.assert_allclose(plane.project(plane.points(coordinates)), coordinates, atol=1e-12)
    # Beside the plane, the nearest point of it counts: what is left is at right angles to both directions.
    vectors = plane.points(coordinates) + np.random.default_rng(1).standard_normal((9, len(plane.centre)))
    left = vectors - plane.points(plane.project(vectors))
    np.testing.assert_allclose(left @ plane.directions.T, 0, atol=1e-11)


def test_frames_hold_paths_that_do_not_extend():
    assert frame([[1.0, 2.0]], margin=0.5) == ((-1.0, 3.0), (0.0, 4.0))
    assert frame([[0.0, 3.0], [4.0, 3.0]], margin=0.0) == ((0.0, 4.0), (1.0, 5.0))


def test_looking_changes_nothing():
    state, other = init(PLAYGROUND), init(PLAYGROUND)
    for _ in range(5):
        advance(state, 3)
        plane_surface(state, random_plane(state), (-1, 1), (-1, 1), 5)
        training_losses(state, np.ones((3, 25)))
        advance(other, 3)
    np.testing.assert_array_equal(state.network.parameters, other.network.parameters)


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda s, p: plane_surface(s, p, (-1, 1), (-1, 1), 1), "size is 1; a whole number from 2 to 201"),
        (lambda s, p: plane_surface(s, p, (-1, 1), (-1, 1), 202), "size is 202"),
        (lambda s, p: plane_surface(s, p, (1, 1), (-1, 1)), "first is .* a low below its high"),
        (lambda s, p: plane_surface(s, p, (-1, 1), (-1, np.inf)), "second is inf"),
        (
            lambda s, p: plane_surface(init(CLASSIC), p, (-1, 1), (-1, 1)),
            "the plane has 25 parameters; the network's 2",
        ),
        (lambda s, p: random_plane(s, -1), "seed is -1"),
        (lambda s, p: random_plane(init(replace(PLAYGROUND, initialisation="zeros"))), "all weights are 0"),
        (lambda s, p: training_losses(s, np.zeros((3, 24))), r"points has shape \(3, 24\); \(points, 25\)"),
        (lambda s, p: training_losses(s, np.full((3, 25), np.nan)), "points holds nan"),
        (lambda s, p: training_losses(s, "abc"), "points is 'abc'"),
        (lambda s, p: p.points([[0.0, np.inf]]), "coordinates holds inf"),
        (lambda s, p: p.project(np.zeros((2, 3))), "vectors has shape"),
        (lambda s, p: trajectory_plane(np.ones((5, 4))), "vectors never changes"),
        (lambda s, p: trajectory_plane(np.eye(2)), "at least 3 moments"),
        (lambda s, p: trajectory_plane([1.0, 2.0]), "vectors has shape"),
        (lambda s, p: trajectory_plane([[0.0, 1.0], [np.nan, 0.0], [1.0, 1.0]]), "vectors holds nan"),
        (lambda s, p: frame([]), "coordinates has shape"),
        (lambda s, p: frame([[0.0, 0.0]], margin=-1), "margin is -1"),
    ],
)
def test_bad_input_is_refused(look, message):
    state = init(PLAYGROUND)
    with pytest.raises(ValueError, match=message):
        look(state, random_plane(state))


def test_jobs_that_would_take_minutes_are_refused():
    large = init(RunConfig(dataset="circle", samples=5000, hidden=(64, 64, 64, 64)))
    with pytest.raises(ValueError, match=r"40,401 points are too many .* 2,500 training samples; at most 1,\d\d\d are"):
        plane_surface(large, random_plane(large), (-1, 1), (-1, 1), 201)


def test_parameters_that_ran_away_are_refused():
    state = init(PLAYGROUND)
    state.network.parameters[0] = torch.inf
    with pytest.raises(ValueError, match="the run's parameters are not finite"):
        random_plane(state)
