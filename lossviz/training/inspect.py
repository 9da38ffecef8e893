"""What a model does: its predictions for any features, and its decision map over a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lossviz.datasets.base import Array
from lossviz.training.checks import number, whole
from lossviz.training.config import RunConfig
from lossviz.training.data import features as prepared
from lossviz.training.engine import RunState
from lossviz.training.wiring import declared_fit

Output = Literal["value", "probability", "score", "probabilities"]


def output(config: RunConfig) -> Output:
    """Return what `predict` gives for this config.

    "value" for regression; "probability" of class 1 where labels are 0 and 1; "score" where labels are -1 and +1,
    with the border between the classes at 0; "probabilities", one for each class, where there are three or more.

    Example:
        >>> from lossviz.training import PLAYGROUND, RunConfig, output
        >>> output(RunConfig()), output(PLAYGROUND), output(RunConfig(dataset="iris"))
        ('probability', 'score', 'probabilities')
    """
    if config.task == "regression":
        return "value"
    if config.task == "multiclass":
        return "probabilities"
    return "score" if declared_fit(config.loss_key, config.task).labels == "plus_minus" else "probability"


def predict(state: RunState, x: Array) -> Array:
    """Return the model's predictions as they stand now.

    Args:
        state: a run at any update; it is not changed.
        x: features in raw units, shape (rows, features); of texts the numbers of their words, padded in front with 0.

    Returns:
        Shape (rows,), or (rows, classes) where there are three or more classes; `output` says what the numbers are.

    Raises:
        ValueError: x has another shape, holds numbers that are not finite, or texts with words that there are not.

    Example:
        >>> import numpy as np
        >>> from lossviz.training import CLASSIC, init, predict
        >>> predict(init(CLASSIC), np.array([[1.0], [2.0]])).tolist()
        [0.0, 0.0]
    """
    x = check_features(state, x)
    raw = state.network.forward(prepared(state.config, x), state.network.workspace(len(x)))
    return shown(state, raw)


def check_features(state: RunState, x: Array) -> Array:
    """Return features as `predict` takes them, in float64.

    Raises:
        ValueError: they are not of that form; says what is wrong.
    """
    x = np.asarray(x, dtype=np.float64)
    columns = len(state.split.feature_names)
    if x.ndim != 2 or x.shape[1] != columns:
        raise ValueError(f"x has shape {x.shape}; (rows, {columns}) is allowed")
    if not np.isfinite(x).all():
        raise ValueError(f"x holds {x[~np.isfinite(x)][0]}; finite numbers are allowed")
    if state.config.recurrent:
        _check_words(x, len(state.config.data.vocabulary))
    return x


def _check_words(x: Array, count: int) -> None:
    """Refuse texts that hold anything but numbers of words, padded in front.

    Args:
        x: shape (texts, places).
        count: number of words, padding included.

    Raises:
        ValueError: says what is wrong.
    """
    wrong = x[~np.isin(x, np.arange(count))]
    if wrong.size:
        raise ValueError(f"x holds {wrong[0]:g}; numbers of words, whole and from 0 to {count - 1}, are allowed")
    padded = x == 0
    if (padded[:, 1:] & ~padded[:, :-1]).any():
        raise ValueError("x holds a text with padding, number 0, behind a word; padding stands in front of the words")


def shown(state: RunState, raw: Tensor) -> Array:
    """Return raw outputs (rows, outputs) as `predict` shows them."""
    kind = output(state.config)
    if kind == "probabilities":
        result = torch.softmax(raw, dim=1)
    elif kind == "probability":
        result = torch.sigmoid(raw[:, 0])
    else:
        result = torch.empty_like(raw)
        state.link.forward(raw, result)
        result = result[:, 0]
    return result.numpy()


def decision_map(state: RunState, bounds: Sequence[float], size: int = 50) -> Array:
    """Return the predictions on a grid over the plane of two features.

    Args:
        state: a run on data with two features; it is not changed.
        bounds: (x1 low, x1 high, x2 low, x2 high) in raw units.
        size: points along each side, 2 to 200; the outermost lie on the bounds.

    Returns:
        Shape (size, size), row by row from low to high x2, or (size, size, classes); see `output`.

    Raises:
        ValueError: the data has another number of features, or bounds or size are not allowed.

    Example:
        >>> from lossviz.training import PLAYGROUND, decision_map, init
        >>> decision_map(init(PLAYGROUND), (-6, 6, -6, 6)).shape
        (50, 50)
    """
    features = len(state.split.feature_names)
    if features != 2:
        raise ValueError(f"the data has {features} features; a decision map needs 2")
    if len(bounds) != 4:
        raise ValueError(f"bounds holds {len(bounds)} numbers; 4 are allowed: x1 low, x1 high, x2 low, x2 high")
    low1, high1, low2, high2 = (number("bounds", value, -1e39, 1e39) for value in bounds)
    if low1 >= high1 or low2 >= high2:
        raise ValueError(f"bounds is {tuple(bounds)!r}; each low below its high is allowed")
    size = whole("size", size, 2, 200)
    x1, x2 = np.meshgrid(np.linspace(low1, high1, size), np.linspace(low2, high2, size))
    values = predict(state, np.stack([x1.ravel(), x2.ravel()], axis=1))
    return values.reshape(size, size, *values.shape[1:])
