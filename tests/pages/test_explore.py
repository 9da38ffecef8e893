"""The Explore page under Streamlit's own test runner: what a message of the board does."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import lossviz
from tests.conftest import ROOT

PAGE = ROOT / "pages" / "explore.py"


@pytest.fixture
def app():
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    return app


def send(app: AppTest, action: str, seq: int = 1, **fields) -> AppTest:
    """Let the board say something, as the browser would."""
    state = app.session_state["explore.state"]
    flat = {name: np.asarray(values).reshape(-1).tolist() for name, values in state.numbers.items()}
    revision = app.session_state["explore.revision"]
    message = {"seq": seq, "action": action, "revision": revision, "values": flat, **fields}
    app.session_state["board"] = {"message": message}
    app.run()
    assert not app.exception
    return app


def test_a_move_is_kept_and_undone(app):
    start = app.session_state["explore.state"]
    send(app, "move", values={"prediction": [1, 2, 3, 4], "target": [0, 0, 0, 0]})
    assert app.session_state["explore.state"].numbers["prediction"] == (1, 2, 3, 4)
    assert app.query_params["prediction"] == "1_2_3_4"
    send(app, "undo", seq=2)
    assert app.session_state["explore.state"] == start
    send(app, "undo", seq=3)
    assert "nothing to undo" in app.warning[0].value


def test_the_same_message_is_done_once(app):
    send(app, "remove", sample=0)
    app.run()
    assert len(app.session_state["explore.state"].numbers["prediction"]) == 3


def test_a_message_of_an_earlier_session_is_not_done_again(app):
    send(app, "remove", sample=0, revision=5)
    assert len(app.session_state["explore.state"].numbers["prediction"]) == 4


def test_a_step_moves_against_the_gradient_and_keeps_the_rate(app):
    before = app.session_state["explore.state"]
    send(app, "step", learning_rate=0.5)
    after = app.session_state["explore.state"]
    gradient = lossviz.evaluate("mse", before.numbers["prediction"], before.numbers["target"]).gradient
    assert after.numbers["prediction"] == pytest.approx(
        [p - 0.5 * g for p, g in zip(before.numbers["prediction"], gradient, strict=True)]
    )
    assert after.rate == 0.5
    send(app, "reset", seq=2)
    assert app.session_state["explore.state"].numbers["prediction"] == before.numbers["prediction"]


def test_a_typed_number_is_placed_by_the_handle(app):
    send(app, "place", handle="Prediction 2", t=[123.456])
    assert app.session_state["explore.state"].numbers["prediction"] == (-1.5, 123.456, 3.0, 2.0)


def test_cells_are_painted_and_a_table_is_loaded():
    app = AppTest.from_file(PAGE, default_timeout=30)
    app.query_params["loss"] = "dice"
    app.run()
    before = app.session_state["explore.state"]
    send(app, "paint", variable="prediction", flats=[0, 1], value=1)
    painted = app.session_state["explore.state"].numbers["prediction"]
    assert painted[0][0][:2] == (1, 1)
    assert painted[0][0][2:] == before.numbers["prediction"][0][0][2:]
    last = lossviz.losses.get("dice").handles[-1].name
    revision = app.session_state["explore.revision"]
    send(app, "load", seq=2, handle=last)
    assert app.session_state["explore.active"] == last
    assert app.session_state["explore.revision"] > revision
    send(app, "paint", seq=3, variable="prediction", flats=[999], value=1)
    assert "counted from 0" in app.warning[0].value


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "fly"}, "'fly'"),
        ({"action": "remove", "sample": 9}, "sample is 9"),
        ({"action": "remove", "sample": float("inf")}, "infinity"),
        ({"action": "move", "values": {"prediction": [1], "target": [1]}}, "prediction holds 1 numbers"),
        ({"action": "move", "values": {"prediction": [2e9, 0, 0, 0], "target": [0] * 4}}, "2e+09"),
        ({"action": "move", "values": {"prediction": ["x", 0, 0, 0], "target": [0] * 4}}, "'x'"),
        ({"action": "step", "learning_rate": -1}, "rate is -1"),
        ({"action": "place", "handle": "Prediction 9", "t": [1]}, "Prediction 9"),
        ({"action": "place", "handle": "Prediction 1", "t": [1, 2]}, "needs 1 numbers"),
        ({"action": "place", "handle": "Prediction 1", "t": [float("nan")]}, "finite"),
        ({"action": "place", "handle": "Prediction 1", "t": [5000]}, "5000"),
        ({"action": "paint", "variable": "colour", "flats": [0], "value": 1}, "colour"),
        ({"action": "move", "revision": None}, "NoneType"),
    ],
)
def test_a_bad_message_changes_nothing_and_says_why(app, fields, said):
    before = app.session_state["explore.state"]
    send(app, **fields)
    assert app.session_state["explore.state"] == before
    assert said in app.warning[0].value


def test_targets_that_all_weigh_nothing_are_refused_before_and_after_a_move():
    app = AppTest.from_file(PAGE, default_timeout=30)
    app.query_params["loss"] = "cross_entropy"
    app.query_params["weight"] = "0_0_1"
    app.run()
    assert not app.exception
    before = app.session_state["explore.state"]
    assert before.parameters["weight"] == (0, 0, 1)
    flat = [number for row in before.numbers["prediction"] for number in row]
    send(app, "move", values={"prediction": flat, "target": [0, 1, 1]})
    assert app.session_state["explore.state"] == before
    assert "weight 0" in app.warning[0].value
    for target in ("0_1_1", "0_0_0"):
        tampered = AppTest.from_file(PAGE, default_timeout=30)
        for name, value in {"loss": "cross_entropy", "weight": "0_0_1", "target": target}.items():
            tampered.query_params[name] = value
        tampered.run()
        assert not tampered.exception
        assert "weight 0" in tampered.warning[0].value


def test_a_mean_without_weight_is_refused_when_the_sum_was_shown():
    app = AppTest.from_file(PAGE, default_timeout=30)
    link = {"loss": "cross_entropy", "weight": "0_0_1", "target": "0_1_1", "reduction": "sum"}
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.warning
    app.selectbox(key="explore.cross_entropy.reduction").select("mean").run()
    assert not app.exception
    assert app.session_state["explore.state"].reduction == "sum"
    assert "weight 0" in app.warning[0].value
