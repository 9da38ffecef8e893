"""How a number in a text is worked out again."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

import lossviz
from lossviz import evaluate, losses
from lossviz.tables import Tables
from tests.losses.points import example

Claim = tuple[str, str, Callable[[], float]]
"""A loss, words of one of its texts that end with a number, and that number from lossviz or from the definition."""


def term(key: str, prediction: float, target: float, **parameters: float) -> float:
    return evaluate(key, [prediction], [target], **parameters).value


def share(key: str, sample: int, **parameters: float) -> float:
    """A sample's part of the value on the starting board."""
    tables = lossviz.tables(key, *example(losses.get(key)), **parameters)
    return float(tables.base["share"][sample - 1])


def start(key: str, column: str, index: int = 0, **parameters: float) -> float:
    """A number on the starting board."""
    return float(lossviz.tables(key, *example(losses.get(key)), **parameters).base[column][index])


def placed(
    key: str,
    column: str,
    index: int = 0,
    change: Mapping[str, Any] | None = None,
    reduction: str = "mean",
    **parameters: Any,
) -> float:
    """A number on the board after some of its variables were changed."""
    loss = losses.get(key)
    changed = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in (change or {}).items()}
    state = {**loss.board.example(), **changed}
    return float(Tables(loss, loss.check_parameters(parameters), reduction, state).base[column][index])


def slope_at(key: str, position: float, side: str = "slope", handle: int = 0) -> float:
    table = lossviz.tables(key, *example(losses.get(key))).handles[handle]
    return float(table.columns[side][np.flatnonzero(table.positions == position)[0], 0])


def kl(p: list[float], q: list[float]) -> float:
    return evaluate("kl_div", [np.log(q).tolist()], [p]).value
