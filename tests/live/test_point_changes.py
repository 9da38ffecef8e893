"""Points moved and added over the socket: when they take effect, what frames show of them, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossviz.training import CLASSIC, PLAYGROUND, Intervention, RunConfig, init, measure, run
from pages.ui.live.protocol import Message, parse
from tests.live.conftest import Client
from tests.live.test_runs import Join, rows, shown

LINE = RunConfig(dataset="outliers", samples=40, hidden=(), batch_size=5, epochs=30)  # 20 training points, 4 updates
MOVED = Intervention(0, "move", (3, 1.0, 20.0))


def opened(join: Join, config: RunConfig, **options) -> Client:
    client = join()
    client.open(config, **options)
    client.until("rest") if not options.get("play") else client.take()
    return client


def points(frame):
    """Coordinates of the points that a frame brings, by number."""
    arrays = frame["arrays"]
    return {
        int(number): (*np.atleast_1d(x).tolist(), float(y))
        for part in ("train", "validation")
        for number, x, y in zip(arrays[f"{part}_row"], arrays[f"{part}_x"], arrays[f"{part}_y"], strict=True)
    }


def test_a_point_moved_at_rest_shows_at_once_what_it_costs(join: Join):
    client = opened(join, LINE)
    before = points(client.frames[0])
    assert sorted(before) == list(range(40))
    client.send("point", row=3, x=[1.0], y=20.0)
    made = client.until("intervention")
    assert made["interventions"] == [MOVED.to_dict()]
    assert {name: made[name] for name in ("update", "kind", "value")} == MOVED.to_dict()
    frame = client.until("frame")
    assert points(frame) == {**before, 3: (1.0, 20.0)}
    start = measure(init(replace(LINE, interventions=(MOVED,))))
    assert frame["numbers"]["train_loss"] == start.train_loss
    assert frame["anew"] is True
    assert frame["arrays"]["curves"][0][2] == start.train_loss
    assert client.until("rest")["interventions"] == [MOVED.to_dict()]
    # One drag at rest is one change.
    for y in (21.0, 22.0):
        client.send("point", row=3, x=[1.5], y=y)
        client.until("rest")
    assert client.messages[-1]["interventions"] == [{"update": 0, "kind": "move", "value": [3, 1.5, 22.0]}]


def test_in_the_middle_of_an_epoch_a_point_waits_for_the_next(join: Join):
    client = opened(join, LINE)
    client.send("step")
    client.until("rest")
    loss = client.frames[-1]["numbers"]["train_loss"]
    client.send("point", row=25, x=[0.0], y=9.0)
    assert client.until("intervention")["update"] == 4
    frame = client.until("frame")
    assert points(frame)[25] == (0.0, 9.0)
    assert frame["numbers"]["train_loss"] == loss
    client.until("rest")
    client.send("play")
    rest = client.until("rest", state="finished")
    config = RunConfig.from_dict({**LINE.to_dict(), "interventions": rest["interventions"]})
    assert [item.update for item in config.interventions] == [4]
    np.testing.assert_array_equal(shown(client), rows(list(run(config))))


def test_points_that_move_while_the_run_plays_replay_bit_for_bit(join: Join):
    config = replace(PLAYGROUND, epochs=60)
    client = opened(join, config, play=True)
    client.send("speed", value=200)
    for step in range(12):
        while client.frames[-1]["epoch"] < 3 * step:
            client.take()
        if step % 4 == 3:
            client.send("add", x=[0.1 * step, 1.0], y=1)
        client.send("point", row=7, x=[0.1 * step, 0.5], y=0)
    rest = client.until("rest", state="finished")
    made = [item["kind"] for item in rest["interventions"]]
    assert made.count("add") == 3
    assert 3 <= made.count("move") <= 12
    assert all(item["update"] % 25 == 0 for item in rest["interventions"])
    again = RunConfig.from_dict({**config.to_dict(), "interventions": rest["interventions"]})
    np.testing.assert_array_equal(shown(client), rows(list(run(again))))

    other = opened(join, again, at=31 * 25)
    there = other.frames[-1]
    assert there["updates"] == 31 * 25
    wound = client
    wound.send("wind", at=31 * 25)
    wound.until("rest")
    np.testing.assert_array_equal(wound.frames[-1]["arrays"]["map"].shape, there["arrays"]["map"].shape)
    assert wound.frames[-1]["numbers"] == there["numbers"]


def test_a_wound_back_run_takes_up_points_added_there(join: Join):
    client = opened(join, replace(LINE, epochs=12), play=True)
    client.until("rest", state="finished")
    client.send("wind", at=5 * 4)
    client.until("rest")
    client.send("add", x=[2.0], y=30.0)
    assert client.until("intervention")["branched"] is True
    client.until("rest")
    client.send("play")
    client.until("rest", state="finished")
    # Back to the moment at which the point was added, and once more forward.
    client.send("wind", at=5 * 4)
    client.until("rest")
    client.send("epoch")
    rest = client.until("rest")
    config = RunConfig.from_dict({**LINE.to_dict(), "epochs": 12, "interventions": rest["interventions"]})
    assert client.frames[-1]["numbers"]["train_loss"] == list(run(config))[5].train_loss


def test_axes_grow_and_do_not_shrink_again(join: Join):
    client = opened(join, LINE)
    first = client.frames[0]
    client.send("point", row=3, x=[40.0], y=-60.0)
    client.until("rest")
    far = client.frames[-1]
    assert far["arrays"]["grid"][-1] > 40.0
    assert far["arrays"]["grid"][0] == first["arrays"]["grid"][0]
    assert far["scene"]["range"][0] < -60.0
    assert far["scene"]["range"][1] == first["scene"]["range"][1]
    client.send("point", row=3, x=[0.0], y=0.0)
    client.until("rest")
    assert client.frames[-1]["scene"]["range"] == far["scene"]["range"]
    assert client.frames[-1]["arrays"]["fitted"].shape == (201,)


def test_a_run_that_has_ended_begins_anew_with_its_points_from_the_start(join: Join):
    config = replace(CLASSIC, epochs=20, interventions=(Intervention(3, value=0.05), Intervention(7, "add", (5, 11))))
    client = opened(join, config, play=True)
    client.until("rest", state="finished")
    client.send("point", row=4, x=[5.0], y=12.0)
    assert client.until("anew")["interventions"] == [
        {"update": 0, "kind": "add", "value": [5.0, 11.0]},
        {"update": 0, "kind": "move", "value": [4, 5.0, 12.0]},
        {"update": 3, "kind": "learning_rate", "value": 0.05},
    ]
    # The run itself is as it was.
    client.send("whole")
    frame = client.until("frame")
    assert (frame["state"], len(points(frame))) == ("finished", 5)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            {"type": "point", "row": 40, "x": [1], "y": 1},
            "row in intervention.value is 40; a whole number from 0 to 39",
        ),
        ({"type": "point", "row": 1, "x": [1, 2], "y": 1}, "has 2 features; the data set 'outliers' has 1"),
        ({"type": "point", "row": -1, "x": [1], "y": 1}, "row is -1"),
        ({"type": "point", "row": 1.0, "x": [1], "y": 1}, "row is 1.0"),
        ({"type": "point", "row": 1, "x": [1], "y": 2e6}, "y is 2000000.0; a number from -1e+06 to 1e+06"),
        ({"type": "point", "row": 1, "x": [None], "y": 1}, "x is None"),
        ({"type": "point", "row": 1, "x": [], "y": 1}, "x is []; a list of one or two numbers"),
        ({"type": "point", "row": 1, "x": 1, "y": 1}, "x is 1; a list"),
        ({"type": "add", "x": [1]}, "wrong or missing fields"),
        ({"type": "add", "x": [True], "y": 1}, "x is True"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(join: Join, message, said):
    client = opened(join, LINE)
    client.socket.send(json.dumps(message))
    assert said in client.until("error")["message"]
    client.send("epoch")
    assert client.until("rest")["interventions"] == []


def test_no_points_move_where_none_are_drawn(join: Join):
    client = opened(join, RunConfig(dataset="iris", hidden=()))
    client.send("add", x=[1.0], y=1.0)
    assert "where they are drawn" in client.until("error")["message"]


def test_a_run_that_is_full_says_so(join: Join):
    full = replace(CLASSIC, interventions=tuple(Intervention(at, value=0.01 + at / 1e6) for at in range(1000)))
    client = opened(join, full)
    client.send("add", x=[1.0], y=1.0)
    assert "The run holds 1,000 changes, and no more are allowed" in client.until("error")["message"]


anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.floats(), max_size=3)
)


@given(kind=st.sampled_from(["point", "add"]), row=anything, x=anything, y=anything)
def test_no_message_breaks_the_reader(kind, row, x, y):
    fields = {"row": row, "x": x, "y": y} if kind == "point" else {"x": x, "y": y}
    try:
        message = parse(json.dumps({"type": kind, **fields}))
    except ValueError:
        return
    assert isinstance(message, Message)
    assert all(abs(value) <= 1e6 for value in message.point)
    assert (message.row is None) == (kind == "add")
