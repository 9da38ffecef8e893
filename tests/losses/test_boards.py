"""Boards: legal from the first look to every position of every handle, and formulas that work out."""

import itertools
import json
import math
import re
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lossviz
from lossviz import losses
from lossviz.boards import Axis, Boxes, Handle, Mask, alignments, line
from lossviz.evaluation import board_state, check_inputs
from lossviz.losses.base import Loss
from lossviz.tables import MAX_BYTES
from lossviz.writing import fill
from tests.losses.points import arguments, board_arguments, draw

KEYS = losses.keys()
every_loss = pytest.mark.parametrize("loss", [losses.get(key) for key in KEYS], ids=KEYS)


def edges(loss: Loss) -> dict[str, Tensor]:
    """The example with the first number of every variable at the edge of what the board can show."""
    state = {name: value.clone() for name, value in loss.board.example().items()}
    for item in loss.board.variables:
        flat = state[item.name].view(-1)
        if item.values or loss.board.kind == "boxes":
            continue
        if item.name == "target" and loss.board.kind == "bars":
            if item.high == 1.0:  # a row of probabilities
                state["target"][0] = torch.eye(state["target"].shape[1], dtype=torch.float64)[0]
            continue
        flat[0] = item.high if item.high < 1000 or loss.board.kind in ("bars", "numbers") else 40.0
    if loss.board.kind == "boxes":
        state["prediction"][0] = torch.tensor([0.0, 0.0, 10.0, 10.0], dtype=torch.float64)
    return state


PLACES = {"example": lambda loss: loss.board.example(), "edges": edges}


@every_loss
@pytest.mark.parametrize("place", PLACES)
def test_every_position_of_every_handle_is_legal(loss: Loss, place: str) -> None:
    state = PLACES[place](loss)
    try:
        board_state(loss, *board_arguments(loss, state))
    except ValueError:
        assert place == "edges"  # the loss's own domain is narrower than the board
        return
    handles = loss.board.handles(state)
    assert len({handle.name for handle in handles}) == len(handles)
    variables = {item.name: item for item in loss.board.variables}
    for handle in handles:
        for now, positions in zip(handle.at, handle.positions, strict=True):
            assert (positions.diff() > 0).all()
            assert now in positions.tolist()
        grid = handle.grid()
        placed = handle.place(state, grid)
        if handle.flats:
            moved = placed[handle.variable].reshape(len(grid), -1)[:, list(handle.flats)]
            torch.testing.assert_close(moved, grid.reshape(len(grid), -1))
            assert state[handle.variable].reshape(-1)[list(handle.flats)].tolist() == list(handle.at)
        present = [tensor[int(tables_row(handle))] for tensor in placed.values()]
        for tensor, name in zip(present, placed, strict=True):
            torch.testing.assert_close(tensor, state[name], rtol=0, atol=1e-12)
        some = torch.linspace(0, len(grid) - 1, 25).long().unique()
        for row in some.tolist():
            moved_state = {**state, **{name: tensor[row] for name, tensor in placed.items()}}
            loss.board.check(moved_state)
            inputs = loss.board.inputs(moved_state)
            check_inputs(loss, *arguments(loss, inputs))
        assert handle.variable in variables


def tables_row(handle: Handle) -> int:
    rows = [positions.tolist().index(now) for now, positions in zip(handle.at, handle.positions, strict=True)]
    return rows[0] if len(rows) == 1 else rows[0] * len(handle.positions[1]) + rows[1]


@every_loss
@pytest.mark.parametrize("place", PLACES)
def test_no_number_of_a_table_is_undefined(loss: Loss, place: str) -> None:
    try:
        tables = lossviz.tables(loss.key, *board_arguments(loss, PLACES[place](loss)))
    except ValueError:
        assert place == "edges"
        return
    seen = set()
    for handle in tables.declared:
        sort = (handle.kind, handle.variable, handle.part)
        if len(tables.declared) > 12 and sort in seen:
            continue  # one of each sort on the larger boards
        seen.add(sort)
        for name, values in tables.handle(handle.name).columns.items():
            assert not np.isnan(values).any(), f"{handle.name}: {name}"
            legal = loss.overflow or (name.startswith("slope") and handle.variable == "target")
            assert legal or np.isfinite(values).all(), f"{handle.name}: {name}"


def test_the_slope_of_an_entropy_is_infinite_where_a_probability_vanishes() -> None:
    table = lossviz.tables("kl_div", [[0.0, 0.0, 0.0]], [[0.5, 0.5, 0.0]]).handle("Sample 1 target 0")
    slope = table.columns["slope"][:, 0]
    assert slope[0] == -math.inf
    assert slope[-1] == math.inf
    assert np.isfinite(slope[1:-1]).all()
    assert slope[table.at] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("key", "jumps"), [("mae", [-2.0]), ("quantile", [-2.0]), ("hinge", [1.0]), ("mse", []), ("huber", [])]
)
def test_kinks_stand_where_the_slope_jumps(key: str, jumps: list[float]) -> None:
    loss = losses.get(key)
    table = lossviz.tables(key, *board_arguments(loss, loss.board.example())).handles[0]
    found = (
        table.positions[table.columns["slope_left"][:, 0] != table.columns["slope_right"][:, 0]] if loss.kinks else []
    )
    assert list(found) == jumps


@every_loss
def test_messages_keep_to_their_size_and_the_active_handle_comes_first(loss: Loss) -> None:
    state = loss.board.example()
    while not loss.board.full(state):
        state = loss.board.add(state)
    tables = lossviz.tables(loss.key, *board_arguments(loss, state))
    for handle in (tables.declared[0], tables.declared[-1]):
        message = tables.to_bytes(1, active=handle.name)
        assert len(message) <= MAX_BYTES
        (length,) = struct.unpack_from("<I", message)
        header = json.loads(message[4 : 4 + length])
        loaded = {item["name"] for item in header["handles"] if item["loaded"]}
        assert handle.name in loaded
        assert [item["name"] for item in header["handles"]] == [item.name for item in tables.declared]


def names(template: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", template)


@every_loss
def test_worked_formulas_name_what_there_is(loss: Loss) -> None:
    inputs, params = draw(loss, 0)
    params = {name: (1.0, 2.0, 3.0) if name == "weight" else value for name, value in params.items()}
    derived = loss.derived(loss.hold(inputs, params), params) if loss.derived else {}
    # The board fills in its own variables; an input that it does not show under that name must be a derived number.
    shown = {item.name for item in loss.board.variables}
    if loss.board.linked:
        state = loss.board.example()
        linked = loss.board.inputs(state)
        shown = {name for name in shown if name in linked and torch.equal(linked[name].double(), state[name])}
    for template in loss.worked:
        assert set(names(template)) <= {*shown, *derived, *params}
    assert set(loss.derived_labels) >= {name for name in derived if name != "case" and not name.startswith("scene_")}
    if "case" not in derived:
        assert len(loss.worked) == 1


def work_out(text: str) -> float:
    """The number that a worked formula comes to."""
    if constant := re.match(r"(\d+),", text):
        return float(constant.group(1))
    python = text.replace("ln cosh", "log_cosh").replace("−", "-").replace("·", "*").replace("½", "0.5")
    python = python.replace("²", "**2").replace("^", "**").replace("√", "sqrt").replace("π", "pi")
    while "|" in python:
        python = re.sub(r"\|([^|]+)\|", r"abs(\1)", python, count=1)
    python = re.sub(r"ln (\S+?)(?=[\s),]|$)", r"log(\1)", python).replace("ln(", "log(")
    python = re.sub(r"\barctan\b", "atan", python)
    functions = {
        **{name: getattr(math, name) for name in ("log", "exp", "sqrt", "cos", "sin", "acos", "tanh", "atan", "pi")},
        "log_cosh": lambda x: abs(x) + math.log1p(math.exp(-2 * abs(x))) - math.log(2),
        "max": max,
        "min": min,
        "abs": abs,
    }
    return float(eval(python, functions))


def numbers(loss: Loss, inputs: Mapping[str, Tensor], params: Mapping[str, Any], term: int, count: int) -> Any:
    full = loss.hold(inputs, params)
    columns = {**inputs, **(loss.derived(full, params) if loss.derived else {})}

    def number(name: str) -> float:
        if name not in columns:
            return float(params[name])
        flat = columns[name].reshape(-1)
        return float(flat[term * len(flat) // count])

    return number


def corners(loss: Loss) -> list[tuple[dict[str, Tensor], dict[str, Any]]]:
    """Points that random draws do not reach: the starting board, every pitfall's board, and what is said of cases."""
    found = []
    states = [(loss.board.example(), {})]
    for pitfall in loss.pitfalls:
        if not pitfall.loss:
            changed = {name: torch.tensor(value, dtype=torch.float64) for name, value in pitfall.state.items()}
            states.append((loss.board.example() | changed, dict(pitfall.parameters)))
    for state, given in states:
        inputs = loss.board.inputs(state)
        found.append((inputs, loss.check_parameters(given)))
    if loss.key in ("bce", "bce_with_logits"):
        pairs = torch.tensor([(0.0, 1.0), (1.0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.4, 0.3)], dtype=torch.float64)
        found.append(({"prediction": pairs[:, 0], "target": pairs[:, 1]}, loss.check_parameters({})))
    if any(item.kind == "class_weights" for item in loss.parameters):
        inputs = draw(loss, 0)[0]
        found += [(inputs, loss.check_parameters(given)) for given in ({}, {"weight": (1.0, 0.0, 3.0)})]
    if loss.key == "kl_div":
        target = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64)
        found.append(({"prediction": torch.log_softmax(target, -1), "target": target}, {}))
    return found


@every_loss
def test_worked_formulas_come_to_the_terms(loss: Loss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.writing.format_number", lambda value: f"{value!r}".replace("-", "−"))
    points = [*(draw(loss, seed) for seed in range(12)), *corners(loss)]
    cases = set()
    for inputs, params in points:
        terms = loss.terms(loss.hold(inputs, params), params).reshape(-1).tolist()
        for term, value in enumerate(terms):
            number = numbers(loss, inputs, params, term, len(terms))
            case = int(number("case")) if len(loss.worked) > 1 else 0
            cases.add(case)
            assert work_out(fill(loss.worked[case], number)) == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert cases == set(range(len(loss.worked)))


@pytest.mark.parametrize("key", [key for key in KEYS if losses.get(key).board.kind == "plane"])
def test_no_added_point_hides_another_of_its_kind(key: str) -> None:
    board = losses.get(key).board
    state = board.example()
    while not board.full(state):
        state = board.add(state)
        for item in board.variables:
            points = state[item.name]
            if item.axes == ("n", "d"):
                distances = torch.cdist(points, points) + 9 * torch.eye(len(points), dtype=torch.float64)
                assert distances.min() >= 0.1, item.name


@every_loss
def test_samples_are_added_up_to_a_full_board_and_removed(loss: Loss) -> None:
    board, state = loss.board, loss.board.example()
    while not board.full(state):
        state = board.add(state)
        board_state(loss, *board_arguments(loss, state))
    assert board.samples(state) <= board.max_samples
    with pytest.raises(ValueError, match="full"):
        board.add(state)
    if board.samples(state) == board.min_samples:
        return
    strange: list[Any] = [board.samples(state), -1, 10**9, 0.5, "0", None]
    for sample in strange:
        with pytest.raises(ValueError, match="there are"):
            board.remove(state, sample)
    while board.samples(state) > board.min_samples:
        state = board.remove(state, 0)
        board_state(loss, *board_arguments(loss, state))
    with pytest.raises(ValueError, match=r"last sample|needs at least"):
        board.remove(state, 0)


@every_loss
def test_states_that_do_not_fit_are_refused(loss: Loss) -> None:
    board, example = loss.board, loss.board.example()
    counted = [item.name for item in board.variables if item.axes[0] == "n"]
    many = example | {name: torch.cat([example[name][:1]] * (board.max_samples + 1)) for name in counted}
    with pytest.raises(ValueError, match=r"the board holds .*sample"):
        board_state(loss, *board_arguments(loss, many))
    first = board.variables[0]
    if len(counted) > 1 and len(example[first.name]) > 1:
        with pytest.raises(ValueError, match=r"has \d+ samples"):
            board_state(loss, *board_arguments(loss, example | {first.name: example[first.name][:1]}))
    far = torch.full_like(example[first.name], 1001.0)
    with pytest.raises(ValueError, match="1001"):
        board_state(loss, *board_arguments(loss, example | {first.name: far}))
    with pytest.raises(ValueError, match="shape"):
        board_state(loss, *board_arguments(loss, example | {first.name: example[first.name][None]}))


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
    rows = handle.place(state, torch.tensor([0.0, 0.75, 1.0], dtype=torch.float64))["target"][:, 0]
    torch.testing.assert_close(
        rows, torch.tensor([[0.0, 0.6, 0.4], [0.75, 0.15, 0.1], [1.0, 0.0, 0.0]], dtype=torch.float64)
    )
    state["target"] = rows[2:]
    (back,) = handle.place(state, torch.tensor([0.5], dtype=torch.float64))["target"]
    assert back.tolist() == [[0.5, 0.25, 0.25]]


def test_a_line_board_snaps_to_its_kinks() -> None:
    board = line((0.0,), (0.123,))
    handle = board.handles(board.example())[0]
    assert 0.123 in handle.positions[0].tolist()


def test_a_centre_moves_the_whole_box_and_a_corner_never_passes_its_opposite() -> None:
    board = Boxes(((1.0, 1.0, 4.0, 5.0),), ((2.0, 2.0, 6.0, 6.0),))
    handles = {handle.name: handle for handle in board.handles(board.example())}
    centre = handles["Predicted box 1 centre"]
    moved = centre.place(board.example(), torch.tensor([[3.5, 4.0]], dtype=torch.float64))["prediction"]
    assert moved.tolist() == [[[2.0, 2.0, 5.0, 6.0]]]
    corner = handles["Predicted box 1 top left"]
    assert float(corner.positions[0].max()) < 4.0
    assert float(corner.positions[1].max()) < 5.0


def test_a_shape_moves_by_whole_cells_and_stays_in_the_picture() -> None:
    board = Mask(((0.1, 0.9, 0.1), (0.1, 0.1, 0.1)), ((0.0, 1.0, 0.0), (0.0, 0.0, 0.0)))
    shape = board.handles(board.example())[-1]
    assert [positions.tolist() for positions in shape.positions] == [[-1.0, 0.0, 1.0], [0.0, 1.0]]
    moved = shape.place(board.example(), torch.tensor([[1.0, 1.0]], dtype=torch.float64))["prediction"]
    assert moved.tolist() == [[[[0.1, 0.1, 0.1], [0.1, 0.1, 0.9]]]]
    blank = Mask(((0.5, 0.5),), ((0.0, 1.0),))
    assert all(handle.part != "shape" for handle in blank.handles(blank.example()))


@pytest.mark.parametrize(("frames", "symbols", "count"), [(1, 1, 1), (2, 1, 3), (3, 1, 6), (4, 2, 15), (5, 3, 28)])
def test_alignments_are_as_many_as_the_binomial_says(frames: int, symbols: int, count: int) -> None:
    walks = alignments(frames, symbols)
    assert len(set(walks)) == len(walks) == count == math.comb(frames + symbols, 2 * symbols)
    assert all(0 <= later - earlier <= 2 for walk in walks for earlier, later in itertools.pairwise(walk))
