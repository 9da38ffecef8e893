"""The lowest point of a surface, the square around it, and how racers stand to it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, QuantileRegressor

from lossviz.landscape import OUTCOMES, Minimum, Path, curvature, lowest_point, race, square, standings, surface
from lossviz.training import CLASSIC, RunConfig, dataset, init, losses_for

DATA = ("four_points", "outliers", "sine")


def linear(data, loss, **parameters):
    return RunConfig(
        dataset=data,
        validation_fraction=0.0,
        standardise=False,
        hidden=(),
        loss=loss,
        loss_parameters=parameters,
        dtype="float64",
        batch_size=None,
    )


def found(config):
    state = init(config)
    return lowest_point(state, *square(state))


@pytest.mark.parametrize("data", DATA)
def test_the_square_has_equal_sides_and_holds_zero_and_the_line_of_least_squares(data):
    state = init(linear(data, "mse"))
    (left, right), (low, high) = square(state)
    assert right - left == pytest.approx(high - low)
    split = dataset(state.config)
    weight, bias = np.polyfit(split.x_train[:, 0], split.y_train, 1)
    for w, b in ((0.0, 0.0), (weight, bias)):
        assert left < w < right
        assert low < b < high


def test_the_square_grows_around_points():
    state = init(CLASSIC)
    (left, right), (low, high) = square(state, [(50.0, 0.0)])
    assert left < -40 < 52 < right
    assert right - left == high - low
    with pytest.raises(ValueError, match="inside"):
        square(state, [(float("nan"), 0.0)])


@pytest.mark.parametrize("data", DATA)
def test_the_lowest_point_of_the_squared_error_is_the_line_of_least_squares(data):
    config = linear(data, "mse")
    split = dataset(config)
    minimum = found(config)
    np.testing.assert_allclose(minimum.point, np.polyfit(split.x_train[:, 0], split.y_train, 1), atol=1e-9)
    assert not minimum.flat
    assert not minimum.uneven


def test_how_four_points_bend_at_their_minimum():
    minimum = found(CLASSIC)
    assert minimum.point == pytest.approx((2.0, 0.0), abs=1e-12)
    np.testing.assert_allclose(minimum.curvature.eigenvalues, [0.299390, 16.700610], atol=5e-7)
    assert minimum.curvature.largest_stable_step == pytest.approx(0.119756, abs=5e-7)


@pytest.mark.parametrize("tau", [0.5, 0.8])
@pytest.mark.parametrize("data", ["outliers", "sine"])
def test_the_lowest_point_of_straight_pieces_is_that_of_linear_programming(data, tau):
    config = linear(data, "quantile", tau=tau)
    split = dataset(config)
    golden = QuantileRegressor(quantile=tau, alpha=0.0, solver="highs").fit(split.x_train, split.y_train)
    minimum = found(config)
    np.testing.assert_allclose(minimum.point, (golden.coef_[0], golden.intercept_), atol=1e-6)
    assert minimum.curvature.largest_stable_step is None


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("loss", losses_for("regression"))
def test_no_grid_finds_a_lower_point(data, loss):
    config = linear(data, loss)
    state = init(config)
    ends = square(state)
    minimum = lowest_point(state, *ends)
    assert minimum is not None
    assert minimum.loss <= surface(state, *ends, 101).lowest[2] + 1e-12


def test_a_smooth_loss_bends_at_its_exact_fit_as_beside_it():
    minimum = found(linear("four_points", "log_cosh"))
    assert not minimum.uneven
    # Log cosh is half the squared error near 0.
    np.testing.assert_allclose(minimum.curvature.eigenvalues, [0.149695, 8.350305], atol=1e-5)
    beside = curvature(init(linear("four_points", "log_cosh")), (2.0 + 1e-5, 0.0))
    np.testing.assert_allclose(minimum.curvature.eigenvalues, beside.eigenvalues, rtol=1e-4)


def test_one_sided_and_flat_minima_are_said_to_be_so():
    assert found(linear("four_points", "expectile")).uneven
    assert found(linear("four_points", "epsilon_insensitive")).flat


def path(points, losses, overflowed=False):
    return Path("sgd", 0.1, np.array(points, dtype=float), np.array(losses, dtype=float), overflowed)


def along(values):
    """A path towards (2, 0) along the weight, with squared distance as its loss."""
    return path([(value, 0.0) for value in values], [(value - 2.0) ** 2 for value in values])


STEPS = np.arange(60)


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        (2 - 2 * 0.5**STEPS, "settled"),
        (2 - 2 * 0.96**STEPS, "close"),
        (2 - 2 * 0.99**STEPS, "on the way"),
        (2 + 0.1 * (-1.0) ** STEPS * (STEPS > 0) - 2 * (STEPS == 0), "around"),
        (2 + 1.0 * (-1.0) ** STEPS - 3 * (STEPS == 0), "swinging"),
        (2 + 2 * (-1.1) ** STEPS, "climbing"),
        (np.minimum(STEPS / 20.0, 0.5), "still"),
    ],
)
def test_what_became_of_a_racer(values, outcome):
    minimum = found(CLASSIC)
    assert standings([along(values)], minimum)[0].outcome == outcome
    assert outcome in OUTCOMES


def test_a_standing_in_numbers():
    minimum = found(CLASSIC)
    standing = standings([along([0.0, 1.0, 1.9, 1.0, 1.9, 2.1])], minimum)[0]
    # 1 % of the loss, 4 at the start, is left from step 4 on; at step 2 it was, but not for good.
    assert (standing.steps, standing.loss) == (4, pytest.approx(0.01))
    assert standing.distance == pytest.approx(0.1)
    gone = standings([path([(0, 0), (9, 9)], [4.0, np.inf], overflowed=True)], minimum)[0]
    assert (gone.steps, gone.outcome) == (None, "overflowed")
    nowhere = standings([along([0.0, 1.0, 1.9])], None)[0]
    assert (nowhere.steps, nowhere.distance) == (None, None)


def test_without_a_single_minimum_there_is_no_distance():
    config = linear("four_points", "epsilon_insensitive")
    minimum = found(config)
    assert isinstance(minimum, Minimum)
    standing = standings(race(config, (0.0, 0.0), {"adam": 0.1}, 100), minimum)[0]
    assert standing.distance is None
    assert standing.steps is not None


def test_other_models_and_tasks_are_refused():
    with pytest.raises(ValueError, match="1-1"):
        square(init(RunConfig()))
    with pytest.raises(ValueError, match="1-1"):
        lowest_point(init(RunConfig()), (-1, 1), (-1, 1))


def test_the_square_of_two_classes_holds_the_minimum_of_logistic_regression_and_the_shelves_beyond():
    config = RunConfig(dataset="exam", validation_fraction=0.0, hidden=(), dtype="float64", batch_size=None)
    state = init(config)
    (left, right), (low, high) = square(state)
    assert (left, low) == (-right, -high)
    split = dataset(config)
    x = (split.x_train - split.mean) / split.spread
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(x, split.y_train)
    weight, bias = model.coef_[0, 0], model.intercept_[0]
    minimum = lowest_point(state, (left, right), (low, high))
    np.testing.assert_allclose(minimum.point, (weight, bias), rtol=1e-6)
    assert 1.5 * weight < right < 3 * weight
    # Where the classes do not overlap, the loss falls for ever, but the square has an end.
    apart = init(replace(config, noise=0.0))
    assert square(apart)[0][1] < 100
