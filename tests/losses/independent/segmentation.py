"""The losses on masks once more, in NumPy, by their textbook formulas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def _rows(inputs: Inputs) -> tuple[NDArray[Any], NDArray[Any]]:
    """Each mask as one row of cells."""
    p, y = inputs["prediction"], inputs["target"]
    return p.reshape(len(p), -1), y.reshape(len(y), -1)


def _dice_score(p: NDArray[Any], y: NDArray[Any], smooth: float, power: int = 1) -> NDArray[Any]:
    shared = np.einsum("ij,ij->i", p, y)
    return (2 * shared + smooth) / ((p**power).sum(1) + (y**power).sum(1) + smooth)


def dice(inputs: Inputs, params: Params) -> NDArray[Any]:
    return 1 - _dice_score(*_rows(inputs), params["smooth"], 2 if params["squared"] else 1)


def jaccard(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = _rows(inputs)
    shared = np.einsum("ij,ij->i", p, y)
    # A cell's union of a probability and a label is the larger of the two, because labels are 0 or 1.
    return 1 - (shared + params["smooth"]) / (np.maximum(p, y).sum(1) + params["smooth"])


def _index(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = _rows(inputs)
    alpha, beta, smooth = params["alpha"], params["beta"], params["smooth"]
    shared = np.einsum("ij,ij->i", p, y)
    # TP + alpha (P − TP) + beta (Y − TP), with the sizes P and Y of both masks.
    return (shared + smooth) / ((1 - alpha - beta) * shared + alpha * p.sum(1) + beta * y.sum(1) + smooth)


def tversky(inputs: Inputs, params: Params) -> NDArray[Any]:
    return 1 - _index(inputs, params)


def focal_tversky(inputs: Inputs, params: Params) -> NDArray[Any]:
    return np.exp(params["gamma"] * np.log(1 - _index(inputs, params)))


def combo(inputs: Inputs, params: Params) -> NDArray[Any]:
    p, y = _rows(inputs)
    given = np.where(y == 1, p, 1 - p)
    weight = np.where(y == 1, params["beta"], 1 - params["beta"])
    cross_entropy = -np.average(weight * np.log(given), axis=1)
    return params["alpha"] * cross_entropy + (1 - params["alpha"]) * (1 - _dice_score(p, y, params["smooth"]))
