"""The figure of logs shows the curves it is given."""

import numpy as np

from lossviz.figures.logs import Curve, logs_figure, smoothed
from lossviz.figures.theme import DASHES, colours

STEPS = np.arange(5000.0)
LOSS = 1 / (1 + STEPS)


def test_runs_differ_in_colour_and_parts_in_line_style():
    curves = [Curve(f"{run} {part}", run, part, STEPS, LOSS) for run in range(2) for part in range(2)]
    figure = logs_figure(curves, "Epoch", "Loss", log=True, dark=True)
    assert [trace.name for trace in figure.data] == [curve.name for curve in curves]
    assert [trace.line.color for trace in figure.data] == [colours(dark=True).lines[run] for run in (0, 0, 1, 1)]
    assert [trace.line.dash for trace in figure.data] == [DASHES[part] for part in (0, 1, 0, 1)]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Epoch", "Loss")
    assert figure.layout.yaxis.type == "log"
    assert len(figure.data[0].x) <= 2000


def test_a_smoothed_curve_keeps_the_raw_one_faint_behind_it():
    figure = logs_figure([Curve("run", 0, 0, STEPS, LOSS)], "Step", "Loss", smoothing=0.9)
    raw, smooth = figure.data
    assert (raw.opacity, raw.showlegend) == (0.3, False)
    assert np.array_equal(raw.y, LOSS[::3])
    assert np.array_equal(smooth.y, smoothed(LOSS, 0.9)[::3])


def test_gaps_part_the_line_and_are_passed_over_by_the_mean():
    values = np.array([1.0, np.nan, np.inf, 3.0])
    figure = logs_figure([Curve("run", 0, 0, np.arange(4.0), values)], "Step", "Loss")
    assert np.isnan(figure.data[0].y).tolist() == [False, True, True, False]
    assert smoothed(np.array([np.nan, 1.0, np.nan, 3.0]), 0.5)[1:].tolist() == [1.0, 1.0, (0.25 * 1 + 0.5 * 3) / 0.75]
    assert np.isnan(smoothed(np.array([1.0, 3.0, np.nan, np.nan]), 0.5)).tolist() == [False, False, True, True]


def test_the_mean_is_that_of_its_weights():
    values, share = np.random.default_rng(0).normal(size=50), 0.8
    weights = (1 - share) * share ** np.arange(50)[::-1]
    assert np.isclose(smoothed(values, share)[-1], (weights * values).sum() / weights.sum())


def test_a_single_point_is_a_marker():
    assert logs_figure([Curve("run", 0, 0, np.ones(1), np.ones(1))], "Epoch", "Loss").data[0].mode == "markers"
