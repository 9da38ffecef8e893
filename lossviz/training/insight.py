"""What goes on inside a run: the latest update layer by layer, activations, and what single samples do.

Everything is computed from the run as it stands and changes nothing in it. Samples are counted from 1, in the order
of `Split.x_train`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz.datasets.base import Array
from lossviz.models import Network, RecurrentNetwork, Workspace
from lossviz.training.checks import whole
from lossviz.training.data import Rows
from lossviz.training.engine import Event, RunState, advance
from lossviz.training.inspect import shown
from lossviz.training.model import dense, layer_names

BINS: Final = 24
#: An output of tanh or sigmoid this close to an end of its range, as a share of the range, hardly passes a gradient on.
SATURATED: Final = 0.01
_RANGES: Final = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
_PRODUCT: Final = (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class LayerUpdate:
    """The latest update of one layer's weights w and biases b. Norms are Euclidean.

    Args:
        name: the layer.
        weights: norm of the gradient of its weights, as the optimizer took it: after penalties and clipping.
        biases: the same of its biases.
        ratio: |Δ(w, b)| / |(w, b)|, the size of the step by that of the parameters before it; None where these were
            all 0, and once the weights of the best epoch have come back.
    """

    name: str
    weights: float
    biases: float
    ratio: float | None

    @property
    def gradient(self) -> float:
        """Norm of the gradient of weights and biases together."""
        return math.hypot(self.weights, self.biases)


class UpdateWatch:
    """Moves a run on and keeps the parameters from before its latest update, so that the step can be measured.

    Args:
        state: the run; move it on with `advance` of this object alone.

    Example:
        >>> from lossviz.training import CLASSIC, UpdateWatch, init
        >>> watch = UpdateWatch(init(CLASSIC))
        >>> watch.layers() is None
        True
        >>> _ = watch.advance(1), watch.advance(1)
        >>> layer = watch.layers()[0]
        >>> layer.name, round(layer.weights, 3), round(layer.ratio, 3)
        ('Output layer', 25.0, 0.833)

    Reference:
        Karpathy, CS231n, Learning: ratio of weights to updates (https://cs231n.github.io/neural-networks-3/).
    """

    def __init__(self, state: RunState) -> None:
        self.state = state
        self._before = state.network.parameters.clone()
        self._made = 0  # updates after the latest one that was seen

    def follow(self, state: RunState) -> None:
        """Watch the same run at another moment; its latest update has not been seen."""
        self.state = state
        self._made = -1

    def advance(self, updates: int) -> Event | None:
        """As `advance`: make several updates, at most to the end of the epoch, and return its event if it ended.

        Raises:
            ValueError: updates is below 1.
        """
        state = self.state
        if updates < 1 or state.finished:
            return advance(state, updates)
        # All but the last in one call: the copy is made once, and the numbers are still those of the last update.
        others = min(updates, len(state.batches) - state.position) - 1
        if others:
            advance(state, others)
        self._before.copy_(state.network.parameters)
        event = advance(state, 1)
        self._made = state.updates
        return event

    def layers(self) -> list[LayerUpdate] | None:
        """Return the latest update layer by layer; None if this object has not seen it."""
        state = self.state
        if state.updates == 0 or self._made != state.updates:
            return None
        network = state.network
        result = []
        step = network.parameters - self._before
        parts = (network.layers(flat) for flat in (network.gradient, step, self._before))
        for name, gradient, moved, before in zip(layer_names(state.config), *parts, strict=True):
            weights, biases = map(_norm, gradient)
            size, way = (math.hypot(*map(_norm, part)) for part in (before, moved))
            result.append(LayerUpdate(name, weights, biases, way / size if size > 0.0 and not state.restored else None))
        return result


@dataclass(frozen=True, eq=False)
class LayerActivations:
    """The outputs of one hidden layer over all training points.

    Args:
        name: the layer.
        low: where the first bin begins.
        high: where the last bin ends: the end of the activation's range, or the next power of 2 above all outputs.
        counts: how many outputs lie in each of the equal bins, shape (bins,).
        units: units of the layer.
        dead: units whose output is 0 for every training point; None for other activations than ReLU.
        saturated: share of the outputs within 1 % of the range of one of its ends; None for other activations than
            tanh and sigmoid.
        not_finite: number of outputs that are infinite or not a number; they are in no bin.
    """

    name: str
    low: float
    high: float
    counts: Array
    units: int
    dead: int | None
    saturated: float | None
    not_finite: int


def activations(state: RunState, bins: int = BINS) -> list[LayerActivations]:
    """Return histograms of the hidden layers' outputs over the training part, in evaluation mode.

    Those of an embedding are over the words of all texts, those of a recurrent layer over its states after the last
    words.

    Args:
        state: a run at any update; it is not changed.
        bins: number of bins, 2 to 200.

    Returns:
        One entry a hidden layer; none for a linear model.

    Raises:
        ValueError: bins is out of bounds.

    Example:
        >>> from lossviz.training import PLAYGROUND, activations, init
        >>> layer = activations(init(PLAYGROUND))[0]
        >>> layer.name, (layer.low, layer.high), layer.counts.sum()
        ('Hidden layer 1', (-1.0, 1.0), np.int64(1000))
    """
    bins = whole("bins", bins, 2, 200)
    space, rows = forward(state)
    names = layer_names(state.config)
    if isinstance(state.network, RecurrentNetwork):
        words, last = state.network.embedded(rows.x), space.steps.states[-1]
        # An LSTM's state is a product of two squashed numbers: at an end of its range neither need be saturated.
        kind = "tanh" if state.config.model == "rnn" else "product"
        return [_histogram(names[0], words, "identity", bins), _histogram(names[1], last, kind, bins)]
    return [
        _histogram(name, output, state.config.activation, bins)
        for name, output in zip(names, space.activations, strict=False)
    ]


def _histogram(name: str, output: Tensor, activation: str, bins: int) -> LayerActivations:
    finite = output[torch.isfinite(output)]
    largest = float(finite.abs().max()) if finite.numel() else 0.0
    top = 2.0 ** math.ceil(math.log2(largest)) if largest > 0.0 else 1.0
    usual = _PRODUCT if activation == "product" else (0.0 if activation == "relu" else -top, top)
    low, high = _RANGES.get(activation, usual)
    margin = SATURATED * (high - low)
    near = (finite <= low + margin) | (finite >= high - margin)
    return LayerActivations(
        name,
        low,
        high,
        torch.histc(finite.to(torch.float64), bins, low, high).to(torch.int64).numpy(),
        output.shape[1],
        int((output == 0).all(dim=0).sum()) if activation == "relu" else None,
        float(near.to(torch.float64).mean()) if activation in _RANGES and finite.numel() else None,
        output.numel() - finite.numel(),
    )


@dataclass(frozen=True, eq=False)
class Sample:
    """One training point and what the model makes of it.

    Args:
        number: its place in the training part, from 1.
        features: in raw units.
        target: in raw units, or the class number from 0.
        prediction: as `predict` gives it: a number, or one for each class.
        loss: what it adds to the loss; the mean over all samples is the training loss.
    """

    number: int
    features: tuple[float, ...]
    target: float
    prediction: Array
    loss: float


def sample_losses(state: RunState) -> Array:
    """Return the loss of each training point in evaluation mode.

    Each is the sum of the sample's terms, times samples / denominator: the mean over all samples is the training loss,
    class weights included.

    Args:
        state: a run at any update; it is not changed.

    Returns:
        Shape (training points,), float64.

    Example:
        >>> from lossviz.training import CLASSIC, init, sample_losses
        >>> sample_losses(init(CLASSIC)).tolist()
        [4.0, 16.0, 36.0, 64.0]
    """
    return row_losses(state, forward(state)[1])


def row_losses(state: RunState, rows: Rows) -> Array:
    """Return the loss of each of some rows whose predictions stand; the mean over them is their loss."""
    terms = state.loss.terms(rows.inputs, state.loss_parameters).reshape(len(rows), -1)
    result: Array = (terms.sum(1, dtype=torch.float64) * (len(rows) / _denominator(state, rows))).numpy()
    return result


def hardest(state: RunState, count: int = 8) -> list[Sample]:
    """Return the training points with the largest loss, the largest first.

    Args:
        state: a run at any update; it is not changed.
        count: how many, 1 or more; there may be fewer points.

    Returns:
        The samples; losses that are not a number count as the largest.

    Raises:
        ValueError: count is below 1.

    Example:
        >>> from lossviz.training import CLASSIC, hardest, init
        >>> first = hardest(init(CLASSIC), 1)[0]
        >>> first.number, first.features, first.target, first.prediction.item(), first.loss
        (4, (4.0,), 8.0, 0.0, 64.0)
    """
    count = whole("count", count, 1, 2**31)
    space, rows = forward(state)
    losses = row_losses(state, rows)
    order = largest_first(losses)[:count]
    predictions = shown(state, space.sums[-1])
    split = state.split
    return [
        Sample(
            int(row) + 1,
            tuple(split.x_train[row].tolist()),
            float(split.y_train[row]),
            predictions[row],
            float(losses[row]),
        )
        for row in order
    ]


def sample_gradient_norms(state: RunState) -> Array:
    """Return how strongly each training point pulls at the parameters: the norm of its own gradient.

    g_i = d(terms of sample i / denominator) / dθ, so the g_i add up to the gradient of the training loss, without
    penalties, clipping and dropout. In a dense layer the gradient of one sample is the outer product of
    delta, the slope of the loss in the layer's weighted sums, and the layer's input with a 1 for the bias, so
    |g_i|² = Σ over layers |delta_i|² |input_i|²: no gradient has to be written out. For a recurrent network see
    `RecurrentNetwork.gradient_squares`.

    Args:
        state: a run at any update; it is not changed.

    Returns:
        Shape (training points,), float64.

    Raises:
        ValueError: the model has batch normalisation, where the output for one sample depends on all others of its
            batch, so that no sample has a gradient of its own.

    Example:
        >>> from lossviz.training import CLASSIC, init, sample_gradient_norms
        >>> sample_gradient_norms(init(CLASSIC)).round(4).tolist()
        [1.4142, 4.4721, 9.4868, 16.4924]

    Reference:
        Goodfellow (2015), Efficient per-example gradient computations, arXiv:1510.01799.
    """
    config, network = state.config, state.network
    if config.batch_norm and config.hidden:
        raise ValueError(
            "batch_norm is True; only without it has each sample a gradient of its own, because batch normalisation "
            "mixes the samples of a batch"
        )
    space, rows = forward(state)
    slope = state.loss.derivatives(rows.inputs, state.loss_parameters)["prediction"]
    delta = torch.div(slope, _denominator(state, rows)).view(rows.prediction.shape)
    delta = state.link.backward(delta, rows.prediction)
    if isinstance(network, RecurrentNetwork):
        squares = network.gradient_squares(rows.x, delta, space)
    else:
        squares = _dense_squares(dense(network, "this sum"), rows.x, delta, space)
    result: Array = squares.sqrt_().numpy()
    return result


def _dense_squares(network: Network, x: Tensor, delta: Tensor, space: Workspace) -> Tensor:
    """Squared norm of each row's own gradient."""
    squares = torch.zeros(len(x), dtype=torch.float64)
    for layer in range(len(network.blocks) - 1, -1, -1):
        inputs = space.inputs[layer - 1] if layer else x
        squares += (_norms(delta) * _norms(inputs)).square_()
        if layer:
            delta = delta @ network.weights[layer]
            at = layer - 1
            network.activation.backward(delta, space.sums[at], space.activations[at], space.scratch[at])
    return squares


def gradient_shares(state: RunState) -> Array:
    """Return each training point's share of the pull: |g_i| / Σ |g_j|, see `sample_gradient_norms`.

    Args:
        state: a run at any update; it is not changed.

    Returns:
        Shape (training points,); the shares add up to 1, or are all 0 where no sample pulls. Those of a run that
        overflowed are not a number.

    Raises:
        ValueError: the model has batch normalisation.

    Example:
        >>> from lossviz.training import CLASSIC, gradient_shares, init
        >>> gradient_shares(init(CLASSIC)).round(3).tolist()
        [0.044, 0.14, 0.298, 0.518]
    """
    norms = sample_gradient_norms(state)
    total = norms.sum()
    if not np.isfinite(total):
        return np.full_like(norms, np.nan)
    return norms / total if total > 0.0 else norms


def forward(state: RunState, points: Rows | None = None) -> tuple[Any, Rows]:
    """A pass over some points, else the training part, in evaluation mode and in buffers of its own."""
    points = points or state.training
    rows = Rows(points.x, points.target, torch.empty_like(points.prediction))
    space = state.network.workspace(len(rows))
    state.link.forward(state.network.forward(rows.x, space), rows.prediction)
    return space, rows


def largest_first(losses: Array) -> NDArray[np.intp]:
    """Return the places of losses from the largest to the smallest; what is not a number counts as the largest."""
    return np.argsort(-np.nan_to_num(losses, nan=np.inf, posinf=np.inf), kind="stable")


def _denominator(state: RunState, rows: Rows) -> float:
    return float(state.loss.denominator(rows.inputs, state.loss_parameters, "mean"))


def _norm(values: Tensor) -> float:
    return float(torch.linalg.vector_norm(values, dtype=torch.float64))


def _norms(rows: Tensor) -> Tensor:
    result: Tensor = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64)
    return result
