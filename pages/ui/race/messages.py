"""Messages of the browser about a race, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lossviz.datasets.own_points import OwnPoints
from lossviz.training import Racer, RunConfig, lineup
from lossviz.training.checks import number, truth, whole
from pages.ui.live.protocol import LARGEST, SPEEDS, fields_of

#: Messages that say whether the race goes on.
ORDERS: Final = frozenset({"open", "play", "pause"})
_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "open": ("at", "by", "config", "play", "values"),
    "play": (),
    "pause": (),
    "speed": ("value",),
    "ack": ("frame",),
}


@dataclass(frozen=True)
class Message:
    """One checked message; fields that its type does not have keep their default."""

    type: str
    racers: tuple[Racer, ...] = ()
    by: str = ""
    at: int = 0
    play: bool = False
    value: float | None = None
    frame: int = 0


def parse(text: str, own: OwnPoints | None = None) -> Message:
    """Read a message of the browser.

    Args:
        text: what the browser sent.
        own: own data that came before it, which the racers may be on.

    Raises:
        ValueError: the text is no message; says which part, what it is and what is allowed.
    """
    kind, given = fields_of(text, _FIELDS)
    if kind == "open":
        return _open(given, own)
    if kind == "speed" and given["value"] is not None:
        return Message(kind, value=number("speed", given["value"], *SPEEDS))
    if kind == "ack":
        return Message(kind, frame=whole("frame", given["frame"], 1, LARGEST))
    return Message(kind)


def _open(given: dict[str, Any], own: OwnPoints | None) -> Message:
    config = RunConfig.from_dict(given["config"], own)
    by = given["by"]
    racers = lineup(config, by, given["values"])
    at = whole("at", given["at"], 0, config.epochs)
    return Message("open", racers=racers, by=by, at=at, play=truth("play", given["play"]))
