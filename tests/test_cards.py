"""Finding losses by name, and what cards say about arguments and boards."""

import numpy as np
import pytest

import lossviz
from lossviz import losses
from lossviz.cards import board_curve, domain_sentence, find, nearest_names, place_names
from lossviz.losses.base import PROPERTIES, TASKS

KEYS = losses.keys()


@pytest.mark.parametrize("key", KEYS)
def test_a_loss_is_found_by_key_title_and_every_other_name(key):
    loss = losses.get(key)
    for name in (key, loss.title, loss.title.upper()):
        assert find(name)[0].key == key, name
    for alias in loss.aliases:
        first = find(alias)[0]
        assert first.key == key, alias
        assert first.alias in ("", alias), alias


@pytest.mark.parametrize(
    ("query", "key", "alias"),
    [
        ("L2", "mse", "L2"),
        ("l1 LOSS", "mae", "L1 loss"),
        ("log loss", "bce", "log loss"),
        ("BPR", "ranknet", "BPR"),
        ("sparse categorical", "cross_entropy", "sparse categorical cross-entropy"),
        ("crossentropy", "cross_entropy", ""),
        ("huber", "huber", ""),
        ("  Huber ", "huber", ""),
    ],
)
def test_usual_searches(query, key, alias):
    assert (find(query)[0].key, find(query)[0].alias) == (key, alias)


def test_an_alias_is_named_only_where_it_fits_better():
    assert find("Huber loss")[0].alias in ("", "Huber loss")
    assert all(match.alias == "" for match in find())


def test_words_of_the_summary_count_where_no_name_fits():
    assert "huber" in [match.key for match in find("outliers weigh less")]
    assert [match.key for match in find("RMSE")] == ["mse"]
    assert [match.key for match in find("label smooth")][:2] == ["cross_entropy", "dpo"]
    assert find("no such thing at all") == ()


def test_filters_are_all_met():
    assert [match.key for match in find()] == list(KEYS)
    for task in TASKS:
        assert [match.key for match in find(task=task)] == [key for key in KEYS if losses.get(key).task == task]
    both = find(properties=("robust", "convex"))
    assert both
    assert all({"robust", "convex"} <= set(losses.get(match.key).properties) for match in both)
    for name in PROPERTIES:
        assert find(properties=(name,)), f"no loss is {name}"
    assert find("mse", task="binary") == ()


@pytest.mark.parametrize("arguments", [{"task": "cooking"}, {"properties": ("tasty",)}])
def test_unknown_filters_are_refused(arguments):
    with pytest.raises(ValueError, match="allowed are"):
        find(**arguments)


def test_a_misspelt_name_has_near_ones():
    assert "Huber" in nearest_names("hubber")
    assert nearest_names("zzzzzzzz") == ()


@pytest.mark.parametrize("key", KEYS)
def test_every_argument_is_described(key):
    loss = losses.get(key)
    inputs = loss.board.inputs(loss.example)
    for item in loss.inputs:
        assert domain_sentence(item).endswith(".")
        names = place_names(item, tuple(inputs[item.name].shape))
        assert len(names) == len(set(names)) == inputs[item.name].numel()


@pytest.mark.parametrize("key", KEYS)
def test_the_curve_of_a_board_goes_through_its_value(key):
    loss = losses.get(key)
    curve = board_curve(loss, loss.example, loss.check_parameters({}))
    inputs = loss.board.inputs(loss.example)
    predictions = {item.name: inputs[item.name] for item in loss.predictions}
    targets = {item.name: inputs[item.name] for item in loss.targets} or None
    value = lossviz.evaluate(key, predictions, targets).value
    assert curve is not None
    assert curve.value == pytest.approx(value, rel=1e-12)
    place = int(np.abs(curve.positions - curve.at).argmin())
    assert curve.positions[place] == curve.at
    assert curve.values[place] == pytest.approx(value, rel=1e-9)
