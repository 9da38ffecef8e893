"""A run as one page of HTML that needs nothing but itself: settings, how it went, curves, and the way back to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from lossviz import losses, optimizers
from lossviz.export.run_chart import Curve, chart
from lossviz.export.run_files import config_json
from lossviz.export.run_recurrent import model_title
from lossviz.export.run_script import run_script, scheduled, title
from lossviz.models import ACTIVATIONS, INITIALISATIONS
from lossviz.training import Diagnosis, Event, RunConfig, diagnose
from lossviz.training.points import in_words
from lossviz.training.wiring import RIGHT, WIRINGS
from lossviz.writing import heading

_ROWS: Final = 12
_NAMES: Final = {
    "beta1": "Beta 1",
    "beta2": "Beta 2",
    "every": "Schedule, epochs",
    "factor": "Schedule, factor",
    "low": "Schedule, share at the end",
}
_METRICS: Final = {"accuracy": "Accuracy", "r2": "R²"}


def run_report(
    config: RunConfig, events: Sequence[Event], query: str = "", reason: str = "", found: Diagnosis | None = None
) -> str:
    """Return a report on a run as one page of HTML.

    It asks for nothing from a network, follows the reader's choice of a light or dark page, and prints. The numbers in
    its tables are exact: reading them gives the run's numbers again.

    Args:
        config: the run, with the learning rates set on the way.
        events: what it brought, in order; at least one.
        query: what follows the ? in the address that opens the run.
        reason: why it ended, as `RunState.reason` says it.
        found: what `examine` says of it; None: what its curves alone say.

    Returns:
        The page.

    Raises:
        ValueError: there are no events.

    Example:
        >>> from dataclasses import replace
        >>> from lossviz.training import CLASSIC, run
        >>> config = replace(CLASSIC, epochs=3)
        >>> page = run_report(config, list(run(config)))
        >>> page.count("<svg"), "http" in page
        (2, False)
    """
    if not events:
        raise ValueError("events is empty; a report needs at least one epoch")
    name = title(config)
    blocks = [
        _block("How it went", _outcome(config, events, reason, found or diagnose(events, config))),
        _block("Loss", chart("Loss", [event.epoch for event in events], _loss_curves(config, events))),
        _metric_block(config, events),
        _rate_block(config, events),
        _block("Settings", _table(("Setting", "Value"), settings_rows(config), "Settings")),
        _block("Some epochs", _epochs(config, events)),
        _block("The same run again", _again(config, query)),
    ]
    return _PAGE.format(title=escape(name), blocks="".join(blocks))


def settings_rows(config: RunConfig) -> list[tuple[str, str]]:
    """The settings that decide this run, each with its value; those that have no effect on it are left out.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> settings_rows(CLASSIC)[1:3]
        [('Points', '4 to train on, none for validation'), ('Features', 'as they are')]
    """
    data, loss = config.data, losses.get(config.loss_key)
    held_out = config.validation_samples or "none"
    dense = not config.recurrent
    drawn = config.validation_samples or config.samples != data.samples_high
    rows: list[tuple[str, Any]] = [
        ("Data", data.title if config.own is None else f"{data.title}, {data.description}"),
        (data.noun.capitalize(), f"{config.training_samples} to train on, {held_out} for validation"),
        ("Noise", config.noise if config.noise else None),
        ("Data seed", config.data_seed if drawn else None),
        ("Features", ("standardised" if config.standardise else "as they are") if dense else None),
        ("Units", "-".join(map(str, config.sizes)) if dense else None),
        ("Model", None if dense else model_title(config)),
        ("Activation", ACTIVATIONS[config.activation].title if config.hidden and dense else None),
        ("First weights", INITIALISATIONS[config.initialisation]),
        ("Batch normalisation", "on" if config.hidden and config.batch_norm else None),
        ("Dropout", config.dropout if config.hidden and config.dropout else None),
        ("Loss", loss.title),
    ]
    rows += [(heading(name), value) for name, value in config.parameters.items()]
    rows.append(("Mistake to look at", WIRINGS[config.wiring].title if config.wiring != RIGHT else None))
    optimizer, schedule = optimizers.get(config.optimizer), optimizers.SCHEDULES[scheduled(config)]
    rows.append(("Optimizer", optimizer.title))
    rows += [(_NAMES.get(name, heading(name)), getattr(config, name)) for name in optimizer.settings]
    rows += [("Learning rate", config.learning_rate), ("Schedule", schedule.title if schedule.settings else None)]
    rows += [(_NAMES[name], getattr(config, name)) for name in schedule.settings]
    if config.rate_changes:
        changes = ", ".join(f"{item.rate!r} from update {item.update}" for item in config.rate_changes)
        rows.append(("Learning rates set on the way", changes))
    if config.point_changes:
        changes = "; ".join(f"{in_words(config, item)} from update {item.update}" for item in config.point_changes)
        rows.append(("Points changed on the way", changes))
    clip = {"none": None, "norm": f"to a length of {config.clip_at!r}", "value": f"each number to ±{config.clip_at!r}"}
    rows += [
        ("Gradients clipped", clip[config.clip]),
        ("L1 penalty", config.l1 or None),
        ("L2 penalty", config.l2 or None),
        ("Batch size", config.batch_rows if config.updates_per_epoch > 1 else f"all {config.training_samples}"),
        ("Epochs at most", config.epochs),
        ("Patience", config.patience),
        ("Best weights", "brought back at the end" if config.best_weights else None),
        ("Seed", config.seed),
        ("Numbers", config.dtype),
    ]
    return [(name, value if isinstance(value, str) else _exact(value)) for name, value in rows if value is not None]


def _exact(value: Any) -> str:
    return ", ".join(map(repr, value)) if isinstance(value, tuple) else repr(value)


def _outcome(config: RunConfig, events: Sequence[Event], reason: str, found: Diagnosis) -> str:
    last, metric = events[-1], _METRICS[config.metric]
    sentences = [f"{found.sentence} {found.experiment}".strip(), *([reason] if reason else [])]
    rows = [
        ("Loss", last.train_loss, last.validation_loss),
        (metric, last.train_metric, last.validation_metric),
    ]
    heads: tuple[str, ...] = (f"After epoch {last.epoch}", "Training")
    if config.validation_samples:
        heads = (*heads, "Validation")
    cells = [tuple("not defined" if cell is None else _cell(cell) for cell in row[: len(heads)]) for row in rows]
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    best = ""
    known = [event for event in events if event.validation_loss is not None]
    if known:
        low = min(known, key=lambda event: event.validation_loss or 0.0)
        best = f"<p>The lowest validation loss was {low.validation_loss!r}, in epoch {low.epoch}.</p>"
    return paragraphs + _table(heads, cells, "Final numbers") + best


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _loss_curves(config: RunConfig, events: Iterable[Event]) -> list[Curve]:
    curves = [Curve("training", [event.train_loss for event in events])]
    if config.validation_samples:
        curves.append(Curve("validation", [event.validation_loss for event in events]))
    return curves


def _metric_block(config: RunConfig, events: Sequence[Event]) -> str:
    curves = [Curve("training", [event.train_metric for event in events])]
    if config.validation_samples:
        curves.append(Curve("validation", [event.validation_metric for event in events]))
    name = _METRICS[config.metric]
    return _block(name, chart(name, [event.epoch for event in events], curves))


def _rate_block(config: RunConfig, events: Sequence[Event]) -> str:
    rates = [event.learning_rate for event in events]
    if len(set(rates)) == 1:
        return ""
    curve = chart("Learning rate", [event.epoch for event in events], [Curve("rate", rates)], even=True)
    return _block("Learning rate", curve)


def _epochs(config: RunConfig, events: Sequence[Event]) -> str:
    count = min(_ROWS, len(events))
    chosen = sorted({round(number * (len(events) - 1) / max(1, count - 1)) for number in range(count)})
    metric = _METRICS[config.metric].replace("Accuracy", "accuracy")  # within a phrase
    heads = ["Epoch", "Batch loss", "Training loss", "Validation loss", f"Training {metric}", f"Validation {metric}"]
    rows = []
    for event in (events[number] for number in chosen):
        values = [
            event.batch_loss,
            event.train_loss,
            event.validation_loss,
            event.train_metric,
            event.validation_metric,
        ]
        rows.append([str(event.epoch), *("" if value is None else repr(value) for value in values)])
    if not config.validation_samples:
        heads, rows = _without(heads), [_without(row) for row in rows]
    note = "<p>The batch loss is the mean over the epoch's batches, before each update.</p>"
    return note + _table(tuple(heads), [tuple(row) for row in rows], "Some epochs")


def _without(row: list[str]) -> list[str]:
    """A row without the columns of the validation part."""
    return [cell for number, cell in enumerate(row) if number not in (3, 5)]


def _again(config: RunConfig, query: str) -> str:
    link = (
        "<p>Put this behind the address of lossviz's Train page:</p>" + _code(f"?{query}", "Address") if query else ""
    )
    settings = _details("The settings as a file", config_json(config), "Settings as JSON")
    return f"{link}{settings}{_details('The run as a PyTorch program', run_script(config), 'PyTorch program')}"


def _details(summary: str, text: str, label: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{_code(text, label)}</details>"


def _code(text: str, label: str) -> str:
    return f'<pre tabindex="0" role="region" aria-label="{escape(label)}">{escape(text)}</pre>'


def _block(name: str, body: str) -> str:
    return f"<section><h2>{escape(name)}</h2>{body}</section>\n"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], label: str) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(text)}</td>" for text in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}, table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · lossviz</title>
<style>
:root {{ --page: #ffffff; --card: #f3f6fa; --ink: #0d1722; --soft: #4a5560; --line: #c9d2dc; --first: #0072b2;
  --second: #a84c00; --link: #0b5cad; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #10161d; --card: #1a232d; --ink: #e8eef5; --soft: #b7c1cc;
  --line: #3a4653; --first: #56b4e9; --second: #f0943a; --link: #8cc6ff; }} }}
@media print {{ :root {{ --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #333333; --line: #bbbbbb;
  --first: #0072b2; --second: #a84c00; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem; }}
p {{ margin: 0 0 .6rem; }}
.kind {{ color: var(--soft); }}
svg {{ display: block; width: 100%; height: auto; }}
.grid {{ stroke: var(--line); stroke-width: 1; fill: none; }}
.tick, .axis {{ fill: var(--soft); font-size: 13px; }}
.curve {{ fill: none; stroke-width: 2.2; stroke-linejoin: round; }}
.c0 {{ stroke: var(--first); }}
.c1 {{ stroke: var(--second); stroke-dasharray: 7 4; }}
.name {{ font-size: 14px; font-weight: 600; }}
.n0 {{ fill: var(--first); }}
.n1 {{ fill: var(--second); }}
.scroll {{ overflow-x: auto; margin-bottom: .7rem; }}
table {{ border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .3rem 1.2rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }}
tbody th {{ font-weight: 500; color: var(--soft); white-space: nowrap; }}
pre {{ background: var(--card); padding: .8rem; overflow: auto; max-height: 28rem; border-radius: .5rem;
  font: .85rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }}
summary {{ cursor: pointer; padding: .6rem 0; color: var(--link); font-weight: 600; }}
:focus-visible {{ outline: 3px solid var(--link); outline-offset: 2px; }}
footer {{ margin-top: 2.5rem; color: var(--soft); font-size: .9rem; }}
@media (max-width: 34rem) {{ .tick, .name {{ font-size: 20px; }} .axis {{ display: none; }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="kind">A training run of lossviz</p>
{blocks}<footer>Made by lossviz. Every number here was computed by PyTorch.</footer>
</main>
</body>
</html>
"""
