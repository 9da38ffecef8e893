"""Own data on the socket: it survives the way, hostile bytes are refused with a reason, and nobody keeps it."""

import gc
import json
import struct
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz.datasets.own import read_csv
from lossviz.datasets.own_points import OwnPoints
from lossviz.training import CLASSIC, run
from pages.ui.live import connection, read_message, run_name
from pages.ui.live.own_message import HEADER_BYTES, MESSAGE_BYTES, pack_points, read_points
from pages.ui.live.protocol import pack
from pages.ui.race.messages import parse as parse_race
from tests.live.conftest import Client, wait_for
from tests.live.test_endpoint import closing_code
from tests.training.test_own_data import CLASSES, PRICES, run_on

Join = Callable[..., Client]
CONFIG = run_on(CLASSES, epochs=6, validation_fraction=0.25)


def header_of(data: bytes) -> dict:
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length])


def packed(x=CLASSES.x, y=CLASSES.y, **changes) -> bytes:
    header = {name: value for name, value in header_of(pack_points(CLASSES)).items() if name != "arrays"}
    return pack({**header, **changes}, {"x": x, "y": y})


def with_arrays(described: object) -> bytes:
    text = json.dumps({**header_of(pack_points(CLASSES)), "arrays": described}).encode()
    return struct.pack("<I", len(text)) + text + bytes(-(4 + len(text)) % 8) + bytes(4000)


def described(**changes) -> list[dict]:
    first, second = header_of(pack_points(CLASSES))["arrays"]
    return [{**first, **changes}, second]


@pytest.mark.parametrize("points", [PRICES, CLASSES], ids=["regression", "classes"])
def test_own_data_survives_the_way(points):
    again = read_points(pack_points(points))
    assert again.key == points.key
    for name in ("feature_names", "target_name", "task", "classes", "column"):
        assert getattr(again, name) == getattr(points, name)
    assert again.x.tobytes() == points.x.tobytes()
    assert again.y.tobytes() == points.y.tobytes()


def test_the_largest_own_data_fits():
    x = np.zeros((498, 500), np.float32)
    x[:, 0] = np.arange(498)
    points = OwnPoints(
        x, x[:, 0].copy(), tuple(f"{number:03}{120 * 'é'}" for number in range(500)), "y", "regression", (), 1
    )
    data = pack_points(points)
    assert header_of(data)["key"] == points.key
    assert len(data) < MESSAGE_BYTES
    assert len(data) - len(x) * 501 * 4 < HEADER_BYTES + 8
    assert read_points(data).key == points.key


HOSTILE = {
    "nothing": (b"", "has 0 bytes"),
    "no header": (b"\xff\xff\xff\xff", "header has 4,294,967,295 bytes"),
    "a header that is not there": (struct.pack("<I", 100) + b"{}", "header has 100 bytes"),
    "no JSON": (struct.pack("<I", 3) + b"{a}", "header is not JSON"),
    "no UTF-8": (struct.pack("<I", 3) + b"\xff\xfe\x00", "header is not JSON"),
    "nested": (struct.pack("<I", 200_000) + 200_000 * b"[", "nested too deeply"),
    "a large number": (struct.pack("<I", 5000) + 5000 * b"9", "header is not JSON"),
    "a list": (struct.pack("<I", 2) + b"[]", "header is []"),
    "another field": (packed(secret=1), "an object with"),
    "no arrays": (with_arrays(None), "arrays are None"),
    "one array": (with_arrays(described()[:1]), "x and y are needed"),
    "arrays without fields": (with_arrays([1, 2]), "x is 1; an array of that name"),
    "another name": (with_arrays(described(name="z")), "an array of that name"),
    "float64": (with_arrays(described(dtype="float64")), "float32 with 2 dimensions"),
    "one dimension": (with_arrays(described(shape=[60])), "float32 with 2 dimensions"),
    "a negative size": (with_arrays(described(shape=[-60, 3])), "float32 with 2 dimensions"),
    "a large size": (with_arrays(described(shape=[10**12, 3])), "float32 with 2 dimensions"),
    "a size that is no number": (with_arrays(described(shape=[60, True])), "float32 with 2 dimensions"),
    "more than is there": (with_arrays(described(shape=[5000, 49])), "there are 4,"),
    "less than is there": (with_arrays(described(shape=[60, 1])), "its header promises"),
    "cut": (pack_points(CLASSES)[:-9], "y is"),
    "longer": (pack_points(CLASSES) + bytes(8), "its header promises"),
    "not finite": (packed(x=np.full_like(CLASSES.x, np.inf)), "x holds inf"),
    "other numbers": (packed(x=CLASSES.x + 1), "its numbers make own-4-binary-"),
    "another column": (packed(column=3), "its numbers make own-3-binary-"),
    "another task": (packed(task="regression", classes=[]), "its numbers make own-4-regression-"),
    "no task": (packed(task=["binary"]), "task of the own data is ['binary']"),
    "an unknown task": (packed(task="ranking"), "task is 'ranking'"),
    "names that are no list": (packed(feature_names="abc"), "feature_names of the own data is 'abc'"),
    "names that are no texts": (packed(feature_names=[1, 2, 3]), "feature_names holds '1'"),
    "half a character": (packed(target_name="\ud800"), "target_name holds"),
    "too many classes": (packed(classes=["a", "b", "c"]), "classes does not hold 2 names"),
    "other class numbers": (packed(y=CLASSES.y + 1), "each class number from 0 to 1"),
    "fewer rows": (packed(y=CLASSES.y[:-2]), "x has 60 rows and y 58"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_data_is_refused_with_the_reason(case):
    data, message = HOSTILE[case]
    with pytest.raises(ValueError, match=r".") as refused:
        read_points(data)
    assert message in str(refused.value)
    assert len(str(refused.value)) < 400


@settings(deadline=None)
@given(st.data())
def test_changed_bytes_are_read_as_they_were_or_refused(data):
    good = bytearray(pack_points(CLASSES))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        assert read_points(bytes(good)).key == CLASSES.key


def test_a_run_on_own_data_is_played_as_it_was_computed(join: Join):
    client = join()
    client.socket.send(pack_points(CLASSES))
    client.open(CONFIG, play=True)
    whole = client.take()
    assert whole["scene"]["features"] == list(CLASSES.feature_names)
    assert whole["scene"]["classes"] == ["cheap", "dear"]
    client.until("rest", state="finished")
    assert [row[2] for row in client.curves[1:]] == [event.train_loss for event in run(CONFIG)]


def test_without_its_data_a_run_is_not_opened(join: Join):
    client = join()
    client.open(CONFIG)
    assert closing_code(client) == connection.REFUSED
    assert "the file with these numbers is needed" in client.messages[-1]["message"]


def test_bad_data_is_answered_and_the_run_goes_on(join: Join):
    client = join()
    client.open(CLASSIC)
    client.until("rest")
    client.socket.send(HOSTILE["other numbers"][0])
    assert "its numbers make" in client.until("error")["message"]
    client.open(CONFIG)
    assert "is needed" in client.until("error")["message"]
    client.send("step")
    assert client.until("rest")["updates"] == 1


def test_too_much_data_ends_the_connection(join: Join):
    client = join()
    client.open(CLASSIC)
    client.until("rest")
    client.socket.send(bytes(MESSAGE_BYTES + 1))
    assert closing_code(client) == connection.TOO_LONG
    assert f"{MESSAGE_BYTES:,} are allowed" in client.messages[-1]["message"]


def test_the_server_lets_go_of_the_data(join: Join, monkeypatch: pytest.MonkeyPatch):
    held: list[weakref.ref[OwnPoints]] = []

    def noting(data: bytes) -> OwnPoints:
        points = read_points(data)
        held.append(weakref.ref(points))
        return points

    monkeypatch.setattr(connection, "read_points", noting)

    def gone(number: int) -> bool:
        gc.collect()
        return held[number]() is None

    client = join()
    client.socket.send(pack_points(CLASSES))
    client.open(CONFIG, at=3)
    client.until("rest")
    assert not gone(0)
    client.open(CLASSIC)  # a run on other data
    client.until("rest", state="paused")
    wait_for(lambda: gone(0), "the data to go with its run")
    client.socket.send(pack_points(CLASSES))
    client.open(CONFIG)
    client.until("rest")
    assert not gone(1)
    client.socket.close()
    wait_for(lambda: gone(1), "the data to go with the connection")


def test_a_race_on_own_data_is_read():
    opening = {"type": "open", "config": CONFIG.to_dict(), "by": "rate", "values": [0.1, 0.2], "at": 0, "play": False}
    racers = parse_race(json.dumps(opening), CLASSES).racers
    assert [racer.config.own for racer in racers] == [CLASSES, CLASSES]
    with pytest.raises(ValueError, match="is needed"):
        parse_race(json.dumps(opening), PRICES)


def test_what_the_browser_reports_keeps_the_data():
    changes = [{"update": 3, "kind": "learning_rate", "value": 0.5}]
    where = {"state": "playing", "epoch": 1, "updates": 4, "snapshot": None}
    message = read_message(CONFIG, {"run": run_name(CONFIG), "interventions": changes, **where})
    assert message.config.own is CLASSES
    assert message.config == replace(CONFIG, interventions=changes)


VIEWS = {
    "curve": "a,b\n1,2\n2,3.5\n3,4\n4,6\n5,7",
    "scatter": "a,b,c\n1,2,3\n2,3.5,1\n3,4,2.5\n4,6,1\n5,7,2",
    "chance": "a,b\n1,x\n2,y\n3,x\n4,y\n5,y",
    "plane": "a,b,c\n1,1e30,x\n2,2e30,y\n3,1e30,z\n4,3e30,x\n5,4e30,y",
    "counts": "a,b,c\n1,1,p\n2,2,q\n3,1,r\n4,3,s\n5,4,p",
}


@pytest.mark.parametrize("kind", VIEWS)
def test_every_kind_of_own_data_has_a_view(join: Join, kind: str):
    points = read_csv(VIEWS[kind]).points
    client = join()
    client.socket.send(pack_points(points))
    client.open(run_on(points, epochs=3, validation_fraction=0.0), play=True)
    assert client.take()["scene"]["kind"] == kind
    assert client.until("rest", state="finished")["epoch"] == 3
