"""Take it home: the run as programs, a notebook, numbers, weights and a report, each a file to keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from lossviz.export import (
    config_json,
    curves_csv,
    keras_script,
    own_csv,
    own_file_name,
    rounding_epoch,
    run_notebook,
    run_report,
    run_script,
    state_dict_bytes,
)
from lossviz.training import Diagnosis, Event, RunConfig, advance, examine, init
from pages.ui.state import recall, remember
from pages.ui.train_state import TrainState, changes_left_out, format_url

MOST_SECONDS = 60.0
"""A run that takes longer is not computed here: the server is there for others, too."""
QUICK = 3.0  # seconds; only runs as quick as this are repeated to see what rounding does
SHOW_AFTER = 0.4  # seconds until a bar shows how far it is
UPDATES = 500  # made at a time


@dataclass(frozen=True)
class Kind:
    """One kind of file: its title, what it is called in a sentence, what it is for, the end of its name, its type."""

    title: str
    name: str
    text: str
    ending: str
    mime: str


KINDS = {
    "script": Kind(
        "PyTorch script",
        "PyTorch script",
        "The same run as a program of its own, with the same data, first weights and order of the samples. It prints "
        "the lines of the curves file, the same to six digits unless the run magnifies rounding.",
        ".py",
        "text/x-python",
    ),
    "keras": Kind(
        "Keras script",
        "Keras script",
        "The same run in Keras 3. On full batches it takes the same steps; smaller batches come in another order.",
        "-keras.py",
        "text/x-python",
    ),
    "notebook": Kind(
        "Notebook",
        "notebook",
        "The PyTorch script cell by cell, with explanations, and a plot of the curves at the end.",
        ".ipynb",
        "application/x-ipynb+json",
    ),
    "curves": Kind(
        "Curves",
        "curves",
        "A CSV file with one line for each epoch: losses, metrics and the learning rate, in all digits.",
        "-curves.csv",
        "text/csv",
    ),
    "weights": Kind(
        "Weights",
        "weights",
        "The parameters at the end of the run. In the PyTorch script they load with "
        '`model.load_state_dict(torch.load("weights.pt", weights_only=True))`.',
        "-weights.pt",
        "application/octet-stream",
    ),
    "report": Kind(
        "Report",
        "report",
        "One page with the settings, the curves and how it went. It needs no network, prints, and can be handed in.",
        "-report.html",
        "text/html",
    ),
    "settings": Kind(
        "Settings",
        "settings",
        "A JSON file with every setting and every change on the way. It opens this very run again.",
        ".json",
        "application/json",
    ),
}
_SHOWN: dict[str, Callable[[RunConfig], str]] = {"script": run_script, "keras": keras_script}
_MADE: dict[str, Callable[[RunConfig], str]] = {**_SHOWN, "notebook": run_notebook, "settings": config_json}


@dataclass(frozen=True)
class Finished:
    """A run that was computed to its end: events, weights as a file, why it ended, where rounding shows, a finding."""

    config: RunConfig
    events: tuple[Event, ...]
    weights: bytes
    reason: str
    restless: int | None
    found: Diagnosis


def export_panel(config: RunConfig) -> None:
    """The section of the Train page; choosing in it reruns nothing else.

    Args:
        config: the run, with the learning rates set on the way.
    """
    st.header("Take it home", divider="gray")
    st.markdown("The whole run, from the first to the last epoch, as a file.")
    _panel(config)


@st.fragment
def _panel(config: RunConfig) -> None:
    kind = st.pills(
        "Kind of file",
        tuple(KINDS),
        format_func=lambda key: KINDS[key].title,
        default="script",
        required=True,
        key="train.export.kind",
        persist_state="session",
    )
    chosen = KINDS[kind]
    st.markdown(chosen.text)
    if kind in _MADE:
        make = _MADE[kind]
        _download(config, kind, lambda: make(config))
        if kind == "keras" and any(item.update for item in config.point_changes):
            st.caption("Points that were moved or added after training had begun stay as they were at the start.")
        if config.own and kind != "settings":
            _own_data(config)
        if kind in _SHOWN:
            with st.expander("Read it here"):
                st.code(make(config), language="python", wrap_lines=True)
        return
    finished = _finished(config)
    if isinstance(finished, str):
        st.warning(finished)
        return
    _download(config, kind, lambda: contents(kind, finished))
    last = finished.events[-1]
    held_out = "" if last.validation_loss is None else f", validation loss {last.validation_loss:.6g}"
    st.caption(f"{finished.reason} Training loss {last.train_loss:.6g}{held_out}.")
    if kind == "curves" and finished.restless is not None:
        st.info(rounding_note(finished), icon=":material/difference:")


def contents(kind: str, finished: Finished) -> str | bytes:
    """The file of a kind that needs the run's numbers."""
    config = finished.config
    if kind == "curves":
        return curves_csv(config, finished.events)
    if kind == "weights":
        return finished.weights
    state = TrainState(config)
    # A link that has no room for every change would open another run; the report holds the settings as a file, too.
    query = "" if changes_left_out(state) else urlencode(format_url(state))
    return run_report(config, finished.events, query, finished.reason, finished.found)


def rounding_note(finished: Finished) -> str:
    """What to expect of a run that magnifies rounding."""
    more = (
        " With dtype=float64 in the address of this page they agree longer."
        if finished.config.dtype == "float32"
        else ""
    )
    return (
        f"This run magnifies rounding. The PyTorch script, or another computer, can give other digits from epoch "
        f"{finished.restless:,} on.{more}"
    )


def _own_data(config: RunConfig) -> None:
    """The file that a program of a run on own data reads."""
    name = own_file_name(config)
    st.download_button(
        "Download the data it reads",
        lambda: own_csv(config),
        file_name=name,
        mime="text/csv",
        icon=":material/table_view:",
        on_click="ignore",
        key="train.export.own",
    )
    st.caption(f"{name} must lie beside the program. It holds the very numbers of this run, categories as 0 and 1.")


def _download(config: RunConfig, kind: str, make: Callable[[], str | bytes]) -> None:
    chosen = KINDS[kind]
    st.download_button(
        f"Download the {chosen.name}",
        make,
        file_name=f"lossviz-{'own' if config.own else config.dataset}{chosen.ending}".replace("_", "-"),
        mime=chosen.mime,
        icon=":material/download:",
        on_click="ignore",
        key=f"train.export.{kind}",
    )


def _finished(config: RunConfig) -> Finished | str:
    """The run to its end, kept until another one is asked for; or why it is not computed."""
    kept = recall("train.export.finished")
    if kept is None or kept.config != config:
        kept = compute(config, _bar())
        if isinstance(kept, str):
            return kept
        remember("train.export.finished", kept)
    return kept


def compute(config: RunConfig, show: Callable[[float, str], None]) -> Finished | str:
    """Compute a run to its end, or say in which epoch it was when the time was over.

    Args:
        config: the run.
        show: called now and then with the share that is done and a text for it; with no text once it is over.

    Returns:
        The finished run, or a sentence for the learner.
    """
    begun = time.monotonic()
    state, events = init(config), []
    while not state.finished:
        event = advance(state, UPDATES)
        if event is not None:
            events.append(event)
        gone = time.monotonic() - begun
        if gone > MOST_SECONDS:
            show(1.0, "")
            return (
                f"This run takes long: after {gone:.0f} seconds it was in epoch {state.epoch + 1:,} of "
                f"{config.epochs:,}. Take the PyTorch script and run it on your own computer."
            )
        if gone > SHOW_AFTER:
            show(state.epoch / config.epochs, f"Computing epoch {state.epoch + 1:,} of {config.epochs:,}")
    show(1.0, "")
    quick = time.monotonic() - begun < QUICK
    return Finished(
        config,
        tuple(events),
        state_dict_bytes(state),
        state.reason,
        rounding_epoch(config, events) if quick else None,
        examine(state, events),
    )


def _bar() -> Callable[[float, str], None]:
    """Show how far a computation is, at most a few times a second; an empty text takes the bar away."""
    place = st.empty()
    latest = 0.0

    def show(share: float, text: str) -> None:
        nonlocal latest
        if not text:
            place.empty()
        elif time.monotonic() - latest > 0.25:
            latest = time.monotonic()
            place.progress(share, text)

    return show
