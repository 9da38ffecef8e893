"""A run as a Jupyter notebook: the PyTorch program, cell by cell, with the text between and a plot at the end."""

from __future__ import annotations

import json
from typing import Any

from lossviz.export.run_script import columns, import_lines, introduction, run_sections
from lossviz.training import RunConfig


def run_notebook(config: RunConfig) -> str:
    """Return the run as a notebook of format 4.5.

    Its code cells are the PyTorch program; only the last one, which draws the curves, needs matplotlib.

    Args:
        config: the run, with the learning rates set on the way.

    Returns:
        The file's text, JSON.

    Example:
        >>> import json
        >>> from lossviz.training import CLASSIC
        >>> notebook = json.loads(run_notebook(CLASSIC))
        >>> notebook["nbformat"], notebook["cells"][0]["source"]
        (4, ['# Four points on a line, linear model 1-1, mean squared error, SGD'])

    Source: https://nbformat.readthedocs.io/en/latest/format_description.html
    """
    title, *rest = introduction(config).splitlines()
    sections = run_sections(config)
    cells = [
        _cell("markdown", "title", f"# {title.removesuffix('.')}"),
        _cell("markdown", "about", "\n\n".join([*rest, "The last cell also needs matplotlib."])),
        _cell("code", "imports", "\n".join(import_lines(sections))),
    ]
    for section in sections:
        name = section.title.lower().replace(" ", "-")
        cells.append(_cell("markdown", f"about-{name}", f"## {section.title}\n\n{section.text}"))
        cells.append(_cell("code", name, section.code))
    cells.append(_cell("markdown", "about-curves", "## Curves"))
    cells.append(_cell("code", "curves", _plot(config)))
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, name: str, source: str) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}


def _plot(config: RunConfig) -> str:
    names = ", ".join(f'"{name}"' for name in columns(config))
    lines = [
        "import matplotlib.pyplot as plt",
        "",
        f"curves = dict(zip([{names}], zip(*history)))",
        'plt.plot(curves["epoch"], curves["train_loss"], label="training")',
    ]
    if config.validation_samples:
        lines.append('plt.plot(curves["epoch"], curves["validation_loss"], "--", label="validation")')
    return "\n".join([*lines, 'plt.xlabel("epoch")', 'plt.ylabel("loss")', "plt.legend()", "plt.show()"])
