"""Zero-one loss: accuracy as a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._binary import KERAS_HAS_NONE, score_board
from lossviz.losses._shared import MARGIN_ERRORS, MARGIN_FITS, MARGIN_INPUTS, MARGIN_LABELS, flip_signs, margin
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    prediction = inputs["prediction"]
    # 0 times the prediction ties the step to it, so that autograd can say its slope: 0.
    return (inputs["target"] * prediction <= 0).to(prediction.dtype) + 0 * prediction


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return torch.zeros_like(inputs["prediction"])


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = margin(inputs, params)
    return {**numbers, "case": (numbers["margin"] <= 0).to(inputs["prediction"].dtype)}


def _best_constant(target: Tensor, _: Params) -> Tensor:
    return torch.where(target.sum() < 0, -1.0, 1.0).to(target.dtype)


LOSS = Loss(
    key="zero_one",
    title="Zero-one",
    task="binary",
    position=12,
    summary="Counts a wrong label as 1 and a right one as 0: its mean is the share of mistakes, 1 less the accuracy.",
    notice=(
        "Scores 3 and 4 lie on the wrong side: two of four, so the loss is 0.5 and the accuracy 0.5. Drag Score 4 to "
        "and fro: nothing happens until it crosses 0, where the loss drops to 0.25 at once. Everywhere the slope is "
        "0, so gradient descent gets no hint where to go and stays where it is."
    ),
    use_when="You report how good a trained classifier is: it is what people mean by accuracy.",
    avoid_when=(
        "You train with gradients: there are none. Train with a loss that bounds it from above, such as the hinge or "
        "the exponential loss."
    ),
    aliases=("0-1 loss", "misclassification rate", "error rate", "accuracy"),
    inputs=MARGIN_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\begin{cases} 1 & y_i s_i \le 0 \\ 0 & y_i s_i > 0 \end{cases}",
    gradient_formula=r"0 \text{ almost everywhere; at } s_i = 0 \text{ the value jumps and there is no derivative}",
    worked=("0, because {target} · {prediction} is above 0", "1, because {target} · {prediction} is not above 0"),
    board=score_board(0.0),
    fits=MARGIN_FITS,
    code=Code(
        torch=(
            "wrong = target * prediction <= 0\n"
            "terms = wrong.to(prediction.dtype) + 0 * prediction  # 0 * prediction: so that backward() runs\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "wrong = target * prediction <= 0\n"
            'terms = keras.ops.cast(wrong, "float32")\n'
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note=KERAS_HAS_NONE,
    ),
    minimiser="Any score of the more frequent label's sign, such as −1 or +1.",
    pitfalls=(
        Pitfall(
            "Accuracy cannot be trained by gradient descent: half of these scores are wrong, and every slope is 0. "
            "This is why classifiers are trained with cross-entropy or a hinge and only judged by accuracy.",
        ),
        Pitfall(
            "It does not see how wrong a score is, or how sure: here one score misses by 0.01 and one by 100, and each "
            "counts 1, so the loss is still 0.5.",
            state={"prediction": [0.3, -2.0, 0.01, -100.0]},
        ),
        Pitfall(
            "A score of exactly 0 counts as a mistake for both labels, so the loss is 1 here. Libraries differ: "
            "scikit-learn's linear classifiers call a score of 0 the first label, −1.",
            state={"prediction": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "With a rare label it flatters: seven of eight labels are −1, all scores are −1, and the loss is only "
            "0.125, although the rare label was never found.",
            state={"prediction": [-1.0] * 8, "target": [1.0, *[-1.0] * 7]},
        ),
    ),
    relatives=(
        Relative("hinge", "never below it, convex, and with a slope"),
        Relative("exponential", "never below it either, and smooth"),
        Relative("perceptron", "how far the mistakes lie on the wrong side, instead of how many there are"),
        Relative("soft_margin", "a smooth loss to train with when accuracy is what counts"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It is the share of mistakes, to be reported and not to be trained with.",
            labels=("hard",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "robust", "bounded", "no_gradient"),
    references=(
        "Bartlett, Jordan, McAuliffe (2006): Convexity, Classification, and Risk Bounds, Journal of the American "
        "Statistical Association 101(473), 138-156",
        "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.zero_one_loss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, zero_one_loss", [0.3, -2.0, 0.5, -1.5], [1.0, -1.0, -1.0, 1.0], 0.5),
        Golden(
            "scikit-learn 1.9.1, zero_one_loss without normalize",
            [0.3, -2.0, 0.5, -1.5],
            [1.0, -1.0, -1.0, 1.0],
            2.0,
            "sum",
        ),
    ),
    errors=MARGIN_ERRORS,
    derived=_derived,
    derived_labels=MARGIN_LABELS,
    best_constant=_best_constant,
    invariances=(
        Invariance("Turning the signs of score and label around changes nothing.", flip_signs),
        Invariance(
            "Making every score three times as large changes nothing.",
            lambda inputs: {**inputs, "prediction": 3 * inputs["prediction"]},
        ),
    ),
)
