"""The training engine against the textbook loop: the same work and the same evaluations after each epoch.

    python bench/engine.py [seconds]

Both train TensorFlow Playground's default (circle data, 250/250 points, 2-4-2-1 tanh, batch 10, SGD 0.03, mean squared
error) on one thread, in turns, and after each epoch compute loss and accuracy of the training and the validation part.
Then the same for the example of reviews: an embedding, an LSTM and a linear output, with Adam.
"""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lossviz.training import PLAYGROUND, RunConfig, dataset, preset, run

ROUNDS = 7
Loop = Callable[[RunConfig], list[float]]


def textbook(config: RunConfig) -> list[float]:
    """Train with nn.Module, autograd and torch.optim as tutorials do; return the training loss of each epoch."""
    split = dataset(config)
    (x, y), (vx, vy) = (
        (torch.tensor(features, dtype=torch.float32), torch.tensor(2 * labels - 1, dtype=torch.float32)[:, None])
        for features, labels in ((split.x_train, split.y_train), (split.x_validation, split.y_validation))
    )
    torch.manual_seed(config.seed)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, 1), nn.Tanh())
    optimizer = torch.optim.SGD(model.parameters(), lr=config.learning_rate)
    history = []
    for _ in range(config.epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(config.batch_rows):
            optimizer.zero_grad()
            loss = functional.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        model.eval()
        with torch.no_grad():
            for features, labels in ((x, y), (vx, vy)):
                prediction = model(features)
                history.append(functional.mse_loss(prediction, labels).item())
                ((prediction > 0) == (labels > 0)).float().mean().item()
        model.train()
    return history[::2]


def engine(config: RunConfig) -> list[float]:
    """Train with lossviz; return the training loss of each epoch."""
    return [event.train_loss for event in run(config)]


class Reader(nn.Module):
    """An embedding, an LSTM and a linear output, as tutorials write it."""

    def __init__(self, words: int, numbers: int, units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, numbers, padding_idx=0)
        self.recurrent = nn.LSTM(numbers, units, batch_first=True)
        self.output = nn.Linear(units, 1)

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        # The LSTM also runs over the padding, which is in front; leaving it out takes longer still.
        states, _ = self.recurrent(self.embedding(texts))
        return self.output(states[:, -1])[:, 0]


def textbook_reviews(config: RunConfig) -> list[float]:
    """The same for reviews."""
    split = dataset(config)
    (x, y), (vx, vy) = (
        (torch.tensor(texts, dtype=torch.long), torch.tensor(labels, dtype=torch.float32))
        for texts, labels in ((split.x_train, split.y_train), (split.x_validation, split.y_validation))
    )
    torch.manual_seed(config.seed)
    model = Reader(len(config.data.vocabulary), config.embedding, config.hidden[0])
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    history = []
    for _ in range(config.epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(config.batch_rows):
            optimizer.zero_grad()
            loss = functional.binary_cross_entropy_with_logits(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        model.eval()
        with torch.no_grad():
            for texts, labels in ((x, y), (vx, vy)):
                prediction = model(texts)
                history.append(functional.binary_cross_entropy_with_logits(prediction, labels).item())
                ((prediction > 0) == (labels > 0)).float().mean().item()
        model.train()
    return history[::2]


def compare(title: str, textbook: Loop, config: RunConfig, seconds: float, shown: int) -> None:
    """Run both loops in turns and print their rates; `shown` is the epoch whose training loss is printed."""
    loops = {"textbook": textbook, "engine": engine}
    rates: dict[str, list[float]] = {name: [] for name in loops}
    last = {}
    for loop in loops.values():
        loop(replace(config, epochs=max(2, shown // 3)))
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            epochs = max(shown, int(seconds * (rates[name][-1] if rates[name] else shown)))
            started = time.perf_counter()
            history = loop(replace(config, epochs=epochs))
            rates[name].append(epochs / (time.perf_counter() - started))
            last[name] = history[shown - 1]
    print(f"{title}, one thread, training and validation loss and accuracy after each epoch\n")
    print(f"| loop | epochs/s, median | slowest | fastest | training loss, epoch {shown} |")
    print("|---|---|---|---|---|")
    for name, values in rates.items():
        row = f"{statistics.median(values):.1f} | {min(values):.1f} | {max(values):.1f} | {last[name]:.4f}"
        print(f"| {name} | {row} |")
    ratio = statistics.median(rates["engine"]) / statistics.median(rates["textbook"])
    print(f"\nengine / textbook: {ratio:.2f}\n")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    torch.set_num_threads(1)
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} CPUs, {ROUNDS} rounds\n")
    compare("TensorFlow Playground's default", textbook, PLAYGROUND, seconds, 50)
    reviews = preset("reviews").config
    title = f"{reviews.training_samples} reviews, LSTM of {reviews.hidden[0]} units, batches of {reviews.batch_rows}"
    compare(title, textbook_reviews, reviews, seconds, 10)
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
