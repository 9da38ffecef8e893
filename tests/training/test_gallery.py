"""Each example is run once, and what its comment says is true of that run."""

from dataclasses import replace

import numpy as np
import pytest

from lossviz import datasets
from lossviz.datasets import reviews
from lossviz.training import (
    UpdateWatch,
    advance,
    dataset,
    diagnose,
    examine,
    init,
    measure,
    predict,
    preset,
    presets,
    run,
)
from lossviz.training.miswired import lowest_loss


class Finished:
    """An example that has been trained to its end."""

    def __init__(self, key):
        self.example = preset(key)
        self.config = self.example.config
        self.state, self.events = init(self.config), []
        self.watch = UpdateWatch(self.state)
        while not self.state.finished:
            event = self.watch.advance(10**6)
            if event:
                self.events.append(event)
        self.last = self.events[-1]
        self.kind = examine(self.state, self.events).kind


@pytest.fixture(scope="module")
def trained():
    runs = {}

    def get(key):
        if key not in runs:
            runs[key] = Finished(key)
        return runs[key]

    return get


KEYS = [example.key for example in presets()]


@pytest.mark.parametrize("key", KEYS)
def test_runs_to_its_end(key, trained):
    run = trained(key)
    assert (len(run.events) == run.config.epochs) == (run.config.patience is None)
    assert run.last.finite
    assert run.example.comment.endswith(".")


def test_the_first_example_of_each_task_is_real_data():
    for task in ("regression", "binary", "multiclass"):
        assert datasets.get(presets(task)[0].config.dataset).real
    assert sum((presets(task) for task in ("regression", "binary", "multiclass")), ()) == presets()
    assert len(set(KEYS)) == len(KEYS)


def test_there_are_many_good_and_bad():
    assert len(KEYS) >= 16


def test_unknown_example_names_the_nearest():
    with pytest.raises(KeyError, match="classic"):
        preset("clasic")


def test_diabetes(trained):
    run = trained("diabetes")
    assert 0.45 < run.last.train_metric < 0.55
    assert 0.45 < run.last.validation_metric < 0.55
    assert 2000 < run.last.train_loss < run.last.validation_loss < 10_000


def test_classic(trained):
    run = trained("classic")
    assert run.events[0].batch_loss == 30
    assert run.last.train_loss < 0.001
    assert round(run.state.network.weights[0].item(), 2) == 1.99


def test_classic_diverging(trained):
    run = trained("classic_diverging")
    losses = [event.batch_loss for event in run.events]
    assert losses == sorted(losses)
    assert run.kind == "diverging"


def test_overfitting(trained):
    run = trained("overfitting")
    assert run.config.training_samples == 15
    assert run.kind == "validation rising"
    assert run.last.train_loss < 0.001
    assert 2.2 < run.last.validation_loss / min(event.validation_loss for event in run.events) < 3


def test_outliers(trained):
    squared, huber = trained("outliers_mse"), trained("outliers_huber")
    split = dataset(squared.config)
    assert np.sum(split.y_train - split.x_train[:, 0] - 1 > 5) == 6
    assert len(split.y_train) == 60
    assert round(squared.state.network.weights[0].item(), 2) == 1.67
    assert round(huber.state.network.weights[0].item(), 2) == 1.08


@pytest.mark.parametrize(("key", "after"), [("pulled_mse", 1.50), ("pulled_huber", 1.12)])
def test_a_point_that_is_pulled(trained, key, after):
    run = trained(key)
    state = init(run.config)
    while state.updates < 150:
        advance(state, 1)
    assert round(state.network.weights[0].item(), 2) == 1.08
    assert round(run.state.network.weights[0].item(), 2) == after
    (line, pulled) = run.config.point_changes
    assert line.point == ((1.9,), 2.9)
    assert (pulled.update, pulled.row, pulled.point) == (150, line.row, ((1.9,), 15.0))
    assert np.abs(dataset(run.config).y_train - dataset(run.config).x_train[:, 0] - 1).max() < 0.8
    assert len(dataset(run.config).y_train) == 12
    assert run.kind == "flat"


def test_breast_cancer(trained):
    assert trained("breast_cancer").last.validation_metric >= 0.97


def test_exam(trained):
    hours = np.linspace(0, 7, 701)
    chance = predict(trained("exam").state, hours[:, None])
    assert (np.diff(chance) > 0).all()
    assert chance[0] < 0.05 < 0.95 < chance[-1]
    assert hours[np.abs(chance - 0.5).argmin()] == pytest.approx(3.5, abs=0.1)


def test_playground(trained):
    assert trained("playground").last.validation_metric > 0.99
    assert trained("playground").config.hidden == (4, 2)


def test_xor_linear(trained):
    run = trained("xor_linear")
    assert run.last.train_loss == pytest.approx(np.log(2), abs=0.02)
    assert run.last.validation_loss == pytest.approx(np.log(2), abs=0.02)


def test_zeros(trained):
    run = trained("zeros")
    assert run.last.train_metric < 0.6
    for weights in run.state.network.weights[:1]:
        assert (weights == weights[0]).all()
    assert "stay alike" in diagnose(run.events, run.config).sentence


def test_spiral(trained):
    assert trained("spiral").last.validation_metric > 0.95


def test_iris(trained):
    run = trained("iris")
    split = dataset(run.config)
    x, y = np.concatenate([split.x_train, split.x_validation]), np.concatenate([split.y_train, split.y_validation])
    chosen = predict(run.state, x).argmax(axis=1)
    wrong = chosen != y
    assert 0 < wrong.sum() < 8
    assert not wrong[y == 0].any()
    assert (chosen[wrong] != 0).all()


def test_blobs(trained):
    run = trained("blobs")
    assert measure(init(run.config)).train_loss == pytest.approx(np.log(3), abs=1e-6)
    assert run.last.train_loss < 0.1


def test_early_stopping(trained):
    run, whole = trained("early_stopping"), trained("overfitting")
    best = min(whole.events, key=lambda event: event.validation_loss)
    assert len(run.events) == best.epoch + 50 < len(whole.events)
    assert measure(run.state).validation_loss == best.validation_loss
    assert run.config.hidden == whole.config.hidden


def test_too_slow(trained):
    run, healthy = trained("too_slow"), trained("diabetes")
    assert run.kind == "too slow"
    assert run.last.train_metric < 0 < healthy.last.train_metric
    assert run.config.learning_rate == healthy.config.learning_rate / 100
    assert run.config.epochs == 200


def test_oscillating(trained):
    run = trained("oscillating")
    assert run.kind == "oscillating"
    losses = [event.train_loss for event in run.events]
    assert losses == sorted(losses, reverse=True)


def test_unscaled(trained):
    run = trained("unscaled")
    assert run.kind == "unscaled inputs"
    split = dataset(run.config)
    assert round(split.mean.max(), -2) == 900
    assert np.any(np.abs(split.mean - 0.05) < 0.01)
    guess = max(np.mean(split.y_train == 0), np.mean(split.y_train == 1))
    assert run.last.train_metric < guess + 0.03


def test_vanishing(trained):
    run = trained("vanishing")
    assert run.kind == "vanishing gradients"
    assert len(run.config.hidden) == 6
    first, *_, last = run.watch.layers()
    assert first.gradient < 1e-4 * last.gradient
    assert run.last.train_metric < 0.6


def test_exploding(trained):
    run = trained("exploding")
    assert run.kind == "exploding gradients"
    assert run.config.initialisation == "large"
    assert len(run.config.hidden) == 4


def test_dead_units(trained):
    run = trained("dead_units")
    assert run.kind == "dead units"
    assert run.last.train_metric < 0.6


def test_squared_after_sigmoid(trained):
    squared = trained("squared_after_sigmoid")
    assert squared.kind == "unsuitable loss"
    cross_entropy = list(run(replace(squared.config, loss="bce_with_logits", loss_parameters=())))
    assert squared.last.validation_metric < 0.6 < 0.8 < cross_entropy[-1].validation_metric


def test_mistakes_in_the_wiring(trained):
    right = {
        key: list(run(replace(trained(key).config, wiring="right")))[-1] for key in ("sigmoid_twice", "softmax_twice")
    }
    sigmoid = trained("sigmoid_twice")
    assert sigmoid.kind == "sigmoid twice"
    assert lowest_loss(sigmoid.state) == pytest.approx(0.49, abs=0.005)
    assert 1 - sigmoid.last.validation_metric == pytest.approx(0.1, abs=0.02)
    assert right["sigmoid_twice"].validation_metric == 1.0
    labels = trained("labels_zero_one")
    assert labels.kind == "labels 0 and 1"
    assert (predict(labels.state, labels.state.split.x_train) > 0).all()
    softmax = trained("softmax_twice")
    assert softmax.kind == "softmax twice"
    assert lowest_loss(softmax.state) == pytest.approx(1.461, abs=0.0005)
    assert 1 - softmax.last.validation_metric == pytest.approx(1 / 3, abs=0.03)
    assert right["softmax_twice"].validation_metric > 0.9


def test_small_validation(trained):
    run = trained("small_validation")
    assert run.kind == "small validation part"
    assert run.config.validation_samples == 8
    assert 100 / 8 == 12.5


def test_wine_and_digits(trained):
    assert trained("wine").last.validation_metric > 0.93
    assert len(dataset(trained("wine").config).feature_names) == 13
    assert trained("digits").last.validation_metric > 0.97
    assert trained("digits").config.sizes == (64, 32, 10)


def right_by_kind(run):
    """Whether each held-out review is right; which of them hold a negation, and which a "but"."""
    split = run.state.split
    texts = [reviews.text(row).split() for row in split.x_validation]
    right = (predict(run.state, split.x_validation) > 0.5) == (split.y_validation > 0.5)
    negated = np.array([bool({"not", "never"} & set(words)) for words in texts])
    return right, negated, np.array(["but" in words for words in texts])


def test_reviews(trained):
    run = trained("reviews")
    assert run.last.validation_metric > 0.98
    assert all(event.validation_metric > 0.98 for event in run.events[14:])
    right, negated, _ = right_by_kind(run)
    assert right[negated].mean() > 0.98
    good, bad = predict(run.state, np.stack([reviews.encode("it was not good"), reviews.encode("it was not bad")]))
    assert good < 0.5 < bad


def test_reviews_rnn(trained):
    run = trained("reviews_rnn")
    right, negated, contrast = right_by_kind(run)
    assert right[~negated & ~contrast].mean() > 0.9
    assert right[negated & ~contrast].mean() < 0.5
    assert (run.config.model, run.config.hidden) == ("rnn", (2,))
