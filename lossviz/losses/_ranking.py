"""What losses on rankings share: inputs and the shift of all scores."""

from __future__ import annotations

from typing import Final

from lossviz.losses._shared import REAL
from lossviz.losses.base import ErrorCase, Input, Inputs, Invariance

SCORES: Final = Input("prediction", "prediction", ("n", "k"), REAL, "one score for each item of a list")


def shift_scores(inputs: Inputs) -> Inputs:
    """All scores of a list raised by the same number."""
    return {**inputs, "prediction": inputs["prediction"] + 1.5}


def reverse_items(inputs: Inputs) -> Inputs:
    """The items of each list in the opposite order, with their relevances."""
    return {**inputs, "prediction": inputs["prediction"].flip(-1), "target": inputs["target"].flip(-1)}


INVARIANCES: Final = (
    Invariance("All scores of a list may be raised by the same number: only differences count.", shift_scores),
    Invariance("The order in which the items are written down does not count.", reverse_items),
)
ERRORS: Final = (
    ErrorCase([[1.0, 2.0]], [[1.0]], "shape"),
    ErrorCase([[1.0, float("nan")]], [[1.0, 0.0]], "finite"),
    ErrorCase([1.0, 2.0], [1.0, 0.0], "shape"),
    ErrorCase([[1.0]], [[1.0]], "at least 2"),
)
