"""Numbers that lessons and answers rest on, each recomputed."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from lossviz import evaluate, losses


def value(key: str, prediction: Any, target: Any, reduction: str = "mean", **parameters: Any) -> float:
    return evaluate(key, prediction, target, reduction, **parameters).value


def slope(key: str, prediction: Any, target: Any, **parameters: Any) -> float:
    return float(evaluate(key, prediction, target, **parameters).gradient.reshape(-1)[0])


def kl(p: list[float], q: list[float]) -> float:
    """KL(p || q), p the truth."""
    return value("kl_div", [np.log(q).tolist()], [p])


def cross(logits: list[float], label: int, **parameters: Any) -> float:
    return value("cross_entropy", [logits], [label], **parameters)


def softmax(logits: list[float]) -> list[float]:
    return torch.softmax(torch.tensor(logits, dtype=torch.float64), -1).tolist()


def best(key: str, targets: list[float], low: float, high: float, **parameters: Any) -> float:
    """The constant prediction with the smallest loss, by ever finer grids."""
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    target = torch.tensor(targets, dtype=torch.float64).expand(41, -1)
    while high - low > 1e-8:
        grid = torch.linspace(low, high, 41, dtype=torch.float64)
        terms = loss.terms({"prediction": grid[:, None].expand_as(target), "target": target}, params)
        centre, reach = float(grid[terms.sum(1).argmin()]), (high - low) / 20
        low, high = centre - reach, centre + reach
    return (low + high) / 2


def float32_sigmoid(logit: float) -> float:
    return float(torch.sigmoid(torch.tensor(logit)))


OUTLIER = [1.0, 2.0, 3.0, 4.0, 100.0]
SMOOTHED_10 = [math.log(0.91), *[math.log(0.01)] * 9]
SIDES = [-2.0, -1.0, 1.0, 2.0]


def accurate_model(bias: float) -> float:
    return value("bce_with_logits", [x + bias for x in SIDES], [0, 0, 1, 1])


Case = tuple[str, float, Callable[[], float]]
CASES: list[Case] = [
    ("MSE in metres", 0.025, lambda: value("mse", [1.5, 2.0], [1.6, 1.8])),
    ("MSE in centimetres", 250, lambda: value("mse", [150, 200], [160, 180])),
    ("BCE of p = 0.5", 0.693147, lambda: value("bce", [0.5] * 3, [0, 1, 1])),
    ("chance level of 3 classes", 1.098612, lambda: cross([0.0] * 3, 1)),
    ("chance level of 10 classes", 2.302585, lambda: cross([0.0] * 10, 1)),
    ("chance level of 1000 classes", 6.907755, lambda: cross([0.0] * 1000, 1)),
    ("accurate and unsure", 0.617904, lambda: value("bce", [0.55] * 9 + [0.45], [1] * 10)),
    ("less accurate and sure", 0.191298, lambda: value("bce", [0.99] * 8 + [0.4] * 2, [1] * 10)),
    ("one mistake in ten", 0.699821, lambda: value("bce", [0.99] * 9 + [0.001], [1] * 10)),
    ("the part of that mistake", 0.690776, lambda: value("bce", [0.001], [1]) / 10),
    ("H(p, q)", 0.693147, lambda: value("bce", [0.5], [0.9])),
    ("H(q, p)", 1.203973, lambda: value("bce", [0.9], [0.5])),
    ("H(p, p)", 0.325083, lambda: value("bce", [0.9], [0.9])),
    ("KL(p || q)", 0.368064, lambda: kl([0.9, 0.1], [0.5, 0.5])),
    ("KL(q || p)", 0.510826, lambda: kl([0.5, 0.5], [0.9, 0.1])),
    ("no triangle inequality, one way", 1.757780, lambda: kl([0.1, 0.9], [0.9, 0.1])),
    ("the other", 0.878890, lambda: kl([0.1, 0.9], [0.5, 0.5]) + kl([0.5, 0.5], [0.9, 0.1])),
    ("no triangle inequality of squares, one way", 4, lambda: value("mse", [0], [2])),
    ("the other way", 2, lambda: value("mse", [0, 1], [1, 2], "sum")),
    ("minimum for a soft label", 0.610864, lambda: value("bce", [0.7], [0.7])),
    ("its place", 0.7, lambda: best("bce", [0.7], 0.01, 0.99)),
    (
        "floor of label smoothing, 3 classes",
        0.291140,
        lambda: cross([math.log(0.9 + 0.1 / 3), *[math.log(0.1 / 3)] * 2], 0, label_smoothing=0.1),
    ),
    ("floor of label smoothing, 10 classes", 0.500288, lambda: cross(SMOOTHED_10, 0, label_smoothing=0.1)),
    ("BCE of 0.8", 0.223144, lambda: value("bce", [0.8], [1])),
    ("in decimal logarithms", 0.096910, lambda: value("bce", [0.8], [1]) / math.log(10)),
    ("in bits", 0.321928, lambda: value("bce", [0.8], [1]) / math.log(2)),
    ("cross-entropy of logits", 3.065884, lambda: cross([4, 1, 0], 1)),
    ("cross-entropy of softmax put in as logits", 1.482783, lambda: cross(softmax([4, 1, 0]), 1)),
    (
        "gradient of the right one",
        1.336333,
        lambda: float(np.linalg.norm(evaluate("cross_entropy", [[4, 1, 0]], [1]).gradient)),
    ),
    ("perfect probabilities as logits, 3 classes", 0.551445, lambda: cross([1.0, 0, 0], 0)),
    ("perfect probabilities as logits, 10 classes", 1.461150, lambda: cross([1.0, *[0.0] * 9], 0)),
    ("a probability put in as a logit", 0.371101, lambda: value("bce_with_logits", [0.8], [1])),
    ("logit 16 in float32", 16.0, lambda: value("bce_with_logits", [16], [0], dtype="float32")),
    ("sigmoid of it in float32", 15.9424, lambda: value("bce", [float32_sigmoid(16)], [0], dtype="float32")),
    ("logit 17 in float32", 17.0, lambda: value("bce_with_logits", [17], [0], dtype="float32")),
    ("its slope", 1.0, lambda: slope("bce_with_logits", [17], [0], dtype="float32")),
    ("sigmoid of 17 in float32", 100.0, lambda: value("bce", [float32_sigmoid(17)], [0], dtype="float32")),
    ("slope of a confident mistake", -0.993307, lambda: slope("bce_with_logits", [-5], [1])),
    ("hinge, wrong side", 3, lambda: value("hinge", [2], [-1])),
    ("its slope", 1, lambda: slope("hinge", [2], [-1])),
    ("hinge, right side within the margin", 0.7, lambda: value("hinge", [0.3], [1])),
    ("hinge of probability 0", 1, lambda: value("hinge", [0], [-1])),
    ("hinge of probability 0.01", 1.01, lambda: value("hinge", [0.01], [-1])),
    ("best constant of MSE", 22, lambda: best("mse", OUTLIER, 0, 101)),
    ("best constant of MAE", 3, lambda: best("mae", OUTLIER, 0, 101)),
    ("best constant of Huber", 3, lambda: best("huber", OUTLIER, 0, 101)),
    ("best constant of log-cosh", 3.0188, lambda: best("log_cosh", OUTLIER, 0, 101)),
    ("best constant of quantile 0.9", 100, lambda: best("quantile", OUTLIER, 0, 101, tau=0.9)),
    ("square of an error below 1", 0.25, lambda: value("mse", [0.5], [0])),
    ("square of an error above 1", 9, lambda: value("mse", [3], [0])),
    ("MAE of one large error", 2.5, lambda: value("mae", [0, 0, 0, 10], [0] * 4)),
    ("MAE of four small errors", 2.5, lambda: value("mae", [2.5] * 4, [0] * 4)),
    ("MSE of one large error", 25, lambda: value("mse", [0, 0, 0, 10], [0] * 4)),
    ("MSE of four small errors", 6.25, lambda: value("mse", [2.5] * 4, [0] * 4)),
    ("Huber at 1.5", 1.875, lambda: value("huber", [2], [0], delta=1.5)),
    ("Smooth L1 at 1.5", 1.25, lambda: value("smooth_l1", [2], [0], beta=1.5)),
    ("MSE divides by all elements", 1, lambda: value("mse", np.zeros((4, 3)), np.ones((4, 3)))),
    (
        "pos_weight moves the optimum",
        0.5,
        lambda: 1 / (1 + math.exp(-best("bce_with_logits", [1, 0, 0, 0], -5, 5, pos_weight=3))),
    ),
    ("without it", 0.25, lambda: best("bce", [1, 0, 0, 0], 0.01, 0.99)),
    (
        "weighted mean",
        0.266678,
        lambda: value("cross_entropy", [[2, 0], [0, 1]], [0, 1], weight=(1, 3)),
    ),
    (
        "what dividing by n would give",
        0.533357,
        lambda: value("cross_entropy", [[2, 0], [0, 1]], [0, 1], "sum", weight=(1, 3)) / 2,
    ),
    ("loss where accuracy is 1", 0.2201, lambda: accurate_model(0)),
    ("loss elsewhere, accuracy still 1", 0.2812, lambda: accurate_model(0.9)),
    ("on the other side", 0.2812, lambda: accurate_model(-0.9)),
    ("BCE of 0 for label 1", 100, lambda: value("bce", [0], [1])),
    ("logits", 0.407606, lambda: cross([2, 1, 0], 0)),
    ("shifted by 100", 0.407606, lambda: cross([102, 101, 100], 0)),
    ("times 5", 0.006760, lambda: cross([10, 5, 0], 0)),
    ("the wrong class", 1.407606, lambda: cross([2, 1, 0], 1)),
    ("the wrong class times 5", 5.006760, lambda: cross([10, 5, 0], 1)),
    ("smoothed, scale 1", 0.6181, lambda: cross([1, 0, 0], 0, label_smoothing=0.1)),
    ("smoothed, scale 3.33", 0.2911, lambda: cross([3.33, 0, 0], 0, label_smoothing=0.1)),
    ("smoothed, scale 10", 0.6668, lambda: cross([10, 0, 0], 0, label_smoothing=0.1)),
    ("smoothed, scale 50", 3.3333, lambda: cross([50, 0, 0], 0, label_smoothing=0.1)),
    ("binary cross-entropy", 0.241008, lambda: value("bce_with_logits", [1.3], [1])),
    ("two-class softmax", 0.241008, lambda: cross([0, 1.3], 1)),
]


@pytest.mark.parametrize(("name", "expected", "compute"), CASES, ids=[name for name, _, _ in CASES])
def test_known_numbers(name: str, expected: float, compute: Callable[[], float]) -> None:
    decimals = len(f"{expected:.10g}".partition(".")[2])
    assert compute() == pytest.approx(expected, abs=0.51 * 10 ** -max(decimals, 4))


@pytest.mark.parametrize("error", [10.0, 1.0, 0.1, 0.001])
def test_only_the_squared_error_fades_near_the_target(error: float) -> None:
    assert slope("mae", [error], [0]) == 1
    assert slope("mse", [error], [0]) == pytest.approx(2 * error)


def test_hinge_refuses_labels_0_and_bce_scores() -> None:
    with pytest.raises(ValueError, match="one of -1, \\+1"):
        value("hinge", [2], [0])
    with pytest.raises(ValueError, match=r"1.8.*\[0, 1\]"):
        value("bce", [1.8], [1])


def test_a_column_is_not_compared_with_a_row() -> None:
    with pytest.raises(ValueError, match=r"shape \(4,\).*\(4, 1\)"):
        value("mse", [[2.0], [4.0], [6.0], [8.0]], [2.0, 4.0, 6.0, 8.0])


def test_relations_between_losses() -> None:
    z, y, e = [2.0, -1.0, 0.5], [1, 0, 0], [-1.5, 0.5, 3.0]
    zero = [0.0] * 3
    assert value("focal", z, y, gamma=0, alpha=0.5) == pytest.approx(value("bce_with_logits", z, y) / 2)
    assert value("quantile", e, zero, tau=0.5) == pytest.approx(value("mae", e, zero) / 2)
    assert value("huber", e, zero, delta=0.7) == pytest.approx(0.7 * value("smooth_l1", e, zero, beta=0.7))
    assert value("huber", e, zero, delta=100) == pytest.approx(value("mse", e, zero) / 2)
    probabilities = torch.sigmoid(torch.tensor(z, dtype=torch.float64))
    assert value("bce", probabilities, y) == pytest.approx(value("bce_with_logits", z, y))


def test_kl_divergence_from_one_hot_targets_is_cross_entropy() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.5, 1.5, -1.0]], dtype=torch.float64)
    target = torch.tensor([1, 0])
    assert value("kl_div", torch.log_softmax(logits, 1), one_hot(target, 3)) == pytest.approx(
        value("cross_entropy", logits, target)
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("ones", [1, 3, 6, 9])
def test_focal_loss_is_too_cautious(gamma: float, ones: int) -> None:
    targets = [1.0] * ones + [0.0] * (10 - ones)
    alpha = 0.25
    balanced = math.log(alpha * ones / ((1 - alpha) * (10 - ones)))
    found = best("focal", targets, -8, 8, gamma=gamma, alpha=alpha)
    more = best("focal", targets, -8, 8, gamma=gamma + 1, alpha=alpha)
    assert abs(found) <= abs(balanced) + 1e-6
    assert abs(more) <= abs(found) + 1e-6
    assert found * balanced >= -1e-6


def test_every_loss_has_a_lowest_point_where_prediction_and_target_agree() -> None:
    for key in ("mse", "mae", "huber", "smooth_l1", "log_cosh", "quantile"):
        assert value(key, [1.5, -2.0], [1.5, -2.0]) == 0, losses.get(key).title
