"""What a loss declares about itself: the vocabulary of the one file that each loss is written in.

A loss is data plus a few torch functions (`terms`, `derivative`, what it derives for the screen). Menus, boards,
tables, cards, code, training choices and tests are derived from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from lossviz.losses._arguments import MEAN, SUM, Domain, Input, Inputs, Parameter, Params, Reduction, shorten
from lossviz.losses._facts import (
    PROPERTIES,
    TASKS,
    Code,
    ErrorCase,
    Fit,
    Golden,
    Invariance,
    Labels,
    Naive,
    Pitfall,
    Predicts,
    Property,
    Relative,
    Suit,
    Task,
    Template,
    Trouble,
    Wants,
)

if TYPE_CHECKING:
    from lossviz.boards import Board, Handle

__all__ = [
    "MEAN",
    "PROPERTIES",
    "SUM",
    "TASKS",
    "Code",
    "Domain",
    "ErrorCase",
    "Fit",
    "Golden",
    "Input",
    "Inputs",
    "Invariance",
    "Labels",
    "Loss",
    "Naive",
    "Parameter",
    "Params",
    "Pitfall",
    "Predicts",
    "Property",
    "Reduction",
    "Relative",
    "Suit",
    "Task",
    "Template",
    "Trouble",
    "Wants",
    "shorten",
]


@dataclass(frozen=True)
class Loss:
    """Everything that is known of a loss.

    `value = terms.sum() / denominator`; the closed-form gradient is `derivative / denominator`.

    Args:
        key: Name in the registry.
        title: Name for people.
        task: Group in menus.
        position: Place within its group.
        summary: What it measures, in one sentence a beginner understands.
        notice: What to try on the board and what to see, in a few sentences.
        use_when: When to use it, in one or two sentences.
        avoid_when: When not to, in one or two sentences.
        aliases: Other names it goes by.
        inputs: Its arguments.
        parameters: Its settings.
        reductions: The first is the default and is what "mean" means.
        terms: Unreduced loss, (..., *term_axes); leading batch dimensions are kept. Without a gradient (a step
            function) it may return terms that autograd does not know.
        derivative: Closed form of the derivative of the sum of the terms with respect to the prediction; by name where
            there are several predictions.
        formula: LaTeX of one term.
        gradient_formula: LaTeX of the derivative of one term.
        worked: Templates of one term with numbers put in; several where the formula has cases, chosen by the
            derived column "case".
        board: Geometry, handles and starting example.
        code: PyTorch and Keras code.
        minimiser: The constant prediction that minimises it over a set of targets, or "None, because …", or "No closed
            form: …".
        pitfalls: What goes wrong in practice.
        relatives: Losses near it.
        suits: Answers of the chooser that lead here.
        properties: What it is filtered by: exactly one of "convex" and "non_convex", and what else holds.
        references: Primary sources.
        goldens: Values from independent programs.
        errors: Inputs that must be refused.
        fits: How models train with it.
        term_axes: The axes that the terms lie along: ("n",) for one a sample.
        kinks: Where the slope jumps, in words; empty where it does not.
        derived: Further numbers to show, as named tensors from inputs and parameters, with leading batch
            dimensions kept. Names that begin with "scene_" are drawn by the board only.
        derived_labels: What those numbers are called on screen.
        best_constant: The minimiser in closed form: from targets (n,) or (n, k) and parameters to the one prediction,
            a number or a row (k,), with the smallest mean over them; None where there is no closed form.
        frozen: Quantities that the gradient holds fixed (stop-gradients), by name, from inputs and parameters; `terms`,
            `derivative` and `derived` find them among their inputs.
        frozen_note: What is held fixed, in one sentence.
        invariances: Changes that leave it as it is.
        naive: The formula that floats do not stand.
        overflow: Where the value or the slope is infinite although the input is legal, in a sentence; empty if nowhere.
    """

    key: str
    title: str
    task: Task
    position: int
    summary: str
    notice: str
    use_when: str
    avoid_when: str
    aliases: tuple[str, ...]
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    reductions: tuple[Reduction, ...]
    terms: Callable[[Inputs, Params], Tensor]
    derivative: Callable[[Inputs, Params], Tensor | dict[str, Tensor]]
    formula: str
    gradient_formula: str
    worked: tuple[str, ...]
    board: Board
    code: Code
    minimiser: str
    pitfalls: tuple[Pitfall, ...]
    relatives: tuple[Relative, ...]
    suits: tuple[Suit, ...]
    properties: tuple[Property, ...]
    references: tuple[str, ...]
    goldens: tuple[Golden, ...]
    errors: tuple[ErrorCase, ...]
    fits: tuple[Fit, ...] = ()
    term_axes: tuple[str, ...] = ("n",)
    kinks: str = ""
    derived: Callable[[Inputs, Params], dict[str, Tensor]] | None = None
    derived_labels: Mapping[str, str] = field(default_factory=dict)
    best_constant: Callable[[Tensor, Params], Tensor] | None = None
    frozen: Callable[[Inputs, Params], dict[str, Tensor]] | None = None
    frozen_note: str = ""
    invariances: tuple[Invariance, ...] = ()
    naive: Naive | None = None
    overflow: str = ""

    @property
    def predictions(self) -> tuple[Input, ...]:
        """The arguments that a model produces."""
        return tuple(item for item in self.inputs if item.role == "prediction")

    @property
    def targets(self) -> tuple[Input, ...]:
        """The arguments that are given; none for some losses."""
        return tuple(item for item in self.inputs if item.role == "target")

    @property
    def example(self) -> dict[str, Tensor]:
        """The board's variables as they start."""
        return self.board.example()

    @property
    def handles(self) -> tuple[Handle, ...]:
        """What can be dragged or switched on the board that it starts with."""
        return self.board.handles(self.example)

    def input(self, name: str) -> Input:
        """The argument of a name.

        Example:
            >>> from lossviz import losses
            >>> losses.get("hinge").input("target").domain.values
            (-1.0, 1.0)
        """
        return next(item for item in self.inputs if item.name == name)

    def hold(self, inputs: Inputs, params: Params) -> dict[str, Tensor]:
        """The inputs, and with them the quantities that the gradient holds fixed.

        Example:
            >>> import torch
            >>> from lossviz import losses
            >>> sorted(losses.get("mse").hold({"prediction": torch.zeros(1), "target": torch.ones(1)}, {}))
            ['prediction', 'target']
        """
        if self.frozen is None:
            return dict(inputs)
        fixed = self.frozen({name: tensor.detach() for name, tensor in inputs.items()}, params)
        return {**inputs, **{name: tensor.detach() for name, tensor in fixed.items()}}

    def derivatives(self, inputs: Inputs, params: Params) -> dict[str, Tensor]:
        """The closed form of the derivative of the summed terms, by the name of the prediction.

        Example:
            >>> import torch
            >>> from lossviz import losses
            >>> point = {"prediction": torch.tensor([3.0]), "target": torch.tensor([1.0])}
            >>> losses.get("mse").derivatives(point, {})
            {'prediction': tensor([4.])}
        """
        found = self.derivative(inputs, params)
        return found if isinstance(found, dict) else {self.predictions[0].name: found}

    def reduction(self, name: str) -> Reduction:
        """The reduction of a name; "mean" always names the default one.

        Raises:
            ValueError: If the loss has no such reduction, naming those it has.

        Example:
            >>> from lossviz import losses
            >>> losses.get("kl_div").reduction("mean").torch_name
            'batchmean'
        """
        named = {reduction.name: reduction for reduction in self.reductions}
        if isinstance(name, str) and name in {"mean", *named}:
            return named.get(name, self.reductions[0])
        raise ValueError(f"reduction is {shorten(name)}; {self.key} has {', '.join(map(repr, named))}")

    def check_parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters, those not given at their default.

        Raises:
            ValueError: If a name is unknown or a value out of bounds.

        Example:
            >>> from lossviz import losses
            >>> losses.get("focal").check_parameters({"gamma": 1})
            {'gamma': 1.0, 'alpha': 0.25}
        """
        if not isinstance(given, Mapping):
            raise ValueError(f"the parameters of {self.key} are {shorten(given)}; allowed are values by name")
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = [name for name in given if name not in known]
        if unknown:
            allowed = ", ".join(known) if known else "no parameters"
            raise ValueError(f"{shorten(unknown[0])} is no parameter of {self.key}; it has {allowed}")
        return {name: parameter.check(given.get(name, parameter.default)) for name, parameter in known.items()}

    def denominator(self, inputs: Inputs, params: Params, reduction: str = "mean") -> Tensor | float:
        """What the sum of the terms is divided by; it never depends on the prediction.

        Args:
            inputs: Tensors by name; leading batch dimensions allowed.
            params: Checked parameters.
            reduction: Name of a reduction.

        Returns:
            A number, or for class weights a tensor with the batch dimensions.

        Example:
            >>> import torch
            >>> from lossviz import losses
            >>> inputs = {"prediction": torch.zeros(2, 3), "target": torch.tensor([0, 2])}
            >>> losses.get("cross_entropy").denominator(inputs, {"weight": (1.0, 1.0, 4.0)})
            tensor(5.)
        """
        divisor = self.reduction(reduction).divisor
        if divisor == "one":
            return 1.0
        if callable(divisor):
            return divisor(inputs, params)
        sizes = self.sizes(inputs)
        if divisor == "samples":
            return float(sizes["n"])
        return float(math.prod(sizes[axis] for axis in self.term_axes))

    def sizes(self, inputs: Inputs) -> dict[str, int]:
        """The size of every named axis; the last axes of each input are its own, what stands before is a batch.

        Example:
            >>> import torch
            >>> from lossviz import losses
            >>> losses.get("kl_div").sizes({"prediction": torch.zeros(7, 2, 3), "target": torch.zeros(7, 2, 3)})
            {'n': 2, 'k': 3}
        """
        found: dict[str, int] = {}
        for item in self.inputs:
            axes = item.shape[:1] if item.shape[-1] == "..." else item.shape
            found |= dict(zip(axes, inputs[item.name].shape[-len(axes) :], strict=True))
        return found

    @property
    def elementwise(self) -> bool:
        """Whether every number of the prediction is a term of its own, whatever the shape."""
        return self.inputs[0].shape[-1] == "..."

    @property
    def classwise(self) -> bool:
        """Whether a sample's prediction is a row with one number a class."""
        return self.inputs[0].shape == ("n", "k")
