"""Descent on the predictions: the steps, the edge of the domain, and what becomes of a run."""

import numpy as np
import pytest

import lossviz
from lossviz.descent import descend, descent_path


def test_a_step_goes_against_the_gradient():
    before = [1.5, -0.5]
    gradient = lossviz.evaluate("huber", before, [0.0, 0.0], delta=1.5).gradient
    run = descend("huber", before, [0.0, 0.0], 0.3, steps=1, delta=1.5)
    assert run.predictions[1] == pytest.approx(np.array(before) - 0.3 * gradient)
    assert (run.outcome, run.steps) == ("stepped", 1)


def test_squared_error_settles_at_the_targets():
    run = descend("mse", [3.0, -2.0], [1.0, 0.5], 0.5)
    assert run.outcome == "settled"
    assert run.predictions[-1] == pytest.approx([1.0, 0.5], abs=1e-5)
    assert f"after {run.steps} steps" in run.text


def test_absolute_error_with_a_fixed_step_oscillates_although_its_loss_no_longer_changes():
    run = descend("mae", [1.2], [1.05], 0.1)
    assert run.outcome == "oscillating"
    assert run.predictions[-1][0] == pytest.approx(1.0) or run.predictions[-1][0] == pytest.approx(1.1)


def test_a_pinball_with_uneven_sides_oscillates_with_a_longer_period():
    assert descend("quantile", [2.0], [1.05], 0.1, tau=0.9).outcome == "oscillating"


def test_too_high_a_rate_is_unbounded_and_stays_on_the_board():
    run = descend("mse", [3.0], [0.0], 1.5)
    assert run.outcome == "unbounded"
    assert np.abs(run.predictions).max() <= 1000
    assert "1000" in run.text


def test_probabilities_are_held_inside_their_domain():
    run = descend("bce", [0.6, 0.4], [1.0, 0.0], 5.0)
    assert run.outcome == "settled"
    assert run.predictions.min() >= 0
    assert run.predictions.max() <= 1
    assert run.projected["prediction"][1].all()
    assert "edge" in run.text


def test_a_loss_without_a_minimum_is_stopped_after_500_steps():
    run = descend("bce_with_logits", [0.0], [1.0], 0.5)
    assert (run.outcome, run.steps) == ("stopped", 500)


def test_the_path_is_whole_rows_of_the_board():
    run = descend("mse", [3.0, -2.0], [1.0, 0.5], 0.01)
    loss = lossviz.losses.get("mse")
    path = descent_path(loss, {}, "mean", run)
    base = lossviz.tables("mse", run.predictions[-1], [1.0, 0.5]).base
    assert len(path.rows) <= 121
    assert path.steps[0] == 0
    assert path.steps[-1] == run.steps
    assert path.rows[-1] == pytest.approx(np.concatenate(list(base.values())), rel=1e-12)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1001, "fast", None, True])
def test_a_wrong_rate_is_named(rate):
    with pytest.raises(ValueError, match="learning_rate is"):
        descend("mse", [1.0], [0.0], rate)


@pytest.mark.parametrize("steps", [0, 501, 1.5, True])
def test_a_wrong_number_of_steps_is_named(steps):
    with pytest.raises(ValueError, match="steps is"):
        descend("mse", [1.0], [0.0], 0.1, steps=steps)


def test_all_points_of_a_triplet_move_and_the_labels_stay():
    points = {"anchor": [[0.0, 0.0]], "positive": [[1.0, 0.0]], "negative": [[0.5, 0.5]]}
    run = descend("triplet_margin", points, None, 0.1)
    assert run.outcome == "settled"
    assert set(run.projected) == set(points)
    assert all(not np.array_equal(values[0], values[-1]) for values in run.states.values())
    pair = {"first": [[1.0, 0.0]], "second": [[0.0, 1.0]]}
    assert descend("cosine_embedding", pair, [1.0], 0.1, steps=3).states["target"].tolist() == [[1.0]] * 4
