"""Gradient descent on the predictions of a board: the steps, and what becomes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lossviz import losses
from lossviz.evaluation import board_state
from lossviz.losses.base import Loss, Params
from lossviz.losses.board import LIMIT
from lossviz.tables import Path, rows

Outcome = Literal["stepped", "settled", "oscillating", "unbounded", "stopped"]
MAX_STEPS: Final = 500
MAX_RATE: Final = 1000.0
SETTLED: Final = 1e-6
LONGEST_CYCLE: Final = 50
SHOWN_STATES: Final = 121


@dataclass(frozen=True)
class Descent:
    """A run of gradient descent.

    Args:
        predictions: The predictions before the first and after each step, (steps + 1, n) or (steps + 1, n, k).
        projected: Which of them the domain held back.
        outcome: "stepped" (all steps asked for were taken), "settled", "oscillating", "unbounded" or "stopped".
        text: The outcome in one or two sentences.
    """

    predictions: NDArray[np.float64]
    projected: NDArray[np.bool_]
    outcome: Outcome
    text: str

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.predictions) - 1


def descend(
    key: str,
    prediction: Any,
    target: Any,
    learning_rate: float,
    steps: int | None = None,
    reduction: str = "mean",
    **parameters: Any,
) -> Descent:
    r"""Move the predictions of a board against the gradient.

    Formula: prediction <- projection(prediction - learning_rate * gradient).

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: What is moved, (n,) or (n, k); for `kl_div` logits.
        target: The loss's target.
        learning_rate: Above 0, at most 1000.
        steps: How many; None repeats until the run settles (no prediction changes by 1e-6 or more), oscillates, leaves
            the board, or has taken 500 steps.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        The states passed and what became of the run.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> descend("mse", [1.0], [0.0], 0.25, steps=1).predictions.tolist()
        [[1.0], [0.5]]
        >>> descend("mae", [1.1], [1.05], 0.1).outcome
        'oscillating'

    Source: Nocedal, Wright (2006): Numerical Optimization, section 2.2.
    """
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    loss.reduction(reduction)
    rate = _rate(learning_rate)
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS):
        raise ValueError(f"steps is {steps!r}; allowed is a whole number from 1 to {MAX_STEPS}, or None")
    state = board_state(loss, prediction, target)
    low, high = (0.0, 1.0) if loss.board.unit_interval else (-math.inf, math.inf)
    states, held = [state["prediction"].numpy()], [np.zeros(state["prediction"].shape, dtype=bool)]
    outcome: Outcome = "stepped" if steps is not None else "stopped"
    period = 0
    for _ in range(steps or MAX_STEPS):
        gradient = rows(loss, params, reduction, torch.from_numpy(states[-1])[None], state["target"][None])["gradient"]
        wanted = states[-1] - rate * gradient.reshape(states[-1].shape)
        if not np.isfinite(wanted).all() or (np.abs(wanted).max() > LIMIT and not loss.board.unit_interval):
            outcome = "unbounded"
            break
        states.append(np.clip(wanted, low, high))
        held.append((wanted < low) | (wanted > high))
        if steps is None and np.abs(states[-1] - states[-2]).max() < SETTLED:
            outcome = "settled"
            break
        period = _period(states) if steps is None else 0
        if period:
            outcome = "oscillating"
            break
    predictions, projected = np.stack(states), np.stack(held)
    return Descent(predictions, projected, outcome, _text(outcome, predictions, projected, rate, period))


def descent_path(loss: Loss, params: Params, reduction: str, target: Any, descent: Descent) -> Path:
    """The run as whole rows for the board, at most 121 of them, the first and the last included.

    Args:
        loss: The loss.
        params: Its checked parameters.
        reduction: Name of the reduction.
        target: The loss's target.
        descent: The run.

    Returns:
        What `Tables.to_bytes` takes as `path`.

    Example:
        >>> run = descend("mse", [1.0], [0.0], 0.25, steps=1)
        >>> len(descent_path(losses.get("mse"), {}, "mean", [0.0], run).rows)
        2
    """
    shown = np.unique(np.linspace(0, descent.steps, min(descent.steps + 1, SHOWN_STATES)).round().astype(int))
    batch = torch.from_numpy(descent.predictions[shown])
    targets = torch.as_tensor(np.asarray(target, dtype=np.float64))
    columns = rows(loss, params, reduction, batch, targets.expand(len(shown), *targets.shape))
    return Path(
        rows=np.concatenate(list(columns.values()), axis=1),
        projected=[np.flatnonzero(held).tolist() for held in descent.projected[shown]],
        steps=shown.tolist(),
        outcome={"kind": descent.outcome, "steps": descent.steps, "text": descent.text},
    )


def _rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = math.nan
    if isinstance(value, bool | str) or not 0 < rate <= MAX_RATE:
        raise ValueError(f"learning_rate is {value!r}; allowed is a number above 0 and at most {MAX_RATE:g}")
    return rate


def _period(states: list[NDArray[np.float64]]) -> int:
    """After how many steps the last state came back twice in a row, or 0."""
    last = states[-1]
    for period in range(2, min(LONGEST_CYCLE, (len(states) - 1) // 2) + 1):
        back = np.abs(last - states[-1 - period]).max() < 1e-9 and np.abs(last - states[-1 - 2 * period]).max() < 1e-9
        if back:
            return period
    return 0


def _text(
    outcome: Outcome, predictions: NDArray[np.float64], projected: NDArray[np.bool_], rate: float, period: int
) -> str:
    steps = len(predictions) - 1
    taken = "1 step" if steps == 1 else f"{steps} steps"
    edge = " A prediction was held at the edge of its domain." if projected.any() else ""
    if outcome == "settled":
        return f"Settled after {taken}: the last one changed no prediction by 0.000001 or more.{edge}"
    if outcome == "oscillating":
        return (
            f"Oscillating after {taken}: the same {period} states keep coming back. With the fixed learning rate "
            f"{rate:g} every step overshoots the minimum; a smaller one overshoots less.{edge}"
        )
    if outcome == "unbounded":
        grown = np.abs(predictions[-1]).max()
        return (
            f"Unbounded after {taken}: the next step would take a prediction beyond {LIMIT:g}; the largest is at "
            f"{grown:.4g} now. Each step overshoots by more than the last one did, or the loss has no minimum. "
            f"Try a learning rate below {rate:g}."
        )
    if outcome == "stopped":
        change = np.abs(predictions[-1] - predictions[-2]).max()
        return (
            f"Stopped after {taken}, still moving: the last one changed a prediction by {change:.2g}. Repeat to go on, "
            f"or raise the learning rate.{edge}"
        )
    return f"Took {taken} with learning rate {rate:g}.{edge}"
