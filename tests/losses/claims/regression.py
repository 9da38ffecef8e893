"""Numbers in the texts of regression losses."""

from typing import Any

import numpy as np
import torch

from lossviz import evaluate, losses
from tests.losses.claims.tools import Claim, share, start, term
from tests.losses.points import example

RATE = 1.2
"""Learning rate in the text of the mean absolute error."""


def slope(key: str, sample: int, **parameters: Any) -> float:
    """A prediction's slope before averaging, on the starting board."""
    return start(key, "gradient.prediction", sample - 1, **parameters) * start(key, "denominator")


def per_cent(key: str, sample: int, **parameters: Any) -> float:
    """A sample's part of the value on the starting board."""
    return 100 * share(key, sample, **parameters) / start(key, "value", **parameters)


def hundredfold(key: str) -> float:
    """A loss of the starting example with its metres turned into centimetres."""
    prediction, target = example(losses.get(key))
    return evaluate(key, 100 * prediction["prediction"], 100 * target["target"]).value


def constant(key: str, prediction: float, targets: list[float], **parameters: Any) -> float:
    """The loss of one constant for several targets."""
    return evaluate(key, [prediction] * len(targets), targets, **parameters).value


def lowest(key: str, targets: list[float]) -> float:
    """The best constant between 0 and 20, to two decimals."""
    return min(np.arange(0, 20, 0.01), key=lambda prediction: constant(key, prediction, targets))


def steepest(key: str) -> float:
    errors = np.arange(0, 9, 0.125)
    return float(evaluate(key, errors, np.zeros_like(errors), "sum").gradient.max())


def smallest_kept() -> float:
    """Size of error from which on pseudo-Huber's textbook formula gives more than 0 in float32, with delta 1."""
    errors = torch.linspace(1e-5, 1e-3, 991)
    return float(errors[torch.sqrt(1 + errors**2) - 1 > 0][0])


def gaussian(spread: float) -> float:
    """What an error of 2 costs with a spread."""
    return evaluate("gaussian_nll", {"mean": [1.0], "var": [spread**2]}, [3.0]).value


# Keras takes seconds to import, so only the claims about it do.


def raised_by_keras() -> float:
    """What Keras's MSLE takes a prediction of −0.5 for, worked out from the cost that it finds."""
    import keras

    cost = keras.losses.mean_squared_logarithmic_error(np.array([1.0]), np.array([-0.5]))
    return float(np.expm1(np.log(2) - np.sqrt(float(cost))))


def added_by_keras() -> float:
    """What Keras's Poisson adds inside the logarithm, worked out from the cost of a rate of 0 for a count of 1."""
    import keras

    return float(np.exp(-float(keras.losses.poisson(np.array([1.0]), np.array([0.0])))))


def keras_cosine() -> float:
    """Keras's loss of this name on the starting example."""
    import keras

    prediction, target = example(losses.get("cosine_similarity"))
    return float(keras.losses.CosineSimilarity()(target["target"], prediction["prediction"]))


CLAIMS: list[Claim] = [
    ("mse", "makes 1 of", lambda: share("mse", 3)),
    ("mse", "its mean 1.188", lambda: start("mse", "value")),
    ("mse", "instead of 1.188", lambda: start("mse", "value")),
    ("mse", "costs 11,875", lambda: hundredfold("mse")),
    ("mae", "starts at 0.875", lambda: start("mae", "value")),
    ("mae", "the slope 0.25", lambda: start("mae", "gradient.prediction", 2)),
    ("mae", "or −0.25", lambda: start("mae", "gradient.prediction", 1)),
    ("mae", "rate of 1.2", lambda: RATE),
    ("mae", "moves 0.3", lambda: RATE * start("mae", "gradient.prediction", 2)),
    ("mae", "costs 2.5", lambda: constant("mae", 0, [0, 0, 0, 10])),
    ("mae", "would cost 3.75", lambda: constant("mae", 2.5, [0, 0, 0, 10])),
    ("huber", "is 2 away", lambda: start("huber", "residual", 2)),
    ("huber", "makes 0.375", lambda: share("huber", 3)),
    ("huber", "loss of 0.469", lambda: start("huber", "value")),
    ("huber", "grows to 0.5", lambda: share("huber", 3, delta=2)),
    ("huber", "squared error makes 0.25", lambda: start("mse", "terms", 0)),
    ("huber", "absolute error of 87.5", lambda: hundredfold("mae")),
    ("huber", "87.5, less 0.5", lambda: hundredfold("mae") - hundredfold("huber")),
    ("huber", "beta 2 gives 0.297", lambda: start("smooth_l1", "value", beta=2)),
    ("smooth_l1", "costs 1.25", lambda: start("smooth_l1", "terms", 2, beta=1.5)),
    ("smooth_l1", "asks 1.875", lambda: start("huber", "terms", 2, delta=1.5)),
    ("smooth_l1", "delta 2 gives 0.594", lambda: start("huber", "value", delta=2)),
    ("smooth_l1", "beta 1 0.469", lambda: start("smooth_l1", "value")),
    ("smooth_l1", "absolute error of 87.5", lambda: hundredfold("mae")),
    ("log_cosh", "costs 0.120", lambda: term("log_cosh", 0.5, 0)),
    ("log_cosh", "half its square (0.125)", lambda: 0.5 * term("mse", 0.5, 0)),
    ("log_cosh", "costs 4.307", lambda: term("log_cosh", 5, 0)),
    ("log_cosh", "distance less 0.693", lambda: 20 - term("log_cosh", 20, 0)),
    ("log_cosh", "absolute error of 87.5", lambda: hundredfold("mae")),
    ("log_cosh", "87.5 less 0.693", lambda: hundredfold("mae") - hundredfold("log_cosh")),
    ("quantile", "costs 0.45 ", lambda: term("quantile", 0, 0.5)),
    ("quantile", "too high only 0.05", lambda: term("quantile", 0.5, 0)),
    ("quantile", "costs 0.2875", lambda: start("quantile", "value", tau=0.9)),
    ("quantile", "error gives 0.875", lambda: start("mae", "value")),
    ("mape", "makes 50", lambda: share("mape", 3)),
    ("mape", "10 the constant 1", lambda: lowest("mape", [1, 2, 3, 10])),
    ("mape", "of 4 costs 123.3", lambda: constant("mape", 4, [1, 2, 3, 10])),
    ("mape", "percentage_error gives 0.625", lambda: start("mape", "value") / 100),
    ("smape", "gives 45.05", lambda: start("smape", "value") / 2),
    ("msle", "negative ones to 0.0000001", raised_by_keras),
    ("msle", "it is 3.64", lambda: lowest("msle", [0, 0, 99])),
    ("pseudo_huber", "square (0.125)", lambda: 0.5 * term("mse", 0.5, 0)),
    ("pseudo_huber", "averaging is 0.894", lambda: slope("pseudo_huber", 3)),
    ("pseudo_huber", "below about 0.0004", smallest_kept),
    ("pseudo_huber", "4.099 here and 4.5", lambda: term("huber", 5, 0)),
    ("pseudo_huber", "absolute error of 87.5", lambda: hundredfold("mae")),
    ("pseudo_huber", "0.19 here and 2.002", lambda: np.hypot(2, 0.1)),
    ("cauchy", "averaging are 0.123", lambda: slope("cauchy", 3)),
    ("cauchy", "and −0.345", lambda: slope("cauchy", 2)),
    ("cauchy", "steepest with 0.5", lambda: steepest("cauchy")),
    ("cauchy", "saying 10 costs 1.498", lambda: constant("cauchy", 10, [-10, 10])),
    ("cauchy", "that is 3.497", lambda: term("general_robust", 3, -5, alpha=0)),
    ("general_robust", "makes 90", lambda: per_cent("general_robust", 3, alpha=2)),
    ("general_robust", "alpha 2, 68", lambda: per_cent("general_robust", 3, alpha=0)),
    ("general_robust", "alpha 0 and 56", lambda: per_cent("general_robust", 3, alpha=-2)),
    ("general_robust", "alpha 1 gives it 0.992", lambda: slope("general_robust", 3, alpha=1)),
    ("general_robust", "costs 1.287", lambda: start("general_robust", "value")),
    ("epsilon_insensitive", "instead of 0.7", lambda: start("epsilon_insensitive", "value")),
    ("expectile", "2 and 13 it is 10", lambda: lowest("expectile", [0, 1, 2, 13])),
    ("expectile", "settles on 13", lambda: lowest("quantile", [0, 1, 2, 13])),
    ("expectile", "instead of 1.188", lambda: start("mse", "value")),
    ("poisson_nll", "adds 0.0000001", added_by_keras),
    ("poisson_nll", "full it is 2.161", lambda: term("poisson_nll", np.log(12), 12, full=True)),
    ("gaussian_nll", "cheapest with 1.193", lambda: min(gaussian(spread / 100) for spread in range(50, 500))),
    ("gaussian_nll", "the 1.193", lambda: gaussian(2)),
    ("gaussian_nll", "into 1.347", lambda: gaussian(np.sqrt(2))),
    ("tweedie_deviance", "costs 2.85", lambda: start("tweedie_deviance", "value")),
    ("cosine_similarity", "and −0.569", keras_cosine),
]
