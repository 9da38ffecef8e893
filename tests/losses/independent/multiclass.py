"""The losses for many classes, many labels and distributions once more, in NumPy and SciPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def _label_probability(inputs: Inputs) -> NDArray[Any]:
    rows = np.arange(len(inputs["target"]))
    return special.softmax(inputs["prediction"], 1)[rows, inputs["target"]]


def _label_weight(inputs: Inputs, params: Params) -> NDArray[Any]:
    if params["weight"] is None:
        return np.ones(len(inputs["target"]))
    return np.array([params["weight"][category] for category in inputs["target"]])


def nll(inputs: Inputs, params: Params) -> NDArray[Any]:
    surprise = np.array([-row[category] for row, category in zip(inputs["prediction"], inputs["target"], strict=True)])
    return _label_weight(inputs, params) * surprise


def categorical_focal(inputs: Inputs, params: Params) -> NDArray[Any]:
    p = _label_probability(inputs)
    return -params["alpha"] * (1 - p) ** params["gamma"] * np.log(p)


def multi_margin(inputs: Inputs, params: Params) -> NDArray[Any]:
    terms = []
    for scores, label in zip(inputs["prediction"], inputs["target"], strict=True):
        others = np.delete(scores, label)
        lacking = np.maximum(0, params["margin"] - scores[label] + others)
        terms.append((lacking**2 if params["p"] == "squared" else lacking).sum() / len(scores))
    return _label_weight(inputs, params) * terms


def categorical_hinge(inputs: Inputs, _: Params) -> NDArray[Any]:
    terms = []
    for scores, label in zip(inputs["prediction"], inputs["target"], strict=True):
        rival = max(0.0, np.delete(scores, label).max())
        terms.append(max(0.0, 1 + rival - scores[label]))
    return np.array(terms)


def generalized_cross_entropy(inputs: Inputs, params: Params) -> NDArray[Any]:
    # The Box-Cox transformation of p with its sign turned around.
    return -special.boxcox(_label_probability(inputs), params["q"])


def poly1(inputs: Inputs, params: Params) -> NDArray[Any]:
    p = _label_probability(inputs)
    return -np.log(p) + params["epsilon"] * (1 - p)


def multilabel_margin(inputs: Inputs, _: Params) -> NDArray[Any]:
    terms = []
    for scores, labels in zip(inputs["prediction"], inputs["target"], strict=True):
        pairs = [1 - (a - b) for a in scores[labels == 1] for b in scores[labels == 0]]
        terms.append(sum(pair for pair in pairs if pair > 0) / len(scores))
    return np.array(terms)


def multilabel_soft_margin(inputs: Inputs, params: Params) -> NDArray[Any]:
    z, y = inputs["prediction"], inputs["target"]
    weight = 1.0 if params["weight"] is None else np.array(params["weight"])
    return (weight * (np.logaddexp(0, z) - y * z)).mean(1)


def js_divergence(inputs: Inputs, _: Params) -> NDArray[Any]:
    p, y = inputs["prediction"], inputs["target"]
    middle = (p + y) / 2
    return (special.rel_entr(p, middle) + special.rel_entr(y, middle)) / 2


def wasserstein_1d(inputs: Inputs, _: Params) -> NDArray[Any]:
    gap = np.tril(np.ones((inputs["prediction"].shape[1],) * 2)) @ (inputs["prediction"] - inputs["target"]).T
    terms = np.abs(gap.T)
    terms[:, -1] = 0
    return terms
