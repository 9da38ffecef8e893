"""float32 against float64: the numbers that textbooks and torch give."""

import math

import numpy as np
import pytest
import torch

import lossviz
from lossviz import losses
from lossviz.numerics import extremes, precisions

KEYS = losses.keys()


def test_a_sigmoid_before_the_cross_entropy_saturates():
    stable, naive, chain = precisions("bce_with_logits", [16.0], [0.0])
    assert (stable.value32, round(chain.value32, 4), round(naive.value32, 4)) == (16.0, 15.9424, 15.9424)
    stable, naive, chain = precisions("bce_with_logits", [17.0], [0.0])
    assert (stable.value32, chain.value32, naive.value32) == (17.0, 100.0, math.inf)
    assert stable.gradient32["prediction"].tolist() == [1.0]
    assert chain.gradient32["prediction"].tolist() == [0.0]
    assert chain.value64 == pytest.approx(17.0, rel=1e-8)


def test_the_chain_weighs_as_the_loss_does():
    stable, naive, chain = precisions("bce_with_logits", [0.5, -1.0], [1.0, 0.0], pos_weight=3.0)
    assert chain.value64 == pytest.approx(stable.value64)
    assert naive.value64 == pytest.approx(stable.value64)


def test_the_logarithm_of_0():
    clamped, naive = precisions("bce", [0.0], [1.0])
    assert clamped.value64 == 100.0
    assert naive.value64 == math.inf


def test_float32_is_torchs():
    prediction = [0.1, 1e-4, 3.7]
    way = precisions("mse", prediction, [0.0, 0.0, 0.0])[0]
    leaf = torch.tensor(prediction, requires_grad=True)
    value = torch.nn.functional.mse_loss(leaf, torch.zeros(3))
    value.backward()
    assert way.value32 == value.item()
    assert way.gradient32["prediction"].dtype == np.float32
    np.testing.assert_array_equal(way.gradient32["prediction"], leaf.grad.numpy())


@pytest.mark.parametrize("key", KEYS)
def test_on_the_starting_board_all_ways_agree_in_float64(key):
    loss = losses.get(key)
    inputs = loss.board.inputs(loss.example)
    prediction = {item.name: inputs[item.name] for item in loss.predictions}
    target = {item.name: inputs[item.name] for item in loss.targets} or None
    ways = precisions(key, prediction, target)
    assert len(ways) >= 1 + (loss.naive is not None)
    assert ways[0].value64 == lossviz.evaluate(key, prediction, target).value
    for way in ways:
        if math.isfinite(way.value64):  # a logarithm of 0 may stand on the board
            assert way.value64 == pytest.approx(ways[0].value64, rel=1e-6, abs=1e-9), way.title


@pytest.mark.parametrize("key", KEYS)
def test_extremes_are_legal_boards_on_which_something_is_wrong(key):
    loss = losses.get(key)
    for extreme in extremes(key):
        state = {name: torch.tensor(value, dtype=torch.float64) for name, value in extreme.state.items()}
        loss.board.check(state)
        assert extreme.text.count("instead of") or "finite" in extreme.text or "gives" in extreme.text


def test_the_telling_logits_are_16_and_17():
    first, second, *_ = extremes("bce_with_logits")
    assert "15.942 instead of 16" in first.text
    assert "gradient 0 instead of 1" in second.text
    assert extremes("mse") == ()
    assert any("∞ instead of 100" in extreme.text for extreme in extremes("bce"))
    assert any(extreme.fault == "nan" for extreme in extremes("cross_entropy"))
