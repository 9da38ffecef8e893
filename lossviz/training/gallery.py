"""Named examples, each a config and one sentence that says what to see in it."""

from __future__ import annotations

from typing import Final

from lossviz.training.config import RunConfig

#: The classic first PyTorch example: four points, one weight, one bias, plain gradient descent.
CLASSIC: Final = RunConfig(
    dataset="four_points",
    validation_fraction=0.0,
    standardise=False,
    hidden=(),
    initialisation="zeros",
    loss="mse",
    learning_rate=0.01,
    batch_size=None,
    epochs=1000,
)

#: The network and the data that TensorFlow Playground starts with.
PLAYGROUND: Final = RunConfig(
    dataset="circle",
    standardise=False,
    hidden=(4, 2),
    loss="mse",
    learning_rate=0.03,
    batch_size=10,
)
