"""Multi-label soft margin loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._binary import minus_log_sigmoid
from lossviz.losses._classes import CLASS_WEIGHTS, class_weights
from lossviz.losses._multiclass import LABEL_ERRORS, LABEL_ROWS, LABEL_TARGETS, LABELS, class_count
from lossviz.losses._shared import REAL
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Loss,
    Naive,
    Params,
    Pitfall,
    Relative,
    Suit,
)

_WEIGHTS: Final = replace(CLASS_WEIGHTS, meaning="How much each class counts.")


def _class_costs(inputs: Inputs, params: Params) -> Tensor:
    costs = minus_log_sigmoid((2 * inputs["target"] - 1) * inputs["prediction"])
    weight = class_weights(inputs, params)
    return costs if weight is None else weight * costs


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return _class_costs(inputs, params).mean(-1)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    sign = 2 * inputs["target"] - 1
    slope = -sign * torch.sigmoid(-sign * inputs["prediction"]) / sign.shape[-1]
    weight = class_weights(inputs, params)
    return slope if weight is None else weight * slope


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    costs = _class_costs(inputs, params)
    return {
        "sigmoid": torch.sigmoid(inputs["prediction"]),
        "class_cost": costs,
        "cost_sum": costs.sum(-1),
        "classes": class_count(inputs),
    }


def _naive(inputs: Inputs, params: Params) -> Tensor:
    p, y = torch.sigmoid(inputs["prediction"]), inputs["target"]
    costs = -(y * p.log() + (1 - y) * (1 - p).log())
    weight = class_weights(inputs, params)
    return (costs if weight is None else weight * costs).mean(-1)


def _torch(params: Params, _: str) -> str:
    if params["weight"] is None:
        return "loss = F.multilabel_soft_margin_loss(prediction, target, reduction={reduction!r})"
    return (
        "weight = torch.tensor({weight}, dtype=prediction.dtype)\n"
        "loss = F.multilabel_soft_margin_loss(prediction, target, weight=weight, reduction={reduction!r})"
    )


def _keras(params: Params, _: str) -> str:
    if params["weight"] is None:
        return (
            "cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
            "loss = cross_entropy(target, prediction)"
        )
    return (
        "costs = keras.ops.softplus((1 - 2 * target) * prediction)\n"
        "terms = keras.ops.mean(keras.ops.array({weight}) * costs, axis=1)\n"
        "loss = keras.ops.{reduction}(terms)"
    )


def _best_constant(target: Tensor, _: Params) -> Tensor:
    return (target.sum(0) / (1 - target).sum(0)).log()


LOSS = Loss(
    key="multilabel_soft_margin",
    title="Multi-label soft margin",
    task="multiclass",
    position=9,
    summary="For samples with several labels: how surprised each class's yes or no is by the truth, averaged.",
    notice=(
        "Beside each logit stands its sigmoid, a probability for that class alone: they need not add up to 1. In "
        "Sample 2 class 3 has 0.62 although it does not apply: it costs 0.974, more than any other class. Switch its "
        "label to 1: now it costs 0.474. No other class notices, because every class is judged by itself."
    ),
    use_when="A sample can have several labels or none, such as tags of a photo, and you want each one's probability.",
    avoid_when=(
        "Exactly one class is true, where cross-entropy lets the classes compete, or most labels are absent and drown "
        "the present ones."
    ),
    aliases=("MultiLabelSoftMarginLoss", "multi-label binary cross-entropy", "sigmoid cross-entropy over labels"),
    inputs=(
        Input("prediction", "prediction", ("n", "k"), REAL, "for each class the logit of its applying"),
        LABELS,
    ),
    parameters=(_WEIGHTS,),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\frac1k \sum_{c=1}^{k} w_c \left[\, y_{ic} \ln \sigma(z_{ic}) + (1 - y_{ic}) \ln \sigma(-z_{ic}) \,\right]"
    ),
    gradient_formula=r"\frac{w_c}{k} \left(\sigma(z_{ic}) - y_{ic}\right)",
    worked=("{cost_sum} / {classes}",),
    board=Bars(LABEL_ROWS, LABEL_TARGETS, truth="labels", beside="sigmoid", beside_label="Sigmoid"),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note="In Keras it is binary cross-entropy on logits, which averages over the classes first.",
    ),
    minimiser="For each class its log-odds: the logarithm of how often it applies over how often it does not.",
    pitfalls=(
        Pitfall(
            "It is a mean over the classes: with many classes that do not apply, the few that do weigh little. Here "
            "one of four classes applies and is missed badly; it costs 4.018, and the loss is only 1.041.",
            state={"prediction": [[-4.0, -3.0, -3.0, -3.0]], "target": [[1.0, 0.0, 0.0, 0.0]]},
        ),
        Pitfall(
            "It applies the sigmoid itself. The probabilities 0.9 and 0.1 put in as logits become 0.711 and 0.525: the "
            "two classes cost 0.341 and 0.744 instead of 0.105 each.",
            state={"prediction": [[0.9, 0.1]], "target": [[1.0, 0.0]]},
        ),
        Pitfall(
            "Even with sum as its reduction PyTorch takes the mean over the classes; only the samples are added up. "
            "The starting example gives 1.057, the sum over all eight labels would be 4.227.",
            reduction="sum",
        ),
        Pitfall(
            "Class weights multiply, but nothing divides by their sum: with the weights 1, 2, 0.5 and 3 the loss grows "
            "from 0.528 to 0.877. Weights of any size change the learning rate as well.",
            parameters={"weight": (1.0, 2.0, 0.5, 3.0)},
        ),
    ),
    relatives=(
        Relative("bce_with_logits", "the same numbers, without the mean over the classes"),
        Relative("asymmetric", "turns down the many labels that do not apply"),
        Relative("multilabel_margin", "compares the classes instead of judging each by itself"),
        Relative("cross_entropy", "for exactly one true class"),
    ),
    suits=(
        Suit(
            predicts="several_labels",
            reason="It is binary cross-entropy for each label, so every label gets a probability of its own.",
            labels=("hard",),
            wants=("probabilities",),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Bishop (2006): Pattern Recognition and Machine Learning, section 5.2",
        "https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, log_loss over all labels",
            [[1.5, -0.5, 0.2, -1.0], [0.2, 1.0, -0.3, 0.5]],
            [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
            0.5283404505763902,
        ),
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy averaged over the classes",
            [[1.5, -0.5, 0.2, -1.0], [0.2, 1.0, -0.3, 0.5]],
            [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
            1.0566809011527807,
            "sum",
        ),
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy times the weights",
            [[1.5, -0.5, 0.2, -1.0], [0.2, 1.0, -0.3, 0.5]],
            [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
            0.8765615703476314,
            "mean",
            {"weight": (1.0, 2.0, 0.5, 3.0)},
        ),
    ),
    errors=(*LABEL_ERRORS, ErrorCase([[2.0, 1.0]], [[1.0, 0.0]], "one for each", {"weight": (1.0, 2.0, 3.0)})),
    derived=_derived,
    derived_labels={
        "sigmoid": "Sigmoid",
        "class_cost": "Cost of each class",
        "cost_sum": "Sum over the classes",
        "classes": "Number of classes",
    },
    best_constant=_best_constant,
    naive=Naive(
        "The sigmoid of a large score rounds to 1, in float32 from 17 on; then 1 less the sigmoid is 0, and its "
        "logarithm minus infinity.",
        _naive,
        "-(target * p.log() + (1 - target) * (1 - p).log()).mean(1)  # p: sigmoid(prediction)",
    ),
)
