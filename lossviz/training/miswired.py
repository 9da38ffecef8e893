"""Findings about programs that are put together wrongly, from the numbers that reach the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from lossviz.training.data import Rows
from lossviz.training.diagnosis import Diagnosis
from lossviz.training.engine import Event, RunState
from lossviz.training.insight import forward
from lossviz.training.wiring import RIGHT


def lowest_loss(state: RunState) -> float | None:
    """Return what the training loss of a run that is put together wrongly cannot fall below, whatever the model does.

    Behind a softmax or a sigmoid the best that a loss on raw scores can be given is the true class itself, as 1 and 0.
    A point whose label is written 0 instead of -1 costs the same whatever its score is, and the others may cost
    nothing.

    Args:
        state: a run; it is not changed.

    Returns:
        The bound; None where nothing is wrong, or with label smoothing, where the best is another number.

    Example:
        >>> from lossviz.training import RunConfig, init
        >>> config = RunConfig(dataset="digits", wiring="softmax_twice")
        >>> round(lowest_loss(init(config)), 4)
        1.4612
    """
    config, target = state.config, state.training.target
    if config.wiring == RIGHT or config.parameters.get("label_smoothing"):
        return None
    if config.wiring == "softmax_twice":
        best = torch.nn.functional.one_hot(target, config.sizes[-1]).to(torch.float64)
        return _loss(state, best, target)
    if config.wiring == "sigmoid_twice":
        return _loss(state, target.double(), target.double())
    terms = _terms(state, torch.zeros(len(target), dtype=torch.float64), target.double())
    return float(terms[target == 0].sum()) / len(target)


def _terms(state: RunState, prediction: Tensor, target: Tensor) -> Tensor:
    return state.loss.terms({"prediction": prediction, "target": target}, state.loss_parameters)


def _loss(state: RunState, prediction: Tensor, target: Tensor) -> float:
    inputs = {"prediction": prediction, "target": target}
    denominator = float(state.loss.denominator(inputs, state.loss_parameters, "mean"))
    return float(_terms(state, prediction, target).sum()) / denominator


def miswired(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    """Say what is wrong with how model, labels and loss are put together, if anything.

    Args:
        state: the run; it is not changed.
        events: its events so far, at least one.
        seen: what its curves say.

    Returns:
        The finding, with the numbers that the loss got.
    """
    if state.config.wiring == RIGHT or seen.kind == "not finite":
        return None
    rows = forward(state)[1]
    if not torch.isfinite(rows.prediction).all():
        return None
    return _LOOKS[state.config.wiring](state, rows, events[-1])


def _found(kind: str, sentence: str, experiment: str) -> Diagnosis:
    return Diagnosis(kind, sentence, experiment=experiment, change={"wiring": RIGHT})  # type: ignore[arg-type]


def _bound(state: RunState, now: Event) -> str:
    low = lowest_loss(state)
    return (
        ""
        if low is None
        else f" The loss cannot fall below {low:.4g}, however good the model; it is {now.train_loss:.4g}."
    )


def _softmax_twice(state: RunState, rows: Rows, now: Event) -> Diagnosis:
    classes = state.config.sizes[-1]
    most = float(torch.softmax(torch.eye(classes, dtype=torch.float64)[0], dim=0).max())
    highest = float(torch.softmax(rows.prediction.double(), dim=1).max())
    return _found(
        "softmax twice",
        f"Softmax twice: each of the {len(rows)} rows of scores that cross-entropy gets adds up to 1, because a "
        f"softmax made it, and cross-entropy applies another one. With {classes} classes the softmax of a softmax is "
        f"at most e/(e + {classes - 1}) = {most:.3g}, and the highest probability that the loss sees is "
        f"{highest:.3g}.{_bound(state, now)}",
        "Try the raw scores: the model without its softmax.",
    )


def _sigmoid_twice(state: RunState, rows: Rows, now: Event) -> Diagnosis:
    low, high = float(rows.prediction.min()), float(rows.prediction.max())
    return _found(
        "sigmoid twice",
        f"Sigmoid twice: all {len(rows)} scores that the loss gets lie between {low:.3g} and {high:.3g}, because a "
        "sigmoid made them, and the loss applies another one. So it sees no probability below 0.5 and none above "
        f"e/(e + 1) = {1 / (1 + math.exp(-1)):.3g}.{_bound(state, now)}",
        "Try the raw score: the model without its sigmoid.",
    )


def _labels_zero_one(state: RunState, rows: Rows, now: Event) -> Diagnosis:
    zero = rows.target == 0
    slopes = state.loss.derivatives(rows.inputs, state.loss_parameters)["prediction"]
    terms = _terms(state, rows.inputs["prediction"], rows.target)
    above = int((rows.prediction[:, 0] > 0).sum())
    return _found(
        "labels 0 and 1",
        f"Labels 0 and 1: this loss multiplies scores by labels −1 and +1. Each of the {int(zero.sum())} training "
        f"points with label 0 costs {float(terms[zero].mean()):.4g} whatever its score, and the largest slope among "
        f"them is {float(slopes[zero].abs().max()):.2g}, so nothing pulls their scores down: {above} of {len(rows)} "
        f"scores are above 0.{_bound(state, now)}",
        "Try the labels −1 and +1.",
    )


_LOOKS: Final[dict[str, Callable[[RunState, Rows, Event], Diagnosis]]] = {
    "softmax_twice": _softmax_twice,
    "sigmoid_twice": _sigmoid_twice,
    "labels_zero_one": _labels_zero_one,
}
