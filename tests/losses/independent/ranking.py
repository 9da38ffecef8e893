"""Losses on rankings once more, pair by pair in NumPy and SciPy, by their textbook formulas."""

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def margin_ranking(inputs: Inputs, params: Params) -> NDArray[Any]:
    return np.clip(-inputs["target"] * (inputs["first"] - inputs["second"]) + params["margin"], 0, None)


def ranknet(inputs: Inputs, params: Params) -> NDArray[Any]:
    terms = []
    for scores, grades in zip(inputs["prediction"], inputs["target"], strict=True):
        pairs = [(a, b) for a, b in permutations(range(len(scores)), 2) if grades[a] > grades[b]]
        surprises = [-special.log_expit(params["sigma"] * (scores[a] - scores[b])) for a, b in pairs]
        terms.append(np.mean(surprises) if pairs else 0.0)
    return np.array(terms)


def listnet(inputs: Inputs, _: Params) -> NDArray[Any]:
    chances, ideal = special.softmax(inputs["prediction"], 1), special.softmax(inputs["target"], 1)
    return stats.entropy(ideal, axis=1) + stats.entropy(ideal, chances, axis=1)
