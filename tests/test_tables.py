"""Handle tables say at every position what `evaluate` says there."""

import json
import struct

import numpy as np
import pytest
import torch

import lossviz
from lossviz.tables import MAX_BYTES, tables

KEYS = lossviz.losses.keys()


def unpack(message):
    """Read a message as the browser does: header, floats."""
    (length,) = struct.unpack("<I", message[:4])
    start = 4 + length + -(4 + length) % 8
    return json.loads(message[4 : 4 + length]), np.frombuffer(message[start:], "<f8")


def state_at(header, floats, handle, row):
    """The whole row of a handle's position, as the browser puts it together."""
    place, whole = {}, floats[: header["width"]].copy()
    offset = 0
    for column in header["columns"]:
        place[column["name"]] = offset
        offset += column["size"]
    extra = {}
    for column in handle["columns"]:
        start = column["offset"] + row * column["size"]
        values = floats[start : start + column["size"]]
        if column["name"] in place:
            at = place[column["name"]] + column["start"]
            whole[at : at + column["size"]] = values
        else:
            extra[column["name"]] = values[0]
    named = {
        column["name"]: whole[place[column["name"]] : place[column["name"]] + column["size"]]
        for column in header["columns"]
    }
    return named, extra


def evaluated(loss, row, shape, reduction, parameters):
    prediction = row["prediction"].reshape(shape)
    target = row["target"].reshape(shape if loss.board.kind == "distributions" else shape[:1])
    inputs = loss.board.inputs({"prediction": torch.tensor(prediction), "target": torch.tensor(target)})
    return lossviz.evaluate(loss.key, inputs["prediction"], inputs["target"], reduction, **parameters)


@pytest.mark.parametrize("key", KEYS)
def test_every_row_of_every_handle_is_what_evaluate_says(key):
    loss = lossviz.losses.get(key)
    state = loss.board.example()
    shape = tuple(state["prediction"].shape)
    reduction = loss.reductions[0].name
    header, floats = unpack(tables(key, state["prediction"], state["target"]).to_bytes(7))
    assert header["revision"] == 7
    for handle in header["handles"]:
        for row in np.unique(np.linspace(0, handle["count"] - 1, 12).astype(int)):
            shown, extra = state_at(header, floats, handle, int(row))
            result = evaluated(loss, shown, shape, reduction, {})
            assert shown["value"][0] == pytest.approx(result.value, rel=1e-12, abs=1e-12)
            assert shown["share"].sum() == pytest.approx(result.value, rel=1e-12, abs=1e-12)
            assert shown["terms"] == pytest.approx(result.terms.reshape(-1), rel=1e-12, abs=1e-12)
            if loss.board.link is None:
                assert shown["gradient"] == pytest.approx(result.gradient.reshape(-1), rel=1e-10, abs=1e-12)
            if handle["kind"] == "line" and handle["variable"] == "prediction":
                index = np.ravel_multi_index(tuple(handle["index"]), shape)
                assert shown["prediction"][index] == extra["t"]
                assert extra["slope"] == pytest.approx(shown["gradient"][index], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("key", KEYS)
def test_the_present_row_is_the_state(key):
    state = lossviz.losses.get(key).board.example()
    header, floats = unpack(tables(key, state["prediction"], state["target"]).to_bytes())
    base = floats[: header["width"]]
    for handle in header["handles"]:
        shown, _ = state_at(header, floats, handle, handle["at"])
        assert np.concatenate(list(shown.values())) == pytest.approx(base, rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("key", KEYS)
def test_steps_are_round_and_fine(key):
    loss = lossviz.losses.get(key)
    state = loss.board.example()
    for table in tables(key, state["prediction"], state["target"]).handles:
        if table.handle.kind == "line":
            assert {0.5, 0.8} <= set(table.positions.tolist())
            # 200 steps on an axis of at most 600 pixels are 3 pixels each.
            assert np.diff(table.positions).max() <= (table.positions[-1] - table.positions[0]) / 199
            assert len(np.unique(table.positions)) == len(table.positions)


def test_slope_is_the_derivative_of_the_value_along_the_handle():
    for name in ("Prediction 1", "Target 1"):
        table = tables("mse", [1.0, 2.0], [0.3, 0.0]).handle(name)
        difference = np.gradient(table.columns["value"][:, 0], table.positions)
        assert table.columns["slope"][2:-2, 0] == pytest.approx(difference[2:-2], abs=0.05)


def test_a_kink_has_two_slopes_and_other_places_one():
    table = tables("mae", [1.0], [0.33]).handle("Prediction 1")
    kink = table.positions == 0.33
    assert table.columns["slope_left"][kink, 0] == -1.0
    assert table.columns["slope_right"][kink, 0] == 1.0
    assert (table.columns["slope_left"][~kink] == table.columns["slope"][~kink]).all()


def test_the_largest_boards_fit_into_a_message():
    generator = np.random.default_rng(0)
    for key, shape in (("cross_entropy", (8, 5)), ("kl_div", (8, 3)), ("mse", (8,))):
        prediction = generator.normal(size=shape).round(3)
        target = generator.integers(0, 5, 8) if key == "cross_entropy" else np.full(shape, 1 / shape[-1])
        path_bytes = tables(key, prediction, target).to_bytes()
        assert len(path_bytes) <= MAX_BYTES
        header, floats = unpack(path_bytes)
        handle = header["handles"][-1]
        shown, _ = state_at(header, floats, handle, handle["at"])
        assert shown["prediction"] == pytest.approx(prediction.reshape(-1))


@pytest.mark.parametrize(
    ("prediction", "target", "said"),
    [
        ([0.0] * 9, [0.0] * 9, "1 to 8 samples"),
        ([2000.0], [0.0], "2000"),
        ([[1.0]], [[1.0]], "shape"),
        ([1.0, 2.0], [1.0], "2 predictions need as many targets"),
        ([], [], "at least one sample"),
    ],
)
def test_what_does_not_fit_on_the_board_is_named(prediction, target, said):
    with pytest.raises(ValueError, match=said):
        tables("mse", prediction, target)


def test_an_unknown_handle_is_named():
    with pytest.raises(KeyError, match="Prediction 9"):
        tables("mse", [1.0], [0.0]).handle("Prediction 9")
