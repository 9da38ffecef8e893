"""Each update rule equals torch.optim over many updates, with a learning rate that changes on the way."""

import pytest
import torch

from lossviz import optimizers

KEYS = optimizers.keys()
TORCH = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1),
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
        rule.update(ours, gradient, slots, rate, 0.8, count)
        torch.testing.assert_close(ours, leaf.detach(), rtol=1e-12, atol=1e-12)


def test_only_momentum_uses_momentum():
    assert [key for key in KEYS if optimizers.get(key).uses_momentum] == ["momentum", "nesterov"]


def test_unknown_key_names_the_nearest():
    with pytest.raises(KeyError, match="adam"):
        optimizers.get("adan")
