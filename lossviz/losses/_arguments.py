"""What a loss takes and returns: domains, inputs, parameters, reductions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Final, Literal

from torch import Tensor

from lossviz.writing import heading

Inputs = Mapping[str, Tensor]
Params = Mapping[str, Any]


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
        label: What its control is called, where the name in words says too little.
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
    label: str = ""

    @property
    def title(self) -> str:
        """What its control is called.

        Example:
            >>> Parameter.flag("label_smoothing", "", "").title
            'Label smoothing'
        """
        if self.kind == "class_weights":
            return "Class weights"
        return self.label or heading(self.name)

    @classmethod
    def choice(cls, name: str, symbol: str, options: Mapping[str, str], meaning: str, label: str = "") -> Parameter:
        """One of a few options, the first unless told.

        Example:
            >>> Parameter.choice("player", "", {"generator": "Generator", "discriminator": "Discriminator"}, "").default
            'generator'
        """
        return cls(name, symbol, next(iter(options)), 0, 0, 0, meaning, kind="choice", options=options, label=label)

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
