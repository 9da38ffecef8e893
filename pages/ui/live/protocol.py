"""What goes over the socket: messages of the browser checked, frames packed, snapshots as text."""

import base64
import binascii
import json
import math
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.datasets.own_points import OwnPoints
from lossviz.training import BOUNDS, RunConfig
from lossviz.training.checks import number, one_of, shorten, truth, whole
from pages.ui.live.panels import PANELS

#: Longest message of a browser: a config with 1,000 interventions fits.
MESSAGE_CHARACTERS = 128 * 1024
#: A snapshot above this stays on the server; the networks that can be walked by hand are far smaller.
SNAPSHOT_BYTES = 128 * 1024
#: Longest text that a learner may give a model to read.
SENTENCE_CHARACTERS = 200
SPEEDS = (0.1, 1000.0)
LARGEST = 2**53
#: Messages that say whether the run goes on.
ORDERS = frozenset({"open", "play", "pause", "step", "epoch", "wind"})

_FIELDS: dict[str, tuple[str, ...]] = {
    "open": ("config", "at", "play"),
    "play": (),
    "pause": (),
    "step": (),
    "epoch": (),
    "wind": ("at",),
    "speed": ("value",),
    "learning_rate": ("value",),
    "point": ("row", "x", "y"),
    "add": ("x", "y"),
    "ack": ("frame",),
    "whole": (),
    "panels": ("open",),
    "sentence": ("text",),
}


@dataclass(frozen=True)
class Message:
    """One checked message; fields that its type does not have are None."""

    type: str
    config: RunConfig | None = None
    at: int = 0
    play: bool = False
    value: float | None = None
    frame: int = 0
    panels: frozenset[str] = frozenset()
    text: str = ""
    row: int | None = None
    point: tuple[float, ...] = ()


def fields_of(text: str, allowed: Mapping[str, Collection[str]]) -> tuple[str, dict[str, Any]]:
    """Read a message as its type and its fields, whose values are still to be checked.

    Args:
        text: what the browser sent.
        allowed: the fields of each type of message, all of them needed.

    Raises:
        ValueError: the text is no message; says which part, what it is and what is allowed.
    """
    if len(text) > MESSAGE_CHARACTERS:
        raise ValueError(f"the message has {len(text):,} characters; at most {MESSAGE_CHARACTERS:,} are allowed")
    try:
        given = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the message is nested too deeply; an object with a type is allowed") from None
    except ValueError as error:
        raise ValueError(f"the message {shorten(text)} is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"the message is {shorten(given)}; an object with a type is allowed")
    kind = one_of("type", given.pop("type", None), allowed)
    needed = allowed[kind]
    if set(given) != set(needed):
        odd = sorted(set(given) ^ set(needed))
        raise ValueError(f"a message of type {kind} has wrong or missing fields {shorten(odd)}; needed: {list(needed)}")
    return kind, given


def parse(text: str, own: OwnPoints | None = None) -> Message:
    """Read a message of the browser.

    Args:
        text: what the browser sent.
        own: own data that came before it, which a run may be on.

    Raises:
        ValueError: the text is no message; says which part, what it is and what is allowed.
    """
    kind, given = fields_of(text, _FIELDS)
    if kind == "open":
        config = RunConfig.from_dict(given["config"], own)
        last = config.epochs * config.updates_per_epoch
        return Message(kind, config=config, at=whole("at", given["at"], 0, last), play=truth("play", given["play"]))
    if kind == "wind":
        return Message(kind, at=whole("at", given["at"], 0, LARGEST))
    if kind == "speed" and given["value"] is not None:
        return Message(kind, value=number("speed", given["value"], *SPEEDS))
    if kind == "learning_rate":
        return Message(kind, value=number("learning_rate", given["value"], *BOUNDS["learning_rate"], low_open=True))
    if kind in {"point", "add"}:
        row = whole("row", given["row"], 0, LARGEST) if kind == "point" else None
        return Message(kind, row=row, point=_point(given["x"], given["y"]))
    if kind == "ack":
        return Message(kind, frame=whole("frame", given["frame"], 1, LARGEST))
    if kind == "panels":
        return Message(kind, panels=_panels(given["open"]))
    if kind == "sentence":
        return Message(kind, text=_sentence(given["text"]))
    return Message(kind)


def _sentence(text: Any) -> str:
    if not isinstance(text, str) or len(text) > SENTENCE_CHARACTERS:
        raise ValueError(f"text is {shorten(text)}; a text of at most {SENTENCE_CHARACTERS} characters is allowed")
    return text


def _panels(names: Any) -> frozenset[str]:
    if not isinstance(names, list) or len(names) > len(PANELS):
        raise ValueError(f"open is {shorten(names)}; a list of at most {len(PANELS)} of {', '.join(PANELS)} is allowed")
    return frozenset(one_of("open", name, PANELS) for name in names)


def _point(x: Any, y: Any) -> tuple[float, ...]:
    """Features and target of a point; how many features there are is for the run to say."""
    if not isinstance(x, list) or len(x) not in (1, 2):
        raise ValueError(f"x is {shorten(x)}; a list of one or two numbers is allowed")
    return (*(number("x", part, *BOUNDS["coordinate"]) for part in x), number("y", y, *BOUNDS["coordinate"]))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number that JSON allows")


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return a frame: length of the header, header as JSON, padding to 8 bytes, then each array padded to 8 bytes.

    The header gets an entry "arrays": name, dtype, shape and offset from the start of the arrays. Numbers in the
    header that are not finite become texts, because JSON has no word for them.
    """
    described, blocks, offset = [], [], 0
    for name, array in arrays.items():
        described.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "offset": offset})
        block = array.tobytes()
        blocks.append(block + bytes(-len(block) % 8))
        offset += len(blocks[-1])
    text = json.dumps({**_finite(header), "arrays": described}, separators=(",", ":"), allow_nan=False).encode()
    return b"".join([struct.pack("<I", len(text)), text, bytes(-(4 + len(text)) % 8), *blocks])


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def encode_arrays(saved: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a snapshot in JSON types, or None if it is large."""
    if sum(value.nbytes for value in saved.values() if isinstance(value, np.ndarray)) > SNAPSHOT_BYTES:
        return None
    return {name: _encode(value) if isinstance(value, np.ndarray) else value for name, value in saved.items()}


def _encode(array: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def decode_arrays(given: Any) -> dict[str, Any]:
    """Return the snapshot that `encode_arrays` wrote; whether it fits a run is for `restore` to check.

    Raises:
        ValueError: it is not of that form.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"the snapshot is {shorten(given)}; an object is allowed")
    return {name: _decode(name, value) if isinstance(value, Mapping) else value for name, value in given.items()}


def _decode(name: str, value: Mapping[str, Any]) -> np.ndarray:
    try:
        kind = one_of("dtype", value["dtype"], ("float32", "float64", "int64", "uint8"))
        flat = np.frombuffer(base64.b64decode(value["data"], validate=True), dtype=kind)
        return flat.reshape([whole("shape", size, 0, 2**31) for size in value["shape"]]).copy()
    except (KeyError, TypeError, binascii.Error) as error:
        raise ValueError(f"{name} of the snapshot is not an array: {shorten(value)}") from error
