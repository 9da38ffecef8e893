"""The best constant by experiment: it agrees with the rule that each loss declares."""

import math

import numpy as np
import pytest

import lossviz
from lossviz import losses
from lossviz.experiment import Search, Sweep, best_constant

KEYS = losses.keys()


def arguments(key):
    loss = losses.get(key)
    inputs = loss.board.inputs(loss.example)
    return (
        {item.name: inputs[item.name] for item in loss.predictions},
        {item.name: inputs[item.name] for item in loss.targets} or None,
    )


@pytest.mark.parametrize("key", KEYS)
def test_what_is_found_is_as_good_as_what_is_declared(key):
    found = best_constant(key, *arguments(key))
    loss = losses.get(key)
    if loss.best_constant is not None:
        assert found is not None
        # Where the rule is without end (a label that never occurs), descent is on its way there.
        endless = not np.isfinite(np.asarray(found.declared)).all()
        # Descent swings around a kink by about its last step; a sweep encloses it.
        close = 1e-8 if isinstance(found, Sweep) else 1e-5
        assert found.value == pytest.approx(found.declared_value, rel=1e-3 if endless else 1e-6, abs=close)
    if isinstance(found, Sweep) and not math.isnan(found.declared):
        assert found.low - 1e-5 <= found.declared <= found.high + 1e-5
    if found is None:
        assert loss.minimiser.startswith("None") or not loss.targets


def test_known_minimisers():
    targets = [1.0, 2.0, 3.0, 4.0, 100.0]
    zeros = [0.0] * 5
    assert best_constant("mse", zeros, targets).low == pytest.approx(22)
    assert best_constant("mae", zeros, targets).low == pytest.approx(3)
    assert best_constant("huber", zeros, targets).low == pytest.approx(3)
    assert best_constant("log_cosh", zeros, targets).low == pytest.approx(3.0188, abs=1e-4)
    assert best_constant("quantile", zeros, targets, tau=0.9).low == pytest.approx(100)


def test_several_equally_good_constants_are_an_interval():
    found = best_constant("mae", [0.0] * 4, [1.0, 2.0, 4.0, 7.0])
    assert (found.low, found.high) == (2.0, 4.0)
    assert found.value == pytest.approx(2.0)


def test_a_loss_that_falls_on_and_on_has_no_best_constant():
    found = best_constant("bce_with_logits", [0.0, 0.0], [1.0, 1.0])
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert found.values[0] > found.values[-1]


def test_a_sweep_shows_the_loss_of_each_constant():
    found = best_constant("huber", [0.0, 0.0, 0.0], [1.0, 2.0, 6.0], "sum", delta=2.0)
    for at in (0, 200, -1):
        constant = found.constants[at]
        value = lossviz.evaluate("huber", [constant] * 3, [1.0, 2.0, 6.0], "sum", delta=2.0).value
        assert found.values[at] == pytest.approx(value)
    assert found.value <= found.values.min() + 1e-12


def test_rows_are_found_by_descent():
    found = best_constant("cross_entropy", np.zeros((4, 3)), [0, 0, 1, 2])
    assert isinstance(found, Search)
    shares = np.exp(found.found["prediction"])
    np.testing.assert_allclose(shares / shares.sum(), [0.5, 0.25, 0.25], atol=1e-4)
    again = best_constant("cross_entropy", np.zeros((4, 3)), [0, 0, 1, 2])
    np.testing.assert_array_equal(found.found["prediction"], again.found["prediction"])


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="shape"):
        best_constant("mse", [0.0], [1.0, 2.0])
    with pytest.raises(KeyError, match="mse"):
        best_constant("msee", [0.0], [1.0])
