"""`evaluate` as strangers use it: any input gives a result or a message, and the known numbers come out."""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz import evaluate, losses
from lossviz.evaluation import MAX_ELEMENTS, Evaluation
from tests.losses.points import draw

KEYS = losses.keys()

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 0.5, 1.0, -1.0, 2.0, 1e-320, 1e308, -1e308]),
    st.text(max_size=5),
)
json = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner), max_leaves=12
)
names = st.sampled_from(["delta", "beta", "tau", "pos_weight", "gamma", "alpha", "label_smoothing", "weight", "detla"])


def answer(key: Any, prediction: Any, target: Any, **arguments: Any) -> Evaluation | str:
    """The result, or the message of the refusal, which has to say what it is about."""
    about = ["prediction", "target", "reduction", "dtype", "parameter", *arguments]
    if isinstance(key, str) and key in KEYS:
        about += [item.name for item in losses.get(key).inputs]
    try:
        result = evaluate(key, prediction, target, **arguments)
    except (KeyError, ValueError) as error:
        message = str(error)
        told = "nearest" in message if isinstance(error, KeyError) else any(name in message for name in about)
        if not told or len(message) > 300:
            pytest.fail(message)
        return message
    # Where the square of a number is beyond floats, infinity less infinity is not defined.
    numbers = [*prediction.values()] if isinstance(prediction, dict) else [prediction]
    if all(np.abs(np.asarray(item, dtype=float)).max() < 1e100 for item in numbers):
        assert not math.isnan(result.value)
    gradients = result.gradient if isinstance(result.gradient, dict) else {"prediction": result.gradient}
    closed = result.closed_form if isinstance(result.closed_form, dict) else {"prediction": result.closed_form}
    given = prediction if isinstance(prediction, dict) else {"prediction": prediction}
    for name, gradient in gradients.items():
        assert gradient.shape == closed[name].shape == np.shape(given[name])
    return result


@settings(max_examples=200, deadline=None)
@given(
    key=st.sampled_from(KEYS) | json,
    prediction=json,
    target=json,
    options=st.dictionaries(names, json, max_size=2),
    reduction=st.sampled_from(["mean", "sum", "batchmean"]) | json,
    dtype=st.sampled_from(["float64", "float32"]) | json,
)
def test_any_json_gives_a_result_or_a_message(
    key: Any, prediction: Any, target: Any, options: dict[str, Any], reduction: Any, dtype: Any
) -> None:
    answer(key, prediction, target, reduction=reduction, dtype=dtype, **options)


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1.0, -1.0, 0.5])


def nested(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    strategy: st.SearchStrategy[Any] = numbers
    for size in reversed(shape):
        strategy = st.lists(strategy, min_size=size, max_size=size)
    return strategy


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from(KEYS), data=st.data(), dtype=st.sampled_from(["float64", "float32"]))
def test_any_numbers_give_a_result_or_a_message(key: str, data: st.DataObject, dtype: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple))
    others = st.sampled_from([shape, shape[:1], (*shape, 1)])
    options = {
        parameter.name: data.draw(st.floats() | st.lists(st.floats(0, 10), max_size=3))
        for parameter in losses.get(key).parameters
        if data.draw(st.booleans())
    }
    loss = losses.get(key)
    prediction = {item.name: data.draw(nested(shape)) for item in loss.predictions}
    target = {item.name: data.draw(nested(data.draw(others))) for item in loss.targets} or None
    answer(key, prediction, target, dtype=dtype, **options)


@settings(max_examples=400, deadline=None)
@given(key=st.sampled_from(KEYS), seed=st.integers(0, 1000), data=st.data())
def test_one_strange_thing_in_a_legal_call(key: str, seed: int, data: st.DataObject) -> None:
    inputs, params = draw(losses.get(key), seed, samples=3)
    loss = losses.get(key)
    call: dict[str, Any] = {"reduction": "mean", "dtype": "float64", **params}
    for role, items in (("prediction", loss.predictions), ("target", loss.targets)):
        lists = {item.name: inputs[item.name].tolist() for item in items}
        call[role] = next(iter(lists.values())) if len(lists) == 1 else lists or None
    assert isinstance(answer(key, **call), Evaluation)
    place = data.draw(st.sampled_from(list(call)))
    if isinstance(call[place], list | tuple) and data.draw(st.booleans()):
        call[place] = [data.draw(json), *call[place][1:]]
    elif isinstance(call[place], dict) and data.draw(st.booleans()):
        call[place] = {**call[place], data.draw(st.sampled_from([*call[place], "other"])): data.draw(json)}
    else:
        call[place] = data.draw(json)
    answer(key, **call)


REFUSED: list[tuple[Any, str]] = [
    (None, "prediction is NoneType"),
    ("1", "prediction is str"),
    ({"a": 1}, "prediction has the names ['a']; allowed are exactly prediction"),
    ({"prediction": {"a": 1}}, "prediction is dict"),
    (5, "shape ()"),
    (np.float64(3), "shape ()"),
    ([], "shape (0,)"),
    ([[]], "shape (1, 0)"),
    ([True], "[True]"),
    ([0.5, True], "True"),
    (np.array([True]), "True"),
    (np.array([True, 1.0], dtype=object), "True"),
    ([1j], "1j"),
    (np.array(["1"]), "'1'"),
    (np.array([1], dtype="M8[s]"), "datetime64"),
    ([[1.0], [2.0, 3.0]], "[[1.0], [2.0, 3.0]]"),
    ([10**400], "rows of equal length"),
    ([10**5000], "too long to show"),
    ({1.0}, "{1.0}"),
    (count(), "count(0)"),
    (torch.tensor([1j]), "tensor"),
    (torch.empty(1, device="meta"), "meta"),
    ([float("nan")], "nan"),
    ([1.0, float("-inf")], "-inf"),
    (np.array([10.0], dtype=np.longdouble) ** 4000, "inf"),
    (np.zeros(MAX_ELEMENTS + 1), f"{MAX_ELEMENTS + 1} numbers"),
]


@pytest.mark.parametrize(("prediction", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_no_list_of_numbers_is_refused(prediction: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        evaluate("mse", prediction, [1.0])


@pytest.mark.parametrize(
    "prediction",
    [
        [2, 0],
        (2.0, 0.0),
        np.array([2, 0], dtype=np.uint8),
        np.array([2, 0], dtype=np.float16),
        [np.float32(2), np.int64(0)],
        torch.tensor([2, 0]),
        torch.tensor([2.0, 0.0], requires_grad=True),
        torch.tensor([2.0, 0.0], dtype=torch.bfloat16),
        torch.tensor([2.0, 0.0]).to_sparse(),
        range(2, -1, -2),
    ],
    ids=repr,
)
def test_numbers_in_any_container_are_taken(prediction: Any) -> None:
    result = evaluate("mse", prediction, [0.0, 0.0])
    assert (result.value, result.gradient.tolist()) == (2.0, [2.0, 0.0])


def test_whole_numbers_beyond_64_bits_are_numbers() -> None:
    assert evaluate("mae", [10**30], [0]).value == 1e30


def test_arguments_are_left_as_they_were() -> None:
    prediction, target = torch.tensor([2.0], dtype=torch.float64, requires_grad=True), np.array([1.0])
    result = evaluate("mse", prediction, target)
    result.gradient[:] = 9
    result.terms[:] = 9
    assert prediction.grad is None
    assert (prediction.tolist(), target.tolist()) == ([2.0], [1.0])


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_works_in_any_autograd_mode(mode: Callable[[], Any]) -> None:
    with mode():
        assert evaluate("bce", [0.8], [1]).gradient.tolist() == [-1.25]
        assert evaluate("cross_entropy", [[0.0, 0.0]], [1], weight=(1, 2)).value == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("prediction", "target"), [([[1.0], [2.0]], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([[1.0, 2.0]], [[1.0], [2.0]])]
)
def test_nothing_is_broadcast(prediction: Any, target: Any) -> None:
    for key in ("mse", "bce", "hinge"):
        with pytest.raises(ValueError, match="target has shape"):
            evaluate(key, prediction, target)


def test_any_shape_with_samples_first() -> None:
    result = evaluate("mse", np.zeros((4, 3)), np.ones((4, 3)))
    assert result.value == 1.0
    assert result.terms.shape == result.gradient.shape == (4, 3)
    assert result.per_sample.tolist() == [3.0] * 4


def test_float32_is_float32() -> None:
    result = evaluate("bce", [0.1], [1.0], dtype="float32")
    assert result.gradient.dtype == result.terms.dtype == np.float32
    assert result.value == float(-torch.log(torch.tensor(0.1)))
    with pytest.raises(ValueError, match=r"too large for float32; its limit is 3.4e\+38"):
        evaluate("mse", [1e39], [0.0], dtype="float32")
    with pytest.raises(ValueError, match=r"'float16'.*'float32'"):
        evaluate("mse", [1.0], [0.0], dtype="float16")


def test_a_value_beyond_floats_is_infinite() -> None:
    result = evaluate("mse", [1e200], [0.0])
    assert (result.value, result.gradient.tolist()) == (math.inf, [2e200])
    assert evaluate("mae", [[1e308, -1e308]], [[-1e308, 1e308]]).per_sample.tolist() == [math.inf]


def test_parameters_are_real_numbers() -> None:
    for delta in (1, np.float32(1), Fraction(1)):
        assert evaluate("huber", [3.0], [0.0], delta=delta).value == 2.5
    for delta in (np.True_, None, "1", [1.0], 1j, math.nan, 10**400, torch.tensor(1.0)):
        with pytest.raises(ValueError, match=r"delta is .*allowed is a number in \(0, 1000\]"):
            evaluate("huber", [3.0], [0.0], delta=delta)


def test_class_weights_are_a_list() -> None:
    for weight in ([1, 3], (1.0, 3.0), np.array([1, 3]), torch.tensor([1.0, 3.0])):
        assert evaluate("cross_entropy", [[2, 0], [0, 1]], [0, 1], weight=weight).denominator == 4
    for weight in (count(), {0: 1, 1: 3}, {1.0, 3.0}, "13", [0, 0], [[1], [3]], [1, -1], [1], [1, None], 3.0):
        with pytest.raises(ValueError, match=r"weight is .*; allowed is None, or"):
            evaluate("cross_entropy", [[2, 0], [0, 1]], [0, 1], weight=weight)
    with pytest.raises(ValueError, match="every target the weight 0"):
        evaluate("cross_entropy", [[2, 0]], [1], weight=[1, 0])
    assert evaluate("cross_entropy", [[2, 0]], [1], "sum", weight=[1, 0]).value == 0
