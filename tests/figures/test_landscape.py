"""Pictures of landscapes: what they show, by name and number."""

import json

import numpy as np
import pytest

from lossviz.figures import Track, contour_figure, perspective_figure
from lossviz.figures.landscape import _PATHS, _SCALES, SYMBOLS, Scale
from lossviz.figures.theme import DARK, LIGHT
from lossviz.landscape import Surface, gradients, race, surface
from lossviz.training import CLASSIC, init

NAMES = ("weight w", "bias b")
GROUND = surface(init(CLASSIC), (-1, 5), (-3, 3), 13)
PATHS = race(CLASSIC, (0.0, 1.0), {"sgd": 0.1, "adam": 0.1}, 20)
TRACKS = [Track(path.optimizer, path.points, path.losses, look) for look, path in enumerate(PATHS)]
MARKS = {"Minimum": (2.0, 0.0, 0.0), "Start": (0.0, 1.0, 22.5)}


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("dark", [False, True])
def test_every_path_stands_out_from_all_of_the_map(dark):
    for path in _PATHS[dark]:
        for ground in _SCALES[dark]:
            light, deep = sorted((luminance(path), luminance(ground)), reverse=True)
            assert (light + 0.05) / (deep + 0.05) >= 3.0, (path, ground)
    assert len(set(_PATHS[dark])) == len(set(SYMBOLS)) == 7


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_a_map_has_surface_paths_ends_and_marks(dark, colours):
    figure = contour_figure(GROUND, TRACKS, MARKS, names=NAMES, dark=dark)
    assert [trace.name for trace in figure.data] == [
        "Loss",
        "sgd",
        "sgd, end",
        "adam",
        "adam, end",
        "Minimum",
        "Start",
    ]
    ground, line, end = figure.data[:3]
    np.testing.assert_array_equal(ground.z, GROUND.losses)
    np.testing.assert_array_equal(ground.customdata, GROUND.losses)
    np.testing.assert_allclose(line.x, PATHS[0].points[:, 0])
    np.testing.assert_allclose(line.y, PATHS[0].points[:, 1])
    assert (list(end.x), list(end.y)) == ([line.x[-1]], [line.y[-1]])
    assert line.meta == {"track": 0, "part": "line", "losses": PATHS[0].losses.tolist()}
    assert end.meta == {"track": 0, "part": "head"}
    assert line.line.color == end.marker.color == TRACKS[0].colour(dark)
    assert figure.data[3].line.dash != line.line.dash
    assert figure.data[4].marker.symbol != end.marker.symbol
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == NAMES
    assert (list(figure.layout.xaxis.range), list(figure.layout.yaxis.range)) == ([-1, 5], [-3, 3])
    assert figure.layout.font.color == colours.text


def test_arrows_point_downhill_and_are_longer_where_it_is_steeper():
    places = np.array([[0.0, 0.0], [1.9, 0.0]])
    slopes = gradients(init(CLASSIC), places)
    arrows = contour_figure(GROUND, names=NAMES, slopes=(places, slopes)).data[1]
    assert arrows.name == "Downhill"
    points = np.column_stack([arrows.x, arrows.y]).reshape(2, 6, 2)
    shafts = points[:, 1] - points[:, 0]
    np.testing.assert_allclose(points[:, :2].mean(axis=1), places)
    lengths = np.linalg.norm(shafts, axis=1)
    np.testing.assert_allclose(shafts / lengths[:, None], -slopes / np.linalg.norm(slopes, axis=1)[:, None], atol=1e-12)
    assert lengths[0] > lengths[1]


def test_a_flat_place_has_no_arrow():
    places = np.array([[2.0, 0.0], [0.0, 0.0]])
    arrows = contour_figure(GROUND, names=NAMES, slopes=(places, gradients(init(CLASSIC), places))).data[1]
    assert len(arrows.x) == 6


def test_a_log_scale_shows_losses_beside_its_colours():
    figure = contour_figure(GROUND, names=NAMES, log=True)
    ground = figure.data[0]
    high = GROUND.losses.max()
    np.testing.assert_allclose(ground.z, np.log10(np.maximum(GROUND.losses, high * 1e-4)))
    bar = ground.colorbar
    np.testing.assert_allclose([float(text) for text in bar.ticktext], 10.0 ** np.array(bar.tickvals))


def test_scales_survive_what_is_level_or_overflows():
    level = Surface(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.full((2, 2), 3.0))
    for log in (False, True):
        low, high = Scale(level, log).ends
        assert low < high
        assert contour_figure(level, names=NAMES, log=log).data
    spoilt = Surface(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[1.0, np.inf], [np.nan, 10.0]]))
    heights = Scale(spoilt, log=True).heights(spoilt.losses)
    np.testing.assert_array_equal(np.isnan(heights), [[False, True], [True, False]])
    nothing = Surface(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.full((2, 2), np.inf))
    assert perspective_figure(nothing, names=NAMES).data
    zeros = Surface(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.zeros((2, 2)))
    assert contour_figure(zeros, names=NAMES, log=True).data


def test_a_path_that_runs_away_stays_drawable():
    away = race(CLASSIC, (0.0, 1.0), {"sgd": 1.0}, 200)[0]
    track = Track("sgd", away.points, away.losses)
    line = contour_figure(GROUND, [track], names=NAMES).data[1]
    assert np.abs([line.x, line.y]).max() < 200
    text = contour_figure(GROUND, [track], names=NAMES).to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    deep = perspective_figure(GROUND, [track], names=NAMES).data[1]
    outside = np.isnan(deep.x)
    assert outside.any()
    assert not outside[0]


def test_a_perspective_has_paths_on_the_surface():
    beneath = PATHS[1].losses + 1.0
    tracks = [TRACKS[0], Track("adam", PATHS[1].points, PATHS[1].losses, 1, beneath=beneath)]
    figure = perspective_figure(GROUND, tracks, MARKS, names=NAMES)
    assert [trace.type for trace in figure.data] == ["surface", *["scatter3d"] * 6]
    lift = 0.012 * np.ptp(GROUND.losses)
    np.testing.assert_allclose(figure.data[1].z, PATHS[0].losses + lift)
    np.testing.assert_allclose(figure.data[3].z, beneath + lift)
    assert figure.layout.scene.xaxis.title.text == "weight w"
    assert figure.layout.scene.yaxis.title.text == "bias b"
    assert figure.layout.scene.zaxis.title.text == "loss"
