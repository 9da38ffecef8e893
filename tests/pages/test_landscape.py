"""The Landscape page under Streamlit's own test runner, its state and its address."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lossviz import losses, optimizers
from lossviz.training import losses_for, preset
from pages.ui import landscape_state as rules
from pages.ui.landscape_state import LandscapeState, format_url, parse
from tests.conftest import ROOT


def open_app(**params: str) -> AppTest:
    app = AppTest.from_file(ROOT / "pages" / "index.py", default_timeout=60).run()
    app.switch_page("landscape.py")
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    texts = [item.value for item in (*app.markdown, *app.caption)]
    return "\n".join([*texts, *(item.proto.body for item in app.get("html"))])


PLACES = st.floats(-rules.FAR, rules.FAR).map(lambda value: value + 0.0)


@st.composite
def states(draw):
    data = draw(st.sampled_from(rules.linear_datasets()))
    loss = draw(st.sampled_from(rules.linear_losses(data)))
    values = {
        item.name: draw(st.sampled_from([item.default + item.step, item.default]))
        for item in losses.get(loss).parameters
        if item.kind == "number" and item.default + item.step < item.high
    }
    example = draw(st.sampled_from(rules.examples()))
    start = draw(st.none() | st.tuples(PLACES, PLACES))
    chosen = draw(st.sets(st.sampled_from(optimizers.keys())))
    return LandscapeState(
        section=draw(st.sampled_from(tuple(rules.SECTIONS))),
        data=data,
        loss=loss,
        parameters=rules.changed(loss, values),
        racers=tuple(key for key in optimizers.keys() if key in chosen),  # noqa: SIM118 - the registry's function
        rate=draw(st.floats(1e-12, 100.0)),
        steps=draw(st.integers(1, rules.MAX_STEPS)),
        start=None if start == rules.default_start(data) else start,
        arrows=draw(st.booleans()),
        view=draw(st.sampled_from(tuple(rules.VIEWS))),
        log=draw(st.booleans()),
        example=example,
        epochs=draw(st.none() | st.integers(1, rules.most_epochs(example) - 1)),
        plane=draw(st.sampled_from(tuple(rules.PLANES))),
        seed=draw(st.integers(0, rules.SEED_HIGH)),
    )


@given(states())
def test_an_address_restores_its_state(state):
    params = format_url(state)
    assert parse(params) == (state, [])
    assert sum(len(name) + len(text) + 2 for name, text in params.items()) < 1000


@given(st.dictionaries(st.sampled_from([*rules.own_names(), "delta", "colour"]), st.text(max_size=30), max_size=6))
def test_no_address_breaks_the_page(params):
    state, notices = parse(params)
    assert parse(format_url(state)) == (state, [])
    assert not notices or all(isinstance(notice, str) for notice in notices)


def test_names_in_the_address_do_not_clash():
    names = rules.own_names()
    assert len(set(names)) == len(names)
    for key in (*losses_for("regression"), *losses_for("binary")):
        assert not {item.name for item in losses.get(key).parameters} & set(names)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"of": "moon"}, "of is"),
        ({"data": "iris"}, "data is"),
        ({"loss": "hinge"}, "loss is"),
        ({"data": "exam", "loss": "huber"}, "Here is bce_with_logits instead"),
        ({"loss": "huber", "delta": "-1"}, "delta is"),
        ({"racers": "sgd~warp"}, "racers is"),
        ({"rate": "0"}, "rate is"),
        ({"rate": "nan"}, "rate is"),
        ({"steps": "501"}, "steps is"),
        ({"w": "1e9"}, "w is"),
        ({"b": "left"}, "b is"),
        ({"of": "network", "example": "classic"}, "example is"),
        ({"of": "network", "epochs": "9999999"}, "epochs is"),
        ({"of": "network", "example": "overfitting", "epochs": "0"}, "epochs is"),
        ({"seed": "-1"}, "seed is"),
        ({"view": "<b>"}, "view is"),
        ({"colour": "red"}, "`colour`"),
    ],
)
def test_a_tampered_link_says_so(params, said):
    assert said in open_app(**params).warning[0].value


def test_four_points_in_numbers():
    text = shown(open_app())
    for number in ("16.700610", "0.299390", "55.782", "0.119756"):
        assert number in text
    assert "Yours, 0.1, is 84 % of that." in text


def test_a_rate_above_the_limit_is_said_to_be_so():
    text = shown(open_app(rate="0.2", racers="sgd"))
    assert "is 167 % of that" in text
    assert "every step leads further from the minimum" in text
    assert "Climbs, runs away" in text


@pytest.mark.parametrize(
    ("data", "loss"), [(data, loss) for data in rules.linear_datasets() for loss in rules.linear_losses(data)]
)
def test_every_loss_opens(data, loss):
    app = open_app(data=data, loss=loss, steps="5")
    assert not app.warning
    text = shown(app)
    straight = loss in ("mae", "quantile", "epsilon_insensitive", "hinge", "perceptron")
    assert ("made of straight pieces" in text) == straight
    assert ("made of level steps" in text) == (loss == "zero_one")
    assert ("Largest stable step" in text) != (straight or loss == "zero_one")


def test_the_shelves_of_a_squared_probability_are_told_and_shown_beside_cross_entropy():
    app = open_app(data="exam")
    state = app.session_state["landscape.state"]
    assert (state.loss, format_url(state)) == ("bce_with_logits", {"data": "exam"})
    assert "the slope is 0.8142, 99 % of the steepest one" in shown(app)
    app.button(key="landscape.other").click().run()
    assert app.session_state["landscape.state"].loss == "brier"
    assert "the slope is 0.019, 10 % of the steepest one" in shown(app)
    assert "has shelves" in shown(app)
    app.button(key="landscape.other").click().run()
    assert "one bowl" in shown(app)


def test_other_points_bring_a_loss_that_suits_them():
    app = open_app(loss="huber", delta="2")
    for data, loss in (("sine", "huber"), ("exam", "bce_with_logits"), ("outliers", "mse")):
        app.selectbox(key="landscape.data").select(data).run()
        assert not app.exception
        state = app.session_state["landscape.state"]
        assert (state.data, state.loss) == (data, loss)
        assert bool(state.parameters) == (loss == "huber")


def test_controls_change_the_address():
    app = open_app()
    app.number_input(key="landscape.rate").set_value(0.05).run()
    app.number_input(key="landscape.start.0").set_value(1.5).run()
    app.selectbox(key="landscape.loss").select("huber").run()
    app.number_input(key="landscape.huber.delta").set_value(2.0).run()
    app.toggle(key="landscape.log").set_value(False).run()
    assert not app.exception
    state = app.session_state["landscape.state"]
    assert (state.rate, state.begin[0], state.loss, state.parameters) == (0.05, 1.5, "huber", (("delta", 2.0),))
    assert parse(format_url(state)) == (state, [])
    app.selectbox(key="landscape.data").select("outliers").run()
    assert app.session_state["landscape.state"].start is None


@pytest.mark.parametrize("rate", [0.0, -1.0, 101.0])
def test_a_rate_that_is_not_allowed_is_refused(rate):
    app = open_app()
    app.number_input(key="landscape.rate").set_value(rate).run()
    assert "The setting before still holds" in app.error[0].value
    assert app.session_state["landscape.state"].rate == LandscapeState.rate
    app.number_input(key="landscape.rate").set_value(0.2).run()
    assert not app.error


def test_without_racers_the_surface_stands_alone():
    app = open_app(racers="none")
    assert "Choose optimizers above" in shown(app)
    assert not app.warning


def test_a_start_far_outside_widens_the_picture():
    app = open_app(w="60", b="-80")
    assert not app.warning
    assert not app.exception


@pytest.mark.parametrize("example", rules.examples())
@pytest.mark.parametrize("plane", list(rules.PLANES))
def test_every_network_opens(example, plane):
    app = open_app(of="network", example=example, plane=plane, epochs="5")
    assert not app.warning
    text = shown(app)
    assert "Training loss after epoch 5" in text
    assert ("filter normalisation" in text) == (plane == "random")
    assert ("principal components" in text) == (plane == "path")


def test_training_is_bounded():
    for key in rules.examples():
        most = rules.most_epochs(key)
        config = preset(key).config
        assert 1 <= most <= config.epochs
        assert most * config.updates_per_epoch <= rules.MAX_UPDATES
        state = LandscapeState(section="network", example=key)
        assert state.trained == most
        assert replace(state, epochs=3).trained == 3
