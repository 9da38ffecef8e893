"""Parameters on the way of a run."""

from dataclasses import replace

import numpy as np
import pytest

from lossviz.landscape import trajectory
from lossviz.training import CLASSIC, PLAYGROUND, init, measure, preset, run


def test_a_trajectory_is_that_of_the_run():
    way = trajectory(PLAYGROUND, epochs=30, moments=10)
    assert way.epochs == (0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30)
    np.testing.assert_array_equal(way.vectors[0], init(PLAYGROUND).network.parameters.double().numpy())
    np.testing.assert_array_equal(way.vectors[-1], way.state.network.parameters.double().numpy())
    events = list(run(replace(PLAYGROUND, epochs=30)))
    np.testing.assert_array_equal(way.losses[1:], [events[epoch - 1].train_loss for epoch in way.epochs[1:]])
    assert not way.overflowed


def test_the_end_is_kept_whatever_the_spacing():
    assert trajectory(CLASSIC, epochs=7, moments=3).epochs == (0, 2, 4, 6, 7)
    assert trajectory(CLASSIC, epochs=1).epochs == (0, 1)


def test_a_run_that_overflows_ends_at_its_last_finite_epoch():
    way = trajectory(replace(CLASSIC, learning_rate=10.0), epochs=500)
    assert way.overflowed
    assert np.isfinite(way.vectors).all()
    assert way.epochs[-1] < 500
    assert measure(way.state).train_loss == way.losses[-1]


def test_a_run_that_goes_back_to_its_best_weights_ends_there():
    config = replace(preset("overfitting").config, patience=5, best_weights=True)
    way = trajectory(config, epochs=300)
    assert way.epochs[-1] < 300
    assert measure(way.state).train_loss == way.losses[-1]
    np.testing.assert_array_equal(way.vectors[-1], way.state.network.parameters.double().numpy())


@pytest.mark.parametrize("values", [{"epochs": 0}, {"epochs": 10, "moments": 1}, {"epochs": 10, "moments": 501}])
def test_bounds(values):
    with pytest.raises(ValueError, match="allowed"):
        trajectory(CLASSIC, **values)
