"""The training loop as explicit state: `init`, `step`, `apply`, and `run` over them.

No thread, clock, callback or global random state lives here. One `step` is one update on one batch. Predictions
of each batch are kept until the epoch ends, so that the losses of all batches are computed in one go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from lossviz import losses, optimizers
from lossviz.models import LINKS
from lossviz.optimizers import Waiting
from lossviz.training.config import RunConfig
from lossviz.training.data import TORCH_DTYPES, Rows, Split, dataset_at
from lossviz.training.interventions import Intervention
from lossviz.training.measure import Measurement, Meter
from lossviz.training.model import make_network
from lossviz.training.restraint import Restraint

# Seeds are below this, so weights and order never share a stream; with it, `torch.manual_seed(seed)` and a chain
# of `nn.Linear` gives the very weights of the run.
ORDER_STREAM = 2**32
MASK_STREAM = 2**33


class Event(NamedTuple):
    """What one epoch brought.

    Args:
        epoch: number of this epoch, from 1.
        batch_loss: mean of the losses of its batches, each before its update, weighted by batch size.
        train_loss: loss of the whole training part after the epoch.
        validation_loss: the same of the validation part; None where there is none.
        train_metric: accuracy (0 to 1), or R squared for regression; None where it is not defined.
        validation_metric: the same of the validation part.
        learning_rate: the rate of the epoch's last update.
        updates: number of updates made so far.
    """

    epoch: int
    batch_loss: float
    train_loss: float
    validation_loss: float | None
    train_metric: float | None
    validation_metric: float | None
    learning_rate: float
    updates: int

    @property
    def watched(self) -> float:
        """The loss that schedules and early stopping look at: of the validation part, or of training without one."""
        return self.train_loss if self.validation_loss is None else self.validation_loss

    @property
    def finite(self) -> bool:
        """Whether all losses are finite numbers."""
        finite = math.isfinite
        return finite(self.batch_loss) and finite(self.train_loss) and finite(self.validation_loss or 0.0)


class RunState:
    """A run between two updates. Make one with `init` or `restore`; `step` moves it on in place.

    Public attributes: `config`, `split` (its points as they are now), `network`, `learning_rate` (of the next update),
    `epoch` (epochs completed), `updates` (updates made), `finished` and, once finished, `reason`: a sentence for the
    learner.
    """

    def __init__(self, config: RunConfig) -> None:
        dtype = TORCH_DTYPES[config.dtype]
        self.config = config
        self.loss = losses.get(config.loss_key)
        self.loss_parameters = config.parameters
        self.link = LINKS[config.fit.link]
        self.network = make_network(config, dtype)
        self.optimizer = optimizers.get(config.optimizer)
        self.settings = config.settings
        self.slots: dict[str, Tensor] = self.optimizer.start(self.network.parameters)
        self.generator = torch.Generator().manual_seed(config.seed + ORDER_STREAM)
        self.masks = torch.Generator().manual_seed(config.seed + MASK_STREAM)  # of dropout
        self.plan = config.plan
        self.drops = 0  # how often the plateau has lowered the rate
        self.plateau = Waiting()
        self.stopping = Waiting()
        self.best = self._learnt() if config.best_weights else None  # parameters of the best epoch
        self.restored = False  # whether they have come back
        self.rate = config.learning_rate  # of the latest update
        self.base = config.learning_rate  # of which the schedule takes a share
        self.epoch = 0
        self.updates = 0
        self.finished = False
        self.reason = ""

        self.restraint = Restraint([config], self.network)
        self.penalty = 0.0  # of this epoch's batches so far, each times its rows
        self.penalty_in_epoch = 0.0  # mean over the batches of the latest epoch
        self.penalty_after = 0.0  # after it
        self.position = 0  # number of the next batch in its epoch
        self.arrangement = 0  # how often the points have been taken in
        self.change(config)
        self.take_points(0)
        self.passed = self.ordered  # rows of the latest epoch, with the predictions that its batches were trained by

    def change(self, config: RunConfig) -> None:
        """Go on with other interventions."""
        self.config = config
        self.rates = {item.update: item.rate for item in config.rate_changes}
        self.point_updates = {item.update for item in config.point_changes}

    # Also while updates are made, in inference mode, whose tensors could not be changed outside of it.
    @torch.inference_mode(False)
    def take_points(self, update: int) -> None:
        """Take in the points as they are from this update on, the first of an epoch."""
        config = self.config
        self.arrangement += 1
        self.split: Split = dataset_at(config, update)
        self.training = Rows.of(config, self.split.x_train, self.split.y_train)
        self.ordered = self.training.empty_like()
        sizes = config.batch_sizes(len(self.training) - config.training_samples)
        self.batches = self.ordered.batches(sizes)
        self.workspaces = {size: self.network.workspace(size, config.dropout) for size in set(sizes)}
        self.order = torch.arange(len(self.training))
        self.denominators = self._denominators()
        self.meter = Meter(config, self.network, self.split)
        rows = torch.tensor(sizes)
        self._batch_of_row = torch.repeat_interleave(torch.arange(len(sizes)), rows)
        self._batch_sizes = rows.to(torch.float64)

    @property
    def learning_rate(self) -> float:
        """The rate of the next update."""
        if self.updates in self.rates:
            return self.rates[self.updates]
        return self.base * self.plan.share(self.updates, self.drops)

    @property
    def begun(self) -> int:
        """The first update of the epoch that is on its way or comes next; of a finished run, its last update."""
        return self.updates - self.position - self.finished

    def _learnt(self) -> Tensor:
        """A copy of all that training changes in the network."""
        return torch.cat([self.network.parameters, self.network.running])

    def take_rate(self) -> None:
        """Fix the rate of the next update; one that was set on the way becomes what the schedule goes on from."""
        self.rate = self.learning_rate
        if self.updates in self.rates:
            self.base = self.rate / self.plan.share(self.updates, self.drops)

    def gather(self) -> None:
        """Copy the training rows into the order of this epoch."""
        torch.index_select(self.training.x, 0, self.order, out=self.ordered.x)
        torch.index_select(self.training.target, 0, self.order, out=self.ordered.target)
        if callable(self.loss.reduction("mean").divisor):
            self.denominators = self._denominators()

    def _denominators(self) -> list[float]:
        """What the loss divides the sum of the terms of each batch by; only class weights make it vary."""
        return [float(self.loss.denominator(rows.inputs, self.loss_parameters, "mean")) for rows in self.batches]

    def shuffle(self) -> None:
        """Draw the order of a new epoch. A full batch needs none: its gradient is the same in any order."""
        if len(self.batches) > 1:
            torch.randperm(len(self.training), generator=self.generator, out=self.order)
            self.gather()

    def differentiate(self) -> None:
        """Predict the next batch and write d loss/d parameters into the network's gradient."""
        rows = self.batches[self.position]
        space = self.workspaces[len(rows)]
        raw = self.network.train(rows.x, space, self.masks)
        self.link.forward(raw, rows.prediction)
        slope = self.loss.derivatives(rows.inputs, self.loss_parameters)["prediction"]
        delta = torch.div(slope, self.denominators[self.position]).view(rows.prediction.shape)
        self.network.backward(rows.x, self.link.backward(delta, rows.prediction), space)

    def batch_losses(self) -> Tensor:
        """Return the loss of each batch of this epoch, each before its update, in float64."""
        terms = self.loss.terms(self.ordered.inputs, self.loss_parameters)
        per_row = terms.reshape(len(self.ordered), -1).sum(1, dtype=torch.float64)
        sums = torch.zeros(len(self.batches), dtype=torch.float64).index_add_(0, self._batch_of_row, per_row)
        return sums / torch.tensor(self.denominators, dtype=torch.float64)

    def last_batch_loss(self) -> float | None:
        """Return the loss of the latest batch, before its update.

        None before the first update, and where the points have changed since the latest.
        """
        if self.updates == 0 or (self.position == 0 and self.begun in self.point_updates):
            return None
        rows = self.batches[self.position - 1]
        terms = self.loss.terms(rows.inputs, self.loss_parameters)
        return float(terms.sum(dtype=torch.float64)) / self.denominators[self.position - 1]

    def end_epoch(self) -> Event:
        """Measure the whole training and validation part and say whether the run goes on."""
        self.position = 0
        self.epoch += 1
        self.passed = self.ordered
        batch_loss = float((self.batch_losses() * self._batch_sizes).sum()) / len(self.training)
        measured = self.meter.measure()
        event = Event(
            self.epoch,
            batch_loss,
            measured.train_loss,
            measured.validation_loss,
            measured.train_metric,
            measured.validation_metric,
            self.rate,
            self.updates,
        )
        if self.restraint.penalised:
            self.penalty_in_epoch, self.penalty = self.penalty / len(self.training), 0.0
            self.penalty_after = float(self.restraint.penalty())
        self._watch(event)
        if not event.finite:
            self.finished = True
            self.reason = (
                f"Training stopped in epoch {self.epoch}: the loss grew beyond the largest number that "
                f"{self.config.dtype} can hold. The steps were too large. Try a smaller learning rate."
            )
        elif self.epoch == self.config.epochs:
            self.finished = True
            self.reason = "The one epoch is done." if self.epoch == 1 else f"All {self.epoch:,} epochs are done."
        elif self.config.patience is not None and self.stopping.epochs >= self.config.patience:
            self.finished = True
            waited = "1 epoch" if self.stopping.epochs == 1 else f"{self.stopping.epochs:,} epochs"
            self.reason = (
                f"Stopped early after epoch {self.epoch:,}: the validation loss has had no new minimum for {waited}."
            )
        if self.finished and self.best is not None:
            self._restore_best()
        if not self.finished and self.updates in self.point_updates:
            self.take_points(self.updates)
        return event

    def _watch(self, event: Event) -> None:
        """Let the schedule and early stopping see the epoch's loss."""
        self.plateau.see(event.watched, optimizers.THRESHOLD)
        if self.plateau.epochs > self.config.every:
            self.drops += 1
            self.plateau.epochs = 0
        if self.stopping.see(event.watched) and self.best is not None:
            self.best.copy_(self._learnt())

    def _restore_best(self) -> None:
        """Bring back the parameters of the epoch with the lowest validation loss."""
        assert self.best is not None
        epoch = self.epoch - self.stopping.epochs
        if self.stopping.epochs and math.isfinite(self.stopping.best):
            count = self.network.parameters.numel()
            self.network.parameters.copy_(self.best[:count])
            self.network.running.copy_(self.best[count:])
            self.restored = True
            self.reason += f" The weights of epoch {epoch:,}, where it was lowest, are back."


def init(config: RunConfig) -> RunState:
    """Return a run before its first update.

    Args:
        config: everything that decides the run.

    Returns:
        The state, with data prepared and parameters initialised.

    Example:
        >>> from lossviz.training import RunConfig, init
        >>> state = init(RunConfig())
        >>> state.updates, state.network.sizes
        (0, (2, 4, 2, 1))
    """
    state = RunState(config)
    state.network.initialise(config.initialisation, torch.Generator().manual_seed(config.seed))
    return state


def step(state: RunState) -> Event | None:
    """Make one update on the next batch.

    Args:
        state: the run; it is changed in place. A finished run stays as it is.

    Returns:
        The event of the epoch that this update ended, else None.

    Example:
        >>> from lossviz.training import CLASSIC, init, step
        >>> state = init(CLASSIC)
        >>> step(state).batch_loss
        30.0
    """
    return advance(state, 1)


def advance(state: RunState, updates: int) -> Event | None:
    """Make several updates, at most to the end of the epoch: the same as as many calls of `step`, with less overhead.

    Args:
        state: the run; it is changed in place. A finished run stays as it is.
        updates: how many updates to make, 1 or more; fewer are made where the epoch ends before.

    Returns:
        The event of the epoch that these updates ended, else None.

    Raises:
        ValueError: updates is below 1.

    Example:
        >>> from lossviz.training import RunConfig, advance, init
        >>> state = init(RunConfig())
        >>> advance(state, 10), state.updates
        (None, 10)
        >>> advance(state, 1000).epoch, state.updates
        (1, 25)
    """
    if updates < 1:
        raise ValueError(f"updates is {updates!r}; a whole number of 1 or more is allowed")
    if state.finished:
        return None
    last = min(state.updates + updates, (state.epoch + 1) * len(state.batches))
    # Nothing here is ever differentiated by autograd, and without its bookkeeping each operation is cheaper.
    with torch.inference_mode():
        while state.updates < last:
            _update(state)
        return state.end_epoch() if state.position == len(state.batches) else None


def _update(state: RunState) -> None:
    if state.position == 0:
        state.shuffle()
    state.take_rate()
    state.differentiate()
    if state.restraint.needed:
        if state.restraint.penalised:
            state.penalty += len(state.batches[state.position]) * float(state.restraint.penalty())
        state.restraint.apply()
    state.position += 1
    state.updates += 1
    state.optimizer.update(
        state.network.parameters,
        state.network.gradient,
        state.slots,
        state.rate,
        state.settings,
        state.updates,
    )


def run(config: RunConfig) -> Iterator[Event]:
    """Train and give one event for each epoch.

    Args:
        config: everything that decides the run.

    Yields:
        Events; the last one may hold losses that are infinite or not a number, and then the run is over.

    Example:
        >>> from lossviz.training import RunConfig, run
        >>> [event.epoch for event in run(RunConfig(epochs=3))]
        [1, 2, 3]
    """
    state = init(config)
    while not state.finished:
        event = advance(state, config.updates_per_epoch)
        if event is not None:
            yield event


def apply(state: RunState, intervention: Intervention) -> None:
    """Change a run that goes on, and keep the change in `state.config`, so that a replay is exact.

    Args:
        state: the run; it is changed in place.
        intervention: a change before the next update or a later one.

    Raises:
        ValueError: the intervention lies before the next update, is not allowed, or there are too many of them.

    Example:
        >>> from lossviz.training import Intervention, RunConfig, apply, init, step
        >>> state = init(RunConfig())
        >>> step(state)
        >>> apply(state, Intervention(update=state.updates, value=0.1))
        >>> state.learning_rate, state.config.interventions[0].update
        (0.1, 1)
    """
    if intervention.update < state.updates:
        raise ValueError(
            f"intervention.update is {intervention.update}; the next update, {state.updates}, or a later one is allowed"
        )
    state.change(state.config.with_intervention(intervention))
    if intervention.of_points and intervention.update == state.updates and not state.finished:
        state.take_points(state.updates)


def forget_later(state: RunState) -> None:
    """Drop the changes that fall due after the next update: a run that was wound back goes another way from here.

    Args:
        state: the run; it is changed in place.

    Example:
        >>> from lossviz.training import Intervention, RunConfig, forget_later, init
        >>> state = init(RunConfig(interventions=(Intervention(0, value=0.1), Intervention(9, value=0.2))))
        >>> forget_later(state)
        >>> state.config.interventions
        (Intervention(update=0, kind='learning_rate', value=0.1),)
    """
    kept = tuple(item for item in state.config.interventions if item.update <= state.updates)
    state.change(replace(state.config, interventions=kept))


def measure(state: RunState) -> Measurement:
    """Return the losses and metrics of the whole training and validation part as the parameters stand now.

    Example:
        >>> from lossviz.training import CLASSIC, init, measure
        >>> measure(init(CLASSIC)).train_loss
        30.0
    """
    return state.meter.measure()
