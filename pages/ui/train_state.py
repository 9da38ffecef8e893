"""The state of the Train page and its URL.

A link names only what differs from the start of its data set: `data=circle&hidden=8_4&rate=0.1`. Lists are joined by
`_`; changes made on the way read `changes=120:0.01~250:m12_3.5_4~300:a1.2_3.4`, each taking effect before that update,
counted from 0: a learning rate, point 12 (counted from 0) moved to (3.5, 4), and a point added at (1.2, 3.4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote_plus, urlencode

from lossviz import datasets, losses
from lossviz.datasets.own_points import OwnPoints, read_key
from lossviz.losses.base import Parameter
from lossviz.training import Intervention, RunConfig, presets
from pages.ui.links import plain, quote
from pages.ui.live import SHOWN
from pages.ui.own_store import Wanted

TASK_TITLES = {"regression": "Regression", "binary": "Two classes", "multiclass": "Several classes"}
PHASES = ("forward", "loss", "backward", "update")
# A walk to an update trains up to it, so a link may not ask for one that takes the server long to reach.
LAST_WALK = 1000
# As the address bar writes it, a colon as %3A. Leaves room for the address in front within 2,000 characters.
MAX_QUERY = 1800

START = presets()[0].config


@dataclass(frozen=True)
class TrainState:
    """What the Train page shows.

    Args:
        config: The run.
        walk: Number of the update that is walked through, from 1.
        phase: The phase shown, one of `PHASES`.
        sample: Which sample of the batch is followed through the network, from 1.
        at: How many updates the run has made where it was left; a link opens it there.
        shown: What of the live charts and panels is open, names out of `SHOWN`.
        wanted: The run on own data that the page shows once it is given the file; until then `config` is another one.
    """

    config: RunConfig
    walk: int = 1
    phase: str = PHASES[0]
    sample: int = 1
    at: int = 0
    shown: tuple[str, ...] = ()
    wanted: Wanted | None = None

    def with_config(self, config: RunConfig) -> TrainState:
        """The page with another run, whose first update is walked through."""
        return TrainState(config, shown=self.shown)


def total_updates(config: RunConfig) -> int:
    """Number of updates in the whole run."""
    return config.updates_per_epoch * config.epochs


def last_walk(config: RunConfig) -> int:
    """The last update that can be walked through."""
    return min(LAST_WALK, total_updates(config))


# Text of one value in the URL, and back


def _float_text(value: float) -> str:
    return repr(float(value)).removesuffix(".0").replace("e+", "e")


def _float(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e-?[0-9]{1,3})?", text):
        raise ValueError
    return float(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise ValueError
    return int(text)


def _list_text(values: tuple[float, ...] | None) -> str:
    return "_".join(map(_float_text, values)) if values else "none"


def _optional(decode: Callable[[str], Any], none: str) -> Callable[[str], Any]:
    return lambda text: None if text == none else decode(text)


def _hidden(text: str) -> tuple[int, ...]:
    return () if text == "none" else tuple(map(_whole, text.split("_")))


def _truth(text: str) -> bool:
    return {"yes": True, "no": False}[text]


def _truth_text(value: bool) -> str:
    return "yes" if value else "no"


def _change_text(change: Intervention) -> str:
    if not change.of_points:
        return f"{change.update}:{_float_text(change.rate)}"
    features, target = change.point
    point = "_".join(map(_float_text, (*features, target)))
    return f"{change.update}:" + (f"m{change.row}_{point}" if change.kind == "move" else f"a{point}")


def _changes_text(changes: tuple[Intervention, ...]) -> str:
    return "~".join(map(_change_text, changes))


def _changes(text: str) -> tuple[dict[str, Any], ...]:
    pairs = [part.split(":") for part in text.split("~")]
    return tuple({"update": _whole(update), **_kind_and_value(what)} for update, what in pairs)


def _kind_and_value(text: str) -> dict[str, Any]:
    if text.startswith("m"):
        row, *point = text[1:].split("_")
        return {"kind": "move", "value": (_whole(row), *map(_float, point))}
    if text.startswith("a"):
        return {"kind": "add", "value": tuple(map(_float, text[1:].split("_")))}
    return {"kind": "learning_rate", "value": _float(text)}


@dataclass(frozen=True)
class _Field:
    """One field of the config: its name in the URL, how it is written and read, and what a legal text looks like."""

    url: str
    name: str
    text: Callable[[Any], str]
    value: Callable[[str], Any]
    form: str


_FIELDS = (
    # Before what it draws: of own data, another seed may leave a class without points.
    _Field("data_seed", "data_seed", str, _whole, "a whole number"),
    _Field("samples", "samples", str, _whole, "a whole number"),
    _Field("noise", "noise", _float_text, _float, "a number"),
    # Before the share that is held out: of own data a class may have points in both parts only so.
    _Field("stratify", "stratify", _truth_text, _truth, "yes or no"),
    _Field("validation", "validation_fraction", _float_text, _float, "a number"),
    _Field("standardise", "standardise", _truth_text, _truth, "yes or no"),
    _Field("model", "model", str, str, ""),
    _Field("hidden", "hidden", _list_text, _hidden, "units of each layer as in 4_2, or none"),
    _Field("embedding", "embedding", str, _whole, "a whole number"),
    _Field("activation", "activation", str, str, ""),
    _Field("start", "initialisation", str, str, ""),
    _Field("loss", "loss", str, str, ""),
    _Field("wiring", "wiring", str, str, ""),
    _Field("optimizer", "optimizer", str, str, ""),
    _Field("rate", "learning_rate", _float_text, _float, "a number"),
    *(
        _Field(name, name, _float_text, _float, "a number")
        for name in ("momentum", "decay", "beta1", "beta2", "weight_decay")
    ),
    _Field("schedule", "schedule", str, str, ""),
    _Field("every", "every", str, _whole, "a whole number"),
    _Field("factor", "factor", _float_text, _float, "a number"),
    _Field("low", "low", _float_text, _float, "a number"),
    _Field("clip", "clip", str, str, ""),
    _Field("clip_at", "clip_at", _float_text, _float, "a number"),
    _Field("l1", "l1", _float_text, _float, "a number"),
    _Field("l2", "l2", _float_text, _float, "a number"),
    _Field("dropout", "dropout", _float_text, _float, "a number"),
    _Field(
        "batch", "batch_size", lambda value: str(value or "all"), _optional(_whole, "all"), "a whole number, or all"
    ),
    # After the batch size and the share held out, which decide whether it can be.
    _Field("batch_norm", "batch_norm", _truth_text, _truth, "yes or no"),
    _Field(
        "patience", "patience", lambda value: str(value or "none"), _optional(_whole, "none"), "a whole number, or none"
    ),
    _Field("best", "best_weights", _truth_text, _truth, "yes or no"),
    _Field("epochs", "epochs", str, _whole, "a whole number"),
    _Field("seed", "seed", str, _whole, "a whole number"),
    _Field("dtype", "dtype", str, str, ""),
    _Field(
        *("changes", "interventions", _changes_text, _changes),
        "changes as in `120:0.01~250:m12_3.5_4~300:a1.2_3.4`",
    ),
)
_OWN = ("data", "walk", "phase", "sample", "at", "show")


def base(dataset: str, own: OwnPoints | None = None) -> RunConfig:
    """The config that a link naming only this data set stands for."""
    if own is not None:
        # With all points to train on, every class has one, so this is always a run.
        return RunConfig(dataset=dataset, own=own, validation_fraction=0.0)
    return START if dataset == START.dataset else RunConfig(dataset=dataset)


def parse(
    params: Mapping[str, str], own: Mapping[str, OwnPoints] = MappingProxyType({})
) -> tuple[TrainState, list[str]]:
    """Turn query parameters into a state; what is not legal falls back to the default, with a notice.

    Args:
        params: The query parameters.
        own: The own data of this session by key; a link that names other own data waits for it.
    """
    notices: list[str] = []
    key = params.get("data", START.dataset)
    points = own.get(key)
    if points is None and read_key(key):
        return TrainState(START, wanted=Wanted(key, dict(params))), notices
    if points is None and key not in datasets.keys():  # noqa: SIM118 - keys() is the registry's own function
        notices.append(
            f"The link asks for the data set {quote(key)}, which does not exist. Here is {START.dataset!r} instead. "
            f"Allowed: {', '.join(datasets.keys())}."
        )
        key = START.dataset
    config = base(key, points)
    for field in _FIELDS:
        if field.url in params:
            config = _with_field(config, field, params[field.url], notices)
        if field.url == "loss":
            config = _with_parameters(config, params, notices)
    names = {field.url for field in _FIELDS} | {*_OWN, *config.parameters}
    unknown = [quote(name) for name in params if name not in names]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        notices.append(f"The link holds {', '.join(unknown[:5])}{more}, which this page does not know; it is left out.")
    return _with_walk(TrainState(config, shown=_shown(params, notices)), params, notices), notices


def _shown(params: Mapping[str, str], notices: list[str]) -> tuple[str, ...]:
    asked = params["show"].split("~") if params.get("show") else []
    unknown = [name for name in asked if name not in SHOWN]
    if unknown:
        notices.append(f"The link's show holds {quote(unknown[0])}; allowed: {', '.join(SHOWN)}. It is left out.")
    return tuple(name for name in SHOWN if name in asked)


def _with_field(config: RunConfig, field: _Field, text: str, notices: list[str]) -> RunConfig:
    default = getattr(config, field.name)
    instead = f"Here is {field.text(default) or 'none'} instead."
    try:
        value = field.value(text)
    except (ValueError, KeyError):
        notices.append(f"The link's {field.url} is {quote(text)}; allowed is {field.form}. {instead}")
        return config
    given: dict[str, Any] = {field.name: value}
    if field.name == "loss" and value != default:
        given["loss_parameters"] = ()
    try:
        return replace(config, **given)
    except ValueError as error:
        notices.append(f"The link's {field.url}: {plain(str(error))}. {instead}")
        return config


def _with_parameters(config: RunConfig, params: Mapping[str, str], notices: list[str]) -> RunConfig:
    for parameter in losses.get(config.loss_key).parameters:
        if parameter.name not in params:
            continue
        text = params[parameter.name]
        try:
            value = _parameter_value(parameter, text)
        except ValueError:
            notices.append(
                f"The link's {parameter.name} is {quote(text)}; allowed is {parameter.describe()}. "
                "Here is the default instead."
            )
            continue
        try:
            config = replace(config, loss_parameters={**config.parameters, parameter.name: value})
        except ValueError as error:
            notices.append(f"The link's {plain(str(error))}. Here is the default instead.")
    return config


def _parameter_value(parameter: Parameter, text: str) -> Any:
    if parameter.kind == "number":
        return _float(text)
    if parameter.kind == "flag" and text in ("yes", "no"):
        return _truth(text)
    if parameter.kind in ("flag", "choice"):
        return parameter.check(text)
    return None if text == "none" else tuple(map(_float, text.split("_")))


def _parameter_text(parameter: Parameter, value: Any) -> str:
    if parameter.kind == "number":
        return _float_text(value)
    if parameter.kind == "flag":
        return _truth_text(value)
    return value if parameter.kind == "choice" else _list_text(value)


def _with_walk(state: TrainState, params: Mapping[str, str], notices: list[str]) -> TrainState:
    if params.get("phase", state.phase) not in PHASES:
        notices.append(
            f"The link's phase is {quote(params['phase'])}; allowed: {', '.join(PHASES)}. Here is forward instead."
        )
    elif "phase" in params:
        state = replace(state, phase=params["phase"])
    for name, low, high in (
        ("walk", 1, last_walk(state.config)),
        ("sample", 1, state.config.batch_rows),
        ("at", 0, total_updates(state.config)),
    ):
        if name not in params:
            continue
        try:
            value = _whole(params[name])
            if not low <= value <= high:
                raise ValueError
            state = replace(state, **{name: value})  # type: ignore[arg-type]
        except ValueError:
            notices.append(
                f"The link's {name} is {quote(params[name])}; allowed is a whole number from {low} to {high}. "
                f"Here is {low} instead."
            )
    return state


def format_url(state: TrainState) -> dict[str, str]:
    """The query parameters that restore a state: only what is not at its default.

    Changes on the way that would make the link too long are left out, the latest first; `changes_left_out` counts them.
    """
    if state.wanted:
        return state.wanted.query
    config, default = state.config, base(state.config.dataset, state.config.own)
    params: dict[str, str] = {}
    if config.dataset != START.dataset:
        params["data"] = config.dataset
    for field in _FIELDS:
        value = getattr(config, field.name)
        if value != getattr(default, field.name) and field.name != "interventions":
            params[field.url] = field.text(value)
    declared = losses.get(config.loss_key).parameters
    standard = default.parameters if config.loss == default.loss else {item.name: item.default for item in declared}
    for item in declared:
        value = config.parameters[item.name]
        if value != standard[item.name]:
            params[item.name] = _parameter_text(item, value)
    for name in ("walk", "phase", "sample", "at"):
        if getattr(state, name) != getattr(TrainState, name):
            params[name] = str(getattr(state, name))
    if state.shown:
        params["show"] = "~".join(state.shown)
    room = MAX_QUERY - len(urlencode({**params, "changes": ""})) - len("&")
    kept: list[str] = []
    for item in config.interventions:
        text = _change_text(item)
        room -= len(quote_plus(text)) + 1
        if room < 0:
            break
        kept.append(text)
    return {**params, "changes": "~".join(kept)} if kept else params


def changes_left_out(state: TrainState) -> int:
    """How many changes made on the way do not fit into the link."""
    if state.wanted:
        return 0
    text = format_url(state).get("changes", "")
    return len(state.config.interventions) - (text.count("~") + 1 if text else 0)
