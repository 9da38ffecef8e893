"""Random legal points of a loss, drawn from what it declares."""

from typing import Any

import torch
from torch import Tensor

from lossviz.losses.base import Input, Loss, Parameter

REACH = 5.0
SIZES = {"d": 2, "c": 4, "h": 4, "w": 3, "t": 6, "l": 2}


def draw_input(item: Input, sizes: dict[str, int], generator: torch.Generator) -> Tensor:
    """Numbers of an input's domain in float64 (class indices int64)."""
    shape = tuple(sizes[axis] for axis in item.shape if axis != "...")
    domain = item.domain
    if domain.kind == "index":
        return torch.randint(max(0, int(max(domain.low, 0))), sizes["k"], shape, generator=generator)
    if domain.kind == "labels":
        chosen = torch.randint(len(domain.values), shape, generator=generator)
        return torch.tensor(domain.values, dtype=torch.float64)[chosen]
    share = torch.rand(shape, generator=generator, dtype=torch.float64)
    if domain.kind == "interval":
        # Where an end is missing the numbers reach as far as those of a standard exponential do.
        if domain.high == float("inf"):
            return domain.low - torch.log1p(-0.98 * share) + 0.02
        if domain.low == -float("inf"):
            return domain.high + torch.log1p(-0.98 * share) - 0.02
        return domain.low + (domain.high - domain.low) * (0.02 + 0.96 * share)
    if domain.kind == "box":
        corner = 8 * share[..., :2]
        return torch.cat([corner, corner + 0.5 + 4 * share[..., 2:]], -1)
    normal = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    if domain.kind == "simplex":
        return torch.softmax(normal, -1)
    if domain.kind == "log_probability":
        return torch.log_softmax(normal, -1)
    return normal


def draw_parameter(parameter: Parameter, classes: int, generator: torch.Generator) -> Any:
    """A legal value, not too near the ends; class weights are None at times."""
    share = torch.rand(classes, generator=generator, dtype=torch.float64)
    if parameter.kind == "flag":
        return bool(share[0] > 0.5)
    if parameter.kind == "choice":
        return list(parameter.options)[int(share[0] * len(parameter.options))]
    high = min(parameter.high, parameter.low + REACH)
    values = (parameter.low + (high - parameter.low) * (0.05 + 0.9 * share)).tolist()
    if parameter.kind == "number":
        return values[0]
    return None if values[0] < high / 3 else tuple(values)


def draw(loss: Loss, seed: int, samples: int = 5, classes: int = 3) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Inputs and checked parameters of a loss; the same seed gives the same point."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {**SIZES, "n": max(samples, loss.board.min_samples), "k": classes}
    inputs = {item.name: draw_input(item, sizes, generator) for item in loss.inputs}
    given = {parameter.name: draw_parameter(parameter, classes, generator) for parameter in loss.parameters}
    return inputs, loss.check_parameters(given)


def arguments(loss: Loss, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """Prediction and target as lossviz's functions take them: mappings by name, None where there is no target."""
    named = [
        {item.name: inputs[item.name].numpy() for item in items} or None for items in (loss.predictions, loss.targets)
    ]
    return named[0], named[1]


def example(loss: Loss) -> tuple[Any, Any]:
    """Prediction and target of the starting board, likewise."""
    return board_arguments(loss, loss.board.example())


def board_arguments(loss: Loss, state: dict[str, Tensor]) -> tuple[Any, Any]:
    """Prediction and target of a board's state, likewise."""
    named = [
        {item.name: state[item.name].numpy() for item in loss.board.variables if item.role == role} or None
        for role in ("prediction", "target")
    ]
    return named[0], named[1]
