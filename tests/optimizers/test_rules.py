"""Each update rule equals torch.optim over many updates, with a learning rate that changes on the way."""

from dataclasses import fields, replace

import pytest
import torch

from lossviz import optimizers

KEYS = optimizers.keys()
TORCH = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.95),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.99)),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.8, 0.99), weight_decay=0.2),
}
OWN = optimizers.Settings(momentum=0.8, decay=0.95, beta1=0.8, beta2=0.99, weight_decay=0.2)
STANDARD = {
    "rmsprop": (torch.optim.RMSprop, {"decay": "alpha"}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": "weight_decay"}),
}


@pytest.mark.parametrize("key", KEYS)
def test_equals_torch_optim(key):
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(20, dtype=torch.float64, generator=generator)
    leaf = ours.clone().requires_grad_()
    reference = TORCH[key]([leaf])
    rule = optimizers.get(key)
    slots = rule.start(ours)
    assert tuple(slots) == rule.slots
    for count in range(1, 301):
        rate = 0.1 if count < 100 else 0.003 if count < 200 else 0.03
        gradient = torch.randn(20, dtype=torch.float64, generator=generator)
        reference.param_groups[0]["lr"] = rate
        leaf.grad = gradient.clone()
        reference.step()
        rule.update(ours, gradient, slots, rate, OWN, count)
        torch.testing.assert_close(ours, leaf.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("key", STANDARD)
def test_settings_begin_where_torch_begins(key):
    optimizer, names = STANDARD[key]
    standard = optimizer([torch.zeros(1, requires_grad=True)]).defaults
    usual = optimizers.Settings()
    for name, theirs in names.items():
        assert getattr(usual, name) == standard[theirs]
    if "betas" in standard:
        assert (usual.beta1, usual.beta2) == standard["betas"]


@pytest.mark.parametrize("key", KEYS)
def test_a_rule_uses_the_settings_that_it_names_and_no_others(key):
    rule = optimizers.get(key)

    def moved(settings):
        parameters, slots = torch.ones(3), rule.start(torch.ones(3))
        for count in range(1, 4):
            rule.update(parameters, torch.tensor([1.0, -2.0, 0.5 * count]), slots, 0.1, settings, count)
        return parameters.tolist()

    usual = optimizers.Settings()
    for field in fields(usual):
        changed = replace(usual, **{field.name: 0.3})
        assert (moved(changed) != moved(usual)) == (field.name in rule.settings), field.name


@pytest.mark.parametrize("key", KEYS)
def test_several_runs_in_step_move_as_each_alone(key):
    generator = torch.Generator().manual_seed(1)
    rule, rates = optimizers.get(key), [0.1, 0.02, 0.5]
    together = torch.randn(3, 8, dtype=torch.float64, generator=generator)
    alone = [row.clone() for row in together]
    slots, own = rule.start(together), [rule.start(row) for row in alone]
    for count in range(1, 51):
        gradient = torch.randn(3, 8, dtype=torch.float64, generator=generator)
        rule.update(together, gradient, slots, torch.tensor(rates, dtype=torch.float64)[:, None], OWN, count)
        for run, row in enumerate(alone):
            rule.update(row, gradient[run], own[run], rates[run], OWN, count)
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-13, atol=1e-13)


def test_unknown_key_names_the_nearest():
    with pytest.raises(KeyError, match="adam"):
        optimizers.get("adan")
