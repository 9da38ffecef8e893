"""Figures: what they show, by name and number."""

import numpy as np
import pytest

from lossviz.compare import compare
from lossviz.experiment import best_constant
from lossviz.figures import comparison_figure, constant_figure
from lossviz.figures.theme import DARK, LIGHT


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_a_comparison_has_values_above_slopes(dark, colours):
    result = compare([("mse", {}), ("mae", {}), ("huber", {}), ("huber", {"delta": 2.0})])
    figure = comparison_figure(result, dark)
    assert len(figure.data) == 8
    for index, curve in enumerate(result.curves):
        values, slopes = figure.data[2 * index : 2 * index + 2]
        assert values.name == slopes.name == curve.title
        np.testing.assert_array_equal(values.y, curve.values)
        if curve.key != "mae":
            np.testing.assert_array_equal(slopes.y, curve.slopes)
        assert (values.showlegend, slopes.showlegend) == (True, False)
        assert values.line.color == slopes.line.color == colours.lines[index]
    assert len({trace.line.dash for trace in figure.data}) == 4
    assert len({trace.line.color for trace in figure.data}) == 4
    assert figure.layout.xaxis2.title.text == "Prediction minus target"
    assert figure.layout.yaxis.title.text == "Loss"
    assert figure.layout.font.color == colours.text


def test_lines_are_parted_at_jumps_and_kinks():
    figure = comparison_figure(compare([("mae", {}), ("epsilon_insensitive", {})]))
    for trace, places in ((figure.data[1], [0.0]), (figure.data[3], [-0.5, 0.5])):
        gaps = np.flatnonzero(np.isnan(trace.y))
        np.testing.assert_array_equal(trace.x[gaps], places)
        np.testing.assert_array_equal(trace.x[gaps - 1], places)
        np.testing.assert_array_equal(trace.x[gaps + 1], places)
    np.testing.assert_array_equal(figure.data[1].y[199:204], [-1, -1, np.nan, 1, 1])
    hinge, steps = comparison_figure(compare([("hinge", {}), ("zero_one", {})])).data[::2]
    assert not np.isnan(hinge.y).any()
    assert np.isnan(steps.y).sum() == 1


def test_an_aligned_comparison_says_so():
    figure = comparison_figure(compare([("mse", {}), ("mae", {})], aligned=True))
    assert figure.layout.yaxis.title.text == "Loss (scaled)"
    assert {shape.x0 for shape in figure.layout.shapes} == {1.0}


def test_the_axis_shows_what_most_curves_reach():
    figure = comparison_figure(compare([("hinge", {}), ("exponential", {}), ("bce_with_logits", {})]))
    low, high = figure.layout.yaxis.range
    assert low < 0
    assert 5 < high < 6


def test_a_sweep_shows_targets_and_both_answers():
    targets = [1.0, 2.0, 6.0]
    sweep = best_constant("mse", [0.0] * 3, targets)
    figure = constant_figure(sweep, targets)
    traces = {trace.name: trace for trace in figure.data}
    np.testing.assert_array_equal(traces["Loss"].x, sweep.constants)
    assert list(traces["Targets"].x) == targets
    assert list(traces["Found"].x) == [sweep.low]
    assert list(traces["Declared"].x) == [sweep.declared]
    assert figure.layout.yaxis.title.text == "Loss"


def test_a_sweep_without_an_answer_shows_the_curve_alone():
    sweep = best_constant("bce_with_logits", [0.0], [1.0])
    assert [trace.name for trace in constant_figure(sweep, [1.0]).data] == ["Loss", "Targets"]
    flat = best_constant("mae", [0.0, 0.0], [1.0, 2.0])
    assert list(constant_figure(flat, [1.0, 2.0]).data[2].x) == [1.0, 2.0]
