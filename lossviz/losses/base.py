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
    from lossviz.boards import Board, Handle

Task = Literal[
    "regression",
    "binary",
    "multiclass",
    "distribution",
    "embedding",
    "segmentation",
    "detection",
    "sequence",
    "generative",
]
TASKS: Final[Mapping[Task, str]] = {
    "regression": "Regression",
    "binary": "Two classes",
    "multiclass": "Several classes",
    "distribution": "Distributions",
    "embedding": "Embedding and ranking",
    "segmentation": "Segmentation",
    "detection": "Detection",
    "sequence": "Sequences",
    "generative": "Generative models",
}
"""The groups of the menus, in their order, with their names."""
Property = Literal["robust", "bounded", "logits", "convex", "non_convex", "no_gradient"]
PROPERTIES: Final[Mapping[Property, str]] = {
    "robust": "Robust: a single outlier pulls with a limited force",
    "bounded": "Bounded: no term exceeds a fixed number",
    "logits": "Needs logits (raw scores)",
    "convex": "Convex in the prediction",
    "non_convex": "Not convex in the prediction",
    "no_gradient": "No gradient almost everywhere",
}
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
        kind: "real" (any finite number), "interval" (`low` to `high`), "labels" (one of `values`), "index" (a whole
            number from `low` to the size of the axis "k" minus 1), "simplex" (each row non-negative with sum 1),
            "log_probability" (each row the logarithms of such a row) or "box" (rows x1, y1, x2, y2 with x1 < x2 and
            y1 < y2).
        low: Smallest number of an interval or an index.
        high: Largest number of an interval.
        values: The legal labels.
        low_open: Whether `low` itself is excluded.

    Example:
        >>> Domain("interval", low=0.0, high=1.0).describe()
        'a number in [0, 1]'
        >>> Domain("interval", low=0.0, low_open=True).describe()
        'a number above 0'
    """

    kind: Literal["real", "interval", "labels", "index", "simplex", "log_probability", "box"]
    low: float = -math.inf
    high: float = math.inf
    values: tuple[float, ...] = ()
    low_open: bool = False

    def describe(self, classes: int | None = None) -> str:
        """The domain in words, for messages and cards.

        Example:
            >>> Domain("labels", values=(-1.0, 1.0)).describe()
            'one of -1, +1'
        """
        if self.kind == "interval":
            if math.isinf(self.high):
                return f"a number above {self.low:g}" if self.low_open else f"a number of at least {self.low:g}"
            return f"a number in {'(' if self.low_open else '['}{self.low:g}, {self.high:g}]"
        if self.kind == "labels":
            sign = "+" if min(self.values) < 0 else ""
            return "one of " + ", ".join(f"{value:{sign}g}" for value in self.values)
        if self.kind == "index":
            first = f"{max(self.low, 0):g}"
            return f"a whole number from {first} to {classes - 1}" if classes else f"a whole number from {first}"
        if self.kind == "simplex":
            return "probabilities: each in [0, 1], each row summing to 1"
        if self.kind == "log_probability":
            return "logarithms of probabilities: each at most 0, and in each row the probabilities sum to 1"
        if self.kind == "box":
            return "a box x1, y1, x2, y2 with x1 < x2 and y1 < y2"
        return "any finite number"


@dataclass(frozen=True)
class Input:
    """One argument of a loss.

    Args:
        name: Its name: "prediction" and "target", or where a role has several inputs what people call them.
        role: "prediction" or "target".
        shape: Its axes by name: ("n",), ("n", "k"), ("n", "h", "w"), …, or ("n", "...") for any shape with samples
            first, the same for all inputs, of which every number is a term of its own. An axis of one name has one
            size in all inputs; "d" is a coordinate axis, "k" counts classes.
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
        kind: "number"; "class_weights": None or one non-negative weight a class; "choice": one of `options`; "flag":
            True or False. The last two have no bounds and no step.
        options: What a choice may be, by name, with its title for the menu.
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
    kind: Literal["number", "class_weights", "choice", "flag"] = "number"
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def choice(cls, name: str, symbol: str, options: Mapping[str, str], meaning: str) -> Parameter:
        """One of a few options, the first unless told.

        Example:
            >>> Parameter.choice("player", "", {"generator": "Generator", "discriminator": "Discriminator"}, "").default
            'generator'
        """
        return cls(name, symbol, next(iter(options)), 0, 0, 0, meaning, kind="choice", options=options)

    @classmethod
    def flag(cls, name: str, symbol: str, meaning: str, default: bool = False) -> Parameter:
        """A setting that is on or off.

        Example:
            >>> Parameter.flag("full", "", "").check(True)
            True
        """
        return cls(name, symbol, default, 0, 0, 0, meaning, kind="flag")

    def describe(self) -> str:
        """The legal values in words.

        Example:
            >>> Parameter("tau", "t", 0.5, 0, 1, 0.1, "", low_open=True, high_open=True).describe()
            'a number in (0, 1)'
        """
        if self.kind == "choice":
            return "one of " + ", ".join(map(repr, self.options))
        if self.kind == "flag":
            return "True or False"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        numbers = f"a number in {left}{self.low:g}, {self.high:g}{right}"
        return numbers if self.kind == "number" else f"None, or for each class {numbers}, not all 0"

    def check(self, value: Any) -> Any:
        """Return the value as the loss uses it.

        Args:
            value: A real number; for class weights None, a list, a tuple or an array of them; a choice's option; a
                flag's truth value.

        Returns:
            A float; for class weights None or a tuple of floats; the option; the truth value.

        Raises:
            ValueError: If the value is not legal, naming it and what is.

        Example:
            >>> Parameter("delta", "d", 1.0, 0, 1000, 0.1, "").check(2)
            2.0
        """
        if self.kind == "number":
            return self._check_number(value)
        if self.kind in ("choice", "flag"):
            legal = isinstance(value, bool) if self.kind == "flag" else isinstance(value, str) and value in self.options
            if not legal:
                raise ValueError(f"{self.name} is {shorten(value)}; allowed is {self.describe()}")
            return value
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
        divisor: "elements" (all terms), "samples" (the size of the first axis), "one", or a function from inputs and
            parameters to the number, such as the sum of the targets' class weights. It never depends on a prediction.
    """

    name: str
    title: str
    torch_name: str
    formula: str
    divisor: Literal["elements", "samples", "one"] | Callable[[Inputs, Params], Tensor | float]


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
        prediction: Prediction as nested lists; by name where there are several.
        target: Target as nested lists; by name where there are several; None where there is none.
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
class Pitfall:
    """What goes wrong in practice, with the board in the state that shows it.

    Args:
        text: One to three sentences, with the numbers that the board then shows.
        state: Board variables that differ from the starting example, as nested lists by name.
        parameters: Parameters that are not at their default.
        reduction: Name of the reduction; the default one unless given.
        loss: Key of the loss that the board opens with, where it is another one; then `state` is of its board.
    """

    text: str
    state: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reduction: str = ""
    loss: str = ""


@dataclass(frozen=True)
class Relative:
    """Another loss of the registry, and in a phrase what it has to do with this one."""

    key: str
    text: str


Predicts = Literal[
    "number",
    "yes_no",
    "one_class",
    "several_labels",
    "distribution",
    "embedding",
    "ranking",
    "mask",
    "box",
    "sequence",
    "generated",
]
Labels = Literal[
    "any_number", "positive", "count", "direction", "hard", "soft", "pairs", "triplets", "classes", "aligned",
    "unaligned", "preferences",
]  # fmt: skip
Trouble = Literal["outliers", "imbalance", "noisy_labels", "uneven_costs", "vanishing"]
Wants = Literal["best_value", "probabilities", "spread", "margin"]


@dataclass(frozen=True)
class Suit:
    """Answers of the chooser that lead to a loss.

    Args:
        predicts: What the model predicts.
        reason: Why this loss then, in one sentence; it follows on "Because" in no way and stands alone.
        labels: What the labels are; any where empty. Numbers: "any_number", "positive", "count", "direction". Classes,
            masks and distributions: "hard" or "soft". Embeddings: "pairs", "triplets" or "classes". Sequences:
            "aligned", "unaligned" or "preferences".
        trouble: What is hard about the data; any where empty.
        wants: What the prediction is for: "best_value" (a number, a box, an order), "probabilities", "spread" (how far
            off it may be) or "margin" (only the decision counts); any where empty.
    """

    predicts: Predicts
    reason: str
    labels: tuple[Labels, ...] = ()
    trouble: tuple[Trouble, ...] = ()
    wants: tuple[Wants, ...] = ()


@dataclass(frozen=True)
class Invariance:
    """A change of the inputs that leaves every term as it is.

    Args:
        text: The claim, in one sentence.
        transform: The change.
    """

    text: str
    transform: Callable[[Inputs], Inputs]


@dataclass(frozen=True)
class Naive:
    """The formula as one writes it down first, which floats do not stand.

    Args:
        text: What breaks, in one or two sentences.
        terms: The terms by that formula, shaped like those of the loss.
        code: The formula as a line of PyTorch.
    """

    text: str
    terms: Callable[[Inputs, Params], Tensor]
    code: str


@dataclass(frozen=True)
class Code:
    """How other libraries write the loss, as templates that `lossviz.export` fills in.

    A template is a few lines of which the last is `loss = …`, or a function from checked parameters and the name of
    the reduction to such lines. The board's variables exist under their names (`prediction` and `target` mostly; logits
    where the board has a link), class indices as integers. `str.format` fills the gaps: `{reduction}` is PyTorch's name of the
    reduction, `{keras_reduction}` is "sum" or "sum_over_batch_size", and each parameter stands under its name as a
    Python number or list.

    Args:
        torch: PyTorch; `torch` and `F` (torch.nn.functional) are imported, the arguments are tensors.
        keras: Keras 3; `keras` is imported, the arguments are NumPy arrays; None where a few lines cannot say it.
        keras_note: What differs from PyTorch, or why there is no code, in one sentence.
    """

    torch: Template
    keras: Template | None
    keras_note: str = ""


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
