"""The Race page under Streamlit's own test runner, its state and its address."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lossviz import losses
from lossviz.training import (
    CLASSIC,
    DIFFERENCES,
    PLAYGROUND,
    RunConfig,
    differences,
    lineup,
    presets,
    run,
    usual_values,
)
from pages.ui import train_state
from pages.ui.race import race_data
from pages.ui.race.controls import shared_settings
from pages.ui.race.state import EXAMPLES, OWN, RaceState, check, format_url, parse, read_value, value_text, with_config
from tests.conftest import ROOT

PAGE = ROOT / "pages" / "race.py"


@pytest.fixture
def open_race():
    def run(**params):
        at = AppTest.from_file(PAGE, default_timeout=30)
        for name, text in params.items():
            at.query_params[name] = text
        at.run()
        assert not at.exception
        return at

    return run


def state(at) -> RaceState:
    return at.session_state["race.state"]


def shown(at) -> str:
    return "\n".join(item.value for item in (*at.markdown, *at.caption, *at.info, *at.warning, *at.error))


def widget(elements, label):
    return next(item for item in elements if item.label == label)


def test_the_first_visit_is_complete_and_quiet(open_race):
    at = open_race()
    assert state(at) == EXAMPLES[0].state
    assert not at.warning
    assert not at.error
    assert EXAMPLES[0].comment in shown(at)
    assert at.query_params["by"] == "rate"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.key)
def test_every_example_opens_by_click_and_by_link(open_race, example):
    at = open_race()
    widget(at.button_group, "Examples").set_value(example.key).run()
    assert not at.exception
    assert state(at) == example.state
    at = open_race(**format_url(example.state))
    assert state(at) == example.state
    assert example.comment in shown(at)
    assert not at.warning
    assert not at.error


def test_the_two_readers_do_as_the_comment_says():
    example = EXAMPLES[-1]
    plain, lstm = ([*run(racer.config)] for racer in example.state.racers)
    assert example.key == "readers"
    assert lstm[9].validation_metric > 0.97
    assert 0.7 < plain[29].validation_metric < 0.95


@pytest.mark.parametrize("by", DIFFERENCES)
def test_what_differs_can_be_chosen(open_race, by):
    at = open_race(**format_url(EXAMPLES[1].state))
    if by not in differences(EXAMPLES[1].state.config):
        assert DIFFERENCES[by].title not in widget(at.selectbox, "What differs").options
        return
    widget(at.selectbox, "What differs").select(by).run()
    assert not at.exception
    assert state(at).by == by
    assert state(at).values == usual_values(state(at).config, by)
    assert ("not comparable" in shown(at)) == (by == "loss")


def test_values_are_typed(open_race):
    at = open_race()
    field = widget(at.text_input, "Values, up to 16")
    field.input("0.5; 0.25 , 1e-3").run()
    assert state(at).values == (0.5, 0.25, 0.001)
    for text, part in (
        ("0.5", "1 racer is in the race; 2 to 16"),
        ("fast, slow", "not a number such as 0.01"),
        ("0.5, 0.50", "Rate 0.5 is in the race twice"),
        ("0.5, 0", "Learning rate is 0.0"),
        (", ".join(map(str, range(1, 18))), "17 racers"),
    ):
        widget(at.text_input, "Values, up to 16").input(text).run()
        assert not at.exception
        assert part.lower() in at.error[0].value.lower()
        assert state(at).values == (0.5, 0.25, 0.001)
    widget(at.text_input, "Values, up to 16").input("0.1, 0.2").run()
    assert not at.error


def test_racers_are_chosen(open_race):
    at = open_race(**format_url(EXAMPLES[1].state))
    widget(at.multiselect, "Racers, up to 16").set_value(["sgd", "adam"]).run()
    assert state(at).values == ("sgd", "adam")
    assert at.query_params["values"] == "sgd~adam"
    widget(at.multiselect, "Racers, up to 16").set_value(["sgd"]).run()
    assert "1 racer is in the race" in at.error[0].value
    assert widget(at.multiselect, "Racers, up to 16").value == ["sgd", "adam"]


def test_another_run_keeps_what_suits_it(open_race):
    at = open_race(**format_url(EXAMPLES[2].state))
    widget(at.selectbox, "Race around").select("iris").run()
    assert not at.exception
    assert state(at).config.dataset == "iris"
    assert state(at).values == usual_values(state(at).config, "loss")
    at = open_race(**format_url(EXAMPLES[1].state))
    widget(at.selectbox, "Race around").select("iris").run()
    assert state(at).by == "optimizer"


def test_ranking_and_log_scale_are_in_the_link(open_race):
    at = open_race(**format_url(EXAMPLES[1].state))
    assert not any(toggle.label == "Log scale" for toggle in at.toggle)
    widget(at.button_group, "Rank by").set_value("loss").run()
    widget(at.toggle, "Log scale").set_value(True).run()
    assert dict(at.query_params) | {"rank": "loss", "log": "yes"} == dict(at.query_params)
    assert race_data(state(at))["measure"] == "loss"


def test_too_large_a_race_is_refused_with_the_reason(open_race):
    at = open_race(data="circle", samples="5000", by="rate")
    assert not at.warning
    widget(at.selectbox, "What differs").select("batch").run()
    assert "updates of a racer; up to" in at.error[0].value
    assert state(at).by == "rate"


# State and address


@st.composite
def states(draw):
    config = replace(draw(st.sampled_from([example.config for example in presets()])), interventions=())
    by = draw(st.sampled_from(differences(config)))
    options = DIFFERENCES[by].options
    numbers = {
        "rate": st.floats(1e-9, 100.0),
        "batch": st.none() | st.integers(2, 50),
        "depth": st.integers(0, 6),
        "units": st.integers(1, 32),
        "seed": st.integers(0, 10**9),
    }
    pool = numbers[by] if options is None else st.sampled_from(list(options(config)))
    values = tuple(draw(st.lists(pool, min_size=2, max_size=16, unique=True)))
    return RaceState(config, by, values, rank=draw(st.sampled_from(["metric", "loss"])), log=draw(st.booleans()))


@given(states())
def test_every_state_survives_its_link(race):
    found, notices = parse(format_url(race))
    try:
        check(race)
    except ValueError:
        assert "too large" in notices[0]
        return
    assert (found, notices) == (race, [])


@given(st.dictionaries(st.sampled_from([*OWN, "data", "rate", "hidden", "changes"]), st.text(max_size=30)))
def test_no_link_breaks_the_page(params):
    found, _ = parse(params)
    check(found)
    assert race_data(found)["racers"]


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"by": "luck"}, "allowed: rate, optimizer"),
        ({"by": "rate", "values": "0.1"}, "1 racer is in the race"),
        ({"by": "rate", "values": "0.1~x"}, "not a number"),
        ({"by": "depth", "values": "1~9"}, "a whole number from 0 to 6"),
        ({"by": "loss", "values": "mse~hinge"}, "hinge"),
        ({"by": "rate", "rank": "luck"}, "allowed: metric, loss"),
        ({"by": "rate", "log": "maybe"}, "allowed: no, yes"),
        ({"by": "rate", "changes": "5:0.1"}, "learning rates set on the way"),
        ({"by": "rate", "data": "outliers", "changes": "6:m3_1_20"}, "points that change on the way"),
        ({"by": "rate", "nonsense": "1"}, "does not know"),
        ({"data": "circle", "samples": "5000", "batch": "1", "by": "rate"}, "too large"),
    ],
)
def test_a_bad_link_says_so(open_race, params, part):
    at = open_race(**params)
    assert part in at.warning[0].value


def test_no_parameter_of_a_loss_is_called_as_one_of_ours():
    names = {parameter.name for key in losses.keys() for parameter in losses.get(key).parameters}  # noqa: SIM118
    assert not names & set(OWN)


def test_each_racer_links_to_its_own_run():
    for example in EXAMPLES:
        data = race_data(example.state)
        for shown_racer, racer in zip(data["racers"], example.state.racers, strict=True):
            query = dict(parse_qsl(urlsplit(shown_racer["link"]).query))
            found, notices = train_state.parse(query)
            assert (found.config, notices) == (racer.config, [])


def test_the_limit_is_known_for_the_four_points_alone():
    assert race_data(EXAMPLES[0].state)["limit"] == pytest.approx(0.119756, abs=1e-6)
    assert race_data(RaceState(PLAYGROUND, "rate", (0.1, 0.2)))["limit"] is None


@pytest.mark.parametrize(("by", "value"), [("rate", 0.1), ("rate", 1e-7), ("batch", None), ("batch", 5), ("seed", 3)])
def test_values_survive_their_text(by, value):
    assert read_value(by, value_text(by, value)) == value


def test_values_that_do_not_suit_give_way():
    losses_of_regression = RaceState(CLASSIC, "loss", ("mse", "mae"))
    assert lineup(PLAYGROUND, "loss", with_config(losses_of_regression, PLAYGROUND).values)


def test_what_cannot_differ_gives_way_to_the_rate():
    around = RunConfig(dataset="reviews")
    layers = RaceState(around, "model", usual_values(around, "model"))
    assert [racer.name for racer in layers.racers] == ["Simple RNN", "LSTM"]
    new = with_config(layers, PLAYGROUND)
    assert (new.by, new.values) == ("rate", usual_values(PLAYGROUND, "rate"))
    for data, by in (("circle", "model"), ("reviews", "depth")):
        found, notices = parse({"data": data, "by": by})
        assert found.by == "rate"
        assert "cannot differ" in notices[0]


@pytest.mark.parametrize("by", DIFFERENCES)
def test_what_differs_is_not_called_common(by):
    text = shared_settings(RaceState(PLAYGROUND, by, usual_values(PLAYGROUND, by)))
    assert ("learning rate 0.03" in text) == (by != "rate")
    assert ("batches of 10" in text) == (by != "batch")
    assert ("SGD" in text) == (by != "optimizer")
