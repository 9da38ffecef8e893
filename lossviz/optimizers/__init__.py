"""The optimizers that a run can use, by key.

Example:
    >>> from lossviz import optimizers
    >>> optimizers.keys()
    ('sgd', 'momentum', 'nesterov', 'adagrad', 'rmsprop', 'adam', 'adamw')
    >>> optimizers.get("adam").slots
    ('mean', 'square')
"""

from __future__ import annotations

from difflib import get_close_matches

from .rules import ADAGRAD, ADAM, ADAMW, MOMENTUM, NESTEROV, RMSPROP, SGD, Optimizer, Settings
from .schedules import SCHEDULES, THRESHOLD, Plan, Schedule, Waiting
from .together import Together

__all__ = ["SCHEDULES", "THRESHOLD", "Optimizer", "Plan", "Schedule", "Settings", "Together", "Waiting", "get", "keys"]

_OPTIMIZERS = {optimizer.key: optimizer for optimizer in (SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW)}


def keys() -> tuple[str, ...]:
    """Return the keys of all optimizers, simplest first.

    Example:
        >>> from lossviz import optimizers
        >>> len(optimizers.keys())
        7
    """
    return tuple(_OPTIMIZERS)


def get(key: str) -> Optimizer:
    """Return the optimizer of that key.

    Args:
        key: one of `keys()`.

    Returns:
        The update rule, with its title, formula and memory slots.

    Raises:
        KeyError: there is no such optimizer; the message holds the nearest names.

    Example:
        >>> from lossviz import optimizers
        >>> optimizers.get("sgd").title
        'SGD'
    """
    if key not in _OPTIMIZERS:
        near = get_close_matches(str(key), _OPTIMIZERS, n=3) or list(_OPTIMIZERS)
        raise KeyError(f"unknown optimizer {key!r}; nearest: {', '.join(near)}")
    return _OPTIMIZERS[key]
