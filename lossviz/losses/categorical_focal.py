"""Focal loss for several classes, on logits."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._multiclass import CLASS_ERRORS, CLASS_FITS, LOGIT_INPUTS, of_label, one_hot, shift_scores
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Inputs,
    Invariance,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _logarithms(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """The logarithms of the true class's probability p and of 1 - p."""
    log_softmax = torch.log_softmax(inputs["prediction"], -1)
    log_p = of_label(inputs, log_softmax)
    # Each of the two ways to 1 - p keeps its digits, and those of its slope, in its own half.
    summed = log_softmax.masked_fill(one_hot(inputs).bool(), -torch.inf).logsumexp(-1)
    subtracted = torch.log1p(-log_p.exp().clamp(max=0.5))
    return log_p, torch.where(log_p < -math.log(2), subtracted, summed)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    log_p, log_q = _logarithms(inputs)
    # A power of 1 - p would have an infinite slope at 0 for gamma below 1; the exponential of its logarithm has not.
    alpha: float = params["alpha"]
    return alpha * torch.exp(params["gamma"] * log_q) * -log_p


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    label, softmax = one_hot(inputs), torch.softmax(inputs["prediction"], -1)
    log_p, log_q = (number[..., None] for number in _logarithms(inputs))
    gamma: float = params["gamma"]
    among_others = torch.softmax(inputs["prediction"].masked_fill(label.bool(), -torch.inf), -1)
    slope: Tensor = gamma * -log_p * log_p.exp() * (among_others - label) + softmax - label
    alpha: float = params["alpha"]
    return alpha * torch.exp(gamma * log_q) * slope


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    log_p, log_q = _logarithms(inputs)
    return {
        "softmax": torch.softmax(inputs["prediction"], -1),
        "other_probability": log_q.exp(),
        "label_logarithm": -log_p,
    }


LOSS = Loss(
    key="categorical_focal",
    title="Categorical focal",
    task="multiclass",
    position=3,
    summary="Cross-entropy that turns down samples whose true class is already likely, so that hard ones count.",
    notice=(
        "Sample 1 gives its true class a probability of 0.954, Sample 3 only 0.100. With gamma 0 and alpha 1 that is "
        "cross-entropy, and Sample 3 costs 49 times as much as Sample 1. With gamma 2 it costs more than 18,000 times "
        "as much: nearly the whole loss comes from the one hard sample."
    ),
    use_when="Most samples are easy, often because one class is frequent, and they drown the few hard ones.",
    avoid_when=(
        "You need honest probabilities, or labels are wrong: wrong labels look like hard samples, and it turns to them."
    ),
    aliases=("categorical focal cross-entropy", "softmax focal loss", "multi-class focal loss"),
    inputs=LOGIT_INPUTS,
    parameters=(
        Parameter("gamma", r"\gamma", 2.0, 0.0, 10.0, 0.1, "How strongly likely true classes are turned down."),
        Parameter("alpha", r"\alpha", 0.25, 0.0, 10.0, 0.05, "A factor for all samples alike."),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(r"-\alpha\,(1 - p_{i y_i})^{\gamma} \ln p_{i y_i},\quad p_{ic} = \frac{e^{z_{ic}}}{\sum_j e^{z_{ij}}}"),
    gradient_formula=(
        r"\alpha\,(1 - p_{i y_i})^{\gamma} \left[ 1 - \frac{\gamma\, p_{i y_i} \ln p_{i y_i}}{1 - p_{i y_i}} \right]"
        r" (p_{ic} - [c = y_i])"
    ),
    worked=("{alpha} · ({other_probability})^{gamma} · {label_logarithm}",),
    board=Bars(((4.0, 0.5, 0.0), (0.5, 1.5, -1.0), (2.0, 0.5, 0.0)), (0.0, 1.0, 2.0)),
    fits=CLASS_FITS,
    code=Code(
        torch=(
            "log_softmax = F.log_softmax(prediction, dim=1)\n"
            "label = F.one_hot(target, prediction.shape[1]).bool()\n"
            "log_q = log_softmax.masked_fill(label, -torch.inf).logsumexp(1)  # log(1 - p), exactly\n"
            "terms = -{alpha} * torch.exp({gamma} * log_q) * log_softmax[label]\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "focal = keras.losses.CategoricalFocalCrossentropy(\n"
            "    alpha={alpha}, gamma={gamma}, from_logits=True, reduction={keras_reduction!r}\n"
            ")\n"
            "loss = focal(keras.ops.one_hot(target, prediction.shape[1]), prediction)"
        ),
        keras_note="Keras keeps probabilities 1e-7 away from 0 and 1, so it differs beyond a cost of 16 times alpha.",
    ),
    minimiser=(
        "No closed form: probabilities in the order of the class frequencies, but nearer to each other the larger "
        "gamma."
    ),
    pitfalls=(
        Pitfall(
            "Alpha is the same for every class: it makes all costs smaller and balances nothing. Keras also takes one "
            "alpha a class. With alpha 1 the starting loss is 4 times as large, 0.635 instead of 0.159.",
            parameters={"alpha": 1.0},
        ),
        Pitfall(
            "A wrong label takes over. Samples 1 and 2 are right; Sample 3 is surely class 0 but labelled 2, and it "
            "makes 99.4% of the loss of 0.501. Cross-entropy would give it 93%.",
            state={"prediction": [[4.0, 0.5, 0.0], [0.5, 1.5, -1.0], [6.0, 0.5, 0.0]]},
        ),
        Pitfall(
            "It applies softmax itself. The probabilities 0.9, 0.05 and 0.05 put in as logits become 0.539, 0.230 and "
            "0.230: the sample costs 0.0328 instead of 0.000263.",
            state={"prediction": [[0.9, 0.05, 0.05]], "target": [0.0]},
        ),
    ),
    relatives=(
        Relative("focal", "the same for two classes, with a weight for each label"),
        Relative("cross_entropy", "what it is with gamma 0 and alpha 1"),
        Relative("poly1", "also changes cross-entropy by what is missing to certainty"),
        Relative("generalized_cross_entropy", "the opposite: turns hard samples down, for noisy labels"),
    ),
    suits=(
        Suit(
            predicts="one_class",
            reason="Likely classes are turned down by their own probability, so a flood of easy samples counts little.",
            labels=("hard",),
            trouble=("imbalance",),
        ),
    ),
    properties=("non_convex", "robust", "logits"),
    references=(
        "Lin, Goyal, Girshick, He, Dollár (2017): Focal Loss for Dense Object Detection, arXiv:1708.02002",
        "https://keras.io/api/losses/probabilistic_losses/#categoricalfocalcrossentropy-class",
    ),
    goldens=(
        Golden(
            "Keras 3.15.1, CategoricalFocalCrossentropy",
            [[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            0.038824243238403,
        ),
        Golden(
            "Keras 3.15.1, CategoricalFocalCrossentropy summed",
            [[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            0.731868047233287,
            "sum",
            {"alpha": 0.6, "gamma": 0.5},
        ),
    ),
    errors=(
        *CLASS_ERRORS,
        ErrorCase([[2.0, 1.0, 0.0]], [0], "[0, 10]", {"gamma": -1.0}),
        ErrorCase([[2.0, 1.0, 0.0]], [0], "[0, 10]", {"alpha": -0.1}),
    ),
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "other_probability": "Probability of all other classes",
        "label_logarithm": "Minus the logarithm of the true class's probability",
    },
    invariances=(Invariance("Raising all logits of a sample by the same amount changes nothing.", shift_scores),),
)
