"""The training loss of many models at once: every row of a matrix is one model's parameters.

Setting the parameters and measuring, point after point, spends nearly all of its time on calling and hardly any on
arithmetic. Here all points of a chunk go through each layer as one batched matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lossviz.training.checks import number, shorten, whole
from lossviz.training.engine import RunState
from lossviz.training.model import dense

Vector = NDArray[np.float64]

#: Numbers of the widest layer in one chunk. Measured for networks of 2-4-2-1 to 2-64-64-1: below 100,000 calling costs
#: more than computing, above 1,000,000 the activations of tiny networks no longer fit the processor's cache.
CHUNK: Final = 256 * 1024
#: Largest job: about six seconds in float32 on one thread, twice that in float64.
WORK: Final = 1e11
#: What one activation costs, in multiplications of a matrix product.
_ACTIVATION: Final = 35
#: Coordinates, weights and biases lie between minus and plus this.
FAR: Final = 1e6


@dataclass(frozen=True, eq=False)
class Surface:
    """The training loss on a grid.

    Args:
        first: coordinates along the first axis, shape (columns,).
        second: coordinates along the second axis, shape (rows,).
        losses: shape (rows, columns), row by row from low to high `second`; infinite or NaN where it overflows.
    """

    first: Vector
    second: Vector
    losses: Vector

    @property
    def lowest(self) -> tuple[float, float, float]:
        """The lowest point of the grid: its two coordinates and its loss.

        Raises:
            ValueError: the loss is finite nowhere on the grid.
        """
        if not np.isfinite(self.losses).any():
            raise ValueError("the loss overflows everywhere on this grid; a grid closer to the model is allowed")
        finite = np.where(np.isfinite(self.losses), self.losses, np.inf)
        row, column = np.unravel_index(int(finite.argmin()), finite.shape)
        return float(self.first[column]), float(self.second[row]), float(finite[row, column])


def training_losses(state: RunState, points: Any) -> Vector:
    r"""Return the loss of the whole training part for each of many parameter vectors.

    Formula: L(θ) = \sum_i terms_i(link(f_θ(x_i)), y_i) / denominator, for every row θ.

    Args:
        state: a run at any update; it is not changed. The arithmetic is done in its dtype.
        points: parameter vectors in the order of `state.network.parameters`, shape (points, parameters).

    Returns:
        Shape (points,): what `measure(state).train_loss` would be with the parameters set to each row.

    Raises:
        ValueError: points has another shape, holds numbers that are not finite, or the job is too large.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> training_losses(init(CLASSIC), [[0.0, 0.0], [2.0, 0.0]]).tolist()
        [30.0, 0.0]

    Reference:
        Goodfellow, Vinyals, Saxe (2015), Qualitatively characterizing neural network optimization problems.
    """
    checked = parameter_vectors("points", points, state.network.parameters.numel())
    batch = Batch(state, state.network.dtype)
    batch.check_work(len(checked))
    return batch.losses(torch.from_numpy(checked)).numpy()


def parameter_vectors(name: str, value: Any, count: int) -> Vector:
    """Return a matrix of finite numbers with `count` columns, as a copy."""
    try:
        result = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {shorten(value)}; numbers of shape (points, {count}) are allowed") from None
    if result.ndim != 2 or result.shape[1] != count or not len(result):
        raise ValueError(f"{name} has shape {result.shape}; (points, {count}) with at least one point is allowed")
    if not np.isfinite(result).all():
        raise ValueError(f"{name} holds {result[~np.isfinite(result)][0]}; finite numbers are allowed")
    return result


def axis(name: str, ends: Any, size: int) -> Vector:
    """Return `size` coordinates evenly from the lower to the higher of two ends."""
    if not isinstance(ends, Sequence | np.ndarray) or isinstance(ends, str) or len(ends) != 2:
        raise ValueError(f"{name} is {shorten(ends)}; two numbers, low and high, are allowed")
    low, high = (number(name, end, -FAR, FAR) for end in ends)
    if low >= high:
        raise ValueError(f"{name} is {(low, high)!r}; a low below its high is allowed")
    return np.linspace(low, high, size)


def grid(first: tuple[str, Any], second: tuple[str, Any], size: Any) -> tuple[Vector, Vector, Tensor]:
    """Return the coordinates of two axes, each a name with its two ends, and all points of their grid, row by row."""
    size = whole("size", size, 2, 201)
    columns, rows = axis(*first, size), axis(*second, size)
    points = np.stack([part.ravel() for part in np.meshgrid(columns, rows)], axis=1)
    return columns, rows, torch.from_numpy(points)


class Batch:
    """The training part of a run, laid out so that many parameter vectors pass over it at once.

    Args:
        state: the run.
        dtype: of the arithmetic.

    Raises:
        ValueError: the network is recurrent, or holds parameters besides weights and biases.
    """

    def __init__(self, state: RunState, dtype: torch.dtype) -> None:
        network = dense(state.network, "a landscape")
        self._shapes = [tuple(block.shape) for block in network.blocks]
        if sum(outputs * inputs for outputs, inputs in self._shapes) != network.parameters.numel():
            raise ValueError("the network holds more than weights and biases; a plain chain of layers is allowed")
        self._dtype = dtype
        self._activate = network.activation.forward
        self._link = state.link
        self._loss = state.loss
        self._parameters = state.loss_parameters
        rows = state.training
        # Rows of data come last: with few units the products then run along them.
        self.x = rows.x.to(dtype).t().contiguous()
        self._target = rows.target.to(dtype) if rows.target.is_floating_point() else rows.target
        self._denominator = float(self._loss.denominator(rows.inputs, self._parameters, "mean"))
        self._memory: list[tuple[Tensor, Tensor]] | None = None
        #: Points in one chunk.
        self.chunk = max(1, CHUNK // (len(rows) * max(outputs for outputs, _ in self._shapes)))

    def check_work(self, points: int) -> None:
        """Refuse a job that would take much more than a few seconds."""
        units = sum(outputs for outputs, _ in self._shapes)
        each = self.x.shape[1] * (sum(outputs * inputs for outputs, inputs in self._shapes) + _ACTIVATION * units)
        if points * each > WORK:
            raise ValueError(
                f"{points:,} points are too many for this network and {self.x.shape[1]:,} training samples; "
                f"at most {int(WORK / each):,} are allowed"
            )

    def losses(self, points: Tensor) -> Tensor:
        """Return the losses, float64 of shape (points,), of parameter vectors of shape (points, parameters)."""
        result = torch.empty(len(points), dtype=torch.float64)
        with torch.inference_mode():
            for start in range(0, len(points), self.chunk):
                chunk = points[start : start + self.chunk].to(self._dtype)
                prediction = self._predict(chunk)
                terms = self._loss.terms(self._inputs(prediction), self._parameters)
                sums = terms.reshape(len(chunk), -1).sum(1, dtype=torch.float64)
                torch.div(sums, self._denominator, out=result[start : start + self.chunk])
        return result

    def loss(self, point: Tensor) -> Tensor:
        """Return the loss of one vector so that autograd can differentiate it; for one weight and one bias."""
        prediction = self._link.function(point[None] @ self.x)
        return self._loss.terms(self._inputs(prediction), self._parameters).sum() / self._denominator

    def slopes(self, points: Tensor) -> Tensor:
        """Return d loss/d raw output, shape (points, rows), of a model with one output."""
        prediction = self._predict(points)
        slope = self._loss.derivatives(self._inputs(prediction), self._parameters)["prediction"]
        return self._link.backward(slope / self._denominator, prediction)

    def _predict(self, points: Tensor) -> Tensor:
        """Return predictions, shape (points, rows), or (points, rows, outputs) where there are several."""
        count, start = len(points), 0
        buffers = self._buffers(count)
        for layer, ((outputs, inputs), (sums, _)) in enumerate(zip(self._shapes, buffers, strict=True)):
            block = points[:, start : start + outputs * inputs]
            start += outputs * inputs
            if layer == 0:  # Every model sees the same data: one product for the units of all of them.
                torch.mm(block.reshape(count * outputs, inputs), self.x, out=sums.view(count * outputs, -1))
                continue
            below, activations = buffers[layer - 1]
            self._activate(below, activations)
            block = block.reshape(count, outputs, inputs)
            torch.baddbmm(block[:, :, -1:], block[:, :, :-1], activations, out=sums)
        sums, memory = buffers[-1]
        raw = sums[:, 0] if sums.shape[1] == 1 else sums.transpose(1, 2)
        prediction = memory.view(raw.shape)
        self._link.forward(raw, prediction)
        return prediction

    def _buffers(self, count: int) -> list[tuple[Tensor, Tensor]]:
        """Return memory for the weighted sums and the outputs of each layer; fresh memory costs more than tanh does."""
        if self._memory is None or len(self._memory[0][0]) != count:
            shapes = [(count, outputs, self.x.shape[1]) for outputs, _ in self._shapes]
            self._memory = [(torch.empty(s, dtype=self._dtype), torch.empty(s, dtype=self._dtype)) for s in shapes]
        return self._memory

    def _inputs(self, prediction: Tensor) -> dict[str, Tensor]:
        """Return the predictions and, beside each model's, the targets, as the loss takes them."""
        target = self._target.expand(len(prediction), *self._target.shape)
        return {"prediction": prediction, "target": target}
