"""Own data in the session: the latest file, the tables that were read, and what a link waits for.

All of it is in the memory of this browser tab's session, and goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossviz.datasets.own import Table
from lossviz.datasets.own_points import OwnPoints
from pages.ui.state import recall, remember

#: Tables that are kept, for going back to a run on one of them; the oldest gives way.
MOST: Final = 4


@dataclass(frozen=True)
class Wanted:
    """A run or race on own data that this session has not been given.

    Args:
        key: The key of the data.
        link: The query parameters that asked for it.
        settings: The fields of a settings file that asked for it, in place of a link.
    """

    key: str
    link: Mapping[str, str] | None = None
    settings: Mapping[str, Any] | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that ask for it again."""
        return {"data": self.key} if self.link is None else dict(self.link)


@dataclass(frozen=True)
class Source:
    """The latest file or pasted text, kept so that another target can be chosen.

    Args:
        name: The name of the file, or what was pasted.
        data: The file or the text.
        key: The key of the table that was read from it last.
    """

    name: str
    data: bytes | str
    key: str


def tables() -> dict[str, Table]:
    """The tables of this session by key, the latest last."""
    found: dict[str, Table] = recall("own.tables", {})
    return found


def known() -> dict[str, OwnPoints]:
    """The data of this session by key; a run on screen may be on an older table than those that are kept."""
    found = {key: table.points for key, table in tables().items()}
    for page in ("train", "race"):
        state = recall(f"{page}.state")
        if state is not None and state.config.own:
            found[state.config.dataset] = state.config.own
    return found


def source() -> Source | None:
    """The latest file, if there is one."""
    found: Source | None = recall("own.source")
    return found


def keep(table: Table, name: str, data: bytes | str) -> None:
    """Keep a table and the file that it was read from."""
    key = table.points.key
    kept = {other: held for other, held in tables().items() if other != key}
    remember("own.tables", dict([*kept.items(), (key, table)][-MOST:]))
    remember("own.source", Source(name, data, key))
