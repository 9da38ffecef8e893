"""From a learner's situation to losses that fit it, by what the losses say suits them.

>>> found = choose({"predicts": "number", "trouble": "outliers"})
>>> found[0].key in losses.keys()
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lossviz import losses
from lossviz.losses.base import Suit, shorten

NOTHING: Final = "nothing"
"""The answer that nothing is hard about the data."""


@dataclass(frozen=True)
class Answer:
    """One answer to a question: its name in links, and how the page writes it."""

    name: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question that still tells losses apart.

    Args:
        name: "predicts", "labels", "trouble" or "wants".
        text: The question.
        answers: The answers that lead to at least one loss.
    """

    name: str
    text: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Choice:
    """A loss that fits the answers, and why."""

    key: str
    reason: str


_TEXTS: Final = {
    "predicts": "What does the model predict?",
    "labels": "What are the labels?",
    "trouble": "Is anything difficult about the data?",
    "wants": "What is the prediction for?",
}
_ANSWERS: Final[Mapping[str, Mapping[str, str]]] = {
    "predicts": {
        "number": "A number",
        "yes_no": "Yes or no",
        "one_class": "One of several classes",
        "several_labels": "Several labels at once",
        "distribution": "A distribution over classes",
        "embedding": "An embedding: where things lie",
        "ranking": "An order: what comes first",
        "mask": "A mask: which pixels belong",
        "box": "A box around an object",
        "sequence": "A sequence of symbols",
        "generated": "New data, such as images",
    },
    "labels": {
        "any_number": "Any number",
        "positive": "Numbers above 0",
        "count": "Counts: 0, 1, 2, …",
        "direction": "Directions: only the angle counts",
        "hard": "Certain: in or out",
        "soft": "Probabilities or shares",
        "pairs": "Pairs: alike or not",
        "triplets": "Triplets: this is nearer than that",
        "classes": "A class for each sample",
        "aligned": "A symbol for each place",
        "unaligned": "A sequence, but not where each symbol stands",
        "preferences": "Which of two answers people prefer",
    },
    "trouble": {
        NOTHING: "Nothing in particular",
        "outliers": "Outliers: a few targets are far off",
        "imbalance": "Imbalance: one kind is rare",
        "noisy_labels": "Some labels are wrong",
        "uneven_costs": "Some mistakes cost more than others",
        "vanishing": "Learning stalls: the gradient vanishes",
    },
    "wants": {
        "best_value": "One best answer",
        "probabilities": "Probabilities that can be trusted",
        "spread": "How far off it may be",
        "margin": "Only the decision",
    },
}


def questions(answers: Mapping[str, str]) -> tuple[Question, ...]:
    """The questions to show: those answered, and those whose answers would still tell losses apart.

    Args:
        answers: Answers so far, by the question's name.

    Returns:
        The questions in their order; each offers only answers that lead on from the answers before it.

    Raises:
        ValueError: If a question or an answer is unknown, or an answer leads nowhere.

    Example:
        >>> [question.name for question in questions({})]
        ['predicts']
        >>> [answer.name for answer in questions({"predicts": "number"})[1].answers][:2]
        ['any_number', 'positive']

    Source: the entries `suits` of the losses.
    """
    unknown = [name for name in answers if name not in _TEXTS]
    if unknown:
        raise ValueError(f"question is {shorten(unknown[0])}; allowed are {', '.join(_TEXTS)}")
    kept = _all_suits()
    shown: list[Question] = []
    for name, text in _TEXTS.items():
        offered = _offered(name, kept)
        if len(offered) > 1:
            shown.append(Question(name, text, tuple(Answer(value, _ANSWERS[name][value]) for value in offered)))
        if name in answers:
            if answers[name] not in offered:
                raise ValueError(f"{name} is {shorten(answers[name])}; allowed here are {', '.join(offered) or 'none'}")
            kept = [(key, suit) for key, suit in kept if _fits(name, suit, answers[name])]
        elif name == "predicts":  # everything else depends on it
            break
    return tuple(shown)


def choose(answers: Mapping[str, str]) -> tuple[Choice, ...]:
    """The losses that fit the answers, those first that speak of most of them.

    Args:
        answers: Answers by the question's name.

    Returns:
        Each loss once, with its reason.

    Raises:
        ValueError: If a question or an answer is unknown, or an answer leads nowhere.

    Example:
        >>> "huber" in [choice.key for choice in choose({"predicts": "number", "trouble": "outliers"})]
        True
        >>> choose({"predicts": "weather"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: predicts is 'weather'; allowed here are number, yes_no, ...
    """
    questions(answers)
    found: dict[str, tuple[int, str]] = {}
    for key, suit in _all_suits():
        if all(_fits(name, suit, answer) for name, answer in answers.items()):
            named = sum(answer in _values(name, suit) for name, answer in answers.items())
            if key not in found or named > found[key][0]:
                found[key] = (named, suit.reason)
    ranked = sorted(found.items(), key=lambda item: -item[1][0])
    return tuple(Choice(key, reason) for key, (_, reason) in ranked)


def _all_suits() -> list[tuple[str, Suit]]:
    return [(loss.key, suit) for loss in map(losses.get, losses.keys()) for suit in loss.suits]


def _values(name: str, suit: Suit) -> tuple[str, ...]:
    if name == "predicts":
        return (suit.predicts,)
    values: tuple[str, ...] = getattr(suit, name)
    return (NOTHING,) if name == "trouble" and not values else values


def _fits(name: str, suit: Suit, answer: str) -> bool:
    """Whether a suit goes with an answer; labels and wants that it does not name may be any.

    A loss that is not made for some trouble is no advice to those who have it, so trouble must be named.
    """
    values = _values(name, suit)
    return answer in values or (not values and name in ("labels", "wants"))


def _offered(name: str, kept: list[tuple[str, Suit]]) -> list[str]:
    named = {value for _, suit in kept for value in _values(name, suit)}
    return [value for value in _ANSWERS[name] if value in named]
