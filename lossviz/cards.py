"""Finding losses by name, task and property, and what their cards say about their arguments.

>>> [match.key for match in find("log loss")][0]
'bce'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from lossviz import losses
from lossviz.boards import Handle, State
from lossviz.losses.base import PROPERTIES, TASKS, Input, Loss, Params, shorten

MAX_QUERY: Final = 80


@dataclass(frozen=True)
class Match:
    """A loss that a search has found.

    Args:
        key: Its key.
        alias: The other name that fits what was searched for better than title and key do; empty where there is none.
    """

    key: str
    alias: str = ""


def find(query: str = "", task: str = "", properties: Sequence[str] = ()) -> tuple[Match, ...]:
    """The losses with a name like the query, with a task and with all of some properties.

    Args:
        query: What to look for in titles, keys, other names and, where no name fits, in the cards' texts; everything
            if empty. Case, hyphens and underscores do not matter; only the first 80 characters count.
        task: One of `TASKS`; every task if empty.
        properties: Some of `PROPERTIES`.

    Returns:
        The losses, the best match first; without a query in the order of the menus.

    Raises:
        ValueError: If there is no such task or property.

    Example:
        >>> find("L2 loss")[0]
        Match(key='mse', alias='L2 loss')
        >>> find("cross entropy", task="multiclass")[0].alias
        ''
    """
    if task and task not in TASKS:
        raise ValueError(f"task is {shorten(task)}; allowed are {', '.join(TASKS)}")
    unknown = [name for name in properties if name not in PROPERTIES]
    if unknown:
        raise ValueError(f"property is {shorten(unknown[0])}; allowed are {', '.join(PROPERTIES)}")
    kept = [
        loss
        for loss in map(losses.get, losses.keys())
        if (not task or loss.task == task) and set(properties) <= set(loss.properties)
    ]
    asked = query[:MAX_QUERY].strip().lower()
    if not _words(asked):
        return tuple(Match(loss.key) for loss in kept)
    ranked = [(rank, match) for rank, match in (_match(loss, asked) for loss in kept) if rank is not None]
    if not ranked:
        ranked = [
            (rank, Match(loss.key)) for rank, loss in ((_rank_in_texts(item, asked), item) for item in kept) if rank
        ]
    return tuple(match for _, match in sorted(ranked, key=lambda item: item[0]))


def _rank_in_texts(loss: Loss, asked: str) -> int:
    """1 if the words asked for stand together in the card's texts, 2 if each begins some word there, else 0."""
    texts = [loss.summary, loss.notice, loss.use_when, loss.avoid_when, *loss.references]
    texts += [pitfall.text for pitfall in loss.pitfalls] + [relative.text for relative in loss.relatives]
    texts += [suit.reason for suit in loss.suits]
    texts += [f"{parameter.name} {parameter.meaning}" for parameter in loss.parameters]
    words = [word for text in texts for word in _words(text)]
    if f" {' '.join(_words(asked))}" in f" {' '.join(words)}":
        return 1
    return 2 if all(any(word.startswith(beginning) for word in words) for beginning in _words(asked)) else 0


def nearest_names(query: str) -> tuple[str, ...]:
    """Names that are spelt much like the query, for when nothing was found.

    Example:
        >>> "Huber" in nearest_names("hubber")
        True
    """
    names = {
        name.lower(): name
        for loss in map(losses.get, losses.keys())
        for name in (*loss.aliases, loss.title)  # a title wins over an alias that differs only in case
    }
    return tuple(names[near] for near in get_close_matches(query[:MAX_QUERY].lower(), names, n=3, cutoff=0.6))


def domain_sentence(item: Input) -> str:
    """What an argument means and which numbers it may hold.

    Example:
        >>> domain_sentence(losses.get("hinge").input("target"))
        'Label, −1 or +1. Allowed: one of −1, +1.'
    """
    meaning = item.meaning[:1].upper() + item.meaning[1:]
    allowed = item.domain.describe().replace("-", "\u2212")
    return f"{meaning}. Allowed: {allowed}."


def place_names(item: Input, shape: tuple[int, ...]) -> list[str]:
    """What the numbers of an argument are called in a table: samples counted from 1, classes from 0.

    Args:
        item: The argument.
        shape: Its shape.

    Returns:
        One name for each number, in the order of the flattened array.

    Example:
        >>> place_names(losses.get("cross_entropy").input("prediction"), (1, 2))
        ['sample 1, class 0', 'sample 1, class 1']
    """
    axes = [("n", 0), *((f"{at}", at) for at in range(1, len(shape)))] if item.shape[-1] == "..." else None
    names = [axis for axis, _ in axes] if axes else list(item.shape)
    return [
        ", ".join(_place(axis, int(index)) for axis, index in zip(names, place, strict=True))
        for place in np.ndindex(*shape)
    ]


def _place(axis: str, index: int) -> str:
    if axis == "d":
        return "xyzw"[index] if index < 4 else f"coordinate {index + 1}"
    if axis == "c":
        return ("x1", "y1", "x2", "y2")[index]
    word = {"n": "sample", "h": "row", "w": "column", "t": "frame", "l": "symbol", "k": "class"}.get(axis, "place")
    return f"{word} {index if axis == 'k' else index + 1}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower().replace("_", " ")))


def _match(loss: Loss, asked: str) -> tuple[int | None, Match]:
    own = min(_rank(name, asked) for name in (loss.title, loss.key))
    ranks = [_rank(alias, asked) for alias in loss.aliases]
    other = min(ranks, default=_NO_MATCH)
    best = min(own, other)
    alias = loss.aliases[ranks.index(other)] if other < own else ""
    return (None if best == _NO_MATCH else best), Match(loss.key, alias)


_NO_MATCH: Final = 9


def _rank(name: str, asked: str) -> int:
    """How well a name fits, 0 best: the same, but for gaps, a beginning, words, beginnings of words, a part."""
    words, wanted = _words(name), _words(asked)
    squashed, sought = "".join(words), "".join(wanted)
    fits = (
        name.lower() == asked,
        words == wanted,
        squashed == sought,
        squashed.startswith(sought),
        set(wanted) <= set(words),
        all(any(word.startswith(part) for word in words) for part in wanted),
        len(sought) > 2 and sought in squashed,  # two letters are part of almost anything
    )
    return fits.index(True) if True in fits else _NO_MATCH


@dataclass(frozen=True)
class BoardCurve:
    """The loss along one handle of a board, all else held fixed.

    Args:
        handle: The handle's name.
        positions: Where the handle can be, (m,).
        values: The reduced loss there, (m,).
        at: Where it is.
        value: The loss there.
    """

    handle: str
    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    at: float
    value: float


def board_curve(loss: Loss, state: State, params: Params, reduction: str = "mean") -> BoardCurve | None:
    """The loss along the first handle of a board that moves a prediction along a line or, of a point, sideways.

    Args:
        loss: The loss.
        state: The board's variables.
        params: Checked parameters.
        reduction: One of the loss's reductions.

    Returns:
        The curve; None where no prediction moves continuously.

    Example:
        >>> loss = losses.get("mse")
        >>> curve = board_curve(loss, loss.example, {})
        >>> curve.handle, round(curve.value, 4)
        ('Prediction 1', 1.1875)
    """
    roles = {variable.name: variable.role for variable in loss.board.variables}
    handle = next(
        (item for item in loss.board.handles(state) if roles[item.variable] == "prediction" and item.kind != "choice"),
        None,
    )
    if handle is None:
        return None
    grid = _along(handle)
    at = torch.tensor([handle.at], dtype=torch.float64)
    values = loss_at(loss, loss.board.inputs(_states(state, handle, grid)), params, reduction)
    now = loss_at(
        loss, loss.board.inputs(_states(state, handle, at if len(handle.at) > 1 else at[0])), params, reduction
    )
    first = grid if grid.dim() == 1 else grid[:, 0]
    return BoardCurve(handle.name, first.numpy(), values.numpy(), handle.at[0], float(now[0]))


def _along(handle: Handle) -> torch.Tensor:
    if handle.kind == "line":
        return handle.positions[0]
    x = handle.positions[0]
    return torch.stack([x, torch.full_like(x, handle.at[1])], dim=1)


def _states(state: State, handle: Handle, grid: torch.Tensor) -> dict[str, torch.Tensor]:
    moved = handle.place(state, grid)
    return {name: value.expand(len(grid), *value.shape) for name, value in state.items()} | moved


def loss_at(loss: Loss, inputs: Any, params: Params, reduction: str = "mean") -> torch.Tensor:
    """The reduced loss for a batch of inputs.

    Args:
        loss: The loss.
        inputs: Tensors by name, each with one batch dimension in front.
        params: Checked parameters.
        reduction: One of the loss's reductions.

    Returns:
        One number for each member of the batch.

    Example:
        >>> batch = {"prediction": torch.tensor([[1.0], [3.0]]), "target": torch.zeros(2, 1)}
        >>> loss_at(losses.get("mse"), batch, {}).tolist()
        [1.0, 9.0]
    """
    if loss.elementwise:
        inputs = {name: tensor.flatten(1) for name, tensor in inputs.items()}
    terms = loss.terms(loss.hold(inputs, params), params)
    total = terms.flatten(-len(loss.term_axes)).sum(-1)
    return total / loss.denominator(inputs, params, reduction)
