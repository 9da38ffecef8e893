"""A part of a program or a notebook."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One part of a program: a heading, a sentence or two for the learner, the code, and what it needs imported."""

    title: str
    text: str
    code: str
    imports: tuple[str, ...] = ()
