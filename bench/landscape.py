"""A loss landscape by batched evaluation against a plain loop that sets the parameters and measures, point by point.

    python bench/landscape.py [rounds]

Both compute the training loss on the same 51 × 51 grid over the plane of two filter-normalised random directions,
on one thread, in turns: first for TensorFlow Playground's network, 2-4-2-1, on 500 samples, then for others. The loop
uses the engine's own pass over preallocated memory; its runs have no validation part that it would measure as well.
"""

import statistics
import sys
import time
from dataclasses import replace

import numpy as np
import torch
from common import conditions

from lossviz.landscape import Plane, plane_surface, random_plane
from lossviz.training import CLASSIC, PLAYGROUND, RunConfig, RunState, init, measure

SIZE = 51
ENDS = (-1.0, 1.0)
CONFIGS = {
    "circle, 2-4-2-1 tanh, mse": replace(PLAYGROUND, validation_fraction=0.0),
    "the same in float64": replace(PLAYGROUND, validation_fraction=0.0, dtype="float64"),
    "spiral, 2-16-16-1 relu": RunConfig(dataset="spiral", hidden=(16, 16), activation="relu", validation_fraction=0.0),
    "iris, 4-8-3 tanh, cross-entropy": RunConfig(dataset="iris", hidden=(8,), validation_fraction=0.0),
    "four points, 1-1, mse": replace(CLASSIC, initialisation="default"),
}


def batched(state: RunState, plane: Plane) -> np.ndarray:
    """The grid as the landscape room computes it."""
    return plane_surface(state, plane, ENDS, ENDS, SIZE).losses


def loop(state: RunState, plane: Plane) -> np.ndarray:
    """The grid as anyone would write it first: set the parameters, measure, put them back."""
    own = state.network.parameters.clone()
    axis = np.linspace(*ENDS, SIZE)
    result = np.empty((SIZE, SIZE))
    for row, across in enumerate(axis):
        for column, along in enumerate(axis):
            point = plane.centre + along * plane.directions[0] + across * plane.directions[1]
            state.network.parameters.copy_(torch.from_numpy(point))
            result[row, column] = measure(state).train_loss
    state.network.parameters.copy_(own)
    return result


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    torch.set_num_threads(1)
    print(f"Training loss on a grid of {SIZE} × {SIZE} points, one thread, median of {rounds} rounds in turns")
    print(conditions() + "\n")
    print("| run | samples | batched, ms | fastest | loop, ms | fastest | loop / batched | largest difference |")
    print("|---|---|---|---|---|---|---|---|")
    for name, config in CONFIGS.items():
        state = init(config)
        plane = random_plane(state)
        times: dict[str, list[float]] = {"batched": [], "loop": []}
        found = {}
        for number in range(rounds + 1):  # The first round warms up.
            for way in (batched, loop):
                started = time.perf_counter()
                found[way.__name__] = way(state, plane)
                if number:
                    times[way.__name__].append(1000 * (time.perf_counter() - started))
        fast, slow = (statistics.median(times[way]) for way in ("batched", "loop"))
        ratio = statistics.median(b / a for a, b in zip(times["batched"], times["loop"], strict=True))
        difference = float((np.abs(found["batched"] - found["loop"]) / np.abs(found["loop"])).max())
        print(
            f"| {name} | {len(state.training)} | {fast:.0f} | {min(times['batched']):.0f} "
            f"| {slow:.0f} | {min(times['loop']):.0f} | {ratio:.1f} | {difference:.0e} of the loss |"
        )
    print("\nTo reach: 150 ms or less for the first.")


if __name__ == "__main__":
    main()
