"""Numbers in the texts of binary losses."""

from typing import Any

import numpy as np
import torch

import lossviz
from lossviz import evaluate, losses
from tests.losses.claims.tools import Claim, slope_at, start, term
from tests.losses.points import example


def total(key: str, **parameters: Any) -> float:
    """The sum of the starting board's terms."""
    return evaluate(key, *example(losses.get(key)), "sum", **parameters).value


def slope(key: str, prediction: float, target: float, **parameters: Any) -> float:
    return float(evaluate(key, [prediction], [target], **parameters).gradient[0])


def changed(key: str, column: str, sample: int, prediction: float) -> float:
    """A number on the starting board after one prediction was dragged."""
    predictions, targets = example(losses.get(key))
    dragged = predictions["prediction"].copy()
    dragged[sample - 1] = prediction
    found = lossviz.tables(key, dragged, targets).base[column]
    return float(found[sample - 1 if found.size > 1 else 0])


def first_sure_logit() -> float:
    """The smallest whole logit whose sigmoid is 1 in float32."""
    logits = torch.arange(30, dtype=torch.float32)
    return float(logits[torch.sigmoid(logits) == 1][0])


def balance(key: str, low: float, high: float) -> float:
    """The score between two others where the slopes of three labels +1 and one label −1 add up to 0."""
    scores = np.linspace(low, high, 1001)
    return float(min(scores, key=lambda score: evaluate(key, [score] * 4, [1, 1, 1, -1]).value))


def held_fixed() -> float:
    """The asymmetric loss's slope of Logit 3 where the power counts as a constant, as in its authors' program."""
    probability = torch.tensor(start("asymmetric", "prediction", 2), dtype=torch.float64).sigmoid()
    shifted = probability - 0.05
    return float(shifted**4 / (1 - shifted) * probability * (1 - probability) / 4)


def odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


CLAIMS: list[Claim] = [
    ("bce", "costs 0.223", lambda: term("bce", 0.8, 1)),
    ("bce", "stops at 100", lambda: term("bce", 0, 1)),
    ("bce", "slope of −2.5", lambda: changed("bce", "gradient.prediction", 1, 0) / 1e11),
    ("bce", "logit of 17", first_sure_logit),
    ("bce", "value of 0.693", lambda: term("bce", 0.5, 1)),
    ("bce", "not 0.097", lambda: term("bce", 0.8, 1) / np.log(10)),
    ("bce_with_logits", "costs 3.049", lambda: start("bce_with_logits", "terms", 3)),
    ("bce_with_logits", "costs 5.007", lambda: changed("bce_with_logits", "terms", 4, -5)),
    ("bce_with_logits", "a slope of −0.953", lambda: slope("bce_with_logits", -3, 1)),
    ("bce_with_logits", "a slope of −0.993", lambda: slope("bce_with_logits", -5, 1)),
    ("bce_with_logits", "costs 0.371", lambda: term("bce_with_logits", 0.8, 1)),
    ("bce_with_logits", "instead of 0.223", lambda: term("bce", 0.8, 1)),
    ("bce_with_logits", "sum of 10.814", lambda: total("bce_with_logits", pos_weight=3)),
    ("hinge", "costs 0.7 ", lambda: start("hinge", "terms", 0)),
    ("hinge", "has margin 2", lambda: start("hinge", "margin", 1)),
    ("hinge", "from −0.25", lambda: slope_at("hinge", 1.0, "slope_left")),
    ("hinge", "to 0.", lambda: slope_at("hinge", 1.0, "slope_right")),
    ("hinge", "the mean is 1.175", lambda: start("hinge", "value")),
    ("squared_hinge", "lacks 2.5", lambda: 1 - start("squared_hinge", "margin", 3)),
    ("squared_hinge", "costs 6.25", lambda: start("squared_hinge", "terms", 3)),
    ("squared_hinge", "hinge asks 2.5", lambda: start("hinge", "terms", 3)),
    ("squared_hinge", "Score 1 lacks 0.7", lambda: 1 - start("squared_hinge", "margin", 0)),
    ("squared_hinge", "costs 0.49", lambda: start("squared_hinge", "terms", 0)),
    ("squared_hinge", "less than the 0.7", lambda: start("hinge", "terms", 0)),
    ("squared_hinge", "would charge 2.5", lambda: term("hinge", -9, 1) / 4),
    ("focal", "probability of 0.88", lambda: start("focal", "probability", 0)),
    ("focal", "costs 0.032", lambda: start("focal", "terms", 0, gamma=0)),
    ("focal", "only 0.00045", lambda: start("focal", "terms", 0)),
    ("focal", "70 times", lambda: start("focal", "terms", 0, gamma=0) / start("focal", "terms", 0)),
    ("focal", "0.762 with", lambda: start("focal", "terms", 3, gamma=0)),
    ("focal", "0.692 with", lambda: start("focal", "terms", 3)),
    ("focal", "more than 25", lambda: np.floor(term("focal", 0.9, 1) / term("focal", odds(0.9), 1) / 5) * 5),
    ("focal", "the 0.00026", lambda: term("focal", odds(0.9), 1)),
    ("focal", "cross-entropy, 0.248", lambda: start("focal", "value")),
    ("focal", "which is 0.496", lambda: total("focal") / 2),
    ("focal", "the mean is 0.248", lambda: start("focal", "value")),
    ("soft_margin", "falls to 0.007", lambda: changed("soft_margin", "terms", 2, -5)),
    ("soft_margin", "near −0.25", lambda: changed("soft_margin", "gradient.prediction", 4, -5)),
    ("exponential", "cost by 2.718", lambda: term("exponential", 0, 1) / term("exponential", 1, 1)),
    ("exponential", "sum of 7.007", lambda: total("exponential")),
    ("exponential", "it to −2.5", lambda: start("exponential", "margin", 3) - 1),
    ("exponential", "costs 12.182", lambda: changed("exponential", "terms", 4, -2.5)),
    ("exponential", "12.182, 2.718", lambda: term("exponential", -2.5, 1) / term("exponential", -1.5, 1)),
    ("exponential", "148.413, 98", lambda: 100 * np.exp(5) / (total("exponential") - np.exp(1.5) + np.exp(5))),
    ("exponential", "1.847, 18", lambda: slope("exponential", -2, 1) / (3 * slope("exponential", 2, 1))),
    ("exponential", "score of 0.5493", lambda: balance("exponential", 0.5, 0.6)),
    ("exponential", "twice that is 0.75", lambda: 1 / (1 + np.exp(-2 * balance("exponential", 0.5, 0.6)))),
    ("perceptron", "still ask 0.99", lambda: evaluate("hinge", [0.01, -0.01, -0.01, 0.01], [1, -1, -1, 1]).value),
    ("perceptron", "it was 0.5", lambda: start("perceptron", "value")),
    ("modified_huber", "hinge asks 6.25", lambda: start("squared_hinge", "terms", 3)),
    ("modified_huber", "it costs 20", lambda: changed("modified_huber", "terms", 4, -5)),
    ("modified_huber", "instead of 36", lambda: changed("squared_hinge", "terms", 4, -5)),
    ("modified_huber", "stays at −1", lambda: changed("modified_huber", "gradient.prediction", 4, -5)),
    ("modified_huber", "would ask 1.5", lambda: term("huber", 3, 1)),
    ("modified_huber", "score of 0.5", lambda: balance("modified_huber", 0, 1)),
    ("modified_huber", "probability of 0.75", lambda: (balance("modified_huber", 0, 1) + 1) / 2),
    ("brier", "loss is 0.25", lambda: evaluate("brier", [0.5] * 4, [1, 0, 0, 1]).value),
    ("brier", "where 0.1 costs 0.81", lambda: term("brier", 0.1, 1)),
    ("brier", "1 − p, here 0.001", lambda: 0.001 * (1 - 0.001)),
    ("brier", "not 0.693", lambda: term("bce", 0.5, 1)),
    ("brier", "here 0.109", lambda: evaluate("brier", [1 / 8] * 8, [1] + [0] * 7).value),
    ("brier", "as much: 0.65", lambda: 2 * start("brier", "value")),
    ("asymmetric", "would ask 0.313", lambda: start("bce_with_logits", "terms", 1)),
    ("asymmetric", "probability of 0.047", lambda: 1 / (1 + np.exp(3))),
    ("asymmetric", "it would be 0.0148", held_fixed),
    ("zero_one", "drops to 0.25", lambda: changed("zero_one", "value", 4, 0.1)),
]
