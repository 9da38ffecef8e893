"""How controls of the Train page change its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lossviz.datasets.own_points import OwnPoints
from lossviz.training import BOUNDS, RunConfig
from lossviz.training.config import SAME_DATA
from pages.ui.links import plain
from pages.ui.own_store import Wanted
from pages.ui.state import current, put, remember, seed, widget
from pages.ui.train_data import with_dataset
from pages.ui.train_state import parse

PAGE = "train"


def config() -> RunConfig:
    """The run that the page shows."""
    return current(PAGE).config


def start_run(new: RunConfig, notice: str = "") -> None:
    """Show another run, and say what else had to change."""
    put(PAGE, current(PAGE).with_config(new))
    remember("train.notice", notice)
    remember("train.problem", "")


def use_own(points: OwnPoints) -> None:
    """Show the same model and training on own data."""
    start_run(*with_dataset(config(), points.key, points))


def resume_own(wanted: Wanted, points: OwnPoints) -> None:
    """Show what a link or a settings file asked for, on these points."""
    if wanted.settings is not None:
        try:
            start_run(RunConfig.from_dict({**wanted.settings, "dataset": points.key}, points))
        except ValueError as error:
            start_run(*with_dataset(config(), points.key, points))
            remember("train.problem", plain(f"The settings do not fit this file: {error}."))
        return
    state, notices = parse({**wanted.query, "data": points.key}, {points.key: points})
    start_run(state.config)
    put(PAGE, state, notices)


def change(**fields: Any) -> None:
    """Change settings: a new run, without the learning rates set on the way of the old one.

    Points that were moved or added are so at the same moment again, to see what another setting makes of it; where
    epochs have another number of updates, from the start. Other data bring their own points.
    """
    try:
        start_run(_with_points(config(), fields))
    except ValueError as error:
        remember("train.problem", f"{error}. The setting before still holds.")


def _with_points(now: RunConfig, fields: dict[str, Any]) -> RunConfig:
    new = replace(now, interventions=(), **fields)
    if any(getattr(new, name) != getattr(now, name) for name in SAME_DATA):
        return new
    if new.updates_per_epoch == now.updates_per_epoch:
        return replace(new, interventions=now.point_changes)
    return replace(new, interventions=now.settled().interventions)


def key_of(name: str) -> str:
    return f"train.{name}"


def field(name: str, value: Any = ..., take: Callable[[Any], Any] = lambda shown: shown) -> dict[str, Any]:
    """Key and callback of the widget that shows one field of the config."""
    key = seed(key_of(name), getattr(config(), name) if value is ... else value)
    return {"key": key, "on_change": lambda: _take(name, take)}


def _take(name: str, take: Callable[[Any], Any]) -> None:
    shown = widget(key_of(name))
    # Pills and segments give None when the chosen one is clicked again, and number fields when they are emptied.
    if shown is not None:
        change(**{name: take(shown)})


def whole(name: str) -> tuple[int, int]:
    """Lowest and highest value of a field that holds a whole number."""
    low, high = BOUNDS[name]
    return int(low), int(high)
