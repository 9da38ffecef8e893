"""The reviews mean what their labels say, and need the order of their words to be read."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lossviz.datasets import reviews

WORDS = reviews.vocabulary()
# Read by hand, not taken from the generator: which words praise and which blame.
POLARITY = {
    **dict.fromkeys(["good", "great", "funny", "clever", "fresh", "moving", "like", "love", "recommend"], 1),
    **dict.fromkeys(["bad", "awful", "dull", "weak", "boring", "silly", "dislike", "hate", "regret"], -1),
}


def reading(review):
    """A rule-based reading: what comes last decides; a negation anywhere before its word turns it round."""
    decisive = review.split(" but ")[-1].split()
    found = [(place, POLARITY[word]) for place, word in enumerate(decisive) if word in POLARITY]
    assert len(found) == 1, review
    place, polarity = found[0]
    negations = sum(word in ("not", "never") for word in decisive[:place])
    assert negations <= 1, review
    return 1.0 if polarity * (-1) ** negations > 0 else 0.0


def counts(tokens):
    return np.stack([np.bincount(row.astype(int), minlength=len(WORDS))[1:] for row in tokens])


@pytest.fixture(scope="module")
def many():
    tokens, labels = reviews.generate(5000, 0.0, seed=0)
    return tokens, labels, [reviews.text(row) for row in tokens]


def test_the_vocabulary_is_small_and_every_word_is_used_in_both_classes(many):
    tokens, labels, _ = many
    assert len(WORDS) == len(set(WORDS)) <= 60
    for label in (0.0, 1.0):
        assert set(np.unique(tokens[labels == label])) == set(range(len(WORDS)))


def test_reviews_have_3_to_10_words_padded_in_front_and_none_comes_twice(many):
    tokens, labels, texts = many
    assert tokens.shape == (5000, reviews.LENGTH)
    assert labels.shape == (5000,)
    assert tokens.dtype == labels.dtype == np.float64
    words = tokens > 0
    assert set(words.sum(axis=1)) == set(range(3, 11))
    assert (np.diff(words.astype(int), axis=1) >= 0).all()
    assert len(set(texts)) == len(texts)


def test_labels_are_balanced_and_agree_with_an_independent_reading(many):
    _, labels, texts = many
    assert labels.mean() == 0.5
    assert [reading(review) for review in texts] == labels.tolist()


def test_halves_around_but_may_change_places_and_turn_the_label_round(many):
    _, labels, texts = many
    contrasts = [(review, label) for review, label in zip(texts, labels, strict=True) if " but " in review]
    assert 0.2 < len(contrasts) / len(texts) < 0.3
    for review, label in contrasts:
        first, second = review.split(" but ")
        assert reading(f"{second} but {first}") == 1.0 - label


def test_every_form_is_there(many):
    _, _, texts = many
    shares = {
        part: np.mean([part in f" {review} " for review in texts])
        for part in (" not ", " never ", " do not ", " at all ", " but ", " very ", " so ", " and ", " last night ")
    }
    assert min(shares.values()) > 0.02, shares
    negated = np.mean([" not " in f" {review} " or " never " in f" {review} " for review in texts])
    assert 0.3 < negated < 0.45
    assert not any("never so" in review for review in texts)


def test_counting_words_does_not_solve_it():
    for seed in range(4):
        tokens, labels = reviews.generate(5000, 0.0, seed)
        x = counts(tokens)
        model = LogisticRegression(max_iter=3000).fit(x[:4000], labels[:4000])
        assert 0.45 < model.score(x[4000:], labels[4000:]) < 0.6


def test_noise_turns_its_share_of_the_labels_and_leaves_the_reviews():
    still, truth = reviews.generate(301, 0.0, seed=5)
    for noise in (0.1, 0.25, 0.5):
        tokens, labels = reviews.generate(301, noise, seed=5)
        np.testing.assert_array_equal(tokens, still)
        assert (labels != truth).sum() == round(noise * 301)


def test_the_same_seed_gives_the_same_reviews_and_another_one_others():
    first, again, other = (reviews.generate(200, 0.2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_text_and_encode_are_inverse(many):
    tokens, _, texts = many
    for row, review in zip(tokens[:300], texts[:300], strict=True):
        np.testing.assert_array_equal(reviews.encode(review), row)
    np.testing.assert_array_equal(
        reviews.encode("  It wasn’t good, but I don't HATE it!"),
        reviews.encode("it was not good but i do not hate it"),
    )


@pytest.mark.parametrize(
    ("review", "message"),
    [
        ("", "the review has 0 words; 1 to 10 are allowed"),
        ("... !", "the review has 0 words"),
        ("very " * 11, "the review has 11 words; 1 to 10 are allowed"),
        ("the film was goood", "“goood” is not among the 50 words that these reviews use; nearest: good"),
        ("terrific zzz", "“terrific”, “zzz” are not among the 50 words"),
        ("x" * 100_000, "“xxxxxxxxxxxxxxxxxxxx…” is not among the 50 words that these reviews use; try words such as"),
        ("(padding)", "“padding” is not among"),
        ("🎉", "“🎉” is not among"),
        (3, "text is 3; a review in words is allowed"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(review, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        reviews.encode(review)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("row", [[0.0, 1.5], [-1.0], [51.0], [float("nan")], [[1.0]]])
def test_rows_that_are_no_review_are_refused(row):
    with pytest.raises(ValueError, match=r"row (holds|has shape)"):
        reviews.text(row)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((9, 0.0, 0), "10 to 5000"), ((5001, 0.0, 0), "10 to 5000"), ((50, 0.6, 0), "0 to 0.5"), ((50, 0.0, -1), "seed")],
)
def test_numbers_out_of_bounds_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        reviews.generate(*arguments)
