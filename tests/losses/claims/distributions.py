"""Numbers in the texts of losses between distributions."""

import numpy as np
import torch
import torch.nn.functional as F

import lossviz
from lossviz import losses
from lossviz.evaluation import LOG_TOLERANCE
from tests.losses.claims.tools import Claim, kl, share, start
from tests.losses.points import example

STARS = [0.7, 0.1, 0.1, 0.1]
"""The targets of the Wasserstein distance's board."""


def value(key: str, logits: list[float], target: list[float]) -> float:
    """What one sample costs."""
    return float(lossviz.tables(key, [logits], [target]).base["value"][0])


def steepest(key: str, logits: list[float], target: list[float]) -> float:
    """The largest slope of a sample's logits."""
    return float(np.abs(lossviz.tables(key, [logits], [target]).base["gradient.prediction"]).max())


def sure_of_the_first(key: str) -> float:
    """What Sample 2 of the starting board costs with its first logit at 5."""
    _, target = example(losses.get(key))
    return value(key, [5, 0.8, 0.2], target["target"][1])


def without_logarithm() -> float:
    """PyTorch's divergence of the starting board, given the softmax in place of its logarithm."""
    prediction, target = (torch.as_tensor(next(iter(part.values()))) for part in example(losses.get("kl_div")))
    return float(F.kl_div(prediction.softmax(-1), target, reduction="batchmean"))


CLAIMS: list[Claim] = [
    ("kl_div", "predicts (0.63", lambda: start("kl_div", "softmax", 0)),
    ("kl_div", "(0.63, 0.23", lambda: start("kl_div", "softmax", 1)),
    ("kl_div", "0.23, 0.14)", lambda: start("kl_div", "softmax", 2)),
    ("kl_div", "costs 0.013", lambda: 2 * share("kl_div", 1)),
    ("kl_div", "costs 0.234", lambda: 2 * share("kl_div", 2)),
    ("kl_div", "gives −1.269", without_logarithm),
    ("kl_div", "instead of 0.123", lambda: start("kl_div", "value")),
    ("kl_div", "give or take 0.01", lambda: LOG_TOLERANCE),
    ("kl_div", "gives 0.368", lambda: kl([0.9, 0.1], [0.5, 0.5])),
    ("kl_div", "round 0.511", lambda: kl([0.5, 0.5], [0.9, 0.1])),
    ("kl_div", "batchmean, 0.123", lambda: start("kl_div", "value")),
    ("js_divergence", "costs 0.003", lambda: 2 * share("js_divergence", 1)),
    ("js_divergence", "costs 0.056", lambda: 2 * share("js_divergence", 2)),
    ("js_divergence", "costs 0.476", lambda: sure_of_the_first("js_divergence")),
    ("js_divergence", "exceed 0.693", lambda: value("js_divergence", [700, 0], [0, 1])),
    ("js_divergence", "would ask 3.265", lambda: sure_of_the_first("kl_div")),
    ("js_divergence", "that is 0.237", lambda: np.sqrt(2 * share("js_divergence", 2))),
    ("js_divergence", "slope of 1", lambda: steepest("kl_div", [10, 0, 0], [0, 0, 1])),
    ("js_divergence", "natural one, 1", lambda: value("js_divergence", [700, 0], [0, 1]) / np.log(2)),
    ("wasserstein_1d", "asks 1.200", lambda: value("kl_div", [0, 2, 0, 0], STARS)),
    ("wasserstein_1d", "it asks 1.200", lambda: value("kl_div", [0, 0, 0, 2], STARS)),
    ("wasserstein_1d", "would cost 1.822", lambda: value("wasserstein_1d", [0, 0, 0, 2], STARS)),
    ("wasserstein_1d", "below 0.0003", lambda: steepest("wasserstein_1d", [0, 0, 0, 10], [1, 0, 0, 0])),
    ("wasserstein_1d", "slope of 1", lambda: steepest("kl_div", [0, 0, 0, 10], [1, 0, 0, 0])),
]
