"""Results kept by config, without keeping anybody's own data alive."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Concatenate, Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from lossviz.datasets.own_points import OwnPoints
from lossviz.training.config import RunConfig

P = ParamSpec("P")
R = TypeVar("R")

#: Results for one learner's data; they go when the data goes.
OWN: Final = 8


def remembered(
    maxsize: int,
) -> Callable[[Callable[Concatenate[RunConfig, P], R]], Callable[Concatenate[RunConfig, P], R]]:
    """Return a decorator that keeps the latest results of a function of a config, as `functools.lru_cache` does.

    A config holds its own data, and a cache would hold the config. Results on own data are therefore kept with the
    data, by the fields of the config alone, and go when nobody else holds the data. They must not hold the config.

    Args:
        maxsize: how many results are kept.

    Example:
        >>> from lossviz.training import RunConfig
        >>> @remembered(4)
        ... def outputs(config: RunConfig) -> int:
        ...     print("counting")
        ...     return config.sizes[-1]
        >>> outputs(RunConfig()), outputs(RunConfig())
        counting
        (1, 1)
    """

    def decorate(function: Callable[Concatenate[RunConfig, P], R]) -> Callable[Concatenate[RunConfig, P], R]:
        cached = lru_cache(maxsize)(function)
        own: WeakKeyDictionary[OwnPoints, dict[Hashable, R]] = WeakKeyDictionary()

        @wraps(function)
        def call(config: RunConfig, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if config.own is None:
                return cached(config, *args, **kwargs)  # type: ignore[arg-type]
            kept = own.setdefault(config.own, {})
            fields = tuple(getattr(config, name) for name in RunConfig.field_names())
            key = (fields, args, tuple(kwargs.items()))
            if key not in kept:
                result = function(config, *args, **kwargs)
                while len(kept) >= OWN:
                    kept.pop(next(iter(kept)), None)
                kept[key] = result
                return result
            return kept[key]

        return call

    return decorate
