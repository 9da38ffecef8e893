"""Logs: curves of runs made elsewhere, over each other, with what they say."""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from lossviz.figures import logs_figure
from lossviz.training import diagnose_log
from lossviz.training.logs import Log, read_log
from lossviz.writing import format_number
from pages.ui.card import dark
from pages.ui.links import plain
from pages.ui.logs_state import FILES, MEASURES, PAGE, SMOOTHING, LogsState, curves, example, format_url, parse
from pages.ui.state import current, page_state, put, recall, remember, seed, show_notices, widget, write_url
from pages.ui.tables import show_table

KINDS = (
    "CSV (also of Keras's CSVLogger), JSON lines, a Keras History as JSON, a Hugging Face trainer_state.json, or a "
    "TensorBoard event file."
)


def logs(uploaded: list[Any]) -> tuple[dict[str, Log], list[str]]:
    """The logs by the names that the page shows, and why others cannot be read. Each file is read once."""
    known: dict[str, Log | str] = recall("logs.read") or {}
    known = {file.file_id: known.get(file.file_id) or read(file.name[:60], file.getvalue()) for file in uploaded}
    remember("logs.read", known)
    found: dict[str, Log] = {"example.csv": example()} if current(PAGE).example else {}
    problems = []
    for log in known.values():
        if isinstance(log, str):
            problems.append(log)
        elif len(found) == FILES:
            problems.append(f"{log.name}: {FILES} logs are shown at once at most.")
        else:
            same = sum(name.split(" (")[0] == log.name for name in found)
            found[f"{log.name} ({same + 1})" if same else log.name] = log
    return found, problems


def read(name: str, data: bytes) -> Log | str:
    """The log in a file, or why there is none."""
    try:
        return read_log(name, data)
    except ValueError as error:
        return f"{name}: {error}."


def change(**fields: object) -> None:
    """Another way of drawing."""
    put(PAGE, replace(current(PAGE), **fields))


def controls(state: LogsState, held: list[str]) -> None:
    """What is drawn, and how."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(held) > 1:
            st.segmented_control(
                "Show",
                held,
                format_func=lambda key: MEASURES[key][0],
                key=seed("logs.measure", state.measure if state.measure in held else held[0]),
                on_change=lambda: change(measure=widget("logs.measure") or state.measure),
                width="content",
            )
        st.slider(
            "Smoothing",
            *SMOOTHING,
            step=0.01,
            key=seed("logs.smoothing", state.smoothing),
            on_change=lambda: change(smoothing=widget("logs.smoothing")),
            help="The share of the smoothed curve that is kept at each point. The raw curve stays, faintly.",
            width=260,
        )
        st.toggle(
            "Log scale",
            key=seed("logs.log", state.log),
            on_change=lambda: change(log=widget("logs.log")),
        )


def picture(state: LogsState, found: dict[str, Log]) -> None:
    """The curves, and a table of their numbers."""
    held = [key for key in MEASURES if curves(found, key)]
    if not held:
        st.info(
            "None of these logs has a loss, an accuracy, a learning rate or a gradient norm.", icon=":material/info:"
        )
        return
    controls(state, held)
    measure = state.measure if state.measure in held else held[0]
    units = {log.counts for log in found.values()}
    across = units.pop().capitalize() if len(units) == 1 else "Epoch or step, as each log counts"
    shown = curves(found, measure)
    st.plotly_chart(
        logs_figure(shown, across, MEASURES[measure][0], log=state.log, smoothing=state.smoothing, dark=dark()),
        key="logs.figure",
        theme=None,
        config={"displayModeBar": False},
        alt=f"{MEASURES[measure][0]} by {across.lower()}. The table below holds the numbers.",
    )
    rows = []
    for curve in shown:
        finite = np.flatnonzero(np.isfinite(curve.values))
        if finite.size:
            lowest, highest = (finite[getattr(curve.values[finite], f"arg{end}")()] for end in ("min", "max"))
            rows.append(
                (
                    curve.name,
                    f"{len(curve.values):,}",
                    format_number(float(curve.values[0])),
                    format_number(float(curve.values[-1])),
                    f"{format_number(float(curve.values[lowest]))} at {curve.steps[lowest]:g}",
                    f"{format_number(float(curve.values[highest]))} at {curve.steps[highest]:g}",
                )
            )
    show_table((("Curve", "Points", "First", "Last", "Lowest", "Highest"), rows), "Numbers of the curves")


def files(found: dict[str, Log]) -> None:
    """What each log is, and what it says."""
    for name, log in found.items():
        seen = diagnose_log(log)
        with st.container(border=True):
            st.markdown(f"**{plain(name)}**")
            st.markdown(f"{seen.sentence} {seen.experiment}".strip())
            if log.note:
                st.markdown(log.note)
            points = sum(len(values) for _, values in log.series.values())
            left_out = ", ".join(plain(column) for column in log.left_out[:8])
            said = f" Not drawn, as it counts or tells the time, or holds no numbers: {left_out}." if left_out else ""
            st.caption(
                f"{log.kind}, {len(log.series)} curves, {points:,} points, counted by {plain(log.counts)}.{said}"
            )


page_state(PAGE, parse)
st.title("Logs")
st.markdown(
    "Load the logs of your own runs, see their curves over each other, and read what they say. The files stay in this "
    "session and are kept nowhere."
)
show_notices(PAGE)
chosen = st.file_uploader(
    "Log files", accept_multiple_files=True, key="logs.upload", help=f"Up to {FILES} files of at most 2 MB."
)
found, problems = logs(chosen)
for problem in problems:
    st.error(plain(problem))
if found:
    picture(current(PAGE), found)
    files(found)
else:
    st.caption(KINDS)
st.toggle(
    "Show an example",
    key=seed("logs.example", current(PAGE).example),
    on_change=lambda: change(example=widget("logs.example")),
    help="A large network that learns 15 points by heart, as Keras would write its log.",
)
write_url(format_url(current(PAGE)))
