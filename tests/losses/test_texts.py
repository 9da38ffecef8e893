"""What a loss tells a learner: complete, plain, and true to the number."""

import math
import re
from collections.abc import Callable

import pytest
import torch

from lossviz import losses
from lossviz.losses.base import Loss, Pitfall
from lossviz.tables import Tables
from tests.losses.claims import CLAIMS

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


NUMBER = re.compile(r"−?(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")


def plain(number: str) -> str:
    return number.replace("−", "-").replace(",", "")


def written(value: float, like: str) -> str:
    """A value with as many decimals as a number in a text."""
    return f"{value:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize(("key", "fragment", "number"), CLAIMS, ids=[f"{key}: {text}" for key, text, _ in CLAIMS])
def test_numbers_in_the_texts(key: str, fragment: str, number: Callable[[], float]) -> None:
    assert any(fragment in text for text in sentences(losses.get(key)))
    stated = plain(NUMBER.findall(fragment)[-1])
    assert written(number(), stated) == stated


def numbers_on_the_board(loss: Loss, pitfall: Pitfall | None) -> list[float]:
    """What the board beside a text shows: the numbers of its state, before and after averaging, and the parameters."""
    pitfall = pitfall or Pitfall("")
    shown = losses.get(pitfall.loss) if pitfall.loss else loss
    changed = {name: torch.tensor(value, dtype=torch.float64) for name, value in pitfall.state.items()}
    params = shown.check_parameters(dict(pitfall.parameters))
    state = {**shown.board.example(), **changed}
    base = Tables(shown, params, pitfall.reduction or shown.reductions[0].name, state).base
    found = [value for column in base.values() for value in column.ravel().tolist()]
    for name in ("share", "terms"):
        found += [
            value * size for value in base[name].ravel().tolist() for size in (base["share"].size, base[name].size)
        ]
    numbers = [float(value) for value in params.values() if isinstance(value, (int, float))]
    return [*filter(math.isfinite, found), *numbers]


@every_loss
def test_every_decimal_number_of_the_texts_is_checked(loss: Loss) -> None:
    """It stands on the board that the text speaks of, or among the claims, or sets a parameter: "Lower q to 0.05"."""
    parameters = {parameter.name for parameter in loss.parameters}
    own = [(text, None) for text in sentences(loss) if text not in {pitfall.text for pitfall in loss.pitfalls}]
    for text, pitfall in [*own, *((pitfall.text, pitfall) for pitfall in loss.pitfalls)]:
        shown = numbers_on_the_board(loss, pitfall)
        fragments = [fragment for key, fragment, _ in CLAIMS if key == loss.key and fragment in text]
        claimed = {text.index(fragment) + [*NUMBER.finditer(fragment)][-1].end() for fragment in fragments}
        for match in NUMBER.finditer(text):
            number = plain(match.group())
            word = re.search(r"(\w+)(?: of| to)? $", text[: match.start()])
            set_here = word is not None and word[1].lower() in parameters
            if "." not in number or match.end() in claimed or set_here:
                continue
            assert any(number.lstrip("-") == written(abs(value), number) for value in shown), (match.group(), text)
