"""Runs over the socket: what is shown is what `run` computes, and a replay is exact."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    Event,
    Intervention,
    RunConfig,
    advance,
    decision_map,
    init,
    measure,
    predict,
    restore,
    run,
)
from pages.ui.live.protocol import decode_arrays
from pages.ui.live.viewed_run import COLUMNS
from tests.live.conftest import Client

Join = Callable[..., Client]


def rows(events: list[Event]) -> np.ndarray:
    """Events as the server sends them."""
    values = [[getattr(event, name) for name in COLUMNS] for event in events]
    return np.array([[math.nan if value is None else value for value in row] for row in values])


def shown(client: Client) -> np.ndarray:
    """What a client has been shown, without epoch 0."""
    return np.array(client.curves)[1:]


def test_a_run_opens_with_everything_and_rests(join: Join):
    client = join()
    client.open(PLAYGROUND)
    frame = client.take()
    assert frame["whole"] is True
    assert (frame["frame"], frame["epoch"], frame["updates"], frame["state"]) == (1, 0, 0, "paused")
    assert (frame["epochs"], frame["updates_per_epoch"], frame["metric"]) == (300, 25, "accuracy")
    assert frame["scene"]["kind"] == "plane"
    assert frame["arrays"]["train_x"].shape == (250, 2)
    start = measure(init(PLAYGROUND))
    assert client.curves[0][COLUMNS.index("train_loss")] == start.train_loss
    assert frame["numbers"]["validation_loss"] == start.validation_loss
    rest = client.take()
    assert (rest["type"], rest["state"], rest["updates"], rest["orders"]) == ("rest", "paused", 0, 1)
    assert client.silent()
    client.send("speed", value=25.0)
    client.send("step")
    assert client.until("rest")["orders"] == 2


@pytest.mark.parametrize("config", [replace(PLAYGROUND, epochs=60), replace(CLASSIC, epochs=200)])
def test_a_played_run_is_the_run(join: Join, config: RunConfig):
    client = join()
    client.open(config, play=True)
    rest = client.until("rest", state="finished")
    np.testing.assert_array_equal(shown(client), rows(list(run(config))))
    assert [frame["frame"] for frame in client.frames] == list(range(1, len(client.frames) + 1))
    assert rest["sentence"].startswith(f"All {config.epochs} epochs are done.")


def test_an_intervention_replays_bit_for_bit(join: Join):
    client = join()
    config = replace(PLAYGROUND, epochs=120)
    client.open(config, play=True)
    while client.frames == [] or client.frames[-1]["epoch"] < 20:
        client.take()
    client.send("learning_rate", value=0.1)
    made = client.until("intervention")
    assert made["update"] >= 500
    assert made["value"] == 0.1
    rest = client.until("rest", state="finished")
    assert rest["interventions"] == [{name: made[name] for name in ("update", "kind", "value")}]
    first = shown(client)
    again = RunConfig.from_dict({**config.to_dict(), "interventions": rest["interventions"]})
    np.testing.assert_array_equal(first, rows(list(run(again))))

    other = join()
    at = made["update"] + 777
    other.open(again, at=at)
    assert other.until("rest")["updates"] == at
    assert {frame["state"] for frame in other.frames} <= {"replaying", "paused"}
    other.send("play")
    other.until("rest", state="finished")
    np.testing.assert_array_equal(shown(other), first)


def test_a_run_fast_forwards_and_plays_on(join: Join):
    client = join()
    config = replace(PLAYGROUND, epochs=80)
    client.open(config, at=1500, play=True)
    client.send("speed", value=1000)
    client.until("rest", state="finished")
    states = [frame["state"] for frame in client.frames]
    assert states == sorted(states, key=["replaying", "playing", "finished"].index)
    progress = [frame["progress"] for frame in client.frames if frame["state"] == "replaying"]
    assert progress == sorted(progress)
    np.testing.assert_array_equal(shown(client), rows(list(run(config))))


def test_one_batch_and_one_epoch(join: Join):
    client = join()
    client.open(PLAYGROUND)
    client.until("rest")
    client.send("step")
    rest = client.until("rest")
    assert (rest["updates"], rest["epoch"], rest["state"]) == (1, 0, "paused")
    numbers = client.frames[-1]["numbers"]
    state = init(PLAYGROUND)
    advance(state, 1)
    assert numbers["batch_loss"] == state.last_batch_loss()
    assert numbers["train_loss"] == measure(state).train_loss
    client.send("epoch")
    rest = client.until("rest")
    assert (rest["updates"], rest["epoch"]) == (25, 1)
    client.send("epoch")
    assert client.until("rest")["updates"] == 50
    assert len(shown(client)) == 2


def test_a_run_at_rest_can_be_taken_up_elsewhere(join: Join):
    client = join()
    client.open(PLAYGROUND, at=33)
    rest = client.until("rest")
    state = restore(PLAYGROUND, decode_arrays(rest["snapshot"]))
    assert state.updates == 33
    client.send("epoch")
    client.until("rest")
    assert rows([advance(state, 100)])[0].tolist() == shown(client)[-1].tolist()


def test_pause_stops_and_play_goes_on(join: Join):
    client = join()
    client.open(replace(PLAYGROUND, epochs=10_000), play=True)
    client.take()
    client.take()
    client.send("pause")
    rest = client.until("rest")
    assert rest["state"] == "paused"
    assert client.frames[-1]["updates"] == rest["updates"]
    assert client.silent()
    client.send("play")
    assert client.take()["updates"] > rest["updates"]


def test_a_learning_rate_at_rest_changes_the_snapshot(join: Join):
    client = join()
    client.open(PLAYGROUND)
    client.until("rest")
    client.send("learning_rate", value=0.5)
    client.until("intervention", update=0)
    rest = client.until("rest")
    config = replace(PLAYGROUND, interventions=(Intervention(0, "learning_rate", 0.5),))
    assert restore(config, decode_arrays(rest["snapshot"])).learning_rate == 0.5
    client.send("learning_rate", value=0.25)
    assert client.until("rest")["interventions"] == [{"update": 0, "kind": "learning_rate", "value": 0.25}]


def test_a_set_speed_is_kept(join: Join):
    client = join()
    client.open(replace(CLASSIC, epochs=10_000))
    client.until("rest")
    client.send("speed", value=20)
    client.send("play")
    begin = time.monotonic()
    while time.monotonic() - begin < 1.0:
        frame = client.take()
    # One epoch at once, then one every 50 ms; a busy machine may be late, never early.
    elapsed = time.monotonic() - begin
    assert 0.5 * 20 * elapsed <= frame["epoch"] <= 2 + 20 * elapsed


def test_another_run_on_the_same_connection(join: Join):
    client = join()
    client.open(PLAYGROUND, play=True)
    client.take()
    client.open(CLASSIC)
    rest = client.until("rest")
    assert rest["updates"] == 0
    assert client.frames[-1]["scene"]["kind"] == "curve"
    assert client.frames[-1]["whole"] is True
    assert len(client.curves) == 1


def test_a_whole_frame_holds_the_whole_history(join: Join):
    client = join()
    client.open(replace(PLAYGROUND, epochs=40), play=True)
    client.until("rest", state="finished")
    before = client.curves
    client.send("whole")
    assert client.until("frame")["whole"] is True
    np.testing.assert_array_equal(client.curves, before)


def test_a_run_that_overflows_ends_with_an_explanation(join: Join):
    client = join()
    client.open(replace(CLASSIC, learning_rate=0.2), play=True)
    rest = client.until("rest", state="finished")
    assert "learning rate" in rest["sentence"]
    assert client.frames[-1]["numbers"]["train_loss"] in {"Infinity", "NaN"}
    assert not math.isfinite(shown(client)[-1][COLUMNS.index("train_loss")])
    client.send("learning_rate", value=0.01)
    assert "has ended" in client.until("error")["message"]


VIEWS = {
    "curve": RunConfig(dataset="sine"),
    "plane": RunConfig(dataset="blobs"),
    "chance": RunConfig(dataset="exam"),
    "chance of scores": RunConfig(dataset="exam", loss="hinge"),
    "scatter": RunConfig(dataset="diabetes", learning_rate=0.0001),
    "counts": RunConfig(dataset="iris"),
    "ten classes": RunConfig(dataset="digits"),
}


@pytest.mark.parametrize("kind", VIEWS)
def test_the_view_shows_what_the_model_does(join: Join, kind: str):
    config = VIEWS[kind]
    client = join()
    client.open(config, at=config.updates_per_epoch)
    client.until("rest")
    first, last = client.frames[0], client.frames[-1]
    state = init(config)
    advance(state, config.updates_per_epoch)
    split = state.split
    assert first["scene"]["kind"] == {"ten classes": "counts"}.get(kind, kind.split()[0])
    scene, fixed, now = first["scene"], first["arrays"], last["arrays"]
    if kind == "curve":
        np.testing.assert_array_equal(now["fitted"], predict(state, fixed["grid"][:, None]).astype(np.float32))
        np.testing.assert_array_equal(fixed["validation_y"], split.y_validation)
    elif first["scene"]["kind"] == "chance":
        np.testing.assert_array_equal(now["fitted"], predict(state, fixed["grid"][:, None]).astype(np.float32))
        np.testing.assert_array_equal(fixed["train_x"], split.x_train)
        np.testing.assert_array_equal(fixed["train_y"], split.y_train)
        told = scene["title"], scene["labels"], scene["border"]
        assert told == (("Score", [-1, 1], 0) if kind == "chance of scores" else ("Probability: passed", [0, 1], 0.5))
        # On the border's one side the model predicts one class.
        raw = predict(state, split.x_train)
        assert np.mean((raw > scene["border"]) == split.y_train) == pytest.approx(last["numbers"]["train_metric"])
    elif kind == "plane":
        expected = decision_map(state, scene["bounds"], 50)
        assert now["map"].shape == (50, 50, 3)
        assert np.abs(now["map"] / 255 - expected).max() <= 0.5 / 255 + 1e-6
    elif kind == "scatter":
        np.testing.assert_array_equal(now["train_predicted"], predict(state, split.x_train).astype(np.float32))
        np.testing.assert_array_equal(fixed["train_y"], split.y_train)
    else:
        classes = len(split.classes)
        right = np.trace(now["validation_counts"].reshape(classes, classes))
        assert right / len(split.y_validation) == pytest.approx(last["numbers"]["validation_metric"])
        assert now["train_counts"].sum() == len(split.y_train)


def test_a_large_data_set_is_thinned_for_the_screen(join: Join):
    client = join()
    client.open(RunConfig(samples=5000))
    frame = client.take()
    assert frame["scene"]["samples"] == {"train": 2500, "validation": 2500}
    assert len(frame["arrays"]["train_y"]) <= 1000
