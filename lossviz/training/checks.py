"""Checks of single values that come from outside; each message names the field, the value and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any


def shorten(value: object) -> str:
    """Return the value as text of at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write out an int of more than 4,300 digits.
        text = "a very large number"
    return text if len(text) <= 60 else text[:57] + "..."


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Return a whole number from low to high; a bool is none."""
    if not isinstance(value, bool) and isinstance(value, Integral):
        result = int(value)
        if low <= result <= high:
            return result
    raise ValueError(f"{name} is {shorten(value)}; a whole number from {low} to {high} is allowed")


def number(name: str, value: Any, low: float, high: float, *, low_open: bool = False, high_open: bool = False) -> float:
    """Return a finite number between low and high."""
    if not isinstance(value, bool) and isinstance(value, Real):
        try:
            result = float(value)
        except OverflowError:  # an int beyond the largest float
            result = math.inf
        above = result > low if low_open else result >= low
        below = result < high if high_open else result <= high
        if above and below:
            return result
    bounds = f"{'above' if low_open else 'from'} {low:g} {'to below' if high_open else 'to'} {high:g}"
    raise ValueError(f"{name} is {shorten(value)}; a number {bounds} is allowed")


def one_of(name: str, value: Any, allowed: Collection[str], where: str = "") -> str:
    """Return a text that is one of those allowed; `where` says in the message when they are."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} is {shorten(value)}; allowed{where}: {', '.join(allowed)}")
    return value


def truth(name: str, value: Any) -> bool:
    """Return True or False; numbers and texts are neither."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {shorten(value)}; allowed: true, false")
    return value
