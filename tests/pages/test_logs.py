"""The state of the Logs page and its link."""

from hypothesis import given
from hypothesis import strategies as st

from lossviz.training.logs import read_log
from pages.ui.logs_state import MEASURES, LogsState, curves, example, format_url, parse


@given(st.builds(LogsState, st.sampled_from(list(MEASURES)), st.booleans(), st.floats(0, 0.99).map(abs), st.booleans()))
def test_every_state_is_restored(state):
    assert parse(format_url(state)) == (state, [])


@given(st.dictionaries(st.sampled_from(["measure", "log", "smoothing", "example", "x"]), st.text(max_size=20)))
def test_any_link_gives_a_state_and_says_what_it_left_out(params):
    state, notices = parse(params)
    assert all(notice.startswith("The link") for notice in notices)
    assert parse(format_url(state)) == (state, [])


def test_bad_values_are_named():
    state, notices = parse({"measure": "f1", "log": "1", "smoothing": "2", "nonsense": "x"})
    assert state == LogsState()
    assert len(notices) == 4
    assert "a number from 0 to 0.99" in notices[2]


def test_curves_are_named_after_file_and_part():
    log = read_log("a.csv", "epoch,loss,val_loss,lr\n1,0.5,0.6,0.1\n2,0.4,0.5,0.1\n")
    assert [(curve.name, curve.run, curve.part) for curve in curves({"a.csv": log, "b.csv": log}, "loss")] == [
        ("a.csv, training", 0, 0),
        ("a.csv, validation", 0, 1),
        ("b.csv, training", 1, 0),
        ("b.csv, validation", 1, 1),
    ]
    assert [curve.name for curve in curves({"a.csv": log}, "learning_rate")] == ["a.csv"]
    assert curves({"a.csv": log}, "accuracy") == []


def test_the_example_is_a_log_of_our_own():
    log = example()
    assert (log.kind, log.counts) == ("CSV", "epoch")
    assert len(log.series["train_loss"][0]) == 1000
