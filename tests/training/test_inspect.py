"""Predictions and decision maps show what the model does, in raw units."""

from dataclasses import replace

import numpy as np
import pytest

from lossviz import datasets, losses
from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    RunConfig,
    advance,
    dataset,
    decision_map,
    init,
    losses_for,
    measure,
    output,
    predict,
)


@pytest.mark.parametrize("key", datasets.keys())
def test_predictions_have_the_shape_and_range_that_output_says(key):
    for loss in losses_for(datasets.get(key).task):
        config = RunConfig(dataset=key, loss=loss)
        state = init(config)
        advance(state, 20)
        values = predict(state, dataset(config).x_train)
        kind = output(config)
        rows, classes = len(dataset(config).x_train), len(datasets.get(key).classes)
        assert values.shape == ((rows, classes) if kind == "probabilities" else (rows,))
        if kind in ("probability", "probabilities"):
            assert values.min() >= 0
            assert values.max() <= 1
        if kind == "probabilities":
            np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("key", ["breast_cancer", "circle", "iris", "blobs"])
def test_accuracy_follows_from_what_is_shown(key):
    for loss in losses_for(datasets.get(key).task):
        config = RunConfig(dataset=key, loss=loss, epochs=20)
        state = init(config)
        while not state.finished:
            advance(state, 100)
        split = dataset(config)
        values = predict(state, split.x_validation)
        threshold = {"probability": 0.5, "score": 0.0}.get(output(config), 0.0)
        chosen = values.argmax(axis=1) if values.ndim == 2 else values > threshold
        assert measure(state).validation_metric == pytest.approx(np.mean(chosen == split.y_validation))


def test_scores_belong_to_labels_of_plus_and_minus_one():
    for loss in losses_for("binary"):
        fit = next(fit for fit in losses.get(loss).fits if fit.task == "binary")
        assert (output(RunConfig(loss=loss)) == "score") == (fit.labels == "plus_minus")


def test_standardised_features_have_mean_0_and_spread_1_on_the_training_part():
    config = RunConfig(dataset="diabetes", dtype="float64")
    state, split = init(config), dataset(config)
    x = state.training.x.numpy()
    np.testing.assert_allclose(x[:, :-1].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x[:, :-1].std(axis=0), 1, atol=1e-12)
    np.testing.assert_array_equal(x[:, -1], 1)
    np.testing.assert_allclose(split.mean, split.x_train.mean(axis=0))
    raw = init(replace(config, standardise=False))
    np.testing.assert_array_equal(raw.training.x[:, :-1].numpy(), split.x_train)


def test_parts_are_disjoint_and_the_points_do_not_depend_on_their_share():
    small, large = (dataset(RunConfig(dataset="iris", validation_fraction=share)) for share in (0.2, 0.5))
    for split in (small, large):
        together = np.concatenate([split.x_train, split.x_validation])
        whole = datasets.get("iris").generate(150, 0.0, 0)[0]
        np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(whole, axis=0))
    other = dataset(RunConfig(dataset="iris", validation_fraction=0.2, data_seed=1))
    assert not np.array_equal(other.x_train, small.x_train)
    with pytest.raises(ValueError, match="read-only"):
        small.x_train[0] = 0
    assert dataset(CLASSIC).x_train[:, 0].tolist() == [1, 2, 3, 4]


def test_the_decision_map_holds_the_predictions_on_its_grid():
    state = init(PLAYGROUND)
    advance(state, 100)
    values = decision_map(state, (-6, 6, -3, 5), 13)
    corners = predict(state, np.array([[-6, -3], [6, -3], [-6, 5], [6, 5]], dtype=float))
    np.testing.assert_allclose([values[0, 0], values[0, -1], values[-1, 0], values[-1, -1]], corners, atol=1e-6)
    assert decision_map(init(RunConfig(dataset="blobs")), (-6, 6, -6, 6)).shape == (50, 50, 3)


@pytest.mark.parametrize(
    ("bounds", "size", "message"),
    [
        ((-6, 6, -6), 50, "4 are allowed"),
        ((6, -6, -6, 6), 50, "each low below its high"),
        ((-6, np.nan, -6, 6), 50, "bounds is nan"),
        ((-6, 6, -6, 6), 201, "size is 201"),
    ],
)
def test_bad_maps_are_refused(bounds, size, message):
    with pytest.raises(ValueError, match=message):
        decision_map(init(PLAYGROUND), bounds, size)


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="a decision map needs 2"):
        decision_map(init(CLASSIC), (-1, 1, -1, 1))
    with pytest.raises(ValueError, match=r"x has shape \(3,\)"):
        predict(init(CLASSIC), np.zeros(3))
    with pytest.raises(ValueError, match="x holds nan"):
        predict(init(CLASSIC), np.array([[np.nan]]))


def test_looking_changes_nothing():
    state, other = init(PLAYGROUND), init(PLAYGROUND)
    for _ in range(30):
        advance(state, 3)
        decision_map(state, (-6, 6, -6, 6))
        predict(state, np.zeros((2, 2)))
        measure(state)
        advance(other, 3)
    np.testing.assert_array_equal(state.network.parameters, other.network.parameters)
