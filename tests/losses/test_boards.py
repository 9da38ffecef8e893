"""Boards: legal from the first look to every position of every handle, and formulas that work out."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lossviz
from lossviz import losses
from lossviz.evaluation import board_state, check_inputs
from lossviz.losses.base import Loss
from lossviz.losses.board import MAX_CLASSES, MAX_SAMPLES, Axis, Board
from lossviz.writing import fill
from tests.losses.points import draw

KEYS = losses.keys()
every_loss = pytest.mark.parametrize("loss", [losses.get(key) for key in KEYS], ids=KEYS)


def edges(loss: Loss) -> dict[str, Tensor]:
    """The example with its first sample at the edge of what the board can show."""
    state = {name: value.clone() for name, value in loss.board.example().items()}
    state["prediction"][0] = 1.0 if loss.board.unit_interval else 1000.0
    if loss.board.kind == "distributions":
        state["target"][0] = torch.eye(state["target"].shape[1], dtype=torch.float64)[0]
    return state


@every_loss
@pytest.mark.parametrize("place", ["example", "edges"])
def test_every_position_of_every_handle_is_legal(loss: Loss, place: str) -> None:
    state = loss.board.example() if place == "example" else edges(loss)
    board_state(loss, state["prediction"], state["target"])
    handles = loss.board.handles(state)
    assert len({handle.name for handle in handles}) == len(handles)
    for handle in handles:
        positions = handle.positions
        assert (positions.diff() > 0).all()
        assert float(state[handle.variable][handle.index]) in positions.tolist()
        batch = {name: value.expand(len(positions), *value.shape) for name, value in state.items()}
        batch[handle.variable] = handle.place(state, positions)
        torch.testing.assert_close(batch[handle.variable][(slice(None), *handle.index)], positions)
        inputs = {name: value.flatten(0, 1).numpy() for name, value in loss.board.inputs(batch).items()}
        check_inputs(loss, inputs["prediction"], inputs["target"])


@every_loss
@pytest.mark.parametrize("place", ["example", "edges"])
def test_no_number_of_a_table_is_undefined(loss: Loss, place: str) -> None:
    state = loss.board.example() if place == "example" else edges(loss)
    tables = lossviz.tables(loss.key, state["prediction"], state["target"])
    for table in tables.handles:
        for name, values in table.columns.items():
            assert not np.isnan(values).any(), f"{table.handle.name}: {name}"
            if not (loss.key == "kl_div" and name == "slope"):
                assert np.isfinite(values).all(), f"{table.handle.name}: {name}"


def test_the_slope_of_an_entropy_is_infinite_where_a_probability_vanishes() -> None:
    table = lossviz.tables("kl_div", [[0.0, 0.0, 0.0]], [[0.5, 0.5, 0.0]]).handle("Sample 1 target 0")
    slope = table.columns["slope"][:, 0]
    assert slope[0] == -math.inf
    assert slope[-1] == math.inf
    assert np.isfinite(slope[1:-1]).all()
    assert slope[table.at] == pytest.approx(0, abs=1e-12)


@every_loss
def test_kinks_stand_where_the_slope_jumps(loss: Loss) -> None:
    table = lossviz.tables(loss.key, *loss.board.example().values()).handles[0]
    jumps = (
        table.positions[table.columns["slope_left"][:, 0] != table.columns["slope_right"][:, 0]] if loss.kinks else []
    )
    expected = {"mae": [-2.0], "quantile": [-2.0], "hinge": [1.0]}
    assert list(jumps) == expected.get(loss.key, [])


def names(template: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", template)


@every_loss
def test_worked_formulas_name_what_there_is(loss: Loss) -> None:
    inputs, params = draw(loss, 0)
    params = {name: (1.0, 2.0, 3.0) if name == "weight" else value for name, value in params.items()}
    derived = loss.derived(inputs, params) if loss.derived else {}
    shown = set() if loss.board.link else {"prediction", "target"}
    for template in loss.worked:
        assert set(names(template)) <= {"target", *shown, *derived, *params}
    assert set(loss.derived_labels) >= set(derived) - {"case"}
    if "case" not in derived:
        assert len(loss.worked) == 1


def work_out(text: str) -> float:
    """The number that a worked formula comes to."""
    if constant := re.match(r"(\d+),", text):
        return float(constant.group(1))
    python = text.replace("ln cosh", "log_cosh").replace("−", "-").replace("·", "*").replace("½", "0.5")
    python = python.replace("²", "**2").replace("^", "**")
    python = re.sub(r"\|([^|]+)\|", r"abs(\1)", python)
    python = re.sub(r"ln (\S+?)(?=[\s)]|$)", r"log(\1)", python).replace("ln(", "log(")
    functions = {"log": math.log, "exp": math.exp, "log_cosh": lambda x: math.log(math.cosh(x)), "max": max, "abs": abs}
    return float(eval(python, functions))


def numbers(loss: Loss, inputs: Mapping[str, Tensor], params: Mapping[str, Any], term: int, count: int) -> Any:
    columns = {**inputs, **(loss.derived(inputs, params) if loss.derived else {})}

    def number(name: str) -> float:
        if name not in columns:
            return float(params[name])
        flat = columns[name].reshape(-1)
        return float(flat[term * len(flat) // count])

    return number


def corners(loss: Loss) -> list[tuple[dict[str, Tensor], dict[str, Any]]]:
    """Points that random draws do not reach: ends of the unit interval, hard and soft labels, parameters left out."""
    if loss.key in ("bce", "bce_with_logits"):
        pairs = torch.tensor([(0.0, 1.0), (1.0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.4, 0.3)], dtype=torch.float64)
        return [({"prediction": pairs[:, 0], "target": pairs[:, 1]}, loss.check_parameters({}))]
    if loss.key == "cross_entropy":
        inputs = draw(loss, 0)[0]
        return [(inputs, loss.check_parameters(given)) for given in ({}, {"weight": (1.0, 0.0, 3.0)})]
    if loss.key == "kl_div":
        target = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64)
        return [({"prediction": torch.log_softmax(target, -1), "target": target}, {})]
    return []


@every_loss
def test_worked_formulas_come_to_the_terms(loss: Loss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.writing.format_number", lambda value: f"{value!r}".replace("-", "−"))
    points = [*(draw(loss, seed) for seed in range(12)), *corners(loss)]
    cases = set()
    for inputs, params in points:
        terms = loss.terms(inputs, params).reshape(-1).tolist()
        for term, value in enumerate(terms):
            number = numbers(loss, inputs, params, term, len(terms))
            case = int(number("case")) if len(loss.worked) > 1 else 0
            cases.add(case)
            assert work_out(fill(loss.worked[case], number)) == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert cases == set(range(len(loss.worked)))


@every_loss
def test_samples_are_added_up_to_a_full_board_and_removed(loss: Loss) -> None:
    board, state = loss.board, loss.board.example()
    full = 24 // state["prediction"].shape[1] if board.kind == "distributions" else MAX_SAMPLES
    while len(state["prediction"]) < full:
        state = board.add(state)
        board_state(loss, state["prediction"], state["target"])
    with pytest.raises(ValueError, match="full"):
        board.add(state)
    strange: list[Any] = [len(state["prediction"]), -1, 10**9, 0.5, "0", None]
    for sample in strange:
        with pytest.raises(ValueError, match="there are"):
            board.remove(state, sample)
    while len(state["prediction"]) > 1:
        state = board.remove(state, 0)
        board_state(loss, state["prediction"], state["target"])
    with pytest.raises(ValueError, match="last sample"):
        board.remove(state, 0)


@every_loss
def test_states_that_do_not_fit_are_refused(loss: Loss) -> None:
    state = {name: value.numpy() for name, value in loss.board.example().items()}
    rows = loss.classwise
    many = {name: np.repeat(value[:1], MAX_SAMPLES + 1, 0) for name, value in state.items()}
    with pytest.raises(ValueError, match="1 to 8 samples"):
        board_state(loss, many["prediction"], many["target"])
    with pytest.raises(ValueError, match=r"as many targets|needs"):
        board_state(loss, state["prediction"], state["target"][:1])
    far = np.full_like(state["prediction"], 1001.0)
    with pytest.raises(ValueError, match="1001"):
        board_state(loss, far, state["target"])
    if rows:
        wide = np.zeros((1, MAX_CLASSES + 1))
        with pytest.raises(ValueError, match="2 to 5 classes"):
            board_state(loss, wide, wide)
    else:
        with pytest.raises(ValueError, match="samples"):
            board_state(loss, state["prediction"][None], state["target"][None])


def test_axes_are_round_and_hold_the_values() -> None:
    for reach, high in ((0.0, 5.0), (5.0, 5.0), (5.1, 10.0), (13.0, 20.0), (21.0, 50.0), (999.0, 1000.0)):
        axis = Axis.around([-reach / 2, reach])
        assert (axis.low, axis.high) == (-high, high)
        positions = axis.positions((reach,))
        assert len(positions) in (201, 202)
        assert reach in positions.tolist()
    assert {0.5, 0.8, -1.15} <= set(Axis.around([1.0]).positions().tolist())


def test_a_moved_probability_keeps_the_others_in_proportion() -> None:
    board = losses.get("kl_div").board
    state = {
        "prediction": torch.zeros(1, 3, dtype=torch.float64),
        "target": torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64),
    }
    handle = next(handle for handle in board.handles(state) if handle.name == "Sample 1 target 0")
    rows = handle.place(state, torch.tensor([0.0, 0.75, 1.0], dtype=torch.float64))[:, 0]
    torch.testing.assert_close(
        rows, torch.tensor([[0.0, 0.6, 0.4], [0.75, 0.15, 0.1], [1.0, 0.0, 0.0]], dtype=torch.float64)
    )
    state["target"] = rows[2:]
    (back,) = handle.place(state, torch.tensor([0.5], dtype=torch.float64))
    assert back.tolist() == [[0.5, 0.25, 0.25]]


def test_a_line_board_snaps_to_its_kinks() -> None:
    board = Board("line", (0.0,), (0.123,))
    handle = board.handles(board.example())[0]
    assert 0.123 in handle.positions.tolist()
