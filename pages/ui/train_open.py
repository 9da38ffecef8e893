"""A settings file that was saved on the Train page, opened again."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lossviz.datasets.own_points import OwnDataNeeded
from lossviz.export import read_settings
from lossviz.training import RunConfig
from pages.ui.links import plain
from pages.ui.own_store import Wanted, known
from pages.ui.state import current, put, recall, remember
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
        remember("train.open.problem", _open(file.name[:60], file.getvalue()))
        remember("train.open.read", file.file_id)  # last: the next run of the page may cut this one short
        if not recall("train.open.problem"):
            st.rerun()
    if recall("train.open.problem"):
        st.error(plain(recall("train.open.problem")))


def _open(name: str, data: bytes) -> str:
    """Show the run that a file describes, or ask for its data; returns why it cannot be, or nothing."""
    try:
        given = read_settings(data.decode("utf-8"))
        key = given.get("dataset") if isinstance(given, dict) else None
        start_run(RunConfig.from_dict(given, known().get(str(key))))
    except UnicodeDecodeError:
        return f"{name} is no text; a JSON file with settings is allowed."
    except OwnDataNeeded as needed:
        put("train", replace(current("train"), wanted=Wanted(needed.key, settings=given)))
    except ValueError as error:
        return f"{name}: {error}. The run before is still here."
    return ""
