"""The data of a run as code: NumPy lines that draw, split and standardise the very points that the run used."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable
from typing import Any, Final

from lossviz.export.run_own import reading_lines, reading_text
from lossviz.export.run_points import first_lines
from lossviz.export.section import Section
from lossviz.training import RunConfig

_LOADERS: Final = {"diabetes": "return_X_y=True, scaled=False"}  # arguments where they differ from the others'


def data_section(config: RunConfig) -> Section:
    """Return the lines that make `x_train`, `y_train` and, where there is a validation part, `x_validation` and so on.

    Features are float64 arrays, standardised if the config says so; targets are numbers or class numbers from 0.

    Args:
        config: the run.

    Returns:
        The section; its code needs NumPy as np and what `imports` holds.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> print(data_section(CLASSIC).code)
        def four_points(samples, noise, generator):
            x = np.arange(1.0, samples + 1.0)
            return x[:, None], 2.0 * x
        <BLANKLINE>
        <BLANKLINE>
        x, y = four_points(4, 0.0, np.random.default_rng(0))
        x_train, y_train = x, y  # the model trains on all points
    """
    data = config.data
    lines = _load(config) if data.real else _draw(config)
    if config.validation_samples:
        held_out = config.validation_samples
        lines += [
            "",
            f"# {held_out} of the {config.samples} points are held out for validation: the model never trains on them.",
            *_parts(config),
            "x_train, y_train, x_validation, y_validation = x[training], y[training], x[validation], y[validation]",
        ]
    else:
        lines.append("x_train, y_train = x, y  # the model trains on all points")
    changed = first_lines(config)
    if config.standardise:
        lines += [
            "",
            "# Over the training points each feature gets mean 0 and standard deviation 1.",
            "mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)",
            "deviation = np.where(deviation > 0, deviation, 1.0)  # a feature that never changes stays as it is",
            *changed,
            *([""] if changed else []),
            "x_train = (x_train - mean) / deviation",
        ]
        if config.validation_samples:
            lines.append("x_validation = (x_validation - mean) / deviation")
    else:
        lines += changed
    imports = []
    if data.real and not config.own:
        imports.append(f"from sklearn.datasets import load_{config.dataset}")
    if config.stratify and config.validation_samples:
        imports.append("from sklearn.model_selection import train_test_split")
    text = reading_text(config) if config.own else f"{data.title}. {data.description}"
    return Section("Data", text, "\n".join(lines), tuple(imports))


def needs_scikit_learn(config: RunConfig) -> bool:
    """Whether the program of a run takes rows or their split from scikit-learn."""
    return any("sklearn" in line for line in data_section(config).imports)


def _parts(config: RunConfig) -> list[str]:
    """The rows of both parts."""
    held_out = config.validation_samples
    if config.stratify:
        return [
            "# Each class has the same share in both parts.",
            "training, validation = train_test_split(",
            f"    np.arange({config.samples}), test_size={held_out}, stratify=y, random_state={config.data_seed}",
            ")",
            "training, validation = np.sort(training), np.sort(validation)",
        ]
    return [
        f"order = np.random.default_rng(({config.data_seed}, 1)).permutation({config.samples})",
        f"validation, training = np.sort(order[:{held_out}]), np.sort(order[{held_out}:])",
    ]


def _load(config: RunConfig) -> list[str]:
    """Rows of the learner's file, or of a table that comes with scikit-learn."""
    key, full = config.dataset, config.data.samples
    lines = reading_lines(config) if config.own else [f"x, y = load_{key}({_LOADERS.get(key, 'return_X_y=True')})"]
    if config.samples != full:
        lines += [
            f"rows = np.sort(np.random.default_rng({config.data_seed}).permutation({full})[:{config.samples}])",
            "x, y = x[rows], y[rows]",
        ]
    if key == "breast_cancer":
        lines.append("y = 1 - y  # here class 1 is what a doctor looks for: malignant")
    return lines


def _draw(config: RunConfig) -> list[str]:
    """The generator of the data set, taken from its own source, and the call."""
    draw = config.data.draw
    call = f"{_public(draw.__name__)}({config.samples}, {config.noise!r}, np.random.default_rng({config.data_seed}))"
    return [*_source(draw), "", "", f"x, y = {call}"]


def _source(function: Callable[..., Any]) -> list[str]:
    """A module's function with all that it uses of its module, without types and leading underscores."""
    text = inspect.getsource(sys.modules[function.__module__])
    parts = {name: node for node in ast.parse(text).body for name in _names(node)}
    needed, waiting = set(), [function.__name__]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            used = {node.id for part in _body(parts[name]) for node in ast.walk(part) if isinstance(node, ast.Name)}
            waiting += [other for other in used if other in parts and other != name]
    lines: list[str] = []
    before: ast.stmt | None = None
    for node in (node for name, node in parts.items() if name in needed):
        apart = isinstance(node, ast.FunctionDef) or isinstance(before, ast.FunctionDef)
        lines += ["", ""] if lines and apart else []
        lines += _written(node, text.splitlines())
        before = node
    return lines


def _body(node: ast.stmt) -> list[ast.stmt]:
    """What of a statement of a module runs: a function's body without its types, or an assignment."""
    return node.body if isinstance(node, ast.FunctionDef) else [node]


def _names(node: ast.stmt) -> list[str]:
    """The name that a statement of a module gives to something of its own."""
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _written(node: ast.stmt, text: list[str]) -> list[str]:
    """The lines of a statement as a learner should read them."""
    if not isinstance(node, ast.FunctionDef):
        lines = [_public(line) for line in text[node.lineno - 1 : node.end_lineno]]
        return [re.sub(r": Final\b.*? = ", " = ", lines[0]), *lines[1:]]
    assert node.returns is not None
    arguments = ", ".join(argument.arg for argument in node.args.args)
    head = f"def {_public(node.name)}({arguments}):"
    return [head, *(_public(line) for line in text[node.returns.end_lineno : node.end_lineno] if '"""' not in line)]


def _public(text: str) -> str:
    text = re.sub(r"^( +\w+): \w+\[[^=]*\] = ", r"\1 = ", text)  # the type of a local name
    return re.sub(r"(?<![\w.])_(?=[a-zA-Z])", "", text)
