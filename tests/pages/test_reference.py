"""Reference, Compare and Choose under Streamlit's own test runner, and their addresses."""

import pytest
from streamlit.testing.v1 import AppTest

from lossviz import losses
from lossviz.losses.base import PROPERTIES
from pages.ui import explore_state, reference_choose, reference_compare, reference_state
from pages.ui.reference_state import OWN, ReferenceState
from tests.conftest import ROOT

KEYS = losses.keys()


def open_app(page: str, **params: str) -> AppTest:
    app = AppTest.from_file(ROOT / "pages" / "index.py", default_timeout=60).run()
    app.switch_page(page)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(item.value for item in (*app.markdown, *app.caption))


@pytest.mark.parametrize("key", KEYS)
def test_every_card_opens_without_a_notice(key):
    app = open_app("reference.py", loss=key)
    loss = losses.get(key)
    assert app.header[0].value == loss.title
    assert not app.warning
    shown = texts(app)
    for text in (loss.summary, loss.use_when, loss.avoid_when, loss.minimiser, *(item.text for item in loss.pitfalls)):
        assert text in shown
    assert loss.code.torch is None or any("loss.item()" in block.value for block in app.code)


@pytest.mark.parametrize("key", KEYS)
def test_every_pitfall_has_a_board_that_its_link_restores(key):
    for pitfall in losses.get(key).pitfalls:
        state = explore_state.pitfall_state(key, pitfall)
        explore_state.check_state(state)
        again, notices = explore_state.parse({"loss": state.loss, **explore_state.format_url(state)})
        assert (again, notices) == (state, [])


def test_a_search_by_another_name_says_what_it_is():
    app = open_app("reference.py", search="BPR")
    assert "BPR is the same function as RankNet." in [item.value for item in app.caption]
    app = open_app("reference.py", search="hubber")
    assert "Did you mean" in texts(app)


def test_the_list_opens_a_card_and_goes_back_to_the_same_search():
    app = open_app("reference.py", search="huber", property="robust")
    app.button(key="reference.open.huber").click().run()
    assert app.header[0].value == "Huber"
    assert app.query_params["loss"] == ["huber"] or app.query_params["loss"] == "huber"
    app.button(key="reference.back").click().run()
    assert app.header[0].value.endswith("found")
    assert dict(app.query_params) in (
        {"search": "huber", "property": "robust"},
        {"search": ["huber"], "property": ["robust"]},
    )


def test_a_card_shows_the_numbers_of_its_link():
    app = open_app("reference.py", loss="huber", delta="1.5", prediction="2_0.5", target="0_0", reduction="sum")
    shown = texts(app)
    assert "divided by 1: **2**" in shown
    assert any("[2.0, 0.5]" in block.value for block in app.code)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"loss": "nope"}, "does not exist"),
        ({"task": "cooking"}, "task is"),
        ({"property": "robust~tasty"}, "`tasty`"),
        ({"colour": "red"}, "`colour`"),
        ({"loss": "huber", "delta": "-1"}, "delta is"),
        ({"search": "x" * 200}, "first 80 characters"),
    ],
)
def test_a_tampered_link_says_so(params, said):
    app = open_app("reference.py", **params)
    assert said in app.warning[0].value


def test_addresses_restore_their_states():
    for state in (
        ReferenceState(),
        ReferenceState("log loss", "binary", ("robust", "convex")),
        ReferenceState("log loss").open("huber"),
        ReferenceState().open("mse"),
    ):
        assert reference_state.parse(reference_state.format_url(state)) == (state, [])
    for key in KEYS:
        loss = losses.get(key)
        names = {item.name for item in (*loss.parameters, *loss.board.variables)}
        assert not names & set(OWN), "a loss's own names would clash with those of the page"
    for entries in reference_compare.EXAMPLES.values():
        state = reference_compare.CompareState(entries, aligned=True, target=2.0)
        assert reference_compare.parse(reference_compare.format_url(state)) == (state, [])
    assert set(PROPERTIES) == {name for key in KEYS for name in losses.get(key).properties}


@pytest.mark.parametrize("name", list(reference_compare.EXAMPLES))
def test_every_example_can_be_compared(name):
    app = open_app("compare.py", **{"with": reference_compare.format_entries(reference_compare.EXAMPLES[name])})
    assert not app.warning
    assert app.get("plotly_chart")


def test_losses_without_a_common_axis_are_refused_with_the_reason():
    app = open_app("compare.py", **{"with": "mse~hinge"})
    assert "no axis in common" in app.warning[0].value
    app.selectbox(key="compare.loss.1").select("mae").run()
    assert not app.exception
    assert not app.warning


def test_settings_of_a_comparison_go_into_the_address():
    app = open_app("compare.py")
    app.number_input(key="compare.2.huber.delta").set_value(3.0).run()
    assert "huber:delta:3" in str(app.query_params["with"])
    app.button(key="compare.add").click().run()
    assert not app.exception
    assert len(app.session_state["compare.state"].entries) == 4


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"with": "mse~nope"}, "no such loss"),
        ({"with": "mse~huber:delta:-1"}, "delta is"),
        ({"with": "mse~huber:delta"}, "not complete"),
        ({"with": "mse~huber:speed:1"}, "no setting"),
        ({"with": "mse~mae~huber~log_cosh~mape"}, "first 4"),
        ({"aligned": "maybe"}, "aligned is"),
        ({"target": "far"}, "target is"),
        ({"target": "nan"}, "target is"),
    ],
)
def test_a_tampered_comparison_says_so(params, said):
    assert said in open_app("compare.py", **params).warning[0].value


def test_answers_lead_to_losses_with_links():
    app = open_app("choose.py", predicts="number", trouble="outliers")
    assert not app.warning
    assert any("fit" in item.value for item in app.header)
    app = open_app("choose.py", predicts="number", labels="triplets")
    assert "leads to no loss" in app.warning[0].value
    assert reference_choose.lead_on({"predicts": "mask", "labels": "pairs"}) == ({"predicts": "mask"}, ["labels"])
