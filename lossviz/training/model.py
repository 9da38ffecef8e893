"""Which model a run trains: the fully connected network for numbers, a recurrent one for texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import torch

from lossviz.datasets.base import Dataset
from lossviz.models import CELLS, Model, Network, RecurrentNetwork
from lossviz.training.bounds import whole_bounds
from lossviz.training.checks import one_of, shorten, whole

if TYPE_CHECKING:
    from lossviz.training.config import RunConfig

DENSE: Final = "dense"
MODELS: Final[Mapping[str, str]] = {DENSE: "Fully connected", **CELLS}
"""The kinds of model, by key, with a title for the menu."""
#: The settings of a model; each data set has its own, which stand for what is None.
SETTINGS: Final = ("model", "hidden", "embedding", "standardise", "activation", "batch_norm", "dropout")
_TEXT: Final = {"model": "lstm", "hidden": (8,), "embedding": 8, "standardise": False}
_NUMBERS: Final = {"model": DENSE, "hidden": (4, 2), "embedding": 0, "standardise": True}
_ACTIVATION: Final = "tanh"


def models_for(data: Dataset) -> tuple[str, ...]:
    """Return the keys of the models that can be trained on these data.

    Example:
        >>> from lossviz import datasets
        >>> models_for(datasets.get("circle"))
        ('dense',)
    """
    return tuple(CELLS) if data.vocabulary else (DENSE,)


def usual_model(data: Dataset) -> dict[str, Any]:
    """Return the settings of a model that stand for None with these data, by name."""
    return dict(_TEXT if data.vocabulary else _NUMBERS)


def check_model(data: Dataset, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a model for these data, with None replaced.

    Args:
        data: what the model is trained on.
        given: the `SETTINGS`, by name.

    Returns:
        The same, checked.

    Raises:
        ValueError: a setting is not allowed or contradicts the data; the message says which and why.
    """
    found = {name: usual_model(data).get(name) if value is None else value for name, value in given.items()}
    what = f"{data.title} are texts" if data.vocabulary else f"{data.title} holds numbers, no texts"
    if one_of("model", found["model"], MODELS) not in models_for(data):
        raise ValueError(f"model is {found['model']!r}; {what}, so {' or '.join(models_for(data))} is allowed")
    found["hidden"] = _hidden(found["hidden"], bool(data.vocabulary))
    if not data.vocabulary:
        if isinstance(found["embedding"], bool) or found["embedding"] != 0:
            raise ValueError(
                f"embedding is {shorten(found['embedding'])}; {what}, so only 0 is allowed: there are no words to embed"
            )
        return {**found, "embedding": 0}
    found["embedding"] = whole("embedding", found["embedding"], *whole_bounds("embedding"))
    reasons = {
        "standardise": (False, "the features are numbers of words, which have no mean"),
        "activation": (_ACTIVATION, "a recurrent layer squashes its state with tanh"),
        "batch_norm": (False, "a recurrent model is trained without batch normalisation here"),
        "dropout": (0.0, "a recurrent model is trained without dropout here"),
    }
    for name, (allowed, reason) in reasons.items():
        if found[name] != allowed:
            raise ValueError(f"{name} is {shorten(found[name])}; {what}, so only {allowed!r} is allowed: {reason}")
    return found


def _hidden(value: Any, recurrent: bool) -> tuple[int, ...]:
    low, high = (1, 1) if recurrent else whole_bounds("layers")
    bounds = whole_bounds("recurrent_units" if recurrent else "units")
    allowed = (
        f"one number, the units of the recurrent layer, from {bounds[0]} to {bounds[1]}"
        if recurrent
        else f"a list of {low} to {high} numbers of units"
    )
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not low <= len(value) <= high:
        raise ValueError(f"hidden is {shorten(value)}; {allowed} is allowed")
    return tuple(whole(f"hidden[{index}]", units, *bounds) for index, units in enumerate(value))


def make_network(config: RunConfig, dtype: torch.dtype) -> Model:
    """Return the model of a run, with parameters of 0."""
    if config.recurrent:
        return RecurrentNetwork(len(config.data.vocabulary), config.embedding, config.hidden[0], config.model, dtype)
    return Network(config.sizes, config.activation, dtype, batch_norm=config.batch_norm)


def row_products(config: RunConfig) -> int:
    """Return how many multiplications one sample takes on its way through the model; a squashed number counts as 35."""
    if not config.recurrent:
        return sum(below * units for below, units in pairwise(config.sizes))
    places, units, _ = config.sizes
    gates = 4 if config.model == "lstm" else 1
    return places * units * (gates * units + 35 * (gates + 1)) + units


def parameter_count(config: RunConfig) -> int:
    """Return the number of weights and biases; scales and shifts of batch normalisation are neither.

    Example:
        >>> from lossviz.training import CLASSIC, RunConfig
        >>> parameter_count(CLASSIC), parameter_count(RunConfig(dataset="reviews"))
        (2, 993)
    """
    if not config.recurrent:
        return sum((below + 1) * units for below, units in pairwise(config.sizes))
    units, columns = config.hidden[0], (4 if config.model == "lstm" else 1) * config.hidden[0]
    words = len(config.data.vocabulary) * config.embedding
    return words + columns * (config.embedding + units + 2) + units + 1


def dense(model: Model, what: str) -> Network:
    """Return the model of a run as a fully connected network, which `what` needs.

    Raises:
        ValueError: it is a recurrent one.
    """
    if not isinstance(model, Network):
        raise ValueError(f"the run trains a recurrent network; {what} needs a fully connected one")
    return model


def layer_names(config: RunConfig) -> tuple[str, ...]:
    """Return what the layers are called, from the first to the last.

    Example:
        >>> from lossviz.training import RunConfig
        >>> layer_names(RunConfig(hidden=(4, 2)))
        ('Hidden layer 1', 'Hidden layer 2', 'Output layer')
    """
    if config.recurrent:
        return ("Embedding", CELLS[config.model], "Output layer")
    return (*(f"Hidden layer {index + 1}" for index in range(len(config.hidden))), "Output layer")
