"""The state of the Logs page and its URL, and what of the session's files is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lossviz.figures.logs import Curve
from lossviz.training import preset, run
from lossviz.training.logs import Log, read_log
from pages.ui.links import quote

PAGE: Final = "logs"
FILES: Final = 4
SMOOTHING: Final = (0.0, 0.99)
MEASURES: Final = {
    "loss": ("Loss", ("train_loss", "validation_loss")),
    "accuracy": ("Accuracy", ("train_accuracy", "validation_accuracy")),
    "learning_rate": ("Learning rate", ("learning_rate",)),
    "gradient_norm": ("Gradient norm", ("gradient_norm",)),
}
"""What can be drawn, by key: its title and the curves that belong to it."""
PARTS: Final = {"train": "training", "validation": "validation"}


@dataclass(frozen=True)
class LogsState:
    """How the curves are drawn. The files belong to the session, not to the link.

    Args:
        measure: Key of `MEASURES`.
        log: Whether the vertical axis is logarithmic.
        smoothing: Share of the smoothed curve that is kept at each point.
        example: Whether a log of one of our own runs is shown too.
    """

    measure: str = "loss"
    log: bool = False
    smoothing: float = 0.0
    example: bool = False


def parse(params: Mapping[str, str]) -> tuple[LogsState, list[str]]:
    """Turn query parameters into a state; what is not legal falls back to the default, with a notice."""
    start, notices = LogsState(), []
    given: dict[str, object] = {}
    if "measure" in params:
        if params["measure"] in MEASURES:
            given["measure"] = params["measure"]
        else:
            notices.append(f"The link's measure is {quote(params['measure'])}; allowed: {', '.join(MEASURES)}.")
    for name in ("log", "example"):
        if params.get(name, "no") in {"yes", "no"}:
            given[name] = params.get(name) == "yes"
        else:
            notices.append(f"The link's {name} is {quote(params[name])}; allowed: yes, no.")
    if "smoothing" in params:
        low, high = SMOOTHING
        try:
            value = float(params["smoothing"])
        except ValueError:
            value = -1.0
        if low <= value <= high:
            given["smoothing"] = value
        else:
            notices.append(
                f"The link's smoothing is {quote(params['smoothing'])}; allowed is a number from {low:g} to {high:g}."
            )
    unknown = [quote(name) for name in params if name not in {"measure", "log", "smoothing", "example"}]
    if unknown:
        notices.append(f"The link holds {', '.join(unknown[:5])}, which this page does not know; it is left out.")
    return LogsState(**{**vars(start), **given}), notices


def format_url(state: LogsState) -> dict[str, str]:
    """The query parameters that restore a state: only what is not at its default."""
    params: dict[str, str] = {}
    if state.measure != LogsState.measure:
        params["measure"] = state.measure
    if state.log:
        params["log"] = "yes"
    if state.example:
        params["example"] = "yes"
    if state.smoothing:
        params["smoothing"] = repr(state.smoothing)
    return params


def curves(logs: Mapping[str, Log], measure: str) -> list[Curve]:
    """The curves of all logs that belong to a measure."""
    found = []
    for place, (name, log) in enumerate(logs.items()):
        for part, series in enumerate(MEASURES[measure][1]):
            if series in log.series:
                steps, values = log.series[series]
                half = PARTS.get(series.split("_", maxsplit=1)[0]) if len(MEASURES[measure][1]) > 1 else None
                found.append(Curve(f"{name}, {half}" if half else name, place, part, steps, values))
    return found


@lru_cache(maxsize=1)
def example() -> Log:
    """A log as Keras's CSVLogger would write it, of one of our own runs."""
    events = run(preset("overfitting").config)
    lines = [f"{event.epoch - 1},{event.train_loss!r},{event.validation_loss!r}" for event in events]
    return read_log("example.csv", "\n".join(["epoch,loss,val_loss", *lines]))
