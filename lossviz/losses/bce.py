"""Binary cross-entropy on probabilities."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import binary
from lossviz.losses.base import (
    MEAN,
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
    Params,
    Pitfall,
    Relative,
    Suit,
)

_UNIT = Domain("interval", low=0.0, high=1.0)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return F.binary_cross_entropy(inputs["prediction"], inputs["target"], reduction="none")


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    p, y = inputs["prediction"], inputs["target"]
    # torch's backward keeps the divisor at 1e-12 or more; the gradient at p = 0 or 1 is large, not infinite.
    return (p - y) / torch.clamp(p * (1 - p), min=1e-12)


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    p, y = inputs["prediction"], inputs["target"]
    label = y * p + (1 - y) * (1 - p)
    clamped = torch.where(label < math.exp(-100), 1.0, 0.0)
    return {"label_probability": label, "case": torch.where((y == 0) | (y == 1), clamped, 2.0)}


def _other_label(inputs: Inputs) -> Inputs:
    return {name: 1 - value for name, value in inputs.items()}


def _naive(inputs: Inputs, _: Params) -> Tensor:
    p, y = inputs["prediction"], inputs["target"]
    return -(y * p.log() + (1 - y) * (1 - p).log())


LOSS = Loss(
    key="bce",
    title="Binary cross-entropy",
    task="binary",
    position=1,
    summary=(
        "How surprised a predicted probability is by the true label: minus the logarithm of what it gave that label."
    ),
    notice=(
        "A probability of 0.8 for a label 1 costs 0.223. Drag it towards 0: the cost grows without limit in theory; "
        "PyTorch stops at 100, because it keeps the logarithm at −100 or more."
    ),
    use_when="The model already gives a probability of yes, and you want honest probabilities.",
    avoid_when=(
        "The probability comes straight from a sigmoid: the loss that takes the logits is the same "
        "function and keeps its digits."
    ),
    aliases=(
        "BCE",
        "BCELoss",
        "log loss",
        "binary log loss",
        "logistic loss on probabilities",
        "cross-entropy for two classes",
    ),
    inputs=(
        Input("prediction", "prediction", ("n", "..."), _UNIT, "probability of label 1"),
        Input("target", "target", ("n", "..."), _UNIT, "label, 0 or 1 (or a probability between)"),
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"-\left[\, y_i \ln p_i + (1 - y_i) \ln (1 - p_i) \,\right]",
    gradient_formula=r"\frac{p_i - y_i}{p_i\,(1 - p_i)}",
    worked=(
        "−ln {label_probability}",
        "100, PyTorch's limit for −ln {label_probability}",
        "−{target} · ln {prediction} − (1 − {target}) · ln(1 − {prediction})",
    ),
    board=binary((0.8, 0.3, 0.6, 0.1), (1.0, 0.0, 0.0, 1.0), "Probability", probability=True),
    fits=(Fit("binary", "sigmoid", "zero_one"),),
    code=Code(
        torch="loss = F.binary_cross_entropy(prediction, target, reduction={reduction!r})",
        keras=(
            "cross_entropy = keras.losses.BinaryCrossentropy(reduction={keras_reduction!r})\n"
            "loss = cross_entropy(target[:, None], prediction[:, None])"
        ),
        keras_note="Keras keeps probabilities 1e-7 away from 0 and 1; PyTorch keeps the logarithm at −100 or more.",
    ),
    minimiser="The share of label 1 among the targets.",
    pitfalls=(
        Pitfall(
            "It takes probabilities. A raw score such as 2 is refused, here as in PyTorch; binary "
            "cross-entropy with logits is for scores and charges 0.127 for Logit 1 before averaging.",
            loss="bce_with_logits",
        ),
        Pitfall(
            "A probability of exactly 0 for a label 1 would cost infinitely much. PyTorch keeps the logarithm "
            "at −100 or more, so Probability 1 makes 25 of the loss of 25.894; its slope of −2.5×10¹¹ "
            "wrecks the next step. A sigmoid gives exactly 0 or 1 sooner than one thinks: in float32 it is 1 "
            "from a logit of 17 on.",
            state={"prediction": [0.0, 0.3, 0.6, 0.1]},
        ),
        Pitfall(
            "The logarithm is natural: a probability of 0.8 for a label 1 costs 0.223, not 0.097, which is "
            "what the logarithm to base 10 gives.",
            state={"prediction": [0.8], "target": [1.0]},
        ),
        Pitfall(
            "A value of 0.693 does not mean that 69% are wrong. It is what a probability of 0.5 costs, "
            "whatever the labels: ln 2.",
            state={"prediction": [0.5, 0.5, 0.5, 0.5]},
        ),
    ),
    relatives=(
        Relative("bce_with_logits", "the same function of the raw score, stable everywhere"),
        Relative("cross_entropy", "the same for more than two classes"),
        Relative("brier", "squared error of the probability: bounded, forgiving of confident mistakes"),
        Relative("focal", "turns down what is already predicted well"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It is smallest, on average, at the true probability, and takes probabilities as labels, too.",
            labels=("hard", "soft"),
            wants=("probabilities",),
        ),
    ),
    properties=("convex",),
    references=(
        "Bishop (2006): Pattern Recognition and Machine Learning, section 4.3.2",
        "https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, log_loss", [0.8, 0.3, 0.6, 0.1], [1.0, 0.0, 0.0, 1.0], 0.9496735800302857),
        Golden("scikit-learn 1.9.1, log_loss", [0.8], [1.0], 0.2231435513142097, "sum"),
        Golden("scipy 1.17.1, special.rel_entr plus special.entr", [0.6, 0.4], [0.7, 0.2], 0.6121919007930319),
    ),
    errors=(
        ErrorCase([1.8], [1.0], "[0, 1]"),
        ErrorCase([0.5], [2.0], "[0, 1]"),
        ErrorCase([0.5, 0.5], [1.0], "shape"),
        ErrorCase([float("nan")], [1.0], "finite"),
    ),
    derived=_derived,
    derived_labels={"label_probability": "Probability of the true label"},
    best_constant=lambda target, _: target.mean(),
    invariances=(
        Invariance("Swapping the names of the two labels, p for 1 − p and y for 1 − y, changes nothing.", _other_label),
    ),
    naive=Naive(
        (
            "Without the limit at −100 the logarithm of 0 is minus infinity: a wrong 0 or 1 costs infinitely "
            "much, and a right one gives 0 times infinity, which is not a number."
        ),
        _naive,
        "-(target * prediction.log() + (1 - target) * (1 - prediction).log())",
    ),
)
