"""The first losses once more, in NumPy and SciPy, by their textbook formulas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def mse(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return np.square(p - y)


def mae(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return np.abs(p - y)


def huber(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return special.huber(params["delta"], p - y)


def smooth_l1(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return special.huber(params["beta"], p - y) / params["beta"]


def log_cosh(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return np.log(np.cosh(p - y))


def quantile(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return np.maximum(params["tau"] * (y - p), (params["tau"] - 1) * (y - p))


def bce(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return -special.xlogy(y, p) - special.xlog1py(1 - y, -p)


def bce_with_logits(inputs: Inputs, params: Params) -> NDArray[Any]:
    z, y = inputs["prediction"], inputs["target"]
    return -(params["pos_weight"] * y * special.log_expit(z) + (1 - y) * special.log_expit(-z))


def hinge(inputs: Inputs, _: Params) -> NDArray[Any]:
    s, y = inputs["prediction"], inputs["target"]
    return np.maximum(0, 1 - y * s)


def squared_hinge(inputs: Inputs, _: Params) -> NDArray[Any]:
    s, y = inputs["prediction"], inputs["target"]
    return np.square(np.maximum(0, 1 - y * s))


def focal(inputs: Inputs, params: Params) -> NDArray[Any]:
    z, y = inputs["prediction"], inputs["target"]
    p = special.expit(z)
    q = np.where(y == 1, p, 1 - p)
    weight = np.where(y == 1, params["alpha"], 1 - params["alpha"])
    return -weight * (1 - q) ** params["gamma"] * np.log(q)


def cross_entropy(inputs: Inputs, params: Params) -> NDArray[Any]:
    z, y = inputs["prediction"], inputs["target"]
    classes = z.shape[1]
    soft = np.eye(classes)[y] * (1 - params["label_smoothing"]) + params["label_smoothing"] / classes
    weight = np.ones(classes) if params["weight"] is None else np.array(params["weight"])
    return -(weight * soft * special.log_softmax(z, 1)).sum(1)


def kl_div(inputs: Inputs, _: Params) -> NDArray[Any]:
    log_p, y = inputs["prediction"], inputs["target"]
    return special.rel_entr(y, np.exp(log_p))
