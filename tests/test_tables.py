"""Handle tables say at every position what `evaluate` says there."""

import json
import struct
from typing import Any

import numpy as np
import pytest
import torch

import lossviz
from lossviz.losses.base import Loss
from lossviz.tables import MAX_BYTES, Tables, tables
from tests.losses.points import arguments, example

KEYS = lossviz.losses.keys()
every_loss = pytest.mark.parametrize("loss", [lossviz.losses.get(key) for key in KEYS], ids=KEYS)


def unpack(message: bytes) -> tuple[dict[str, Any], np.ndarray]:
    """Read a message as the browser does: header, floats."""
    (length,) = struct.unpack("<I", message[:4])
    start = 4 + length + -(4 + length) % 8
    return json.loads(message[4 : 4 + length]), np.frombuffer(message[start:], "<f8")


def state_at(header, floats, handle, row):
    """The whole row of a handle's position, as the browser puts it together, and what its table alone holds."""
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
            extra[column["name"]] = values
    named = {
        column["name"]: whole[place[column["name"]] : place[column["name"]] + column["size"]]
        for column in header["columns"]
    }
    return named, extra


def evaluated(loss: Loss, header: dict[str, Any], row: dict[str, Any]) -> lossviz.Evaluation:
    state = {item["name"]: torch.tensor(row[item["name"]]).reshape(item["shape"]) for item in header["variables"]}
    return lossviz.evaluate(loss.key, *arguments(loss, loss.board.inputs(state)), loss.reductions[0].name)


def one_of_each(header: dict[str, Any]) -> list[str]:
    """A handle of every sort: on the large boards there are many alike."""
    found = {(item["kind"], item["variable"], item["part"]): item["name"] for item in header["handles"]}
    return list(found.values())


def shown(made: Tables, name: str) -> tuple[dict[str, Any], np.ndarray, dict[str, Any]]:
    """Header, floats and the handle, from a message in which it comes first."""
    header, floats = unpack(made.to_bytes(7, active=name))
    return header, floats, next(item for item in header["handles"] if item["name"] == name)


@every_loss
def test_every_row_is_what_evaluate_says(loss: Loss) -> None:
    made = tables(loss.key, *example(loss))
    header, _ = unpack(made.to_bytes(7))
    assert header["revision"] == 7
    for name in one_of_each(header):
        header, floats, handle = shown(made, name)
        assert handle["loaded"]
        for row in np.unique(np.linspace(0, np.prod(handle["counts"]) - 1, 10).astype(int)):
            numbers, extra = state_at(header, floats, handle, int(row))
            result = evaluated(loss, header, numbers)
            assert numbers["value"][0] == pytest.approx(result.value, rel=1e-11, abs=1e-12)
            assert numbers["share"].sum() == pytest.approx(result.value, rel=1e-11, abs=1e-12)
            assert numbers["terms"] == pytest.approx(result.terms.reshape(-1), rel=1e-11, abs=1e-12)
            if loss.board.linked is None:
                gradients = result.gradient if isinstance(result.gradient, dict) else {"prediction": result.gradient}
                for variable, gradient in gradients.items():
                    assert numbers[f"gradient.{variable}"] == pytest.approx(gradient.reshape(-1), rel=1e-9, abs=1e-11)
            for place, flat in enumerate(handle["flats"]):
                if handle["kind"] == "choice" or f"gradient.{handle['variable']}" not in numbers:
                    continue
                slope = numbers[f"gradient.{handle['variable']}"][flat]
                assert extra["slope"][place] == pytest.approx(slope, rel=1e-11, abs=1e-12)


@every_loss
def test_the_present_row_is_the_state(loss: Loss) -> None:
    made = tables(loss.key, *example(loss))
    header, _ = unpack(made.to_bytes())
    for name in one_of_each(header):
        header, floats, handle = shown(made, name)
        numbers, _ = state_at(header, floats, handle, handle["at"])
        base = floats[: header["width"]]
        assert np.concatenate(list(numbers.values())) == pytest.approx(base, rel=1e-11, abs=1e-12, nan_ok=True)


@every_loss
def test_steps_are_round_and_fine(loss: Loss) -> None:
    for handle in tables(loss.key, *example(loss)).declared:
        if handle.kind == "choice" or not handle.smooth:
            continue
        for axis, positions in zip(handle.axes, handle.positions, strict=True):
            places = np.round(positions.numpy() / axis.step, 6)
            off_grid = places[places != np.round(places)] * axis.step
            # Only the present position and kinks lie between the steps.
            assert len(off_grid) <= 4
            assert positions.diff().max() <= axis.step * (1 + 1e-9)
            assert (positions[-1] - positions[0]) / axis.step <= 202


def test_slope_is_the_derivative_of_the_value_along_the_handle() -> None:
    for name in ("Prediction 1", "Target 1"):
        table = tables("mse", [1.0, 2.0], [0.3, 0.0]).handle(name)
        difference = np.gradient(table.columns["value"][:, 0], table.positions)
        assert table.columns["slope"][2:-2, 0] == pytest.approx(difference[2:-2], abs=0.05)


def test_a_kink_has_two_slopes_and_other_places_one() -> None:
    table = tables("mae", [1.0], [0.33]).handle("Prediction 1")
    kink = table.positions == 0.33
    assert table.columns["slope_left"][kink, 0] == -1.0
    assert table.columns["slope_right"][kink, 0] == 1.0
    assert (table.columns["slope_left"][~kink] == table.columns["slope"][~kink]).all()


def test_a_crowded_board_leaves_tables_for_later() -> None:
    generator = np.random.default_rng(0)
    made = tables("kl_div", generator.normal(size=(8, 3)).round(3), np.full((8, 3), 1 / 3))
    for active in (made.declared[0].name, made.declared[-1].name):
        message = made.to_bytes(active=active)
        assert len(message) <= MAX_BYTES
        header, floats = unpack(message)
        loaded = {item["name"]: item["loaded"] for item in header["handles"]}
        assert loaded[active]
        assert not all(loaded.values())
        handle = next(item for item in header["handles"] if item["name"] == active)
        numbers, _ = state_at(header, floats, handle, handle["at"])
        assert numbers["prediction"] == pytest.approx(made.base["prediction"])


@pytest.mark.parametrize(
    ("prediction", "target", "said"),
    [
        ([0.0] * 9, [0.0] * 9, "1 to 8 samples"),
        ([2000.0], [0.0], "2000"),
        ([[1.0]], [[1.0]], "shape"),
        ([1.0, 2.0], [1.0], "target has 1 samples; prediction has 2"),
        ([], [], "at least one sample"),
    ],
)
def test_what_does_not_fit_on_the_board_is_named(prediction, target, said) -> None:
    with pytest.raises(ValueError, match=said):
        tables("mse", prediction, target)


def test_an_unknown_handle_is_named() -> None:
    with pytest.raises(KeyError, match="Prediction 9"):
        tables("mse", [1.0], [0.0]).handle("Prediction 9")
