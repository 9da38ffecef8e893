"""What a loss declares about itself: the vocabulary of the one file that each loss is written in.

A loss is data plus three torch functions (`terms`, `derivative`, and a reduction's `denominator`).
Menus, boards, tables, code, training choices and tests are derived from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, Literal

from torch import Tensor

if TYPE_CHECKING:
    from lossviz.losses.board import Board, Handle

Task = Literal["regression", "binary", "multiclass", "distribution"]
TASKS: Final[tuple[Task, ...]] = ("regression", "binary", "multiclass", "distribution")
Inputs = Mapping[str, Tensor]
Params = Mapping[str, Any]
Template = str | Callable[[Params, str], str]


def shorten(value: Any) -> str:
    """A value as a message quotes it: at most 60 characters.

    Example:
        >>> shorten("a" * 100)
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list nested too deep
        return f"a {type(value).__name__} too long to show"
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Domain:
    """The numbers an input may hold.

    Args:
        kind: "real" (any finite number), "interval" (`low` to `high`, ends included), "labels" (one of
            `values`), "index" (a whole number from 0 to classes - 1), "simplex" (each row non-negative with
            sum 1) or "log_probability" (each row the logarithms of such a row).
        low: Smallest number of an interval.
        high: Largest number of an interval.
        values: The legal labels.

    Example:
        >>> Domain("interval", low=0.0, high=1.0).describe()
        'a number in [0, 1]'
    """

    kind: Literal["real", "interval", "labels", "index", "simplex", "log_probability"]
    low: float = -math.inf
    high: float = math.inf
    values: tuple[float, ...] = ()

    def describe(self, classes: int | None = None) -> str:
        """The domain in words, for messages and cards.

        Example:
            >>> Domain("labels", values=(-1.0, 1.0)).describe()
            'one of -1, +1'
        """
        if self.kind == "interval":
            return f"a number in [{self.low:g}, {self.high:g}]"
        if self.kind == "labels":
            sign = "+" if min(self.values) < 0 else ""
            return "one of " + ", ".join(f"{value:{sign}g}" for value in self.values)
        if self.kind == "index":
            return f"a whole number from 0 to {classes - 1}" if classes else "a class index, a whole number from 0"
        if self.kind == "simplex":
            return "probabilities: each in [0, 1], each row summing to 1"
        if self.kind == "log_probability":
            return "logarithms of probabilities: each at most 0, and in each row the probabilities sum to 1"
        return "any finite number"


@dataclass(frozen=True)
class Input:
    """One argument of a loss.

    Args:
        name: Its name, as in PyTorch's documentation of the loss where it has one.
        role: "prediction" or "target".
        shape: Its axes by name: ("n",), ("n", "k"), or ("n", "...") for any shape with samples first.
        domain: The numbers it may hold.
        meaning: One phrase for a learner.
        differentiable: Whether a gradient with respect to it is defined.
    """

    name: str
    role: Literal["prediction", "target"]
    shape: tuple[str, ...]
    domain: Domain
    meaning: str
    differentiable: bool = True


@dataclass(frozen=True)
class Parameter:
    """A setting of a loss, with its bounds.

    Args:
        name: Keyword as in `evaluate(..., name=value)`.
        symbol: How the formula writes it.
        default: Value unless told.
        low: Smallest legal value.
        high: Largest legal value.
        step: Step of a slider or number field.
        meaning: One sentence for a learner.
        low_open: Whether `low` itself is excluded.
        high_open: Whether `high` itself is excluded.
        kind: "number", or "class_weights": None or one non-negative weight a class.
    """

    name: str
    symbol: str
    default: Any
    low: float
    high: float
    step: float
    meaning: str
    low_open: bool = False
    high_open: bool = False
    kind: Literal["number", "class_weights"] = "number"

    def describe(self) -> str:
        """The legal values in words.

        Example:
            >>> Parameter("tau", "t", 0.5, 0, 1, 0.1, "", low_open=True, high_open=True).describe()
            'a number in (0, 1)'
        """
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        numbers = f"a number in {left}{self.low:g}, {self.high:g}{right}"
        return numbers if self.kind == "number" else f"None, or for each class {numbers}, not all 0"

    def check(self, value: Any) -> Any:
        """Return the value as the loss uses it.

        Args:
            value: A real number; for class weights None, a list, a tuple or an array of them.

        Returns:
            A float; for class weights None or a tuple of floats.

        Raises:
            ValueError: If the value is not legal, naming it and what is.

        Example:
            >>> Parameter("delta", "d", 1.0, 0, 1000, 0.1, "").check(2)
            2.0
        """
        if self.kind == "number":
            return self._check_number(value)
        if value is None:
            return None
        listed = value.tolist() if hasattr(value, "tolist") else value
        if not isinstance(listed, list | tuple):
            raise ValueError(f"{self.name} is {shorten(value)}; allowed is {self.describe()}")
        weights = tuple(self._check_number(weight) for weight in listed)
        if not any(weights):
            raise ValueError(f"{self.name} is {shorten(weights)}; allowed is {self.describe()}")
        return weights

    def _check_number(self, value: Any) -> float:
        message = f"{self.name} is {shorten(value)}; allowed is {self.describe()}"
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ValueError(message)
        try:
            number = float(value)
        except OverflowError:
            raise ValueError(message) from None
        below = number <= self.low if self.low_open else number < self.low
        above = number >= self.high if self.high_open else number > self.high
        if math.isnan(number) or below or above:
            raise ValueError(message)
        return number


@dataclass(frozen=True)
class Reduction:
    """How terms become one number.

    Args:
        name: Keyword as in `evaluate(..., reduction=name)`.
        title: For menus.
        torch_name: What `reduction=` is called in the PyTorch function.
        formula: LaTeX of the reduction of a term written `#`.
        divisor: "elements" (all terms), "samples", "one", or "target_weights" (the weights of the targets'
            classes, as torch's weighted cross-entropy mean).
    """

    name: str
    title: str
    torch_name: str
    formula: str
    divisor: Literal["elements", "samples", "one", "target_weights"]


MEAN: Final = Reduction("mean", "Mean", "mean", r"\frac{1}{n}\sum_{i=1}^{n} #", "elements")
SUM: Final = Reduction("sum", "Sum", "sum", r"\sum_{i=1}^{n} #", "one")


@dataclass(frozen=True)
class Fit:
    """How a model trains with a loss on a task.

    Args:
        task: The kind of data.
        link: Function between the model's raw output and the loss's prediction.
        labels: How the target is written: "value", "zero_one", "plus_minus", "index" or "one_hot".
    """

    task: Literal["regression", "binary", "multiclass"]
    link: Literal["identity", "sigmoid", "tanh", "log_softmax"]
    labels: Literal["value", "zero_one", "plus_minus", "index", "one_hot"]


@dataclass(frozen=True)
class Golden:
    """A value from an independent program.

    Args:
        source: Program and version, or paper, the value comes from.
        prediction: Prediction as nested lists.
        target: Target as nested lists.
        value: The value.
        reduction: Reduction the value belongs to.
        parameters: Parameters that are not at their default.
    """

    source: str
    prediction: Any
    target: Any
    value: float
    reduction: str = "mean"
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ErrorCase:
    """Input that must be refused with a ValueError whose message contains `message`."""

    prediction: Any
    target: Any
    message: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    """How other libraries write the loss, as templates that `lossviz.export` fills in.

    A template is a few lines of which the last is `loss = …`, or a function from checked parameters and the name of
    the reduction to such lines. `prediction` and `target` exist: what a board's state holds (logits where the board
    has a link), class indices as integers. `str.format` fills the gaps: `{reduction}` is PyTorch's name of the
    reduction, `{keras_reduction}` is "sum" or "sum_over_batch_size", and each parameter stands under its name as a
    Python number or list.

    Args:
        torch: PyTorch; `torch` and `F` (torch.nn.functional) are imported, the arguments are tensors.
        keras: Keras 3; `keras` is imported, the arguments are NumPy arrays.
        keras_note: What differs from PyTorch, in one sentence.
    """

    torch: Template
    keras: Template
    keras_note: str = ""


@dataclass(frozen=True)
class Loss:
    """Everything that is known of a loss.

    `value = terms.sum() / denominator`; the closed-form gradient is `derivative / denominator`.

    Args:
        key: Name in the registry.
        title: Name for people.
        task: Group in menus.
        position: Place within the whole list.
        summary: What it measures, in one sentence a beginner understands.
        notice: What to try on the board and what to see, in a few sentences.
        aliases: Other names it goes by.
        inputs: Its arguments.
        parameters: Its settings.
        reductions: The first is the default and is what "mean" means.
        terms: Unreduced loss; leading batch dimensions are kept.
        derivative: Closed form of the derivative of the sum of the terms with respect to the prediction.
        formula: LaTeX of one term.
        gradient_formula: LaTeX of the derivative of one term.
        worked: Templates of one term with numbers put in; several where the formula has cases, chosen by the
            derived column "case".
        board: Geometry, handles and starting example.
        fits: How models train with it.
        code: PyTorch and Keras code.
        minimiser: The constant prediction that minimises it over a set of targets, or why there is none.
        pitfalls: What goes wrong in practice.
        references: Primary sources.
        goldens: Values from independent programs.
        errors: Inputs that must be refused.
        kinks: Where the slope jumps, in words; empty where it does not.
        derived: Further numbers to show, as named tensors from inputs and parameters, with leading batch
            dimensions kept.
        derived_labels: What those numbers are called on screen.
        best_constant: The minimiser in closed form: from targets (n,) or (n, k) and parameters to the one prediction,
            a number or a row (k,), with the smallest mean over them; None where there is no closed form.
    """

    key: str
    title: str
    task: Task
    position: int
    summary: str
    notice: str
    aliases: tuple[str, ...]
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    reductions: tuple[Reduction, ...]
    terms: Callable[[Inputs, Params], Tensor]
    derivative: Callable[[Inputs, Params], Tensor]
    formula: str
    gradient_formula: str
    worked: tuple[str, ...]
    board: Board
    fits: tuple[Fit, ...]
    code: Code
    minimiser: str
    pitfalls: tuple[str, ...]
    references: tuple[str, ...]
    goldens: tuple[Golden, ...]
    errors: tuple[ErrorCase, ...]
    kinks: str = ""
    derived: Callable[[Inputs, Params], dict[str, Tensor]] | None = None
    derived_labels: Mapping[str, str] = field(default_factory=dict)
    best_constant: Callable[[Tensor, Params], Tensor] | None = None

    @property
    def example(self) -> dict[str, Tensor]:
        """The prediction and the target that the board starts with."""
        return self.board.example()

    @property
    def handles(self) -> tuple[Handle, ...]:
        """What can be dragged or switched on the board that it starts with."""
        return self.board.handles(self.example)

    def input(self, role: str) -> Input:
        """The argument with a role ("prediction" or "target").

        Example:
            >>> from lossviz import losses
            >>> losses.get("hinge").input("target").domain.values
            (-1.0, 1.0)
        """
        return next(item for item in self.inputs if item.role == role)

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
        target, prediction = inputs["target"], inputs["prediction"]
        if divisor == "target_weights":
            weights = params.get("weight")
            if weights is None:
                return float(target.shape[-1])
            return prediction.new_tensor(weights)[target].sum(-1)
        if divisor == "samples":
            return float(prediction.shape[-2] if self.classwise else prediction.shape[-1])
        return float(target.shape[-1] * (target.shape[-2] if self.classwise else 1))

    @property
    def classwise(self) -> bool:
        """Whether a sample's prediction is a row with one number a class."""
        return self.input("prediction").shape == ("n", "k")
