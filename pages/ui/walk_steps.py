"""What the walk through one update shows in each phase: the drawing and the tables, with the core's numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossviz import losses
from lossviz.training import LayerWalk, RunConfig, Walk, advance, init, parameter_count, walk
from lossviz.training.remembered import remembered
from pages.ui.tables import Table
from pages.ui.walk_drawing import Column, Unit, short

MOST_PARAMETERS = 25
MOST_INPUTS = 4
MOST_ROWS = 12


def too_large(config: RunConfig) -> str:
    """Why this run is not walked through, or nothing if it is."""
    if config.recurrent:
        return (
            f"This run trains a recurrent network of {parameter_count(config):,} weights and biases, each of which "
            "takes part in every word. The walk shows every one of them, so it takes small fully connected networks."
        )
    if not config.plain:
        return (
            "This run has dropout, batch normalisation, a penalty or clipping. "
            "The walk shows updates without them: forward, loss, backward, update."
        )
    inputs, count = config.sizes[0], parameter_count(config)
    if inputs <= MOST_INPUTS and count <= MOST_PARAMETERS:
        return ""
    return (
        f"This network has {inputs} {'input' if inputs == 1 else 'inputs'} and {count:,} weights and biases. "
        f"The walk shows every one of them, so it takes networks with at most {MOST_INPUTS} inputs and "
        f"{MOST_PARAMETERS} weights and biases."
    )


@remembered(64)
def walk_of_update(config: RunConfig, number: int) -> Walk | str:
    """The update of this number, from 1, in four phases; or why the run does not come that far."""
    state = init(config)
    while state.updates < number - 1 and not state.finished:
        advance(state, number - 1 - state.updates)
    if state.finished:
        return f"The run ended after {state.updates:,} updates. {state.reason}"
    return walk(state)


def number_text(value: float) -> str:
    """A number with six digits and a true minus sign."""
    return f"{value:.6g}".replace("-", "−")


def factor(value: float) -> str:
    """The same, in brackets where it is negative."""
    return f"({number_text(value)})" if value < 0 else number_text(value)


def sample_row(found: Walk, sample: int) -> int:
    """The place in the batch of the sample that is followed; the last batch of an epoch may be smaller."""
    return min(sample, len(found.inputs)) - 1


def drawing(config: RunConfig, found: Walk, phase: str, sample: int) -> tuple[tuple[Column, ...], str]:
    """The network in one phase: its columns and a sentence for those who do not see them."""
    row = sample_row(found, sample)
    data = config.data
    backward, after = phase == "backward", phase == "update"
    columns = [
        Column(
            "Inputs",
            tuple(Unit(name, short(value)) for name, value in zip(data.feature_names, found.inputs[row], strict=True)),
        )
    ]
    for index, layer in enumerate(found.layers):
        own = [item for item in found.parameters if item.layer == index + 1]
        name = "gradient" if backward else ("after" if after else "before")
        units = layer.sums.shape[1]
        edges = tuple(
            tuple(getattr(item, name) for item in own if item.unit == unit and item.source)
            for unit in range(1, units + 1)
        )
        biases = [getattr(item, name) for item in own if item.source is None]
        last = index == len(found.layers) - 1
        columns.append(
            Column(
                "Output" if last else f"Hidden layer {index + 1}",
                tuple(
                    Unit(
                        _unit_title(data.classes if last and units > 1 else (), unit, last),
                        short((layer.deltas if backward else layer.activations)[row, unit]),
                        f"bias {short(biases[unit])}",
                    )
                    for unit in range(units)
                ),
                edges,
                lit=backward or phase == "forward" or last,
            )
        )
    shown = {
        "forward": "activations in the circles, weights on the connections",
        "loss": "activations in the circles, weights on the connections",
        "backward": "slopes of the loss in the circles, gradients on the connections",
        "update": "activations from before the update in the circles, new weights on the connections",
    }[phase]
    sizes = " to ".join(map(str, config.sizes))
    return tuple(columns), f"Network with {sizes} units: {shown}. The tables below hold the numbers."


def _unit_title(classes: Sequence[str], unit: int, last: bool) -> str:
    if classes:
        return classes[unit]
    return "prediction" if last else f"unit {unit + 1}"


def forward_table(config: RunConfig, found: Walk, sample: int) -> Table:
    """Each unit's weighted sum and activation for one sample."""
    row = sample_row(found, sample)
    lines = []
    for index, layer in enumerate(found.layers):
        for unit in range(layer.sums.shape[1]):
            own = [item for item in found.parameters if (item.layer, item.unit) == (index + 1, unit + 1)]
            products = [
                f"{factor(item.before)} × {factor(layer.inputs[row, item.source - 1])}" for item in own if item.source
            ]
            bias = next(item.before for item in own if item.source is None)
            lines.append(
                (
                    unit_name(config, layer, unit),
                    f"{' + '.join(products)} + {factor(bias)} = {number_text(layer.sums[row, unit])}",
                    number_text(layer.activations[row, unit]),
                )
            )
    return ("Unit", "Weighted sum z: each weight × its input, plus the bias", "Activation a"), lines


def unit_name(config: RunConfig, layer: LayerWalk, unit: int) -> str:
    """How the tables call a unit."""
    name = layer.name[0].upper() + layer.name[1:]
    units = layer.sums.shape[1]
    if units == 1:
        return name
    classes = config.data.classes
    return f"{name}, {classes[unit]}" if layer.name == "output layer" else f"{name}, unit {unit + 1}"


def loss_table(found: Walk) -> Table:
    """Prediction, target, term and slope of each sample of the batch."""
    lines = [
        (
            str(row + 1),
            _numbers(found.prediction[row]),
            _numbers(found.targets[row]),
            _numbers(found.terms[row]),
            _numbers(found.slope[row]),
        )
        for row in range(min(len(found.inputs), MOST_ROWS))
    ]
    return ("Sample", "Prediction", "Target", "Loss term", "Slope of the loss along the prediction"), lines


def loss_sum(config: RunConfig, found: Walk) -> str:
    """How the terms become the loss of the batch."""
    divisor = losses.get(config.loss_key).reduction("mean").divisor
    if divisor == "elements":
        what = "the number of terms"
    elif callable(divisor) and config.parameters["weight"] is not None:
        what = "the weights of the targets' classes"
    else:
        what = "the number of samples"
    total = number_text(float(np.sum(found.terms, dtype=np.float64)))
    return f"{total} ÷ {number_text(found.denominator)} ({what}) = **{number_text(found.loss)}**"


def slope_table(config: RunConfig, found: Walk, sample: int) -> Table:
    """The slope of the loss at each unit's weighted sum for one sample, from the output back to the input."""
    row = sample_row(found, sample)
    lines = []
    for index, layer in reversed(list(enumerate(found.layers))):
        for unit in range(layer.sums.shape[1]):
            worked = _slope_worked(found, index, row, unit)
            lines.append((unit_name(config, layer, unit), worked, number_text(layer.deltas[row, unit])))
    return ("Unit", "Worked", "Slope of the loss at z"), lines


def _slope_worked(found: Walk, index: int, row: int, unit: int) -> str:
    layer = found.layers[index]
    if index == len(found.layers) - 1:
        if layer.slope == "by softmax":
            return "the slopes along the log-probabilities, carried back through the softmax"
        arriving = factor(np.atleast_1d(found.slope[row])[unit])
    else:
        above = found.layers[index + 1].deltas[row]
        weights = [item for item in found.parameters if item.layer == index + 2 and item.source == unit + 1]
        products = " + ".join(f"{factor(above[item.unit - 1])} × {factor(item.before)}" for item in weights)
        arriving = f"({products})" if len(weights) > 1 else products
    if layer.slope == "1":
        return arriving.removeprefix("(").removesuffix(")")
    if layer.slope.startswith("1 if"):  # the slope of relu is a step
        own = "1" if layer.sums[row, unit] > 0 else "0"
    else:
        symbol = "p" if "p" in layer.slope else "a"
        own = f"({layer.slope.replace(symbol, factor(layer.activations[row, unit]))})"
    return f"{arriving} × {own}"


def backward_table(found: Walk, layer: int) -> Table:
    """The gradient of each parameter of a layer (from 1), by the chain rule and by autograd."""
    lines = [
        (item.name, item.chain, number_text(item.gradient), number_text(item.autograd))
        for item in found.parameters
        if item.layer == layer
    ]
    return ("Parameter", "Sum over the samples: slope at z × what flows in", "Gradient", "PyTorch's autograd"), lines


def update_table(found: Walk, layer: int) -> Table:
    """Each parameter of a layer (from 1) before and after."""
    lines = [
        (item.name, number_text(item.before), number_text(item.gradient), item.update, number_text(item.after))
        for item in found.parameters
        if item.layer == layer
    ]
    return ("Parameter", "Before", "Gradient", "Update", "After"), lines


def autograd_gap(found: Walk) -> float:
    """Largest distance between the chain rule and autograd, relative to the largest gradient."""
    largest = max(max(abs(item.autograd) for item in found.parameters), 1e-300)
    return max(abs(item.gradient - item.autograd) for item in found.parameters) / largest


def _numbers(value: object) -> str:
    row = np.atleast_1d(np.asarray(value))
    if row.dtype.kind in "iu":
        return ", ".join(str(int(item)) for item in row)
    return ", ".join(number_text(float(item)) for item in row)
