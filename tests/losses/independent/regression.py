"""Further regression losses, in NumPy and SciPy, by other algebra than the torch code where there is any."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def mape(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return 100 * np.abs(p / y - 1)


def smape(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return 100 * np.abs(p - y) / np.mean([np.abs(p), np.abs(y)], axis=0)


def msle(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return np.square(np.log((1 + p) / (1 + y)))


def pseudo_huber(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return special.pseudo_huber(params["delta"], p - y)


def cauchy(inputs: Inputs, params: Params) -> NDArray[Any]:
    e, c = inputs["prediction"] - inputs["target"], params["c"]
    return c**2 * (np.log(np.hypot(c, e)) - np.log(c))


def tukey_biweight(inputs: Inputs, params: Params) -> NDArray[Any]:
    e, c = inputs["prediction"] - inputs["target"], params["c"]
    inside = e**2 / 2 - e**4 / (2 * c**2) + e**6 / (6 * c**4)
    return np.where(np.abs(e) <= c, inside, c**2 / 6)


def general_robust(inputs: Inputs, params: Params) -> NDArray[Any]:
    alpha = params["alpha"]
    square = np.square((inputs["prediction"] - inputs["target"]) / params["c"])
    if params["welsch"]:
        return 1 - np.exp(-square / 2)
    return (2 - alpha) / 2 * special.boxcox(1 + square / (2 - alpha), alpha / 2)


def epsilon_insensitive(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y, epsilon = inputs["prediction"], inputs["target"], params["epsilon"]
    return np.abs(p - np.clip(p, y - epsilon, y + epsilon))


def expectile(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    return np.abs(params["tau"] - (y < p)) * np.square(y - p)


def poisson_nll(inputs: Inputs, params: Params) -> NDArray[Any]:
    z, y = inputs["prediction"], inputs["target"]
    terms = np.exp(z) - y * z
    if params["full"]:
        terms = terms + np.where(y > 1, special.xlogy(y + 0.5, y) - y + np.log(2 * np.pi) / 2, 0)
    return terms


def gaussian_nll(inputs: Inputs, params: Params) -> NDArray[Any]:
    spread = np.sqrt(np.maximum(inputs["var"], params["eps"]))
    density = stats.norm.logpdf(inputs["target"], inputs["mean"], spread)
    return -density - (0 if params["full"] else np.log(2 * np.pi) / 2)


def gamma_deviance(inputs: Inputs, _: Params) -> NDArray[Any]:
    r = np.log(inputs["target"]) - np.log(inputs["prediction"])
    return 2 * (np.expm1(r) - r)


def tweedie_deviance(inputs: Inputs, params: Params) -> NDArray[Any]:
    m, y, p = (np.asarray(value, np.longdouble) for value in (inputs["prediction"], inputs["target"], params["power"]))
    # Long doubles: near a power of 1 or 2 the three parts of the textbook formula nearly cancel.
    parts = y ** (2 - p) / ((1 - p) * (2 - p)) - y * m ** (1 - p) / (1 - p) + m ** (2 - p) / (2 - p)
    return (2 * parts).astype(float)


def cosine_similarity(inputs: Inputs, _: Params) -> NDArray[Any]:
    units = [value / np.linalg.norm(value, axis=1, keepdims=True) for value in inputs.values()]
    return np.square(units[0] - units[1]).sum(1) / 2
