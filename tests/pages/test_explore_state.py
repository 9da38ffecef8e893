"""The Explore page's URL restores its state, and a tampered one gives the default with a notice."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lossviz
from pages.ui.explore_state import ExploreState, check_state, format_url, parse, pitfall_state, start
from tests.losses.points import draw

KEYS = lossviz.losses.keys()
NAMES = ["loss", "reduction", "prediction", "target", "rate", "delta", "weight", "label_smoothing", "gamma", "nonsense"]
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from([*KEYS, "mean", "sum", "nan", "inf", "-1", "1e999", "1_2_3", "1_2~3_4", "0.5", "1_2~3", "~", "_"]),
    st.lists(st.floats(), max_size=9).map(lambda numbers: "_".join(map(str, numbers))),
)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_url_gives_a_state_that_can_be_shown(params):
    state, notices = parse(params)
    tables = lossviz.tables(*state.arguments, state.reduction, **state.parameters)
    assert tables.base["value"][0] == tables.base["value"][0], "a value that is not defined"
    assert all("link" in notice for notice in notices)
    again, quiet = parse(format_url(state))
    assert again == state
    assert not quiet


@pytest.mark.parametrize("key", KEYS)
def test_start_has_a_short_url_that_restores_it(key):
    state = start(key)
    assert set(format_url(state)) <= {"loss"}
    assert parse(format_url(state)) == (state, [])


@pytest.mark.parametrize("key", KEYS)
def test_every_change_is_restored(key):
    state = start(key)
    board = state.declared.board
    tensors = state.tensors()
    for number in range(len(board.handles(tensors))):
        # Every handle is moved, so that the state is legal and differs from the start in every number.
        handles = board.handles(tensors)
        if number >= len(handles):
            break  # where every cell is alike there is no shape to move
        handle = handles[number]
        positions = handle.grid()
        row = len(positions) // 3
        tensors |= {name: moved[0] for name, moved in handle.place(tensors, positions[row : row + 1]).items()}
    if board.samples(tensors) > board.min_samples:
        tensors = board.remove(tensors, 0)
    parameters = state.declared.check_parameters(draw(state.declared, 3)[1])
    weights = {item.name: None for item in state.declared.parameters if item.kind == "class_weights"}
    changed = ExploreState(
        key, state.declared.reductions[-1].name, parameters | weights, state.with_tensors(tensors).numbers, rate=0.25
    )
    check_state(changed)
    assert parse(format_url(changed)) == (changed, [])


@pytest.mark.parametrize("key", KEYS)
def test_every_pitfall_has_a_link_that_opens_it(key):
    for pitfall in lossviz.losses.get(key).pitfalls:
        state = pitfall_state(key, pitfall)
        check_state(state)
        assert parse(format_url(state)) == (state, [])


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"loss": "msee"}, "`msee`"),
        ({"reduction": "median"}, "`median`"),
        ({"prediction": "1_2_3"}, "target has 4 samples; prediction has 3"),
        ({"prediction": "1_2_3_nan"}, "`nan`"),
        ({"loss": "bce", "prediction": "1.8_0_0_0"}, "1.8"),
        ({"loss": "cross_entropy", "weight": "1_2"}, "2 numbers"),
        ({"loss": "cross_entropy", "label_smoothing": "2"}, "2.0"),
        ({"rate": "-1"}, "-1"),
        ({"loss": "[x](http://y)"}, "`?x??http:??y?`"),
        ({"colour": "red"}, "`colour`"),
        ({"prediction": "1e9_0_0_0"}, "1e+09"),
    ],
)
def test_a_tampered_value_is_named_and_replaced(params, said):
    state, notices = parse(params)
    assert len(notices) == 1
    assert said in notices[0]
    default = start(state.loss)
    assert state == default


@pytest.mark.parametrize("key", KEYS)
def test_the_longest_url_is_short_enough(key):
    state = start(key)
    board, tensors = state.declared.board, state.tensors()
    while not board.full(tensors):
        tensors = board.add(tensors)
    for item in board.variables:
        if not item.values and item.role == "prediction":
            high = min(item.high, 999.0)
            noise = torch.linspace(0.001234567, 0.1, tensors[item.name].numel(), dtype=torch.float64)
            tensors[item.name] = (high - noise).reshape(tensors[item.name].shape)
    changed = replace(state.with_tensors(tensors), reduction=state.declared.reductions[-1].name, rate=0.123456789)
    assert len(urlencode(format_url(changed))) < 1900
