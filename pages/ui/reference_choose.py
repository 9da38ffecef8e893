"""The state of the Choose page, its URL, and its questions."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lossviz.chooser import Question, questions
from pages.ui.links import quote
from pages.ui.state import current, put, seed, widget

PAGE = "choose"
NAMES = ("predicts", "labels", "trouble", "wants")


def state() -> dict[str, str]:
    """The answers by the question's name."""
    return current(PAGE)


def parse(params: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Turn query parameters into answers; what leads nowhere is left out, with a notice."""
    notices = [
        f"The link holds {quote(name)}, which this page does not know; it is left out."
        for name in params
        if name not in NAMES
    ]
    kept, dropped = lead_on({name: params[name] for name in NAMES if name in params})
    notices += [f"The link's answer {quote(params[name])} leads to no loss here; it is left out." for name in dropped]
    return kept, notices


def lead_on(answers: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The answers that still lead somewhere after those before them, and the names of the others."""
    kept: dict[str, str] = {}
    dropped = []
    for name in NAMES:
        if name in answers:
            try:
                questions({**kept, name: answers[name]})
            except ValueError:
                dropped.append(name)
            else:
                kept[name] = answers[name]
    return kept, dropped


def ask(question: Question, answers: Mapping[str, str]) -> None:
    """One question with the answers that lead on."""
    texts = {answer.name: answer.text for answer in question.answers}
    key = f"choose.{question.name}"
    st.pills(
        question.text,
        list(texts),
        format_func=texts.__getitem__,
        key=seed(key, answers.get(question.name)),
        on_change=lambda: _answer(question.name, widget(key)),
    )


def _answer(name: str, value: str | None) -> None:
    answers = {**state(), name: value}
    put(PAGE, lead_on({key: answer for key, answer in answers.items() if answer is not None})[0])
