"""The losses for two classes once more, in NumPy and SciPy, by their textbook formulas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def soft_margin(inputs: Inputs, _: Params) -> NDArray[Any]:
    return np.logaddexp(0.0, -inputs["target"] * inputs["prediction"])


def exponential(inputs: Inputs, _: Params) -> NDArray[Any]:
    return np.where(inputs["target"] > 0, np.exp(-inputs["prediction"]), np.exp(inputs["prediction"]))


def perceptron(inputs: Inputs, _: Params) -> NDArray[Any]:
    s, y = inputs["prediction"], inputs["target"]
    return np.abs(s) * (np.sign(s) != y)


def modified_huber(inputs: Inputs, _: Params) -> NDArray[Any]:
    m = inputs["target"] * inputs["prediction"]
    return np.select([m >= 1, m >= -1], [np.zeros_like(m), (m - 1) ** 2], -4 * m)


def brier(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return np.where(y == 1, (1 - p) ** 2, p**2)


def asymmetric(inputs: Inputs, params: Params) -> NDArray[Any]:
    z, y = inputs["prediction"], inputs["target"]
    p = special.expit(z)
    shifted = np.clip(p - params["shift"], 0, None)
    present = (1 - p) ** params["gamma_pos"] * -special.log_expit(z)
    absent = shifted ** params["gamma_neg"] * -np.log(1 - shifted)
    return y * present + (1 - y) * absent


def zero_one(inputs: Inputs, _: Params) -> NDArray[Any]:
    return (np.sign(inputs["prediction"]) != inputs["target"]).astype(float)
