"""What a loss tells a learner: complete, plain, and true to the number."""

import re
from collections.abc import Callable

import numpy as np
import pytest

import lossviz
from lossviz import evaluate, losses
from lossviz.losses.base import Loss
from tests.losses.points import example

KEYS = losses.keys()
every_loss = pytest.mark.parametrize("loss", [losses.get(key) for key in KEYS], ids=KEYS)


def sentences(loss: Loss) -> list[str]:
    texts = [
        loss.summary,
        loss.notice,
        loss.minimiser,
        loss.kinks,
        loss.code.keras_note,
        loss.use_when,
        loss.avoid_when,
    ]
    texts += [loss.frozen_note, loss.overflow, loss.naive.text if loss.naive else ""]
    texts += [item.text for item in (*loss.pitfalls, *loss.invariances)] + [suit.reason for suit in loss.suits]
    return [text for text in (*texts, *(parameter.meaning for parameter in loss.parameters)) if text]


@every_loss
def test_texts_are_sentences_without_dashes_or_doubled_spaces(loss: Loss) -> None:
    for text in sentences(loss):
        assert text.endswith("."), text
        assert text[0].isupper(), text
        assert not re.search(r"[\u2013\u2014]|  | \.|!", text), text
    assert len(loss.pitfalls) >= 2
    assert loss.references
    assert any(re.search(r"\(\d{4}\):", reference) for reference in loss.references), "a paper or a book"


def test_every_name_leads_to_one_loss() -> None:
    seen: dict[str, str] = {}
    for key in KEYS:
        loss = losses.get(key)
        for name in {key, loss.title.lower(), *(alias.lower() for alias in loss.aliases)}:
            assert seen.setdefault(name, key) == key, f"{name} names {seen[name]} and {key}"


@every_loss
def test_formulas_have_matching_braces(loss: Loss) -> None:
    for formula in (loss.formula, loss.gradient_formula, *(reduction.formula for reduction in loss.reductions)):
        assert formula.count("{") == formula.count("}")
        assert formula.count(r"\begin") == formula.count(r"\end")
        assert formula.count(r"\left") == formula.count(r"\right")
    assert all(reduction.formula.count("#") == 1 for reduction in loss.reductions)


@every_loss
def test_parameters_start_on_a_step_within_bounds(loss: Loss) -> None:
    for parameter in loss.parameters:
        assert parameter.check(parameter.default) == parameter.default
        if parameter.kind == "number":
            steps = (parameter.default - parameter.low) / parameter.step
            assert steps == pytest.approx(round(steps))


def term(key: str, prediction: float, target: float, **parameters: float) -> float:
    return evaluate(key, [prediction], [target], **parameters).value


def share(key: str, sample: int, **parameters: float) -> float:
    """A sample's part of the value on the starting board."""
    tables = lossviz.tables(key, *example(losses.get(key)), **parameters)
    return float(tables.base["share"][sample - 1])


def start(key: str, column: str, index: int = 0, **parameters: float) -> float:
    """A number on the starting board."""
    return float(lossviz.tables(key, *example(losses.get(key)), **parameters).base[column][index])


def slope_at(key: str, position: float, side: str = "slope", handle: int = 0) -> float:
    table = lossviz.tables(key, *example(losses.get(key))).handles[handle]
    return float(table.columns[side][np.flatnonzero(table.positions == position)[0], 0])


def kl(p: list[float], q: list[float]) -> float:
    return evaluate("kl_div", [np.log(q).tolist()], [p]).value


Claim = tuple[str, str, Callable[[], float]]
CLAIMS: list[Claim] = [
    ("mae", "starts at 0.875", lambda: start("mae", "value")),
    ("mae", "the slope 0.25", lambda: start("mae", "gradient.prediction", 2)),
    ("mae", "or −0.25", lambda: start("mae", "gradient.prediction", 1)),
    ("mae", "moves 0.3", lambda: 1.2 * start("mae", "gradient.prediction", 2)),
    ("huber", "is 2 away", lambda: start("huber", "residual", 2)),
    ("huber", "makes 0.375", lambda: share("huber", 3)),
    ("huber", "loss of 0.469", lambda: start("huber", "value")),
    ("huber", "grows to 0.5", lambda: share("huber", 3, delta=2)),
    ("smooth_l1", "costs 1.25", lambda: start("smooth_l1", "terms", 2, beta=1.5)),
    ("smooth_l1", "asks 1.875", lambda: start("huber", "terms", 2, delta=1.5)),
    ("log_cosh", "costs 0.120", lambda: term("log_cosh", 0.5, 0)),
    ("log_cosh", "half its square (0.125)", lambda: 0.5 * term("mse", 0.5, 0)),
    ("log_cosh", "costs 4.307", lambda: term("log_cosh", 5, 0)),
    ("log_cosh", "less 0.693", lambda: 20 - term("log_cosh", 20, 0)),
    ("quantile", "costs 0.45 ", lambda: term("quantile", 0, 0.5)),
    ("quantile", "too high only 0.05", lambda: term("quantile", 0.5, 0)),
    ("bce", "costs 0.223", lambda: term("bce", 0.8, 1)),
    ("bce", "stops at 100", lambda: term("bce", 0, 1)),
    ("bce", "value of 0.693", lambda: term("bce", 0.5, 1)),
    ("bce", "not 0.097", lambda: term("bce", 0.8, 1) / np.log(10)),
    ("bce_with_logits", "costs 3.049", lambda: start("bce_with_logits", "terms", 3)),
    ("bce_with_logits", "costs 10.000", lambda: term("bce_with_logits", -10, 1)),
    ("bce_with_logits", "slope of −1.000", lambda: float(evaluate("bce_with_logits", [-10], [1]).gradient[0])),
    ("bce_with_logits", "costs 0.371", lambda: term("bce_with_logits", 0.8, 1)),
    ("bce_with_logits", "instead of 0.223", lambda: term("bce", 0.8, 1)),
    ("hinge", "costs 0.7 ", lambda: start("hinge", "terms", 0)),
    ("hinge", "has margin 2", lambda: start("hinge", "margin", 1)),
    ("hinge", "from −0.25", lambda: slope_at("hinge", 1.0, "slope_left")),
    ("hinge", "to 0.", lambda: slope_at("hinge", 1.0, "slope_right")),
    ("squared_hinge", "lacks 2.5", lambda: 1 - start("squared_hinge", "margin", 3)),
    ("squared_hinge", "costs 6.25", lambda: start("squared_hinge", "terms", 3)),
    ("squared_hinge", "hinge asks 2.5", lambda: start("hinge", "terms", 3)),
    ("squared_hinge", "costs 0.49", lambda: start("squared_hinge", "terms", 0)),
    ("focal", "probability of 0.88", lambda: start("focal", "probability", 0)),
    ("focal", "costs 0.032", lambda: start("focal", "terms", 0, gamma=0)),
    ("focal", "only 0.00045", lambda: start("focal", "terms", 0)),
    ("focal", "70 times", lambda: start("focal", "terms", 0, gamma=0) / start("focal", "terms", 0)),
    ("focal", "0.762 with", lambda: start("focal", "terms", 3, gamma=0)),
    ("focal", "0.692 with", lambda: start("focal", "terms", 3)),
    ("cross_entropy", "ln k: 1.099", lambda: evaluate("cross_entropy", [[0] * 3], [0]).value),
    ("cross_entropy", "3 classes, 2.303", lambda: evaluate("cross_entropy", [[0] * 10], [0]).value),
    ("kl_div", "predicts (0.63", lambda: start("kl_div", "softmax", 0)),
    ("kl_div", "(0.63, 0.23", lambda: start("kl_div", "softmax", 1)),
    ("kl_div", "0.23, 0.14)", lambda: start("kl_div", "softmax", 2)),
    ("kl_div", "costs 0.013", lambda: 2 * share("kl_div", 1)),
    ("kl_div", "costs 0.234", lambda: 2 * share("kl_div", 2)),
    ("kl_div", "gives 0.368", lambda: kl([0.9, 0.1], [0.5, 0.5])),
    ("kl_div", "round 0.511", lambda: kl([0.5, 0.5], [0.9, 0.1])),
]


@pytest.mark.parametrize(("key", "fragment", "number"), CLAIMS, ids=[f"{key}: {text}" for key, text, _ in CLAIMS])
def test_numbers_in_the_texts(key: str, fragment: str, number: Callable[[], float]) -> None:
    assert any(fragment in text for text in sentences(losses.get(key)))
    stated = re.findall(r"−?\d+(?:\.\d+)?", fragment)[-1].replace("−", "-")
    decimals = len(stated.partition(".")[2])
    assert f"{number():.{decimals}f}" == stated
