"""Mistakes in how model, labels and loss are put together: each a program that runs, trains, and is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Literal

from lossviz import losses
from lossviz.losses.base import Fit

RIGHT: Final = "right"


@dataclass(frozen=True)
class Wiring:
    """One way to put model, labels and loss together.

    Args:
        title: in a few words.
        meaning: what the program does, in a sentence.
        link: what stands between the model's output and the loss; None: what the loss needs.
        labels: how the labels are written; None: as the loss needs them.
    """

    title: str
    meaning: str
    link: Literal["sigmoid", "softmax"] | None = None
    labels: Literal["zero_one"] | None = None


WIRINGS: Final[dict[str, Wiring]] = {
    RIGHT: Wiring("As it should be", "The loss gets what it is made for."),
    "softmax_twice": Wiring(
        "Softmax twice",
        "The model ends in a softmax, and cross-entropy, which takes raw scores, applies another one to its "
        "probabilities.",
        link="softmax",
    ),
    "sigmoid_twice": Wiring(
        "Sigmoid twice",
        "The model ends in a sigmoid, and binary cross-entropy with logits, which takes raw scores, applies another "
        "one to its probability.",
        link="sigmoid",
    ),
    "labels_zero_one": Wiring(
        "Labels 0 and 1",
        "The loss multiplies scores by labels −1 and +1, but gets the labels 0 and 1.",
        labels="zero_one",
    ),
}


def wirings_for(loss: str, task: str) -> tuple[str, ...]:
    """Return the keys of `WIRINGS` that are possible with a loss on a task; "right" comes first.

    Example:
        >>> wirings_for("cross_entropy", "multiclass"), wirings_for("hinge", "binary"), wirings_for("mse", "binary")
        (('right', 'softmax_twice'), ('right', 'labels_zero_one'), ('right',))
    """
    found, trains = declared_fit(loss, task), "no_gradient" not in losses.get(loss).properties
    if loss == "cross_entropy" and task == "multiclass":
        return (RIGHT, "softmax_twice")
    if loss == "bce_with_logits" and task == "binary":
        return (RIGHT, "sigmoid_twice")
    if (found.link, found.labels) == ("identity", "plus_minus") and trains:
        return (RIGHT, "labels_zero_one")
    return (RIGHT,)


def declared_fit(loss: str, task: str) -> Fit:
    """Return how a loss is to be trained on a task: the link and the labels."""
    return next(fit for fit in losses.get(loss).fits if fit.task == task)


@cache
def wired_fit(loss: str, task: str, wiring: str) -> Fit:
    """Return the link and the labels that a wiring makes of it.

    Example:
        >>> wired_fit("hinge", "binary", "labels_zero_one").labels
        'zero_one'
    """
    fit, found = declared_fit(loss, task), WIRINGS[wiring]
    return replace(fit, link=found.link or fit.link, labels=found.labels or fit.labels)
