"""Poly-1 cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._multiclass import (
    CLASS_ERRORS,
    CLASS_FITS,
    LOGIT_INPUTS,
    LOGIT_ROWS,
    of_label,
    one_hot,
    shift_scores,
)
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


def _log_probability(inputs: Inputs) -> Tensor:
    return of_label(inputs, torch.log_softmax(inputs["prediction"], -1))


def _terms(inputs: Inputs, params: Params) -> Tensor:
    log_p = _log_probability(inputs)
    epsilon: float = params["epsilon"]
    return -log_p - epsilon * torch.expm1(log_p)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    p = _log_probability(inputs).exp()[..., None]
    epsilon: float = params["epsilon"]
    return (1 + epsilon * p) * (torch.softmax(inputs["prediction"], -1) - one_hot(inputs))


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    log_p = _log_probability(inputs)
    return {
        "softmax": torch.softmax(inputs["prediction"], -1),
        "label_logarithm": -log_p,
        "other_probability": -torch.expm1(log_p),
    }


LOSS = Loss(
    key="poly1",
    title="Poly-1",
    task="multiclass",
    position=7,
    summary="Cross-entropy plus a multiple of the probability that went to wrong classes.",
    notice=(
        "Cross-entropy is 1 − p plus (1 − p)² / 2 plus (1 − p)³ / 3 and so on, p being the true class's probability; "
        "Poly-1 changes the weight of the first part. Sample 1 has p = 0.665: cross-entropy 0.408 plus 2 times 0.335 "
        "makes 1.077 before averaging. Set epsilon to 0 to see plain cross-entropy, 0.587 instead of 1.434. Set it to "
        "−1: samples that are nearly right lose their slope."
    ),
    use_when=(
        "Cross-entropy works, and you want to tune one number: above 0 to keep pulling at samples that are nearly "
        "right, below 0 to let go of them, as where one class is frequent."
    ),
    avoid_when="You need honest probabilities, or have no time to tune: with epsilon 0 it is cross-entropy.",
    aliases=("PolyLoss", "Poly-1 cross-entropy"),
    inputs=LOGIT_INPUTS,
    parameters=(
        Parameter(
            "epsilon",
            r"\epsilon",
            2.0,
            -1.0,
            10.0,
            0.1,
            "How much more (or below 0, less) the first part of cross-entropy's series counts.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(r"-\ln p_{i y_i} + \epsilon\,(1 - p_{i y_i}),\quad p_{ic} = \frac{e^{z_{ic}}}{\sum_j e^{z_{ij}}}"),
    gradient_formula=r"(1 + \epsilon\, p_{i y_i})\,(p_{ic} - [c = y_i])",
    worked=("{label_logarithm} + {epsilon} · {other_probability}",),
    board=Bars(LOGIT_ROWS, (0.0, 1.0, 2.0)),
    fits=CLASS_FITS,
    code=Code(
        torch=(
            'cross_entropy = F.cross_entropy(prediction, target, reduction="none")\n'
            "terms = cross_entropy - {epsilon} * torch.expm1(-cross_entropy)  # 1 - p\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            'cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")\n'
            "terms = cross_entropy(target, prediction)\n"
            "loss = keras.ops.{reduction}(terms - {epsilon} * keras.ops.expm1(-terms))"
        ),
        keras_note="Keras has no such loss; it is its cross-entropy and one part more.",
    ),
    minimiser=(
        "No closed form: probabilities f / (λ − εf) for class frequencies f, with λ such that they add up to 1. "
        "Sharper than the frequencies for an epsilon above 0, flatter below."
    ),
    pitfalls=(
        Pitfall(
            "Its values are not those of cross-entropy. A uniform guess over 3 classes costs 1.099 there and 2.432 "
            "here, with the 2 of epsilon: only losses with the same epsilon can be compared.",
            state={"prediction": [[0.0, 0.0, 0.0]], "target": [0.0]},
        ),
        Pitfall(
            "Its outputs are sharper than the truth. Two of these three labels are class 0; with epsilon 2 the slopes "
            "balance at the probabilities 0.781 and 0.219 instead of 2/3 and 1/3.",
            state={"prediction": [[1.2701966331368917, 0.0]] * 3, "target": [0.0, 0.0, 1.0]},
        ),
        Pitfall(
            "With epsilon −1 the slope fades like (1 − p)², so nearly right samples are hardly improved: Sample 1 with "
            "p = 0.926 has a slope of −0.0055, cross-entropy's is −0.074.",
            state={"prediction": [[3.5, 0.5, 0.0]], "target": [0.0]},
            parameters={"epsilon": -1.0},
        ),
    ),
    relatives=(
        Relative("cross_entropy", "what it is with epsilon 0"),
        Relative("categorical_focal", "turns nearly right samples down by a power"),
        Relative("generalized_cross_entropy", "turns hopeless samples down"),
    ),
    suits=(
        Suit(
            predicts="one_class",
            reason="One number tunes cross-entropy to the data; below 0 it lets go of the easy, frequent class.",
            labels=("hard",),
            trouble=("imbalance",),
        ),
    ),
    properties=("non_convex", "robust", "logits"),
    references=(
        "Leng, Tan, Liu, Cubuk, Shi, Cheng, Anguelov (2022): PolyLoss: A Polynomial Expansion Perspective of "
        "Classification Loss Functions, arXiv:2204.12511",
    ),
    goldens=(
        Golden(
            "optax 0.2.8, poly_loss_cross_entropy",
            [[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            1.4342709857861486,
        ),
        Golden(
            "optax 0.2.8, poly_loss_cross_entropy summed",
            [[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            1.1261686162240025,
            "sum",
            {"epsilon": -0.5},
        ),
    ),
    errors=(*CLASS_ERRORS, ErrorCase([[2.0, 1.0, 0.0]], [0], "[-1, 10]", {"epsilon": -2.0})),
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "label_logarithm": "Minus the logarithm of the true class's probability",
        "other_probability": "Probability of the wrong classes",
    },
    invariances=(Invariance("Raising all logits of a sample by the same amount changes nothing.", shift_scores),),
)
