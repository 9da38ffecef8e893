"""Messages of the browser about a race, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from lossviz.training import Racer, RunConfig, lineup
from lossviz.training.checks import number, one_of, shorten, truth, whole

SPEEDS: Final = (0.1, 1000.0)
#: Messages that say whether the race goes on.
ORDERS: Final = frozenset({"open", "play", "pause"})
_LARGEST: Final = 2**53
_FIELDS: Final[dict[str, frozenset[str]]] = {
    "open": frozenset({"config", "by", "values", "at", "play"}),
    "play": frozenset(),
    "pause": frozenset(),
    "speed": frozenset({"value"}),
    "ack": frozenset({"frame"}),
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


def parse(text: str) -> Message:
    """Read a message of the browser.

    Raises:
        ValueError: the text is no message; says which part, what it is and what is allowed.
    """
    try:
        given = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the message is nested too deeply; an object with a type is allowed") from None
    except ValueError as error:
        raise ValueError(f"the message {shorten(text)} is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"the message is {shorten(given)}; an object with a type is allowed")
    kind = one_of("type", given.pop("type", None), _FIELDS)
    odd = sorted(set(given) ^ _FIELDS[kind])
    if odd:
        needed = sorted(_FIELDS[kind])
        raise ValueError(f"a message of type {kind} has wrong or missing fields {shorten(odd)}; needed: {needed}")
    if kind == "open":
        return _open(given)
    if kind == "speed" and given["value"] is not None:
        return Message(kind, value=number("speed", given["value"], *SPEEDS))
    if kind == "ack":
        return Message(kind, frame=whole("frame", given["frame"], 1, _LARGEST))
    return Message(kind)


def _open(given: dict[str, Any]) -> Message:
    config = RunConfig.from_dict(given["config"])
    by = given["by"]
    racers = lineup(config, by, given["values"])
    at = whole("at", given["at"], 0, config.epochs)
    return Message("open", racers=racers, by=by, at=at, play=truth("play", given["play"]))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number that JSON allows")
