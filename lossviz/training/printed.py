"""What Keras prints for an epoch, beside what its `evaluate()` gives after it, and why the two differ."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lossviz.training.config import RunConfig
from lossviz.training.data import Rows
from lossviz.training.engine import Event, RunState, measure
from lossviz.training.snapshot import restore, snapshot


@dataclass(frozen=True, slots=True)
class Printed:
    """One epoch as Keras tells it. Losses contain the penalties, as Keras's do.

    Args:
        epoch: its number, from 1.
        loss: what `fit` prints: the mean over the epoch's batches, weighted by their samples, each before its update,
            with dropout on and with each batch's own statistics in batch normalisation.
        metric: accuracy or R squared of the same predictions; None where it is not defined.
        evaluated_loss: what `evaluate` gives for the training part after the epoch.
        evaluated_metric: the metric with it.
        validation_loss: `val_loss`; None without a validation part.
        validation_metric: the metric with it.
        penalty: what the penalties add to `loss`; they add `evaluated_penalty` to the losses after the epoch.
        evaluated_penalty: the same after the epoch.
    """

    epoch: int
    loss: float
    metric: float | None
    evaluated_loss: float
    evaluated_metric: float | None
    validation_loss: float | None
    validation_metric: float | None
    penalty: float
    evaluated_penalty: float


def printed(state: RunState, event: Event) -> Printed:
    """Return what Keras would print for the epoch that has just ended.

    Args:
        state: a run right after the last update of an epoch; it is not changed.
        event: the event of that epoch.

    Raises:
        ValueError: the run has gone on since, or the event is of another epoch.

    Example:
        >>> from lossviz.training import CLASSIC, advance, init
        >>> state = init(CLASSIC)
        >>> found = printed(state, advance(state, 1))
        >>> found.loss, round(found.evaluated_loss, 4)
        (30.0, 20.835)

    Reference:
        https://keras.io/getting_started/faq/#why-is-my-training-loss-much-higher-than-my-testing-loss
    """
    if state.updates != event.updates or state.epoch != event.epoch or state.position:
        raise ValueError(f"event is of epoch {event.epoch}; the epoch that has just ended, {state.epoch}, is allowed")
    during, after = state.penalty_in_epoch, state.penalty_after
    held_out = event.validation_loss
    return Printed(
        event.epoch,
        event.batch_loss + during,
        _metric(state.config, state.passed),
        event.train_loss + after,
        event.train_metric,
        None if held_out is None else held_out + after,
        event.validation_metric,
        during,
        after,
    )


def _metric(config: RunConfig, rows: Rows) -> float | None:
    """Accuracy or R squared of predictions as the loss gets them."""
    prediction, target = rows.inputs["prediction"], rows.target
    if config.task == "regression":
        truth = target.double()
        scatter = float((truth - truth.mean()).square().sum())
        error = float((prediction.double() - truth).square().sum())
        return 1.0 - error / scatter if scatter > 0.0 else None
    if config.task == "multiclass":
        right = prediction.argmax(1) == (target.argmax(1) if target.dim() > 1 else target)
    else:
        # A sigmoid's border between the classes is 0.5, that of scores 0. Labels are above 0 for class 1 alone.
        right = (prediction > (0.5 if config.fit.link == "sigmoid" else 0.0)) == (target > 0)
    return float(right.double().mean())


def keras_line(found: Printed, config: RunConfig) -> str:
    """Return the two lines that Keras prints for an epoch, without the time it took.

    Example:
        >>> from lossviz.training import CLASSIC, advance, init
        >>> state = init(CLASSIC)
        >>> print(keras_line(printed(state, advance(state, 1)), CLASSIC))
        Epoch 1/1000
        1/1 - loss: 30.0000 - r2: -5.0000
    """
    metric = config.metric
    values = {"loss": found.loss, metric: found.metric}
    values |= {"val_loss": found.validation_loss, f"val_{metric}": found.validation_metric}
    shown = [f"{name}: {_digits(value)}" for name, value in sorted(values.items()) if value is not None]
    batches = config.updates_per_epoch
    return f"Epoch {found.epoch}/{config.epochs}\n" + " - ".join([f"{batches}/{batches}", *shown])


def _digits(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def loss_in_training_mode(state: RunState) -> float:
    """Return the loss of the training part with the parameters as they are, in the mode that `fit` uses.

    Dropout is on, with the masks that the next epoch would draw, and batch normalisation takes each batch's own
    statistics; penalties are left out.

    Args:
        state: a run at any update; it is not changed.

    Example:
        >>> from lossviz.training import RunConfig, init, measure
        >>> state = init(RunConfig(dropout=0.5))
        >>> loss_in_training_mode(state) == measure(state).train_loss
        False
    """
    copy = restore(state.config, snapshot(state))
    with torch.inference_mode():
        for rows in copy.batches:
            copy.link.forward(copy.network.train(rows.x, copy.workspaces[len(rows)], copy.masks), rows.prediction)
        sizes = torch.tensor([len(rows) for rows in copy.batches], dtype=torch.float64)
        return float((copy.batch_losses() * sizes).sum()) / len(copy.training)


def why(state: RunState) -> str:
    """Say in a few sentences why the printed loss is not what `evaluate` gives.

    Args:
        state: a run at any update; it is not changed.

    Returns:
        The reasons that hold for this run, a line each, with the numbers of its parameters as they are now.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> why(init(CLASSIC)).split(":")[0]
        'With one batch an epoch, fit() prints the loss before the update'
    """
    config, sentences = state.config, []
    batches = config.updates_per_epoch
    noisy = bool(config.hidden and (config.dropout or config.batch_norm))
    if batches > 1:
        sentences.append(
            f"fit() prints a mean over the epoch's {batches:,} batches, each before its update, so most of them were "
            "predicted by older weights; evaluate() uses the weights after the epoch alone."
        )
    else:
        again = "" if noisy else ": it is what evaluate() gave after the epoch before"
        sentences.append(f"With one batch an epoch, fit() prints the loss before the update{again}.")
    if noisy:
        sentences.append(_noise(state))
    if config.l1 or config.l2:
        during, after = state.penalty_in_epoch, state.penalty_after
        numbers = f": {during:.4g} on average over the epoch, {after:.4g} after it" if state.epoch else ""
        sentences.append(
            f"Keras adds the penalties to each of its losses, in fit() and in evaluate(){numbers}. The losses "
            "elsewhere on this page are without them."
        )
    return "\n".join(sentences)


def _noise(state: RunState) -> str:
    config = state.config
    parts = []
    if config.dropout:
        parts.append(f"leaves out {config.dropout:.0%} of the hidden units at random")
    if config.batch_norm:
        parts.append("normalises by each batch's own mean and variance")
    on, off = loss_in_training_mode(state), measure(state).train_loss
    way = [*(["dropout"] if config.dropout else []), *(["batch statistics"] if config.batch_norm else [])]
    return (
        f"In fit() the network also {' and '.join(parts)}; in evaluate() "
        f"{'all units are there' if config.dropout else 'running means take their place'}"
        f"{' and running means take the place of the batch' if config.dropout and config.batch_norm else ''}. "
        f"The weights as they are now give {on:.4g} with {' and '.join(way)} and {off:.4g} without."
    )
