"""A run as a PyTorch program of its own, written as a tutorial would write it, with only the parts that it needs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from lossviz import losses, optimizers
from lossviz.export import run_recurrent as recurrent
from lossviz.export.code import loss_lines
from lossviz.export.run_data import data_section, needs_scikit_learn
from lossviz.export.run_points import epoch_lines, points_section, sizes_lines
from lossviz.export.section import Section
from lossviz.models import ACTIVATIONS
from lossviz.training import RunConfig, parameter_count
from lossviz.training.wiring import WIRINGS

WIDTH: Final = 100
MOST_SHOWN: Final = 20  # a model with so many weights and biases prints them at the end
_ACTIVATIONS: Final = {
    "tanh": "nn.Tanh()",
    "relu": "nn.ReLU()",
    "leaky_relu": "nn.LeakyReLU()",
    "gelu": "nn.GELU()",
    "sigmoid": "nn.Sigmoid()",
    "identity": "nn.Identity()",
}
_OPTIMIZERS: Final = {
    "sgd": "SGD(model.parameters(), lr={rate})",
    "momentum": "SGD(model.parameters(), lr={rate}, momentum={momentum})",
    "nesterov": "SGD(model.parameters(), lr={rate}, momentum={momentum}, nesterov=True)",
    "adagrad": "Adagrad(model.parameters(), lr={rate})",
    "rmsprop": "RMSprop(model.parameters(), lr={rate}, alpha={decay})",
    "adam": "Adam(model.parameters(), lr={rate}, betas=({beta1}, {beta2}))",
    "adamw": "AdamW(model.parameters(), lr={rate}, betas=({beta1}, {beta2}), weight_decay={weight_decay})",
}
# What stands between the model's output and the loss; the code of a loss on log-probabilities makes them itself.
_LINKS: Final = {"sigmoid": "torch.sigmoid({})", "tanh": "torch.tanh({})", "softmax": "torch.softmax({}, dim=1)"}
_TARGETS: Final = {
    "value": "torch.tensor({}, dtype=torch.{dtype})",
    "zero_one": "torch.tensor({}, dtype=torch.{dtype})",
    "plus_minus": "torch.tensor(2 * {} - 1, dtype=torch.{dtype})",
    "index": "torch.tensor({}, dtype=torch.long)",
    "one_hot": "F.one_hot(torch.tensor({}, dtype=torch.long), {classes}).to(torch.{dtype})",
}
_LABELS: Final = {
    "plus_minus": " This loss takes the labels -1 and +1.",
    "index": " The labels are class numbers.",
    "one_hot": " This loss takes each label as a row of numbers with a 1 at the class.",
}
_METRICS: Final = {
    "value": (
        "r2",
        "error = (output[:, 0].double() - target.double()).square().sum()",
        "return (1 - error / (target.double() - target.double().mean()).square().sum()).item()",
    ),
    "index": ("accuracy", "return (output.argmax(1) == target).double().mean().item()"),
    "one_hot": ("accuracy", "return (output.argmax(1) == target.argmax(1)).double().mean().item()"),
    "zero_one": ("accuracy", "return ((output[:, 0] > 0) == (target > 0)).double().mean().item()"),
    "plus_minus": ("accuracy", "return ((output[:, 0] > 0) == (target > 0)).double().mean().item()"),
}


def run_script(config: RunConfig) -> str:
    """Return a PyTorch program that trains as this run does and prints its curves.

    It needs torch, NumPy and, for real data, scikit-learn. It prints the lines of `curves_csv`, then, behind a #, how
    the run ended. First weights, order of the samples and dropout come from the same random streams as in the run, so
    the curves agree but for rounding, which a long run may magnify.

    Args:
        config: the run, with the changes made on the way.

    Returns:
        The program.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> "loss.backward()" in run_script(CLASSIC), "dropout" in run_script(CLASSIC)
        (True, False)
    """
    sections = run_sections(config)
    blocks = [comment(introduction(config)), "\n".join(import_lines(sections))]
    blocks += [f"{comment(f'{part.title}. {part.text}')}\n{part.code}" for part in sections]
    return "\n\n\n".join(blocks) + "\n"


def introduction(config: RunConfig) -> str:
    """What the program does and needs, in a few sentences, each a line of its own."""
    needs = "torch, numpy and scikit-learn" if needs_scikit_learn(config) else "torch and numpy"
    digits = 7 if config.dtype == "float32" else 16
    return (
        f"{title(config)}.\n"
        f"A run of lossviz as a program of its own. It needs {needs}.\n"
        "It prints one line for each epoch, ready for a CSV file.\n"
        f"Numbers have about {digits} digits ({config.dtype}), and the last may be rounded differently here. A long or "
        "restless run magnifies that: its curves then part from those on the page after some epochs."
    )


def title(config: RunConfig) -> str:
    """The run in half a line: data, model, loss and optimizer.

    Example:
        >>> from lossviz.training import PLAYGROUND
        >>> title(PLAYGROUND)
        'Circle, network 2-4-2-1 with tanh, mean squared error, SGD'
    """
    units = "-".join(map(str, config.sizes))
    model = f"network {units} with {ACTIVATIONS[config.activation].title}" if config.hidden else f"linear model {units}"
    if config.recurrent:
        model = recurrent.model_title(config)
    loss = losses.get(config.loss_key).title
    # Abbreviations such as KL keep their capitals.
    loss = loss[0].lower() + loss[1:] if loss[1:2].islower() else loss
    return f"{config.data.title}, {model}, {loss}, {optimizers.get(config.optimizer).title}"


def mistake(config: RunConfig, part: str) -> list[str]:
    """Comment lines that say plainly what is wrong with the "link" or the "labels" of a run, if anything.

    Example:
        >>> mistake(RunConfig(loss="hinge", wiring="labels_zero_one"), "labels")[0][:66]
        '# The mistake to look at: the loss multiplies scores by labels −1 '
    """
    wiring = WIRINGS[config.wiring]
    if getattr(wiring, part) is None:
        return []
    return comment(f"The mistake to look at: {wiring.meaning[0].lower()}{wiring.meaning[1:]}").splitlines()


def comment(text: str) -> str:
    """Text as comment lines of readable width."""
    lines = [line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, WIDTH - 2)]
    return "\n".join(f"# {line}" for line in lines)


def import_lines(sections: Sequence[Section]) -> list[str]:
    """The import statements of the whole program, in their usual order."""
    needed = {"import numpy as np", *(line for part in sections for line in part.imports)}
    return sorted(needed, key=lambda line: (line.startswith("from"), line))


def run_sections(config: RunConfig) -> list[Section]:
    """Return the parts of the program in order: data, tensors, model, loss, optimizer, training."""
    return [
        data_section(config),
        _tensors(config),
        *points_section(config, lambda name: _target(config, name)),
        _model(config),
        _loss(config),
        _optimizer(config),
        _training(config),
    ]


def columns(config: RunConfig) -> list[str]:
    """The names of the curves, as the program and `curves_csv` write them.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> columns(CLASSIC)
        ['epoch', 'batch_loss', 'train_loss', 'train_r2', 'learning_rate', 'updates']
    """
    validation = ["validation_loss"] if config.validation_samples else []
    metrics = [f"train_{config.metric}", *([f"validation_{config.metric}"] if config.validation_samples else [])]
    return ["epoch", "batch_loss", "train_loss", *validation, *metrics, "learning_rate", "updates"]


def layers(config: RunConfig) -> list[str]:
    """The layers as PyTorch writes them, in the order of the program's `nn.Sequential`.

    Example:
        >>> from lossviz.training import PLAYGROUND
        >>> layers(PLAYGROUND)
        ['nn.Linear(2, 4)', 'nn.Tanh()', 'nn.Linear(4, 2)', 'nn.Tanh()', 'nn.Linear(2, 1)']
    """
    found = []
    for inputs, units in pairwise(config.sizes[:-1]):
        found += [f"nn.Linear({inputs}, {units})", *_between(config, units)]
    return [*found, f"nn.Linear({config.sizes[-2]}, {config.sizes[-1]})"]


def _between(config: RunConfig, units: int) -> list[str]:
    """What stands between two linear layers."""
    norm = [f"nn.BatchNorm1d({units})"] if config.batch_norm else []
    return [*norm, _ACTIVATIONS[config.activation], *(["Dropout()"] if config.dropout else [])]


def _parts(config: RunConfig) -> tuple[str, ...]:
    return ("train", "validation") if config.validation_samples else ("train",)


def _tensors(config: RunConfig) -> Section:
    labels = config.fit.labels
    lines, note = [*mistake(config, "labels")], _LABELS.get(labels, "")
    for part in _parts(config):
        if not config.recurrent:
            lines.append(f"x_{part} = torch.tensor(x_{part}, dtype=torch.{config.dtype})")
        lines.append(f"y_{part} = {_target(config, f'y_{part}')}")
    if config.recurrent:
        words, about = recurrent.word_tensors(config)
        lines, note = [*words, *lines], about + note
    imports = ("import torch", *(("from torch.nn import functional as F",) if labels == "one_hot" else ()))
    return Section("Tensors", f"The same numbers for PyTorch.{note}", "\n".join(lines), imports)


def _target(config: RunConfig, name: str) -> str:
    """Code that makes a tensor of an array of targets."""
    return _TARGETS[config.fit.labels].format(name, dtype=config.dtype, classes=config.sizes[-1])


def _model(config: RunConfig) -> Section:
    if config.recurrent:
        return recurrent.torch_model(config)
    lines = []
    if config.dtype == "float64":
        lines += ["torch.set_default_dtype(torch.float64)"]
    if config.hidden and config.dropout:
        kept = f"1 - {config.dropout!r}"
        lines += [
            f"masks = torch.Generator().manual_seed({config.seed} + 2**33)",
            "",
            "",
            "class Dropout(nn.Module):",
            "    # As nn.Dropout, but with a random stream of its own, so that the same units are left out.",
            "    def forward(self, units):",
            "        if not self.training:",
            "            return units",
            f"        mask = torch.empty_like(units).bernoulli_({kept}, generator=masks)",
            f"        return units * (mask / ({kept}))",
            "",
            "",
        ]
    lines.append(f"torch.manual_seed({config.seed})")
    found = layers(config)
    lines += (
        [f"model = nn.Sequential({found[0]})"]
        if len(found) == 1
        else ["model = nn.Sequential(", *(f"    {layer}," for layer in found), ")"]
    )
    first = _first_weights(config)
    text = "The seed decides the first weights."
    return Section("Model", text, "\n".join([*lines, *first]), ("import torch", "from torch import nn"))


def _first_weights(config: RunConfig) -> list[str]:
    """Lines that replace the weights as nn.Linear draws them."""
    if config.initialisation == "default":
        return []
    body = {
        "zeros": ["nn.init.zeros_(layer.weight)", "nn.init.zeros_(layer.bias)"],
        "xavier": ["nn.init.xavier_uniform_(layer.weight)", "nn.init.zeros_(layer.bias)"],
        "he": ['nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")', "nn.init.zeros_(layer.bias)"],
        "large": ["layer.weight.data *= 10", "layer.bias.data *= 10"],
    }[config.initialisation]
    seed = [f"torch.manual_seed({config.seed})"] if config.initialisation in ("xavier", "he") else []
    return [
        "linear = [layer for layer in model if isinstance(layer, nn.Linear)]",
        *seed,
        "for layer in linear:",
        *(f"    {line}" for line in body),
    ]


def _loss(config: RunConfig) -> Section:
    loss, fit = losses.get(config.loss_key), config.fit
    code = loss_lines(loss, config.parameters, loss.reduction("mean"), "torch")
    before, result = code.rsplit("loss = ", 1)
    lines = textwrap.indent(f"{before}return {result}", "    ")
    raw = "output" if config.sizes[-1] > 1 else "output[:, 0]"
    name, *metric = _METRICS[fit.labels]
    whole = [
        "def loss_function(output, target):",
        *(f"    {line}" for line in mistake(config, "link")),
        f"    prediction = {_LINKS.get(fit.link, '{}').format(raw)}",
        lines,
        "",
        "",
        f"def {name}(output, target):",
        *(f"    {line}" for line in metric),
    ]
    text = f"{loss.title}, and " + ("R², the share of the variance that is explained." if name == "r2" else name + ".")
    functional = ("from torch.nn import functional as F",) if "F." in lines else ()
    return Section("Loss", text, "\n".join(whole), functional)


def scheduled(config: RunConfig) -> str:
    """The schedule; "constant" also where it never changes anything, which PyTorch and Keras refuse."""
    return "constant" if config.schedule == "plateau" and config.factor == 1.0 else config.schedule


def _optimizer(config: RunConfig) -> Section:
    settings = {name: repr(getattr(config, name)) for name in ("momentum", "decay", "beta1", "beta2", "weight_decay")}
    rate = repr(config.learning_rate)
    lines = ["optimizer = torch.optim." + _OPTIMIZERS[config.optimizer].format(rate=rate, **settings)]
    schedule, changes = scheduled(config), config.rate_changes
    scheduler, share = "torch.optim.lr_scheduler.", ""
    if schedule == "step":
        scheduler += f"StepLR(optimizer, step_size={config.every}, gamma={config.factor!r})"
    elif schedule == "plateau":
        scheduler += f"ReduceLROnPlateau(optimizer, factor={config.factor!r}, patience={config.every}, eps=0)"
    elif schedule == "cosine" and not changes:
        scheduler += f"CosineAnnealingLR(optimizer, T_max={config.epochs}, eta_min={config.low!r} * {rate})"
    elif schedule == "cosine":
        low = repr(config.low)
        share = f"{low} + (1 - {low}) * (1 + np.cos(np.pi * number / {config.epochs})) / 2"
    elif schedule == "warmup":
        share = f"min(1.0, (number + 1) / {config.every * config.updates_per_epoch})"
    if share:
        unit = "update" if schedule == "warmup" else "epoch"
        lines += [
            "",
            "",
            "def share(number):",
            f"    # Share of the learning rate, by the number of the {unit} from 0.",
        ]
        lines += [f"    return {share}", "", ""]
        scheduler += "LambdaLR(optimizer, share)"
    if schedule != "constant":
        lines.append(f"scheduler = {scheduler}")
    text = f"{optimizers.get(config.optimizer).description}"
    if schedule != "constant":
        text += f" The schedule changes its learning rate: {optimizers.SCHEDULES[schedule].title.lower()}."
    if changes:
        text += " Learning rates that were set on the way hold from their update on, counted from 0."
        lines += changes_lines(config)
    if config.l1 or config.l2:
        dense = "weights = [layer.weight for layer in model if isinstance(layer, nn.Linear)]"
        lines.append(recurrent.PENALISED if config.recurrent else dense)
    if config.updates_per_epoch > 1:
        lines.append(
            f"shuffle = torch.Generator().manual_seed({config.seed} + 2**32)  # draws the order of the samples"
        )
    return Section("Optimizer", text, "\n".join(lines), ("import torch",))


def changes_lines(config: RunConfig) -> list[str]:
    """The learning rates set on the way, by the number of their update."""
    pairs = ", ".join(f"{item.update}: {item.value!r}" for item in config.rate_changes)
    if len(pairs) < WIDTH - 20:
        return [f"changes = {{{pairs}}}"]
    return ["changes = {", *(f"    {line}" for line in textwrap.wrap(f"{pairs},", WIDTH - 8)), "}"]


def _update(config: RunConfig) -> list[str]:
    """The lines of one update."""
    rows = "[rows]" if config.updates_per_epoch > 1 else ""
    schedule, lines = scheduled(config), []
    if config.rate_changes:
        lines += ["if updates in changes:", '    optimizer.param_groups[0]["lr"] = changes[updates]']
        if schedule in ("cosine", "warmup"):
            lines.append("    scheduler.base_lrs = [changes[updates] / share(scheduler.last_epoch)]")
    lines += ["optimizer.zero_grad()", f"loss = loss_function(model(x_train{rows}), y_train{rows})"]
    penalties = [
        f"{share!r} * sum(w.{size}().sum() for w in weights)"
        for share, size in ((config.l1, "abs"), (config.l2, "square"))
        if share
    ]
    if penalties:
        lines += [f"penalty = {' + '.join(penalties)}", "(loss + penalty).backward()"]
    else:
        lines.append("loss.backward()")
    if config.clip != "none":
        lines.append(f"nn.utils.clip_grad_{config.clip}_(model.parameters(), {config.clip_at!r})")
    if schedule == "warmup":
        lines.append('rate = optimizer.param_groups[0]["lr"]')
    lines.append("optimizer.step()")
    if schedule == "warmup":
        lines.append("scheduler.step()")
    return [*lines, "updates += 1"]


def _epoch(config: RunConfig) -> list[str]:
    """The lines of one epoch."""
    modes = bool(config.hidden and (config.dropout or config.batch_norm))
    lines = epoch_lines(config) + (["model.train()"] if modes else [])
    if config.updates_per_epoch > 1:
        alike = config.training_samples, config.batch_rows
        samples, size = ("len(x_train)", "sizes") if sizes_lines(config) else alike
        lines += [
            "total = 0.0",
            f"for rows in torch.randperm({samples}, generator=shuffle).split({size}):",
            *(f"    {line}" for line in _update(config)),
            "    total += loss.item() * len(rows)",
            f"batch_loss = total / {samples}",
        ]
    else:
        lines += [*_update(config), "batch_loss = loss.item()"]
    schedule, validated = scheduled(config), bool(config.validation_samples)
    lines += [*(["model.eval()"] if modes else []), f"train_loss, train_{config.metric} = measure(x_train, y_train)"]
    if validated:
        lines.append(f"validation_loss, validation_{config.metric} = measure(x_validation, y_validation)")
    if schedule != "warmup":
        lines.append('rate = optimizer.param_groups[0]["lr"]')
    names = ["rate" if name == "learning_rate" else name for name in columns(config)]
    lines += [f"row = {', '.join(names)}", "history.append(row)", 'print(*row, sep=",")']
    if schedule in ("step", "cosine"):
        lines.append("scheduler.step()")
    elif schedule == "plateau":
        lines.append(f"scheduler.step({'validation_loss' if validated else 'train_loss'})")
    if config.patience is not None or config.best_weights:
        lines += ["if validation_loss < best_loss:", "    best_epoch, best_loss = epoch, validation_loss"]
    if config.best_weights:
        lines.append("    best_weights = {name: value.clone() for name, value in model.state_dict().items()}")
    watched = ", ".join(["batch_loss", "train_loss", *(["validation_loss"] if validated else [])])
    lines += [
        f"if not np.isfinite([{watched}]).all():",
        f'    print("# The loss grew beyond what {config.dtype} can hold: the steps were too large.")',
        "    break",
    ]
    if config.patience is not None:
        lines += [f"if epoch - best_epoch >= {config.patience}:", '    print("# Stopped early.")', "    break"]
    return lines


def _training(config: RunConfig) -> Section:
    watches = config.patience is not None or config.best_weights
    lines = [
        "def measure(x, y):",
        "    with torch.no_grad():",
        "        output = model(x)",
        f"        return loss_function(output, y).item(), {config.metric}(output, y)",
        "",
        "",
        *sizes_lines(config),
        "history = []",
        "updates = 0",
        *(['best_epoch, best_loss = 0, float("inf")'] if watches else []),
        f'print("{",".join(columns(config))}")',
        f"for epoch in range(1, {config.epochs + 1}):",
        *(f"    {line}" for line in _epoch(config)),
        "",
    ]
    if config.best_weights:
        lines += ["if best_epoch:", "    model.load_state_dict(best_weights)"]
        lines += ['    print(f"# The weights of epoch {best_epoch} are back.")']
    validation = ", validation loss {validation_loss:.6g}" if config.validation_samples else ""
    lines.append(f'print(f"# {{epoch}} epochs: training loss {{train_loss:.6g}}{validation}.")')
    if parameter_count(config) <= MOST_SHOWN:
        lines += ["for name, value in model.state_dict().items():", '    print("#", name, value.tolist())']
    batches = (
        f"Each epoch is {config.updates_per_epoch} updates on batches of {config.batch_rows}."
        if config.updates_per_epoch > 1
        else "Each epoch is one update on all training points."
    )
    text = f"{batches} The batch loss is a mean over the epoch, before each update; the others are measured after it."
    return Section("Training", text, "\n".join(lines), ("import torch",))
