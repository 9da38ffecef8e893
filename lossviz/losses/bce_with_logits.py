"""Binary cross-entropy on logits."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import binary
from lossviz.losses._shared import BINARY_SCORE_FITS, REAL
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Domain,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Loss,
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    logits, weight = inputs["prediction"], params["pos_weight"]
    pos_weight = None if weight == 1 else logits.new_tensor(weight)
    return F.binary_cross_entropy_with_logits(logits, inputs["target"], reduction="none", pos_weight=pos_weight)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    z, y = inputs["prediction"], inputs["target"]
    weight: float = params["pos_weight"]
    # The slopes of the two labels, each with its digits where sigmoid(z) rounds to 1.
    return (1 - y) * torch.sigmoid(z) - weight * y * torch.sigmoid(-z)


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    z, y = inputs["prediction"], inputs["target"]
    return {"probability": torch.sigmoid(z), "case": torch.where(y == 0, 0.0, torch.where(y == 1, 1.0, 2.0))}


def _best_constant(target: Tensor, params: Params) -> Tensor:
    weight: float = params["pos_weight"]
    return (weight * target.sum() / (1 - target).sum()).log()


def _keras(params: Params, _: str) -> str:
    define = "cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
    if params["pos_weight"] == 1:
        return define + "loss = cross_entropy(target[:, None], prediction[:, None])"
    return define + (
        "weight = {pos_weight} * target + (1 - target)\n"
        "loss = cross_entropy(target[:, None], prediction[:, None], sample_weight=weight)"
    )


def _naive(inputs: Inputs, params: Params) -> Tensor:
    p, y = torch.sigmoid(inputs["prediction"]), inputs["target"]
    weight: float = params["pos_weight"]
    return -(weight * y * p.log() + (1 - y) * (1 - p).log())


LOSS = Loss(
    key="bce_with_logits",
    title="Binary cross-entropy with logits",
    task="binary",
    position=2,
    summary="Binary cross-entropy that takes a raw score (a logit) and turns it into a probability itself.",
    notice=(
        "Logit 4 is −3 for a label 1: before averaging it costs 3.049, with a slope of −0.953. Drag it to −5: "
        "now it costs 5.007, with a slope of −0.993. A confident mistake costs nearly in proportion to the logit and "
        "keeps its slope, so learning does not stall. Set pos_weight to 3: mistakes on label 1 count three times."
    ),
    use_when=(
        "Two classes, or several labels that may hold at once: the usual choice where the model gives raw "
        "scores and you want probabilities."
    ),
    avoid_when=(
        "Exactly one of several classes is true (take cross-entropy), or some labels are wrong: each of "
        "them pulls with nearly full force for ever."
    ),
    aliases=("BCEWithLogitsLoss", "sigmoid cross-entropy", "sigmoid binary cross-entropy", "log loss on logits"),
    inputs=(
        Input("prediction", "prediction", ("n", "..."), REAL, "logit of label 1: 0 means a probability of 0.5"),
        Input(
            "target",
            "target",
            ("n", "..."),
            Domain("interval", low=0.0, high=1.0),
            "label, 0 or 1 (or a probability between)",
        ),
    ),
    parameters=(
        Parameter(
            "pos_weight",
            "w",
            1.0,
            0.0,
            1000.0,
            0.5,
            "How many times a sample with label 1 counts.",
            label="Weight of label 1",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"-\left[\, w\, y_i \ln \sigma(z_i) + (1 - y_i) \ln (1 - \sigma(z_i)) \,\right]",
    gradient_formula=r"(1 - y_i)\,\sigma(z_i) - w\, y_i\,\sigma(-z_i)",
    worked=(
        "ln(1 + exp({prediction}))",
        "{pos_weight} · ln(1 + exp(−{prediction}))",
        "{pos_weight} · {target} · ln(1 + exp(−{prediction})) + (1 − {target}) · ln(1 + exp({prediction}))",
    ),
    board=binary((2.0, -1.0, 0.5, -3.0), (1.0, 0.0, 0.0, 1.0), "Logit"),
    fits=BINARY_SCORE_FITS,
    code=Code(
        torch=(
            "loss = F.binary_cross_entropy_with_logits(\n"
            "    prediction,\n"
            "    target,\n"
            "    pos_weight=torch.tensor({pos_weight}, dtype=prediction.dtype),\n"
            "    reduction={reduction!r},\n"
            ")"
        ),
        keras=_keras,
        keras_note="Keras has no pos_weight in this loss; weighting the samples by their label comes to the same.",
    ),
    minimiser=(
        "The logarithm of pos_weight times the number of labels 1 over the number of labels 0: with pos_weight 1 "
        "the log-odds of label 1."
    ),
    pitfalls=(
        Pitfall(
            "It applies the sigmoid itself. A probability put in as a logit is squashed twice: 0.8 for label 1 "
            "costs 0.371 instead of 0.223.",
            state={"prediction": [0.8], "target": [1.0]},
        ),
        Pitfall(
            "With a pos_weight other than 1 the sigmoid of the output is no longer an estimate of the "
            "probability. Of these two labels one is 1, and yet with pos_weight 3 the slopes of 0.375 and "
            "−0.375 balance at a logit of 1.1, a probability of 0.750.",
            state={"prediction": [1.1, 1.1], "target": [1.0, 0.0]},
            parameters={"pos_weight": 3.0},
        ),
        Pitfall(
            "Even with pos_weight its mean divides by the number of elements: with pos_weight 3 the starting "
            "example costs 2.703, which is its sum of 10.814 divided by 4. The mean of weighted cross-entropy "
            "divides by the weights.",
            parameters={"pos_weight": 3.0},
        ),
    ),
    relatives=(
        Relative("bce", "the same function of the probability"),
        Relative("soft_margin", "the same with labels −1 and +1"),
        Relative("focal", "turns down what is already predicted well"),
        Relative("cross_entropy", "one true class out of several"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It turns raw scores into honest probabilities and stays exact for very confident scores.",
            labels=("hard", "soft"),
            wants=("probabilities",),
        ),
        Suit(
            predicts="yes_no",
            reason="Its pos_weight makes the samples of the rarer label count more.",
            labels=("hard",),
            trouble=("imbalance", "uneven_costs"),
        ),
        Suit(
            predicts="several_labels",
            reason="Each label is a yes or no of its own, so each gets a sigmoid and a term of its own.",
            labels=("hard", "soft"),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Bishop (2006): Pattern Recognition and Machine Learning, section 4.3.2",
        "https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html",
    ),
    goldens=(
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy",
            [2.0, -1.0, 0.5, -3.0],
            [1.0, 0.0, 0.0, 1.0],
            1.115713508578761,
        ),
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy summed",
            [2.0, -1.0, 0.5, -3.0],
            [0.7, 0.2, 1.0, 0.0],
            1.7628540343150443,
            "sum",
        ),
        Golden(
            "scikit-learn 1.9.1, log_loss of the sigmoid with sample_weight, not normalised",
            [2.0, -1.0, 0.5, -3.0],
            [1.0, 0.0, 0.0, 1.0],
            10.813884759548474,
            "sum",
            {"pos_weight": 3.0},
        ),
        Golden(
            "scikit-learn 1.9.1, log_loss of the sigmoid with sample_weight, divided by 4",
            [2.0, -1.0, 0.5, -3.0],
            [1.0, 0.0, 0.0, 1.0],
            0.7187740882516718,
            "mean",
            {"pos_weight": 0.5},
        ),
    ),
    errors=(
        ErrorCase([0.5], [-1.0], "[0, 1]"),
        ErrorCase([0.5, 0.5], [1.0], "shape"),
        ErrorCase([float("nan")], [1.0], "finite"),
        ErrorCase([0.5], [1.0], "[0, 1000]", {"pos_weight": -1.0}),
    ),
    derived=_derived,
    derived_labels={"probability": "Probability of label 1"},
    best_constant=_best_constant,
    naive=Naive(
        (
            "The sigmoid rounds to 1 (from 37 on, in float32 from 17 on) or underflows to 0, and the logarithm "
            "of 0 is minus infinity."
        ),
        _naive,
        (
            "-(pos_weight * target * torch.sigmoid(prediction).log() + (1 - target) * (1 - "
            "torch.sigmoid(prediction)).log())"
        ),
    ),
)
