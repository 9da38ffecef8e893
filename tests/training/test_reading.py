"""Runs on texts: the same numbers as PyTorch's layers and optimizers, and all that a run can be asked."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lossviz.datasets import reviews
from lossviz.landscape import plane_surface, random_plane, training_losses
from lossviz.training import (
    Race,
    RunConfig,
    UpdateWatch,
    activations,
    advance,
    dataset,
    examine,
    gradient_shares,
    hardest,
    init,
    layer_names,
    measure,
    output,
    parameter_count,
    predict,
    restore,
    run,
    sample_gradient_norms,
    sample_losses,
    snapshot,
    text_losses,
    walk,
    word_by_word,
)
from lossviz.training.engine import ORDER_STREAM
from tests.models.test_recurrent import Textbook

BASE = RunConfig(
    dataset="reviews", samples=90, hidden=(5,), embedding=4, dtype="float64", batch_size=8, epochs=5, seed=3
)
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.3),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.02),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.02, weight_decay=0.01),
}


def trained(config):
    state, events = init(config), []
    while not state.finished:
        event = advance(state, config.updates_per_epoch)
        events.append(event)
    return state, events


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_whole_run_equals_pytorchs_layers_and_optimizers(model, optimizer):
    config = replace(BASE, model=model, optimizer=optimizer, learning_rate=0.3 if optimizer == "sgd" else 0.02)
    state, events = trained(config)
    split = dataset(config)
    x, vx = (
        torch.cat([torch.from_numpy(part.copy()), torch.ones(len(part), 1)], 1)
        for part in (split.x_train, split.x_validation)
    )
    y, vy = (torch.from_numpy(part.copy()) for part in (split.y_train, split.y_validation))
    torch.set_default_dtype(torch.float64)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        module = Textbook(len(reviews.vocabulary()), 4, 5, model)
    torch.set_default_dtype(torch.float32)
    rule = OPTIMIZERS[optimizer](module.parameters())
    order = torch.Generator().manual_seed(config.seed + ORDER_STREAM)
    loss = nn.BCEWithLogitsLoss()
    for event in events:
        for rows in torch.randperm(len(x), generator=order).split(config.batch_rows):
            rule.zero_grad()
            loss(module(x[rows])[:, 0], y[rows]).backward()
            rule.step()
        with torch.no_grad():
            assert event.train_loss == pytest.approx(loss(module(x)[:, 0], y).item(), rel=1e-9)
            found = module(vx)[:, 0]
            assert event.validation_loss == pytest.approx(loss(found, vy).item(), rel=1e-9)
            assert event.validation_metric == pytest.approx(((found > 0) == (vy > 0)).double().mean().item())
    for name, tensor in state.network.split(state.network.parameters).items():
        torch.testing.assert_close(tensor, module.state_dict()[name], rtol=1e-9, atol=1e-9)


def test_settings_that_texts_do_not_have_are_refused_with_the_reason():
    for fields, reason in (
        ({"standardise": True}, "standardise is True; Short reviews are texts, so only False is allowed: the features"),
        ({"activation": "relu"}, "only 'tanh' is allowed"),
        ({"batch_norm": True}, "without batch normalisation"),
        ({"dropout": 0.1}, "dropout is 0.1; .* without dropout"),
        ({"model": "dense"}, "model is 'dense'; Short reviews are texts, so rnn or lstm is allowed"),
        ({"hidden": (4, 2)}, r"hidden is \(4, 2\); one number, the units of the recurrent layer, from 1 to 32"),
        ({"hidden": ()}, r"hidden is \(\); one number"),
        ({"hidden": (33,)}, r"hidden\[0\] is 33; a whole number from 1 to 32"),
        ({"embedding": 0}, "embedding is 0; a whole number from 1 to 32"),
        ({"embedding": 33}, "embedding is 33"),
    ):
        with pytest.raises(ValueError, match=reason):
            replace(BASE, **fields)
    plain = RunConfig(dataset="reviews")
    assert (plain.model, plain.hidden, plain.embedding, plain.standardise) == ("lstm", (8,), 8, False)
    assert (RunConfig().model, RunConfig().hidden, RunConfig().embedding, RunConfig().standardise) == (
        *("dense", (4, 2), 0),
        True,
    )
    assert RunConfig.from_dict(json.loads(json.dumps(BASE.to_dict()))) == BASE
    for model in ("rnn", "lstm"):
        config = replace(BASE, model=model)
        assert parameter_count(config) == init(config).network.parameters.numel()


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_run_repeats_bit_for_bit_and_goes_on_from_a_snapshot(model):
    config = replace(BASE, model=model, dtype="float32", l1=0.001, l2=0.01, clip="norm", clip_at=0.5, optimizer="adam")
    state, events = trained(config)
    assert [*run(config)] == events
    again = init(config)
    advance(again, 4)
    advance(again, 1)
    saved = snapshot(again)
    other, seen = restore(config, saved), []
    while not other.finished:
        seen.append(advance(other, 1))
    assert [event for event in seen if event] == events
    assert torch.equal(other.network.parameters, state.network.parameters)
    assert not state.network.split(state.network.parameters)["embedding.weight"][0].any()


def test_penalties_act_on_weights_alone():
    state = init(replace(BASE, l2=0.5))
    mask = state.network.split(state.network.weight_mask)
    assert {name: bool(part.all()) for name, part in mask.items()} == {name: "bias" not in name for name in mask}
    assert not any(part.any() for name, part in mask.items() if "bias" in name)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
@pytest.mark.parametrize("loss", ["bce_with_logits", "hinge", "mse"])
def test_the_gradient_of_each_text_is_autograds(model, loss):
    config = replace(BASE, model=model, loss=loss, loss_parameters=(), batch_size=None, epochs=2)
    state, _ = trained(config)
    norms = sample_gradient_norms(state)
    assert gradient_shares(state).sum() == pytest.approx(1.0)
    network, rows = state.network, state.training
    for number in (0, 7, 33):
        one, space = rows.slice(number, number + 1), network.workspace(1)
        state.link.forward(network.forward(one.x, space), one.prediction)
        slope = state.loss.derivatives(one.inputs, state.loss_parameters)["prediction"] / len(rows)
        delta = state.link.backward(slope.view(1, 1), one.prediction)
        network.backward(one.x, delta, space)
        assert norms[number] == pytest.approx(float(network.gradient.norm()), rel=1e-9)
    assert np.mean(sample_losses(state)) == pytest.approx(measure(state).train_loss, rel=1e-12)
    assert len(hardest(state, 3)[0].features) == reviews.LENGTH


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_layers_are_told_apart(model):
    config = replace(BASE, model=model)
    watch = UpdateWatch(init(config))
    network = watch.state.network
    before = network.split(network.parameters.clone())
    watch.advance(1)
    names = layer_names(config)
    assert names == ("Embedding", {"rnn": "Simple RNN", "lstm": "LSTM"}[model], "Output layer")
    slopes, now = network.split(network.gradient), network.split(network.parameters)
    parts = {"Embedding": "embedding", names[1]: "recurrent", "Output layer": "output"}
    for layer in watch.layers():
        own = [name for name in slopes if name.startswith(parts[layer.name])]
        assert len(own) == {"embedding": 1, "recurrent": 4, "output": 2}[parts[layer.name]]
        for kind, found in (("weight", layer.weights), ("bias", layer.biases)):
            assert found == pytest.approx(math.hypot(*(float(slopes[name].norm()) for name in own if kind in name)))
        way = math.hypot(*(float((now[name] - before[name]).norm()) for name in own))
        assert layer.ratio == pytest.approx(way / math.hypot(*(float(before[name].norm()) for name in own)))
    words, states = activations(watch.state)
    assert words.counts.sum() == 4 * np.count_nonzero(watch.state.split.x_train)
    assert states.counts.sum() == 5 * config.training_samples
    assert (states.low, states.high, states.saturated is None) == (-1.0, 1.0, model == "lstm")


def test_a_text_is_read_word_by_word():
    state, _ = trained(replace(BASE, optimizer="adam", learning_rate=0.02))
    split = state.split
    x = split.x_validation[:6]
    found = word_by_word(state, x)
    assert np.array_equal(np.isnan(found), x == 0)
    assert found[:, -1] == pytest.approx(predict(state, x), rel=1e-12)
    # What it says after a word is what it says of a text that ends there.
    for row in range(6):
        for place in range(10):
            if x[row, place] == 0:
                continue
            cut = np.concatenate([np.zeros(9 - place), x[row, : place + 1]])
            assert found[row, place] == pytest.approx(predict(state, cut[None])[0], rel=1e-9)
    losses = text_losses(state, split.x_validation, split.y_validation)
    assert losses.mean() == pytest.approx(measure(state).validation_loss, rel=1e-9)
    p = predict(state, split.x_validation)
    assert losses == pytest.approx(-np.log(np.where(split.y_validation > 0, p, 1 - p)), rel=1e-9)
    assert output(replace(BASE, loss="hinge", loss_parameters=())) == "score"


def test_what_is_no_text_is_refused():
    state = init(BASE)
    for row, part in (
        ([0] * 9 + [51], "x holds 51; numbers of words, whole and from 0 to 50"),
        ([0] * 9 + [1.5], "x holds 1.5"),
        ([0] * 9 + [-1], "x holds -1"),
        ([0] * 8 + [1, 0], "behind a word"),
        ([1] * 9, r"x has shape \(1, 9\); \(rows, 10\)"),
    ):
        for ask in (predict, word_by_word):
            with pytest.raises(ValueError, match=part):
                ask(state, np.array([row], dtype=np.float64))
    with pytest.raises(ValueError, match="only a recurrent one reads word by word"):
        word_by_word(init(RunConfig()), np.zeros((1, 2)))


def test_what_needs_another_network_says_so():
    state = init(BASE)
    for ask in (walk, random_plane, lambda state: training_losses(state, np.zeros((1, parameter_count(BASE))))):
        with pytest.raises(ValueError, match="trains a recurrent network"):
            ask(state)
    plane = random_plane(init(RunConfig()))
    with pytest.raises(ValueError, match="plane has 25 parameters"):
        plane_surface(state, plane, (-1, 1), (-1, 1), 3)


def test_recurrent_racers_run_side_by_side():
    configs = [
        replace(BASE, learning_rate=0.3),
        replace(BASE, learning_rate=0.1),
        replace(BASE, model="rnn", epochs=3),
        replace(BASE, hidden=(2,), loss="hinge", loss_parameters=(), patience=1, epochs=9),
    ]
    race = Race(configs)
    assert len(race.groups) == 4
    while not race.finished:
        race.epoch()
    assert race.events == [[*run(config)] for config in configs]
    assert race.epoch() == [None] * 4


def test_texts_are_examined_as_texts():
    """Numbers of words are neither large inputs nor points with neighbours."""
    small = replace(BASE, samples=60, optimizer="sgd", learning_rate=1e-3, epochs=25)
    state, events = trained(small)
    assert examine(state, events).kind in {"flat", "too slow"}
    zeros = replace(small, initialisation="zeros")
    state, events = trained(zeros)
    assert examine(state, events).change == {"initialisation": "default"}
    large = replace(small, model="rnn", hidden=(16,), initialisation="large", learning_rate=0.1, epochs=12)
    state, events = trained(large)
    found = examine(state, events)
    assert found.kind == "exploding gradients"
    assert replace(large, **found.change).initialisation == "default"
