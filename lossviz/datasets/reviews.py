"""Short reviews that a small grammar of our own writes: synthetic text for a task that needs the order of the words.

A review holds one opinion, or two with "but" between them, of which the second decides:

    opinion = subject is|was [not|never] [very|really|so] adjective [at all]
            | i [do not] [really] verb object [at all]

with neutral words around it ("honestly", "we watched it and", "last night"). "not", "never" and "do not" turn an
opinion round, always and fully: "not bad at all" is praise and "not great" is blame. Praise and blame have equally
many words in each place, and every word stands in reviews of both classes.

So counting words does not solve the task. Of 5,000 reviews without noise a logistic regression on the word counts of
4,000 gets 51 to 55 % of the other 1,000 right (seeds 0 to 3); a reading that knows negation and "but" gets all 5,000.
Whatever is made of the counts (boosted trees, which see words together, get 86 %), it stays near 88 %: a quarter of
the reviews has a "but", and there the two halves can change places, which turns the label round and leaves the counts.

No review comes twice in one set of data, so none of a validation part has been seen in training.

Reviews are padded in front, with word number 0. A recurrent model then reads the last word of every review at its last
step, and its state stays at 0 until the first word: see `lossviz.models.recurrent`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Dataset

LENGTH: Final = 10
"""Places for words in a review; shorter reviews are padded."""
PADDING: Final = "(padding)"

PRAISE: Final = ("good", "great", "funny", "clever", "fresh", "moving")
BLAME: Final = ("bad", "awful", "dull", "weak", "boring", "silly")
PRAISE_VERBS: Final = ("like", "love", "recommend")
BLAME_VERBS: Final = ("dislike", "hate", "regret")
THINGS: Final = ("film", "plot", "cast", "music", "ending", "story")
STRONGER: Final = ("very", "really", "so")
OPENINGS: Final = ("honestly", "overall", "well", "i think", "i saw it and", "we watched it and")
CLOSINGS: Final = ("today", "last night")
_OTHERS: Final = ("the", "this", "is", "was", "do", "not", "never", "at", "all", "but")

# The probability of each part.
_P_CONTRAST: Final = 0.25
_P_NEGATION: Final = 0.3
_P_VERB: Final = 0.35
_P_IT: Final = 0.4
_P_STRONGER: Final = 0.4
_P_OPENING: Final = 0.3
_P_CLOSING: Final = 0.25


def varied(tokens: ArrayLike, labels: ArrayLike) -> list[int]:
    """Return the numbers of up to eight reviews that differ in what makes them hard: "but", negation, and label.

    Args:
        tokens: word numbers, shape (reviews, places).
        labels: shape (reviews,).

    Returns:
        The shortest review of each kind, the first of equally short ones; plain ones before those with a negation and
        then with "but", praise before blame. Kinds that do not occur are left out.

    Example:
        >>> from lossviz.datasets import reviews
        >>> tokens, labels = reviews.generate(200, 0.0, seed=0)
        >>> [reviews.text(tokens[number]) for number in reviews.varied(tokens, labels)][:2]
        ['it is great', 'it is weak']
    """
    rows, praise = np.asarray(tokens), np.asarray(labels) > 0.5
    turned = np.isin(rows, [_NUMBERS["not"], _NUMBERS["never"]]).any(axis=1)
    split = (rows == _NUMBERS["but"]).any(axis=1)
    kinds = [(split == two) & (turned == no) & (praise == up) for two, no, up in product((False, True), repeat=3)]
    found = [kinds[at ^ 1] for at in range(len(kinds))]  # praise first
    words = np.count_nonzero(rows, axis=1)
    return [int(np.where(kind, words, LENGTH + 1).argmin()) for kind in found if kind.any()]


def _all_words() -> tuple[str, ...]:
    phrases = (*PRAISE, *BLAME, *PRAISE_VERBS, *BLAME_VERBS, *THINGS, *STRONGER, *_OTHERS, *OPENINGS, *CLOSINGS)
    return PADDING, *dict.fromkeys(word for phrase in phrases for word in phrase.split())


_VOCABULARY: Final = _all_words()
_NUMBERS: Final = {word: number for number, word in enumerate(_VOCABULARY) if number}


def vocabulary() -> tuple[str, ...]:
    """Return the words by number; number 0 is the padding.

    Example:
        >>> from lossviz.datasets import reviews
        >>> len(reviews.vocabulary()), reviews.vocabulary()[:3]
        (51, ('(padding)', 'good', 'great'))
    """
    return _VOCABULARY


def text(row: ArrayLike) -> str:
    """Return the words of one review, without its padding.

    Args:
        row: word numbers, shape (places,).

    Raises:
        ValueError: row is not a list of word numbers.

    Example:
        >>> from lossviz.datasets import reviews
        >>> reviews.text(reviews.encode("Not bad at all!"))
        'not bad at all'
    """
    numbers = np.asarray(row, dtype=np.float64)
    if numbers.ndim != 1:
        raise ValueError(f"row has shape {numbers.shape}; one review, shape (places,), is allowed")
    wrong = numbers[~np.isin(numbers, np.arange(len(_VOCABULARY)))]
    if wrong.size:
        raise ValueError(f"row holds {wrong[0]:g}; whole numbers from 0 to {len(_VOCABULARY) - 1} are allowed")
    return " ".join(_VOCABULARY[int(number)] for number in numbers if number)


def encode(text: str) -> Array:
    """Return the word numbers of a review, padded in front.

    Capitals and punctuation do not count; "isn't", "wasn't" and "don't" are read as two words.

    Args:
        text: 1 to 10 words of the vocabulary.

    Returns:
        Shape (10,), float64.

    Raises:
        ValueError: there is no word, there are too many, or some are not in the vocabulary; the message names them
            and the nearest words that are.

    Example:
        >>> from lossviz.datasets import reviews
        >>> reviews.encode("It wasn't good.").astype(int).tolist()
        [0, 0, 0, 0, 0, 0, 44, 31, 33, 1]
    """
    if not isinstance(text, str):
        raise ValueError(f"text is {text!r}; a review in words is allowed")
    plain = re.sub(r"\b(is|was|do)n['’]t\b", r"\1 not", text.lower())
    found = re.sub(r"[.,;:!?()\"“”…]", " ", plain).split()
    if not 1 <= len(found) <= LENGTH:
        raise ValueError(f"the review has {len(found)} words; 1 to {LENGTH} are allowed")
    unknown = [word for word in dict.fromkeys(found) if word not in _NUMBERS]
    if unknown:
        raise ValueError(_unknown(unknown))
    return _numbered(found)


def _numbered(words: Sequence[str]) -> Array:
    row = np.zeros(LENGTH)
    row[-len(words) :] = [_NUMBERS[word] for word in words]
    return row


def _unknown(words: Sequence[str]) -> str:
    shown = [word if len(word) <= 20 else f"{word[:20]}…" for word in words]
    near = dict.fromkeys(match for word in shown for match in get_close_matches(word, _NUMBERS, n=2))
    verb = "is" if len(words) == 1 else "are"
    listed = ", ".join(f"“{word}”" for word in shown)
    hint = f"nearest: {', '.join(near)}" if near else f"try words such as {', '.join((*PRAISE[:2], *BLAME[:2]))}"
    return f"{listed} {verb} not among the {len(_NUMBERS)} words that these reviews use; {hint}"


def generate(samples: int, noise: float, seed: int) -> tuple[Array, Array]:
    """Return reviews and their labels; the same arguments always give the same ones.

    Args:
        samples: number of reviews, 10 to 5,000; one half of each class, to within one review.
        noise: share of the labels that are turned round, 0 to 0.5; the reviews stay as they are.
        seed: a whole number of 0 or more.

    Returns:
        Word numbers of shape (samples, 10), padded in front with 0, and labels of shape (samples,), 1 for praise
        (positive) and 0 for blame (negative), both float64.

    Raises:
        ValueError: an argument is out of its bounds.

    Example:
        >>> from lossviz.datasets import reviews
        >>> tokens, labels = reviews.generate(10, 0.0, seed=0)
        >>> [(reviews.text(row), int(label)) for row, label in zip(tokens[:2], labels[:2])]
        [('it was never really fresh', 0), ('it was great today', 1)]
    """
    return REVIEWS.generate(samples, noise, seed)


def _synthetic_reviews(samples: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    labels = np.arange(samples) % 2.0
    found: dict[str, None] = {}
    for label in labels:
        contrast = generator.random() < _P_CONTRAST
        review = _write(bool(label), contrast, generator)
        while review in found or len(review.split()) > LENGTH:
            review = _write(bool(label), contrast, generator)
        found[review] = None
    flipped = generator.permutation(samples)[: round(noise * samples)]
    labels[flipped] = 1.0 - labels[flipped]
    return np.stack([_numbered(review.split()) for review in found]), labels


def _write(praise: bool, contrast: bool, generator: np.random.Generator) -> str:
    words = _opinion(praise, generator)
    if contrast:
        words = f"{_opinion(not praise, generator)} but {words}"
    if generator.random() < _P_OPENING:
        words = f"{_pick(OPENINGS, generator)} {words}"
    return words


def _opinion(praise: bool, generator: np.random.Generator) -> str:
    negated = generator.random() < _P_NEGATION
    said = praise != negated
    thing = "it" if generator.random() < _P_IT else f"{_pick(('the', 'this'), generator)} {_pick(THINGS, generator)}"
    strong, closed = generator.random() < _P_STRONGER, generator.random() < _P_CLOSING
    if generator.random() < _P_VERB:
        verb = _pick(PRAISE_VERBS if said else BLAME_VERBS, generator)
        words = ["i", "do not" if negated else "", "really" if strong else "", verb, thing]
        closing = "at all" if negated else ""
    else:
        time = _pick(("is", "was"), generator)
        turn = _pick(("not", "never"), generator) if negated else ""
        # "It was never so dull" is no praise.
        stronger = _pick(STRONGER[:2] if turn == "never" else STRONGER, generator) if strong else ""
        words = [thing, time, turn, stronger, _pick(PRAISE if said else BLAME, generator)]
        closing = "at all" if negated else _pick(CLOSINGS, generator) if time == "was" else ""
    return " ".join(word for word in (*words, closing if closed else "") if word)


def _pick(words: Sequence[str], generator: np.random.Generator) -> str:
    return words[int(generator.integers(len(words)))]


REVIEWS = Dataset(
    key="reviews",
    title="Short reviews",
    task="binary",
    description=(
        "Opinions of 3 to 10 words on a film. They are synthetic: a small grammar of our own wrote them, "
        "with many a “not” and “but” in them."
    ),
    feature_names=tuple(f"word {place}" for place in range(1, LENGTH + 1)),
    target_name="sentiment",
    classes=("negative", "positive"),
    vocabulary=_VOCABULARY,
    draw=_synthetic_reviews,
    samples=1000,
    noise_high=0.5,
    noise_meaning="Share of the labels that are turned round; 0.5 leaves nothing to learn.",
)
