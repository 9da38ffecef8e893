"""A run looked at from inside: what its curves alone do not tell, each finding with its numbers and an experiment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from lossviz.training.config import SAME_DATA, RunConfig
from lossviz.training.data import dataset
from lossviz.training.diagnosis import Diagnosis, diagnose, largest_stable_rate, on_same_points
from lossviz.training.engine import Event, RunState, advance, measure
from lossviz.training.insight import activations
from lossviz.training.miswired import miswired
from lossviz.training.model import dense, row_products
from lossviz.training.remembered import remembered
from lossviz.training.snapshot import restore, snapshot

#: Share of a layer's ReLU units that answer 0 to every training point.
DEAD: Final = 0.5
#: The first layer's gradient as a share of the last one's.
VANISHING: Final = 1e-3
#: |gradient| |parameters| / loss: by how many per cent the loss moves when the parameters move by one.
EXPLODING: Final = 100.0
#: Mean change of the training loss from epoch to epoch, as a share of it.
JUMPING: Final = 0.1
#: A feature's distance from 0, or the ratio of two features' spreads.
UNSCALED: Final = 50.0
#: A trial with ten times the rate must bring this many times the progress.
SLOW: Final = 5.0
#: And at most so many times the rate is tried.
MOST: Final = 1000.0
#: Updates that a trial makes.
TRIAL: Final = 50
#: Multiplications that a trial may take, so that others who train on the same server do not wait.
WORK: Final = 3e8
#: By how much neighbours must predict better than the model.
MISSED: Final = 0.15
FEW: Final = 20
_NEIGHBOURS: Final = 5
_QUIET: Final = ("still falling", "flat")


def examine(state: RunState, events: Sequence[Event]) -> Diagnosis:
    """Say how a run is doing, with all that can be seen from outside and inside.

    Findings from inside come first, the most specific one alone; without one the diagnosis is that of the curves, see
    `diagnose`, with an experiment where something is wrong.

    Args:
        state: the run; it is not changed.
        events: all its events so far, in order.

    Returns:
        The diagnosis.

    Example:
        >>> from lossviz.training import RunConfig, advance, init
        >>> state = init(RunConfig(hidden=(8, 8), activation="relu", learning_rate=5.0, epochs=60))
        >>> events = []
        >>> while not state.finished:
        ...     events.append(advance(state, 25))
        >>> found = examine(state, events)
        >>> found.kind, found.change
        ('dead units', {'learning_rate': 0.5})
    """
    events = on_same_points(events, state.config, state.begun)
    if not events and state.updates:
        return Diagnosis("waiting", "The points have changed. No epoch has been trained on them as they are now.")
    seen = diagnose(events, state.config)
    if seen.kind == "waiting":
        return seen
    for look in _LOOKS:
        found = look(state, events, seen)
        if found is not None:
            return found
    return _with_experiment(seen, state)


def _with_experiment(seen: Diagnosis, state: RunState) -> Diagnosis:
    """What to try where the curves alone say what is wrong."""
    config = state.config
    if seen.kind in {"diverging", "not finite"}:
        limit = largest_stable_rate(config.settled(state.begun))
        rate = _round(0.5 * limit if limit else state.rate / 10.0)
        return replace(seen, experiment=f"Try the learning rate {rate:g}.", change={"learning_rate": rate})
    if seen.kind == "rising":
        rate = _round(state.rate / 3.0)
        return replace(seen, experiment=f"Try the learning rate {rate:g}.", change={"learning_rate": rate})
    if seen.kind == "validation rising":
        return replace(
            seen,
            experiment="Try early stopping with the best weights.",
            change={"patience": max(10, config.epochs // 20), "best_weights": True},
        )
    if config.initialisation == "zeros" and config.hidden and seen.kind == "flat":
        return replace(seen, experiment="Try random first weights instead.", change={"initialisation": "default"})
    return seen


def _dead_units(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    if state.config.activation != "relu" or seen.kind != "flat":
        return None
    for layer in activations(state):
        if layer.dead is not None and layer.dead >= DEAD * layer.units:
            rate = _round(state.config.learning_rate / 10.0)
            return Diagnosis(
                "dead units",
                f"Dead units: {layer.dead} of {layer.units} ReLU units in {layer.name.lower()} give 0 for every "
                "training point. Their gradient is 0, so they never come back.",
                experiment=f"Try the learning rate {rate:g}: with smaller steps they do not jump out of reach.",
                change={"learning_rate": rate},
            )
    return None


def _unscaled(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config = state.config
    if config.standardise or config.recurrent or seen.kind not in {*_QUIET, "diverging", "not finite", "rising"}:
        return None
    split = state.split
    far = np.abs(split.mean) + split.spread
    most, least = int(far.argmax()), int(split.spread.argmin())
    ratio = split.spread.max() / split.spread.min()
    if far[most] < UNSCALED:
        return None
    other = (
        f", while {split.feature_names[least]} differs by {split.spread[least]:.2g} from point to point"
        if ratio > UNSCALED
        else ""
    )
    return Diagnosis(
        "unscaled inputs",
        f"Unscaled inputs: {split.feature_names[most]} lies around {split.mean[most]:.4g}{other}. Large inputs push "
        "the units to where they hardly react, and one learning rate cannot suit all features.",
        experiment="Try standardised features.",
        change={"standardise": True},
    )


def _vanishing(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config = state.config
    if len(config.hidden) < 3 or seen.kind != "flat" or config.initialisation == "zeros":
        return None
    first, *_, last = (
        float(torch.linalg.vector_norm(block)) for block in dense(state.network, "this look").gradient_blocks
    )
    if not 0.0 <= first < VANISHING * last:
        return None
    activation = "relu" if config.activation != "relu" else "tanh"
    return Diagnosis(
        "vanishing gradients",
        f"Vanishing gradients: on the way back from the output they shrink from {last:.2g} in the last layer to "
        f"{first:.2g} in the first, so the first layers learn nothing.",
        experiment="Try ReLU with He's first weights, whose slopes do not shrink.",
        change={"activation": activation, "initialisation": "he"},
    )


def _exploding(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config = state.config
    if (len(config.hidden) < 2 and not config.recurrent) or len(events) < 5 or seen.kind == "not finite":
        return None
    network, losses = state.network, np.array([event.train_loss for event in events[-20:]])
    gradient, size = (float(torch.linalg.vector_norm(flat)) for flat in (network.gradient, network.parameters))
    loss = float(np.median(losses))
    jumps = float(np.abs(np.diff(losses)).mean()) / abs(loss) if loss else 0.0
    # A loss near 0 moves by large shares of itself without any harm.
    if loss < 0.5 * _loss_at_zero(state) or gradient * size / loss < EXPLODING or jumps < JUMPING:
        return None
    return Diagnosis(
        "exploding gradients",
        f"Exploding gradients: the latest gradient has the length {gradient:.3g}. Weights changed by 1 % in its "
        f"direction would change the loss by {gradient * size / loss:.0f} %, and it jumps by {jumps:.0%} from epoch "
        "to epoch.",
        experiment="Try the usual first weights, and Adam with the learning rate 0.01.",
        change={"initialisation": "default", "optimizer": "adam", "learning_rate": 0.01},
    )


def _loss_at_zero(state: RunState) -> float:
    """The training loss of a model whose raw outputs are all 0."""
    rows = state.training
    prediction = torch.empty_like(rows.prediction)
    state.link.forward(torch.zeros_like(prediction), prediction)
    inputs = {**rows.inputs, "prediction": prediction.view(rows.inputs["prediction"].shape)}
    terms = state.loss.terms(inputs, state.loss_parameters)
    return float(terms.sum(dtype=torch.float64)) / float(state.loss.denominator(inputs, state.loss_parameters, "mean"))


def _unsuitable_loss(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config = state.config
    if config.loss_key != "brier" or config.task != "binary" or seen.kind not in _QUIET:
        return None
    rows = state.meter.predict()
    train = slice(0, len(state.training))
    p = rows.inputs["prediction"][train].double()
    error = (p - rows.inputs["target"][train].double()).abs()
    wrong = error > 0.9
    count = int(wrong.sum())
    if count < 0.05 * len(p):
        return None
    # In the raw score: the squared error's slope is 2 (p − y) p (1 − p), that of cross-entropy p − y.
    weakened = float((2.0 * p * (1.0 - p))[wrong].mean())
    return Diagnosis(
        "unsuitable loss",
        f"The loss does not suit: {count} of {len(p)} training points are wrong by more than 0.9, and for just these "
        f"a squared error after a sigmoid gives only {weakened:.2g} of the slope that cross-entropy gives.",
        experiment="Try binary cross-entropy with logits.",
        change={"loss": "bce_with_logits", "loss_parameters": ()},
    )


def _oscillating(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config = state.config
    if config.updates_per_epoch > 1 or len(events) < 10 or seen.kind not in _QUIET:
        return None
    limit = largest_stable_rate(config.settled(state.begun))
    trial = _Trial(state)
    steps = [trial.step() for _ in range(2)]
    sizes = [float(torch.linalg.vector_norm(step)) for step in steps]
    if min(sizes) <= 1e-6 * float(torch.linalg.vector_norm(state.network.parameters)):
        return None
    cosine = float(steps[0] @ steps[1]) / (sizes[0] * sizes[1])
    if cosine > -0.5:
        return None
    rate = _round(state.rate / 4.0)
    near = (
        f" The learning rate {state.rate:g} is close to {limit:.6f}, the largest that is stable here." if limit else ""
    )
    return Diagnosis(
        "oscillating",
        f"Oscillating: each step takes back {min(1.0, -cosine * sizes[1] / sizes[0]):.0%} of the one before, so the "
        f"model jumps to and fro across the valley.{near}",
        experiment=f"Try the learning rate {rate:g}.",
        change={"learning_rate": rate},
    )


def _too_slow(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config, now = state.config, events[-1]
    start = events[0].batch_loss
    if seen.kind not in _QUIET or len(events) < 10 or now.train_loss < 0.3 * start or config.initialisation == "zeros":
        return None
    # Many runs rest on a plateau for a while and leave it by themselves.
    if len(events) < min(0.5 * config.epochs, 100) or _work(state) > WORK:
        return None
    metric, reference = now.train_metric, neighbours(config)
    if metric is not None and reference is not None and reference - metric < MISSED:
        return None
    factor, usual, faster = 10.0, *(_Trial(state, factor).progress() for factor in (1.0, 10.0))
    share = usual / abs(now.train_loss) if now.train_loss else 0.0
    whole_run = share * config.epochs * config.updates_per_epoch / TRIAL
    # A model that is still worse than a constant guess has further to go.
    far = 0.5 if metric is not None and metric < 0.0 else 0.2
    if share < 1e-6 or whole_run > far or faster < SLOW * usual:
        return None
    while factor < MOST and (next_one := _Trial(state, 10.0 * factor).progress()) > 2.0 * faster:
        factor, faster = 10.0 * factor, next_one
    rate = _round(factor * state.rate)
    return Diagnosis(
        "too slow",
        f"Too slow: {TRIAL} more updates lower the training loss by only {share:.2%}, and as many as in the whole run "
        f"would lower it by {whole_run:.0%} at this pace. Tried out from here, {factor:g} times the learning rate "
        f"lowers it {faster / usual:.1f} times as much.",
        experiment=f"Try the learning rate {rate:g}.",
        change={"learning_rate": rate},
    )


def _missed(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config, metric = state.config, events[-1].train_metric
    if seen.kind != "flat" or metric is None or len(events) < 20 or config.initialisation == "zeros":
        return None
    if config.recurrent:  # Words have numbers, but near numbers are no near words.
        return None
    reference = neighbours(config.settled(state.begun))
    if reference is None or reference - metric < MISSED:
        return None
    regression = config.task == "regression"
    theirs, ours = (f"R² {value:.2f}" if regression else f"{value:.0%} right" for value in (reference, metric))
    text = (
        f"the training loss stays near {events[-1].train_loss:.4g}. The pattern is there: the {_NEIGHBOURS} nearest "
        f"neighbours of each point predict it with {theirs}, the model with {ours}."
    )
    if config.hidden:
        return Diagnosis(
            "plateau",
            f"A plateau: {text}",
            experiment="Try Adam, which gets across flat stretches faster.",
            change={"optimizer": "adam", "learning_rate": 0.01},
        )
    return Diagnosis(
        "underfitting",
        f"Underfitting: {text} A straight line or border cannot follow it.",
        experiment="Try two hidden layers of eight units.",
        change={"hidden": (8, 8), "optimizer": "adam", "learning_rate": 0.01},
    )


def _small_validation(state: RunState, events: Sequence[Event], seen: Diagnosis) -> Diagnosis | None:
    config = state.config
    held_out = config.validation_samples
    if not 0 < held_out < FEW or config.training_samples < 2 * FEW or seen.kind not in {*_QUIET, "validation rising"}:
        return None
    share = (
        "so few that the validation loss says little about other points"
        if config.task == "regression"
        else f"each of them moves the validation accuracy by {1.0 / held_out:.1%}"
    )
    return Diagnosis(
        "small validation part",
        f"A small validation part: only {held_out} {'point is' if held_out == 1 else 'points are'} held out, {share}.",
        experiment="Try holding out 30 % of the points.",
        change={"validation_fraction": 0.3},
    )


_LOOKS: Final[tuple[Callable[[RunState, Sequence[Event], Diagnosis], Diagnosis | None], ...]] = (
    miswired,
    _unscaled,
    _dead_units,
    _exploding,
    _vanishing,
    _unsuitable_loss,
    _oscillating,
    _too_slow,
    _missed,
    _small_validation,
)


def _work(state: RunState) -> float:
    """Multiplications in one trial: its updates forwards and backwards, and a measurement at the end of each epoch."""
    config = state.config
    measured = config.samples or 0
    rows = 3 * TRIAL * config.batch_rows + (TRIAL / config.updates_per_epoch + 2) * measured
    return rows * row_products(config)


class _Trial:
    """A copy of a run that goes on beside it for some updates, perhaps with another learning rate."""

    def __init__(self, state: RunState, factor: float = 1.0) -> None:
        self._copy = restore(state.config, snapshot(state))
        self._copy.finished = False
        # Beyond the last epoch a schedule has no rate of its own: the trial keeps the latest.
        self._copy.plan = replace(self._copy.plan, schedule="constant")
        self._copy.rates = {}
        self._copy.point_updates = set()
        self._copy.base = state.rate * factor
        self._copy.best = None

    def step(self) -> torch.Tensor:
        """Make one update and return how far it went, in float64."""
        before = self._copy.network.parameters.clone()
        advance(self._copy, 1)
        self._copy.finished = False
        return (self._copy.network.parameters - before).double()

    def progress(self) -> float:
        """Make some updates and return by how much they lowered the training loss."""
        before = measure(self._copy).train_loss
        left = TRIAL
        while left > 0:
            made = self._copy.updates
            advance(self._copy, left)
            self._copy.finished = False
            left -= self._copy.updates - made
        gained = before - measure(self._copy).train_loss
        return gained if math.isfinite(gained) else -math.inf


def neighbours(config: RunConfig) -> float | None:
    """Return how well the five nearest training points predict each training point: accuracy or R squared.

    A yardstick that has nothing to do with the model: where neighbours do much better, the pattern is there to learn.

    Args:
        config: a run; its points before the first update count.

    Returns:
        The accuracy, or R squared for regression; None with fewer than 12 training points.

    Example:
        >>> from lossviz.training import RunConfig
        >>> neighbours(RunConfig(dataset="xor", noise=0.0)) > 0.9
        True

    Reference:
        Cover, Hart (1967), Nearest neighbor pattern classification, IEEE Trans. Inf. Theory 13.
    """
    # One config for all runs on the same points, so that they share the result.
    same = RunConfig(**{name: getattr(config, name) for name in (*SAME_DATA, "own")})
    return _neighbours(replace(same, interventions=config.settled(0).interventions))


@remembered(64)
def _neighbours(config: RunConfig) -> float | None:
    split = dataset(config)
    if len(split.y_train) < 2 * _NEIGHBOURS + 2:
        return None
    x = (split.x_train - split.mean) / split.spread
    nearest = NearestNeighbors(n_neighbors=_NEIGHBOURS + 1).fit(x).kneighbors(x, return_distance=False)
    # A point is its own nearest neighbour, except where several lie on one spot.
    others = np.array([[j for j in row if j != i][:_NEIGHBOURS] for i, row in enumerate(nearest)])
    y = split.y_train
    if split.task == "regression":
        scatter = float(((y - y.mean()) ** 2).sum())
        return 1.0 - float(((y - y[others].mean(1)) ** 2).sum()) / scatter if scatter else None
    votes = np.stack([(y[others] == label).sum(1) for label in range(len(split.classes))], axis=1)
    return float((votes.argmax(1) == y).mean())


def _round(rate: float) -> float:
    """A learning rate with one significant digit, for a sentence; at most the largest that a run may have."""
    return min(float(f"{rate:.1g}"), 100.0)
