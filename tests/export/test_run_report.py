"""The report needs nothing but itself and holds exact numbers; the notebook runs from top to bottom."""

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
import torch

from lossviz.export import read_config, rounding_epoch, run_notebook, run_report
from lossviz.export.run_chart import Curve, chart, thinned, ticks
from lossviz.export.run_report import settings_rows
from lossviz.optimizers import SCHEDULES
from lossviz.training import CLASSIC, PLAYGROUND, Intervention, RunConfig, examine, preset, presets, run
from tests.export.test_run_script import CASES, assert_same_curves, execute, trained
from tests.training.test_settings import BASE

VOID = {"meta", "br"}


class Page(HTMLParser):
    """The elements of a page, checked to be closed in order, with the text of each table cell."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.cells, self.blocks = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.open and self.open[-1] in {"td", "pre"}:
            (self.cells if self.open[-1] == "td" else self.blocks).append(data)


REPORTS = {
    "classic": replace(CLASSIC, epochs=40),
    "playground": replace(PLAYGROUND, epochs=30, schedule="cosine"),
    "diverging": RunConfig(dataset="sine", loss="mse", hidden=(), learning_rate=60.0, epochs=300, batch_size=None),
    "one epoch": RunConfig(dataset="iris", epochs=1),
    "one point for validation": RunConfig(dataset="sine", samples=20, validation_fraction=0.01, epochs=4),
    "everything": replace(BASE, **CASES["all at once"], interventions=(Intervention(9, value=0.5),), patience=5),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_report_needs_nothing_but_itself(name):
    config = REPORTS[name]
    state, events = trained(config)
    text = run_report(config, events, "data=circle&hidden=8_4", state.reason)
    page = Page(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<img|src=", text)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    assert next(found for tag, found in page.elements if tag == "html")["lang"] == "en"
    assert all(found["aria-label"] and found["role"] == "img" for tag, found in page.elements if tag == "svg")
    assert "?data=circle&hidden=8_4" in "".join(page.blocks)
    assert read_config(next(block for block in page.blocks if block.startswith("{"))) == config


@pytest.mark.parametrize("name", REPORTS)
def test_numbers_of_the_report_are_exact(name):
    config = REPORTS[name]
    events = trained(config)[1]
    cells = Page(run_report(config, events)).cells
    last = events[-1]
    for value in (last.batch_loss, last.train_loss, last.validation_loss, last.train_metric, last.validation_metric):
        assert value is None or repr(value) in cells


def test_the_report_says_what_was_seen_inside_and_what_to_try():
    config = replace(preset("softmax_twice").config, samples=100, epochs=2)
    state, events = trained(config)
    found = examine(state, events)
    text = unescape(run_report(config, events, "", state.reason, found))
    assert f"<p>{found.sentence} {found.experiment}</p>" in text
    assert found.kind == "softmax twice"
    assert dict(settings_rows(config))["Mistake to look at"] == "Softmax twice"
    assert "Softmax twice: each" not in unescape(run_report(config, events))


def test_a_report_without_epochs_is_refused():
    with pytest.raises(ValueError, match="events is empty"):
        run_report(CLASSIC, [])


@pytest.mark.parametrize("key", SCHEDULES)
def test_settings_without_effect_are_left_out(key):
    names = dict(settings_rows(replace(PLAYGROUND, schedule=key)))
    assert ("Schedule" in names) == (key != "constant")
    assert ("Schedule, epochs" in names) == ("every" in SCHEDULES[key].settings)
    linear = dict(settings_rows(replace(PLAYGROUND, hidden=(), dropout=0.5, optimizer="adam")))
    assert not {"Activation", "Dropout", "Momentum", "Patience", "L1 penalty"} & linear.keys()
    assert linear["Beta 1"] == "0.9"


def test_charts_stay_small_and_keep_what_sticks_out():
    values = [1.0] * 9_999 + [float("nan")]
    values[4_321] = 50.0
    places, kept = thinned(range(1, 10_001), values)
    assert len(places) <= 502
    assert dict(zip(places, kept, strict=True))[4_322] == 50.0
    text = chart("Loss", range(1, 10_001), [Curve("training", values), Curve("validation", [None] * 10_000)])
    assert text.count("<polyline") == 1
    assert "nan" not in text
    assert "validation: none" in text
    assert len(text) < 20_000


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-3.0, 0.04), (1e-9, 2e-9), (5.0, 5.0), (0.0, 0.0), (1e30, 3e35)]
)
def test_ticks_hold_all_values(low, high):
    marks = ticks(low, high)
    assert 2 <= len(marks) <= 8
    assert marks[0] <= low <= high <= marks[-1]


@pytest.mark.parametrize(
    "config",
    [*(replace(example.config, epochs=3) for example in presets()), replace(BASE, **CASES["all at once"])],
    ids=lambda config: f"{config.dataset}-{config.optimizer}",
)
def test_the_notebook_runs(config):
    """All cells but the last, which needs matplotlib."""
    notebook = json.loads(run_notebook(config))
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    for cell in notebook["cells"]:
        more = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | more
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        assert all(isinstance(line, str) for line in cell["source"])
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        compile(cell, "cell", "exec")
    assert "import matplotlib" in code[-1]
    assert all("matplotlib" not in cell for cell in code[:-1])
    events = list(run(config))
    text, names = execute("\n".join(code[:-1]))
    assert_same_curves(text, config, events, (rounding_epoch(config, events) or config.epochs + 1) - 1)
    assert len(names["history"]) == config.epochs
    assert torch.get_default_dtype() == torch.float32
