"""The proof panel's numbers."""

import numpy as np
import pytest

import lossviz
from lossviz.proof import prove
from tests.losses.points import arguments

KEYS = lossviz.losses.keys()


@pytest.mark.parametrize("key", KEYS)
def test_three_ways_agree_on_every_starting_board(key):
    loss = lossviz.losses.get(key)
    inputs = loss.board.inputs(loss.board.example())
    for reduction in loss.reductions:
        proof = prove(key, *arguments(loss, inputs), reduction.name)
        assert proof.gap < 1e-6
        assert sum(proof.terms) / proof.denominator == pytest.approx(proof.value)
        assert len(proof.worked) == len(proof.terms)
        assert not any("{" in line or "nan" in line for line in proof.worked)


def test_a_kink_is_marked_and_left_out_of_the_gap():
    proof = prove("mae", [1.0, 2.0], [1.0, 0.0])
    assert proof.at_kink.tolist() == [True, False]
    assert proof.gap < 1e-8


def test_there_is_no_central_difference_at_the_edge_of_the_domain():
    proof = prove("bce", [1.0, 0.5], [1.0, 1.0])
    assert np.isnan(proof.central_differences[0])
    assert proof.gap < 1e-6
