"""Logs of runs made elsewhere: each kind as its program writes it, what is refused, and that nothing else happens.

`logs/torch.tfevents` was written by torch 2.13.0 with tensorboard 2.21.0: `SummaryWriter.add_scalar` (both styles),
a histogram, a text, and events with the tensors that TensorFlow writes, made from TensorBoard's own protocol buffers.
`logs/keras.csv` and `logs/keras_history.json` are of one fit in Keras 3.15.1: `CSVLogger` and `History.history`.
"""

import json
import math
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz.training.event_files import masked_crc32c
from lossviz.training.logs import known_name, read_log

LOGS = Path(__file__).parent / "logs"
EVENTS = (LOGS / "torch.tfevents").read_bytes()


def lists(log):
    return {name: (steps.tolist(), values.tolist()) for name, (steps, values) in log.series.items()}


def test_keras_csv_and_history_hold_the_same_curves():
    table = read_log("keras.csv", (LOGS / "keras.csv").read_bytes())
    history = read_log("keras_history.json", (LOGS / "keras_history.json").read_bytes())
    assert (table.kind, table.counts, history.kind, history.counts) == ("CSV", "epoch", "Keras history", "epoch")
    assert lists(table) == lists(history)
    assert list(table.series) == ["train_loss", "mae", "validation_loss", "val_mae"]
    assert table.file_names["validation_loss"] == "val_loss"
    steps, values = table.series["train_loss"]
    assert steps.tolist() == [0, 1, 2, 3]
    assert values[-1] == 0.8160824775695801
    assert steps.dtype == values.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 0
    with pytest.raises(TypeError):
        table.series["train_loss"] = table.series["mae"]


def test_a_history_with_its_epochs():
    log = read_log("h.json", json.dumps({"params": {"epochs": 2}, "epoch": [4, 5], "history": {"loss": [1.5, 1]}}))
    assert lists(log) == {"train_loss": ([4, 5], [1.5, 1])}
    log = read_log("h.json", '{"epoch": [1, 2], "loss": [NaN, Infinity], "lr": [0.1, 0.01]}')
    assert lists(log)["learning_rate"] == ([1, 2], [0.1, 0.01])
    assert math.isnan(log.series["train_loss"][1][0])


def test_a_csv_with_gaps_counts_updates_where_epochs_repeat():
    log = read_log(
        "metrics.csv",
        "epoch,step,train_loss,val_loss,stage,time\n0,9,0.9,,fit,1\n0,19,0.8,,fit,2\n0,19,,nan,check,3\n1,29,-inf,,fit,4",
    )
    assert log.counts == "step"
    assert lists(log)["train_loss"] == ([9, 19, 29], [0.9, 0.8, -math.inf])
    assert lists(log)["validation_loss"][0] == [19]
    assert math.isnan(log.series["validation_loss"][1][0])
    assert log.left_out == ("epoch", "stage", "time")


def test_a_csv_without_steps_counts_rows():
    log = read_log("a.csv", "loss;accuracy\n0.5;0.5\n0.25;0.75\n")
    assert log.counts == "row"
    assert lists(log) == {"train_loss": ([0, 1], [0.5, 0.25]), "train_accuracy": ([0, 1], [0.5, 0.75])}


def test_a_history_as_pandas_writes_it():
    log = read_log("h.csv", ",loss,val_loss\n0,0.5,inf\n1,0.25,0.75\n")
    assert (log.kind, log.counts) == ("CSV", "row")
    assert lists(log) == {"train_loss": ([0, 1], [0.5, 0.25]), "validation_loss": ([0, 1], [math.inf, 0.75])}
    log = read_log("h.json", '{"loss":{"0":0.5,"1":0.25},"val_loss":{"0":null,"1":0.75}}')
    assert (log.kind, log.counts) == ("Keras history", "epoch")
    assert lists(log)["train_loss"] == ([0, 1], [0.5, 0.25])
    np.testing.assert_array_equal(log.series["validation_loss"][1], [math.nan, 0.75])


def test_json_lines_and_a_list_of_objects():
    entries = [{"step": 10, "train/loss": 2, "note": "start"}, {"step": 20, "train/loss": "NaN", "val/loss": 3.5}]
    lines = "\n\n".join(map(json.dumps, entries))
    for text in (lines, lines.replace("\n", "\r\n"), json.dumps(entries), json.dumps(entries, indent=1)):
        log = read_log("run.jsonl", text)
        assert (log.kind, log.counts, log.left_out) == ("JSON lines", "step", ("note",))
        steps, values = log.series["train_loss"]
        np.testing.assert_array_equal(steps, [10, 20])
        np.testing.assert_array_equal(values, [2, np.nan])
        assert lists(log)["validation_loss"] == ([20], [3.5])


def test_a_hugging_face_trainer_state():
    state = {
        "global_step": 100,
        "log_history": [
            {"epoch": 0.32, "grad_norm": 1.05, "learning_rate": 5e-05, "loss": 1.387, "step": 50},
            {"epoch": 0.32, "eval_accuracy": 0.255, "eval_loss": 1.38, "eval_runtime": 92.0, "step": 50}
            | {"eval_samples_per_second": 22.6, "eval_steps_per_second": 1.4},
            {"epoch": 0.63, "grad_norm": math.nan, "learning_rate": 2.5e-05, "loss": 1.2, "step": 100},
            {"epoch": 0.63, "step": 100, "total_flos": 1e15, "train_loss": 1.29, "train_runtime": 900.0}
            | {"train_samples_per_second": 3.0, "train_steps_per_second": 0.1},
        ],
    }
    log = read_log("trainer_state.json", json.dumps(state, indent=2))
    assert (log.kind, log.counts) == ("Hugging Face trainer state", "step")
    assert list(log.series) == [
        "gradient_norm",
        "learning_rate",
        "train_loss",
        "validation_accuracy",
        "validation_loss",
    ]
    assert lists(log)["train_loss"] == ([50, 100], [1.387, 1.2])
    assert lists(log)["validation_loss"] == ([50], [1.38])
    assert math.isnan(log.series["gradient_norm"][1][1])


def test_a_tensorboard_event_file():
    log = read_log("events.out.tfevents.1", EVENTS)
    assert (log.kind, log.counts) == ("TensorBoard events", "step")
    expected = {
        "train_loss": [math.exp(-step / 4) + 0.1 for step in range(12)],
        "validation_loss": [math.exp(-step / 5) + 0.2 if step != 7 else math.nan for step in range(12)],
        "train_accuracy": [1 - 0.5 * 0.8**step for step in range(6)],
        "epoch_loss": [1 / (step + 1) for step in range(4)],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(log.series[name][1], np.float32(values).astype(np.float64))
    assert log.series["train_accuracy"][0].tolist() == [0, 10, 20, 30, 40, 50]
    assert lists(log)["precise"] == ([0, 1, 2], [1 / 3, 1 / 3 + 1, 1 / 3 + 2])  # written in double precision
    assert lists(log)["count"][1] == [0, -1, -2, -3]
    assert lists(log)["whole"][1] == [-2, -1, 0, 1]
    assert set(log.series) == {*expected, "precise", "count", "whole"}  # neither the histogram nor the text


@pytest.mark.parametrize(
    ("data", "crc"), [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (b"", 0)]
)
def test_check_sums_are_those_of_rfc_3720(data, crc):
    rotated = (masked_crc32c(data) - 0xA282EAD8) % 2**32
    assert (rotated << 15 | rotated >> 17) % 2**32 == crc


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("loss", "train_loss"),
        ("training_loss", "train_loss"),
        ("loss_val", "validation_loss"),
        ("validation/epoch_loss", "validation_loss"),
        ("valid acc", "validation_accuracy"),
        ("sparse_categorical_accuracy", "train_accuracy"),
        ("learning_rate", "learning_rate"),
        ("Train/Grad_Norm", "Train/Grad_Norm"),
        ("test_loss", "test_loss"),
        ("train_val_loss", "train_val_loss"),
        ("box_loss", "box_loss"),
        ("", ""),
    ],
)
def test_known_names(name, known):
    assert known_name(name) == known


def test_two_names_for_one_thing_are_both_kept():
    log = read_log("a.csv", "epoch,loss,train_loss,training loss\n0,1,2,3\n")
    assert {name: values for name, (_, values) in lists(log).items()} == {
        "train_loss": [1],
        "train_loss again": [2],
        "training loss": [3],
    }


def damaged(place):
    return EVENTS[:place] + bytes([EVENTS[place] ^ 1]) + EVENTS[place + 1 :]


def record(payload):
    length = struct.pack("<Q", len(payload))
    sums = [struct.pack("<I", masked_crc32c(part)) for part in (length, payload)]
    return length + sums[0] + payload + sums[1]


TOO_MANY_NAMES = ",".join(f"c{number}" for number in range(51))
REFUSED = {
    "empty": ("", "empty"),
    "blank": (" \n", "empty"),
    "large": (b"1" * 5_000_001, "5,000,001 bytes; at most 5,000,000"),
    "binary": (bytes(range(256)), "binary"),
    "no UTF-8": (b"epoch,loss\n0,\xff", "row 2 is not UTF-8"),
    "no header": ("0,1\n1,2", "row 1: column 1 has no name"),
    "header alone": ("epoch,loss\n", "row 1 is the only one; a header and rows"),
    "words": ("hello there", "row 1 is the only one; a header and rows"),
    "only words": ("epoch;loss\n0;0,9\n", "no column holds numbers .* semicolon .* row 2 begins with '0', '0,9'"),
    "cut history": ('{\n "loss": [\n  0.5,\n  0.', "begins like JSON, but line 4 .* may be cut off"),
    "bad cell": ("epoch,loss\n0,1\n1,1\n2,oops\n", "row 4, column 'loss': 'oops' is not a number"),
    "bad step": ("epoch,loss\n0,1\nx,2\n", "row 3: epoch has no number"),
    "no step": ("epoch,loss\n0,1\n,2\n", "row 3: epoch has no number"),
    "infinite step": ("epoch,loss\n0,1\ninf,2\n", "row 3: epoch has no number"),
    "ragged": ("epoch,loss\n0,1\n1\n", "row 3 has 1 cell, row 1 has 2"),
    "same names": ("loss,loss\n0,1\n", "two columns have the name 'loss'"),
    "wide": (f"{TOO_MANY_NAMES}\n", "51 cells; at most 50"),
    "long": ("loss\n" + "1\n" * 100_001, "more than 100,000 rows"),
    "bad line": ('{"loss": 1}\n{"loss": 2\n', "line 2 is not a JSON object"),
    "no object": ('{"loss": 1}\n[2]\n', "line 2 is not a JSON object"),
    "line without step": ('{"step": 1, "loss": 1}\n{"loss": 2}', "line 2: step has no number"),
    "no numbers": ('{"loss": "low"}', "no curve"),
    "too large a number": ('{"loss": 1' + "0" * 400 + "}", "line 1: 'loss' is too large"),
    "endless number": ('{"loss": 1' + "0" * 5000 + "}", "one of its numbers is too long"),
    "deep": ('{"loss":' + "[" * 100_000, "its brackets are nested too deep"),
    "many curves": (json.dumps({f"c{number}": 1 for number in range(51)}), "more than 50 curves"),
    "long name": (json.dumps({"x" * 101: 1}), "more than 100 characters"),
    "many points": (json.dumps({"loss": [1] * 100_001}), "more than 100,000 points"),
    "many lines": ("{}\n" * 1_600_000, "line 100001: the file has more than 100,000 entries"),
    "brackets": ("{\n" * 2_400_000, "begins like JSON, but line 2"),
    "history with words": ('{"loss": [1, "low"]}', "'loss', value 2 is not a number"),
    "history of other lengths": ('{"loss": [1, 2], "val_loss": [1]}', "different lengths"),
    "history without epochs enough": ('{"epoch": [1], "loss": [1, 2]}', "'loss' has 2 values for 1 epochs"),
    "no list": ('{"log_history": {}}', "log_history is no list"),
    "entry": ('{"log_history": [{"step": 1, "loss": 1}, 2]}', "log_history entry 2 is not"),
    "cut before the first number": (EVENTS[:20], "record 1 is cut off"),
    "damaged data": (damaged(14), "record 1 is damaged: its check sum"),
    "damaged length": (damaged(0), "record 1 is damaged: the check sum of its length"),
    "no events": (record(b"hello"), "record 1 is not an event"),
    "endless varint": (record(b"\x10" + b"\xff" * 20), "record 1 is not an event"),
    "no scalars": (record(b""), "no curve"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_logs_are_refused_with_place_and_reason(case):
    data, message = REFUSED[case]
    start = time.perf_counter()
    with pytest.raises(ValueError, match=message) as caught:
        read_log("run.tfevents" if case == "damaged length" else "run", data)
    assert time.perf_counter() - start < 3.0
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("data", [EVENTS + b"\x01", EVENTS[:-3]], ids=["in a length", "in the data"])
def test_a_log_that_is_still_being_written_shows_what_stands_there(data):
    log, whole = read_log("run", data), read_log("run", EVENTS)
    assert "The file ends too early: record" in log.note
    assert not whole.note
    points = [sum(len(values) for _, values in found.series.values()) for found in (log, whole)]
    assert points[0] == points[1] - (len(data) < len(EVENTS))


def read_or_sentence(data):
    try:
        log = read_log("fuzz", data)
    except ValueError as error:
        message = str(error)
    else:
        assert 0 < len(log.series) <= 50
        assert set(log.series) == set(log.file_names)
        for steps, values in log.series.values():
            assert steps.shape == values.shape
            assert len(steps) > 0
            assert np.isfinite(steps).all()
        return
    assert " " in message
    assert len(message) < 1000


KEYS = st.sampled_from(["loss", "val_loss", "epoch", "step", "history", "log_history", "lr", "x", "time", "\ud800"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["nan", "-Infinity", "a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
CELL = st.sampled_from(["epoch", "loss", "val_loss", "", "1", "2.5", "nan", "-inf", "1e999", "a", '"', "NA"])
ROW = st.lists(CELL, min_size=1, max_size=3).map(",".join)


@settings(max_examples=200, deadline=2000)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=80),
        st.lists(ROW, max_size=5).map("\n".join),
        VALUES.map(json.dumps),
        st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=4).map(
            lambda items: "\n".join(map(json.dumps, items))
        ),
    )
)
def test_anything_gives_a_log_or_a_sentence(data):
    read_or_sentence(data)


@settings(max_examples=100, deadline=2000)
@given(payload=st.binary(max_size=60))
def test_any_record_gives_a_log_or_a_sentence(payload):
    read_or_sentence(EVENTS + record(payload))
    # As the content of a summary's value, past the outer messages.
    value = b"\x0a" + bytes([len(payload)]) + payload
    read_or_sentence(EVENTS + record(b"\x2a" + bytes([len(value)]) + value))


@settings(max_examples=60, deadline=2000)
@given(values=st.lists(st.floats(), min_size=1, max_size=10))
def test_numbers_survive_to_the_last_bit(values):
    table = "epoch,loss\n" + "\n".join(f"{number},{value!r}" for number, value in enumerate(values))
    lines = "\n".join(json.dumps({"epoch": number, "loss": value}) for number, value in enumerate(values))
    for text in (table, lines, json.dumps({"loss": values})):
        np.testing.assert_array_equal(read_log("run", text).series["train_loss"][1], values)
