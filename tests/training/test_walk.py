"""The walk shows the true numbers of the next update and leaves the run alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lossviz import datasets, losses, optimizers
from lossviz.models import ACTIVATIONS
from lossviz.training import CLASSIC, PLAYGROUND, Intervention, RunConfig, advance, init, losses_for, step, walk

KEYS = datasets.keys()


def cases():
    for task, data in (("regression", "sine"), ("binary", "moons"), ("multiclass", "iris")):
        for loss in losses_for(task):
            yield RunConfig(dataset=data, loss=loss, dtype="float64", hidden=(4, 3))
    for activation in ACTIVATIONS:
        for optimizer in optimizers.keys():  # noqa: SIM118 - a function, not a dict
            yield RunConfig(activation=activation, optimizer=optimizer, dtype="float64", learning_rate=0.01)


@pytest.mark.parametrize("config", list(cases()), ids=lambda c: f"{c.loss}-{c.activation}-{c.optimizer}")
@pytest.mark.parametrize("updates", [0, 3, 30])
def test_numbers_are_those_of_the_next_update(config, updates):
    state = init(config)
    for _ in range(updates):
        step(state)
    shown = walk(state)
    before = state.network.parameters.clone()
    np.testing.assert_array_equal([p.before for p in shown.parameters], before)
    np.testing.assert_allclose(
        [p.gradient for p in shown.parameters], [p.autograd for p in shown.parameters], rtol=1e-12, atol=1e-12
    )
    for number, layer in enumerate(shown.layers):
        block = state.network.blocks[number].numpy()
        np.testing.assert_allclose(layer.sums, layer.inputs @ block[:, :-1].T + block[:, -1], rtol=1e-12, atol=1e-12)
        gradients = {(p.unit, p.source): p.gradient for p in shown.parameters if p.layer == number + 1}
        for (unit, source), gradient in gradients.items():
            below = 1.0 if source is None else layer.inputs[:, source - 1]
            assert gradient == pytest.approx(float((layer.deltas[:, unit - 1] * below).sum()), rel=1e-12, abs=1e-12)
    assert shown.loss == pytest.approx(shown.terms.sum() / shown.denominator, rel=1e-12)
    step(state)
    assert shown.number == state.updates == updates + 1
    assert shown.loss == pytest.approx(state.last_batch_loss(), rel=1e-12)
    np.testing.assert_array_equal([p.after for p in shown.parameters], state.network.parameters)
    # A step function gives no gradient, so nothing is learnt from it.
    assert torch.equal(before, state.network.parameters) == ("no_gradient" in losses.get(config.loss).properties)


def test_names_follow_the_layers():
    shown = walk(init(replace(PLAYGROUND, hidden=(2,))))
    assert [p.name for p in shown.parameters] == [
        "w1[1,1]", "w1[1,2]", "b1[1]", "w1[2,1]", "w1[2,2]", "b1[2]", "w2[1,1]", "w2[1,2]", "b2[1]",
    ]  # fmt: skip
    assert [layer.name for layer in shown.layers] == ["hidden layer 1", "output layer"]
    assert [layer.name for layer in walk(init(CLASSIC)).layers] == ["output layer"]


def test_the_classic_first_update_in_words():
    weight, bias = walk(init(CLASSIC)).parameters
    assert weight.chain == "(−1) × 1 + (−2) × 2 + (−3) × 3 + 1 more = −30"
    assert bias.chain == "(−1) + (−2) + (−3) + 1 more = −10"
    assert weight.update == "0 − 0.01 × (−30) = 0.3"
    assert bias.update == "0 − 0.01 × (−10) = 0.1"
    assert "30" in walk(init(CLASSIC)).loss_text
    adam = walk(init(replace(CLASSIC, optimizer="adam"))).parameters[0]
    assert adam.update == "0 + 0.01 = 0.01"


def test_the_run_is_not_moved():
    state, other = init(PLAYGROUND), init(PLAYGROUND)
    for _ in range(30):
        walk(state)
        assert advance(state, 3) == advance(other, 3)
    np.testing.assert_array_equal(state.network.parameters, other.network.parameters)


def test_an_intervention_before_the_next_update_counts():
    state = init(replace(CLASSIC, interventions=(Intervention(0, value=0.5),)))
    assert walk(state).learning_rate == 0.5
    assert walk(state).parameters[0].after == 15.0


def test_a_finished_run_has_no_next_update():
    state = init(replace(CLASSIC, epochs=1))
    step(state)
    with pytest.raises(ValueError, match="the run is finished"):
        walk(state)


def test_a_network_too_large_to_look_over_is_refused():
    with pytest.raises(ValueError, match="the model has 4417 parameters; a walk shows at most 500"):
        walk(init(RunConfig(hidden=(64, 64))))


def test_every_data_set_can_be_walked():
    for key in KEYS:
        if datasets.get(key).vocabulary:
            with pytest.raises(ValueError, match="trains a recurrent network"):
                walk(init(RunConfig(dataset=key)))
            continue
        shown = walk(init(RunConfig(dataset=key, hidden=(3,))))
        assert shown.layers[-1].activations.shape[0] == len(shown.inputs) == len(shown.targets)
