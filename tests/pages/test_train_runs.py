"""The runs of a session: how they differ, and their table on the Train page."""

from dataclasses import replace
from pathlib import Path

from streamlit.testing.v1 import AppTest

from lossviz.training import CLASSIC, PLAYGROUND, Intervention, run
from pages.ui.train_runs import Kept, differences, events_of

PAGE = Path(__file__).parents[2] / "pages" / "index.py"
OTHER = replace(CLASSIC, learning_rate=0.05, loss="huber", loss_parameters=(), batch_size=2)


def open_with(runs):
    at = AppTest.from_file(PAGE, default_timeout=30).run()
    at.switch_page("train.py")
    at.session_state["train.runs"] = runs
    at.run()
    assert not at.exception
    return at


def named(elements, label):
    return next(item for item in elements if item.label == label)


def test_only_settings_that_differ_are_named():
    assert differences([CLASSIC, CLASSIC]) == {}
    assert differences([CLASSIC, OTHER]) == {
        "Loss": ("Mean squared error", "Huber"),
        "Loss parameters": ("none", "delta 1"),
        "Learning rate": ("0.01", "0.05"),
        "Batch size": ("all", "2"),
    }
    changed = replace(PLAYGROUND, interventions=(Intervention(10, value=0.1),), hidden=(), batch_norm=True)
    assert differences([PLAYGROUND, changed]) == {
        "Hidden": ("4 and 2", "none"),
        "Batch norm": ("no", "yes"),
        "Interventions": ("none", "1 change"),
    }


def test_events_are_those_of_the_run_as_far_as_it_went():
    assert list(events_of(CLASSIC, 7)) == list(run(replace(CLASSIC, epochs=7)))


def test_rows_are_overlaid_compared_renamed_opened_and_deleted():
    at = open_with({"a": Kept(CLASSIC, 20, "Run 1", 1), "b": Kept(OTHER, 30, "Run 2", 2)})
    for label in ("Overlay Run 1", "Overlay Run 2"):
        named(at.checkbox, label).check().run()
    assert any("not comparable" in item.value for item in at.info)
    table = next(item.proto.body for item in at.get("html") if "The ticked runs" in item.proto.body)
    for text in ("Run 1", "Run 2", "Learning rate", "0.01", "0.05", "Huber", "delta 1"):
        assert text in table
    named(at.text_input, "Name of run 2").set_value("gentle").run()
    assert at.session_state["train.runs"]["b"].name == "gentle"
    assert named(at.checkbox, "Overlay gentle").value
    next(button for button in at.button if button.key == "train.runs.open.b").click().run()
    assert at.session_state["train.state"].config == OTHER
    next(button for button in at.button if button.key == "train.runs.delete.b").click().run()
    assert list(at.session_state["train.runs"]) == ["a"]
    assert not at.exception


def test_a_run_that_is_too_long_is_not_trained_again():
    long = replace(PLAYGROUND, epochs=10_000)
    at = open_with({"a": Kept(long, 10_000, "Run 1", 1)})
    named(at.checkbox, "Overlay Run 1").check().run()
    assert any("Run 1 has 250,000 updates; runs of up to 200,000" in item.value for item in at.warning)
    assert not any("The ticked runs" in item.proto.body for item in at.get("html"))


def test_a_session_without_runs_shows_nothing():
    assert not any("Runs of this session" in item.value for item in open_with({}).header)
