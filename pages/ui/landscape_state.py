"""The state of the Landscape page and its URL.

A link names only what is not at its default: `data=outliers&loss=huber&delta=2&racers=sgd~adam&rate=0.1&w=-1&b=3` for
one weight and one bias, `of=network&example=spiral&epochs=50&plane=path` for a network.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from lossviz import datasets, losses, optimizers
from lossviz.landscape import square
from lossviz.losses.base import Parameter
from lossviz.training import BOUNDS, RunConfig, init, losses_for, preset, presets
from pages.ui.links import plain, quote

SECTIONS = {"linear": "One weight and one bias", "network": "A network"}
VIEWS = {"contour": "From above", "surface": "3-D"}
PLANES = {"random": "Random directions", "path": "Along its training"}
MAX_STEPS = 500
FAR = 100.0  # weight and bias of a start
MAX_EPOCHS = 300
MAX_UPDATES = 12_000  # of a network's training: about a second
SEED_HIGH = 9999


def linear_datasets() -> tuple[str, ...]:
    """Data sets with one feature and one number or one of two classes to predict."""
    keys = (*datasets.keys("regression"), *datasets.keys("binary"))
    return tuple(key for key in keys if len(datasets.get(key).feature_names) == 1)


def linear_losses(data: str) -> tuple[str, ...]:
    """Losses that suit a data set."""
    return losses_for(datasets.get(data).task)


def default_loss(data: str) -> str:
    """The loss that a data set begins with."""
    return "bce_with_logits" if datasets.get(data).task == "binary" else "mse"


def examples() -> tuple[str, ...]:
    """Examples with fully connected hidden layers that hold nothing but weights and biases, not all 0."""
    found = {example.key: example.config for example in presets()}
    return tuple(
        key
        for key, config in found.items()
        if config.hidden and not config.recurrent and config.initialisation != "zeros" and not config.batch_norm
    )


@dataclass(frozen=True)
class LandscapeState:
    """What the page shows.

    Args:
        section: One of `SECTIONS`.
        data: Key of a data set with one feature.
        loss: Key of a loss that suits it.
        parameters: The loss's parameters that are not at their default.
        racers: Keys of optimizers.
        rate: The racers' learning rate.
        steps: How many steps they make.
        start: Weight and bias at which they begin; None means the data set's own place.
        arrows: Whether arrows point downhill.
        view: One of `VIEWS`, in both sections.
        log: Whether the loss is drawn on a logarithmic scale, in both sections.
        example: Key of an example with a network.
        epochs: How long it is trained; None means as long as the example says and the page allows.
        plane: One of `PLANES`.
        seed: Of the random directions.
    """

    section: str = "linear"
    data: str = "four_points"
    loss: str = "mse"
    parameters: tuple[tuple[str, Any], ...] = ()
    racers: tuple[str, ...] = ("sgd", "momentum", "rmsprop", "adam")
    rate: float = 0.1
    steps: int = 100
    start: tuple[float, float] | None = None
    arrows: bool = True
    view: str = "contour"
    log: bool = True
    example: str = "playground"
    epochs: int | None = None
    plane: str = "random"
    seed: int = 0

    @property
    def config(self) -> RunConfig:
        """The run of one weight and one bias, in float64 and on full batches."""
        return linear_config(self.data, self.loss, self.parameters)

    @property
    def begin(self) -> tuple[float, float]:
        """Weight and bias at which the race begins."""
        return default_start(self.data) if self.start is None else self.start

    @property
    def trained(self) -> int:
        """How many epochs the network is trained."""
        most = most_epochs(self.example)
        return most if self.epochs is None else min(self.epochs, most)


def linear_config(data: str, loss: str, parameters: tuple[tuple[str, Any], ...] = ()) -> RunConfig:
    """The run of one weight and one bias: numbers on the raw feature, two classes on the standardised one."""
    return RunConfig(
        dataset=data,
        validation_fraction=0.0,
        standardise=datasets.get(data).task == "binary",
        hidden=(),
        initialisation="zeros",
        dtype="float64",
        loss=loss,
        loss_parameters=parameters,
        batch_size=None,
    )


@cache
def default_start(data: str) -> tuple[float, float]:
    """A place at the left, from which the ways of the optimizers part."""
    (left, right), (low, high) = square(init(linear_config(data, default_loss(data))))
    side = right - left
    return round_start((left + 0.12 * side, (low + high) / 2 + 0.05 * side), 10 * side)


def round_start(start: tuple[float, float], side: float) -> tuple[float, float]:
    """A place on round numbers, finer than a click can tell."""
    digits = max(0, 3 - math.ceil(math.log10(side)))
    weight, bias = (min(max(round(value, digits), -FAR), FAR) + 0.0 for value in start)
    return weight, bias


def most_epochs(example: str) -> int:
    """The longest training that keeps the page quick."""
    config = preset(example).config
    return max(1, min(config.epochs, MAX_EPOCHS, MAX_UPDATES // config.updates_per_epoch))


def changed(loss: str, given: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Only the parameters that are not at their default, in the loss's order."""
    return tuple(
        (item.name, given[item.name])
        for item in losses.get(loss).parameters
        if item.name in given and given[item.name] != item.default
    )


# Text of one value in the URL, and back


def _number_text(value: float) -> str:
    return repr(float(value)).removesuffix(".0").replace("e+", "e")


def _number(low: float, high: float, low_open: bool = False) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e-?[0-9]{1,3})?", text):
            raise ValueError
        value = float(text)
        if not low <= value <= high or (low_open and value == low):
            raise ValueError
        return value + 0.0

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return read


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return read


def _racers(text: str) -> tuple[str, ...]:
    keys = text.split("~") if text != "none" else []
    if not set(keys) <= set(optimizers.keys()) or len(set(keys)) != len(keys):
        raise ValueError
    return tuple(key for key in optimizers.keys() if key in keys)  # noqa: SIM118 - the registry's own function


def _truth(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError
    return text == "yes"


def _truth_text(value: bool) -> str:
    return "yes" if value else "no"


@dataclass(frozen=True)
class _Field:
    """A field of the state: its name in the URL, how it is read and written, and what is allowed in words."""

    name: str
    url: str
    read: Callable[[str], Any]
    text: Callable[[Any], str]
    form: str


def _choice(name: str, url: str, names: tuple[str, ...]) -> _Field:
    return _Field(name, url, _one_of(names), str, ", ".join(names))


@cache
def _fields() -> tuple[_Field, ...]:
    rate_high = BOUNDS["learning_rate"][1]
    return (
        _choice("section", "of", tuple(SECTIONS)),
        _choice("data", "data", linear_datasets()),
        _Field(
            "racers",
            "racers",
            _racers,
            lambda keys: "~".join(keys) or "none",
            f"none, or different ones of {', '.join(optimizers.keys())}, joined by `~`",
        ),
        _Field(
            "rate",
            "rate",
            _number(0.0, rate_high, low_open=True),
            _number_text,
            f"a number above 0, up to {rate_high:g}",
        ),
        _Field("steps", "steps", _whole(1, MAX_STEPS), str, f"a whole number from 1 to {MAX_STEPS}"),
        _Field("arrows", "arrows", _truth, _truth_text, "yes or no"),
        _choice("view", "view", tuple(VIEWS)),
        _Field("log", "log", _truth, _truth_text, "yes or no"),
        _choice("example", "example", examples()),
        _Field("epochs", "epochs", _whole(1, MAX_EPOCHS), str, f"a whole number from 1 to {MAX_EPOCHS}"),
        _choice("plane", "plane", tuple(PLANES)),
        _Field("seed", "seed", _whole(0, SEED_HIGH), str, f"a whole number from 0 to {SEED_HIGH}"),
    )


PLACE = ("w", "b")


def own_names() -> tuple[str, ...]:
    """The names in the URL that belong to the page and not to a loss."""
    return (*(field.url for field in _fields()), "loss", *PLACE)


def parse(params: Mapping[str, str]) -> tuple[LandscapeState, list[str]]:
    """Turn query parameters into a state; what is not legal falls back to the default, with a notice."""
    now, notices = LandscapeState(), []
    for field in _fields():
        if field.url not in params:
            continue
        try:
            now = replace(now, **{field.name: field.read(params[field.url])})
        except ValueError:
            default = getattr(now, field.name)
            instead = f"{field.text(default)} instead" if default is not None else "the example's own"
            notices.append(
                f"The link's {field.url} is {quote(params[field.url])}; allowed: {field.form}. Here is {instead}."
            )
    now = _with_start(_with_parameters(_with_loss(now, params, notices), params, notices), params, notices)
    most = most_epochs(now.example)
    if now.epochs is not None and now.epochs >= most:
        if now.epochs > most:
            notices.append(f"The link's epochs is {now.epochs}; this example is trained for at most {most} here.")
        now = replace(now, epochs=None)
    known = {*own_names(), *(item.name for item in losses.get(now.loss).parameters)}
    unknown = [quote(name) for name in params if name not in known]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        notices.append(f"The link holds {', '.join(unknown[:5])}{more}, which this page does not know; it is left out.")
    return now, notices


def _with_loss(now: LandscapeState, params: Mapping[str, str], notices: list[str]) -> LandscapeState:
    allowed, instead = linear_losses(now.data), default_loss(now.data)
    loss = params.get("loss", instead)
    if loss in allowed:
        return replace(now, loss=loss)
    notices.append(
        f"The link's loss is {quote(loss)}; allowed for this data set: {', '.join(allowed)}. Here is {instead} instead."
    )
    return replace(now, loss=instead)


def _with_parameters(now: LandscapeState, params: Mapping[str, str], notices: list[str]) -> LandscapeState:
    given = {}
    for item in losses.get(now.loss).parameters:
        if item.name not in params:
            continue
        try:
            given[item.name] = item.check(_parameter_value(item, params[item.name]))
        except ValueError:
            notices.append(
                f"The link's {item.name} is {quote(params[item.name])}; allowed: {plain(item.describe())}. "
                "Here is the default instead."
            )
    return replace(now, parameters=changed(now.loss, given))


def _parameter_value(item: Parameter, text: str) -> Any:
    if item.kind == "number":
        return _number(-math.inf, math.inf)(text)
    return _truth(text) if item.kind == "flag" else text


def _with_start(now: LandscapeState, params: Mapping[str, str], notices: list[str]) -> LandscapeState:
    place = list(default_start(now.data))
    for index, name in enumerate(PLACE):
        if name not in params:
            continue
        try:
            place[index] = _number(-FAR, FAR)(params[name])
        except ValueError:
            notices.append(
                f"The link's {name} is {quote(params[name])}; allowed: a number from {-FAR:g} to {FAR:g}. "
                f"Here is {place[index]:g} instead."
            )
    start = (place[0], place[1])
    return replace(now, start=None if start == default_start(now.data) else start)


def format_url(now: LandscapeState) -> dict[str, str]:
    """The query parameters that restore a state: only what is not at its default."""
    defaults = {field.name: field.default for field in fields(LandscapeState)}
    params = {
        field.url: field.text(getattr(now, field.name))
        for field in _fields()
        if getattr(now, field.name) != defaults[field.name]
    }
    if now.loss != default_loss(now.data):
        params["loss"] = now.loss
    declared = {item.name: item for item in losses.get(now.loss).parameters}
    for name, value in now.parameters:
        kind = declared[name].kind
        params[name] = _number_text(value) if kind == "number" else _truth_text(value) if kind == "flag" else str(value)
    if now.start is not None:
        params |= dict(zip(PLACE, map(_number_text, now.start), strict=True))
    return params
