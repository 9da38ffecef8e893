"""Parameters of a loss as a run takes them."""

from __future__ import annotations

from typing import Any

from lossviz.losses.base import Loss
from lossviz.training.checks import shorten


def check_parameters(loss: Loss, value: Any, classes: int) -> tuple[tuple[str, Any], ...]:
    """Return all parameters of a loss by name.

    Args:
        loss: the loss.
        value: those that are not at their default, as a mapping or as pairs.
        classes: number of classes, each of which class weights need to have one for.

    Raises:
        ValueError: a parameter is unknown or not allowed.
    """
    try:
        given = dict(value)
    except (TypeError, ValueError):
        raise ValueError(f"loss_parameters is {shorten(value)}; names with values are allowed") from None
    checked = loss.check_parameters(given)
    for parameter in loss.parameters:
        weights = checked[parameter.name]
        if parameter.kind != "class_weights" or weights is None:
            continue
        # A batch whose targets all weigh 0 would divide by 0.
        if len(weights) != classes or min(weights) <= 0.0:
            raise ValueError(
                f"loss_parameters.{parameter.name} is {shorten(weights)}; "
                f"null or {classes} numbers above 0, one for each class, are allowed"
            )
    return tuple(checked.items())
