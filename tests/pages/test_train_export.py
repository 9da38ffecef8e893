"""The panel hands out the run's files, computes the run once, and says so where that would take too long."""

import csv
import io
import json
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

import pytest
import torch
from streamlit.testing.v1 import AppTest

from lossviz.export import curves_csv, keras_script, read_config, run_script
from lossviz.training import CLASSIC, PLAYGROUND, Intervention, RunConfig, preset, run
from pages.ui import train_export
from pages.ui.train_export import KINDS, Finished, compute, contents, rounding_note
from pages.ui.train_state import TrainState, format_url, parse

SHORT = replace(PLAYGROUND, epochs=12, interventions=(Intervention(30, value=0.1),))


def page(fields):
    from lossviz.training import RunConfig
    from pages.ui.train_export import export_panel

    export_panel(RunConfig.from_dict(fields))


@pytest.fixture
def panel():
    def opened(config, kind=None):
        at = AppTest.from_function(page, default_timeout=30, args=(config.to_dict(),)).run()
        if kind:
            at.button_group[0].set_value(kind).run()
        assert not at.exception
        return at

    return opened


def finished(config):
    found = compute(config, lambda share, text: None)
    assert isinstance(found, Finished)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_file(panel, kind):
    at = panel(SHORT, kind)
    button = at.get("download_button")[0].proto
    assert button.label == f"Download the {KINDS[kind].name}"
    assert KINDS[kind].text in [item.value for item in at.markdown]
    made = {"script": run_script, "keras": keras_script}
    assert [item.value for item in at.code] == ([made[kind](SHORT).rstrip()] if kind in made else [])


@pytest.mark.parametrize(("update", "said"), [(0, False), (50, True)])
def test_the_keras_script_says_which_points_it_leaves_as_they_were(panel, update, said):
    config = replace(SHORT, interventions=(Intervention(update, "move", (3, 0.5, 0.5, 1)),))
    assert any("stay as they were at the start" in item.value for item in panel(config, "keras").caption) is said


def test_numbers_of_the_run_are_said(panel):
    at = panel(SHORT, "curves")
    last = list(run(SHORT))[-1]
    assert at.caption[0].value == (
        f"All 12 epochs are done. Training loss {last.train_loss:.6g}, validation loss {last.validation_loss:.6g}."
    )
    assert not at.info


def test_a_run_is_computed_once(panel, monkeypatch):
    at = panel(SHORT, "curves")
    monkeypatch.setattr(train_export, "compute", lambda *given: pytest.fail("computed again"))
    for kind in ("report", "weights", "curves"):
        at.button_group[0].set_value(kind).run()
        assert not at.exception


def test_a_run_that_takes_too_long_is_refused_with_a_way_out(panel, monkeypatch):
    monkeypatch.setattr(train_export, "MOST_SECONDS", 0.05)
    at = panel(replace(PLAYGROUND, epochs=10_000), "curves")
    assert "Take the PyTorch script and run it on your own computer." in at.warning[0].value
    assert "of 10,000" in at.warning[0].value
    assert not at.get("download_button")


def test_the_computation_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(train_export, "SHOW_AFTER", 0.0)
    seen = []
    compute(SHORT, lambda share, text: seen.append((share, text)))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert seen[0][1] == "Computing epoch 2 of 12"
    assert seen[-1] == (1.0, "")


def test_contents_are_the_runs():
    done = finished(SHORT)
    events = list(run(SHORT))
    assert contents("curves", done) == curves_csv(SHORT, events)
    assert len(list(csv.reader(io.StringIO(contents("curves", done))))) == 13
    weights = torch.load(io.BytesIO(contents("weights", done)), weights_only=True)
    assert list(weights) == ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
    report = contents("report", done)
    assert repr(events[-1].train_loss) in report


def test_the_reports_address_opens_the_run_again():
    report = contents("report", finished(SHORT))
    query = urlencode(format_url(TrainState(SHORT)))
    assert f"?{query}".replace("&", "&amp;") in report
    state, notices = parse({name: values[0] for name, values in parse_qs(query).items()})
    assert (state.config, notices) == (SHORT, [])


def test_a_report_of_a_run_whose_link_has_no_room_holds_the_settings_alone():
    crowded = replace(SHORT, interventions=tuple(Intervention(at, value=0.01 + at / 7e4) for at in range(290)))
    report = contents("report", finished(crowded))
    assert "Put this behind the address" not in report
    assert "The settings as a file" in report


def test_rounding_is_told_where_it_shows(panel):
    restless = replace(preset("spiral").config, learning_rate=0.01, dtype="float32", epochs=60)
    done = finished(restless)
    assert done.restless is not None
    assert f"from epoch {done.restless} on. With dtype=float64" in rounding_note(done)
    assert "float64" not in rounding_note(replace(done, config=replace(restless, dtype="float64")))
    assert panel(restless, "curves").info[0].value == rounding_note(done)


def test_the_settings_file_opens_the_run_again(panel):
    config = RunConfig(dataset="iris", loss_parameters={"weight": (1.0, 0.1, 3.0)}, epochs=3)
    made = train_export._MADE["settings"](config)
    assert read_config(made) == config
    assert json.loads(made)["loss_parameters"]["weight"] == [1.0, 0.1, 3.0]
    assert panel(CLASSIC, "settings").get("download_button")
