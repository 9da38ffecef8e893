"""Cross-entropy on logits, with class indices."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._classes import CLASS_WEIGHTS, WEIGHTED_MEAN, class_weights
from lossviz.losses._multiclass import of_label, one_hot
from lossviz.losses._shared import REAL
from lossviz.losses.base import (
    SUM,
    Code,
    Domain,
    ErrorCase,
    Fit,
    Golden,
    Input,
    Inputs,
    Invariance,
    Loss,
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    weight = class_weights(inputs, params)
    smoothing: float = params["label_smoothing"]
    surprise = -torch.log_softmax(inputs["prediction"], -1)
    surprise = surprise if weight is None else surprise * weight
    label = of_label(inputs, surprise)
    return (1 - smoothing) * label + smoothing * surprise.mean(-1) if smoothing else label


def _soft_target(inputs: Inputs, params: Params) -> Tensor:
    """The target distribution after smoothing, times the class weights."""
    smoothing: float = params["label_smoothing"]
    soft = (1 - smoothing) * one_hot(inputs) + smoothing / inputs["prediction"].shape[-1]
    weight = class_weights(inputs, params)
    return soft if weight is None else soft * weight


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    soft = _soft_target(inputs, params)
    gradient: Tensor = torch.softmax(inputs["prediction"], -1) * soft.sum(-1, keepdim=True) - soft
    return gradient


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    softmax = torch.softmax(inputs["prediction"], -1)
    label = of_label(inputs, softmax)
    log_softmax = torch.log_softmax(inputs["prediction"], -1)
    numbers = {
        "softmax": softmax,
        "label_probability": label,
        "label_logarithm": -of_label(inputs, log_softmax),
        "case": torch.full_like(label, 1.0 if params["label_smoothing"] else 0.0),
    }
    weight = class_weights(inputs, params)
    numbers["mean_logarithm"] = -(log_softmax if weight is None else log_softmax * weight).mean(-1)
    if weight is not None:
        numbers["label_weight"] = weight[inputs["target"]]
        numbers["case"] = numbers["case"] + 2.0
    return numbers


_KERAS_SOFT = """\
weight = keras.ops.array({weight})
classes = prediction.shape[1]
soft = (1 - {label_smoothing}) * keras.ops.one_hot(target, classes) + {label_smoothing} / classes
terms = -keras.ops.sum(weight * soft * keras.ops.log_softmax(prediction), axis=1)
loss = keras.ops.sum(terms)"""


def _torch(params: Params, _: str) -> str:
    lines = ["loss = F.cross_entropy(", "    prediction,", "    target,"]
    if params["weight"] is not None:
        lines.append("    weight=torch.tensor({weight}, dtype=prediction.dtype),")
    if params["label_smoothing"]:
        lines.append("    label_smoothing={label_smoothing},")
    return "\n".join([*lines, "    reduction={reduction!r},", ")"])


def _keras(params: Params, reduction: str) -> str:
    weighted, smoothed = params["weight"] is not None, bool(params["label_smoothing"])
    if weighted and smoothed:
        return _KERAS_SOFT + ("" if reduction == "sum" else " / keras.ops.sum(keras.ops.take(weight, target))")
    if weighted:
        name = "sum" if reduction == "sum" else "mean_with_sample_weight"
        return (
            f"weighted = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction={name!r})\n"
            "loss = weighted(target, prediction, sample_weight=keras.ops.take({weight}, target))"
        )
    if smoothed:
        return (
            "smoothed = keras.losses.CategoricalCrossentropy(\n"
            "    from_logits=True, label_smoothing={label_smoothing}, reduction={keras_reduction!r}\n"
            ")\n"
            "loss = smoothed(keras.ops.one_hot(target, prediction.shape[1]), prediction)"
        )
    return (
        "cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
        "loss = cross_entropy(target, prediction)"
    )


def _best_constant(target: Tensor, params: Params) -> Tensor:
    classes = int(target.max()) + 1
    inputs = {"prediction": torch.zeros(len(target), classes, dtype=torch.float64), "target": target}
    mass = _soft_target(inputs, params).sum(0)
    return (mass / mass.sum()).log()


_GOLDEN_POINT = ([[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [1.0, 0.0, 0.8]], [0, 1, 2])


def _shift_logits(inputs: Inputs) -> Inputs:
    return {**inputs, "prediction": inputs["prediction"] + 0.75}


def _naive(inputs: Inputs, params: Params) -> Tensor:
    exponential = inputs["prediction"].exp()
    softmax = exponential / exponential.sum(-1, keepdim=True)
    return -(_soft_target(inputs, params) * softmax.log()).sum(-1)


LOSS = Loss(
    key="cross_entropy",
    title="Cross-entropy",
    task="multiclass",
    position=1,
    summary="How surprised the model's class probabilities are by the true class; it takes raw scores (logits).",
    notice=(
        "The board starts at 0.587. Sample 3 gives its true class 2 only 0.37 and costs most, 0.982 before averaging. "
        "Raise the logit of its true class: the loss falls, and the softmax takes from all other classes. Raise all "
        "three logits of a sample by the same amount: nothing changes, because softmax sees only differences."
    ),
    use_when=(
        "Exactly one of several classes is true and the model gives a raw score for each: the usual choice "
        "for classification."
    ),
    avoid_when="Several labels may hold at once (take binary cross-entropy on each), or many labels are wrong.",
    aliases=(
        "CrossEntropyLoss",
        "CE",
        "softmax loss",
        "softmax cross-entropy",
        "categorical cross-entropy",
        "sparse categorical cross-entropy",
        "multinomial logistic loss",
        "multiclass log loss",
        "LinearCrossEntropyLoss",
        "AdaptiveLogSoftmaxWithLoss",
        "adaptive softmax",
    ),
    inputs=(
        Input("prediction", "prediction", ("n", "k"), REAL, "logits: one raw score for each class"),
        Input("target", "target", ("n",), Domain("index"), "index of the true class", differentiable=False),
    ),
    parameters=(
        Parameter(
            "label_smoothing",
            r"\varepsilon",
            0.0,
            0.0,
            1.0,
            0.05,
            "Share of the target that is spread evenly over all classes.",
        ),
        CLASS_WEIGHTS,
    ),
    reductions=(WEIGHTED_MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\sum_{c=1}^{k} w_c\, q_{ic} \ln p_{ic},\quad p_{ic} = \frac{e^{z_{ic}}}{\sum_j e^{z_{ij}}},"
        r"\quad q_{ic} = (1-\varepsilon)\,[c = y_i] + \frac{\varepsilon}{k}"
    ),
    gradient_formula=r"p_{ic} \sum_{j} w_j q_{ij} - w_c\, q_{ic}",
    worked=(
        "−ln {label_probability}",
        "(1 − {label_smoothing}) · {label_logarithm} + {label_smoothing} · {mean_logarithm}",
        "{label_weight} · {label_logarithm}",
        "(1 − {label_smoothing}) · {label_weight} · {label_logarithm} + {label_smoothing} · {mean_logarithm}",
    ),
    board=Bars(((2.0, 1.0, 0.0), (0.5, 1.5, -1.0), (1.0, 0.0, 0.8)), (0.0, 1.0, 2.0)),
    fits=(Fit("multiclass", "identity", "index"),),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note=(
            "Keras has no class weights in its loss; it weights samples, which is the same as long as the labels are "
            "not smoothed."
        ),
    ),
    minimiser="The logarithms of the class frequencies (plus any constant, since softmax sees only differences).",
    pitfalls=(
        Pitfall(
            "It applies log-softmax itself. Probabilities put in as logits are squashed twice: (0.9, 0.05, "
            "0.05) with true class 0 costs 0.618 instead of 0.105, and even a perfect (1, 0, 0) would still "
            "cost 0.551.",
            state={"prediction": [[0.9, 0.05, 0.05]], "target": [0.0]},
        ),
        Pitfall(
            "A uniform guess over k classes costs ln k: 1.099 for 3 classes, 2.303 for 10. A model "
            "that starts far above that is badly initialised.",
            state={"prediction": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]},
        ),
        Pitfall(
            "With class weights PyTorch's mean divides by the sum of the targets' weights, not by the number "
            "of samples. With the weights 1, 3 and 0.5 the sum is 2.013 and the mean 0.447, because the "
            "weights add up to 4.5; divided by the 3 samples it would be 0.671.",
            parameters={"weight": (1.0, 3.0, 0.5)},
        ),
        Pitfall(
            "One function has many names. Keras calls it sparse categorical cross-entropy for class indices "
            "and categorical cross-entropy for one-hot rows; scikit-learn's log_loss is the same on "
            "probabilities. The starting example costs 0.587 in all of them.",
        ),
        Pitfall(
            "PyTorch's LinearCrossEntropyLoss and AdaptiveLogSoftmaxWithLoss are layers with this loss "
            "behind them. The first computes the logits itself with a linear layer, in pieces, so that those "
            "of a large vocabulary need not be held in memory at once; its value is this loss of these logits. "
            "The second arranges the classes in clusters by how frequent they are: a rare class's probability "
            "is that of its cluster times that within it. What they add to the value is minus the logarithm of "
            "the true class's probability, as here.",
        ),
    ),
    relatives=(
        Relative("nll", "takes log-probabilities: this loss without its log-softmax"),
        Relative("bce_with_logits", "two classes, or several labels that may hold at once"),
        Relative("kl_div", "compares whole distributions; for a one-hot target the same value"),
        Relative("next_token", "this loss at every place of a sentence"),
    ),
    suits=(
        Suit(
            predicts="one_class",
            reason="It is smallest, on average, at the true class probabilities, and takes raw scores.",
            labels=("hard",),
            wants=("probabilities",),
        ),
        Suit(
            predicts="one_class",
            reason="Its class weights make samples of rare or important classes count more.",
            labels=("hard",),
            trouble=("imbalance", "uneven_costs"),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Goodfellow, Bengio, Courville (2016): Deep Learning, section 6.2.2.3",
        "Szegedy et al. (2016): Rethinking the Inception Architecture (label smoothing), arXiv:1512.00567",
        "https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, log_loss of the softmax", [[2.0, 1.0, 0.0]], [0], 0.4076059644443803),
        Golden("optax 0.2.8, softmax_cross_entropy_with_integer_labels", *_GOLDEN_POINT, 0.5871658281502972),
        Golden("Keras 3.15.1, SparseCategoricalCrossentropy", *_GOLDEN_POINT, 1.7614974844508913, "sum"),
        Golden(
            "Keras 3.15.1, CategoricalCrossentropy",
            *_GOLDEN_POINT,
            0.6660547170391861,
            "mean",
            {"label_smoothing": 0.1},
        ),
        Golden(
            "scikit-learn 1.9.1, log_loss of the softmax with sample_weight",
            *_GOLDEN_POINT,
            0.44742206757318725,
            "mean",
            {"weight": (1.0, 3.0, 0.5)},
        ),
    ),
    errors=(
        ErrorCase([[2.0, 1.0, 0.0]], [3], "0 to 2"),
        ErrorCase([[2.0, 1.0, 0.0]], [0.5], "whole number"),
        ErrorCase([[2.0, 1.0, 0.0]], [0, 1], "shape"),
        ErrorCase([[2.0, 1.0, 0.0]], [0], "one for each", {"weight": (1.0, 2.0)}),
    ),
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "label_probability": "Probability of the true class",
        "label_logarithm": "Minus its logarithm",
        "mean_logarithm": "Mean of minus the logarithms",
        "label_weight": "Class weight",
    },
    best_constant=_best_constant,
    invariances=(Invariance("Adding the same number to all logits of a sample changes nothing.", _shift_logits),),
    naive=Naive(
        (
            "The exponential of a logit above 709 (88 in float32) overflows to infinity, and infinity divided "
            "by infinity is not a number; the softmax of a class far behind is 0, whose logarithm is minus "
            "infinity."
        ),
        _naive,
        "-(prediction.exp() / prediction.exp().sum(1, keepdim=True)).log()[range(len(target)), target]",
    ),
)
