"""Multi-class margin loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._classes import CLASS_WEIGHTS, class_weights
from lossviz.losses._multiclass import (
    CLASS_ERRORS,
    CLASS_FITS,
    SCORE_INPUTS,
    SCORE_ROWS,
    class_count,
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


def _excess(inputs: Inputs, params: Params) -> Tensor:
    """What each other class has above the true class's score less the margin; 0 for the true class."""
    score = of_label(inputs, inputs["prediction"])[..., None]
    margin: float = params["margin"]
    return (margin - score + inputs["prediction"]).relu() * (1 - one_hot(inputs))


def _power(params: Params) -> int:
    return 2 if params["p"] == "squared" else 1


def _weighted(inputs: Inputs, params: Params, numbers: Tensor) -> Tensor:
    weight = class_weights(inputs, params)
    return numbers if weight is None else weight[inputs["target"]] * numbers


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return _weighted(inputs, params, (_excess(inputs, params) ** _power(params)).mean(-1))


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    excess = _excess(inputs, params)
    pull = 2 * excess if _power(params) == 2 else (excess > 0).to(excess.dtype)
    pull = pull - one_hot(inputs) * pull.sum(-1, keepdim=True)
    scale = _weighted(inputs, params, 1 / class_count(inputs))
    return scale[..., None] * pull


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    excess = _excess(inputs, params)
    numbers = {
        "excess": excess,
        "excess_sum": (excess ** _power(params)).sum(-1),
        "classes": class_count(inputs),
    }
    weight = class_weights(inputs, params)
    if weight is not None:
        numbers["label_weight"] = weight[inputs["target"]]
    return {**numbers, "case": torch.full_like(numbers["classes"], 0.0 if weight is None else 1.0)}


def _torch(params: Params, _: str) -> str:
    lines = ["loss = F.multi_margin_loss(", "    prediction,", "    target,", f"    p={_power(params)},"]
    lines.append("    margin={margin},")
    if params["weight"] is not None:
        lines.append("    weight=torch.tensor({weight}, dtype=prediction.dtype),")
    return "\n".join([*lines, "    reduction={reduction!r},", ")"])


def _keras(params: Params, _: str) -> str:
    power = " ** 2" if _power(params) == 2 else ""
    lines = [
        "label = keras.ops.one_hot(target, prediction.shape[1])",
        "score = keras.ops.sum(label * prediction, axis=1, keepdims=True)",
        "excess = keras.ops.relu({margin} - score + prediction) * (1 - label)",
        f"terms = keras.ops.mean(excess{power}, axis=1)",
    ]
    if params["weight"] is not None:
        lines.append("terms = terms * keras.ops.take({weight}, target)")
    return "\n".join([*lines, "loss = keras.ops.{reduction}(terms)"])


LOSS = Loss(
    key="multi_margin",
    title="Multi-class margin",
    task="multiclass",
    position=4,
    summary="How much the scores of the other classes come too near to the true one's, or pass it.",
    notice=(
        "Sample 1's true class leads by 1.5 and by 2.5, both at least the margin of 1: it costs 0 and has no slope. "
        "Sample 2 leads by 0.7, 0.3 too little, and costs 0.3 over 3 classes, 0.1 before averaging. In Sample 3 class "
        "0 is 1.2 too high and class 1 is 0.2 too high: that costs 1.4 over 3, which is 0.467. Set p to 2: class 0 "
        "of Sample 3 alone now makes 92% of the loss, before it was 71%."
    ),
    use_when=(
        "Only the order of the scores counts, as in a linear classifier, and every class that comes too near should "
        "be pushed back."
    ),
    avoid_when="You need probabilities, or there are very many classes: dividing by their number makes it tiny.",
    aliases=("MultiMarginLoss", "multi-class hinge loss", "Weston-Watkins hinge"),
    inputs=SCORE_INPUTS,
    parameters=(
        Parameter("margin", "m", 1.0, 0.0, 100.0, 0.1, "By how much the true class's score should lead."),
        Parameter.choice(
            "p",
            "p",
            {"linear": "1: as it is", "squared": "2: squared"},
            "Whether what lacks to the margin counts as it is or squared.",
            label="Power p",
        ),
        CLASS_WEIGHTS,
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\frac{w_{y_i}}{k} \sum_{j \ne y_i} \max(0,\ m - s_{i y_i} + s_{ij})^p",
    gradient_formula=(
        r"\begin{cases} \frac{w_{y_i}}{k}\, p\, e_{ic}^{\,p-1}\, [e_{ic} > 0] & c \ne y_i \\ -\sum_{j \ne y_i}"
        r" \frac{w_{y_i}}{k}\, p\, e_{ij}^{\,p-1}\, [e_{ij} > 0] & c = y_i \end{cases},\quad"
        r" e_{ij} = m - s_{i y_i} + s_{ij}"
    ),
    worked=("{excess_sum} / {classes}", "{label_weight} · {excess_sum} / {classes}"),
    board=Bars(SCORE_ROWS, (0.0, 1.0, 2.0), label="Score", beside=""),
    fits=CLASS_FITS,
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note="Keras has no such loss; its CategoricalHinge takes the worst class only.",
    ),
    minimiser="No closed form: the scores of frequent classes lie above those of rare ones, by the margin at most.",
    pitfalls=(
        Pitfall(
            "It divides by the number of all classes, the true one included. Both other classes of this sample are "
            "1 too high, and the loss is 0.667, not 1.",
            state={"prediction": [[0.0, 0.0, 0.0]], "target": [0.0]},
        ),
        Pitfall(
            "Scores have no scale of their own: they are half of those at the start, the order is the same, and the "
            "loss grows from 0.189 to 0.289. The margin belongs to the size of your scores.",
            state={"prediction": [[1.25, 0.5, 0.0], [0.25, 0.6, -0.5], [0.5, 0.0, 0.4]]},
        ),
        Pitfall(
            "Probabilities instead of scores can hardly ever satisfy it: true classes with 0.9, 0.8 and 0.8 still cost "
            "0.167. Only 1 against 0 would do.",
            state={"prediction": [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]},
        ),
        Pitfall(
            "Its mean divides by the number of samples even with class weights, unlike that of cross-entropy: the "
            "terms with the weights 1, 3 and 0.5 add up to 0.533, and the mean is 0.178, a third of it.",
            parameters={"weight": (1.0, 3.0, 0.5)},
        ),
    ),
    relatives=(
        Relative("categorical_hinge", "looks at the worst other class only"),
        Relative("hinge", "the same idea for two classes"),
        Relative("multilabel_margin", "the same for samples with several labels"),
        Relative("cross_entropy", "with probabilities, and never quite satisfied"),
    ),
    suits=(
        Suit(
            predicts="one_class",
            reason="It asks the true class for a lead over every other one and leaves alone what has it.",
            labels=("hard",),
            wants=("margin",),
        ),
    ),
    properties=("convex",),
    references=(
        "Weston, Watkins (1999): Support Vector Machines for Multi-Class Pattern Recognition, ESANN",
        "https://pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html",
    ),
    goldens=(
        Golden(
            "mpmath 1.3.0, sum of Weston, Watkins (1999) over the number of classes",
            [[2.5, 1.0, 0.0], [0.5, 1.2, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            0.18888888888888888889,
        ),
        Golden(
            "mpmath 1.3.0, sum of Weston, Watkins (1999) over the number of classes, squared and weighted",
            [[2.5, 1.0, 0.0], [0.5, 1.2, -1.0], [1.0, 0.0, 0.8]],
            [0, 1, 2],
            1.2033333333333333333,
            "sum",
            {"p": "squared", "margin": 1.5, "weight": (1.0, 3.0, 0.5)},
        ),
    ),
    errors=(
        *CLASS_ERRORS,
        ErrorCase([[2.0, 1.0, 0.0]], [0], "one of 'linear', 'squared'", {"p": "cubed"}),
        ErrorCase([[2.0, 1.0, 0.0]], [0], "[0, 100]", {"margin": -1.0}),
        ErrorCase([[2.0, 1.0, 0.0]], [0], "one for each", {"weight": (1.0, 2.0)}),
    ),
    kinks="With p 1 the slope jumps where another class comes exactly as near as the margin allows.",
    derived=_derived,
    derived_labels={
        "excess": "Too high by",
        "excess_sum": "Sum over the classes",
        "classes": "Number of classes",
        "label_weight": "Class weight",
    },
    invariances=(Invariance("Raising all scores of a sample by the same amount changes nothing.", shift_scores),),
)
