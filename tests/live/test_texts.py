"""A run on texts in frames: which reviews are shown, and what the model says of each, as the core computes it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lossviz.datasets import reviews
from lossviz.training import RunConfig, advance, hardest, init, predict, text_losses, word_by_word
from pages.ui.live.model_view import ModelView
from pages.ui.live.protocol import parse
from pages.ui.live.viewed_run import ViewedRun
from tests.live.conftest import Client
from tests.live.frames import unpack

CONFIG = RunConfig(dataset="reviews", samples=200, optimizer="adam", learning_rate=0.01, batch_size=10, epochs=3)


def test_frames_hold_what_the_core_says_of_the_reviews():
    run = ViewedRun(CONFIG)
    run.panels.open(frozenset({"hardest", "activations", "gradients", "confusion", "pulls"}))
    unpack(run.frame(1, "paused", None, whole=True))
    run.advance(13, 60.0)  # within an epoch, where everything is measured anew
    header, arrays = unpack(run.frame(2, "paused", None, whole=True))
    scene, state = header["scene"], init(CONFIG)
    advance(state, 10)
    advance(state, 3)
    split = state.split
    rows = reviews.varied(split.x_validation, split.y_validation)
    x, y = split.x_validation[rows], split.y_validation[rows]
    assert (scene["kind"], scene["part"], scene["reads"]) == ("texts", "validation", "probability")
    assert [" ".join(words) for words in scene["texts"]] == [reviews.text(row) for row in x]
    assert scene["labels"] == y.tolist()
    assert 6 <= len(rows) <= 8
    assert np.array_equal(arrays["readings"], word_by_word(state, x).astype(np.float32), equal_nan=True)
    assert np.array_equal(arrays["text_losses"], text_losses(state, x, y))
    assert header["layers"] == ["Embedding", "LSTM", "Output layer"]
    worst = hardest(state)[0]
    assert header["panels"]["hardest"][0]["features"] == [reviews.text(worst.features)]
    right = (predict(state, split.x_train) > 0.5) == (split.y_train > 0.5)
    assert np.trace(arrays["confusion_train"].reshape(2, 2)) == right.sum()


def test_a_run_that_is_wound_back_reads_as_it_did_then():
    run = ViewedRun(CONFIG)
    run.advance(10, 60.0)
    before = unpack(run.frame(1, "paused", None))[1]
    run.advance(20, 60.0)
    later = unpack(run.frame(2, "paused", None))[1]
    run.wind(10)
    again = unpack(run.frame(3, "paused", None))[1]
    for name in ("readings", "text_losses"):
        assert np.array_equal(again[name], before[name], equal_nan=True)
        assert not np.array_equal(again[name], later[name], equal_nan=True)


def test_a_sentence_of_the_learner_is_read_too(join: Callable[..., Client]):
    client = join()
    client.open(CONFIG, at=30)
    client.until("rest")
    assert "own_words" not in client.frames[-1]["arrays"]
    client.send("sentence", text="The cast isn't bad at all!")
    assert client.until("sentence")["problem"] == ""
    arrays = client.until("frame")["arrays"]
    state = init(CONFIG)
    while state.updates < 30:
        advance(state, 1)
    row = reviews.encode("the cast is not bad at all")
    assert arrays["own_words"].tolist() == row.tolist()
    assert np.array_equal(arrays["own_reading"], word_by_word(state, row[None])[0].astype(np.float32), equal_nan=True)
    for text, part in (("a fantastic film", "“a”, “fantastic” are not among the 50 words"), ("it " * 11, "11 words")):
        client.send("sentence", text=text)
        problem = client.until("sentence")["problem"]
        assert part in problem
        assert problem[0].isupper() or problem.startswith("“")
        assert "own_words" not in client.until("frame")["arrays"]
    for text in (" ", ""):
        client.send("sentence", text=text)
        assert client.until("sentence")["problem"] == ""


@pytest.mark.parametrize("text", [None, 3, ["it"], "x" * 201])
def test_what_is_no_sentence_is_refused(text: Any):
    with pytest.raises(ValueError, match="a text of at most 200 characters is allowed"):
        parse(json.dumps({"type": "sentence", "text": text}))


def test_a_model_that_reads_no_texts_ignores_sentences():
    assert ModelView(init(RunConfig())).read("it was good") == ""


def test_shown_reviews_differ_in_what_makes_them_hard_and_are_short():
    tokens, labels = reviews.generate(600, 0.0, seed=1)
    texts = [reviews.text(row) for row in tokens]
    kinds = []
    for number in reviews.varied(tokens, labels):
        kind = lambda text: ("but" in text.split(), bool({"not", "never"} & set(text.split())))  # noqa: E731
        kinds.append((*kind(texts[number]), int(labels[number])))
        alike = [row for row, text in enumerate(texts) if (*kind(text), int(labels[row])) == kinds[-1]]
        assert len(texts[number].split()) == min(len(texts[row].split()) for row in alike)
    assert kinds == [(but, turned, up) for but in (False, True) for turned in (False, True) for up in (1, 0)]


def test_without_validation_reviews_of_the_training_part_are_shown():
    view = ModelView(init(replace(CONFIG, validation_fraction=0.0, loss="hinge", loss_parameters=())))
    header, _ = view.scene()
    assert (header["part"], header["reads"]) == ("training", "score")
    assert view.arrays()["readings"].shape == (len(header["texts"]), reviews.LENGTH)
