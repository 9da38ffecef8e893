"""The losses on sequences once more, in NumPy and SciPy, by their definitions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def ctc(inputs: Inputs, _: Params) -> NDArray[Any]:
    """Add up every path of symbols that collapses to the target; no recursion."""
    log_p, target = inputs["prediction"], inputs["target"]
    samples, frames, symbols = log_p.shape
    paths = np.indices((symbols,) * frames).reshape(frames, -1).T
    before = np.concatenate([np.full((len(paths), 1), -1), paths[:, :-1]], 1)
    kept = (paths != before) & (paths != 0)
    place = np.cumsum(kept, 1) - 1
    terms = []
    for sample in range(samples):
        y = target[sample]
        right = np.where(kept, paths == y[np.clip(place, 0, len(y) - 1)], True).all(1) & (kept.sum(1) == len(y))
        chance = np.exp(log_p[sample])[np.arange(frames), paths[right]].prod(1)
        terms.append(-np.log(chance.sum()))
    return np.array(terms)


def next_token(inputs: Inputs, _: Params) -> NDArray[Any]:
    z, y = inputs["prediction"], inputs["target"]
    return special.logsumexp(z - z[np.arange(len(y)), y][:, None], axis=1)


def dpo(inputs: Inputs, params: Params) -> NDArray[Any]:
    chosen = inputs["policy_chosen"] - inputs["reference_chosen"]
    rejected = inputs["policy_rejected"] - inputs["reference_rejected"]
    preferred = stats.logistic.cdf(params["beta"] * (chosen - rejected))
    other = stats.logistic.sf(params["beta"] * (chosen - rejected))
    return -(1 - params["label_smoothing"]) * np.log(preferred) - params["label_smoothing"] * np.log(other)
