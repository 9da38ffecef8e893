"""Multi-label margin loss."""

from __future__ import annotations

from math import inf

from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._multiclass import LABEL_ERRORS, LABEL_ROWS, LABEL_TARGETS, LABELS, class_count, shift_scores
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
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _shortfalls(inputs: Inputs) -> Tensor:
    """For every pair of a class that applies (row) and one that does not (column) what lacks to a lead of 1."""
    score, applies = inputs["prediction"], inputs["target"] == 1
    # Infinite scores take the other pairs out: two steps over all pairs instead of five.
    leads, follows = score.masked_fill(~applies, inf), score.masked_fill(applies, -inf)
    return (follows[..., None, :] - (leads - 1)[..., :, None]).relu()


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return _shortfalls(inputs).sum((-2, -1)) / inputs["prediction"].shape[-1]


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    active = (_shortfalls(inputs) > 0).to(inputs["prediction"].dtype)
    return (active.sum(-2) - active.sum(-1)) / inputs["prediction"].shape[-1]


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    shortfalls = _shortfalls(inputs)
    return {
        "class_shortfall": shortfalls.sum(-1) + shortfalls.sum(-2),
        "shortfall_sum": shortfalls.sum((-2, -1)),
        "classes": class_count(inputs),
    }


LOSS = Loss(
    key="multilabel_margin",
    title="Multi-label margin",
    task="multiclass",
    position=8,
    summary="For samples with several labels: how far each class that applies is from beating each that does not by 1.",
    notice=(
        "In Sample 1 the classes 0 and 2 apply. Class 2 has 0.2 and leads class 1 by only 0.7, so 0.3 is lacking; all "
        "other pairs have their lead of 1. Divided by 4 classes that costs 0.075 before averaging. In Sample 2 class 1 "
        "lacks 0.2 against class 0 and 0.5 against class 3: 0.175. Raise the score of class 1 to 1.5: nothing is "
        "lacking any more, and the slope is 0."
    ),
    use_when="A sample can have several labels, and only their order counts: those that apply above those that do not.",
    avoid_when=(
        "You need a probability for each label, or a threshold that says which labels apply: it compares scores only "
        "within a sample."
    ),
    aliases=("MultiLabelMarginLoss", "multi-label hinge loss"),
    inputs=(
        Input(
            "prediction", "prediction", ("n", "k"), REAL, "one raw score for each class; those that apply should lead"
        ),
        LABELS,
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\frac1k \sum_{j:\, y_{ij} = 1}\ \sum_{l:\, y_{il} = 0} \max(0,\ 1 - (s_{ij} - s_{il}))",
    gradient_formula=(
        r"\frac1k \begin{cases} -\#\{l : y_{il} = 0,\ s_{ic} - s_{il} < 1\} & y_{ic} = 1 \\"
        r" \#\{j : y_{ij} = 1,\ s_{ij} - s_{ic} < 1\} & y_{ic} = 0 \end{cases}"
    ),
    worked=("{shortfall_sum} / {classes}",),
    board=Bars(LABEL_ROWS, LABEL_TARGETS, truth="labels", label="Score", beside=""),
    code=Code(
        torch=(
            "# PyTorch takes the indices of the labels that apply, filled up with -1\n"
            "order = torch.argsort(target, dim=1, descending=True, stable=True)\n"
            "applies = torch.arange(target.shape[1]) < target.sum(1, keepdim=True)\n"
            "indices = torch.where(applies, order, -1)\n"
            "loss = F.multilabel_margin_loss(prediction, indices, reduction={reduction!r})"
        ),
        keras=(
            "lead = prediction[:, :, None] - prediction[:, None, :]\n"
            "pairs = keras.ops.array(target[:, :, None] * (1 - target[:, None, :]))\n"
            "terms = keras.ops.sum(pairs * keras.ops.relu(1 - lead), axis=(1, 2)) / prediction.shape[1]\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no such loss; it is one sum over all pairs of classes.",
    ),
    minimiser="No closed form: the scores of labels that apply often lie above those that apply rarely.",
    pitfalls=(
        Pitfall(
            "PyTorch's target is a list of class indices that ends at the first −1, not a row of 0 and 1. The row "
            "1, 0, 1, 0 put in as it is reads as the classes 1, 0, 1, 0: without an error Sample 1 costs "
            "1.1 instead of 0.075.",
        ),
        Pitfall(
            "Where no class applies, or all do, there are no pairs: both samples here cost 0 and have no slope, "
            "whatever the scores.",
            state={"target": [[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]},
        ),
        Pitfall(
            "It knows no threshold. All scores of Sample 1 are far below 0, those of Sample 2 far above; in both the "
            "labels lead as they should, and the loss is 0. How many labels apply has to be decided in another way.",
            state={"prediction": [[-5.0, -9.0, -6.0, -8.0], [6.0, 9.0, 5.0, 7.0]]},
        ),
        Pitfall(
            "It divides by the number of classes, not by the number of pairs. All scores are 0: Sample 1 has four "
            "pairs and costs 1, Sample 2 has three and costs 0.75 before averaging. More labels weigh more.",
            state={"prediction": [[0.0] * 4, [0.0] * 4]},
        ),
    ),
    relatives=(
        Relative("multilabel_soft_margin", "each label on its own, with a probability"),
        Relative("multi_margin", "the same where exactly one class applies"),
        Relative("margin_ranking", "the same for one pair of scores"),
    ),
    suits=(
        Suit(
            predicts="several_labels",
            reason="It asks the labels that apply for a lead over all others, where only the order counts.",
            labels=("hard",),
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Crammer, Singer (2003): A Family of Additive Online Algorithms for Category Ranking, Journal of Machine "
        "Learning Research 3, 1025-1058",
        "https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html",
    ),
    goldens=(
        Golden(
            "mpmath 1.3.0, sum over all pairs by the formula in PyTorch's documentation",
            [[1.5, -0.5, 0.2, -1.0], [0.2, 1.0, -0.3, 0.5]],
            [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
            0.125,
        ),
        Golden(
            "mpmath 1.3.0, sum over all pairs by the formula in PyTorch's documentation, summed",
            [[1.5, -0.5, 0.2, -1.0], [0.2, 1.0, -0.3, 0.5]],
            [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
            0.25,
            "sum",
        ),
    ),
    errors=LABEL_ERRORS,
    kinks="The slope jumps where a class that applies leads one that does not by exactly 1.",
    derived=_derived,
    derived_labels={
        "class_shortfall": "Lacking in its pairs",
        "shortfall_sum": "Sum over all pairs",
        "classes": "Number of classes",
    },
    invariances=(Invariance("Raising all scores of a sample by the same amount changes nothing.", shift_scores),),
)
