"""Races of 16 against one run alone: wall time for the same epochs, and epochs a second of every racer.

    python bench/race.py [epochs]

TensorFlow Playground's default (circle data, 250/250 points, 2-4-2-1 tanh, batch 10), on one thread, in turns; all
losses for regression race on the sine, and all for several classes on iris, in batches of 10. One run alone is the mean
over the racers that differ in loss or optimizer; the textbook loop (nn.Module, autograd, torch.optim) trains one run of
Playground's default with squared error and SGD.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from common import conditions
from engine import textbook

from lossviz import losses, optimizers
from lossviz.training import PLAYGROUND, Race, RunConfig, run

ROUNDS = 5
RACERS = 16
OPTIMIZERS = optimizers.keys()
LOSSES = ("mse", "bce_with_logits", "hinge", "focal")
ALL_LOSSES = (
    *("mse", "bce", "bce_with_logits", "hinge", "squared_hinge", "focal", "soft_margin", "exponential"),
    *("perceptron", "modified_huber", "brier", "asymmetric", "mse", "bce", "hinge", "focal"),
)


def races(epochs: int) -> dict[str, list[RunConfig]]:
    """The races by name; all begin alike and are trained for the same epochs."""
    base = replace(PLAYGROUND, epochs=epochs)

    def with_loss(loss: str) -> RunConfig:
        return replace(base, loss=loss, loss_parameters=(), learning_rate=0.01)

    return {
        "16 learning rates": [replace(base, learning_rate=0.003 * 1.2**racer) for racer in range(RACERS)],
        "16 seeds": [replace(base, seed=seed) for seed in range(RACERS)],
        "4 losses, 4 rates each": [
            replace(with_loss(loss), learning_rate=rate) for loss in LOSSES for rate in (0.003, 0.01, 0.03, 0.05)
        ],
        "7 optimizers": [
            replace(base, optimizer=OPTIMIZERS[racer % len(OPTIMIZERS)], learning_rate=0.01)
            for racer in sorted(range(RACERS), key=lambda racer: racer % len(OPTIMIZERS))
        ],
        "12 losses": [with_loss(loss) for loss in sorted(ALL_LOSSES)],
        "12 losses, regression": sixteen("sine", "regression", epochs),
        "8 losses, 3 classes": sixteen("iris", "multiclass", epochs),
    }


def full_batches(race: list[RunConfig]) -> list[RunConfig]:
    """The same race with all points in one batch."""
    return [replace(config, batch_size=None) for config in race]


def sixteen(dataset: str, task: str, epochs: int) -> list[RunConfig]:
    """16 racers with all losses of a task."""
    keys = [loss.key for loss in map(losses.get, losses.keys()) if any(fit.task == task for fit in loss.fits)]
    chosen = sorted(keys[racer % len(keys)] for racer in range(RACERS))
    return [
        RunConfig(dataset=dataset, loss=loss, batch_size=10, epochs=epochs, learning_rate=0.01, validation_fraction=0.5)
        for loss in chosen
    ]


def alone(configs: Sequence[RunConfig]) -> float:
    """Seconds of one run alone, on average."""
    kinds = {(config.loss, config.optimizer): config for config in configs}.values()
    begin = time.perf_counter()
    for config in kinds:
        for _ in run(config):
            pass
    return (time.perf_counter() - begin) / len(kinds)


def by_the_book(epochs: int) -> float:
    """Seconds of one run of the textbook loop."""
    begin = time.perf_counter()
    textbook(replace(PLAYGROUND, epochs=epochs))
    return time.perf_counter() - begin


def together(configs: Sequence[RunConfig]) -> float:
    """Seconds of a race, its setting up included."""
    begin = time.perf_counter()
    race = Race(configs)
    while not race.finished:
        race.epoch()
    return time.perf_counter() - begin


def main() -> None:
    """Print the table."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    torch.set_num_threads(1)  # as the server does
    by_the_book(20)
    print(f"16 racers, {epochs} epochs each; medians of {ROUNDS} turns")
    print(conditions() + "\n")
    print("| race | epochs/s alone | epochs/s of each of 16 | time of 16 over one | over one textbook loop |")
    print("|---|---|---|---|---|")
    every_race = races(epochs)
    every_race |= {f"{name}, full batches": full_batches(race) for name, race in every_race.items()}
    for name, configs in every_race.items():
        times = [(alone(configs), together(configs), by_the_book(epochs)) for _ in range(ROUNDS)]
        one, every, _ = (statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(race / single for single, race, _ in times)
        book = statistics.median(race / loop for _, race, loop in times)
        print(f"| {name} | {epochs / one:.0f} | {epochs / every:.0f} | {ratio:.2f} | {book:.2f} |")
    print("\nTo reach: 2 or less over one run alone, and 100 epochs/s of each.")


if __name__ == "__main__":
    main()
