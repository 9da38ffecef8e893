"""A loss's card as one printable page of HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import numpy as np
from latex2mathml.converter import convert

from lossviz import losses
from lossviz.cards import BoardCurve, board_curve, domain_sentence
from lossviz.evaluation import board_state
from lossviz.export.code import torch_code
from lossviz.losses.base import PROPERTIES, TASKS, Loss
from lossviz.proof import prove
from lossviz.writing import format_number, heading

MOST_TERMS: Final = 4
MARGIN: Final = 52
"""Room for the numbers on the left of the figure."""


def card_html(key: str, prediction: Any = None, target: Any = None, reduction: str = "mean", **parameters: Any) -> str:
    """The card of a loss on one page of A4, with the numbers of a board.

    Formulas are MathML and the figure is SVG, so the page shows and prints without a network. A short script makes the
    type smaller until all of it is on one page.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: The board's predictions, by name where there are several; its starting example if None.
        target: The board's targets, likewise.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        The page.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> page = card_html("mse")
        >>> "<title>Mean squared error" in page, "<math" in page, "src=" in page
        (True, True, False)
    """
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    start = {name: value.tolist() for name, value in loss.example.items()}
    roles = {
        role: {item.name: start[item.name] for item in loss.board.variables if item.role == role} or None
        for role in ("prediction", "target")
    }
    prediction = roles["prediction"] if prediction is None else prediction
    target = roles["target"] if target is None else target
    state = board_state(loss, prediction, target)
    inputs = loss.board.inputs(state)
    proof = prove(
        key,
        {item.name: inputs[item.name] for item in loss.predictions},
        {item.name: inputs[item.name] for item in loss.targets} or None,
        reduction,
        **parameters,
    )
    chosen = loss.reduction(reduction)
    worked = [
        f"<tr><td>{index}</td><td>{escape(text)}</td><td>{escape(format_number(value))}</td></tr>"
        for index, (text, value) in enumerate(zip(proof.worked, proof.terms, strict=True), 1)
    ][:MOST_TERMS]
    left_out = len(proof.terms) - len(worked)
    more = f"<p class='small'>and {left_out} more {'term' if left_out == 1 else 'terms'}</p>" if left_out else ""
    total, divisor = format_number(sum(proof.terms)), format_number(proof.denominator)
    curve = board_curve(loss, state, params, reduction)
    set_to = ", ".join(f"{name} = {_setting(value)}" for name, value in params.items() if value is not None)
    code = torch_code(key, prediction, target, reduction, **parameters)
    blocks = [
        _block("With numbers", f"<table>{''.join(worked)}</table>{more}<p>Sum {total}, divided by {divisor}: "
               f"<b>{format_number(proof.value)}</b> ({escape(chosen.title.lower())}"
               f"{escape('; ' + set_to) if set_to else ''}).</p>"),
        _block("The loss along one handle", _figure(curve)) if curve else "",
        _block("What goes in", "".join(f"<p><b>{escape(heading(item.name))}.</b> {escape(domain_sentence(item))}</p>"
                                       for item in loss.inputs)),
        _block("Best constant prediction", f"<p>{escape(loss.minimiser)}</p>"),
        _block("When to use it", f"<p>{escape(loss.use_when)}</p>"),
        _block("When not", f"<p>{escape(loss.avoid_when)}</p>"),
        _block("What goes wrong", _list(pitfall.text for pitfall in loss.pitfalls)),
        _block("Good to know", _list(_facts(loss))),
        _block("Relatives", _list(f"{losses.get(item.key).title}: {item.text}." for item in loss.relatives)),
        _block("Sources", _list(loss.references)),
    ]  # fmt: skip
    also = f" · also called {escape(', '.join(loss.aliases))}" if loss.aliases else ""
    return _PAGE.format(
        title=escape(loss.title),
        task=escape(TASKS[loss.task]),
        also=also,
        summary=escape(loss.summary),
        formula=_math(r"\ell_i = " + loss.formula),
        reduction=_math("L = " + chosen.formula.replace("#", r"\ell_i")),
        gradient=_math(loss.gradient_formula),
        held=f"<p class='small'>{escape(loss.frozen_note)}</p>" if loss.frozen_note else "",
        blocks="".join(blocks),
        code=escape(code),
    )


def _setting(value: Any) -> str:
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(format_number, value)) + ")"
    return str(value)


def _facts(loss: Loss) -> list[str]:
    kinks = [loss.kinks] if loss.kinks else []
    return [*(f"{PROPERTIES[name]}." for name in loss.properties), *(item.text for item in loss.invariances), *kinks]


def _block(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


def _list(items: Any) -> str:
    rows = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{rows}</ul>" if rows else ""


def _math(formula: str) -> str:
    """A formula as MathML, one definition a line."""
    lines = formula.split(r",\quad")
    if any(line.count(r"\begin") != line.count(r"\end") for line in lines):  # the gap stands inside cases
        lines = [formula]
    return "".join(convert(_plain(line), display="block").replace(_BRACE, '<mtable class="cases"') for line in lines)


_BRACE: Final = '<mo stretchy="true" fence="true" form="prefix">&#x0007B;</mo><mtable'
"""The brace before cases: it only grows with fonts made for formulas, so a border takes its place."""
_REPLACED: Final[Mapping[str, str]] = {r"\mathbb{1}": r"\mathbf{1}", r"\tfrac": r"\frac", r"\dfrac": r"\frac"}


def _plain(formula: str) -> str:
    """The formula in the part of LaTeX that the converter draws well."""
    for written, read in _REPLACED.items():
        formula = formula.replace(written, read)
    return formula


def _figure(curve: BoardCurve) -> str:
    """The curve as a small SVG with its ends, its lowest and highest value, and where the handle is."""
    known = np.isfinite(curve.values)
    places, values = curve.positions[known], curve.values[known]
    low, high = float(values.min()), float(values.max())
    left, right = float(places.min()), float(places.max())
    width, height = 300.0, 120.0

    def x(place: float) -> float:
        return MARGIN + (place - left) / ((right - left) or 1) * (width - MARGIN - 10)

    def y(value: float) -> float:
        return height - 22 - (value - low) / ((high - low) or 1) * (height - 34)

    points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in zip(places, values, strict=True))
    at, value = (format_number(number) for number in (curve.at, curve.value))
    spoken = escape(f"The loss along {curve.handle}: {value} at {at}.")
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{spoken}">'
        f'<path d="M{MARGIN} 6V{height - 22:g}H{width - 8:g}" class="axis"/><polyline points="{points}" class="curve"/>'
        f'<circle cx="{x(curve.at):.1f}" cy="{y(curve.value):.1f}" r="4" class="dot"/>'
        f'<text x="{MARGIN - 5}" y="14" class="end">{format_number(high)}</text>'
        f'<text x="{MARGIN - 5}" y="{height - 22:g}" class="end">{format_number(low)}</text>'
        f'<text x="{MARGIN}" y="{height - 8:g}">{format_number(left)}</text>'
        f'<text x="{width - 8:g}" y="{height - 8:g}" class="end">{format_number(right)}</text></svg>'
        f"<p class='small'>{escape(curve.handle)} is at {at}, where the loss is {value}.</p>"
    )


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title} · lossviz</title>
<style>
@page {{ size: A4; margin: 0; }}
* {{ box-sizing: border-box; }}
html {{ font-size: 10.5pt; }}
body {{ margin: 0; background: #e9edf2; color: #0d1722; font: 1rem/1.36 system-ui, "Segoe UI", Roboto, sans-serif;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; }}
main {{ width: 210mm; height: 296.5mm; margin: 6mm auto; padding: 11mm 13mm; background: #fff; overflow: hidden; }}
header {{ border-bottom: .2rem solid #0b5cad; padding-bottom: .4rem; margin-bottom: .6rem; }}
h1 {{ font-size: 1.9rem; line-height: 1.15; margin: 0 0 .1rem; }}
header p {{ margin: .2rem 0 0; }}
.kind, .small {{ color: #4a5560; font-size: .88rem; }}
.summary {{ font-size: 1.1rem; }}
.formulas {{ display: flex; flex-wrap: wrap; gap: .2rem 2rem; align-items: flex-start; margin-bottom: .4rem; }}
.cases {{ border-left: .1em solid; border-radius: .5em; padding-left: .35em; }}
.formulas math {{ display: block math; text-align: left; margin: .2rem 0; }}
h2 {{ font-size: .84rem; letter-spacing: .03em; text-transform: uppercase; color: #084a8c; margin: 0 0 .15rem; }}
.columns {{ columns: 2; column-gap: 9mm; }}
section {{ margin-bottom: .65rem; }}
h2 {{ break-after: avoid; }}
svg, li, tr, p {{ break-inside: avoid; }}
p {{ margin: 0 0 .25rem; }}
ul {{ margin: 0; padding-left: 1.1rem; }}
li {{ margin-bottom: .15rem; overflow-wrap: anywhere; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
td {{ border-top: 1px solid #c9d2dc; padding: .12rem .4rem .12rem 0; vertical-align: top; overflow-wrap: anywhere; }}
td:last-child {{ text-align: right; white-space: nowrap; }}
pre {{ margin: 0; padding: .5rem .7rem; background: #f3f6fa; border: 1px solid #c9d2dc; border-radius: .3rem;
  font: .8rem/1.35 ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; }}
svg {{ width: 100%; height: auto; display: block; }}
svg text {{ font-size: 11px; fill: #0d1722; }}
.end {{ text-anchor: end; }}
.axis {{ fill: none; stroke: #7e8b99; }}
.curve {{ fill: none; stroke: #0072b2; stroke-width: 2.2; }}
.dot {{ fill: #c65102; }}
footer {{ margin-top: .5rem; }}
@media print {{ body {{ background: none; }} main {{ margin: 0; }} }}
</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p class="kind">{task}{also}</p>
<p class="summary">{summary}</p>
</header>
<div class="formulas">
<section><h2>One term</h2>{formula}</section>
<section><h2>The loss</h2>{reduction}</section>
<section><h2>Slope of one term</h2>{gradient}{held}</section>
</div>
<div class="columns">{blocks}</div>
<section><h2>PyTorch</h2><pre>{code}</pre></section>
<footer class="small">lossviz · every number here was computed by PyTorch</footer>
</main>
<script>
{{
  const page = document.querySelector("main");
  let size = 10.5;
  while (size > 5 && (page.scrollHeight > page.clientHeight || page.scrollWidth > page.clientWidth)) {{
    size -= 0.25;
    document.documentElement.style.fontSize = size + "pt";
  }}
}}
</script>
</body>
</html>
"""
