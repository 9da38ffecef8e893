"""Real measurements that come with scikit-learn, in their own units and without any download."""

from __future__ import annotations

from functools import cache

import numpy as np

from .base import Array, Dataset, Image


@cache
def _table(name: str) -> tuple[Array, Array]:
    # Imported here because scikit-learn takes about a second to load and most runs do not need it.
    from sklearn import datasets as source

    load = {
        "diabetes": lambda: source.load_diabetes(scaled=False),
        "breast_cancer": source.load_breast_cancer,
        "iris": source.load_iris,
        "wine": source.load_wine,
        "digits": source.load_digits,
    }
    bunch = load[name]()
    return np.asarray(bunch.data, dtype=np.float64), np.asarray(bunch.target, dtype=np.float64)


def _rows(name: str, samples: int, generator: np.random.Generator) -> tuple[Array, Array]:
    x, y = _table(name)
    chosen = np.sort(generator.permutation(len(x))[:samples])
    return x[chosen], y[chosen]


def _diabetes(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    return _rows("diabetes", samples, generator)


def _breast_cancer(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    # The file numbers benign as 1; here class 1 is what a doctor looks for.
    x, benign = _rows("breast_cancer", samples, generator)
    return x, 1.0 - benign


def _iris(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    return _rows("iris", samples, generator)


def _wine(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    return _rows("wine", samples, generator)


def _digits(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    return _rows("digits", samples, generator)


DIABETES = Dataset(
    key="diabetes",
    title="Diabetes progression",
    task="regression",
    description="442 patients: predict how far the disease has progressed one year after ten measurements were taken.",
    feature_names=(
        "age",
        "sex",
        "body mass index",
        "blood pressure",
        "total cholesterol",
        "LDL cholesterol",
        "HDL cholesterol",
        "cholesterol / HDL",
        "log of triglycerides",
        "blood sugar",
    ),
    target_name="progression",
    draw=_diabetes,
    samples=442,
    samples_high=442,
    real=True,
)

_MEASURES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)

BREAST_CANCER = Dataset(
    key="breast_cancer",
    title="Breast cancer",
    task="binary",
    description="569 tumours: 30 measurements of the cell nuclei in an image tell malignant from benign.",
    feature_names=tuple(f"{kind} {measure}" for kind in ("mean", "error of", "worst") for measure in _MEASURES),
    target_name="diagnosis",
    classes=("benign", "malignant"),
    draw=_breast_cancer,
    samples=569,
    samples_high=569,
    real=True,
)

IRIS = Dataset(
    key="iris",
    title="Iris",
    task="multiclass",
    description="150 flowers of three kinds, each with four lengths measured in centimetres.",
    feature_names=("sepal length", "sepal width", "petal length", "petal width"),
    target_name="kind",
    classes=("setosa", "versicolor", "virginica"),
    draw=_iris,
    samples=150,
    samples_high=150,
    real=True,
)

WINE = Dataset(
    key="wine",
    title="Wine",
    task="multiclass",
    description="178 wines of one Italian region: 13 measurements tell from which of three grape varieties they are.",
    feature_names=(
        "alcohol",
        "malic acid",
        "ash",
        "alkalinity of ash",
        "magnesium",
        "total phenols",
        "flavanoids",
        "other phenols",
        "proanthocyanins",
        "colour intensity",
        "hue",
        "protein in diluted wine",
        "proline",
    ),
    target_name="variety",
    classes=("variety 1", "variety 2", "variety 3"),
    draw=_wine,
    samples=178,
    samples_high=178,
    real=True,
)

DIGITS = Dataset(
    key="digits",
    title="Digits",
    task="multiclass",
    description="1,797 handwritten digits as images of 8 by 8 pixels, from 0 (white) to 16 (black): tell which it is.",
    feature_names=tuple(f"pixel {row},{column}" for row in range(1, 9) for column in range(1, 9)),
    target_name="digit",
    classes=tuple("0123456789"),
    draw=_digits,
    samples=1797,
    samples_high=1797,
    real=True,
    image=Image(8, 8, black=16.0),
)
