"""What several losses for many classes, many labels and distributions declare alike."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.losses._shared import REAL
from lossviz.losses.base import Domain, ErrorCase, Fit, Input, Inputs, Reduction

TRUE_CLASS: Final = Input("target", "target", ("n",), Domain("index"), "index of the true class", differentiable=False)
LOGIT_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "k"), REAL, "logits: one raw score for each class"),
    TRUE_CLASS,
)
SCORE_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "k"), REAL, "one raw score for each class; the largest one decides"),
    TRUE_CLASS,
)
LABELS: Final = Input(
    "target",
    "target",
    ("n", "k"),
    Domain("labels", values=(0.0, 1.0)),
    "for each class 1 if it applies, else 0",
    differentiable=False,
)
DISTRIBUTION_INPUTS: Final = (
    Input("prediction", "prediction", ("n", "k"), Domain("simplex"), "predicted probabilities"),
    Input("target", "target", ("n", "k"), Domain("simplex"), "true distribution over the classes"),
)
CLASS_FITS: Final = (Fit("multiclass", "identity", "index"),)

CLASS_ERRORS: Final = (
    ErrorCase([[2.0, 1.0, 0.0]], [3], "0 to 2"),
    ErrorCase([[2.0, 1.0, 0.0]], [0.5], "whole number"),
    ErrorCase([[2.0, 1.0, 0.0]], [0, 1], "shape"),
    ErrorCase([[2.0, 1.0, float("nan")]], [0], "finite"),
)
LABEL_ERRORS: Final = (
    ErrorCase([[2.0, 1.0, 0.0]], [[1.0, 0.5, 0.0]], "one of 0, 1"),
    ErrorCase([[2.0, 1.0, 0.0]], [[1.0, 0.0]], "shape"),
    ErrorCase([2.0, 1.0], [1.0, 0.0], "(samples, classes)"),
    ErrorCase([[2.0, float("inf")]], [[1.0, 0.0]], "finite"),
)
DISTRIBUTION_ERRORS: Final = (
    ErrorCase([[0.9, 0.2]], [[0.5, 0.5]], "sums to 1.1"),
    ErrorCase([[0.5, 0.5]], [[0.5, 0.6]], "sums to 1.1"),
    ErrorCase([[1.5, -0.5]], [[0.5, 0.5]], "[0, 1]"),
    ErrorCase([[0.5, 0.5]], [[1.0, 0.0, 0.0]], "shape"),
)

LOGIT_ROWS: Final = ((2.0, 1.0, 0.0), (0.5, 1.5, -1.0), (1.0, 0.0, 0.8))
"""Logits that are right, surely right, and nearly right, for the classes 0, 1, 2."""
SCORE_ROWS: Final = ((2.5, 1.0, 0.0), (0.5, 1.2, -1.0), (1.0, 0.0, 0.8))
"""Scores of which the first beat the others by more than 1, for the classes 0, 1, 2."""
LABEL_ROWS: Final = ((1.5, -0.5, 0.2, -1.0), (0.2, 1.0, -0.3, 0.5))
LABEL_TARGETS: Final = ((1.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 0.0))
"""Scores of four classes, and which of them apply: two of the first sample, one of the second."""

SAMPLE_MEAN: Final = Reduction(
    "mean", "Mean over samples", "mean", r"\frac{1}{n}\sum_{i=1}^{n}\sum_{c=1}^{k} #", "samples"
)
SAMPLE_SUM: Final = Reduction("sum", "Sum", "sum", r"\sum_{i=1}^{n}\sum_{c=1}^{k} #", "one")
"""Reductions of terms that stand for single classes, of which a sample has k."""


def one_hot(inputs: Inputs) -> Tensor:
    """The target as rows of 0 and 1 in the prediction's dtype.

    Example:
        >>> one_hot({"prediction": torch.zeros(1, 3), "target": torch.tensor([2])})
        tensor([[0., 0., 1.]])
    """
    return F.one_hot(inputs["target"], inputs["prediction"].shape[-1]).to(inputs["prediction"].dtype)


def of_label(inputs: Inputs, rows: Tensor) -> Tensor:
    """From rows (..., n, k) the number of the true class, (..., n).

    Example:
        >>> of_label({"target": torch.tensor([2])}, torch.tensor([[1.0, 2.0, 3.0]]))
        tensor([3.])
    """
    return rows.gather(-1, inputs["target"][..., None])[..., 0]


def class_count(inputs: Inputs) -> Tensor:
    """The number of classes, once for each sample.

    Example:
        >>> class_count({"prediction": torch.zeros(2, 3)})
        tensor([3., 3.])
    """
    prediction = inputs["prediction"]
    return torch.full_like(prediction[..., 0], prediction.shape[-1])


def shift_scores(inputs: Inputs) -> Inputs:
    """All scores raised by the same amount."""
    return {**inputs, "prediction": inputs["prediction"] + 0.75}


def softmax_link(state: Inputs) -> dict[str, Tensor]:
    """Logits turned into probabilities."""
    return {"prediction": torch.softmax(state["prediction"], -1), "target": state["target"]}
