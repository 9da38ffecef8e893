"""The proof panel's numbers."""

import numpy as np
import pytest

import lossviz
from lossviz.proof import fill, format_number, prove

KEYS = lossviz.losses.keys()


@pytest.mark.parametrize("key", KEYS)
def test_three_ways_agree_on_every_starting_board(key):
    loss = lossviz.losses.get(key)
    inputs = loss.board.inputs(loss.board.example())
    for reduction in loss.reductions:
        proof = prove(key, inputs["prediction"], inputs["target"], reduction.name)
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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.25, "0.25"),
        (-1.5, "\u22121.5"),
        (0.0005, "0.0005"),
        (0.00012345, "1.23×10⁻⁴"),
        (1234.56789, "1234.5679"),
        (2.5e7, "2.5×10⁷"),
        (float("inf"), "∞"),
        (float("-inf"), "\u2212∞"),
        (float("nan"), "not defined"),
    ],
)
def test_numbers_are_written_alike(value, text):
    assert format_number(value) == text


def test_a_negative_number_gets_parentheses_after_a_sign():
    assert fill("{a} · ({b} − {c})²", {"a": -1.0, "b": -2.0, "c": -3.0}.get) == "−1 · (−2 − (−3))²"
