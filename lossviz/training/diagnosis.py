"""A sentence that says how a run is doing, from its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import torch

from lossviz.datasets.base import Array
from lossviz.training.config import RunConfig
from lossviz.training.data import dataset, features
from lossviz.training.engine import Event
from lossviz.training.remembered import remembered

Kind = Literal[
    "waiting", "still falling", "flat", "rising", "diverging", "validation rising", "not finite",
    "dead units", "vanishing gradients", "exploding gradients", "unscaled inputs", "oscillating", "too slow",
    "unsuitable loss", "softmax twice", "sigmoid twice", "labels 0 and 1",
    "plateau", "underfitting", "small validation part",
]  # fmt: skip

#: Epochs whose mean is compared with the mean of as many epochs before.
WINDOW: Final = 20
#: A change by less than this share over one window counts as flat.
FLAT: Final = 0.005
#: The validation loss must stand this share above its minimum to count as rising.
RISE: Final = 0.05
#: And by this many standard errors of its own jitter; the lowest of many noisy means lies about three below.
JITTERS: Final = 6.0


@dataclass(frozen=True)
class Diagnosis:
    """What is happening, in words and with numbers.

    Args:
        kind: what it is.
        sentence: what is seen, with the numbers that say so.
        since: the epoch it dates from, if any.
        experiment: one thing to try, in a sentence; empty where there is nothing to mend.
        change: the same as fields of the config.
    """

    kind: Kind
    sentence: str
    since: int | None = None
    experiment: str = ""
    change: Mapping[str, Any] = field(default_factory=dict)


def diagnose(events: Sequence[Event], config: RunConfig) -> Diagnosis:
    """Say in one or two sentences how a run is doing.

    The mean training loss of the last epochs (at most 20) is compared with that of as many before. "Falling" and
    "rising" mean a change of more than 0.5 % that is larger than twice the standard error of the curve's own
    jitter. "Diverging" means rising far above the start or the best value, or rising with a learning rate that is
    provably too large. "Validation rising" is explained at `validation_minimum`.

    Args:
        events: all events of the run so far, in order.
        config: the config of the run.

    Returns:
        The diagnosis, in plain words and with the numbers that led to it.

    Example:
        >>> from dataclasses import replace
        >>> from lossviz.training import CLASSIC, diagnose, run
        >>> diagnose(list(run(replace(CLASSIC, learning_rate=0.12, epochs=100))), CLASSIC).kind
        'diverging'
    """
    if not events:
        return Diagnosis("waiting", "Nothing has been trained yet.")
    last = events[-1]
    events = on_same_points(events, config, last.updates - 1)
    if not last.finite:
        return Diagnosis(
            "not finite",
            f"In epoch {last.epoch} the loss grew beyond the largest number that {config.dtype} can hold. "
            "The steps were too large: try a smaller learning rate.",
            last.epoch,
        )
    # The first batch loss comes from before the first updates, so it stands for where the run began.
    losses = np.array([events[0].batch_loss, *(event.train_loss for event in events)])
    change = _Change.of(losses, "epoch")
    limit = largest_stable_rate(config.settled(last.updates))
    too_large = limit is not None and last.learning_rate > limit
    if too_large and change.recent > change.earlier:
        return Diagnosis(
            "diverging",
            f"Diverging: the loss grew from {_show(losses[0])} to {_show(losses[-1])}. The learning rate "
            f"{last.learning_rate:g} is above {limit:.6f}, the largest that is stable here (2/λmax), so each step "
            "overshoots further than the one before. Choose a smaller learning rate.",
        )
    found = _judge(losses, change, validation_minimum(events), "epoch")
    if found.kind == "still falling" and too_large:
        warning = (
            f" But the learning rate {last.learning_rate:g} is above {limit:.6f}, the largest that is stable here "
            "(2/λmax): the loss will turn and grow."
        )
        return replace(found, sentence=found.sentence + warning)
    if found.kind == "flat" and config.initialisation == "zeros" and config.hidden:
        same = " All weights began at zero, so the units of a layer stay alike and the network cannot learn more."
        return replace(found, sentence=found.sentence + same)
    return found


def on_same_points(events: Sequence[Event], config: RunConfig, update: int) -> list[Event]:
    """Return the events since points were moved or added last: losses on other points do not compare.

    Args:
        events: all events of a run so far, in order.
        config: the config of the run.
        update: number of an update, counted from 0; changes that come later do not count.

    Example:
        >>> from lossviz.training import CLASSIC, Intervention, run
        >>> config = CLASSIC.with_intervention(Intervention(update=990, kind="move", value=(3, 4, 20)))
        >>> [event.epoch for event in on_same_points(list(run(config)), config, 999)][0]
        991
    """
    changed = max((item.update for item in config.point_changes if item.update <= update), default=0)
    return [event for event in events if event.updates > changed]


def diagnose_curves(train: Array, validation: Array | None, numbers: Array, unit: str) -> Diagnosis:
    """Say how a run went of which only the curves are known, as `diagnose` does for our own.

    Args:
        train: training losses, shape (points,), at least one; where there is none, the validation losses.
        validation: validation losses at the same points, or None.
        numbers: what the points are called: number of the epoch or step, shape (points,).
        unit: what these numbers count, in the singular: "epoch", "step".

    Returns:
        The diagnosis.

    Example:
        >>> import numpy as np
        >>> diagnose_curves(np.array([1.0, 0.8, 0.7, 0.65]), None, np.arange(4), "epoch").sentence
        'Still falling: the training loss averaged 0.9 over 2 epochs, then 0.675 over the last 2.'
    """
    bad = ~np.isfinite(train)
    if bad.any():
        at = int(bad.argmax())
        value = "not a number" if np.isnan(train[at]) else "infinite"
        return Diagnosis(
            "not finite",
            f"At {unit} {numbers[at]:g} the training loss is {value}: the steps were too large, or something was "
            "divided by 0 or the logarithm of 0 was taken.",
            int(numbers[at]),
            experiment="Try a tenth of the learning rate; if that does not help, look for a logarithm or a division.",
        )
    minimum = None if validation is None else _minimum(train, validation)
    named = None if minimum is None else (int(numbers[minimum[0]]), *minimum[1:])
    found = _judge(train, _Change.of(train, unit), named, unit)
    cures = {
        "diverging": "Try a tenth of the learning rate.",
        "rising": "Try a third of the learning rate.",
        "validation rising": f"Keep the weights of {unit} {found.since}, or try more data or a penalty on the weights.",
    }
    return replace(found, experiment=cures.get(found.kind, ""))


@dataclass(frozen=True)
class _Change:
    """What became of a curve: the mean over its last points and over as many before, and when that is no accident."""

    earlier: float
    recent: float
    error: float
    window: int
    unit: str

    @property
    def threshold(self) -> float:
        return max(2.0 * self.error, FLAT * abs(self.earlier))

    @property
    def span(self) -> str:
        return f"over the last {self.window} {self.unit}s" if self.window > 1 else f"in the last {self.unit}"

    def told(self, verb: str) -> str:
        """The two means as such: the verb and from where to where only if they are single values."""
        earlier, recent = _show(self.earlier), _show(self.recent)
        if self.window == 1:
            return f"{verb} from {earlier} to {recent} {self.span}"
        return f"averaged {earlier} over {self.window} {self.unit}s, then {recent} over the last {self.window}"

    @classmethod
    def of(cls, losses: Array, unit: str) -> _Change:
        window = max(1, min(WINDOW, len(losses) // 2))
        earlier, recent = losses[-2 * window : -window], losses[-window:]
        if not len(earlier):
            earlier = recent
        error = _jitter(losses[-2 * window :]) * np.sqrt(2.0 / window)
        return cls(float(earlier.mean()), float(recent.mean()), error, window, unit)


def _judge(losses: Array, change: _Change, minimum: tuple[int, float, float] | None, unit: str) -> Diagnosis:
    """What the curves say; `minimum` is where the validation loss was lowest, if it has been rising since."""
    earlier, recent, threshold, span = change.earlier, change.recent, change.threshold, change.span
    best = float(losses.min())
    if recent - earlier > threshold and recent > 2.0 * best and recent - best > 0.1 * (float(losses[0]) - best):
        return Diagnosis(
            "diverging",
            f"Diverging: the training loss {change.told('rose')}; its best was {_show(best)}. "
            "The steps are too large. Try a smaller learning rate.",
        )
    if minimum is not None:
        number, low, now = minimum
        return Diagnosis(
            "validation rising",
            f"Overfitting since {unit} {number}: the validation loss has risen from {_show(low)} to {_show(now)}, "
            "while the training loss fell further. What the model still learns holds for the training points alone.",
            number,
        )
    if recent - earlier > threshold:
        return Diagnosis("rising", f"The training loss is rising: it {change.told('rose')}.")
    if earlier - recent > threshold:
        return Diagnosis(
            "still falling",
            f"Still falling: the training loss {change.told('went')}.",
        )
    stays = "jumps up and down around" if change.error > FLAT * abs(recent) else "stays near"
    return Diagnosis("flat", f"Flat: the training loss {stays} {_show(recent)} {span}.")


def validation_minimum(events: Sequence[Event]) -> tuple[int, float, float] | None:
    """Return where the validation loss had its minimum, if it has clearly been rising since then.

    The curve is smoothed by a moving mean over an eighth of the epochs, at most 15. It is rising if, since its
    minimum, at least 5 epochs and one mean have passed; it now stands 5 % and six standard errors of its own
    jitter above the minimum; it is not on its way down again; and the training loss is no higher than it was then.

    Args:
        events: all events of the run so far, in order.

    Returns:
        The epoch of the minimum, the smoothed loss there and now; None if there is no clear rise.

    Example:
        >>> validation_minimum([]) is None
        True
    """
    if not events or events[-1].validation_loss is None:
        return None
    validation = np.array([event.validation_loss for event in events], dtype=np.float64)
    found = _minimum(np.array([event.train_loss for event in events]), validation)
    return None if found is None else (events[found[0]].epoch, *found[1:])


def _minimum(train: Array, validation: Array) -> tuple[int, float, float] | None:
    if len(validation) < 12 or not np.isfinite(validation).all():
        return None
    width = max(1, min(15, len(validation) // 8))
    smooth = _moving_mean(validation, width)
    at = int(smooth.argmin())
    low, now, end = float(smooth[at]), float(smooth[-1]), len(smooth) - 1
    middle = float(smooth[(at + end) // 2])
    error = _jitter(validation) / np.sqrt(width)
    if end - at < max(5, width) or now - low <= max(RISE * abs(low), JITTERS * error) or now < 0.98 * middle:
        return None
    training = _moving_mean(train, width)
    if training[-1] > training[at]:
        return None
    return at + width // 2, low, now


@remembered(64)
def largest_stable_rate(config: RunConfig) -> float | None:
    """Return the learning rate above which the loss of this run must grow, where that can be known in advance.

    For a linear model with the mean squared error the loss is a parabola in the parameters, and full-batch gradient
    descent is stable up to 2/λmax, where λmax is the largest eigenvalue of its Hessian, 2/n XᵀX with a column of
    ones in X.

    Args:
        config: the config of a run.

    Returns:
        2/λmax for a linear model trained with mse and plain SGD on full batches; None otherwise.

    Example:
        >>> from lossviz.training import CLASSIC, largest_stable_rate
        >>> round(largest_stable_rate(CLASSIC), 6)
        0.119756

    Reference:
        Goodfellow, Bengio, Courville (2016), Deep Learning, section 4.3.
    """
    linear = not config.hidden and config.fit.link == "identity"
    if not linear or config.loss != "mse" or config.optimizer != "sgd" or config.updates_per_epoch > 1:
        return None
    x = features(config, dataset(config).x_train).to(torch.float64)
    return 2.0 / float(torch.linalg.eigvalsh(2.0 / len(x) * x.t() @ x)[-1])


def _moving_mean(values: Array, width: int) -> Array:
    return np.convolve(values, np.full(width, 1.0 / width), mode="valid")


def _jitter(values: Array) -> float:
    """Standard deviation of the noise on a curve, from the differences of neighbours; a smooth slope has little."""
    return float(np.diff(values).std() / np.sqrt(2.0)) if len(values) > 2 else 0.0


def _show(value: float) -> str:
    return f"{value:.4g}"
