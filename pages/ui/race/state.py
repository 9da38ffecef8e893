"""The state of the Race page and its URL.

The run that the race goes around is named as on the Train page; beside it stand `by=rate`, what differs, and
`values=0.01~0.1`, one for each racer. `rank=loss` ranks and draws on the loss instead of the common metric, `log=yes`
makes its axis logarithmic. A link without anything shows the first example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from lossviz.datasets.own_points import OwnPoints
from lossviz.training import (
    CLASSIC,
    DIFFERENCES,
    MEASURES,
    PLAYGROUND,
    Racer,
    RunConfig,
    differences,
    lineup,
    preset,
    usual_values,
)
from pages.ui import server, train_state
from pages.ui.links import plain, quote
from pages.ui.own_store import Wanted
from pages.ui.race.viewed_race import check_size
from pages.ui.train_state import TrainState

JOINED: Final = "~"
OWN: Final = ("by", "values", "rank", "log")
#: What only the Train page shows.
_LEFT_OUT: Final = ("walk", "phase", "sample")
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?(e-?[0-9]{1,3})?|\.[0-9]{1,20}")


@dataclass(frozen=True)
class RaceState:
    """What the Race page shows.

    Args:
        config: The run that the race goes around, without changes on the way.
        by: What differs, a key of `DIFFERENCES`.
        values: One for each racer.
        rank: On what the racers are ranked, one of `MEASURES`.
        log: Whether the axis of the loss is logarithmic.
        wanted: The race on own data that the page shows once it is given the file; until then this is another one.
    """

    config: RunConfig
    by: str
    values: tuple[Any, ...]
    rank: str = MEASURES[0]
    log: bool = False
    wanted: Wanted | None = None

    @property
    def racers(self) -> tuple[Racer, ...]:
        """The runs of the race."""
        return lineup(self.config, self.by, self.values)

    @property
    def measure(self) -> str:
        """On what the racers are ranked and drawn; different losses are not comparable."""
        return MEASURES[0] if self.by == "loss" else self.rank


@dataclass(frozen=True)
class Example:
    """A race worth seeing."""

    key: str
    title: str
    comment: str
    state: RaceState


_SPIRAL = replace(preset("spiral").config, learning_rate=0.01, dtype="float32")
_REVIEWS = preset("reviews").config
_CIRCLE = replace(PLAYGROUND, loss="bce_with_logits", epochs=100)

EXAMPLES: Final = (
    Example(
        "rates",
        "Learning rates on four points",
        "Too small a rate is slow. Larger ones are faster, up to a hard limit: beyond it every step makes the loss "
        "grow.",
        RaceState(
            replace(CLASSIC, epochs=100),
            "rate",
            (0.001, 0.003, 0.01, 0.03, 0.1, 0.119, 0.12, 0.13),
            rank="loss",
            log=True,
        ),
    ),
    Example(
        "optimizers",
        "Optimizers on the spiral",
        "The same network, start and learning rate: plain SGD and Adagrad hardly get away from a guess, the others "
        "follow the arms.",
        RaceState(_SPIRAL, "optimizer", usual_values(_SPIRAL, "optimizer")),
    ),
    Example(
        "losses",
        "Losses with outliers",
        "Six of 60 points lie far too high. R² squares errors, so it prefers the squared error, whose line the "
        "outliers tilt. Open the others on the Train page: they follow the many. No common metric is neutral.",
        RaceState(
            preset("outliers_mse").config, "loss", ("mse", "mae", "huber", "log_cosh", "cauchy", "tukey_biweight")
        ),
    ),
    Example(
        "depth",
        "Depth on the spiral",
        "Hidden layers of eight units each. Without one or with one, the spiral is out of reach; with two or three it "
        "is learnt; with more, this training gets worse again.",
        RaceState(replace(_SPIRAL, hidden=(8,)), "depth", (0, 1, 2, 3, 4, 5)),
    ),
    Example(
        "seeds",
        "Ten seeds of one setting",
        "Two hidden units are just enough. Most starts end with about 87 % of the new points right; two get stuck near "
        "68 %. A single run would not have told.",
        RaceState(
            RunConfig(dataset="xor", hidden=(2,), epochs=200, learning_rate=0.1, noise=0.1), "seed", tuple(range(10))
        ),
    ),
    Example(
        "batches",
        "Batch sizes on the circle",
        "An epoch shows every point once to all. Small batches make more updates of it, so they come further in as "
        "many epochs, and take more time for each.",
        RaceState(_CIRCLE, "batch", (1, 5, 10, 50, None), rank="loss"),
    ),
    Example(
        "starts",
        "First weights",
        "Three hidden layers of eight units. All zero learns nothing, too large begins far away, the others differ "
        "little.",
        RaceState(replace(_CIRCLE, hidden=(8, 8, 8)), "start", ("zeros", "default", "xavier", "he", "large")),
    ),
    Example(
        "readers",
        "Two readers of reviews",
        "A plain recurrent layer and an LSTM of eight units read the same synthetic reviews. After ten epochs the LSTM "
        "knows what “not” does; after thirty the plain one still gets some of the new reviews wrong.",
        RaceState(_REVIEWS, "model", usual_values(_REVIEWS, "model")),
    ),
)


def with_by(state: RaceState, by: str) -> RaceState:
    """The race around the same run, with something else that differs and its usual values."""
    return RaceState(state.config, by, usual_values(state.config, by), log=state.log)


def with_config(state: RaceState, config: RunConfig) -> RaceState:
    """The same race around another run; values that do not suit it give way to usual ones."""
    new = replace(state, config=config.settled(), wanted=None)
    try:
        lineup(new.config, new.by, new.values)
    except ValueError:
        by = new.by if new.by in differences(new.config) else "rate"
        return replace(new, by=by, values=usual_values(new.config, by))
    return new


def value_text(by: str, value: Any) -> str:
    """A value as the link and the text field write it."""
    if value is None:
        return "all"
    return repr(float(value)).removesuffix(".0").replace("e+", "e") if by == "rate" else str(value)


def read_value(by: str, text: str) -> Any:
    """A value from its text; whether it is in bounds is for `lineup` to say.

    Raises:
        ValueError: it is no such value.
    """
    text = text.strip()
    if DIFFERENCES[by].options:
        return text
    if by == "batch" and text.lower() == "all":
        return None
    if by == "rate" and _NUMBER.fullmatch(text):
        return float(text)
    if by != "rate" and re.fullmatch(r"[0-9]{1,12}", text):
        return int(text)
    allowed = {"rate": "a number such as 0.01", "batch": "a whole number or all"}.get(by, "a whole number")
    raise ValueError(f"{text!r} is not {allowed}")


def check(state: RaceState) -> None:
    """Refuse a race that cannot be shown.

    Raises:
        ValueError: says why.
    """
    check_size([racer.config for racer in state.racers])


def parse(
    params: Mapping[str, str], own: Mapping[str, OwnPoints] = MappingProxyType({})
) -> tuple[RaceState, list[str]]:
    """Turn query parameters into a state; what is not legal falls back to the default, with a notice.

    Args:
        params: The query parameters.
        own: The own data of this session by key; a link that names other own data waits for it.
    """
    if not params:
        return EXAMPLES[0].state, []
    around = {name: text for name, text in params.items() if name not in (*OWN, *_LEFT_OUT)}
    found, notices = train_state.parse(around, own)
    if found.wanted:
        return replace(EXAMPLES[0].state, wanted=replace(found.wanted, link=dict(params))), notices
    config = found.config.settled()
    if found.config.rate_changes:
        notices.append(
            "The link holds learning rates set on the way; all racers keep to their settings, so they are left out."
        )
    if any(item.update for item in found.config.point_changes):
        notices.append("The link holds points that change on the way; here they have changed from the start.")
    by = params.get("by", "rate")
    if by not in DIFFERENCES:
        notices.append(
            f"The link's by is {quote(by)}; allowed: {', '.join(DIFFERENCES)}. Here is a race of learning rates."
        )
        by = "rate"
    elif by not in differences(config):
        notices.append(
            f"The link's by is {quote(by)}, in which runs with these data cannot differ. Here is a race of learning "
            "rates."
        )
        by = "rate"
    state = RaceState(config, by, usual_values(config, by))
    if "values" in params:
        state = _with_values(state, params["values"], notices)
    try:
        check(state)
    except ValueError as error:
        notices.append(f"The link's race is too large: {plain(str(error))}. Here is the first example instead.")
        return EXAMPLES[0].state, notices
    for name, allowed in (("rank", MEASURES), ("log", ("no", "yes"))):
        text = params.get(name, allowed[0])
        if text not in allowed:
            notices.append(
                f"The link's {name} is {quote(text)}; allowed: {', '.join(allowed)}. Here is {allowed[0]} instead."
            )
        elif name == "rank":
            state = replace(state, rank=text)
        else:
            state = replace(state, log=text == "yes")
    return state, notices


def _with_values(state: RaceState, text: str, notices: list[str]) -> RaceState:
    try:
        values = tuple(read_value(state.by, part) for part in text[:2000].split(JOINED))
        lineup(state.config, state.by, values)
    except ValueError as error:
        notices.append(f"The link's values: {plain(str(error))[:300]}. Here are usual ones instead.")
        return state
    return replace(state, values=values)


def format_url(state: RaceState) -> dict[str, str]:
    """The query parameters that restore a state."""
    if state.wanted:
        return state.wanted.query
    params = {**train_state.format_url(TrainState(state.config)), "by": state.by}
    if state.values != usual_values(state.config, state.by):
        params["values"] = JOINED.join(value_text(state.by, value) for value in state.values)
    if state.rank != MEASURES[0]:
        params["rank"] = state.rank
    if state.log:
        params["log"] = "yes"
    return params


def train_link(config: RunConfig) -> str:
    """The address of the Train page with this very run."""
    # A link without anything would show the run that the Train page begins with, which is this one then.
    query = urlencode(train_state.format_url(TrainState(config)))
    return server.public_path("/train") + (f"?{query}" if query else "")
