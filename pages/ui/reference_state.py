"""The state of the Reference page and its URL: what is searched for, and the card that is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lossviz import losses
from lossviz.cards import MAX_QUERY
from lossviz.losses.base import PROPERTIES, TASKS
from pages.ui import explore_state
from pages.ui.explore_state import ExploreState
from pages.ui.links import quote

OWN = ("search", "task", "property")


@dataclass(frozen=True)
class ReferenceState:
    """What the Reference page shows.

    Args:
        query: What is searched for.
        task: The task that is filtered by; empty for all.
        properties: The properties that are filtered by.
        board: The open card, with the numbers of a board; None while the list is shown.
    """

    query: str = ""
    task: str = ""
    properties: tuple[str, ...] = ()
    board: ExploreState | None = None

    def open(self, key: str) -> ReferenceState:
        """The same search with the card of a loss open."""
        return replace(self, board=explore_state.start(key))


def parse(params: Mapping[str, str]) -> tuple[ReferenceState, list[str]]:
    """Turn query parameters into a state; what is not legal is left out, with a notice."""
    notices: list[str] = []
    query, task = params.get("search", ""), params.get("task", "")
    if len(query) > MAX_QUERY:
        notices.append(f"The link searches for {quote(query)}; only the first {MAX_QUERY} characters count.")
        query = query[:MAX_QUERY]
    if task and task not in TASKS:
        notices.append(f"The link's task is {quote(task)}; allowed are {', '.join(TASKS)}. Here are all tasks.")
        task = ""
    asked = [name for name in params.get("property", "").split("~") if name]
    notices.extend(
        f"The link's property is {quote(name)}; allowed are {', '.join(PROPERTIES)}. It is left out."
        for name in asked
        if name not in PROPERTIES
    )
    properties = tuple(name for name in PROPERTIES if name in asked)
    state = ReferenceState(query, task, properties)
    rest = {name: value for name, value in params.items() if name not in OWN}
    key = rest.get("loss")
    if key is not None and key in losses.keys():  # noqa: SIM118 - keys() is the registry's own function
        board, found = explore_state.parse(rest)
        return replace(state, board=board), notices + found
    if key is not None:
        notices.append(f"The link asks for the loss {quote(key)}, which does not exist. Here are all losses instead.")
    else:
        notices.extend(f"The link holds {quote(name)}, which this page does not know; it is left out." for name in rest)
    return state, notices


def format_url(state: ReferenceState) -> dict[str, str]:
    """The query parameters that restore a state: only what is not at its default."""
    params: dict[str, str] = {}
    if state.board is not None:
        params = {"loss": state.board.loss, **explore_state.format_url(state.board)}
        params.pop("rate", None)
    if state.query:
        params["search"] = state.query
    if state.task:
        params["task"] = state.task
    if state.properties:
        params["property"] = "~".join(state.properties)
    return params
