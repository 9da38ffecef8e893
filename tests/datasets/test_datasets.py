"""Every data set keeps what it declares; each shape is what its description says."""

import numpy as np
import pytest
from sklearn import datasets as source

from lossviz import datasets
from lossviz.training import RunConfig, run

KEYS = datasets.keys()
SYNTHETIC = [key for key in KEYS if not datasets.get(key).real]


@pytest.mark.parametrize("key", KEYS)
def test_points_are_as_declared(key):
    data = datasets.get(key)
    x, y = data.generate(data.samples, data.noise, seed=3)
    assert x.shape == (data.samples, len(data.feature_names))
    assert y.shape == (data.samples,)
    assert x.dtype == y.dtype == np.float64
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    assert data.description.endswith(".")
    if data.task == "regression":
        assert data.classes == ()
        assert data.outputs == 1
    else:
        assert set(np.unique(y)) == set(range(len(data.classes)))
        assert data.outputs == (1 if len(data.classes) == 2 else len(data.classes))


@pytest.mark.parametrize("key", KEYS)
def test_same_seed_same_points_and_other_seed_other_points(key):
    data = datasets.get(key)
    samples = min(data.samples, 60)
    first = data.generate(samples, data.noise_high, seed=1)
    again = data.generate(samples, data.noise_high, seed=1)
    other = data.generate(samples, data.noise_high, seed=2)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert key == "four_points" or not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("key", KEYS)
def test_out_of_bounds_is_refused_with_the_bounds(key):
    data = datasets.get(key)
    for arguments, text in [
        ((data.samples_low - 1, 0.0, 0), str(data.samples_low)),
        ((data.samples_high + 1, 0.0, 0), str(data.samples_high)),
        ((data.samples, data.noise_high + 0.1, 0), f"{data.noise_high:g}"),
        ((data.samples, float("nan"), 0), "noise is nan"),
        ((data.samples, 0.0, -1), "0 or more"),
    ]:
        with pytest.raises(ValueError, match=text):
            data.generate(*arguments)


@pytest.mark.parametrize(
    "key",
    [key for key in SYNTHETIC if datasets.get(key).task != "regression" and not datasets.get(key).vocabulary],
)
def test_generated_classes_are_balanced_and_noise_moves_points(key):
    data = datasets.get(key)
    still, y = data.generate(301, 0.0, seed=0)
    moved, _ = data.generate(301, data.noise_high, seed=0)
    counts = np.bincount(y.astype(int))
    assert counts.max() - counts.min() <= 1
    assert np.abs(moved - still).max() > 0.3
    assert np.abs(still).max() < 7.0


def test_unknown_key_names_the_nearest():
    with pytest.raises(KeyError, match="circle"):
        datasets.get("circel")


def test_tasks_begin_with_real_data():
    assert [datasets.keys(task)[0] for task in ("regression", "binary", "multiclass")] == [
        "diabetes",
        "breast_cancer",
        "iris",
    ]


def test_real_data_is_scikit_learns_in_its_own_units():
    x, y = datasets.get("diabetes").generate(442, 0.0, seed=0)
    raw = source.load_diabetes(scaled=False)
    np.testing.assert_array_equal(x, raw.data)
    np.testing.assert_array_equal(y, raw.target)
    x, y = datasets.get("breast_cancer").generate(569, 0.0, seed=5)
    raw = source.load_breast_cancer()
    np.testing.assert_array_equal(x, raw.data)
    assert y.sum() == 212  # malignant
    names = [name.replace("error", "error of") for name in raw.feature_names]
    ours = [
        name.removeprefix("error of ") + " error of" if name.startswith("error") else name
        for name in datasets.get("breast_cancer").feature_names
    ]
    assert ours == names
    x, y = datasets.get("iris").generate(150, 0.0, seed=0)
    np.testing.assert_array_equal(x, source.load_iris().data)
    assert datasets.get("iris").classes == tuple(source.load_iris().target_names)
    x, y = datasets.get("wine").generate(178, 0.0, seed=0)
    np.testing.assert_array_equal(x, source.load_wine().data)
    np.testing.assert_array_equal(y, source.load_wine().target)


def test_pixels_of_digits_are_named_by_row_and_column():
    data = datasets.get("digits")
    x, y = data.generate(1797, 0.0, seed=0)
    raw = source.load_digits()
    np.testing.assert_array_equal(y, raw.target)
    for row, column in [(1, 1), (3, 5), (8, 8)]:
        pixel = x[:, data.feature_names.index(f"pixel {row},{column}")]
        np.testing.assert_array_equal(pixel, raw.images[:, row - 1, column - 1])


@pytest.mark.parametrize("key", ["wine", "digits"])
def test_a_linear_model_learns_the_classes(key):
    *_, last = run(
        RunConfig(dataset=key, hidden=(), learning_rate=0.1, batch_size=16, epochs=30, validation_fraction=0.3)
    )
    assert last.validation_metric >= 0.95


def test_fewer_rows_of_real_data_are_drawn_by_the_seed():
    data = datasets.get("iris")
    x, y = data.generate(30, 0.0, seed=0)
    whole, _ = data.generate(150, 0.0, seed=0)
    assert len(x) == len(y) == 30
    assert all((row == whole).all(axis=1).any() for row in x)
    assert not np.array_equal(x, data.generate(30, 0.0, seed=1)[0])


def test_circle_has_a_ring_around_the_middle():
    x, y = datasets.get("circle").generate(500, 0.0, seed=0)
    radius = np.hypot(x[:, 0], x[:, 1])
    assert radius[y == 1].max() <= 2.5
    assert radius[y == 0].min() >= 3.5
    assert radius.max() <= 5.0


def test_xor_and_gaussians_are_separated_as_they_say():
    x, y = datasets.get("xor").generate(500, 0.0, seed=0)
    np.testing.assert_array_equal(x[:, 0] * x[:, 1] > 0, y == 1)
    x, y = datasets.get("gaussians").generate(500, 0.0, seed=0)
    assert np.mean((x.sum(axis=1) > 0) == (y == 1)) > 0.99


def test_outliers_lie_high_at_the_right():
    x, y = datasets.get("outliers").generate(60, 0.3, seed=0)
    far = y - (x[:, 0] + 1) > 5
    assert far.sum() == 6
    assert x[far, 0].min() > np.quantile(x[:, 0], 0.69)
    assert np.abs(y - (x[:, 0] + 1))[~far].max() < 1.5


def test_sine_follows_the_sine():
    x, y = datasets.get("sine").generate(100, 0.0, seed=0)
    np.testing.assert_allclose(y, np.sin(x[:, 0]))
    x, y = datasets.get("sine").generate(2000, 0.2, seed=0)
    assert np.std(y - np.sin(x[:, 0])) == pytest.approx(0.2, rel=0.05)
