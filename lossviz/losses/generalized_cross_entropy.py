"""Generalised cross-entropy for noisy labels."""

from __future__ import annotations

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


def _log_probability(inputs: Inputs) -> Tensor:
    return of_label(inputs, torch.log_softmax(inputs["prediction"], -1))


def _terms(inputs: Inputs, params: Params) -> Tensor:
    q: float = params["q"]
    return -torch.expm1(q * _log_probability(inputs)) / q


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    power = torch.exp(params["q"] * _log_probability(inputs))[..., None]
    return power * (torch.softmax(inputs["prediction"], -1) - one_hot(inputs))


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {
        "softmax": torch.softmax(inputs["prediction"], -1),
        "label_probability": _log_probability(inputs).exp(),
    }


def _best_constant(target: Tensor, params: Params) -> Tensor:
    counts = torch.bincount(target).to(torch.float64)
    # For q = 1 the most frequent class gets everything: the others' logits are minus infinity.
    return torch.where(counts == counts.max(), 0.0, (counts / counts.max()).log() / (1 - params["q"]))


LOSS = Loss(
    key="generalized_cross_entropy",
    title="Generalised cross-entropy",
    task="multiclass",
    position=6,
    summary="Cross-entropy with a limit: hopeless samples, which may be labelled wrongly, stop pulling.",
    notice=(
        "Sample 3 is surely class 0 but labelled 2. Cross-entropy asks 5.025 for it; here it costs 1.386 before "
        "averaging, near the limit of 1.429. Its largest slope is 0.0098, while Sample 1, which is nearly right, has "
        "0.084: whoever seems mislabelled hardly counts. Lower q to 0.05 and the slope of Sample 3 grows to 0.258, "
        "on the way to cross-entropy's 0.331."
    ),
    use_when="A good part of the labels may be wrong, and the model should not learn them by heart.",
    avoid_when=(
        "Labels are clean: it learns more slowly, above all from hard samples, and with many classes it may not get "
        "going at all."
    ),
    aliases=("GCE", "Lq loss", "generalized cross entropy", "CategoricalGeneralizedCrossEntropy"),
    inputs=LOGIT_INPUTS,
    parameters=(
        Parameter(
            "q",
            "q",
            0.7,
            0.0,
            1.0,
            0.05,
            "From cross-entropy (towards 0) to the probability of a mistake (1): how much noise is tolerated.",
            low_open=True,
            label="Exponent q",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\frac{1 - p_{i y_i}^{\,q}}{q},\quad p_{ic} = \frac{e^{z_{ic}}}{\sum_j e^{z_{ij}}}",
    gradient_formula=r"p_{i y_i}^{\,q}\, (p_{ic} - [c = y_i])",
    worked=("(1 − ({label_probability})^{q}) / {q}",),
    board=Bars(((2.0, 1.0, 0.0), (0.5, 1.5, -1.0), (4.0, 0.0, -1.0)), (0.0, 1.0, 2.0)),
    fits=CLASS_FITS,
    code=Code(
        torch=(
            'log_p = -F.cross_entropy(prediction, target, reduction="none")\n'
            "terms = -torch.expm1({q} * log_p) / {q}\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "label = keras.ops.one_hot(target, prediction.shape[1])\n"
            "log_p = keras.ops.sum(label * keras.ops.log_softmax(prediction), axis=1)\n"
            "loss = keras.ops.{reduction}(-keras.ops.expm1({q} * log_p) / {q})"
        ),
        keras_note="Keras has no such loss; these three lines are all there is to it.",
    ),
    minimiser=(
        "Logits ln(f) / (1 − q) for class frequencies f, plus any constant: probabilities sharper than the "
        "frequencies. With q 1 everything goes to the most frequent class."
    ),
    pitfalls=(
        Pitfall(
            "Hard samples look like wrong labels. At the start of training a sample of 3 equal classes has a slope of "
            "0.154 in size at its true class, and Sample 2, which is badly wrong, only 0.0149: if it is right, it is "
            "learnt slowly.",
            state={"prediction": [[0.0, 0.0, 0.0], [5.0, 0.0, 0.0]], "target": [0.0, 1.0]},
        ),
        Pitfall(
            "With q 1 the loss is the probability of a mistake, half the absolute error of the probabilities. It "
            "tolerates the most noise, but learns so slowly that training may stall: the slope of Sample 3 is 0.0022.",
            parameters={"q": 1.0},
        ),
        Pitfall(
            "Its outputs are sharper than the truth. Two of these three labels are class 0; with q 0.7 the slopes "
            "balance at the probabilities 0.910 and 0.090 instead of 2/3 and 1/3.",
            state={
                "prediction": [[2.3104906018664844, 0.0]] * 3,
                "target": [0.0, 0.0, 1.0],
            },
        ),
        Pitfall(
            "Losses with different q cannot be compared: the limit of a term is 1 over q, 1.429 with q 0.7 and 10 with "
            "q 0.1.",
            parameters={"q": 0.1},
        ),
    ),
    relatives=(
        Relative("cross_entropy", "what it tends to as q goes to 0"),
        Relative("brier", "another bounded loss of a probability"),
        Relative("categorical_focal", "the opposite: hard samples count more"),
        Relative("general_robust", "the same kind of slider for numbers with outliers"),
    ),
    suits=(
        Suit(
            predicts="one_class",
            reason="Samples that contradict the model strongly lose their pull, so wrong labels do little harm.",
            labels=("hard",),
            trouble=("noisy_labels",),
        ),
    ),
    properties=("non_convex", "robust", "bounded", "logits"),
    references=(
        "Zhang, Sabuncu (2018): Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels, "
        "arXiv:1805.07836",
    ),
    goldens=(
        Golden(
            "mpmath 1.3.0, L_q of Zhang, Sabuncu (2018)",
            [[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [4.0, 0.0, -1.0]],
            [0, 1, 2],
            0.68931366477870980249,
        ),
        Golden(
            "mpmath 1.3.0, L_q of Zhang, Sabuncu (2018), summed",
            [[2.0, 1.0, 0.0], [0.5, 1.5, -1.0], [4.0, 0.0, -1.0]],
            [0, 1, 2],
            3.6033803522052832681,
            "sum",
            {"q": 0.25},
        ),
    ),
    errors=(*CLASS_ERRORS, ErrorCase([[2.0, 1.0, 0.0]], [0], "(0, 1]", {"q": 0.0})),
    derived=_derived,
    derived_labels={"softmax": "Softmax", "label_probability": "Probability of the true class"},
    best_constant=_best_constant,
    invariances=(Invariance("Raising all logits of a sample by the same amount changes nothing.", shift_scores),),
)
