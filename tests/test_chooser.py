"""The chooser: every answer that is offered leads to losses, and every loss is reached."""

from collections.abc import Iterator, Mapping

import pytest

from lossviz import losses
from lossviz.chooser import choose, questions


def paths(answers: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Every way through the questions, with questions left out too."""
    answers = dict(answers or {})
    yield answers
    order = ["predicts", "labels", "trouble", "wants"]
    later = order[max((order.index(name) + 1 for name in answers), default=0) :]
    for question in questions(answers):
        if question.name in later:
            for answer in question.answers:
                yield from paths({**answers, question.name: answer.name})


def test_every_way_leads_to_losses_with_reasons():
    reached = set()
    for answers in paths():
        found = choose(answers)
        assert found, answers
        assert len({choice.key for choice in found}) == len(found)
        if answers:
            reached |= {choice.key for choice in found}
            assert all(choice.reason.endswith(".") for choice in found)
    assert reached == set(losses.keys())


def test_questions_offer_at_least_two_answers_and_at_most_four_are_asked():
    for answers in paths():
        asked = questions(answers)
        assert len(asked) <= 4
        assert all(len(question.answers) > 1 for question in asked)
        assert all(answer.text for question in asked for answer in question.answers)


def test_outliers_lead_away_from_the_squared_error():
    robust = [choice.key for choice in choose({"predicts": "number", "trouble": "outliers"})]
    assert "mse" not in robust
    assert {"mae", "huber"} <= set(robust)
    assert "mse" in [choice.key for choice in choose({"predicts": "number", "trouble": "nothing"})]


def test_each_answer_narrows():
    every = choose({"predicts": "yes_no"})
    margin = choose({"predicts": "yes_no", "wants": "margin"})
    assert {choice.key for choice in margin} < {choice.key for choice in every}
    assert "hinge" in [choice.key for choice in margin]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"colour": "red"}, "allowed are predicts"),
        ({"predicts": "weather"}, "predicts is 'weather'"),
        ({"predicts": "number", "labels": "triplets"}, "labels is 'triplets'"),
    ],
)
def test_what_leads_nowhere_is_refused(answers, message):
    with pytest.raises(ValueError, match=message):
        choose(answers)
