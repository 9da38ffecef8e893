"""Changes made while a run goes on; the config keeps them, so that a replay is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from lossviz import datasets
from lossviz.training.bounds import BOUNDS, whole_bounds
from lossviz.training.checks import number, one_of, shorten, whole

_LAST_UPDATE: Final = datasets.SAMPLES_HIGH * int(BOUNDS["epochs"][1])


@dataclass(frozen=True)
class Intervention:
    """A change made while a run goes on; it takes effect before update number `update`, counted from 0.

    Example:
        >>> Intervention(update=100, value=0.1)
        Intervention(update=100, kind='learning_rate', value=0.1)
    """

    update: int
    kind: str = "learning_rate"
    value: float = 0.03

    def __post_init__(self) -> None:
        update = whole("intervention.update", self.update, 0, _LAST_UPDATE)
        one_of("intervention.kind", self.kind, ("learning_rate",))
        value = number("intervention.value", self.value, *BOUNDS["learning_rate"], low_open=True)
        object.__setattr__(self, "update", update)
        object.__setattr__(self, "value", value)


def interventions(value: Any) -> tuple[Intervention, ...]:
    """Return changes in the order of their updates; of two of one kind at one update the later one holds.

    Args:
        value: interventions, or mappings with the fields of one.

    Raises:
        ValueError: there are too many, or one of them is not allowed.
    """
    low, high = whole_bounds("interventions")
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not low <= len(value) <= high:
        raise ValueError(f"interventions is {shorten(value)}; a list of {low} to {high} interventions is allowed")
    last: dict[tuple[int, str], Intervention] = {}
    for item in value:
        if isinstance(item, Mapping):
            names = {field.name for field in fields(Intervention)}
            if set(item) != names:
                raise ValueError(
                    f"an intervention has the fields {shorten(list(item))}; exactly update, kind and value are allowed"
                )
            item = Intervention(**item)
        if not isinstance(item, Intervention):
            raise ValueError(f"an intervention is {shorten(item)}; an object with update, kind and value is allowed")
        last[item.update, item.kind] = item
    return tuple(sorted(last.values(), key=lambda item: item.update))
