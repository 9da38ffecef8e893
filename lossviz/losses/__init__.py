"""The losses: one file each, found by being here.

>>> keys()[:3]
('mse', 'mae', 'huber')
>>> get("mse").title
'Mean squared error'
"""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches
from functools import cache

from lossviz.losses.base import TASKS, Loss, shorten

__all__ = ["TASKS", "Loss", "get", "keys"]

_NOT_LOSSES = {"base"}


@cache
def _registry() -> dict[str, Loss]:
    modules = (
        module.name
        for module in pkgutil.iter_modules(__path__)
        if module.name not in _NOT_LOSSES and module.name[0] != "_"
    )
    losses = [importlib.import_module(f"{__name__}.{name}").LOSS for name in modules]
    return {loss.key: loss for loss in sorted(losses, key=lambda loss: (list(TASKS).index(loss.task), loss.position))}


def keys() -> tuple[str, ...]:
    """The keys of all losses, grouped by task.

    Returns:
        The keys, in the order of the menus.

    Example:
        >>> "cross_entropy" in keys()
        True
    """
    return tuple(_registry())


def get(key: str) -> Loss:
    """Everything that is known of a loss.

    Args:
        key: One of `keys()`.

    Returns:
        The loss.

    Raises:
        KeyError: If there is no such loss, with the nearest keys.

    Example:
        >>> get("huber").parameters[0].name
        'delta'
    """
    registry = _registry()
    if isinstance(key, str) and key in registry:
        return registry[key]
    near = get_close_matches(str(key)[:60], registry, n=3, cutoff=0.3) or list(registry)[:3]
    raise KeyError(f"no loss {shorten(key)}; nearest: {', '.join(near)}")
