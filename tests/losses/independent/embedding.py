"""Losses on embeddings once more, pair by pair in NumPy and SciPy, by their textbook formulas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.spatial import distance

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def _cosine(first: NDArray[Any], second: NDArray[Any], epsilon: float = 0.0) -> float:
    squares = (first @ first + epsilon) * (second @ second + epsilon)
    return float(first @ second / np.sqrt(squares))


def _cosines(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    return 1 - distance.cdist(first, second, "cosine")


def cosine_embedding(inputs: Inputs, params: Params) -> NDArray[Any]:
    cosines = [_cosine(*pair, epsilon=1e-12) for pair in zip(inputs["first"], inputs["second"], strict=True)]
    pairs = zip(cosines, inputs["target"], strict=True)
    return np.array([1 - c if y == 1 else max(0.0, c - params["margin"]) for c, y in pairs])


def hinge_embedding(inputs: Inputs, params: Params) -> NDArray[Any]:
    x, y = inputs["prediction"], inputs["target"]
    return (1 + y) / 2 * x + (1 - y) / 2 * np.maximum(0, params["margin"] - x)


def contrastive(inputs: Inputs, params: Params) -> NDArray[Any]:
    distances = [distance.euclidean(*pair) for pair in zip(inputs["first"], inputs["second"], strict=True)]
    lacking = [max(0.0, params["margin"] - d) for d in distances]
    y = inputs["target"]
    return (1 - y) * np.square(distances) / 2 + y * np.square(lacking) / 2


def triplet_margin(inputs: Inputs, params: Params) -> NDArray[Any]:
    def distances(first: str, second: str) -> NDArray[Any]:
        pairs = zip(inputs[first] + 1e-6, inputs[second], strict=True)
        return np.array([distance.minkowski(x, y, params["p"]) for x, y in pairs])

    far = distances("anchor", "negative")
    if params["swap"]:
        far = np.minimum(far, distances("positive", "negative"))
    return np.clip(distances("anchor", "positive") - far + params["margin"], 0, None)


def info_nce(inputs: Inputs, params: Params) -> NDArray[Any]:
    logits = _cosines(inputs["query"], inputs["key"]) / params["temperature"]
    return special.logsumexp(logits, 1) - np.diag(logits)


def supcon(inputs: Inputs, params: Params) -> NDArray[Any]:
    logits = _cosines(inputs["prediction"], inputs["prediction"]) / params["temperature"]
    labels, terms = inputs["target"], []
    for anchor in range(len(labels)):
        others = [index for index in range(len(labels)) if index != anchor]
        positives = [index for index in others if labels[index] == labels[anchor]]
        whole = special.logsumexp(logits[anchor, others]) if positives else 0.0
        terms.append(np.mean([whole - logits[anchor, index] for index in positives]) if positives else 0.0)
    return np.array(terms)


def circle(inputs: Inputs, params: Params) -> NDArray[Any]:
    positive, negative, m = inputs["positive"], inputs["negative"], params["m"]
    outside = np.where(negative > -m, negative**2 - m**2, 0)
    return np.logaddexp(0, params["gamma"] * (outside + (1 - positive) ** 2 - m**2))


def arcface(inputs: Inputs, params: Params) -> NDArray[Any]:
    cosines, target = _cosines(inputs["embedding"], inputs["centres"]), inputs["target"]
    logits, rows = params["scale"] * cosines, np.arange(len(target))
    logits[rows, target] = params["scale"] * np.cos(np.arccos(cosines[rows, target]) + params["margin"])
    return -special.log_softmax(logits, 1)[rows, target]
