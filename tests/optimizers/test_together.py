"""One formula for several optimizers gives what each of their rules gives alone."""

import pytest
import torch

from lossviz import optimizers
from lossviz.optimizers import Settings, Together
from lossviz.optimizers.together import CASES

UNUSUAL = Settings(momentum=0.7, decay=0.8, beta1=0.6, beta2=0.95, weight_decay=0.3)
MIXES = {
    "all": [(key, Settings()) for key in optimizers.keys()],  # noqa: SIM118 - a function
    "all, with settings of their own": [(key, UNUSUAL) for key in optimizers.keys()],  # noqa: SIM118
    "velocities alone": [("sgd", Settings()), ("momentum", Settings()), ("momentum", UNUSUAL)],
    "looking ahead": [("nesterov", Settings()), ("sgd", Settings())],
    "one rule with two settings": [("adamw", Settings()), ("adamw", UNUSUAL)],
    "the same for all": [("adam", UNUSUAL), ("adam", UNUSUAL)],
}  # fmt: skip


@pytest.mark.parametrize("name", MIXES)
def test_every_run_moves_as_its_own_rule_moves_it(name):
    rules = [(optimizers.get(key), settings) for key, settings in MIXES[name]]
    noise = torch.Generator().manual_seed(1)
    parameters = torch.randn(len(rules), 5, dtype=torch.float64, generator=noise)
    gradient = torch.zeros_like(parameters)
    alone = [row.clone() for row in parameters]
    slots = [rule.start(row) for (rule, _), row in zip(rules, alone, strict=True)]
    together, made = Together(rules, parameters, gradient), 0
    for updates, once in ((3, False), (4, True), (20, False)):
        rates = 0.1 * torch.rand(1 if once else updates, len(rules), dtype=torch.float64, generator=noise)
        together.plan(rates, updates, made)
        for number in range(updates):
            gradient.copy_(torch.randn(gradient.shape, dtype=torch.float64, generator=noise))
            together.update(number)
            made += 1
            for run, (rule, settings) in enumerate(rules):
                rate = float(rates[0 if once else number, run])
                rule.update(alone[run], gradient[run], slots[run], rate, settings, made)
            torch.testing.assert_close(parameters, torch.stack(alone), rtol=1e-12, atol=1e-13)


def test_every_optimizer_is_a_case_of_the_formula():
    assert set(CASES) == set(optimizers.keys())
