"""Cauchy (Lorentzian) loss."""

from __future__ import annotations

from torch import Tensor

from lossviz.losses._regression import OUTLIER_BOARD, scale
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
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _ratio(inputs: Inputs, params: Params) -> Tensor:
    ratio: Tensor = (inputs["prediction"] - inputs["target"]) / params["c"]
    return ratio


def _terms(inputs: Inputs, params: Params) -> Tensor:
    c: float = params["c"]
    return 0.5 * c**2 * (_ratio(inputs, params) ** 2).log1p()


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    ratio = _ratio(inputs, params)
    derivative: Tensor = params["c"] * ratio / (1 + ratio**2)
    return derivative


LOSS = Loss(
    key="cauchy",
    title="Cauchy",
    task="regression",
    position=11,
    summary=(
        "Grows like the squared error at first, then only like a logarithm: the further an outlier, the less it pulls."
    ),
    notice=(
        "Prediction 3 is 8 off, prediction 2 is 2.5 off; with c 1 their slopes before averaging are 0.123 and −0.345: "
        "the outlier pulls less. Drag prediction 3 towards its target and its slope grows until the error is 1, "
        "which is c, where it is steepest with 0.5; closer it fades again."
    ),
    use_when="Some targets are badly wrong and should hardly influence the fit, yet never be ignored altogether.",
    avoid_when=(
        "The model starts far from the targets: everything then looks like an outlier, and the slopes are small."
    ),
    aliases=("Cauchy loss", "Lorentzian loss", "Cauchy/Lorentzian", "log-quadratic loss"),
    inputs=REGRESSION_INPUTS,
    parameters=(scale("Size of the error with the steepest slope; larger ones count as outliers."),),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\frac{c^2}{2} \ln\left( 1 + \left( \frac{\hat y_i - y_i}{c} \right)^2 \right)",
    gradient_formula=r"\frac{\hat y_i - y_i}{1 + \left( \frac{\hat y_i - y_i}{c} \right)^2}",
    worked=("½ · {c}² · ln(1 + ({residual} / {c})²)",),
    board=OUTLIER_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch=(
            "error = prediction - target\n"
            "terms = {c} ** 2 / 2 * torch.log1p((error / {c}) ** 2)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "error = keras.ops.subtract(prediction, target)\n"
            "terms = {c} ** 2 / 2 * keras.ops.log1p((error / {c}) ** 2)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no Cauchy loss; these lines can stand in a loss function of one's own.",
    ),
    minimiser="No closed form: where the slopes of all terms add up to 0; there may be several such places.",
    pitfalls=(
        Pitfall(
            "It is not convex: a model can settle between two groups of targets or on the wrong one. Saying 0 for the "
            "targets −10 and 10 has slopes of 0.0495 and −0.0495, which cancel for a constant, yet its loss of 2.308 "
            "is no minimum: saying 10 costs 1.498.",
            state={"prediction": [0.0, 0.0], "target": [-10.0, 10.0]},
        ),
        Pitfall(
            "A bad start is slow: at an error of 100 with c 1 the slope is 0.01, where the squared error has 200. "
            "Train with the squared error or a large c first.",
            state={"prediction": [100.0], "target": [0.0]},
        ),
        Pitfall(
            "The name has two scalings. Barron's general loss with alpha 0 is ln(1 + ½ (e/c)²): for an error of 8 and "
            "c 1 that is 3.497, here it is 2.087.",
            state={"prediction": [3.0], "target": [-5.0]},
        ),
    ),
    relatives=(
        Relative("general_robust", "contains it: alpha 0, with another scaling of c"),
        Relative("tukey_biweight", "lets far outliers not pull at all"),
        Relative("huber", "stays convex: outliers keep pulling with a fixed force"),
        Relative("pseudo_huber", "smooth as well, and convex"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="The pull of an outlier fades with its distance, so gross mistakes in the data hardly move the fit.",
            labels=("any_number",),
            trouble=("outliers", "noisy_labels"),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "robust"),
    references=(
        "Black, Anandan (1996): The Robust Estimation of Multiple Motions, Computer Vision and Image Understanding "
        "63(1), 75-104",
        "Barron (2019): A General and Adaptive Robust Loss Function, CVPR 2019, arXiv:1701.03077",
        "https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.least_squares.html",
    ),
    goldens=(
        Golden(
            "scipy 1.17.1, cost of optimize.least_squares with loss='cauchy'",
            [-1.5, 0.5, 3.0, 2.0],
            [-2.0, 3.0, -5.0, 2.5],
            3.30083792069532,
            "sum",
        ),
        Golden(
            "scipy 1.17.1, a quarter of that cost with f_scale=2.5",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            0.17723549330065305,
            "mean",
            {"c": 2.5},
        ),
    ),
    errors=(*REGRESSION_ERRORS, ErrorCase([1.0], [1.0], "[0.1, 100]", {"c": 0.0})),
    derived=residual,
    derived_labels=RESIDUAL_LABELS,
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
