"""Losses side by side on one axis: their values and their slopes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.cards import loss_at
from lossviz.evaluation import slopes_of
from lossviz.losses.base import TASKS, Loss, shorten

AxisName = Literal["residual", "score", "logit"]
FEWEST: Final = 2
MOST: Final = 4
CLASSES: Final = 3
MAX_TARGET: Final = 1000.0
REACH: Final[Mapping[AxisName, float]] = {"residual": 4.0, "score": 4.0, "logit": 6.0}
BESIDE: Final = 1e-9
"""How far beside a place its sides are."""
REFERENCE: Final[Mapping[AxisName, float]] = {"residual": 1.0, "score": -1.0, "logit": -1.0}
"""Where aligned losses all have the value 1: an error of 1, a score that is wrong by 1, a true class that is behind."""
_LABELS: Final[Mapping[AxisName, str]] = {
    "residual": "Prediction minus target",
    "score": "Score of the true label",
    "logit": "Logit of the true class",
}


@dataclass(frozen=True)
class Curve:
    """One loss along the axis.

    Args:
        key: Its key.
        title: Its title, with the parameters that are not at their default.
        values: One term at each place of the axis; NaN where it is not defined.
        slopes: Its derivative along the axis.
        value_sides: Just left and just right of each place, (2, m): at a jump they differ.
        slope_sides: Likewise; at a kink they differ.
        scale: What all are multiplied by; 1 unless aligned.
        note: How the loss is put on this axis, where that is not plain; else empty.
    """

    key: str
    title: str
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]
    value_sides: NDArray[np.float64]
    slope_sides: NDArray[np.float64]
    scale: float
    note: str


@dataclass(frozen=True)
class Comparison:
    """Two to four losses on one axis.

    Args:
        axis: "residual", "score" or "logit".
        label: The axis in words.
        places: Where on the axis, (m,).
        curves: One for each loss, in the order asked for.
        aligned: Whether each is scaled to the value 1 at `reference`.
        reference: That place.
    """

    axis: AxisName
    label: str
    places: NDArray[np.float64]
    curves: tuple[Curve, ...]
    aligned: bool
    reference: float


def axis_of(loss: Loss) -> tuple[AxisName | None, str]:
    """The axis on which a loss can be drawn, or why there is none.

    Example:
        >>> axis_of(losses.get("huber"))
        ('residual', '')
        >>> axis_of(losses.get("hinge"))[0]
        'score'
    """
    if len(loss.predictions) != 1 or len(loss.targets) != 1:
        count = len(loss.predictions)
        what = f"it takes {count} predictions" if count != 1 else "it has no single target"
        return None, f"{loss.title} cannot be drawn as a curve along one number: {what}."
    item, target = loss.predictions[0], loss.targets[0]
    single = loss.elementwise or item.shape == ("n",)
    if single and loss.term_axes == ("n",):
        if loss.task == "regression":
            return "residual", ""
        if loss.task in ("binary", "generative") and target.domain.kind in ("labels", "interval"):
            return "score", ""
    classes = item.shape == ("n", "k") and target.shape in (("n",), ("n", "k"))
    if classes and loss.task in ("multiclass", "distribution"):
        return "logit", ""
    what = item.meaning.split(":")[0].split(";")[0]
    return None, (
        f"{loss.title} cannot be drawn as a curve along one residual, score or logit. What it judges is another thing: "
        f"{what} ({TASKS[loss.task].lower()})."
    )


def comparable() -> dict[str, AxisName]:
    """The losses that can be drawn, with their axes, in the order of the menus.

    Example:
        >>> comparable()["bce"]
        'score'
    """
    found = {key: axis_of(losses.get(key))[0] for key in losses.keys()}  # noqa: SIM118 - the registry's own function
    return {key: axis for key, axis in found.items() if axis is not None}


def compare(chosen: Sequence[tuple[str, Mapping[str, Any]]], aligned: bool = False, target: float = 1.0) -> Comparison:
    """Draw losses along one axis.

    Regression losses are drawn along prediction minus target. Binary losses are drawn along the score of a sample whose
    label is the positive one; those that take a probability get the sigmoid of the score. Losses over classes are
    drawn along the true class's logit, with two other classes at logit 0; those that take probabilities get the
    softmax. Slopes are those along the axis.

    Args:
        chosen: Two to four losses: key and parameters that are not at their default.
        aligned: Whether each is scaled to the value 1 at an error of 1, a score of -1 or a logit of -1.
        target: The target of regression losses, from -1000 to 1000.

    Returns:
        The curves.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If there are too few or too many, one cannot be drawn, they have no axis in common, or an argument
            is not legal.

    Example:
        >>> both = compare([("mse", {}), ("huber", {"delta": 0.5})], aligned=True)
        >>> both.label, [curve.title for curve in both.curves]
        ('Prediction minus target', ['Mean squared error', 'Huber (delta = 0.5)'])
        >>> at = list(both.places).index(1.0)
        >>> [float(curve.values[at]) for curve in both.curves]
        [1.0, 1.0]

    Source: Rosasco et al. (2004): Are Loss Functions All the Same?, Neural Computation 16(5), 1063-1076.
    """
    if not FEWEST <= len(chosen) <= MOST:
        raise ValueError(f"{len(chosen)} losses are given; allowed are {FEWEST} to {MOST}")
    if not isinstance(target, int | float) or isinstance(target, bool) or not abs(target) <= MAX_TARGET:
        raise ValueError(f"target is {shorten(target)}; allowed is a number from {-MAX_TARGET:g} to {MAX_TARGET:g}")
    axes: dict[AxisName, str] = {}
    for key, _ in chosen:
        loss = losses.get(key)
        axis, reason = axis_of(loss)
        if axis is None:
            raise ValueError(reason)
        axes.setdefault(axis, loss.title)
    if len(axes) > 1:
        (first, one), (second, other), *_ = axes.items()
        raise ValueError(
            f"{one} and {other} have no axis in common: one is drawn along the "
            f"{_LABELS[first].lower()}, the other along the {_LABELS[second].lower()}."
        )
    shared = next(iter(axes))
    reach = REACH[shared]
    places = torch.linspace(-reach, reach, 401, dtype=torch.float64).round(decimals=6)
    curves = tuple(_curve(losses.get(key), parameters, shared, places, aligned, target) for key, parameters in chosen)
    return Comparison(shared, _LABELS[shared], places.numpy(), curves, aligned, REFERENCE[shared])


def _curve(
    loss: Loss, parameters: Mapping[str, Any], axis: AxisName, places: Tensor, aligned: bool, target: float
) -> Curve:
    params = loss.check_parameters(parameters)
    shown, slope, note = _at(loss, params, axis, places, target)
    sides = [_at(loss, params, axis, places + side, target) for side in (-BESIDE, BESIDE)]
    scale = 1.0
    if aligned:
        at = int((places - REFERENCE[axis]).abs().argmin())
        reference = float(shown[at])
        if math.isfinite(reference) and reference > 0:
            scale = 1 / reference
        else:
            extra = "it is not above 0 there, so it cannot be scaled to 1 and keeps its own scale"
            note = f"{note}; {extra}" if note else extra
    return Curve(
        loss.key,
        _title(loss, params),
        shown * scale,
        slope * scale,
        np.stack([values for values, _, _ in sides]) * scale,
        np.stack([slopes for _, slopes, _ in sides]) * scale,
        scale,
        note,
    )


def _at(
    loss: Loss, params: Mapping[str, Any], axis: AxisName, places: Tensor, target: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Values and slopes at places of the axis, NaN where the loss is not defined, and how it is put there."""
    leaf = places.clone().requires_grad_()
    inputs, legal, note = _ON_AXIS[axis](loss, leaf, target)
    values = loss_at(loss, inputs, params, "sum" if any(item.name == "sum" for item in loss.reductions) else "mean")
    (slopes,) = slopes_of(torch.where(legal, values, 0.0).sum(), (leaf,))
    return (
        torch.where(legal, values.detach(), torch.nan).numpy(),
        torch.where(legal, slopes, torch.nan).numpy(),
        note,
    )


def _title(loss: Loss, params: Mapping[str, Any]) -> str:
    changed = [
        f"{item.name} = {params[item.name]:g}" if item.kind == "number" else f"{item.name} = {params[item.name]}"
        for item in loss.parameters
        if params[item.name] != item.default
    ]
    return f"{loss.title} ({', '.join(changed)})" if changed else loss.title


Placed = tuple[dict[str, Tensor], Tensor, str]


def _by_residual(loss: Loss, places: Tensor, target: float) -> Placed:
    given = loss.targets[0].domain
    if given.kind == "interval" and (
        target < given.low or target > given.high or (given.low_open and target == given.low)
    ):
        raise ValueError(f"target is {target:g}; {loss.title} allows {given.describe()}.")
    domain = loss.predictions[0].domain
    prediction = places + target
    legal = torch.ones_like(places, dtype=torch.bool)
    if domain.kind == "interval":
        legal = (prediction > domain.low) if domain.low_open else (prediction >= domain.low)
        legal &= prediction <= domain.high
    note = "" if bool(legal.all()) else f"its prediction must be {domain.describe()}"
    safe = torch.where(legal, prediction, max(domain.low, 0.0) + 1.0)
    return {"prediction": safe[:, None], "target": torch.full_like(places, target)[:, None].detach()}, legal, note


def _by_score(loss: Loss, places: Tensor, _: float) -> Placed:
    domain, labels = loss.predictions[0].domain, loss.targets[0].domain
    positive = max(labels.values) if labels.kind == "labels" else labels.high
    note, prediction = "", places
    if domain.kind == "interval" and domain.high == 1:
        prediction, note = torch.sigmoid(places), "its probability is the sigmoid of the score"
    legal = torch.ones_like(places, dtype=torch.bool)
    return (
        {"prediction": prediction[:, None], "target": torch.full_like(places, positive)[:, None].detach()},
        legal,
        note,
    )


def _by_logit(loss: Loss, places: Tensor, _: float) -> Placed:
    logits = torch.cat([places[:, None], torch.zeros(len(places), CLASSES - 1, dtype=places.dtype)], 1)[:, None]
    kind = loss.predictions[0].domain.kind
    note, prediction = "", logits
    if kind == "log_probability":
        prediction, note = torch.log_softmax(logits, -1), "it takes the log-softmax of the logits"
    elif kind in ("simplex", "interval"):
        prediction, note = torch.softmax(logits, -1), "it takes the softmax of the logits"
    if loss.targets[0].shape == ("n",):
        target = torch.zeros(len(places), 1, dtype=torch.long)
    else:
        low = min(loss.targets[0].domain.values, default=0.0)
        row = torch.full((CLASSES,), low, dtype=places.dtype)
        row[0] = 1.0
        target = row.expand(len(places), 1, CLASSES)
    legal = torch.ones(len(places), dtype=torch.bool)
    return {"prediction": prediction, "target": target}, legal, note


_ON_AXIS: Final = {"residual": _by_residual, "score": _by_score, "logit": _by_logit}
