"""The losses on boxes once more, in NumPy, box by box and by the papers' formulas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def _overlap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Length that two intervals share."""
    return max(0.0, min(first[1], second[1]) - max(first[0], second[0]))


def _measure(p: NDArray[Any], y: NDArray[Any]) -> dict[str, float]:
    """Everything that the papers' formulas are made of, for one pair of boxes."""
    (px1, py1, px2, py2), (yx1, yy1, yx2, yy2) = p, y
    shared = _overlap((px1, px2), (yx1, yx2)) * _overlap((py1, py2), (yy1, yy2))
    union = (px2 - px1) * (py2 - py1) + (yx2 - yx1) * (yy2 - yy1) - shared
    width, height = max(px2, yx2) - min(px1, yx1), max(py2, yy2) - min(py1, yy1)
    centre = np.array([(px1 + px2) - (yx1 + yx2), (py1 + py2) - (yy1 + yy2)]) / 2
    angle = np.arctan((yx2 - yx1) / (yy2 - yy1)) - np.arctan((px2 - px1) / (py2 - py1))
    return {
        "iou": shared / union,
        "empty": 1 - union / (width * height),
        "distance": float(centre @ centre) / (width * width + height * height),
        "aspect": 4 * angle * angle / np.pi**2,
    }


def _each(inputs: Inputs) -> list[dict[str, float]]:
    return [_measure(p, y) for p, y in zip(inputs["prediction"], inputs["target"], strict=True)]


def iou(inputs: Inputs, _: Params) -> NDArray[Any]:
    return np.array([1 - pair["iou"] for pair in _each(inputs)])


def giou(inputs: Inputs, _: Params) -> NDArray[Any]:
    return np.array([1 - pair["iou"] + pair["empty"] for pair in _each(inputs)])


def diou(inputs: Inputs, _: Params) -> NDArray[Any]:
    return np.array([1 - pair["iou"] + pair["distance"] for pair in _each(inputs)])


def ciou(inputs: Inputs, _: Params) -> NDArray[Any]:
    terms = []
    for pair in _each(inputs):
        v = pair["aspect"]
        weight = v / (1 - pair["iou"] + v) if v > 0 else 0.0
        terms.append(1 - pair["iou"] + pair["distance"] + weight * v)
    return np.array(terms)
