"""Loss and metric of the whole training and validation part, in one pass over both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lossviz import losses
from lossviz.models import LINKS, Model
from lossviz.training.config import RunConfig
from lossviz.training.data import Rows, Split
from lossviz.training.operations import Array, Instruction
from lossviz.training.recorded import play


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
        self._scores = Scores(config, split, self._space.sums[-1][None])
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
        metrics = self._scores.metrics()[0]
        if len(values) == 1:
            return Measurement(values[0], None, metrics[0], None)
        return Measurement(values[0], values[1], metrics[0], metrics[1])


class Scores:
    """Metrics of the training and the validation part: accuracy, or R squared for regression.

    Args:
        config: one of the models; all have the same task.
        split: the points; training rows come first.
        raw: where the raw outputs of all models are found, (models, rows, outputs).
    """

    def __init__(self, config: RunConfig, split: Split, raw: Tensor) -> None:
        self._regression = config.task == "regression"
        parts = [y for y in (split.y_train, split.y_validation) if len(y)]
        self._starts = list(accumulate([len(y) for y in parts[:-1]], initial=0))
        # What the sum of a part's scores is divided by; R squared is not defined where all targets are equal.
        scales = [_scatter(y) if self._regression else len(y) for y in parts]
        self._scales = np.array([scale or math.nan for scale in scales])
        # Squared error of each row, or 1 where its class is right.
        self._scores = np.zeros(raw.shape[:2], np.float64 if self._regression else np.int8)
        self._total = np.float64 if self._regression else np.int32
        self._program = self._scoring(config.task, raw.numpy(), np.concatenate(parts))

    def _scoring(self, task: str, raw: Array, truth: Array) -> list[Instruction]:
        if task == "regression":
            return [
                (np.subtract, (raw[..., 0], truth, self._scores)),
                (np.square, (self._scores, self._scores)),
            ]
        right = self._scores.view(bool)
        if task == "multiclass":
            classes = np.zeros(raw.shape[:2], np.intp)
            return [(raw.argmax, (-1, classes)), (np.equal, (classes, truth, right))]
        # Every link of a binary loss has its threshold (0.5 or 0) where the raw output is 0.
        return [
            (np.greater, (raw[..., 0], np.zeros((), raw.dtype), right)),
            (np.equal, (right, truth > 0.5, right)),
        ]

    def metrics(self) -> list[list[float | None]]:
        """Return the metric of each part for every model; None where it is not defined."""
        with np.errstate(all="ignore"):
            play(self._program)
            shares = np.add.reduceat(self._scores, self._starts, axis=1, dtype=self._total) / self._scales
        if not self._regression:
            return cast(list[list[float | None]], shares.tolist())
        return [[1.0 - share if math.isfinite(share) else None for share in row] for row in shares.tolist()]


def _scatter(y: Array) -> float:
    """Sum of squared distances to the mean."""
    return float(((y - y.mean()) ** 2).sum())
