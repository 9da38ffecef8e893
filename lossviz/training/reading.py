"""What a recurrent model makes of a text word by word."""

from __future__ import annotations

import numpy as np
import torch

from lossviz.datasets.base import Array
from lossviz.models import RecurrentNetwork
from lossviz.training.data import Rows, features
from lossviz.training.engine import RunState
from lossviz.training.inspect import check_features, shown


def word_by_word(state: RunState, x: Array) -> Array:
    """Return what the model would say after each word, if the text ended there.

    The state of the recurrent layer after each word is read out by the output layer, as it is after the last word.

    Args:
        state: a run on texts, at any update; it is not changed.
        x: numbers of words, padded in front with 0, shape (texts, places).

    Returns:
        Predictions of shape (texts, places), as `output` says; NaN at the padding. The last column is `predict`.

    Raises:
        ValueError: the model is not recurrent, or x is not of that form.

    Example:
        >>> from lossviz.datasets import reviews
        >>> from lossviz.training import RunConfig, init, predict
        >>> state, x = init(RunConfig(dataset="reviews")), reviews.encode("it was not good")[None]
        >>> found = word_by_word(state, x)
        >>> int(np.isfinite(found).sum()), bool(found[0, -1] == predict(state, x)[0])
        (4, True)
    """
    network = state.network
    if not isinstance(network, RecurrentNetwork):
        raise ValueError("the run trains a fully connected network; only a recurrent one reads word by word")
    x = check_features(state, x)
    space = network.workspace(len(x))
    network.forward(features(state.config, x), space)
    raw = network.read(space)
    values = shown(state, raw.reshape(-1, 1)).reshape(x.shape).astype(np.float64)
    return np.where(x > 0, values, np.nan)


def text_losses(state: RunState, x: Array, y: Array) -> Array:
    """Return what each of some texts would add to the loss: the mean over a part's texts is the part's loss.

    Args:
        state: a run on texts, at any update; it is not changed.
        x: numbers of words, padded in front with 0, shape (texts, places).
        y: class numbers, shape (texts,).

    Returns:
        Shape (texts,), float64.

    Raises:
        ValueError: x is not of that form.

    Example:
        >>> from lossviz.training import RunConfig, init
        >>> config = RunConfig(dataset="reviews", initialisation="zeros")
        >>> state = init(config)
        >>> text_losses(state, state.split.x_train[:2], state.split.y_train[:2]).round(4).tolist()
        [0.6931, 0.6931]
    """
    rows = Rows.of(state.config, check_features(state, x), np.asarray(y, dtype=np.float64))
    state.link.forward(state.network.forward(rows.x, state.network.workspace(len(rows))), rows.prediction)
    terms = state.loss.terms(rows.inputs, state.loss_parameters).reshape(len(rows), -1)
    share = len(rows) / float(state.loss.denominator(rows.inputs, state.loss_parameters, "mean"))
    result: Array = (terms.sum(1, dtype=torch.float64) * share).numpy()
    return result
