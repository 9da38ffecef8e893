"""Numbers in the texts of multiclass losses."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from lossviz import evaluate, losses
from tests.losses.claims.tools import Claim, share, start
from tests.losses.points import example


def value(key: str, logits: list[float], label: int, **parameters: Any) -> float:
    """What one sample costs."""
    return evaluate(key, [logits], [label], **parameters).value


def total(key: str, **parameters: Any) -> float:
    """The sum of the starting board's terms."""
    return start(key, "value", **parameters) * start(key, "denominator", **parameters)


def lead(key: str, sample: int, label: int, other: int) -> float:
    """By how much one class's score exceeds another's on the starting board."""
    scores = example(losses.get(key))[0]["prediction"][sample - 1]
    return float(scores[label] - scores[other])


def steepest(key: str, **parameters: Any) -> float:
    """The largest slope in size of Sample 3 of the board of generalized cross-entropy."""
    board = example(losses.get("generalized_cross_entropy"))
    return float(np.abs(evaluate(key, *board, **parameters).gradient[2]).max())


def worst_rival(power: int) -> float:
    """How many per cent of the multi-class margin loss class 0 of Sample 3 makes on the starting board."""
    predictions, targets = example(losses.get("multi_margin"))
    shortfalls = [
        max(0.0, 1 - scores[int(label)] + scores[other]) ** power
        for scores, label in zip(predictions["prediction"], targets["target"], strict=True)
        for other in range(3)
        if other != label
    ]
    return float(100 * shortfalls[4] / sum(shortfalls))


def mislabelled(key: str, **parameters: Any) -> float:
    """How many per cent of the loss the sample labelled wrongly makes in a pitfall of the categorical focal loss."""
    terms = evaluate(key, [[4, 0.5, 0], [0.5, 1.5, -1], [6, 0.5, 0]], [0, 1, 2], **parameters).terms
    return float(100 * terms[2] / terms.sum())


def times(**parameters: Any) -> float:
    """How many times as much Sample 3 costs as Sample 1 on the board of the categorical focal loss."""
    key = "categorical_focal"
    return start(key, "terms", 2, **parameters) / start(key, "terms", 0, **parameters)


def with_a_row_as_classes() -> float:
    """PyTorch's multi-label margin loss of Sample 1, given the row of 0 and 1 instead of class indices."""
    predictions, targets = example(losses.get("multilabel_margin"))
    scores, row = (torch.as_tensor(part[0]) for part in (predictions["prediction"], targets["target"]))
    return float(F.multilabel_margin_loss(scores, row.long()))


def over_all_labels() -> float:
    """Binary cross-entropy of all eight labels of the multi-label soft margin loss's board, added up."""
    predictions, targets = example(losses.get("multilabel_soft_margin"))
    return evaluate("bce_with_logits", predictions["prediction"], targets["target"], "sum").value


WEIGHTS = (1, 3, 0.5)

CLAIMS: list[Claim] = [
    ("cross_entropy", "instead of 0.105", lambda: -np.log(0.9)),
    ("cross_entropy", "still cost 0.551", lambda: value("cross_entropy", [1, 0, 0], 0)),
    ("cross_entropy", "ln k: 1.099", lambda: value("cross_entropy", [0] * 3, 0)),
    ("cross_entropy", "3 classes, 2.303", lambda: value("cross_entropy", [0] * 10, 0)),
    ("cross_entropy", "the sum is 2.013", lambda: total("cross_entropy", weight=WEIGHTS)),
    ("cross_entropy", "add up to 4.5", lambda: start("cross_entropy", "denominator", weight=WEIGHTS)),
    ("cross_entropy", "would be 0.671", lambda: total("cross_entropy", weight=WEIGHTS) / 3),
    ("nll", "add up to 2.013", lambda: total("nll", weight=WEIGHTS)),
    ("nll", "divided by 4.5", lambda: start("nll", "denominator", weight=WEIGHTS)),
    ("nll", "returns −0.665", lambda: -np.exp(-start("nll", "terms"))),
    ("categorical_focal", "Sample 3 costs 49", lambda: times(gamma=0)),
    ("categorical_focal", "more than 18,000", lambda: np.floor(times() / 1000) * 1000),
    ("categorical_focal", "instead of 0.159", lambda: start("categorical_focal", "value")),
    ("categorical_focal", "makes 99.4", lambda: mislabelled("categorical_focal")),
    ("categorical_focal", "give it 93", lambda: mislabelled("cross_entropy")),
    ("categorical_focal", "instead of 0.000263", lambda: value("categorical_focal", np.log([0.9, 0.05, 0.05]), 0)),
    ("multi_margin", "class leads by 1.5", lambda: lead("multi_margin", 1, 0, 1)),
    ("multi_margin", "and by 2.5", lambda: lead("multi_margin", 1, 0, 2)),
    ("multi_margin", "2 leads by 0.7", lambda: lead("multi_margin", 2, 1, 0)),
    ("multi_margin", "0.7, 0.3", lambda: 1 - lead("multi_margin", 2, 1, 0)),
    ("multi_margin", "class 0 is 1.2", lambda: 1 - lead("multi_margin", 3, 2, 0)),
    ("multi_margin", "class 1 is 0.2", lambda: 1 - lead("multi_margin", 3, 2, 1)),
    ("multi_margin", "now makes 92", lambda: worst_rival(2)),
    ("multi_margin", "it was 71", lambda: worst_rival(1)),
    ("multi_margin", "grows from 0.189", lambda: start("multi_margin", "value")),
    ("multi_margin", "add up to 0.533", lambda: total("multi_margin", weight=WEIGHTS)),
    ("categorical_hinge", "class leads by 1.5", lambda: lead("categorical_hinge", 1, 0, 1)),
    ("categorical_hinge", "2 leads by 0.7", lambda: lead("categorical_hinge", 2, 1, 0)),
    ("categorical_hinge", "ahead by 0.2", lambda: lead("categorical_hinge", 3, 0, 2)),
    ("categorical_hinge", "it would be 0", lambda: value("categorical_hinge", [2, 0, -1], 0)),
    ("categorical_hinge", "only 0.1", lambda: 2 - 1.9),
    ("generalized_cross_entropy", "asks 5.025", lambda: value("cross_entropy", [4, 0, -1], 2)),
    ("generalized_cross_entropy", "limit of 1.429", lambda: value("generalized_cross_entropy", [900, 0, 0], 1)),
    ("generalized_cross_entropy", "slope is 0.0098", lambda: steepest("generalized_cross_entropy")),
    ("generalized_cross_entropy", "grows to 0.258", lambda: steepest("generalized_cross_entropy", q=0.05)),
    ("generalized_cross_entropy", "cross-entropy's 0.331", lambda: steepest("cross_entropy")),
    ("generalized_cross_entropy", "Sample 3 is 0.0022", lambda: steepest("generalized_cross_entropy", q=1)),
    ("generalized_cross_entropy", "over q, 1.429", lambda: value("generalized_cross_entropy", [900, 0, 0], 1, q=0.7)),
    ("generalized_cross_entropy", "and 10", lambda: value("generalized_cross_entropy", [900, 0, 0], 1, q=0.1)),
    ("poly1", "cross-entropy, 0.587", lambda: start("cross_entropy", "value")),
    ("poly1", "3 classes costs 1.099", lambda: value("cross_entropy", [0, 0, 0], 0)),
    ("poly1", "cross-entropy's is −0.074", lambda: evaluate("cross_entropy", [[3.5, 0.5, 0]], [0]).gradient.min()),
    ("multilabel_margin", "by only 0.7", lambda: lead("multilabel_margin", 1, 2, 1)),
    ("multilabel_margin", "so 0.3", lambda: 1 - lead("multilabel_margin", 1, 2, 1)),
    ("multilabel_margin", "lacks 0.2", lambda: 1 - lead("multilabel_margin", 2, 1, 0)),
    ("multilabel_margin", "and 0.5", lambda: 1 - lead("multilabel_margin", 2, 1, 3)),
    ("multilabel_margin", "class 1 to 1.5", lambda: 1 + start("multilabel_margin", "prediction", 7)),
    ("multilabel_margin", "costs 1.1", with_a_row_as_classes),
    ("multilabel_margin", "instead of 0.075", lambda: share("multilabel_margin", 1) * 2),
    ("multilabel_soft_margin", "now it costs 0.474", lambda: evaluate("bce_with_logits", [0.5], [1]).value),
    ("multilabel_soft_margin", "instead of 0.105", lambda: -np.log(0.9)),
    ("multilabel_soft_margin", "would be 4.227", over_all_labels),
    ("multilabel_soft_margin", "grows from 0.528", lambda: start("multilabel_soft_margin", "value")),
]
