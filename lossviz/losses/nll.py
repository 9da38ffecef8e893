"""Negative log-likelihood on log-probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._classes import CLASS_WEIGHTS, WEIGHTED_MEAN, class_weights
from lossviz.losses._multiclass import LOGIT_ROWS, TRUE_CLASS, of_label, one_hot
from lossviz.losses.base import (
    SUM,
    Code,
    Domain,
    ErrorCase,
    Fit,
    Golden,
    Input,
    Inputs,
    Loss,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    weight = class_weights(inputs, params)
    surprise = -of_label(inputs, inputs["prediction"])
    return surprise if weight is None else weight[inputs["target"]] * surprise


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    weight = class_weights(inputs, params)
    return -one_hot(inputs) if weight is None else -one_hot(inputs) * weight


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    weight = class_weights(inputs, params)
    logarithm = of_label(inputs, inputs["prediction"])
    numbers = {"softmax": inputs["prediction"].exp(), "label_logarithm": logarithm}
    if weight is not None:
        numbers["label_weight"] = weight[inputs["target"]]
    return {**numbers, "case": torch.full_like(logarithm, 0.0 if weight is None else 1.0)}


def _link(state: Inputs) -> dict[str, Tensor]:
    return {"prediction": torch.log_softmax(state["prediction"], -1), "target": state["target"].long()}


def _torch(params: Params, _: str) -> str:
    lines = ["log_probability = F.log_softmax(prediction, dim=1)"]
    if params["weight"] is None:
        return "\n".join([*lines, "loss = F.nll_loss(log_probability, target, reduction={reduction!r})"])
    lines.append("weight = torch.tensor({weight}, dtype=prediction.dtype)")
    return "\n".join([*lines, "loss = F.nll_loss(log_probability, target, weight=weight, reduction={reduction!r})"])


def _keras(params: Params, reduction: str) -> str:
    define = "cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction={name})\n"
    if params["weight"] is None:
        return define.replace("{name}", "{keras_reduction!r}") + "loss = cross_entropy(target, prediction)"
    name = "sum" if reduction == "sum" else "mean_with_sample_weight"
    return (
        define.replace("{name}", repr(name))
        + "loss = cross_entropy(target, prediction, sample_weight=keras.ops.take({weight}, target))"
    )


def _best_constant(target: Tensor, params: Params) -> Tensor:
    counts = torch.bincount(target).to(torch.float64)
    mass = counts if params["weight"] is None else counts * counts.new_tensor(params["weight"][: len(counts)])
    # A class without a sample gets the smallest probability that has a finite logarithm.
    return (mass / mass.sum()).clamp(min=torch.finfo(mass.dtype).tiny).log()


_POINT = (
    [
        [-0.4076059644443804, -1.4076059644443804, -2.4076059644443806],
        [-1.3715390318526828, -0.37153903185268283, -2.871539031852683],
        [-0.7823524881538282, -1.7823524881538282, -0.9823524881538281],
    ],
    [0, 1, 2],
)

LOSS = Loss(
    key="nll",
    title="Negative log-likelihood",
    task="multiclass",
    position=2,
    summary="Minus the logarithm of the probability that the model gave to the true class.",
    notice=(
        "The handles are logits; their log-softmax is what the loss takes. Sample 1 gives its true class a probability "
        "of 0.665, the logarithm of which is −0.408, so it costs 0.408 before averaging. Lower the logit of a wrong "
        "class: the softmax passes its share on, and the loss falls."
    ),
    use_when=(
        "Your model ends in a log-softmax, or its log-probabilities come from somewhere else, such as a mixture or a "
        "hidden Markov model."
    ),
    avoid_when="Your model gives raw scores: cross-entropy does both steps in one and is harder to get wrong.",
    aliases=("NLL", "NLLLoss", "negative log likelihood", "log-likelihood loss"),
    inputs=(
        Input(
            "prediction",
            "prediction",
            ("n", "k"),
            Domain("log_probability"),
            "natural logarithms of the predicted probabilities",
        ),
        TRUE_CLASS,
    ),
    parameters=(CLASS_WEIGHTS,),
    reductions=(WEIGHTED_MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"-w_{y_i} \ln p_{i y_i}",
    gradient_formula=(
        r"-w_{y_i} [c = y_i] \text{ with respect to } \ln p_{ic},\quad w_{y_i} (p_{ic} - [c = y_i])"
        r" \text{ with respect to the logits}"
    ),
    worked=("−({label_logarithm})", "−{label_weight} · ({label_logarithm})"),
    board=Bars(LOGIT_ROWS, (0.0, 1.0, 2.0), link=_link),
    fits=(Fit("multiclass", "log_softmax", "index"),),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note="Keras has no loss on log-probabilities; on their logits this one is cross-entropy.",
    ),
    minimiser="The logarithms of the class frequencies, each class weighted with its class weight.",
    pitfalls=(
        Pitfall(
            "It does not take the logarithm itself, in spite of its name. Given the probability 0.665 of Sample 1 "
            "instead of its logarithm, PyTorch returns −0.665 without an error. Here a prediction above 0 is refused.",
        ),
        Pitfall(
            "Raw logits put in without log-softmax give a loss that falls for ever: for the logit 2 of Sample 1 it "
            "would be −2, and raising the logit lowers it without end. Through the log-softmax it is 0.408.",
        ),
        Pitfall(
            "With class weights PyTorch's mean divides by the sum of the targets' weights. With the weights 1, 3 and "
            "0.5 the terms add up to 2.013 and the mean is 0.447: divided by 4.5, not by 3.",
            parameters={"weight": (1.0, 3.0, 0.5)},
        ),
        Pitfall(
            "A confident mistake has no limit: here Sample 3 gives its true class a probability of 0.0000454 and "
            "costs 10.000 before averaging. A probability of exactly 0 would cost infinity.",
            state={"prediction": [[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [10.0, -10.0, 0.0]]},
        ),
    ),
    relatives=(
        Relative("cross_entropy", "the same behind a log-softmax of its own"),
        Relative("kl_div", "also on log-probabilities, for soft targets"),
        Relative("generalized_cross_entropy", "with a limit for confident mistakes"),
        Relative("next_token", "the same over the words of a sentence"),
    ),
    suits=(
        Suit(
            predicts="one_class",
            reason="It is the likelihood itself, for models that already give log-probabilities.",
            labels=("hard",),
            wants=("probabilities",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Goodfellow, Bengio, Courville (2016): Deep Learning, section 5.5",
        "https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, log_loss", *_POINT, 0.587165828150297),
        Golden(
            "scikit-learn 1.9.1, log_loss with sample_weight",
            *_POINT,
            0.44742206757318725,
            "mean",
            {"weight": (1.0, 3.0, 0.5)},
        ),
        Golden(
            "scikit-learn 1.9.1, log_loss with sample_weight, not normalised",
            *_POINT,
            2.0133993040793428,
            "sum",
            {"weight": (1.0, 3.0, 0.5)},
        ),
    ),
    errors=(
        ErrorCase([[0.9, 0.1]], [0], "at most 0"),
        ErrorCase([[-0.1, -0.1]], [0], "sum to 1"),
        ErrorCase([[-0.6931471805599453, -0.6931471805599453]], [2], "0 to 1"),
        ErrorCase([[-0.6931471805599453, -0.6931471805599453]], [0], "one for each", {"weight": (1.0, 2.0, 3.0)}),
    ),
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "label_logarithm": "Logarithm of the true class's probability",
        "label_weight": "Class weight",
    },
    best_constant=_best_constant,
)
