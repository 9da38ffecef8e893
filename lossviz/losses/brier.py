"""Brier score."""

from __future__ import annotations

from torch import Tensor

from lossviz.boards import binary
from lossviz.losses._binary import ZERO_ONE
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
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return (inputs["prediction"] - inputs["target"]) ** 2


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return 2 * (inputs["prediction"] - inputs["target"])


def _other_class(inputs: Inputs) -> Inputs:
    return {name: 1 - value for name, value in inputs.items()}


LOSS = Loss(
    key="brier",
    title="Brier score",
    task="binary",
    position=10,
    summary="The square of how far a predicted probability is from what happened: 1 or 0.",
    notice=(
        "A probability of 0.8 for a label 1 costs 0.04 before averaging, one of 0.1 costs 0.81. Drag Probability 4 to "
        "0: the cost stops at 1, where binary cross-entropy knows no limit. Put all probabilities at 0.5: "
        "the loss is 0.25 whatever the labels."
    ),
    use_when=(
        "You judge probability forecasts, such as rain tomorrow, and single confident mistakes should not decide the "
        "whole score."
    ),
    avoid_when=(
        "You train a network that ends in a sigmoid: for confident mistakes the slope at the logit nearly vanishes, "
        "and binary cross-entropy learns far faster."
    ),
    aliases=("squared error of probabilities", "Brier loss", "quadratic score"),
    inputs=(
        Input(
            "prediction", "prediction", ("n", "..."), Domain("interval", low=0.0, high=1.0), "probability of label 1"
        ),
        ZERO_ONE,
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"(p_i - y_i)^2",
    gradient_formula=r"2\,(p_i - y_i)",
    worked=("({prediction} − {target})²",),
    board=binary((0.8, 0.3, 0.6, 0.1), (1.0, 0.0, 0.0, 1.0), "Probability", probability=True),
    fits=(Fit("binary", "sigmoid", "zero_one"),),
    code=Code(
        torch="loss = F.mse_loss(prediction, target, reduction={reduction!r})",
        keras=(
            "brier = keras.losses.MeanSquaredError(reduction={keras_reduction!r})\n"
            "loss = brier(target[:, None], prediction[:, None])"
        ),
        keras_note="Neither library has it under this name: it is the mean squared error of the probabilities.",
    ),
    minimiser="The share of label 1 among the targets.",
    pitfalls=(
        Pitfall(
            "A confident mistake costs little more than an unsure one: Probability 4 is 0.001 for a label 1 and costs "
            "0.998 before averaging, where 0.1 costs 0.81. Behind a sigmoid the slope shrinks by p times 1 − p, here "
            "0.001, so that such a mistake is hardly mended.",
            state={"prediction": [0.8, 0.3, 0.6, 0.001]},
        ),
        Pitfall(
            "Always saying 0.5 costs 0.25, not 0.5 and not 0.693. Values of the Brier score and of cross-entropy "
            "cannot be compared.",
            state={"prediction": [0.5, 0.5, 0.5, 0.5]},
        ),
        Pitfall(
            "For a rare label a small value says little. One label in eight is 1 and every probability is 0: the loss "
            "is 0.125, and nothing has been learnt. Compare with the score of always forecasting the share of label "
            "1, here 0.109.",
            state={"prediction": [0.0] * 8, "target": [1.0, *[0.0] * 7]},
        ),
        Pitfall(
            "Brier's own definition adds up the squares of both classes, which is twice as much: 0.65 instead of the "
            "0.325 of the starting example. scikit-learn and most others count label 1 alone, as here.",
        ),
    ),
    relatives=(
        Relative("bce", "also honest in probability, but without a limit for confident mistakes"),
        Relative("mse", "the same formula for any numbers"),
        Relative("generalized_cross_entropy", "a slider between cross-entropy and a bounded loss"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason="It is smallest for the true probability, and no single mistake can cost more than 1.",
            labels=("hard",),
            trouble=("noisy_labels", "outliers"),
            wants=("probabilities",),
        ),
    ),
    properties=("convex", "robust", "bounded"),
    references=(
        "Brier (1950): Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 78(1), 1-3",
        "Gneiting, Raftery (2007): Strictly Proper Scoring Rules, Prediction, and Estimation, Journal of the American "
        "Statistical Association 102(477), 359-378",
        "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.brier_score_loss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, brier_score_loss", [0.8, 0.3, 0.6, 0.1], [1.0, 0.0, 0.0, 1.0], 0.325),
        Golden("optax 0.2.8, squared_error summed", [0.8, 0.3, 0.6, 0.1], [1.0, 0.0, 0.0, 1.0], 1.3, "sum"),
    ),
    errors=(
        ErrorCase([1.2], [1.0], "[0, 1]"),
        ErrorCase([0.5], [0.5], "one of 0, 1"),
        ErrorCase([0.5, 0.5], [1.0], "shape"),
        ErrorCase([float("nan")], [1.0], "finite"),
    ),
    best_constant=lambda target, _: target.mean(),
    invariances=(Invariance("Exchanging the two labels and their probabilities changes nothing.", _other_class),),
)
