"""The race's socket: frames hold the core's numbers, bad messages are refused, and a race ends with its socket."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from lossviz.training import CLASSIC, PLAYGROUND, RunConfig, lineup, mean_and_deviation, run, usual_values
from pages.ui.live import connection
from pages.ui.live.engine import ENGINE
from pages.ui.race import endpoint
from pages.ui.race.messages import parse
from pages.ui.race.viewed_race import MOST_UPDATES, ViewedRace, check_size
from tests.conftest import free_port
from tests.live.conftest import wait_for
from tests.live.frames import unpack

RATES = [0.01, 0.1, 5.0]
SHORT = replace(CLASSIC, epochs=60)


def opening(**fields: Any) -> str:
    """The message that opens a race, with some fields changed."""
    given = {"type": "open", "config": {}, "by": "rate", "values": [0.1, 0.2], "at": 0, "play": True}
    return json.dumps({**given, **fields})


class Client:
    """A browser without a screen."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.rows: list[list[float]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def open(self, config: RunConfig, by: str, values: list[Any], *, at: int = 0, play: bool = False) -> None:
        self.send("open", config=config.to_dict(), by=by, values=values, at=at, play=play)

    def take(self, *, acknowledge: bool = True) -> dict[str, Any]:
        message = self.socket.recv(timeout=10)
        if isinstance(message, str):
            return dict(json.loads(message))
        header, arrays = unpack(message)
        assert header["first"] == (0 if header.get("whole") else len(self.rows)) or not len(arrays["rows"])
        self.rows += arrays["rows"].tolist()
        if acknowledge:
            self.send("ack", frame=header["frame"])
        return {"type": "frame", **header}

    def until(self, kind: str, **wanted: Any) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            message = self.take()
            if message["type"] == kind and all(message[name] == value for name, value in wanted.items()):
                return message
        raise AssertionError(f"no {kind} with {wanted} came")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The endpoint under a real uvicorn in a thread of its own."""
    found = free_port()
    app = Starlette(routes=endpoint.routes())
    server = uvicorn.Server(
        uvicorn.Config(app, port=found, log_level="error", ws="websockets-sansio", lifespan="off"),
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started, "the server to start")
    yield found
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def join(port: int) -> Iterator[Callable[..., Any]]:
    """Connects clients; afterwards no race goes on."""

    @contextmanager
    def connected(**options: Any) -> Iterator[Client]:
        with connect(f"ws://localhost:{port}/race", **options) as socket:
            yield Client(socket)

    yield connected
    wait_for(lambda: ENGINE.connections == 0 and ENGINE.running == 0, "the races to end")


@pytest.mark.parametrize("by", ["rate", "optimizer", "depth", "seed", "batch"])
def test_frames_hold_what_each_run_alone_gives(join, by):
    config = replace(PLAYGROUND, dtype="float64", epochs=5)
    # A larger rate jumps about, and every jump doubles the last digit's rounding.
    values = (0.001, 0.01, 0.1) if by == "rate" else usual_values(config, by)
    racers = lineup(config, by, values)
    with join() as client:
        client.open(config, by, list(values), play=True)
        first = client.take()
        assert first["whole"]
        assert first["epochs"] == 5
        last = client.until("frame", state="finished")
        assert client.until("rest")["state"] == "finished"
    rows = np.array(client.rows)
    assert len(rows) == 6
    for at, racer in enumerate(racers):
        events = list(run(racer.config))
        assert rows[1:, 2 * at] == pytest.approx([event.validation_metric for event in events])
        assert rows[1:, 2 * at + 1] == pytest.approx([event.validation_loss for event in events], rel=1e-6)
        assert last["standings"]["loss"][at][1] == pytest.approx(events[-1].validation_loss, rel=1e-6)
    if by == "seed":
        metrics = rows[3, : 2 * len(racers) : 2]
        assert rows[3, -4:-2] == pytest.approx(mean_and_deviation(metrics))
    else:
        assert rows.shape[1] == 2 * len(racers)


def test_a_racer_that_overflows_is_shown_as_such(join):
    with join() as client:
        client.open(replace(CLASSIC, epochs=3000), "rate", RATES, play=True)
        frame = client.until("frame", state="finished")
    states = [standing[5] for standing in frame["standings"]["loss"]]
    assert states == ["done", "done", "overflowed"]
    assert frame["standings"]["loss"][2][0] == 3
    assert "Above 0.119756" in frame["sweep"]["sentence"]
    assert np.isfinite(np.array(client.rows)[-1, :4]).all()


def test_losses_have_no_ranking_by_loss(join):
    with join() as client:
        client.open(PLAYGROUND, "loss", ["mse", "hinge"])
        assert list(client.take()["standings"]) == ["metric"]


def test_pause_play_and_speed(join):
    with join() as client:
        client.open(replace(PLAYGROUND, epochs=10_000), "rate", [0.01, 0.1], play=True)
        client.send("speed", value=5.0)
        begun = time.monotonic()
        client.until("frame", epoch=3)
        assert time.monotonic() - begun > 0.3
        client.send("pause")
        report = client.until("rest", state="paused")
        assert report["orders"] == 2
        assert ENGINE.running == 0
        client.send("speed", value=None)
        client.send("play")
        assert client.until("frame", state="playing")["epoch"] >= report["epoch"]


def test_a_race_is_taken_up_where_it_was(join):
    with join() as client:
        client.open(SHORT, "rate", RATES[:2], at=40)
        client.until("rest", epoch=40, state="paused")
    assert len(client.rows) == 41


def test_one_connection_opens_another_race(join):
    with join() as client:
        client.open(SHORT, "rate", RATES)
        client.until("rest", run=1)
        client.rows = []
        client.open(SHORT, "seed", [1, 2])
        client.until("rest", run=2)
        assert len(client.rows[0]) == 8


@pytest.mark.parametrize(
    ("first", "part"),
    [
        ("nonsense", "not JSON"),
        ("[1]", "an object with a type"),
        ('{"type": "play"}', "'play'"),
        ('{"type": "open"}', "wrong or missing fields"),
        (json.dumps({"type": "open", "config": {}, "by": "luck", "values": [1, 2], "at": 0, "play": True}), "luck"),
        (json.dumps({"type": "open", "config": {}, "by": "rate", "values": [1], "at": 0, "play": True}), "2 to 16"),
        (json.dumps({"type": "open", "config": {}, "by": "rate", "values": [1, {}], "at": 0, "play": True}), "{}"),
        (json.dumps({"type": "open", "config": {}, "by": "seed", "values": "12", "at": 0, "play": True}), "a list"),
        (
            json.dumps({"type": "open", "config": {}, "by": "rate", "values": [1, 2], "at": -1, "play": True}),
            "at is -1",
        ),
    ],
)
def test_a_bad_first_message_is_refused(join, first, part):
    with join() as client:
        client.socket.send(first)
        assert part in client.take()["message"]
        with pytest.raises(ConnectionClosed) as closed:
            client.take()
        assert closed.value.rcvd.code == connection.REFUSED


def test_a_bad_later_message_disturbs_nothing(join):
    with join() as client:
        client.open(SHORT, "rate", RATES)
        client.until("rest")
        for text in ('{"type": "ack", "frame": 99}', '{"type": "speed", "value": 0}', "[" * 5000):
            client.socket.send(text)
            assert client.until("error")["message"]
        client.send("play")
        client.until("frame", state="finished")


def test_too_large_a_race_is_refused_and_the_next_one_runs(join):
    with join() as client:
        client.open(replace(PLAYGROUND, samples=5000, batch_size=1), "rate", [0.1, 0.2])
        assert "2,500 updates" in client.take()["message"]
        client.send("play")
        client.open(SHORT, "rate", RATES)
        assert client.until("rest", run=2)


def test_sizes():
    with pytest.raises(ValueError, match="choose fewer units"):
        check_size([replace(PLAYGROUND, samples=2000, hidden=(64,) * 6, seed=seed) for seed in range(16)])
    with pytest.raises(ValueError, match=f"up to {MOST_UPDATES:,}"):
        check_size([replace(PLAYGROUND, samples=400, batch_size=1, dropout=0.1, seed=seed) for seed in range(16)])
    check_size([replace(PLAYGROUND, batch_size=size) for size in (1, 2, 5, 10, None)])


def test_foreign_pages_are_refused(join):
    with pytest.raises(InvalidStatus) as refused, join(origin="https://elsewhere.example"):
        pass
    assert refused.value.response.status_code == 403


def test_who_draws_nothing_is_sent_away(join, monkeypatch):
    monkeypatch.setattr(connection, "ACKNOWLEDGE_SECONDS", 0.2)
    with join() as client:
        client.open(replace(PLAYGROUND, epochs=10_000), "rate", [0.01, 0.1], play=True)
        while client.take(acknowledge=False)["type"] == "frame":
            pass
        with pytest.raises(ConnectionClosed) as closed:
            client.take()
        assert closed.value.rcvd.code == connection.SILENT


def test_a_slot_stays_short():
    config = replace(PLAYGROUND, epochs=1000)
    race = ViewedRace(lineup(config, "depth", [0, 1, 2, 3, 4]), "depth")
    race.advance(1000, 0.001)
    # One group of five was trained, and no epoch is complete yet.
    assert (race.epoch, race.finished) == (0, False)
    for _ in range(4):
        race.advance(1000, 0.0)
    assert race.epoch == 1


def test_messages_have_bounds():
    with pytest.raises(ValueError, match="NaN is not a number"):
        parse('{"type": "speed", "value": NaN}')
    with pytest.raises(ValueError, match="speed is 5000"):
        parse('{"type": "speed", "value": 5000}')
