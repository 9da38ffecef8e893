"""The link to a run, to copy, and the way to a race around it."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from lossviz.export import config_json
from pages.ui.train_state import TrainState, changes_left_out, format_url


def share(state: TrainState) -> None:
    """Two ways on from the run: its link, and a race of its neighbours.

    Args:
        state: what the page shows.
    """
    left_out = changes_left_out(state)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Link to this run", icon=":material/link:"):
            _link(state, left_out)
        st.page_link(
            "race.py",
            label="Race this run against others",
            icon=":material/flag:",
            query_params={**format_url(TrainState(state.config.settled())), "by": "rate"},
        )
    if left_out:
        st.warning(
            f"The link has no room for the last {left_out} of the changes made on the way. "
            "The settings file under Link to this run holds them all."
        )


def _link(state: TrainState, left_out: int) -> None:
    query = urlencode(format_url(state))
    page = (st.context.url or "").split("?")[0]
    st.code(f"{page}?{query}" if query else page, language=None, wrap_lines=True)
    held = "all changes but the last " + str(left_out) if left_out else "every change"
    st.caption(
        f"Point at the box to copy it. The address of this page is the same: it holds every setting, {held}, "
        "the moment of the run and what is shown."
    )
    if state.config.own is not None:
        st.caption("Your data are not in it. Whoever opens the link is asked for the file.")
    if left_out:
        st.download_button(
            "Download the settings file",
            config_json(state.config),
            file_name="lossviz-settings.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            help="Drop it on Open saved settings, further down this page.",
            key="train.share.settings",
        )
