"""Gradient descent on the predictions of a board: the steps, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz import losses
from lossviz.boards import LIMIT
from lossviz.columns import rows
from lossviz.evaluation import board_state
from lossviz.losses.base import Loss, Params
from lossviz.tables import Path

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
        states: The board's variables before the first and after each step, (steps + 1, …) each, by name.
        projected: Which numbers of each prediction the domain held back.
        outcome: "stepped" (all steps asked for were taken), "settled", "oscillating", "unbounded" or "stopped".
        text: The outcome in one or two sentences.
    """

    states: Mapping[str, NDArray[np.float64]]
    projected: Mapping[str, NDArray[np.bool_]]
    outcome: Outcome
    text: str

    @property
    def predictions(self) -> NDArray[np.float64]:
        """The first prediction before the first and after each step, (steps + 1, …)."""
        return self.states[next(iter(self.projected))]

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
        prediction: What is moved, such as logits for `kl_div`; by name where the board has several.
        target: The board's target, likewise; None where there is none.
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
    now = board_state(loss, prediction, target)
    names = [item.name for item in loss.board.variables if item.role == "prediction"]
    states = [now]
    held = [{name: torch.zeros(now[name].shape, dtype=torch.bool) for name in names}]
    trail = [_joined(now, names)]
    outcome: Outcome = "stepped" if steps is not None else "stopped"
    period = 0
    for _ in range(steps or MAX_STEPS):
        columns = rows(loss, params, reduction, {name: value[None] for name, value in now.items()})
        slopes = {name: torch.from_numpy(columns[f"gradient.{name}"]).reshape(now[name].shape) for name in names}
        wanted = {**now, **{name: now[name] - rate * slopes[name] for name in names}}
        projected = loss.board.project(wanted)
        free = [item for item in loss.board.variables if item.name in names and item.low == -LIMIT]
        beyond = any(float(wanted[item.name].abs().max()) > LIMIT for item in free)
        if beyond or not all(bool(torch.isfinite(wanted[name]).all()) for name in names):
            outcome = "unbounded"
            break
        now = projected
        states.append(now)
        held.append({name: wanted[name] != now[name] for name in names})
        trail.append(_joined(now, names))
        if steps is None and np.abs(trail[-1] - trail[-2]).max() < SETTLED:
            outcome = "settled"
            break
        period = _period(trail) if steps is None else 0
        if period:
            outcome = "oscillating"
            break
    passed = {name: torch.stack([state[name] for state in states]).numpy() for name in now}
    edges = {name: torch.stack([state[name] for state in held]).numpy() for name in names}
    text = _text(outcome, np.stack(trail), any(bool(edge.any()) for edge in edges.values()), rate, period)
    return Descent(passed, edges, outcome, text)


def _joined(state: Mapping[str, Tensor], names: list[str]) -> NDArray[np.float64]:
    return torch.cat([state[name].reshape(-1) for name in names]).numpy()


def descent_path(loss: Loss, params: Params, reduction: str, descent: Descent) -> Path:
    """The run as whole rows for the board, at most 121 of them, the first and the last included.

    Args:
        loss: The loss.
        params: Its checked parameters.
        reduction: Name of the reduction.
        descent: The run.

    Returns:
        What `Tables.to_bytes` takes as `path`.

    Example:
        >>> run = descend("mse", [1.0], [0.0], 0.25, steps=1)
        >>> len(descent_path(losses.get("mse"), {}, "mean", run).rows)
        2
    """
    shown = np.unique(np.linspace(0, descent.steps, min(descent.steps + 1, SHOWN_STATES)).round().astype(int))
    batch = {name: torch.from_numpy(values[shown]) for name, values in descent.states.items()}
    columns = rows(loss, params, reduction, batch)
    return Path(
        rows=np.concatenate(list(columns.values()), axis=1),
        projected=[
            {name: np.flatnonzero(held[state]).tolist() for name, held in descent.projected.items()} for state in shown
        ],
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


def _text(outcome: Outcome, predictions: NDArray[np.float64], held: bool, rate: float, period: int) -> str:
    steps = len(predictions) - 1
    taken = "1 step" if steps == 1 else f"{steps} steps"
    edge = " A prediction was held at the edge of its domain." if held else ""
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
