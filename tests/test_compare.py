"""Losses on one axis: values and slopes are those of the core, refusals say why."""

import numpy as np
import pytest

import lossviz
from lossviz import losses
from lossviz.compare import CLASSES, axis_of, comparable, compare

PAIRS = sorted(comparable().items())


@pytest.mark.parametrize(("key", "axis"), PAIRS)
def test_curves_agree_with_the_core_and_slopes_with_differences(key, axis):
    result = compare([(key, {}), (key, {})])
    curve = result.curves[0]
    assert result.axis == axis
    defined = np.isfinite(curve.values)
    assert defined.sum() >= 200
    loss, target = losses.get(key), 1.0
    for at in np.flatnonzero(defined)[::60]:
        place = result.places[at]
        if axis == "residual":
            arguments = ([place + target], [target])
        elif axis == "score":
            domain = loss.targets[0].domain
            score = 1 / (1 + np.exp(-place)) if loss.predictions[0].domain.high == 1 else place
            arguments = ([score], [max(domain.values) if domain.kind == "labels" else 1.0])
        else:
            continue
        expected = lossviz.evaluate(key, *arguments, "sum").value
        assert curve.values[at] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    step = result.places[1] - result.places[0]
    differences = (curve.values[2:] - curve.values[:-2]) / (2 * step)
    smooth = np.isfinite(differences)
    bend = np.abs(np.diff(curve.slopes, 2)) > 0.05 * (1 + np.abs(curve.slopes[1:-1]))  # a kink, or a sharp turn
    jump = np.abs(np.diff(curve.slopes, append=curve.slopes[-1])) > 0.05 * (1 + np.abs(curve.slopes))
    near = np.convolve(np.concatenate([[False], bend, [False]]) | jump, np.ones(3), "same")[1:-1] > 0
    kept = smooth & ~near
    if "no_gradient" not in loss.properties:
        assert kept.sum() > 100
        assert np.abs(differences - curve.slopes[1:-1])[kept].max() < 0.05 * (1 + np.abs(differences[kept]).max())


def test_the_true_class_moves_and_the_others_stay():
    curve = compare([("cross_entropy", {}), ("kl_div", {})])
    at = int(np.abs(curve.places - 2.0).argmin())
    expected = lossviz.evaluate("cross_entropy", [[curve.places[at], *[0.0] * (CLASSES - 1)]], [0])
    for found in curve.curves:  # for one true class they are the same function
        assert found.values[at] == pytest.approx(expected.value)
        assert found.slopes[at] == pytest.approx(expected.gradient[0, 0])


@pytest.mark.parametrize(("key", "axis"), PAIRS)
def test_aligned_losses_are_1_at_the_same_place(key, axis):
    result = compare([(key, {}), (key, {})], aligned=True)
    natural = compare([(key, {}), (key, {})]).curves[0]
    at = int(np.abs(result.places - result.reference).argmin())
    curve = result.curves[0]
    if natural.values[at] > 0:
        assert curve.values[at] == pytest.approx(1)
        np.testing.assert_allclose(curve.slopes, natural.slopes * curve.scale)
    else:
        assert "keeps its own scale" in curve.note
        assert curve.scale == 1


def test_parameters_and_target_count():
    low, high = compare([("huber", {"delta": 0.5}), ("huber", {"delta": 2.0})]).curves
    assert low.title == "Huber (delta = 0.5)"
    assert high.values[0] > low.values[0]
    near, far = (compare([("mape", {}), ("mae", {})], target=target).curves[0] for target in (1.0, 4.0))
    assert near.values[-1] == pytest.approx(4 * far.values[-1])


def test_where_a_prediction_is_not_legal_nothing_is_drawn():
    curve = compare([("gamma_deviance", {}), ("mse", {})]).curves[0]
    assert np.isnan(curve.values[0])
    assert "above 0" in curve.note


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([("mse", {})], "1 losses are given; allowed are 2 to 4"),
        ([("mse", {})] * 5, "allowed are 2 to 4"),
        ([("mse", {}), ("hinge", {})], "no axis in common"),
        ([("mse", {}), ("triplet_margin", {})], "it takes 3 predictions"),
        ([("dice", {}), ("mse", {})], "each cell"),
        ([("mse", {}), ("huber", {"delta": -1})], "delta is -1"),
    ],
)
def test_what_cannot_share_an_axis_is_refused_with_the_reason(chosen, message):
    with pytest.raises(ValueError, match=message):
        compare(chosen)


@pytest.mark.parametrize("target", [float("nan"), 2000.0, True, "1"])
def test_bad_targets_are_refused(target):
    with pytest.raises(ValueError, match="target is"):
        compare([("mse", {}), ("mae", {})], target=target)


def test_targets_that_a_loss_does_not_take_are_refused():
    with pytest.raises(ValueError, match="target is -1"):
        compare([("gamma_deviance", {}), ("mse", {})], target=-1.0)


@pytest.mark.parametrize("key", [key for key in losses.keys() if key not in comparable()])  # noqa: SIM118
def test_every_other_loss_says_why_not(key):
    axis, reason = axis_of(losses.get(key))
    assert axis is None
    assert reason.startswith(losses.get(key).title)
    assert reason.endswith(".")
