import json
import re
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz.training import PLAYGROUND, RunConfig, advance, init, restore, snapshot
from pages.ui.live import SHOWN, read_message, read_shown, run_name
from pages.ui.live.panels import PANELS
from pages.ui.live.protocol import (
    MESSAGE_CHARACTERS,
    SNAPSHOT_BYTES,
    Message,
    decode_arrays,
    encode_arrays,
    pack,
    parse,
)
from tests.live.frames import unpack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(["open", "play", "pause", "step", "epoch", "speed", "learning_rate", "ack", "whole", "panels"])
FIELDS = st.dictionaries(st.sampled_from(["config", "at", "play", "value", "frame", "open", "other"]), JSON, max_size=4)


def test_a_message_is_read():
    message = parse(json.dumps({"type": "open", "config": PLAYGROUND.to_dict(), "at": 25, "play": True}))
    assert message == Message("open", config=PLAYGROUND, at=25, play=True)
    assert parse('{"type": "learning_rate", "value": 0.5}').value == 0.5
    assert parse('{"type": "speed", "value": null}').value is None
    assert parse('{"type": "ack", "frame": 3}').frame == 3
    assert parse('{"type": "panels", "open": ["rate", "pulls", "rate"]}').panels == {"rate", "pulls"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not JSON"),
        ("[1]", "an object with a type"),
        ("[" * 100_000, "nested too deeply"),
        ('{"type": "fly"}', "type is 'fly'; allowed: open, play"),
        ('{"type": ["play"]}', "type is ['play']"),
        ('{"type": "play", "hard": 1}', "['hard']"),
        ('{"type": "ack"}', "['frame']"),
        ('{"type": "ack", "frame": 0}', "frame is 0"),
        ('{"type": "ack", "frame": true}', "frame is True"),
        ('{"type": "speed", "value": NaN}', "NaN is not a number that JSON allows"),
        ('{"type": "speed", "value": 1e999}', "speed is inf"),
        ('{"type": "learning_rate", "value": 0}', "learning_rate is 0"),
        ('{"type": "learning_rate", "value": "fast"}', "learning_rate is 'fast'"),
        ('{"type": "open", "config": 3, "at": 0, "play": false}', "the config is 3"),
        ('{"type": "open", "config": {}, "at": 10000000, "play": false}', "at is 10000000"),
        ('{"type": "open", "config": {"epochs": 1e9}, "at": 0, "play": false}', "epochs is 1000000000.0"),
        ('{"type": "open", "config": {}, "at": 0, "play": 1}', "play is 1; allowed: true, false"),
        ('{"type": "panels", "open": "rate"}', f"open is 'rate'; a list of at most {len(PANELS)} of metric, rate"),
        ('{"type": "panels", "open": ["secret"]}', "open is 'secret'; allowed: metric, rate"),
        ('{"type": "panels", "open": [["rate"]]}', "open is ['rate']"),
        (json.dumps({"type": "panels", "open": ["rate"] * (len(PANELS) + 1)}), f"at most {len(PANELS)}"),
        (" " * (MESSAGE_CHARACTERS + 1), "characters"),
    ],
)
def test_a_bad_message_is_named(text: str, part: str):
    with pytest.raises(ValueError, match=re.escape(part)) as caught:
        parse(text)
    assert len(str(caught.value)) < 700


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60), JSON.map(json.dumps), st.builds(lambda t, f: json.dumps({"type": t, **f}), TYPES, FIELDS)
    )
)
def test_anything_is_a_message_or_a_value_error(text: str):
    with suppress(ValueError):
        assert isinstance(parse(text), Message)


def test_a_frame_comes_back_as_it_was_sent():
    header = {"frame": 1, "numbers": {"train_loss": float("inf"), "other": float("nan"), "list": [1.0, None]}}
    arrays = {"map": np.arange(5, dtype=np.uint8), "curves": np.array([[1.5, np.nan]]), "none": np.zeros((0, 7))}
    read, found = unpack(pack(header, arrays))
    assert read["numbers"] == {"train_loss": "Infinity", "other": "NaN", "list": [1.0, None]}
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert all(entry["offset"] % 8 == 0 for entry in read["arrays"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_snapshot_survives_json_and_goes_on_bit_for_bit(optimizer: str):
    state = init(RunConfig(optimizer=optimizer))
    advance(state, 25)
    advance(state, 7)
    text = json.dumps(encode_arrays(snapshot(state)))
    again = restore(state.config, decode_arrays(json.loads(text)))
    assert advance(again, 18) == advance(state, 18)


def test_a_large_snapshot_stays_on_the_server():
    assert encode_arrays({"parameters": np.zeros(SNAPSHOT_BYTES // 8 + 1)}) is None


@settings(max_examples=100, deadline=None)
@given(JSON | st.dictionaries(st.text(max_size=5), st.fixed_dictionaries({"dtype": JSON, "shape": JSON, "data": JSON})))
def test_any_snapshot_is_decoded_or_refused(saved: object):
    with suppress(ValueError):
        assert isinstance(decode_arrays(saved), dict)


def report(**changes: object) -> dict[str, object]:
    return {
        "run": run_name(PLAYGROUND),
        "interventions": [{"update": 3, "kind": "learning_rate", "value": 0.1}],
        "state": "paused",
        "epoch": 0,
        "updates": 5,
        "snapshot": None,
        **changes,
    }


def test_a_report_of_the_browser_is_read():
    message = read_message(PLAYGROUND, report())
    assert message is not None
    assert (message.updates, message.state, message.snapshot) == (5, "paused", None)
    assert message.interventions[0].value == 0.1
    assert run_name(message.config) == run_name(PLAYGROUND)


@pytest.mark.parametrize(
    "message",
    [
        None,
        "text",
        report(run="another"),
        report(state="flying"),
        report(epoch=1.5),
        report(interventions=[{"update": -1, "kind": "learning_rate", "value": 1}]),
        report(snapshot=3),
        report(snapshot={"parameters": {"dtype": "object", "shape": [1], "data": ""}}),
        {"run": run_name(PLAYGROUND)},
    ],
)
def test_a_report_of_another_run_or_form_is_none(message: object):
    assert read_message(PLAYGROUND, message) is None


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (None, None),
        ("log", None),
        ([1], None),
        ([], ()),
        (["pulls", "log", "unheard of", "log"], ("log", "pulls")),
        (list(reversed(SHOWN)), SHOWN),
    ],
)
def test_what_is_shown_is_read_in_the_order_of_a_link(names: object, read: object):
    assert read_shown(names) == read
