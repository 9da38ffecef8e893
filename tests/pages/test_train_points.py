"""Points moved and added on the Train page: in its link, with other settings, and on the way to a race."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lossviz.training import Intervention, RunConfig, dataset, dataset_at
from pages.ui.race.state import parse as parse_race
from pages.ui.train_state import TrainState, changes_left_out, format_url, parse
from tests.conftest import ROOT

LINE = RunConfig(dataset="outliers", samples=40, hidden=(), batch_size=5)  # 20 training points, 4 updates an epoch
epochs = st.integers(0, 9).map(lambda epoch: 4 * epoch)
numbers = st.floats(-1e6, 1e6, allow_nan=False)


def move(update, row, *point):
    return Intervention(update, "move", (row, *point))


def add(update, *point):
    return Intervention(update, "add", point)


CHANGES = (move(0, 12, 0.5, 14.0), Intervention(6, value=0.01), add(8, 1.2, -3.4), move(8, 40, 1.25, -3.5))


changes = st.lists(
    st.one_of(
        st.builds(
            lambda epoch, row, x, y: move(4 * epoch, row, x, y), st.integers(0, 9), st.integers(0, 39), numbers, numbers
        ),
        st.builds(lambda epoch, x, y: add(4 * epoch, x, y), st.integers(0, 9), numbers, numbers),
        st.builds(lambda update, rate: Intervention(update, value=rate), st.integers(0, 99), st.floats(1e-9, 100)),
    ),
    max_size=15,
)


@given(changes)
def test_every_change_survives_its_link(made):
    config = LINE
    for item in made:
        config = config.with_intervention(item)
    params = format_url(TrainState(config))
    assert len(urlencode(params)) <= 1800
    assert parse(params) == (TrainState(config), [])
    raced, notices = parse_race({**params, "by": "rate"})
    assert dataset(raced.config).y_train.tolist() == dataset_at(config, 10**6).y_train.tolist()
    assert len(notices) <= 2


def test_a_readable_link():
    link = format_url(TrainState(replace(LINE, interventions=CHANGES)))["changes"]
    assert link == "0:m12_0.5_14~6:0.01~8:a1.2_-3.4~8:m40_1.25_-3.5"


def test_as_many_changes_as_fit_and_no_more():
    config = replace(LINE, interventions=tuple(move(4 * at, 7, at / 3, -at / 7) for at in range(300)))
    state = TrainState(config)
    assert changes_left_out(state) > 200
    kept, notices = parse(format_url(state))
    assert notices == []
    assert kept.config.interventions == config.interventions[: 300 - changes_left_out(state)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0:m12_0.5", "one or two features and the target"),
        ("0:m99_1_1", "row in intervention.value is 99"),
        ("0:m-1_1_1", "row in intervention.value is -1"),
        ("1:m3_1_1", "a multiple of 4"),
        ("0:a1_2e7", "a number from -1e+06 to 1e+06"),
        ("0:a1_inf", "allowed is changes as in"),
        ("0:m1.5_1_1", "allowed is changes as in"),
        ("0:z1_1", "changes as in `120:0.01~250:m12_3.5_4~300:a1.2_3.4`."),
        ("0:a", "allowed is changes as in"),
        ("~".join(["0:a1_1"] * 101), "101 points are added"),
    ],
)
def test_a_link_with_points_that_cannot_be_says_so_and_shows_the_run_without(text, said):
    found, notices = parse({**format_url(TrainState(LINE)), "changes": text})
    assert found.config == LINE
    assert len(notices) == 1
    assert said in notices[0]


@pytest.fixture
def changed():
    at = AppTest.from_file(ROOT / "pages" / "index.py", default_timeout=30).run()
    at.switch_page("train.py")
    for name, text in format_url(TrainState(replace(LINE, interventions=CHANGES))).items():
        at.query_params[name] = text
    return at.run()


def test_another_setting_keeps_the_points_and_their_moments(changed):
    next(item for item in changed.selectbox if item.label == "Loss").select("huber").run()
    config = changed.session_state["train.state"].config
    assert config.loss == "huber"
    assert config.interventions == (CHANGES[0], *CHANGES[2:])


def test_where_epochs_get_other_updates_points_change_from_the_start(changed):
    next(item for item in changed.number_input if item.label == "Batch size").set_value(10).run()
    config = changed.session_state["train.state"].config
    assert config.batch_size == 10
    assert config.interventions == (add(0, 1.2, -3.4), CHANGES[0], move(0, 40, 1.25, -3.5))


@pytest.mark.parametrize("label", ["Data seed", "Data set"])
def test_other_data_bring_their_own_points(changed, label):
    if label == "Data set":
        next(item for item in changed.selectbox if item.label == label).select("sine").run()
    else:
        next(item for item in changed.number_input if item.label == label).set_value(5).run()
    assert not changed.exception
    assert changed.session_state["train.state"].config.interventions == ()


def test_the_race_around_the_run_has_its_points_from_the_start(changed):
    found, notices = parse_race(
        {**format_url(TrainState(changed.session_state["train.state"].config.settled())), "by": "loss"}
    )
    assert notices == []
    config = replace(LINE, interventions=CHANGES)
    for racer in found.racers:
        assert dataset(racer.config).y_train.tolist() == dataset_at(config, 10**6).y_train.tolist()
