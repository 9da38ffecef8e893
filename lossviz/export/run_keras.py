"""A run as a Keras 3 program: the twin of the PyTorch one."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import Any, Final

import numpy as np

from lossviz import losses, optimizers
from lossviz.export import run_recurrent as recurrent
from lossviz.export.code import loss_lines
from lossviz.export.run_data import data_section, needs_scikit_learn
from lossviz.export.run_points import added_at, later
from lossviz.export.run_script import changes_lines, comment, import_lines, mistake, scheduled, title
from lossviz.export.section import Section
from lossviz.training import RunConfig, init
from lossviz.training.model import dense

MOST_WRITTEN: Final = 200
"""The first weights of a model are written into the program if there are no more than this."""

_OPTIMIZERS: Final = {
    "sgd": "SGD({rate}",
    "momentum": "SGD({rate}, momentum={momentum}",
    "nesterov": "SGD({rate}, momentum={momentum}, nesterov=True",
    # Keras adds epsilon below the root here, PyTorch behind it.
    "adagrad": "Adagrad({rate}, initial_accumulator_value=0.0, epsilon=1e-20",
    "rmsprop": "RMSprop({rate}, rho={decay}, epsilon=1e-16",
    "adam": "Adam({rate}, beta_1={beta1}, beta_2={beta2}, epsilon=1e-8",
    "adamw": "AdamW({rate}, weight_decay={weight_decay}, beta_1={beta1}, beta_2={beta2}, epsilon=1e-8",
}
_ACTIVATIONS: Final = {"leaky_relu": "keras.layers.LeakyReLU(negative_slope=0.01)"}
_LINKS: Final = {
    "sigmoid": "keras.ops.sigmoid({})",
    "tanh": "keras.ops.tanh({})",
    "softmax": "keras.ops.softmax({})",
}
# Formulas in place of Keras's own losses, which expect or make other labels.
_ON_ZERO_ONE: Final = {
    "hinge": "keras.ops.relu(1 - target * prediction)",
    "squared_hinge": "keras.ops.relu(1 - target * prediction) ** 2",
    "soft_margin": "keras.ops.softplus(-target * prediction)",
}
_TARGETS: Final = {
    "value": "y_{0} = y_{0}.astype(keras.config.floatx())",
    "zero_one": "y_{0} = y_{0}.astype(keras.config.floatx())",
    "plus_minus": "y_{0} = (2 * y_{0} - 1).astype(keras.config.floatx())",
    "index": 'y_{0} = y_{0}.astype("int32")',
    "one_hot": "y_{0} = keras.utils.to_categorical(y_{0}, {1})",
}
_ACCURACY: Final = {
    "index": 'keras.ops.argmax(output, axis=1) == keras.ops.cast(target[:, 0], "int64")',
    "one_hot": "keras.ops.argmax(output, axis=1) == keras.ops.argmax(target, axis=1)",
    "zero_one": "(output > 0) == (target > 0)",
    "plus_minus": "(output > 0) == (target > 0)",
}


def keras_script(config: RunConfig) -> str:
    """Return a Keras 3 program that trains as this run does, as far as Keras can.

    On full batches it takes the same steps; with smaller batches Keras draws the order of the samples, and dropout,
    from random streams of its own.

    Args:
        config: the run, with the changes made on the way; of points only those before the first update.

    Returns:
        The program. Its `history.history["loss"]` is what the run calls the batch loss.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> "model.fit(" in keras_script(CLASSIC), "Dropout" in keras_script(CLASSIC)
        (True, False)

    Source: https://keras.io/api/
    """
    sections = [data_section(config), _targets(config), _model(config), _loss(config), _optimizer(config), _fit(config)]
    blocks = [comment(_introduction(config)), "\n".join(import_lines(sections))]
    blocks += [f"{comment(f'{part.title}. {part.text}')}\n{part.code}" for part in sections]
    return "\n\n\n".join(blocks) + "\n"


def _introduction(config: RunConfig) -> str:
    more = ", scikit-learn" if needs_scikit_learn(config) else ""
    notes = [
        f"{title(config)}.",
        f"A run of lossviz in Keras. It needs keras (3 or later), numpy{more} and one backend.",
    ]
    if config.updates_per_epoch > 1:
        notes.append(
            "Keras draws the order of the samples in its own way, so the curves differ from those on the page."
        )
    if later(config):
        notes.append(
            "On the page points were moved or added after training had begun; here they stay as they were at the start."
        )
    if config.l1 or config.l2:
        notes.append(
            "Keras counts the penalties into the losses that it shows; the page shows the losses without them."
        )
    moves = config.rate_changes or scheduled(config) != "constant"
    if config.optimizer in ("momentum", "nesterov") and moves:
        notes.append(
            "Keras keeps the learning rate inside the velocity, so after a change of the rate it coasts on with the "
            "old one for a while; PyTorch does not."
        )
    if config.optimizer in ("rmsprop", "adam", "adamw"):
        notes.append(
            "Keras keeps its divisors from 0 in another way, so very small gradients step a little differently."
        )
    if config.recurrent:
        notes.append(recurrent.KERAS_NOTE)
    if config.hidden and config.batch_norm:
        notes.append("Keras's running variance divides by the batch size n, PyTorch's by n - 1.")
    return "\n".join(notes)


def _parts(config: RunConfig) -> tuple[str, ...]:
    return ("train", "validation") if config.validation_samples else ("train",)


def _targets(config: RunConfig) -> Section:
    lines = ['keras.config.set_floatx("float64")'] if config.dtype == "float64" else []
    lines += [_TARGETS[config.fit.labels].format(part, config.sizes[-1]) for part in _parts(config)]
    lines = [*mistake(config, "labels"), *lines]
    return Section("Targets", "As the loss takes them.", "\n".join(lines), ("import keras",))


def _model(config: RunConfig) -> Section:
    penalty = f"keras.regularizers.L1L2(l1={config.l1!r}, l2={config.l2!r})" if config.l1 or config.l2 else ""
    if config.recurrent:
        return recurrent.keras_model(config, penalty)
    penalty = f", kernel_regularizer={penalty}" if penalty else ""
    activation = _ACTIVATIONS.get(config.activation, f'keras.layers.Activation("{config.activation}")')
    layers = [f"keras.Input(({config.sizes[0]},))"]
    written = sum(units * (inputs + 1) for inputs, units in pairwise(config.sizes)) <= MOST_WRITTEN
    for inputs, units in pairwise(config.sizes[:-1]):
        start = "" if written else _start(config, inputs)
        # An activation is a layer of its own where something stands before it, or where it has settings.
        own = config.batch_norm or config.activation in _ACTIVATIONS
        inside = "" if own or config.activation == "identity" else f', activation="{config.activation}"'
        layers.append(f"keras.layers.Dense({units}{inside}{penalty}{start})")
        if config.batch_norm:
            layers.append("keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)")
        if own and config.activation != "identity":
            layers.append(activation)
        if config.dropout:
            layers.append(f"keras.layers.Dropout({config.dropout!r})")
    layers.append(
        f"keras.layers.Dense({config.sizes[-1]}{penalty}{'' if written else _start(config, config.sizes[-2])})"
    )
    lines = [
        f"keras.utils.set_random_seed({config.seed})",
        "model = keras.Sequential([",
        *(f"    {layer}," for layer in layers),
        "])",
    ]
    text = "The first weights are drawn as on the page, but are other numbers."
    if written:
        text = "The first weights are the very ones of the page."
        lines += [
            "dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]",
            *_first_weights(config),
        ]
    return Section("Model", text, "\n".join(lines), ("import keras",))


def _start(config: RunConfig, inputs: int) -> str:
    """Arguments that make a dense layer draw its first weights as the run does."""
    how = config.initialisation
    if how in ("default", "large"):
        bound = (10.0 if how == "large" else 1.0) / inputs**0.5
        drawn = f"keras.initializers.RandomUniform({-bound!r}, {bound!r})"
        return f", kernel_initializer={drawn}, bias_initializer={drawn}"
    return {
        "xavier": "",  # what Keras does by itself
        "he": f", kernel_initializer=keras.initializers.RandomNormal(stddev={(2 / inputs) ** 0.5!r})",
        "zeros": ', kernel_initializer="zeros"',
    }[how]


def _first_weights(config: RunConfig) -> list[str]:
    network, lines = dense(init(config).network, "this program"), []
    for number, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        rows = [_numbers(row) for row in weight.t().numpy()]
        kernel = ["    np.array([", *(f"        {row}," for row in rows), "    ]),"]
        if len(rows) == 1:
            kernel = [f"    np.array([{rows[0]}]),"]
        lines += [f"dense[{number}].set_weights([", *kernel, f"    np.array({_numbers(bias.numpy())}),", "])"]
    return lines


def _numbers(values: Any) -> str:
    """A list of floats, each in the fewest digits that stand for it alone."""
    return (
        f"[{', '.join(np.format_float_scientific(value) if 0 < abs(value) < 1e-4 else str(value) for value in values)}]"
    )


def _loss(config: RunConfig) -> Section:
    loss, fit = losses.get(config.loss_key), config.fit
    gradient = ""
    if "no_gradient" in loss.properties:
        gradient = " + 0 * keras.ops.sum(prediction)  # so that there is a gradient, which is 0"
    before, result = loss_lines(loss, config.parameters, loss.reduction("mean"), "keras").rsplit("loss = ", 1)
    if config.wiring == "labels_zero_one" and config.loss in _ON_ZERO_ONE:
        before = "# Written out: Keras's own loss knows the labels 0 and 1, which would mend the mistake.\n"
        result = f"keras.ops.mean({_ON_ZERO_ONE[config.loss_key]})"
    single = config.sizes[-1] == 1
    raw = "output[:, 0]" if single else "output"
    target = {"index": 'keras.ops.cast(keras.ops.reshape(target, (-1,)), "int32")', "one_hot": "target"}
    lines = [
        "def loss_function(target, output):",
        *(f"    {line}" for line in mistake(config, "link")),
        f"    target = {target.get(fit.labels, 'keras.ops.reshape(target, (-1,))')}",
        f"    prediction = {_LINKS.get(fit.link, '{}').format(raw)}",
        textwrap.indent(f"{before}return {result}{gradient}", "    "),
    ]
    if fit.labels in _ACCURACY:
        lines += ["", "", "def accuracy(target, output):"]
        lines += [f'    return keras.ops.cast({_ACCURACY[fit.labels]}, "float32")']
    text = f"{loss.title}. Keras gives the target first."
    if fit.labels == "one_hot":
        lines.remove("    target = target")
    return Section("Loss", text, "\n".join(lines), ("import keras",))


def _optimizer(config: RunConfig) -> Section:
    settings = {name: repr(getattr(config, name)) for name in ("momentum", "decay", "beta1", "beta2", "weight_decay")}
    schedule, warm = scheduled(config), config.every * config.updates_per_epoch
    rate = f"{config.learning_rate!r} / {warm}" if schedule == "warmup" else repr(config.learning_rate)
    clip = {"none": "", "norm": f", global_clipnorm={config.clip_at!r}", "value": f", clipvalue={config.clip_at!r}"}
    made = _OPTIMIZERS[config.optimizer].format(rate=rate, **settings)
    lines = [f"optimizer = keras.optimizers.{made}{clip[config.clip]})"]
    callbacks = ["keras.callbacks.TerminateOnNaN()"]
    if schedule == "step":
        lines += ["", "", "def drop(epoch, rate):"]
        lines += [f"    return rate * {config.factor!r} if epoch and epoch % {config.every} == 0 else rate", "", ""]
        callbacks.append("keras.callbacks.LearningRateScheduler(drop)")
    elif schedule == "cosine":
        low = repr(config.low)
        lines += ["", "", "def share(epoch):"]
        lines += [f"    return {low} + (1 - {low}) * (1 + np.cos(np.pi * epoch / {config.epochs})) / 2", "", ""]
        lines += ["def cosine(epoch, rate):"]
        lines += ["    return float(rate * share(epoch) / share(epoch - 1)) if epoch else rate", "", ""]
        callbacks.append("keras.callbacks.LearningRateScheduler(cosine)")
    elif schedule == "plateau":
        monitor = '"val_loss"' if config.validation_samples else '"loss"'
        callbacks.append(
            f"keras.callbacks.ReduceLROnPlateau({monitor}, factor={config.factor!r}, patience={config.every + 1}, "
            "min_delta=0)"
        )
    if config.rate_changes or schedule == "warmup":
        lines += _rates(config, warm if schedule == "warmup" else 0)
        callbacks.append("Rates()")
    if config.patience is not None or config.best_weights:
        best = ", restore_best_weights=True" if config.best_weights else ""
        patience = config.epochs if config.patience is None else config.patience
        callbacks.append(f'keras.callbacks.EarlyStopping("val_loss", patience={patience}{best})')
    lines += ["callbacks = [", *(f"    {item}," for item in callbacks), "]"]
    return Section("Optimizer", optimizers.get(config.optimizer).description, "\n".join(lines), ("import keras",))


def _rates(config: RunConfig, warm: int) -> list[str]:
    """A callback that sets the learning rate before single updates."""
    lines = ["", "", "class Rates(keras.callbacks.Callback):"]
    lines += ["    # Sets the learning rate before single updates, counted from 0."]
    if config.rate_changes:
        lines += [f"    {line}" for line in changes_lines(config)]
    lines += ["    updates = 0", "", "    def on_train_batch_begin(self, batch, logs=None):"]
    lines.append("        optimizer = self.model.optimizer")
    if warm:
        lines += [f"        if 0 < self.updates < {warm}:"]
        lines += ["            rate = float(optimizer.learning_rate)"]
        lines += ["            optimizer.learning_rate = rate * (self.updates + 1) / self.updates"]
    if config.rate_changes:
        lines += ["        if self.updates in self.changes:"]
        lines += ["            optimizer.learning_rate = self.changes[self.updates]"]
    return [*lines, "        self.updates += 1", "", ""]


def _fit(config: RunConfig) -> Section:
    metric = 'keras.metrics.R2Score(name="r2")' if config.metric == "r2" else "accuracy"
    column = "" if config.fit.labels == "one_hot" else "[:, None]"
    lines = [
        f"model.compile(optimizer=optimizer, loss=loss_function, metrics=[{metric}])",
        "history = model.fit(",
        "    x_train,",
        f"    y_train{column},",
        f"    batch_size={max(config.batch_sizes(added_at(config, 0)))},",
        f"    epochs={config.epochs},",
    ]
    if config.validation_samples:
        lines += [f"    validation_data=(x_validation, y_validation{column}),"]
        lines += [f"    validation_batch_size={config.validation_samples},"]
    lines += ["    callbacks=callbacks,", "    verbose=2,", ")"]
    text = 'Keras prints the mean loss of each epoch\'s batches, before their updates: "batch loss" on the page.'
    return Section("Training", text, "\n".join(lines))
