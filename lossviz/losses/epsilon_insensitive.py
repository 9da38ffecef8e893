"""Epsilon-insensitive loss of support vector regression."""

from __future__ import annotations

from torch import Tensor

from lossviz.boards import line
from lossviz.losses._shared import (
    REGRESSION_ERRORS,
    REGRESSION_FITS,
    REGRESSION_INPUTS,
    RESIDUAL_LABELS,
    residual,
    shift_both,
    swap_roles,
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


def _terms(inputs: Inputs, params: Params) -> Tensor:
    epsilon: float = params["epsilon"]
    return ((inputs["prediction"] - inputs["target"]).abs() - epsilon).relu()


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    error = inputs["prediction"] - inputs["target"]
    epsilon: float = params["epsilon"]
    return error.sign() * (error.abs() > epsilon)


LOSS = Loss(
    key="epsilon_insensitive",
    title="Epsilon-insensitive",
    task="regression",
    position=14,
    summary="The distance to the target, with errors up to epsilon for free.",
    notice=(
        "Prediction 1 is 0.3 off, within epsilon (0.5): it costs nothing and has no slope. Prediction 2 is 0.8 off and "
        "costs 0.3 before averaging, only what exceeds epsilon. Drag it across its target: the loss is 0 along "
        "a tube one unit wide. Raise epsilon and more samples fall silent."
    ),
    use_when=(
        "Small errors do not matter, such as within a tolerance, or you want the few samples outside the tube to "
        "determine the fit."
    ),
    avoid_when="Every bit of precision counts, or you cannot name a tolerance in the unit of the target.",
    aliases=("SVR loss", "epsilon-insensitive hinge", "Vapnik loss", "dead-zone absolute error"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        Parameter(
            "epsilon", r"\varepsilon", 0.5, 0.0, 1000.0, 0.05, "Size of the error up to which nothing is charged."
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\max(0,\ |\hat y_i - y_i| - \varepsilon)",
    gradient_formula=(
        r"\begin{cases} 0 & |\hat y_i - y_i| \le \varepsilon \\ \operatorname{sign}(\hat y_i - y_i) &"
        r" \text{otherwise} \end{cases}"
    ),
    worked=("max(0, |{prediction} − {target}| − {epsilon})",),
    board=line(
        prediction=(-1.7, 0.2, 3.0, 2.0),
        target=(-2.0, 1.0, 1.0, 3.5),
        snap=lambda target: (target - 0.5, target, target + 0.5),
    ),
    fits=REGRESSION_FITS,
    code=Code(
        torch="terms = F.relu((prediction - target).abs() - {epsilon})\nloss = terms.{reduction}()",
        keras=(
            "terms = keras.ops.relu(keras.ops.abs(prediction - target) - {epsilon})\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no epsilon-insensitive loss; these lines can stand in a loss function of one's own.",
    ),
    minimiser=(
        "No closed form: any number that has as many targets more than epsilon above it as below; often a whole "
        "interval."
    ),
    pitfalls=(
        Pitfall(
            "Epsilon is in the target's unit. With 4 everything lies in the tube: loss and gradient are 0, and nothing "
            "is learnt, right or wrong.",
            parameters={"epsilon": 4.0},
        ),
        Pitfall(
            "With epsilon 0 it is the absolute error, corner and all: the starting example then costs 1.15 instead "
            "of 0.7.",
            parameters={"epsilon": 0.0},
        ),
        Pitfall(
            "Scikit-learn's SVR has epsilon 0.1 unless told, sums the terms and multiplies them by C, so its values do "
            "not compare with a mean. Summed with epsilon 0.1 the starting example costs 4.2.",
            parameters={"epsilon": 0.1},
            reduction="sum",
        ),
    ),
    relatives=(
        Relative("mae", "charges every error: this loss with epsilon 0"),
        Relative("hinge", "the same idea for two classes: beyond the margin nothing is charged"),
        Relative("huber", "small errors count little, but not nothing"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Errors within a tolerance cost nothing, and those beyond it pull with a limited force.",
            labels=("any_number",),
            trouble=("outliers", "noisy_labels"),
            wants=("margin",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Vapnik (1995): The Nature of Statistical Learning Theory, chapter 6",
        "Smola, Schölkopf (2004): A Tutorial on Support Vector Regression, Statistics and Computing 14(3), 199-222",
        "https://scikit-learn.org/stable/modules/svm.html#svr",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, SGD loss EpsilonInsensitive", [-1.7, 0.2, 3.0, 2.0], [-2.0, 1.0, 1.0, 3.5], 0.7),
        Golden(
            "scikit-learn 1.9.1, SGD loss EpsilonInsensitive",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            1.1,
            "sum",
            {"epsilon": 0.3},
        ),
    ),
    errors=(*REGRESSION_ERRORS, ErrorCase([1.0], [1.0], "[0, 1000]", {"epsilon": -0.1})),
    kinks="At a distance of epsilon from the target the slope of a term jumps between 0 and ±1.",
    derived=residual,
    derived_labels=RESIDUAL_LABELS,
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
