"""Weights of classes, as several losses take them."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.losses.base import Inputs, Parameter, Params, Reduction

CLASS_WEIGHTS: Final = Parameter(
    "weight", "w", None, 0.0, 1000.0, 0.5, "How much a sample counts, by its class.", kind="class_weights"
)


def class_weights(inputs: Inputs, params: Params) -> Tensor | None:
    """The parameter "weight" as a tensor (k,), or None.

    Args:
        inputs: "prediction" (..., n, k).
        params: "weight": None or a number for each class.

    Returns:
        The weights in the prediction's dtype.

    Raises:
        ValueError: If there is not one weight for each class.

    Example:
        >>> import torch
        >>> class_weights({"prediction": torch.zeros(1, 3)}, {"weight": (1.0, 2.0, 0.5)})
        tensor([1.0000, 2.0000, 0.5000])
    """
    weights = params["weight"]
    classes = inputs["prediction"].shape[-1]
    if weights is not None and len(weights) != classes:
        raise ValueError(f"weight is {weights!r}; allowed is None, or one for each of the {classes} classes")
    return None if weights is None else inputs["prediction"].new_tensor(weights)


def class_weight_total(inputs: Inputs, params: Params) -> Tensor | float:
    r"""What a weighted mean divides by: `\sum_{i=1}^n w_{y_i}`, or n without weights.

    Args:
        inputs: "prediction" (..., n, k) and "target" (..., n) with class indices.
        params: "weight": None or a number for each class.

    Returns:
        A tensor (...), or the number of samples.

    Example:
        >>> import torch
        >>> inputs = {"prediction": torch.zeros(2, 3), "target": torch.tensor([0, 2])}
        >>> class_weight_total(inputs, {"weight": (1.0, 1.0, 4.0)})
        tensor(5.)
    """
    weights = class_weights(inputs, params)
    return float(inputs["target"].shape[-1]) if weights is None else weights[inputs["target"]].sum(-1)


WEIGHTED_MEAN: Final = Reduction(
    "mean", "Mean", "mean", r"\frac{1}{\sum_{i=1}^{n} w_{y_i}} \sum_{i=1}^{n} #", class_weight_total
)
