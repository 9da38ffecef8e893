"""Going back to any moment of a run over the socket, and on from there."""

from dataclasses import replace

import numpy as np

from lossviz.training import PLAYGROUND, Intervention, RunConfig, advance, decision_map, init, measure, run
from pages.ui.live import connection
from tests.live.conftest import Client
from tests.live.test_runs import Join, rows, shown

CONFIG = replace(PLAYGROUND, epochs=40)
PER_EPOCH = CONFIG.updates_per_epoch


def finished(join: Join, config: RunConfig = CONFIG) -> Client:
    """A client whose run is over, with the gradients' panel open."""
    client = join()
    client.open(config, play=True)
    client.send("panels", open=["gradients"])
    client.until("rest", state="finished")
    return client


def at(update: int, config: RunConfig = CONFIG):
    """The run itself at that moment."""
    state = init(config)
    while state.updates < update:
        advance(state, update - state.updates)
    return state


def test_weights_fit_and_numbers_of_any_moment_come_back(join: Join):
    client = finished(join)
    everything = shown(client)
    for update in (20 * PER_EPOCH, 3 * PER_EPOCH, 0, 31 * PER_EPOCH + 7, 40 * PER_EPOCH):
        client.send("wind", at=update)
        rest = client.until("rest")
        frame = client.frames[-1]
        state = at(update)
        assert (rest["updates"], rest["epoch"], frame["epoch"]) == (update, update // PER_EPOCH, update // PER_EPOCH)
        assert rest["state"] == ("finished" if update == 40 * PER_EPOCH else "paused")
        assert frame["known"] == 40
        assert frame["numbers"]["validation_loss"] == measure(state).validation_loss
        share = (decision_map(state, client.frames[0]["scene"]["bounds"], 50) + 1.0) / 2.0
        np.testing.assert_array_equal(
            frame["arrays"]["map"], np.rint(255.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8)
        )
    np.testing.assert_array_equal(shown(client), everything)


def test_a_run_that_was_wound_back_goes_on_as_it_went(join: Join):
    client = finished(join)
    everything = shown(client)
    client.send("wind", at=10 * PER_EPOCH)
    client.until("rest")
    client.send("play")
    rest = client.until("rest", state="finished")
    assert rest["updates"] == 40 * PER_EPOCH
    # Nothing is shown twice: the curves were known.
    np.testing.assert_array_equal(shown(client), everything)
    client.send("wind", at=0)
    client.until("rest")
    client.send("epoch")
    assert client.until("rest")["updates"] == PER_EPOCH


def test_a_change_at_an_earlier_moment_begins_another_way(join: Join):
    config = replace(CONFIG, interventions=(Intervention(30 * PER_EPOCH, value=0.3),))
    client = finished(join, config)
    first = shown(client)
    client.send("wind", at=10 * PER_EPOCH)
    client.until("rest")
    client.send("learning_rate", value=0.001)
    assert client.until("intervention")["branched"] is True
    frame = client.until("frame")
    assert (frame["cut"], frame["known"]) == (10, 10)
    client.curves = client.curves[:11]
    client.until("rest")
    client.send("play")
    rest = client.until("rest", state="finished")
    assert rest["interventions"] == [{"update": 10 * PER_EPOCH, "kind": "learning_rate", "value": 0.001}]
    other = list(run(RunConfig.from_dict({**config.to_dict(), "interventions": rest["interventions"]})))
    np.testing.assert_array_equal(shown(client), rows(other))
    assert (shown(client)[:10] == first[:10]).all()
    assert (shown(client)[10:] != first[10:]).any()
    client.send("learning_rate", value=0.01)
    assert "The run has ended" in client.until("error")["message"]


def test_what_no_snapshot_holds_is_computed_again_with_progress(join: Join, monkeypatch):
    monkeypatch.setattr(connection.Engine, "tape_bytes", 1)
    config = replace(CONFIG, epochs=400)
    client = finished(join, config)
    client.send("wind", at=333 * PER_EPOCH + 3)
    rest = client.until("rest")
    assert rest["updates"] == 333 * PER_EPOCH + 3
    again = [frame for frame in client.frames if frame["state"] == "replaying"]
    assert again
    assert [frame["progress"] for frame in again] == sorted(frame["progress"] for frame in again)
    assert client.frames[-1]["numbers"]["train_loss"] == measure(at(rest["updates"], config)).train_loss


def test_a_moment_that_was_not_reached_is_the_last_that_was(join: Join):
    client = join()
    client.open(CONFIG, at=77)
    client.until("rest")
    client.send("wind", at=1000)
    assert client.until("rest")["updates"] == 77
    for bad in (-1, 1.5, "7", None, True):
        client.send("wind", at=bad)
        assert client.until("error")["message"].startswith("at is ")
    client.send("step")
    assert client.until("rest")["updates"] == 78


def test_a_playing_run_that_is_wound_rests(join: Join):
    client = join()
    client.open(replace(CONFIG, epochs=10_000), play=True)
    while not client.frames or client.frames[-1]["epoch"] < 9:
        client.take()
    client.send("wind", at=4 * PER_EPOCH)
    rest = client.until("rest")
    assert (rest["state"], rest["updates"]) == ("paused", 4 * PER_EPOCH)
    assert client.silent()
