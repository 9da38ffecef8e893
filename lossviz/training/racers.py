"""Who races: the same run several times, differing in one thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lossviz import losses, optimizers
from lossviz.models import INITIALISATIONS
from lossviz.training.bounds import BOUNDS
from lossviz.training.checks import one_of, shorten, whole
from lossviz.training.config import RunConfig, losses_for
from lossviz.training.model import MODELS, models_for
from lossviz.training.race import RACERS
from lossviz.training.wiring import RIGHT, wirings_for

FEWEST: Final = 2
#: Units of hidden layers that a model without any is given.
UNITS: Final = 4
_KNOWN_LOSSES: Final = {
    "regression": ("mse", "mae", "huber", "log_cosh", "cauchy", "tukey_biweight"),
    "binary": ("bce_with_logits", "mse", "hinge", "squared_hinge", "focal", "exponential"),
    "multiclass": ("cross_entropy", "categorical_focal", "multi_margin", "categorical_hinge", "poly1"),
}


@dataclass(frozen=True)
class Racer:
    """One run of a race, and what tells it from the others, in a word."""

    name: str
    config: RunConfig


@dataclass(frozen=True)
class Difference:
    """What the racers of a race differ in.

    Args:
        title: As a heading.
        options: The values to choose from by key and title, for a run; None where the value is a number.
        usual: Values that make a good race around a run.
        name: What a racer with a value is called.
        fields: The fields of a run that a value sets.
    """

    title: str
    options: Callable[[RunConfig], dict[str, str]] | None
    usual: Callable[[RunConfig], tuple[Any, ...]]
    name: Callable[[Any], str]
    fields: Callable[[RunConfig, Any], dict[str, Any]]


def _losses(config: RunConfig) -> dict[str, str]:
    return {key: losses.get(key).title for key in losses_for(config.task)}


def _loss(config: RunConfig, key: Any) -> dict[str, Any]:
    parameters = config.loss_parameters if key == config.loss else ()
    wiring = config.wiring if config.wiring in wirings_for(key, config.task) else RIGHT
    return {"loss": key, "loss_parameters": parameters, "wiring": wiring}


def _depth(config: RunConfig, layers: Any) -> dict[str, Any]:
    if config.recurrent:
        raise ValueError(
            f"{config.data.title} are read by one recurrent layer; only fully connected networks differ in depth"
        )
    layers = whole("the number of hidden layers", layers, *map(int, BOUNDS["layers"]))
    wide = config.hidden or (UNITS,)
    return {"hidden": wide[:layers] + wide[-1:] * (layers - len(wide))}


def _start(key: Any) -> str:
    """The title without a comma, which names in a row are separated by."""
    head, *more = INITIALISATIONS[key].split(", ")
    return f"{head} ({', '.join(more)})" if more else head


def _layers(count: Any) -> str:
    return "Linear model" if count == 0 else f"{count} hidden layer{'s' if count > 1 else ''}"


DIFFERENCES: Final[dict[str, Difference]] = {
    "rate": Difference(
        "Learning rate",
        None,
        lambda config: (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
        lambda value: f"Rate {value:.12g}",
        lambda config, value: {"learning_rate": value},
    ),
    "optimizer": Difference(
        "Optimizer",
        lambda config: {key: optimizers.get(key).title for key in optimizers.keys()},  # noqa: SIM118 - a function
        lambda config: optimizers.keys(),
        lambda key: optimizers.get(key).title,
        lambda config, key: {"optimizer": key},
    ),
    "loss": Difference(
        "Loss",
        _losses,
        lambda config: _KNOWN_LOSSES[config.task],
        lambda key: losses.get(key).title,
        _loss,
    ),
    "batch": Difference(
        "Batch size",
        None,
        lambda config: (1, 5, 10, 50, None) if config.training_samples > 50 else (1, 5, None),
        lambda size: "All points" if size is None else f"Batch {size:,}",
        lambda config, size: {"batch_size": size},
    ),
    "start": Difference(
        "First weights",
        lambda config: dict(INITIALISATIONS),
        lambda config: tuple(INITIALISATIONS),
        _start,
        lambda config, key: {"initialisation": key},
    ),
    "model": Difference(
        "Recurrent layer",
        lambda config: {key: MODELS[key] for key in models_for(config.data)},
        lambda config: models_for(config.data),
        lambda key: MODELS[key],
        lambda config, key: {"model": key},
    ),
    "units": Difference(
        "Units",
        None,
        lambda config: (1, 2, 4, 8, 16),
        lambda units: f"{units} unit{'s' if units > 1 else ''}",
        lambda config, units: {"hidden": (units,) * max(1, len(config.hidden))},
    ),
    "depth": Difference("Hidden layers", None, lambda config: (0, 1, 2, 3, 4), _layers, _depth),
    "seed": Difference(
        "Seed",
        None,
        lambda config: tuple(range(10)),
        lambda seed: f"Seed {seed}",
        lambda config, seed: {"seed": seed},
    ),
}


def lineup(config: RunConfig, by: str, values: Sequence[Any]) -> tuple[Racer, ...]:
    """Return the racers: the run once for each value.

    Learning rates set on the way are left out; points moved or added on the way are so from the start.

    Args:
        config: The run that the race goes around.
        by: What differs, a key of `DIFFERENCES`.
        values: 2 to 16 different values; None as a batch size means all points.

    Returns:
        The racers in the order of the values.

    Raises:
        ValueError: `by` is unknown, there are too few or too many values, one comes twice, or one is not allowed.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> [(racer.name, racer.config.learning_rate) for racer in lineup(CLASSIC, "rate", [0.01, 0.1])]
        [('Rate 0.01', 0.01), ('Rate 0.1', 0.1)]
        >>> lineup(CLASSIC, "depth", [2])
        Traceback (most recent call last):
        ValueError: 1 racer is in the race; 2 to 16 are allowed
    """
    one_of("by", by, DIFFERENCES)
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise ValueError(f"values is {shorten(values)}; a list of {FEWEST} to {RACERS} values is allowed")
    if not FEWEST <= len(values) <= RACERS:
        count = f"{len(values)} racer{' is' if len(values) == 1 else 's are'}"
        raise ValueError(f"{count} in the race; {FEWEST} to {RACERS} are allowed")
    difference = DIFFERENCES[by]
    racers: list[Racer] = []
    plain = config.settled()
    for value in values:
        if difference.options:
            one_of(by, value, difference.options(config))
        racer = replace(plain, **difference.fields(plain, value))
        twin = next((other for other in racers if other.config == racer), None)
        if twin:
            raise ValueError(f"{twin.name} is in the race twice; every racer has a value of its own")
        racers.append(Racer(difference.name(value), racer))
    return tuple(racers)


def differences(config: RunConfig) -> tuple[str, ...]:
    """Return what runs like this one can differ in: the keys of `DIFFERENCES` that have two values or more.

    Example:
        >>> from lossviz.training import CLASSIC, RunConfig
        >>> "model" in differences(CLASSIC), "model" in differences(RunConfig(dataset="reviews"))
        (False, True)
    """
    return tuple(by for by in DIFFERENCES if len(usual_values(config, by)) >= FEWEST)


def usual_values(config: RunConfig, by: str) -> tuple[Any, ...]:
    """Values that make a good race around a run; those that it does not allow are left out.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> usual_values(CLASSIC, "batch")
        (1, 5, None)
    """
    difference = DIFFERENCES[by]
    found = []
    for value in difference.usual(config):
        try:
            replace(config.settled(), **difference.fields(config, value))
        except ValueError:
            continue
        found.append(value)
    return tuple(found)
