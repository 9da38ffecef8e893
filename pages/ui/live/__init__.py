"""The live component: a toolbar, loss curves and a view of the model that follow a run on the server.

How a page uses it:

    from pages.ui.live import live

    def heard(message):
        ...  # put message.config, with the changes made on the way, into the page's state and URL; the run goes on

    message = live(config, key="train", heard=heard)
    if message and message.snapshot:
        state = restore(message.config, message.snapshot)  # walk(state) shows the next update in four phases
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from lossviz.training import Intervention, RunConfig
from pages.ui import server
from pages.ui.live.own_delivery import deliver
from pages.ui.live.panels import PANELS
from pages.ui.live.protocol import decode_arrays
from pages.ui.state import recall, remember

HERE = Path(__file__).parent
SCRIPTS = (
    *("../component.js", "own_points.js", "socket.js", "numbers.js", "rate.js", "moment.js", "curves.js", "lines.js"),
    *("texts.js", "model.js"),
    *("point_fields.js", "points.js", "panel_views.js", "printed_view.js", "images.js", "panels.js", "live.js"),
)
#: What a learner can have shown besides: choices of the loss chart, then panels. The order is that of a link.
SHOWN = ("batch", "smoothing", "gap", "log", *PANELS)
#: Runs shown last that a report may still be about: settings can change several times before it arrives.
LAST = 8

# One module in several files, because a component's script is one text and has no address to import from.
_component = st.components.v2.component(
    "lossviz_live",
    html=(HERE / "live.html").read_text(encoding="utf-8"),
    css=(HERE / "live.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
    isolate_styles=False,
)


@dataclass(frozen=True)
class LiveMessage:
    """What the browser last reported about the run that is on screen.

    It reports whenever a run comes to rest (paused, a batch or an epoch done, finished), when the learning rate was
    changed, when the changes were dropped, and when a run that played gives way to another; never while the run only
    plays on.

    Args:
        config: the config of the run with every change made on the way; running it replays the run exactly.
        epoch: epochs completed when it reported.
        updates: updates made when it reported.
        state: "playing", "paused" or "finished".
        snapshot: the run as `lossviz.training.snapshot` gave it, for `restore(message.config, message.snapshot)`;
            None while playing, and for runs above `protocol.SNAPSHOT_BYTES`. It came through a browser, so `restore`
            checks it and may raise ValueError.
        shown: what is shown besides, names out of `SHOWN`: the page keeps them in its link and gives them back.
    """

    config: RunConfig
    epoch: int
    updates: int
    state: str
    snapshot: Mapping[str, Any] | None
    shown: tuple[str, ...] = ()

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """The learning rates set on the way."""
        return self.config.interventions


def live(
    config: RunConfig,
    key: str = "train",
    shown: Sequence[str] = (),
    at: int = 0,
    heard: Callable[[LiveMessage], None] = lambda message: None,
) -> LiveMessage | None:
    """Show a run and let the learner play it.

    The component keeps its run as long as `config` is the same, and also when `config` comes back with the
    interventions that it reported itself: putting these into the URL does not disturb the run. Any other change
    starts again, paused, before the first update. A config that already holds interventions replays them.

    Args:
        config: the run.
        key: the element's key; an element keeps its place, its run and its zoom under it.
        shown: what of the charts and panels is shown at first, names out of `SHOWN`. What the learner chose comes back
            in the message; giving it back here disturbs nothing.
        at: how many updates a run that appears has made at first; one that is on screen stays where it is.
        heard: called once with each report, before the page runs; also with the last one about a run that has given
            way to another, which is never returned.

    Returns:
        The latest report of the browser about this very config since it is on screen, or None if there is none yet.
        Choosing what is shown counts as one too, also for a run that nobody has touched.
    """
    data = {
        "run": run_name(config),
        "config": config.to_dict(),
        "socket": server.public_path("/live"),
        "plotly": server.plotly_url(),
        "shown": list(shown),
        "at": at,
        "own": config.own and config.own.key,
    }
    opened = dict(recall(f"{key}.opened", {}))
    if list(opened)[-1:] != [data["run"]]:
        opened.pop(data["run"], None)
        remember(f"{key}.heard", None)
    opened[data["run"]] = config
    remember(f"{key}.opened", dict(list(opened.items())[-LAST:]))
    deliver(config.own)
    result = _component(
        key=key,
        data=data,
        default={"message": None, "shown": None},
        on_message_change=lambda: _hear(key, heard),
        on_shown_change=lambda: None,
    )
    message: LiveMessage | None = recall(f"{key}.heard")
    if message and message.interventions != config.interventions:
        message = None
    chosen = read_shown(result.shown)
    if chosen is None:
        return replace(message, shown=tuple(shown)) if message else None
    return replace(message or LiveMessage(config, 0, at, "paused", None), shown=chosen)


def _hear(key: str, heard: Callable[[LiveMessage], None]) -> None:
    for config in recall(f"{key}.opened").values():
        if message := read_message(config, recall(key).message):
            remember(f"{key}.heard", message)
            heard(message)


def run_name(config: RunConfig) -> str:
    """A short name that tells a run from others; interventions do not count."""
    text = json.dumps(replace(config, interventions=()).to_dict(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_shown(names: Any) -> tuple[str, ...] | None:
    """Turn what the browser says is shown into names in the order of `SHOWN`; None if it has not said any."""
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(name for name in SHOWN if name in names)


def read_message(config: RunConfig, message: Any) -> LiveMessage | None:
    """Turn what the browser reported into a `LiveMessage`; None if it is about another run or not well formed."""
    if not isinstance(message, Mapping) or message.get("run") != run_name(config):
        return None
    try:
        full = RunConfig.from_dict({**config.to_dict(), "interventions": message["interventions"]}, config.own)
        epoch, updates, state = message["epoch"], message["updates"], message["state"]
        if type(epoch) is not int or type(updates) is not int or state not in {"playing", "paused", "finished"}:
            return None
        snapshot = None if message["snapshot"] is None else decode_arrays(message["snapshot"])
    except (KeyError, ValueError):
        return None
    return LiveMessage(full, epoch, updates, state, snapshot)
