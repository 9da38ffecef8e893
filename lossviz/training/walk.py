"""One update, taken apart: forward, loss, backward, update, with every number on the way.

The walk computes the next update of a run without changing the run. Its gradients are the chain rule's, written
out; autograd's stand beside them as a check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from lossviz.datasets.base import Array
from lossviz.training.engine import RunState
from lossviz.training.model import dense
from lossviz.training.snapshot import restore, snapshot

#: A walk names every parameter, so it is for networks that a reader can look over.
WALK_PARAMETERS: Final = 500


@dataclass(frozen=True, eq=False)
class LayerWalk:
    """One layer on one batch; rows are samples.

    Args:
        name: "hidden layer 1" and so on, or "output layer".
        inputs: what the layer takes in, shape (rows, inputs).
        sums: weighted sums z, shape (rows, units).
        activations: what leaves the layer, shape (rows, units); for the output layer the prediction.
        deltas: d loss/d z, shape (rows, units).
        activation: formula that turns z into the activation.
        slope: formula of its derivative.
    """

    name: str
    inputs: Array
    sums: Array
    activations: Array
    deltas: Array
    activation: str
    slope: str


@dataclass(frozen=True)
class ParameterWalk:
    """One weight or bias in this update.

    Args:
        name: "w2[1,3]" is the weight in layer 2 into its unit 1 from unit 3 below; "b2[1]" is the bias of that
            unit. All counts start at 1.
        layer: number of the layer, from 1.
        unit: number of the unit that the parameter belongs to, from 1.
        source: number of the unit or feature below, from 1; None for a bias.
        before: value before the update.
        gradient: d loss/d parameter by the chain rule.
        autograd: the same by autograd.
        after: value after the update.
        chain: the chain rule with the numbers in it.
        update: the update rule with the numbers in it.
    """

    name: str
    layer: int
    unit: int
    source: int | None
    before: float
    gradient: float
    autograd: float
    after: float
    chain: str
    update: str


@dataclass(frozen=True, eq=False)
class Walk:
    """The next update of a run in four phases.

    Args:
        number: number of this update, from 1.
        inputs: the batch's features as the model sees them, shape (rows, features).
        targets: its targets as the loss sees them.
        layers: the layers from the first hidden one to the output; sums and activations belong to the forward
            phase, deltas to the backward phase.
        prediction: what the loss takes, shape (rows,) or (rows, classes).
        terms: what the loss averages over.
        denominator: what the sum of the terms is divided by.
        loss: loss of the batch.
        slope: d loss/d prediction, shaped like the prediction.
        parameters: every weight and bias, layer by layer.
        learning_rate: the rate of this update.
        forward_text, loss_text, backward_text, update_text: one sentence for each phase.
    """

    number: int
    inputs: Array
    targets: Array
    layers: tuple[LayerWalk, ...]
    prediction: Array
    terms: Array
    denominator: float
    loss: float
    slope: Array
    parameters: tuple[ParameterWalk, ...]
    learning_rate: float
    forward_text: str
    loss_text: str
    backward_text: str
    update_text: str


def walk(state: RunState) -> Walk:
    """Return the next update of a run, number by number; the run itself stays where it is.

    Args:
        state: a run that is not finished, with at most 500 parameters.

    Returns:
        All numbers of the forward, loss, backward and update phase.

    Raises:
        ValueError: the run is finished, so there is no next update, its network is recurrent or too large, or its
            updates hold more than the four phases.

    Example:
        >>> from lossviz.training import CLASSIC, init, walk
        >>> w, b = walk(init(CLASSIC)).parameters
        >>> w.name, w.gradient, round(w.after, 6), b.gradient, round(b.after, 6)
        ('w1[1,1]', -30.0, 0.3, -10.0, 0.1)

    Reference:
        Goodfellow, Bengio, Courville (2016), Deep Learning, section 6.5.
    """
    if state.finished:
        raise ValueError("the run is finished, so there is no next update; reset it to walk through its first one")
    dense(state.network, "a walk")
    if not state.config.plain:
        raise ValueError(
            "the run has dropout, batch normalisation, a penalty or clipping; a walk shows updates without them"
        )
    count = state.network.parameters.numel()
    if count > WALK_PARAMETERS:
        raise ValueError(
            f"the model has {count} parameters; a walk shows at most {WALK_PARAMETERS}: use a smaller network"
        )
    copy = restore(state.config, snapshot(state))
    if copy.position == 0:
        copy.shuffle()
    rows, denominator = copy.batches[copy.position], copy.denominators[copy.position]
    network, space = dense(copy.network, "a walk"), copy.workspaces[len(rows)]
    before = network.parameters.clone()

    copy.differentiate()
    slope = torch.div(copy.loss.derivatives(rows.inputs, copy.loss_parameters)["prediction"], denominator)
    terms = copy.loss.terms(rows.inputs, copy.loss_parameters)
    output_delta = copy.link.backward(slope.clone().view(rows.prediction.shape), rows.prediction)
    deltas = [*space.deltas, output_delta]
    inputs = [rows.x, *space.inputs]
    outputs = [*space.activations, rows.prediction]
    layers = tuple(
        LayerWalk(
            name=_layer_name(number, len(deltas)),
            inputs=_array(inputs[number][:, :-1]),
            sums=_array(space.sums[number]),
            activations=_array(outputs[number]),
            deltas=_array(deltas[number]),
            activation=network.activation.formula if number < len(deltas) - 1 else copy.link.formula,
            slope=network.activation.slope if number < len(deltas) - 1 else copy.link.slope,
        )
        for number in range(len(deltas))
    )
    checked = by_autograd(copy)
    gradient = network.gradient.clone()
    copy.optimizer.update(network.parameters, gradient, copy.slots, copy.learning_rate, copy.settings, copy.updates + 1)
    parameters = _parameters(copy, before, gradient, checked, deltas, inputs)
    value = float(terms.sum(dtype=torch.float64)) / denominator
    samples = "1 sample" if len(rows) == 1 else f"{len(rows)} samples"
    return Walk(
        number=state.updates + 1,
        inputs=_array(rows.x[:, :-1]),
        targets=_array(rows.target),
        layers=layers,
        prediction=_array(rows.inputs["prediction"]),
        terms=_array(terms),
        denominator=denominator,
        loss=value,
        slope=_array(slope),
        parameters=parameters,
        learning_rate=copy.learning_rate,
        forward_text=f"The model takes {samples} and makes a prediction for each, layer by layer from input to output.",
        loss_text=f"{copy.loss.title} compares the predictions with the targets: the loss of the batch is {value:.6g}.",
        backward_text=(
            "The chain rule carries the slope of the loss from the output back to the input. "
            "It gives each weight and bias its gradient; no parameter has changed yet."
        ),
        update_text=(
            f"{copy.optimizer.title} with learning rate {copy.learning_rate:g} turns the gradients into new weights "
            f"and biases: {copy.optimizer.formula}."
        ),
    )


def by_autograd(state: RunState) -> Tensor:
    """Return d loss/d parameters of the next batch of a run by autograd, as one flat vector."""
    rows, network = state.batches[state.position], dense(state.network, "autograd here")
    leaf = network.parameters.clone().requires_grad_()
    value = rows.x
    blocks = network.split(leaf)
    for block in blocks[:-1]:
        value = network.activation.function(value @ block.t())
        value = torch.cat([value, torch.ones(len(rows), 1, dtype=network.dtype)], dim=1)
    raw = value @ blocks[-1].t()
    prediction = state.link.function(raw)
    shaped = prediction if prediction.shape[1] > 1 else prediction.view(-1)
    terms = state.loss.terms({"prediction": shaped, "target": rows.target}, state.loss_parameters)
    (gradient,) = torch.autograd.grad(terms.sum() / state.denominators[state.position], leaf)
    return gradient


def _parameters(
    state: RunState, before: Tensor, gradient: Tensor, checked: Tensor, deltas: list[Tensor], inputs: list[Tensor]
) -> tuple[ParameterWalk, ...]:
    """Name every parameter and write its chain rule and its update with the numbers put in."""
    network, found = dense(state.network, "a walk"), []
    vectors = [network.split(flat) for flat in (before, gradient, checked, network.parameters)]
    for index, (old, slope, check, new) in enumerate(zip(*vectors, strict=True)):
        units, columns = old.shape
        for unit in range(units):
            for column in range(columns):
                bias = column == columns - 1
                values = [float(block[unit, column]) for block in (old, slope, check, new)]
                delta = deltas[index][:, unit]
                below = None if bias else inputs[index][:, column]
                found.append(
                    ParameterWalk(
                        name=f"b{index + 1}[{unit + 1}]" if bias else f"w{index + 1}[{unit + 1},{column + 1}]",
                        layer=index + 1,
                        unit=unit + 1,
                        source=None if bias else column + 1,
                        before=values[0],
                        gradient=values[1],
                        autograd=values[2],
                        after=values[3],
                        chain=_chain(delta, below, values[1]),
                        update=_update(state, values[0], values[1], values[3]),
                    )
                )
    return tuple(found)


def _chain(deltas: Tensor, below: Tensor | None, gradient: float) -> str:
    """The sum over the samples of delta times input, with the first three samples written out."""
    shown = [_number(delta) for delta in deltas[:3].tolist()]
    if below is not None:
        shown = [f"{delta} × {_number(value)}" for delta, value in zip(shown, below[:3].tolist(), strict=True)]
    more = f" + {len(deltas) - 3} more" if len(deltas) > 3 else ""
    return f"{' + '.join(shown)}{more} = {_plain(gradient)}"


def _update(state: RunState, before: float, gradient: float, after: float) -> str:
    if state.optimizer.key == "sgd":
        return f"{_plain(before)} − {state.learning_rate:g} × {_number(gradient)} = {_plain(after)}"
    return f"{_plain(before)} {'+' if after >= before else '−'} {abs(after - before):.6g} = {_plain(after)}"


def _plain(value: float) -> str:
    """The number with six digits and a true minus sign."""
    return f"{value:.6g}".replace("-", "−")


def _number(value: float) -> str:
    """The same, in brackets where it is negative, so that it can stand after another sign."""
    return f"({_plain(value)})" if value < 0 else _plain(value)


def _layer_name(index: int, count: int) -> str:
    return "output layer" if index == count - 1 else f"hidden layer {index + 1}"


def _array(tensor: Tensor) -> Array:
    return np.array(tensor.detach().numpy())
