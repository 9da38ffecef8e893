"""Loss and metric of the whole training and validation part, in one pass over both."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lossviz import losses
from lossviz.datasets.base import Array
from lossviz.models import LINKS, Model
from lossviz.training.config import RunConfig
from lossviz.training.data import Rows, Split


@dataclass(frozen=True, slots=True)
class Measurement:
    """Losses and metrics at one moment; those of the validation part are None where there is none."""

    train_loss: float
    validation_loss: float | None
    train_metric: float | None
    validation_metric: float | None


class Meter:
    """Measures a network on all points of a run."""

    def __init__(self, config: RunConfig, network: Model, split: Split) -> None:
        self._loss = losses.get(config.loss_key)
        self._parameters = config.parameters
        self._link = LINKS[config.fit.link]
        self._network = network
        self._train = len(split.x_train)
        x = np.concatenate([split.x_train, split.x_validation])
        y = np.concatenate([split.y_train, split.y_validation])
        self.rows = Rows.of(config, x, y)
        self._space = network.workspace(len(x))
        self._parts = [slice(0, self._train)]
        if len(x) > self._train:
            self._parts.append(slice(self._train, len(x)))
        rows = [self.rows.slice(part.start, part.stop) for part in self._parts]
        self._scores = Scores(config, split)
        self._denominators = [float(self._loss.denominator(row.inputs, self._parameters, "mean")) for row in rows]

    def predict(self) -> Rows:
        """Return all rows with their predictions as they are now; training rows come first."""
        self._link.forward(self._network.forward(self.rows.x, self._space), self.rows.prediction)
        return self.rows

    def measure(self) -> Measurement:
        """Return losses and metrics as the parameters are now."""
        inputs = self.predict().inputs
        terms = self._loss.terms(inputs, self._parameters).reshape(len(self.rows), -1)
        values = [
            float(terms[part].sum(dtype=torch.float64)) / denominator
            for part, denominator in zip(self._parts, self._denominators, strict=True)
        ]
        metrics = self._scores.metrics(self._space.sums[-1][None])[0]
        if len(values) == 1:
            return Measurement(values[0], None, metrics[0], None)
        return Measurement(values[0], values[1], metrics[0], metrics[1])


class Scores:
    """Metrics of the training and the validation part, from raw outputs: accuracy, or R squared for regression."""

    def __init__(self, config: RunConfig, split: Split) -> None:
        self._task = config.task
        y = np.concatenate([split.y_train, split.y_validation])
        self._truth = torch.from_numpy(y)
        parts = [slice(0, len(split.y_train)), slice(len(split.y_train), len(y))]
        self._parts = [(part, _scatter(y[part])) for part in parts if part.stop > part.start]

    def metrics(self, raw: Tensor) -> list[list[float | None]]:
        """Return the metric of each part for several models at once; raw has shape (models, rows, outputs).

        Training rows come first. The metric is None where it is not defined.
        """
        scores = self._score(raw)
        found = [
            scores[:, part].mean(1).tolist() if self._task != "regression" else scores[:, part].sum(1).tolist()
            for part, _ in self._parts
        ]
        return [
            [self._metric(value, scatter) for value, (_, scatter) in zip(values, self._parts, strict=True)]
            for values in zip(*found, strict=True)
        ]

    def _metric(self, value: float, scatter: float) -> float | None:
        if self._task != "regression":
            return value
        return 1.0 - value / scatter if scatter > 0.0 and math.isfinite(value) else None

    def _score(self, raw: Tensor) -> Tensor:
        """Squared error of each row, or 1 where the class is right and 0 where it is wrong, in float64."""
        if self._task == "regression":
            return (raw[..., 0].to(torch.float64) - self._truth).square_()
        if self._task == "multiclass":
            return (raw.argmax(-1) == self._truth).to(torch.float64)
        # Every link of a binary loss has its threshold (0.5 or 0) where the raw output is 0.
        return ((raw[..., 0] > 0.0) == (self._truth > 0.5)).to(torch.float64)


def _scatter(y: Array) -> float:
    """Sum of squared distances to the mean."""
    return float(((y - y.mean()) ** 2).sum())
