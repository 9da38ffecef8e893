"""The losses once more, in NumPy and SciPy, by their textbook formulas."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[Any]
Params = dict[str, Any]


def mse(p: Array, y: Array, _: Params) -> Array:
    return np.square(p - y)


def mae(p: Array, y: Array, _: Params) -> Array:
    return np.abs(p - y)


def huber(p: Array, y: Array, params: Params) -> Array:
    return special.huber(params["delta"], p - y)


def smooth_l1(p: Array, y: Array, params: Params) -> Array:
    return special.huber(params["beta"], p - y) / params["beta"]


def log_cosh(p: Array, y: Array, _: Params) -> Array:
    return np.log(np.cosh(p - y))


def quantile(p: Array, y: Array, params: Params) -> Array:
    return np.maximum(params["tau"] * (y - p), (params["tau"] - 1) * (y - p))


def bce(p: Array, y: Array, _: Params) -> Array:
    return -special.xlogy(y, p) - special.xlog1py(1 - y, -p)


def bce_with_logits(z: Array, y: Array, params: Params) -> Array:
    return -(params["pos_weight"] * y * special.log_expit(z) + (1 - y) * special.log_expit(-z))


def hinge(s: Array, y: Array, _: Params) -> Array:
    return np.maximum(0, 1 - y * s)


def squared_hinge(s: Array, y: Array, _: Params) -> Array:
    return np.square(np.maximum(0, 1 - y * s))


def focal(z: Array, y: Array, params: Params) -> Array:
    p = special.expit(z)
    q = np.where(y == 1, p, 1 - p)
    weight = np.where(y == 1, params["alpha"], 1 - params["alpha"])
    return -weight * (1 - q) ** params["gamma"] * np.log(q)


def cross_entropy(z: Array, y: Array, params: Params) -> Array:
    classes = z.shape[1]
    soft = np.eye(classes)[y] * (1 - params["label_smoothing"]) + params["label_smoothing"] / classes
    weight = np.ones(classes) if params["weight"] is None else np.array(params["weight"])
    return -(weight * soft * special.log_softmax(z, 1)).sum(1)


def kl_div(log_p: Array, y: Array, _: Params) -> Array:
    return special.rel_entr(y, np.exp(log_p))


TERMS: dict[str, Callable[[Array, Array, Params], Array]] = {
    function.__name__: function
    for function in (
        mse,
        mae,
        huber,
        smooth_l1,
        log_cosh,
        quantile,
        bce,
        bce_with_logits,
        hinge,
        squared_hinge,
        focal,
        cross_entropy,
        kl_div,
    )
}
