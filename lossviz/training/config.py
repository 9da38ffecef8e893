"""`RunConfig`: everything that decides a run, in one frozen value that fits into JSON and a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np

from lossviz import datasets, losses, optimizers
from lossviz.datasets.base import Dataset
from lossviz.datasets.own_points import OwnDataNeeded, OwnPoints, read_key
from lossviz.losses.base import Fit
from lossviz.models import ACTIVATIONS, INITIALISATIONS
from lossviz.optimizers import SCHEDULES, Plan
from lossviz.training.bounds import BOUNDS, whole_bounds
from lossviz.training.checks import number, one_of, shorten, truth, whole
from lossviz.training.interventions import Intervention, interventions, with_one_more
from lossviz.training.loss_parameters import check_parameters
from lossviz.training.model import DENSE, SETTINGS, check_model
from lossviz.training.points import batch_sizes, check_points
from lossviz.training.wiring import RIGHT, wired_fit, wirings_for

DTYPES: Final = ("float32", "float64")
CLIPPING: Final = {"none": "None", "norm": "By norm", "value": "By value"}
#: The fields that choose the points and split them, beside own data itself.
SAME_DATA: Final = ("dataset", "samples", "noise", "data_seed", "validation_fraction", "stratify")
_SHARES: Final = ("momentum", "decay", "beta1", "beta2")  # from 0 to below 1
_OWN: Final[Any] = None  # stands for what suits the data set, until the config stands
USUAL_LOSS: Final = {"regression": "mse", "binary": "bce_with_logits", "multiclass": "cross_entropy"}


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run. The same config gives the same events, bit for bit.

    Args:
        dataset: key of `lossviz.datasets`.
        samples: number of points, training and validation together; None means the data set's own number, for
            real data all rows. Fewer rows of real data are drawn with `data_seed`.
        noise: what the data set's `noise_meaning` says; None means the data set's own. 0 for real data.
        data_seed: decides the points and which of them are for validation.
        validation_fraction: share of the points held out, 0 to 0.9; 0 means no validation part.
        stratify: whether each class has the same share of the points in both parts, as nearly as it can.
        standardise: subtract the training part's mean from each feature and divide by its standard deviation.
            Targets keep their units. None means yes for numbers, no for texts.
        model: "dense", the fully connected network, for numbers; "lstm" or "rnn" for texts. None means the first that
            suits the data.
        hidden: units of each hidden layer, at most 6 layers of 1 to 64; () is a linear model. For texts the units of
            the one recurrent layer, 1 to 32. None means (4, 2), for texts (8,).
        embedding: how many numbers stand for a word, 1 to 32; 0 where there are no texts. None means 8 or 0.
        activation: tanh, relu, leaky_relu, gelu, sigmoid or identity, of the hidden layers.
        initialisation: "default", as `torch.nn.Linear` draws it, "xavier", "he", "large" or "zeros"; see
            `lossviz.models.Network.initialise`.
        dtype: "float32" or "float64".
        loss: key of a loss that fits the data set's task; None means the usual one: mse for regression,
            bce_with_logits for two classes, cross_entropy for more.
        loss_parameters: the loss's own parameters by name, as a mapping or as pairs; others keep their default.
        wiring: "right", or a mistake to look at: "softmax_twice" with cross_entropy, "sigmoid_twice" with
            bce_with_logits, "labels_zero_one" with losses that take the labels -1 and +1; see
            `lossviz.training.wiring`.
        optimizer: sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw.
        learning_rate: above 0, up to 100.
        momentum, decay, beta1, beta2, weight_decay: settings of the optimizers, see `lossviz.optimizers.Settings`;
            an optimizer uses those that it names.
        schedule: constant, step, cosine, warmup or plateau: what becomes of the learning rate, see
            `lossviz.optimizers.Plan`. A learning rate that is set on the way holds at that update, and the schedule
            goes on from there.
        every, factor, low: numbers of the schedule; a schedule uses those that it names.
        clip: "none"; "norm": a gradient longer than `clip_at` is shortened to it; "value": each of its numbers is
            brought into [-clip_at, clip_at].
        clip_at: above 0.
        l1, l2: the loss that is differentiated has l1 Σ|w| + l2 Σw² added, over weights, not biases. Losses in events
            do not contain it.
        dropout: share of the hidden activations that each update leaves out, 0 to 0.9.
        batch_norm: whether each hidden layer normalises its weighted sums over the batch.
        patience: the run ends when the validation loss has had no new minimum for so many epochs; None: never.
        best_weights: whether at the end the parameters of the epoch with the lowest validation loss come back.
        batch_size: samples in one update; None means the whole training part.
        epochs: passes through the training part, 1 to 10,000.
        seed: decides the initial parameters and the order of the samples.
        interventions: changes made on the way, at most 1,000: learning rates, and points that move or are added. Points
            change where an epoch begins, 100 at most are added, and only where they can be drawn, see
            `lossviz.training.movable`. Standardisation keeps to the mean and the spread of the points
            as they were, so that a moved point does not shift the scale under the model, and an epoch has as many
            updates as before: each added point makes the smallest batch one larger.
        own: own data, where `dataset` is its key; else it is let go of. It is not part of what `to_dict` gives, and
            configs are equal without it: the key holds a hash of its numbers.

    Raises:
        ValueError: a field has a value that is not allowed; the message names field, value and what is allowed.
            `OwnDataNeeded`, a kind of it, where `dataset` is the key of own data that is not given.

    Example:
        >>> from lossviz.training import RunConfig
        >>> config = RunConfig(dataset="iris", hidden=(8,))
        >>> config.loss, config.samples
        ('cross_entropy', 150)
        >>> RunConfig.from_dict(config.to_dict()) == config
        True
        >>> RunConfig(epochs=0)
        Traceback (most recent call last):
        ValueError: epochs is 0; a whole number from 1 to 10000 is allowed
    """

    dataset: str = "circle"
    samples: int | None = None
    noise: float | None = None
    data_seed: int = 0
    validation_fraction: float = 0.5
    stratify: bool = False
    standardise: bool = _OWN
    model: str = _OWN
    hidden: tuple[int, ...] = _OWN
    embedding: int = _OWN
    activation: str = "tanh"
    initialisation: str = "default"
    dtype: str = "float32"
    loss: str | None = None
    loss_parameters: Mapping[str, Any] | tuple[tuple[str, Any], ...] = ()
    wiring: str = RIGHT
    optimizer: str = "sgd"
    learning_rate: float = 0.03
    momentum: float = 0.9
    decay: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    weight_decay: float = 0.01
    schedule: str = "constant"
    every: int = 20
    factor: float = 0.5
    low: float = 0.0
    clip: str = "none"
    clip_at: float = 1.0
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_norm: bool = False
    patience: int | None = None
    best_weights: bool = False
    batch_size: int | None = 10
    epochs: int = 300
    seed: int = 0
    interventions: tuple[Intervention, ...] = ()
    own: OwnPoints | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if read_key(self.dataset) is None:
            one_of("dataset", self.dataset, datasets.keys())
            _set(self, "own", None)
        elif self.own is None or self.own.key != self.dataset:
            raise OwnDataNeeded(self.dataset)
        data = self.data
        samples = data.samples if self.samples is None else self.samples
        _set(self, "samples", whole("samples", samples, data.samples_low, data.samples_high))
        noise = data.noise if self.noise is None else self.noise
        _set(self, "noise", number("noise", noise, 0.0, data.noise_high))
        for name in ("data_seed", "epochs", "seed"):
            _set(self, name, whole(name, getattr(self, name), *whole_bounds(name)))
        _set(
            self,
            "validation_fraction",
            number("validation_fraction", self.validation_fraction, *BOUNDS["validation_fraction"]),
        )
        truth("stratify", self.stratify)
        for name, value in check_model(data, {name: getattr(self, name) for name in SETTINGS}).items():
            _set(self, name, value)
        truth("standardise", self.standardise)
        one_of("activation", self.activation, ACTIVATIONS)
        one_of("initialisation", self.initialisation, INITIALISATIONS)
        one_of("dtype", self.dtype, DTYPES)
        if self.loss is None:
            _set(self, "loss", USUAL_LOSS[data.task])
        one_of("loss", self.loss, losses_for(data.task), where=f" with {data.task} data")
        _set(
            self,
            "loss_parameters",
            check_parameters(losses.get(self.loss_key), self.loss_parameters, len(data.classes)),
        )
        one_of("wiring", self.wiring, wirings_for(self.loss_key, data.task), where=f" with the loss {self.loss}")
        one_of("optimizer", self.optimizer, optimizers.keys())
        _set(
            self, "learning_rate", number("learning_rate", self.learning_rate, *BOUNDS["learning_rate"], low_open=True)
        )
        for name in _SHARES:
            _set(self, name, number(name, getattr(self, name), *BOUNDS[name], high_open=True))
        for name in ("weight_decay", "l1", "l2", "dropout", "low"):
            _set(self, name, number(name, getattr(self, name), *BOUNDS[name]))
        for name in ("factor", "clip_at"):
            _set(self, name, number(name, getattr(self, name), *BOUNDS[name], low_open=True))
        _set(self, "every", whole("every", self.every, *whole_bounds("every")))
        one_of("schedule", self.schedule, SCHEDULES)
        one_of("clip", self.clip, CLIPPING)
        truth("batch_norm", self.batch_norm)
        truth("best_weights", self.best_weights)
        if self.patience is not None:
            _set(self, "patience", whole("patience", self.patience, *whole_bounds("patience")))
        if self.batch_size is not None:
            _set(self, "batch_size", whole("batch_size", self.batch_size, *whole_bounds("batch_size")))
        _set(self, "interventions", interventions(self.interventions))
        check_points(self.point_changes, data, self.samples or 0, self.updates_per_epoch)
        self._check_together()

    def _check_together(self) -> None:
        """Refuse settings that contradict each other."""
        if self.stratify:
            self._check_shares()
        elif self.own is not None:
            self._check_classes(self.own)
        last = self.training_samples - (self.updates_per_epoch - 1) * self.batch_rows
        if self.batch_norm and self.hidden and min(last, self.batch_rows) < 2:
            raise ValueError(
                f"batch_norm is True, and the {'last batch' if self.batch_rows > 1 else 'batch'} holds 1 sample; batch "
                "normalisation needs 2 or more in every batch: choose another batch size or number of points"
            )
        if (self.patience is not None or self.best_weights) and self.validation_samples == 0:
            name = "patience" if self.patience is not None else "best_weights"
            raise ValueError(
                f"{name} is {getattr(self, name)}, and no points are held out for validation; it watches the "
                "validation loss: set validation_fraction above 0"
            )

    def _check_shares(self) -> None:
        """Refuse to keep the shares of classes where there are none, or too few points of one."""
        if self.task == "regression":
            raise ValueError(
                f"stratify is True, and the target of {self.dataset} is a number; only classes have shares to keep: "
                "set stratify to False"
            )
        if not self.validation_samples:
            return
        assert self.samples is not None
        assert self.noise is not None
        _, y = self.data.generate(self.samples, self.noise, self.data_seed)
        numbers, counts = np.unique(y, return_counts=True)
        if counts.min() < 2:
            name = self.data.classes[int(numbers[counts.argmin()])]
            raise ValueError(
                f"stratify is True, and class {shorten(name)} has 1 of the {self.samples:,} points; each class needs "
                "2 or more, to have one in both parts: choose more points, or set stratify to False"
            )
        few = min(self.validation_samples, self.training_samples)
        if few < len(numbers):
            part = "held out" if few == self.validation_samples else "left to train on"
            raise ValueError(
                f"stratify is True, and {few} of the {self.samples:,} points {'is' if few == 1 else 'are'} {part}; "
                f"{len(numbers)} classes need {len(numbers)} or more there: change validation_fraction (it is "
                f"{self.validation_fraction:g}), or set stratify to False"
            )

    def _check_classes(self, own: OwnPoints) -> None:
        """Refuse to train on own data without a row of one of its classes."""
        assert self.samples is not None
        missing = own.untrained(self.samples, self.data_seed, self.validation_samples)
        if missing:
            raise ValueError(
                f"with validation_fraction {self.validation_fraction:g} and data_seed {self.data_seed}, "
                f"{self.validation_samples:,} of {self.samples:,} points are held out and none of class "
                f"{shorten(missing[0])} is left to train on: choose a smaller fraction or another data "
                "seed, or set stratify to True"
            )

    @property
    def settings(self) -> optimizers.Settings:
        """The settings of the optimizer."""
        return optimizers.Settings(self.momentum, self.decay, self.beta1, self.beta2, self.weight_decay)

    @property
    def plan(self) -> Plan:
        """The schedule with its numbers."""
        return Plan(self.schedule, self.every, self.factor, self.low, self.epochs, self.updates_per_epoch)

    @property
    def plain(self) -> bool:
        """Whether an update is the gradient of the loss and the optimizer's rule, and nothing else."""
        return not (self.l1 or self.l2 or self.clip != "none" or (self.hidden and (self.dropout or self.batch_norm)))

    @property
    def data(self) -> Dataset:
        """The data set."""
        return datasets.get(self.dataset) if self.own is None else self.own.dataset

    @property
    def task(self) -> datasets.Task:
        """The task of the data set."""
        return self.data.task

    @property
    def loss_key(self) -> str:
        """The key of the loss; never None once the config stands."""
        assert self.loss is not None
        return self.loss

    @property
    def parameters(self) -> dict[str, Any]:
        """The loss's parameters, all of them, by name."""
        return dict(self.loss_parameters)

    @property
    def fit(self) -> Fit:
        """How the loss is trained on this task: the link and the labels, mistakes included."""
        return wired_fit(self.loss_key, self.task, self.wiring)

    @property
    def metric(self) -> str:
        """What `train_metric` and `validation_metric` of an event hold: "accuracy" or, for regression, "r2"."""
        return "r2" if self.task == "regression" else "accuracy"

    @property
    def validation_samples(self) -> int:
        """Number of points held out."""
        assert self.samples is not None
        if self.validation_fraction == 0.0:
            return 0
        return min(max(round(self.validation_fraction * self.samples), 1), self.samples - 1)

    @property
    def training_samples(self) -> int:
        """Number of points trained on."""
        assert self.samples is not None
        return self.samples - self.validation_samples

    @property
    def batch_rows(self) -> int:
        """Samples in one update: the batch size, or the whole training part if that is smaller."""
        return min(self.batch_size or self.training_samples, self.training_samples)

    @property
    def updates_per_epoch(self) -> int:
        """Updates in one pass through the training part; the last batch may be smaller than the others."""
        return -(-self.training_samples // self.batch_rows)

    def batch_sizes(self, added: int) -> list[int]:
        """Samples in each update of an epoch, once so many points have been added to the training part."""
        return batch_sizes(self.training_samples, self.batch_rows, added)

    @property
    def rate_changes(self) -> tuple[Intervention, ...]:
        """The interventions that set a learning rate."""
        return tuple(item for item in self.interventions if not item.of_points)

    @property
    def point_changes(self) -> tuple[Intervention, ...]:
        """The interventions that move or add points."""
        return tuple(item for item in self.interventions if item.of_points)

    @property
    def recurrent(self) -> bool:
        """Whether the model reads texts word by word."""
        return self.model != DENSE

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units from the features to the outputs; for texts the words of the longest, the state and the outputs."""
        data = self.data
        return (len(data.feature_names), *self.hidden, data.outputs)

    def to_dict(self) -> dict[str, Any]:
        """Return the config as JSON types; `from_dict` turns it back into an equal config."""
        result: dict[str, Any] = {name: getattr(self, name) for name in self.field_names()}
        result["hidden"] = list(self.hidden)
        result["loss_parameters"] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in self.parameters.items()
        }
        result["interventions"] = [item.to_dict() for item in self.interventions]
        return result

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The fields that decide a run, in order: all but `own`."""
        return tuple(field.name for field in fields(cls) if field.compare)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any], own: OwnPoints | None = None) -> RunConfig:
        """Return the config that JSON data describes; fields that are missing keep their default.

        Args:
            given: field names and values, as `to_dict` gives them.
            own: own data, for the case that the config names it.

        Returns:
            The config.

        Raises:
            ValueError: a field is unknown, has the wrong type or is out of bounds; `OwnDataNeeded` as above.

        Example:
            >>> RunConfig.from_dict({"optimiser": "adam"})  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            ValueError: unknown field 'optimiser'; allowed: dataset, samples, ...
        """
        if not isinstance(given, Mapping):
            raise ValueError(f"the config is {shorten(given)}; an object with named fields is allowed")
        names = cls.field_names()
        for name in given:
            if name not in names:
                raise ValueError(f"unknown field {shorten(name)}; allowed: {', '.join(names)}")
        return cls(**given, own=own)

    def with_intervention(self, intervention: Intervention) -> RunConfig:
        """Return this config with one more intervention.

        A learning rate set at the same update before gives way to it, and so does a move of the same point. Points
        added later than one that is now added before them get the next numbers.

        Raises:
            ValueError: the intervention is not allowed, or there are too many.
        """
        return replace(self, interventions=with_one_more(self.interventions, intervention, self.samples or 0))

    def settled(self, update: int | None = None) -> RunConfig:
        """Return the same run without learning rates set on the way, and with points that stay as they are.

        Args:
            update: the points are from the start as they are at this update; None means after all changes.

        Example:
            >>> move = Intervention(update=25, kind="move", value=(0, 1.0, 2.0, 1))
            >>> RunConfig(interventions=(move, Intervention(update=30, value=0.1))).settled().interventions
            (Intervention(update=0, kind='move', value=(0, 1.0, 2.0, 1.0)),)
        """
        if not self.interventions:
            return self
        kept = [item for item in self.point_changes if update is None or item.update <= update]
        return replace(self, interventions=tuple(replace(item, update=0) for item in kept))


def losses_for(task: str) -> tuple[str, ...]:
    """Return the keys of the losses that a model can be trained with on that task.

    Example:
        >>> "mse" in losses_for("regression"), "mse" in losses_for("multiclass")
        (True, False)
    """
    found = (losses.get(key) for key in losses.keys())  # noqa: SIM118 (a function, not a dict)
    return tuple(loss.key for loss in found if any(fit.task == task for fit in loss.fits))


def _set(target: object, name: str, value: object) -> None:
    object.__setattr__(target, name, value)
