"""What is known of a loss beside its maths: groups, properties, pitfalls, golden values, code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from torch import Tensor

from lossviz.losses._arguments import Inputs, Params

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
Template = str | Callable[[Params, str], str]


@dataclass(frozen=True)
class Fit:
    """How a model trains with a loss on a task.

    Args:
        task: The kind of data.
        link: Function between the model's raw output and the loss's prediction.
        labels: How the target is written: "value", "zero_one", "plus_minus", "index" or "one_hot".
    """

    task: Literal["regression", "binary", "multiclass"]
    link: Literal["identity", "sigmoid", "tanh", "softmax", "log_softmax"]
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
    where the board has a link), class indices as integers. `str.format` fills the gaps: `{reduction}` is PyTorch's name
    of the reduction, `{keras_reduction}` is "sum" or "sum_over_batch_size", and each parameter stands under its name as
    a Python number or list.

    Args:
        torch: PyTorch; `torch` and `F` (torch.nn.functional) are imported, the arguments are tensors.
        keras: Keras 3; `keras` is imported, the arguments are its tensors; None where a few lines cannot say it.
        keras_note: What differs from PyTorch, or why there is no code, in one sentence.
    """

    torch: Template
    keras: Template | None
    keras_note: str = ""
