"""What losses on rankings share: inputs, ranks and the shift of all scores."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.losses._shared import REAL
from lossviz.losses.base import ErrorCase, Input, Inputs, Invariance

SCORES: Final = Input("prediction", "prediction", ("n", "k"), REAL, "one score for each item of a list")


def ranks(scores: Tensor) -> Tensor:
    """The place of each item in its list: 1 for the highest score; equal ones share the better place."""
    return 1 + (scores[..., None, :] > scores[..., :, None]).to(scores.dtype).sum(-1)


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
