"""The endpoint against bad, slow, absent and too many visitors."""

import gc
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from lossviz.training import CLASSIC, PLAYGROUND
from pages.ui.live import connection, engine
from pages.ui.live.protocol import MESSAGE_CHARACTERS
from pages.ui.live.viewed_run import ViewedRun
from tests.live.conftest import Client, Server, wait_for
from tests.live.test_protocol import JSON

Join = Callable[..., Client]
LONG = replace(PLAYGROUND, epochs=10_000)


def closing_code(client: Client) -> int | None:
    """Take messages until the server closes; return the code."""
    try:
        while True:
            client.take(acknowledge=False)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_foreign_pages_are_refused(live_server: Server, origin: str):
    with pytest.raises(InvalidStatus) as refused, connect(live_server.url, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    assert origin.encode() in refused.value.response.body


def test_foreign_names_are_refused(live_server: Server):
    with (
        socket.create_connection(("localhost", live_server.port)) as wire,
        pytest.raises(InvalidStatus) as refused,
        connect("ws://elsewhere.example/live", sock=wire),
    ):
        pass
    assert refused.value.response.status_code == 403
    assert b"elsewhere.example" in refused.value.response.body


def test_the_own_page_may_connect(live_server: Server, join: Join):
    client = join(origin=f"http://localhost:{live_server.port}")
    client.open(PLAYGROUND)
    assert client.take()["whole"] is True


@pytest.mark.parametrize("path", ["", "lab"])
def test_the_app_serves_the_endpoint_below_its_base_path(start_server, path: str):
    with start_server(*(["--server.baseUrlPath", path] if path else [])) as url:
        address = url.replace("http", "ws") + "/live"
        with connect(address, origin=url.removesuffix(f"/{path}") if path else url) as socket:
            client = Client(socket)
            client.open(PLAYGROUND)
            assert client.take()["whole"] is True
        with pytest.raises(InvalidStatus) as refused, connect(address, origin="https://elsewhere.example"):
            pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("first", "part"),
    [
        ("nonsense", "not JSON"),
        ('{"type": "play"}', "'play'"),
        ('{"type": "open", "config": {"loss": "luck"}, "at": 0, "play": true}', "luck"),
        (b"\x00\x01", "the own data has 2 bytes"),
    ],
)
def test_the_first_message_opens_a_run(join: Join, first: str | bytes, part: str):
    client = join()
    client.socket.send(first)
    assert closing_code(client) == connection.REFUSED
    assert part in client.messages[-1]["message"]


def test_a_silent_visitor_is_sent_away(join: Join, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "OPEN_SECONDS", 0.2)
    client = join()
    assert closing_code(client) == connection.SILENT
    assert "0.2 seconds" in client.messages[-1]["message"]


def test_a_long_message_ends_the_connection(join: Join):
    client = join()
    client.open(CLASSIC)
    client.until("rest")
    client.socket.send('{"type": "play"' + " " * MESSAGE_CHARACTERS + "}")
    assert closing_code(client) == connection.TOO_LONG
    assert f"{MESSAGE_CHARACTERS:,}" in client.messages[-1]["message"]


def test_too_many_connections_are_told_so(join: Join, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "CONNECTIONS", 3)
    served = [join() for _ in range(3)]
    for client in served:
        client.open(CLASSIC)
        client.until("rest")
    late = join()
    assert closing_code(late) == connection.FULL
    assert "places" in late.messages[-1]["message"]
    served[0].socket.close()
    wait_for(lambda: connection.ENGINE.connections == 2, "a free place")
    late = join()
    late.open(CLASSIC)
    assert late.take()["whole"] is True


def test_a_flood_of_commands_ends_the_connection(join: Join):
    client = join()
    client.open(LONG)
    with suppress(ConnectionClosed):
        for _ in range(5000):
            client.send("whole")
    assert closing_code(client) == connection.REFUSED
    assert "messages are waiting" in client.messages[-1]["message"]


def test_bad_messages_are_answered_and_the_run_goes_on(join: Join):
    client = join()
    client.open(LONG, play=True)
    client.take()
    for text, part in [
        ("{", "not JSON"),
        ('{"type": "speed", "value": -1}', "speed is -1"),
        ('{"type": "learning_rate", "value": 1e9}', "learning_rate is 1000000000.0"),
        ('{"type": "ack", "frame": 1000000}', "frame is 1000000"),
    ]:
        client.socket.send(text)
        assert part in client.until("error")["message"]
    epoch = client.take()["epoch"]
    client.take()
    assert client.take()["epoch"] > epoch


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_garbage_disturbs_nobody(talker: tuple[Client, Client], garbage: object):
    rude, neighbour = talker
    rude.socket.send(json.dumps(garbage))
    assert rude.until("error")["message"]
    seen = len(neighbour.frames)
    deadline = time.monotonic() + 20
    while len(neighbour.frames) < seen + 2:
        assert time.monotonic() < deadline, "the neighbour's run stands still"
        time.sleep(0.005)
    assert neighbour.frames[-1]["epoch"] >= neighbour.frames[seen]["epoch"]


@pytest.fixture
def talker(join: Join) -> Iterator[tuple[Client, Client]]:
    """Somebody at rest who sends garbage, and a neighbour whose run plays and is watched all the time."""
    rude, neighbour = join(), join()
    rude.open(CLASSIC)
    rude.until("rest")
    neighbour.open(LONG)
    neighbour.until("rest")
    neighbour.send("speed", value=100)
    neighbour.send("play")
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            with suppress(TimeoutError):
                neighbour.take(timeout=0.2)

    with ThreadPoolExecutor(1) as thread:
        watching = thread.submit(watch)
        yield rude, neighbour
        done.set()
        watching.result()


def test_frames_wait_for_the_browser(join: Join):
    client = join()
    client.open(LONG)
    client.until("rest")
    client.send("play")
    first = client.take(acknowledge=False)
    second = client.take(acknowledge=False)
    assert client.silent()
    assert second["frame"] == first["frame"] + 1
    client.send("ack", frame=second["frame"])
    assert client.take()["frame"] == second["frame"] + 1


def test_a_playing_browser_that_stops_drawing_loses_its_place(join: Join, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "ACKNOWLEDGE_SECONDS", 0.3)
    client, quiet = join(), join()
    quiet.open(LONG)
    quiet.until("rest")
    client.open(LONG, play=True)
    assert closing_code(client) == connection.SILENT
    # One at rest may stay as long as it likes.
    quiet.send("step")
    assert quiet.until("rest")["updates"] == 1


@pytest.mark.parametrize("politely", [True, False])
def test_a_run_ends_when_its_socket_closes(live_server: Server, politely: bool):
    def runs() -> int:
        gc.collect()
        return sum(type(thing) is ViewedRun for thing in gc.get_objects())

    with ExitStack() as connections:
        clients = [Client(connections.enter_context(connect(live_server.url))) for _ in range(5)]
        for client in clients:
            client.open(LONG, play=True)
            client.take()
        assert connection.ENGINE.running == 5
        assert runs() >= 5
        if not politely:
            for client in clients:
                client.socket.socket.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: connection.ENGINE.connections == 0, "connections to end")
    wait_for(lambda: connection.ENGINE.running == 0, "runs to end")
    wait_for(lambda: runs() == 0, "runs to be forgotten")
    wait_for(lambda: not [name for name in live_server.tasks() if "Session" in name or "live" in name], "tasks to end")
    assert sum(thread.name.startswith("lossviz-engine") for thread in threading.enumerate()) == 1


def test_a_fault_ends_one_run_only(join: Join, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    neighbour = join()
    neighbour.open(CLASSIC)
    neighbour.until("rest")
    monkeypatch.setattr(ViewedRun, "report", lambda self: 1 / 0)
    client = join()
    client.open(CLASSIC)
    assert closing_code(client) == connection.FAILED
    assert "fault in lossviz" in client.messages[-1]["message"]
    assert "a run failed" in caplog.text
    monkeypatch.undo()
    neighbour.send("step")
    assert neighbour.until("rest")["updates"] == 1


def test_many_runs_share_the_engine_fairly(join: Join):
    clients = [join() for _ in range(6)]
    for client in clients:
        client.open(LONG, play=True)
    epochs = [0] * len(clients)

    def watch(index: int) -> None:
        begin = time.monotonic()
        while time.monotonic() - begin < 2.0:
            epochs[index] = clients[index].until("frame")["epoch"]

    threads = [threading.Thread(target=watch, args=(index,)) for index in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(epochs) >= sorted(epochs)[3] / 3 > 0


def test_a_shutdown_says_that_the_server_restarts():
    server = Server()
    with connect(server.url) as wire:
        client = Client(wire)
        client.open(LONG, play=True)
        client.take()
        server.stop()
        assert closing_code(client) == 1012
    wait_for(lambda: connection.ENGINE.connections == 0, "the connection to end")


def test_messages_say_which_of_the_runs_of_a_connection_they_are_about(join: Join):
    client = join()
    client.open(PLAYGROUND)
    client.open(CLASSIC)
    seen = [client.take(), client.until("rest")]
    while seen[-1]["run"] == 1:
        seen.append(client.until("rest"))
    assert {message["run"] for message in seen} == {1, 2}
    whole = [frame for frame in client.frames if frame.get("whole")]
    assert [(frame["run"], frame["epochs"]) for frame in whole] == [(1, PLAYGROUND.epochs), (2, CLASSIC.epochs)]
