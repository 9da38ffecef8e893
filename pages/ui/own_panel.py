"""A learner's own data: a place for the file, what was read from it, and what a link on own data waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from lossviz.datasets import Task
from lossviz.datasets.own import Table, read_csv
from lossviz.datasets.own_points import OwnPoints, read_key
from pages.ui import own_text
from pages.ui.links import plain, quote
from pages.ui.own_store import Source, Wanted, keep, source, tables
from pages.ui.state import current, recall, remember, seed, widget
from pages.ui.tables import show_table

MEGABYTES: Final = 5
#: Characters of a name of a file that are shown.
_NAME: Final = 60
_ROWS_SHOWN: Final = 10  # a table with more columns scrolls

Use = Callable[[OwnPoints], None]
Resume = Callable[[Wanted, OwnPoints], None]


def own_panel(page: str, use: Use, resume: Resume) -> None:
    """The section with the file.

    Args:
        page: The page's name.
        use: Shows a run on these points in place of the one on screen.
        resume: Shows what a link or a settings file asked for, on these points.
    """
    state = current(page)
    wanted: Wanted | None = state.wanted
    own = state.config.own
    table = tables().get(own.key) if own else None
    is_open = bool(wanted or table or recall("own.asked") or recall("own.problem"))
    with st.expander("Use your own data", expanded=is_open, icon=":material/table_view:"):
        if wanted:
            _ask(page, wanted, resume)
        st.markdown(own_text.PROMISE)
        _take_file(page, use, resume)
        if recall("own.problem"):
            st.error(recall("own.problem"))
        if table is not None:
            _show(table, use)


def ask_for_file() -> None:
    """Open the section, for somebody who chose own data before giving any."""
    remember("own.asked", True)


# The file


def _take_file(page: str, use: Use, resume: Resume) -> None:
    left, right = st.columns(2, gap="medium")
    file = left.file_uploader(
        "CSV file",
        type=["csv", "tsv", "txt"],
        max_upload_size=MEGABYTES,
        key="own.file",
        help="Comma, semicolon or tab between the cells; names of the columns in the first row, or none.",
    )
    with right.form("own.form", border=False):
        st.text_area(
            "Or paste a table",
            placeholder="size,rooms,price\n50,2,210\n80,3,320\n…",
            height=120,
            key="own.pasted",
        )
        st.form_submit_button("Read the table", on_click=lambda: remember("own.given", widget("own.pasted")))
    # A run of the page can be cut short by the next one at any time; what was read is noted last, so nothing is lost.
    if file is not None and file.file_id != recall("own.read"):
        _take(page, file.name[:_NAME], file.getvalue(), use, resume)
        remember("own.read", file.file_id)
        st.rerun()
    if recall("own.given") is not None:
        _take(page, "The pasted table", recall("own.given"), use, resume)
        remember("own.given", None)
        st.rerun()


def _take(page: str, name: str, data: bytes | str, use: Use, resume: Resume) -> None:
    """Read a file and show a run on it; where it cannot be read, what is on screen stays."""
    wanted: Wanted | None = current(page).wanted
    remember("own.other", None)
    key = read_key(wanted.key) if wanted else None
    if wanted and key:
        named = _named(name, data, key.column, key.task)
        if named is not None and named.points.key == wanted.key:
            _accept(named, name, data)
            resume(wanted, named.points)
            return
    table = _read(name, data)
    if table is None:
        return
    if wanted:
        remember("own.other", (table if named is None else named, name, data))
        return
    _accept(table, name, data)
    use(table.points)


def _read(name: str, data: bytes | str, target: str | None = None, task: Task | None = None) -> Table | None:
    """The table, or None and the reason on the page."""
    try:
        table = read_csv(data, target, task)
        _ = table.points  # checked while the reason can still be said
    except ValueError as error:
        remember("own.problem", plain(f"{name}: {error}. What is on screen stays as it is."))
        return None
    remember("own.problem", "")
    return table


def _named(name: str, data: bytes | str, column: int, task: Task) -> Table | None:
    """The table with the target in that column of the file; None if it cannot be."""
    try:
        first = read_csv(data)
        target = first.columns[column - 1].name
        return read_csv(data, target, task)
    except (ValueError, IndexError):
        return None


def _accept(table: Table, name: str, data: bytes | str) -> None:
    keep(table, name, data)
    remember("own.problem", "")
    remember("own.asked", False)


# What a link waits for


def _ask(page: str, wanted: Wanted, resume: Resume) -> None:
    key = read_key(wanted.key)
    assert key is not None
    what = "These settings are" if wanted.link is None else "This link is"
    st.info(
        f"{what} for a {'race' if page == 'race' else 'run'} on somebody's own data, which neither links nor settings "
        f"hold. Open the same file here: the target is its column {key.column}, {own_text.TASKS[key.task].lower()}. "
        "Until then the page shows something else, and the address stays as it is.",
        icon=":material/upload_file:",
    )
    other = recall("own.other")
    if other is None:
        return
    table, name, data = other
    st.warning(
        f"{plain(name)} holds other numbers than the data that was asked for, or another target. The run will not be "
        f"the same on it. With it the target would be {quote(table.target_name)}, "
        f"{own_text.TASKS[table.task].lower()}."
    )

    def accept() -> None:
        _accept(table, name, data)
        remember("own.other", None)
        resume(wanted, table.points)

    st.button("Use this file all the same", on_click=accept)


# What was read


def _show(table: Table, use: Use) -> None:
    file = source()
    if file is not None and file.key == table.points.key:
        st.markdown(f"**{plain(file.name)}**")
        _choices(table, file, use)
    st.markdown(own_text.summary(table))
    if own_text.advice(table):
        st.info(own_text.advice(table), icon=":material/straighten:")
    height = 400 if len(table.columns) > _ROWS_SHOWN else "content"
    with st.container(height=height, border=False):
        show_table(own_text.column_table(table), "Columns of the file")


def _choices(table: Table, file: Source, use: Use) -> None:
    """The target and the task, where there is a choice."""
    possible = own_text.tasks(table)

    def take(target: str | None, task: Task | None) -> None:
        if target is None:
            return
        chosen = _read(file.name, file.data, target, task)
        if chosen is not None and chosen.points.key != file.key:
            _accept(chosen, file.name, file.data)
            use(chosen.points)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Target",
            table.targets,
            key=seed("own.target", table.target_name),
            on_change=lambda: take(widget("own.target"), None),
            help="The column that is to be predicted. Columns of many different words cannot be.",
            width=300,
        )
        if len(possible) > 1:
            st.segmented_control(
                "To predict",
                possible,
                format_func=own_text.TASKS.__getitem__,
                key=seed("own.task", table.task),
                on_change=lambda: take(table.target_name, widget("own.task")),
                width="content",
            )
