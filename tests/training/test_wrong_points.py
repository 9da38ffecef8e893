"""Which points a classifier gets wrong: the same as a plain loop over PyTorch's own functions finds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lossviz.training import RunConfig, advance, init, measure, mistakes, predict, preset, snapshot

DIGITS = replace(preset("digits").config, samples=400, hidden=(8,))


def trained(config, updates):
    state = init(config)
    advance(state, updates)
    return state


def test_the_costliest_of_the_validation_part_come_first():
    state = trained(DIGITS, 5)
    before = snapshot(state)
    found = mistakes(state, 7)
    x, y = state.split.x_validation, state.split.y_validation.astype(int)
    probabilities = predict(state, x)
    losses = F.nll_loss(torch.from_numpy(probabilities).double().log(), torch.from_numpy(y), reduction="none").numpy()
    wrong = [row for row in range(len(y)) if probabilities[row].argmax() != y[row]]
    wrong.sort(key=lambda row: -losses[row])
    assert (found.part, found.samples, found.wrong) == ("validation", 120, len(wrong))
    assert [sample.number for sample in found.worst] == [row + 1 for row in wrong[:7]]
    for sample, row in zip(found.worst, wrong, strict=False):
        assert sample.features == tuple(x[row])
        assert sample.target == y[row]
        assert sample.loss == pytest.approx(losses[row], rel=1e-5)
        np.testing.assert_allclose(sample.prediction, probabilities[row], rtol=1e-5)
    assert 1 - found.wrong / found.samples == pytest.approx(measure(state).validation_metric)
    for name, value in snapshot(state).items():
        assert np.array_equal(value, before[name]), name


@pytest.mark.parametrize("loss", ["hinge", "bce_with_logits", "brier", "mse"])
@pytest.mark.parametrize("held_out", [0.0, 0.3])
def test_two_classes_are_counted_as_the_accuracy_counts_them(loss, held_out):
    state = trained(RunConfig(dataset="moons", loss=loss, validation_fraction=held_out), 20)
    found, measured = mistakes(state, 10**6), measure(state)
    right = measured.validation_metric if held_out else measured.train_metric
    assert found.part == ("validation" if held_out else "training")
    assert found.wrong == len(found.worst) == round((1 - right) * found.samples) > 0
    losses = [sample.loss for sample in found.worst]
    assert losses == sorted(losses, reverse=True)


def test_losses_with_class_weights_are_those_whose_mean_is_the_validation_loss():
    weights = {"weight": (5.0, *[1.0] * 9)}
    state = trained(replace(DIGITS, loss_parameters=weights), 1)
    for parameter in state.network.blocks:
        parameter.zero_()
    found = mistakes(state, 10**6)  # Every raw output is 0, so all are taken for class 0.
    y = state.split.y_validation
    assert found.wrong == (y != 0).sum()
    total = np.where(y == 0, 5.0, 1.0).sum()
    assert [sample.loss for sample in found.worst] == pytest.approx([np.log(10) * len(y) / total] * found.wrong)


def test_a_run_that_overflowed_has_mistakes_too():
    state = init(DIGITS)
    for block in state.network.blocks:
        block.fill_(torch.nan)
    found = mistakes(state, 3)
    assert found.wrong > 0
    assert all(np.isnan(sample.loss) for sample in found.worst)


@pytest.mark.parametrize(
    ("config", "count", "message"),
    [(RunConfig(dataset="sine"), 1, "dataset is 'sine'"), (DIGITS, 0, "count is 0; a whole number from 1")],
)
def test_what_has_no_mistakes_is_refused(config, count, message):
    with pytest.raises(ValueError, match=message):
        mistakes(init(config), count)
