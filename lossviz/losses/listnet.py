"""ListNet loss (top-one)."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._ranking import ERRORS, INVARIANCES, SCORES, ranks
from lossviz.losses._shared import REAL
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
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


def _terms(inputs: Inputs, _: Params) -> Tensor:
    target = torch.softmax(inputs["target"], -1)
    return -(target * torch.log_softmax(inputs["prediction"], -1)).sum(-1)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return torch.softmax(inputs["prediction"], -1) - torch.softmax(inputs["target"], -1)


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    relevance = torch.softmax(inputs["target"], -1)
    return {
        "softmax": torch.softmax(inputs["prediction"], -1),
        "target_softmax": relevance,
        "log_sum": torch.logsumexp(inputs["prediction"], -1),
        "expected_score": (relevance * inputs["prediction"]).sum(-1),
        "scene_rank": ranks(inputs["prediction"]),
    }


def _naive(inputs: Inputs, _: Params) -> Tensor:
    target, scores = inputs["target"].exp(), inputs["prediction"].exp()
    share = target / target.sum(-1, keepdim=True)
    return -(share * torch.log(scores / scores.sum(-1, keepdim=True))).sum(-1)


def _best_constant(target: Tensor, _: Params) -> Tensor:
    return torch.softmax(target, -1).mean(0).log()


def _shift_relevances(inputs: Inputs) -> Inputs:
    """All relevances of a list raised by the same number."""
    return {**inputs, "target": inputs["target"] + 0.5}


_GOLDEN_POINT = ([[1.0, 1.5, -1.0], [2.0, 0.5, 1.0]], [[3.0, 1.0, 0.0], [0.0, 2.0, 2.0]])

LOSS = Loss(
    key="listnet",
    title="ListNet",
    task="embedding",
    position=7,
    summary=(
        "Turns the relevances of a list and its scores into the chances of each item to come first, and compares the "
        "two by cross-entropy."
    ),
    notice=(
        "List 1 has the relevances 3, 1, 0: item 0 should come first with the chance 0.844. The scores give it 0.359 "
        "and prefer item 1 (0.592), so the gradient raises item 0 and lowers item 1. Give it the scores 3, 1, 0: the "
        "gradient is 0, yet the loss is 0.524, the entropy of the target itself."
    ),
    use_when="Whole lists with graded relevance are known, and the top of the list matters most.",
    avoid_when=(
        "You only know which of two is better, or the grades are mere ranks: the softmax takes differences of "
        "relevance literally."
    ),
    aliases=(
        "listwise softmax cross-entropy with softmax relevances",
        "ListNet top-one loss",
        "listwise cross-entropy",
    ),
    inputs=(
        SCORES,
        Input(
            "target",
            "target",
            ("n", "k"),
            REAL,
            "relevance of each item, such as a grade from 0 to 3",
            differentiable=False,
        ),
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\sum_{c} q_{ic} \ln p_{ic}, \quad q_{ic} = \frac{e^{r_{ic}}}{\sum_j e^{r_{ij}}}, \quad "
        r"p_{ic} = \frac{e^{s_{ic}}}{\sum_j e^{s_{ij}}}"
    ),
    gradient_formula=r"p_{ic} - q_{ic}",
    worked=("{log_sum} − {expected_score}",),
    board=Bars(
        prediction=((1.0, 1.5, -1.0), (2.0, 0.5, 1.0)),
        target=((3.0, 1.0, 0.0), (0.0, 2.0, 2.0)),
        truth="relevance",
        values=(0.0, 1.0, 2.0, 3.0),
        label="Score",
        beside="softmax",
        beside_label="Chance to come first",
        sample_label="List",
        class_label="Item",
    ),
    code=Code(
        torch="loss = F.cross_entropy(prediction, torch.softmax(target, dim=1), reduction={reduction!r})",
        keras=(
            "cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
            "loss = cross_entropy(keras.ops.softmax(target), prediction)"
        ),
        keras_note="It is the cross-entropy with the softmax of the relevances as a soft target.",
    ),
    minimiser=(
        "The logarithms of the mean of the target chances (plus any constant): for a single list its own relevances."
    ),
    pitfalls=(
        Pitfall(
            "A perfect ranking does not cost 0. With scores equal to the relevances, as here, the gradient is 0 and "
            "the value is 0.705, the mean entropy of the targets. Compare with that, not with 0.",
            state={"prediction": [[3.0, 1.0, 0.0], [0.0, 2.0, 2.0]]},
        ),
        Pitfall(
            "The size of the grades matters, not only their order. With the grades 2, 1, 0 instead of 3, 1, 0 item 0 "
            "of list 1 should come first with the chance 0.665 instead of 0.844.",
            state={"target": [[2.0, 1.0, 0.0], [0.0, 2.0, 2.0]]},
        ),
        Pitfall(
            "A list in which nothing is relevant is not silent: its target is an even chance for all, so list 1 here "
            "costs 1.524, and its scores are pushed together.",
            state={"target": [[0.0, 0.0, 0.0], [0.0, 2.0, 2.0]]},
        ),
    ),
    relatives=(
        Relative("cross_entropy", "the same with one true class instead of relevances"),
        Relative("ranknet", "looks at pairs of items instead of the whole list"),
        Relative("kl_div", "the same less the entropy of the target, so that the best value is 0"),
    ),
    suits=(
        Suit(
            predicts="ranking",
            reason="It compares whole lists with graded relevance and cares most about what comes first.",
            wants=("best_value", "probabilities"),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Cao, Qin, Liu, Tsai, Li (2007): Learning to Rank: From Pairwise Approach to Listwise Approach, International "
        "Conference on Machine Learning",
    ),
    goldens=(
        Golden("Keras 3.15.1, CategoricalCrossentropy", *_GOLDEN_POINT, 1.342988349973695),
        Golden("optax 0.2.8, ranking_softmax_loss", *_GOLDEN_POINT, 2.68597669994739, "sum"),
    ),
    errors=ERRORS,
    derived=_derived,
    derived_labels={
        "softmax": "Chance to come first",
        "target_softmax": "Chance by relevance",
        "log_sum": "Log-sum-exp of the scores",
        "expected_score": "Score expected by relevance",
    },
    best_constant=_best_constant,
    invariances=(
        *INVARIANCES,
        Invariance("All relevances of a list may be raised by the same number.", _shift_relevances),
    ),
    naive=Naive(
        "Written with exp, scores above 88 overflow in float32 (above 709 in float64) and the loss is not a number; "
        "log-softmax first takes away the largest score.",
        _naive,
        "loss = -(target.softmax(1) * (prediction.exp() / prediction.exp().sum(1, keepdim=True)).log()).sum(1).mean()",
    ),
)
