"""Every loss once more in NumPy and SciPy, written independently of the torch code: a function each, by its key."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

Terms = Callable[[dict[str, NDArray[Any]], dict[str, Any]], NDArray[Any]]


def _functions() -> Iterator[tuple[str, Terms]]:
    for found in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield name, function


TERMS: dict[str, Terms] = dict(_functions())
