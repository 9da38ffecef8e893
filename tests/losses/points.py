"""Random legal points of a loss, drawn from what it declares."""

from typing import Any

import torch
from torch import Tensor

from lossviz.losses.base import Input, Loss, Parameter

REACH = 5.0


def draw_input(item: Input, samples: int, classes: int, generator: torch.Generator) -> Tensor:
    """Numbers of an input's domain in float64 (class indices int64), shaped (samples,) or (samples, classes)."""
    shape = (samples, classes) if item.shape == ("n", "k") else (samples,)
    domain = item.domain
    if domain.kind == "index":
        return torch.randint(classes, shape, generator=generator)
    if domain.kind == "labels":
        chosen = torch.randint(len(domain.values), shape, generator=generator)
        return torch.tensor(domain.values, dtype=torch.float64)[chosen]
    if domain.kind == "interval":
        share = torch.rand(shape, generator=generator, dtype=torch.float64)
        return domain.low + (domain.high - domain.low) * (0.02 + 0.96 * share)
    normal = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    if domain.kind == "simplex":
        return torch.softmax(normal, -1)
    if domain.kind == "log_probability":
        return torch.log_softmax(normal, -1)
    return normal


def draw_parameter(parameter: Parameter, classes: int, generator: torch.Generator) -> Any:
    """A legal value, not too near the ends; class weights are None at times."""
    share = torch.rand(classes, generator=generator, dtype=torch.float64)
    high = min(parameter.high, parameter.low + REACH)
    values = (parameter.low + (high - parameter.low) * (0.05 + 0.9 * share)).tolist()
    if parameter.kind == "number":
        return values[0]
    return None if values[0] < high / 3 else tuple(values)


def draw(loss: Loss, seed: int, samples: int = 5, classes: int = 3) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Inputs and checked parameters of a loss; the same seed gives the same point."""
    generator = torch.Generator().manual_seed(seed)
    inputs = {item.name: draw_input(item, samples, classes, generator) for item in loss.inputs}
    given = {parameter.name: draw_parameter(parameter, classes, generator) for parameter in loss.parameters}
    return inputs, loss.check_parameters(given)
