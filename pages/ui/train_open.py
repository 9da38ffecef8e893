"""A settings file that was saved on the Train page, opened again."""

from __future__ import annotations

import streamlit as st

from lossviz.export import read_config
from pages.ui.links import plain
from pages.ui.state import recall, remember
from pages.ui.train_change import start_run


def open_panel() -> None:
    """A place to drop the file; the run that it describes is shown at once."""
    file = st.file_uploader(
        "Open saved settings",
        type="json",
        key="train.open",
        help="A JSON file from Take it home. It opens the very same run, changes on the way included.",
    )
    if file is None:
        return
    if file.file_id != recall("train.open.read"):
        remember("train.open.read", file.file_id)
        remember("train.open.problem", _open(file.name[:60], file.getvalue()))
        if not recall("train.open.problem"):
            st.rerun()
    if recall("train.open.problem"):
        st.error(plain(recall("train.open.problem")))


def _open(name: str, data: bytes) -> str:
    """Show the run that a file describes; returns why it cannot be, or nothing."""
    try:
        start_run(read_config(data.decode("utf-8")))
    except UnicodeDecodeError:
        return f"{name} is no text; a JSON file with settings is allowed."
    except ValueError as error:
        return f"{name}: {error}. The run before is still here."
    return ""
