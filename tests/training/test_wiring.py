"""Runs whose model, labels and loss are put together wrongly train as that program does, and say what is wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lossviz.training import (
    RunConfig,
    advance,
    dataset,
    decision_map,
    examine,
    init,
    lineup,
    losses_for,
    output,
    predict,
    run,
    run_race,
)
from lossviz.training.engine import ORDER_STREAM
from lossviz.training.miswired import lowest_loss
from lossviz.training.wiring import WIRINGS, wirings_for

SMALL = {"hidden": (5,), "dtype": "float64", "learning_rate": 0.1, "epochs": 12}
SOFTMAX = RunConfig(dataset="iris", wiring="softmax_twice", **SMALL)
SIGMOID = RunConfig(dataset="circle", samples=80, wiring="sigmoid_twice", **SMALL)
LABELS = replace(SIGMOID, loss="hinge", loss_parameters=(), wiring="labels_zero_one")
MARGINS = ("hinge", "squared_hinge", "modified_huber", "perceptron", "exponential", "soft_margin")
CASES = {
    "softmax": (SOFTMAX, lambda z, y: F.cross_entropy(F.softmax(z, 1), y.long())),
    "softmax, weights": (
        replace(SOFTMAX, loss_parameters={"weight": (1.0, 4.0, 0.5), "label_smoothing": 0.1}),
        lambda z, y: F.cross_entropy(
            F.softmax(z, 1), y.long(), weight=torch.tensor([1.0, 4.0, 0.5]).double(), label_smoothing=0.1
        ),
    ),
    "sigmoid": (SIGMOID, lambda z, y: F.binary_cross_entropy_with_logits(F.sigmoid(z[:, 0]), y)),
    "hinge": (LABELS, lambda z, y: (1 - y * z[:, 0]).clamp(min=0).mean()),
    "squared": (replace(LABELS, loss="squared_hinge"), lambda z, y: (1 - y * z[:, 0]).clamp(min=0).square().mean()),
    "soft_margin": (replace(LABELS, loss="soft_margin"), lambda z, y: F.soft_margin_loss(z[:, 0], y)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_mistaken_run_is_the_mistaken_program(case):
    config, loss = CASES[case]
    split = dataset(config)
    torch.manual_seed(config.seed)
    hidden = config.hidden[0]
    model = nn.Sequential(nn.Linear(config.sizes[0], hidden), nn.Tanh(), nn.Linear(hidden, config.sizes[-1])).double()
    state = init(config)  # nn.Linear draws in float32, so the weights are taken from the run
    for layer, block in zip((model[0], model[2]), state.network.blocks, strict=True):
        layer.weight.data, layer.bias.data = block[:, :-1].clone(), block[:, -1].clone()
    x, y = torch.from_numpy((split.x_train - split.mean) / split.spread), torch.tensor(split.y_train)
    optimizer = torch.optim.SGD(model.parameters(), lr=config.learning_rate)
    shuffle = torch.Generator().manual_seed(config.seed + ORDER_STREAM)
    for event in run(config):
        for rows in torch.randperm(len(x), generator=shuffle).split(config.batch_rows):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
        z = model(x).detach()
        assert event.train_loss == pytest.approx(float(loss(z, y)), rel=1e-10)
        right = z.argmax(1) == y if config.task == "multiclass" else (z[:, 0] > 0) == (y > 0.5)
        assert event.train_metric == pytest.approx(float(right.double().mean()))


def test_a_mistake_is_possible_only_where_programs_make_it():
    found = {key: set() for key in WIRINGS}
    for task in ("regression", "binary", "multiclass"):
        for loss in losses_for(task):
            for wiring in wirings_for(loss, task):
                found[wiring].add((task, loss))
    assert found["softmax_twice"] == {("multiclass", "cross_entropy")}
    assert found["sigmoid_twice"] == {("binary", "bce_with_logits")}
    assert found["labels_zero_one"] == {("binary", loss) for loss in MARGINS}
    with pytest.raises(ValueError, match="wiring is 'softmax_twice'; allowed with the loss mse: right"):
        RunConfig(loss="mse", wiring="softmax_twice")
    with pytest.raises(ValueError, match="wiring is 3; allowed with the loss bce_with_logits: right, sigmoid_twice"):
        RunConfig(wiring=3)


@pytest.mark.parametrize("config", [SOFTMAX, SIGMOID, LABELS], ids=lambda config: config.wiring)
def test_what_is_shown_is_what_the_model_says(config):
    """Not what the loss makes of it: a mistaken program reads the same probabilities and scores."""
    state = init(config)
    advance(state, 3)
    right = init(replace(config, wiring="right"))
    right.network.parameters.copy_(state.network.parameters)
    assert output(config) == output(right.config)
    x = state.split.x_validation
    np.testing.assert_array_equal(predict(state, x), predict(right, x))
    if config.sizes[0] == 2:
        bounds = (-6.0, 6.0, -6.0, 6.0)
        np.testing.assert_array_equal(decision_map(state, bounds, 9), decision_map(right, bounds, 9))


def test_mistaken_and_right_runs_race_together():
    configs = [replace(LABELS, learning_rate=0.05), replace(LABELS, wiring="right"), SIGMOID]
    configs += [replace(LABELS, loss="exponential"), replace(SIGMOID, wiring="right"), LABELS]
    for given in (configs, [replace(SOFTMAX, wiring="right"), SOFTMAX]):
        for events, config in zip(zip(*run_race(given), strict=True), given, strict=True):
            for found, alone in zip(events, run(config), strict=True):
                assert found.train_loss == pytest.approx(alone.train_loss, rel=1e-9)
                assert found.validation_loss == pytest.approx(alone.validation_loss, rel=1e-9)
                assert found.batch_loss == pytest.approx(alone.batch_loss, rel=1e-9)


def test_a_race_of_losses_keeps_a_mistake_where_it_is_possible():
    racers = lineup(LABELS, "loss", ["hinge", "bce_with_logits", "squared_hinge"])
    assert [racer.config.wiring for racer in racers] == ["labels_zero_one", "right", "labels_zero_one"]


@pytest.mark.parametrize(
    "config",
    [
        SOFTMAX,
        replace(SOFTMAX, loss_parameters={"weight": (1.0, 4.0, 0.5)}),
        replace(SOFTMAX, dataset="digits", samples=100, loss_parameters=()),
        SIGMOID,
        replace(SIGMOID, loss_parameters={"pos_weight": 3.0}),
        *(replace(LABELS, loss=loss, loss_parameters=()) for loss in MARGINS),
    ],
    ids=lambda config: f"{config.loss} {config.dataset}",
)
def test_the_bound_is_what_the_best_scores_come_near_and_none_gets_below(config):
    """Scores that are free for every training point, found by gradient descent on them."""
    state = init(config)
    bound, rows = lowest_loss(state), state.training
    scores = torch.zeros(len(rows), config.sizes[-1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.3)
    loss = torch.tensor(0.0)
    for _ in range(400):
        prediction = state.link.function(scores)
        inputs = {"prediction": prediction if prediction.shape[1] > 1 else prediction[:, 0], "target": rows.target}
        terms = state.loss.terms(inputs, state.loss_parameters)
        loss = terms.sum() / float(state.loss.denominator(inputs, state.loss_parameters, "mean"))
        assert float(loss.detach()) >= bound - 1e-12
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) == pytest.approx(bound, rel=1e-3, abs=1e-3)


def test_with_label_smoothing_and_without_a_mistake_no_bound_is_claimed():
    smoothed = init(replace(SOFTMAX, loss_parameters={"label_smoothing": 0.1}))
    assert lowest_loss(smoothed) is None
    assert lowest_loss(init(replace(SOFTMAX, wiring="right"))) is None
    event = advance(smoothed, 100)
    found = examine(smoothed, [event])
    assert found.kind == "softmax twice"
    assert "cannot fall below" not in found.sentence


def test_the_numbers_in_the_sentences_are_those_of_the_run():
    state = init(replace(SOFTMAX, dataset="digits", samples=100))
    found = examine(state, [advance(state, 100)])
    seen = torch.softmax(torch.from_numpy(predict(state, state.split.x_train)), 1).max()
    assert "at most e/(e + 9) = 0.232" in found.sentence
    assert f"that the loss sees is {seen:.3g}." in found.sentence
    assert "cannot fall below 1.461" in found.sentence
    state = init(LABELS)
    found = examine(state, [advance(state, 100)])
    zero = int((state.split.y_train == 0).sum())
    above = int((predict(state, state.split.x_train) > 0).sum())
    assert f"Each of the {zero} training points with label 0 costs 1 " in found.sentence
    assert f"{above} of 40 scores are above 0" in found.sentence
    state = init(SIGMOID)
    found = examine(state, [advance(state, 100)])
    said = predict(state, state.split.x_train)
    assert f"between {said.min():.3g} and {said.max():.3g}" in found.sentence
    assert "above e/(e + 1) = 0.731" in found.sentence


def test_a_run_that_overflowed_is_told_that():
    config = replace(LABELS, loss="exponential", learning_rate=100.0, activation="identity", hidden=(8, 8), epochs=100)
    state, events = init(config), []
    while not state.finished:
        events.append(advance(state, 1000))
    assert (examine(state, events).kind == "not finite") == (not events[-1].finite)
