"""The drag board: a component that looks every number up in tables, so that nothing leaves the browser during a drag.

The scripts in this folder share one scope: `SCRIPTS` joins them in this order into the one module of the component.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any, Final

import streamlit as st

HERE: Final = Path(__file__).resolve().parent
SCRIPTS: Final = ("numbers", "dom", "tables", "track", "field", "choice", "samples", "curves", "worked", "descent", "board")
STYLES: Final = ("board", "samples", "curves")
ACTIONS: Final = ("move", "add", "remove", "reset", "undo", "step", "run")
MAX_NUMBERS: Final = 40

_component = st.components.v2.component(
    "lossviz_board",
    js="\n".join((HERE / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
    css="\n".join((HERE / f"{name}.css").read_text(encoding="utf-8") for name in STYLES),
)


def board(tables: bytes, key: str = "board", learning_rate: float = 0.1) -> dict[str, Any] | None:
    """Draw the board and return what the learner last did with it.

    Args:
        tables: What `lossviz.tables(...).to_bytes(revision)` returns. A board never goes back to a lower revision.
        key: Identity of the board on the page.
        learning_rate: What the learning rate field holds until the learner changes it.

    Returns:
        The last message, or None before the first one: "seq" (it only grows), "action" (one of `ACTIONS`), "revision"
        of the tables that were on screen, "values" (flat "prediction" and "target" as shown), with "sample" for
        remove and "learning_rate" for step and run.

    Raises:
        ValueError: If the browser sent something else, naming it.
    """
    settings = json.dumps({"key": key, "learning_rate": learning_rate}).encode()
    envelope = struct.pack("<I", len(settings)) + settings + tables
    result = _component(key=key, data=envelope, on_message_change=_nothing)
    return None if result.message is None else check_message(result.message)


def _nothing() -> None:
    """A state key exists only where a callback is named; the page reads the message itself."""


def check_message(message: Any) -> dict[str, Any]:
    """Return a message from the browser if it has the form that `board` promises.

    Raises:
        ValueError: Naming what is wrong and what is allowed.
    """
    if not isinstance(message, dict):
        raise ValueError(f"the message is {message!r:.80}; allowed is an object")
    action = message.get("action")
    if action not in ACTIONS:
        raise ValueError(f"action is {action!r:.80}; allowed is one of {', '.join(ACTIONS)}")
    checked: dict[str, Any] = {"action": action}
    for name in ("seq", "revision", *(("sample",) if action == "remove" else ())):
        number = message.get(name)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**53:
            raise ValueError(f"{name} is {number!r:.80}; allowed is a whole number from 0")
        checked[name] = number
    if action in ("step", "run"):
        rate = message.get("learning_rate")
        if not _is_number(rate) or not rate > 0:
            raise ValueError(f"learning_rate is {rate!r:.80}; allowed is a number above 0")
        checked["learning_rate"] = float(rate)
    values = message.get("values")
    if not isinstance(values, dict) or set(values) != {"prediction", "target"}:
        raise ValueError(f"values is {values!r:.80}; allowed is an object with prediction and target")
    for name, numbers in values.items():
        if not isinstance(numbers, list) or len(numbers) > MAX_NUMBERS or not all(map(_is_number, numbers)):
            raise ValueError(f"{name} is {numbers!r:.80}; allowed is a list of at most {MAX_NUMBERS} finite numbers")
    checked["values"] = {name: [float(number) for number in numbers] for name, numbers in values.items()}
    return checked


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
