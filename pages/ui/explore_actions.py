"""What a learner can do on the Explore page, as changes of its state."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

import lossviz
from lossviz.descent import descend, descent_path
from lossviz.losses.base import TASKS, Loss, Parameter
from lossviz.tables import Path
from pages.ui.explore_state import ExploreState, check_rate, check_state, parse_numbers, start
from pages.ui.state import current, put, recall, remember

KEYS = lossviz.losses.keys()
HISTORY = 200
ACTIONS = ("move", "place", "paint", "load", "add", "remove", "reset", "undo", "step", "run")
LONGEST_LABEL = 60


def state() -> ExploreState:
    """The page's state."""
    return current("explore")


def menu_label(key: str) -> str:
    """A loss in the menu: its group, its name, and as many other names as a short line holds."""
    loss = lossviz.losses.get(key)
    label = f"{TASKS[loss.task]} · {loss.title}"
    for alias in loss.aliases:
        says_more = alias.lower() not in loss.title.lower() and loss.title.lower() not in alias.lower()
        if says_more and len(f"{label}, {alias}") <= LONGEST_LABEL:
            label += f", {alias}"
    return label


def change(new: ExploreState, path: Path | None = None) -> None:
    """Make a new state the page's, keeping the old one for undo."""
    old = state()
    if new != old:
        remember("explore.history", [*recall("explore.history", []), old][-HISTORY:])
    put("explore", new)
    remember("explore.path", path)
    remember("explore.problem", None)
    remember("explore.drafts", {})


def choose_loss(key: str) -> None:
    """Show another loss, with its own filled board; numbers that fit it stay."""
    old = state()
    new = start(key, old.rate)
    if _geometry(old.declared) == _geometry(new.declared):
        kept = replace(new, numbers=old.numbers)
        try:
            check_state(kept)
            new = kept
        except ValueError:
            pass  # numbers that this loss is not defined for: its own example stays
    change(new)


def _geometry(loss: Loss) -> list[Any]:
    """What two boards must have in common for the numbers of one to mean the same on the other."""
    board = loss.board
    return [board.kind, *((item.name, item.axes, item.low, item.high, item.values) for item in board.variables)]


def choose_reduction(name: str) -> None:
    """Reduce the terms in another way, unless the present targets have no mean under their weights."""
    changed = replace(state(), reduction=name)
    try:
        check_state(changed)
    except ValueError as error:
        remember("explore.problem", f"That cannot be shown: {error}. Nothing was changed.")
    else:
        change(changed)


def draft(parameter: Parameter, shown: ExploreState) -> Any:
    """What a parameter's field holds: what was typed and refused, else the value."""
    drafts = recall("explore.drafts", {})
    if parameter.name in drafts:
        return drafts[parameter.name][0]
    value = shown.parameters[parameter.name]
    if parameter.kind != "class_weights":
        return value
    return "" if value is None else ", ".join(f"{weight:g}" for weight in value)


def set_parameter(parameter: Parameter, typed: Any) -> None:
    """Take a parameter from its field, or keep what was typed with the reason why it cannot be.

    An empty field stands for the default.
    """
    now = state()
    try:
        value = parse_numbers(typed) if parameter.kind == "class_weights" else typed
        value = parameter.default if value is None else value
        parameters = {**now.parameters, parameter.name: parameter.check(value)}
        changed = replace(now, parameters=parameters)
        check_state(changed)
        change(changed)
    except ValueError as error:
        remember("explore.drafts", {**recall("explore.drafts", {}), parameter.name: (typed, str(error))})


def parameter_problems(loss: Loss) -> list[str]:
    """Why fields were refused."""
    drafts = recall("explore.drafts", {})
    refused = (drafts[item.name][1] for item in loss.parameters if item.name in drafts)
    return [f"{reason}. The board still shows the value before." for reason in refused]


def receive(component: Mapping[str, Any] | None) -> None:
    """Act on the latest message of the board, once.

    After a restart of the server the browser still holds its last message. It is about tables of the session before,
    and what it asked for is in the URL already, so it is not done a second time.
    """
    message = component.get("message") if component else None
    if not isinstance(message, Mapping) or message.get("seq") == recall("explore.seq"):
        return
    remember("explore.seq", message.get("seq"))
    try:
        first = recall("explore.first_revision")
        if first is None or int(message["revision"]) < first:
            return
        _act(message)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        remember("explore.problem", f"That cannot be shown: {error}. Nothing was changed.")
    _new_revision()


def _act(message: Mapping[str, Any]) -> None:
    now, action = state(), message.get("action")
    if action == "undo":
        history = recall("explore.history", [])
        if history:
            remember("explore.history", history[:-1])
            put("explore", history[-1])
            remember("explore.path", None)
        else:
            remember("explore.problem", "There is nothing to undo.")
        return
    if action == "reset":
        change(replace(start(now.loss, now.rate), reduction=now.reduction, parameters=now.parameters))
        return
    remember("explore.active", message.get("active"))
    moved = _moved(now, message)
    if "learning_rate" in message and message["learning_rate"] is not None:
        moved = replace(moved, rate=check_rate(float(message["learning_rate"])))
    if action == "load":
        remember("explore.active", message["handle"])
    elif action == "place":
        moved = moved.with_tensors(_placed(moved, str(message["handle"]), message["t"]))
    elif action == "paint":
        moved = moved.with_tensors(_painted(moved, message))
    elif action == "add":
        moved = moved.with_tensors(moved.declared.board.add(moved.tensors()))
    elif action == "remove":
        moved = moved.with_tensors(moved.declared.board.remove(moved.tensors(), int(message["sample"])))
    elif action in ("step", "run"):
        _descend(moved, 1 if action == "step" else None)
        return
    elif action != "move":
        raise ValueError(f"action is {action!r}; allowed are {', '.join(ACTIONS)}")
    check_state(moved)
    change(moved)


def _moved(now: ExploreState, message: Mapping[str, Any]) -> ExploreState:
    """The state with the numbers that the board shows."""
    values = message.get("values")
    if not isinstance(values, Mapping):
        return now
    tensors = {}
    for name, old in now.tensors().items():
        flat = torch.tensor([float(value) for value in values[name]], dtype=torch.float64)
        if flat.numel() != old.numel():
            raise ValueError(f"{name} holds {flat.numel()} numbers; the board has {old.numel()}")
        tensors[name] = flat.reshape(old.shape)
    return now.with_tensors(tensors)


def _placed(now: ExploreState, name: str, position: Any) -> dict[str, torch.Tensor]:
    """The state with a handle where a number was typed, which need not be one of its positions."""
    tensors = now.tensors()
    handles = {handle.name: handle for handle in now.declared.board.handles(tensors)}
    if name not in handles:
        raise ValueError(f"there is no handle {name[:60]!r}")
    handle = handles[name]
    t = torch.tensor([float(number) for number in position], dtype=torch.float64)
    if len(t) != len(handle.positions):
        raise ValueError(f"{name} needs {len(handle.positions)} numbers; given are {len(t)}")
    if not bool(torch.isfinite(t).all()):
        raise ValueError(f"{name} needs finite numbers")
    placed = handle.place(tensors, t[None] if handle.kind == "plane" else t)
    return {**tensors, **{variable: rows[0] for variable, rows in placed.items()}}


def _painted(now: ExploreState, message: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The state with several numbers of a variable set to one value."""
    tensors = now.tensors()
    name, value = str(message["variable"]), float(message["value"])
    flats = sorted({int(flat) for flat in message["flats"]})
    if name not in tensors:
        raise ValueError(f"there is no variable {name[:60]!r}")
    painted = tensors[name].reshape(-1).clone()
    if not flats or flats[0] < 0 or flats[-1] >= len(painted):
        raise ValueError(f"{name} has {len(painted)} numbers to paint, counted from 0")
    painted[flats] = value
    return {**tensors, name: painted.reshape(tensors[name].shape)}


def _descend(now: ExploreState, steps: int | None) -> None:
    key, prediction, target = now.arguments
    run = descend(key, prediction, target, now.rate, steps, reduction=now.reduction, **now.parameters)
    loss = now.declared
    path = descent_path(loss, loss.check_parameters(now.parameters), now.reduction, run)
    change(now.with_tensors({name: torch.from_numpy(values[-1]) for name, values in run.states.items()}), path)


def _new_revision() -> None:
    """Let the board take the next tables for newer than what it shows, also after a restart of the server."""
    revision = max(recall("explore.revision", 0) + 1, time.time_ns() // 1_000_000)
    remember("explore.revision", revision)
    remember("explore.first_revision", recall("explore.first_revision", revision))


def tables_message() -> bytes:
    """The tables of the present state; made anew only when it or its revision changed."""
    now = state()
    sent = recall("explore.sent")
    if sent is None or sent[0] != now:
        _new_revision()
    revision = recall("explore.revision")
    if sent is None or sent[:2] != (now, revision):
        tables = lossviz.tables(*now.arguments, now.reduction, **now.parameters)
        message = tables.to_bytes(revision, recall("explore.path"), recall("explore.active"))
        sent = (now, revision, message)
        remember("explore.sent", sent)
        remember("explore.path", None)
    return sent[2]
