"""Tukey's biweight loss."""

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


def _square(inputs: Inputs, params: Params) -> Tensor:
    """(error / c)², at most 1."""
    ratio: Tensor = (inputs["prediction"] - inputs["target"]) / params["c"]
    return ratio.clamp(-1, 1) ** 2


def _terms(inputs: Inputs, params: Params) -> Tensor:
    # 1 − (1 − u)³ multiplied out: no digits cancel where u is small.
    u = _square(inputs, params)
    terms: Tensor = params["c"] ** 2 / 6 * u * (3 - 3 * u + u**2)
    return terms


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    error = inputs["prediction"] - inputs["target"]
    return error * (1 - _square(inputs, params)) ** 2


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = residual(inputs, params)
    return {
        **numbers,
        "weight": (1 - _square(inputs, params)) ** 2,
        "case": (numbers["residual"].abs() > params["c"]).to(inputs["prediction"].dtype),
    }


LOSS = Loss(
    key="tukey_biweight",
    title="Tukey biweight",
    task="regression",
    position=12,
    summary=(
        "Nearly half the squared error for small errors; beyond a distance c it is flat and an outlier pulls no more."
    ),
    notice=(
        "Prediction 3 is 8 off, more than c, which is 4.685: it costs c²/6 = 3.658 and has slope 0, like every error "
        "beyond c. Prediction 2 is 2.5 off and pulls with weight 0.512. Raise c above 8 and the outlier wakes up."
    ),
    use_when="Some targets are plainly wrong and should have no influence at all, and you start from a decent fit.",
    avoid_when="The model starts far from the targets: what lies beyond c has no gradient and is never learnt.",
    aliases=("Tukey loss", "bisquare", "Tukey's bisquare", "biweight loss"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        scale("Size of the error from which on the loss is flat; 4.685 for errors of spread 1.", 4.685, 0.005),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} \frac{c^2}{6} \left( 1 - \left( 1 - (e_i / c)^2 \right)^3 \right) & |e_i| \le c \\"
        r" \frac{c^2}{6} & \text{otherwise} \end{cases}, \quad e_i = \hat y_i - y_i"
    ),
    gradient_formula=(
        r"\begin{cases} e_i \left( 1 - (e_i / c)^2 \right)^2 & |e_i| \le c \\ 0 & \text{otherwise} \end{cases}"
    ),
    worked=("{c}² / 6 · (1 − (1 − ({residual} / {c})²) · {weight})", "{c}² / 6"),
    board=OUTLIER_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch=(
            "u = ((prediction - target) / {c}).clamp(-1, 1) ** 2\n"
            "terms = {c} ** 2 / 6 * u * (3 - 3 * u + u ** 2)  # 1 - (1 - u)³, multiplied out\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "u = keras.ops.clip((prediction - target) / {c}, -1, 1) ** 2\n"
            "terms = {c} ** 2 / 6 * u * (3 - 3 * u + u ** 2)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no biweight loss; these lines can stand in a loss function of one's own.",
    ),
    minimiser=(
        "No closed form: a mean in which each target is weighted by (1 − (e/c)²)², and those further than c not at all."
    ),
    pitfalls=(
        Pitfall(
            "A prediction further than c from its target has slope 0 and stays where it is. Here all four are 10 off: "
            "the loss is 3.658 and the gradient 0, so descent does nothing at all.",
            state={"prediction": [8.0, 13.0, 5.0, 12.5]},
        ),
        Pitfall(
            "The usual c of 4.685 supposes errors with a spread of about 1. The starting example in centimetres lies "
            "wholly beyond it: all slopes are 0. Divide the errors by their spread first.",
            state={"prediction": [-150.0, 50.0, 300.0, 200.0], "target": [-200.0, 300.0, -500.0, 250.0]},
        ),
        Pitfall(
            "It is not convex, and good points can be given up. With c 2 the error of 2.5 counts as an outlier, too: "
            "its slope is 0, and only the errors of 0.5 still pull.",
            parameters={"c": 2.0},
        ),
    ),
    relatives=(
        Relative("cauchy", "outliers pull less and less, but never stop"),
        Relative("huber", "outliers keep pulling with a fixed force; use it first, then this one"),
        Relative("general_robust", "its Welsch end is flat far away, too, but never quite"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Beyond a distance an outlier has no influence whatever on the fit.",
            labels=("any_number",),
            trouble=("outliers", "noisy_labels"),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "robust", "bounded"),
    references=(
        "Beaton, Tukey (1974): The Fitting of Power Series, Meaning Polynomials, Illustrated on Band-Spectroscopic "
        "Data, Technometrics 16(2), 147-185",
        "Belagiannis et al. (2015): Robust Optimization for Deep Regression, ICCV 2015, arXiv:1505.06606",
        "https://www.statsmodels.org/stable/generated/statsmodels.robust.norms.TukeyBiweight.html",
    ),
    goldens=(
        Golden(
            "statsmodels 0.15.0, robust.norms.TukeyBiweight",
            [-1.5, 0.5, 3.0, 2.0],
            [-2.0, 3.0, -5.0, 2.5],
            1.5562473932114724,
        ),
        Golden(
            "statsmodels 0.15.0, robust.norms.TukeyBiweight",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -1.5, 2.0, 5.0],
            1.9303333333333337,
            "sum",
            {"c": 2.5},
        ),
    ),
    errors=(*REGRESSION_ERRORS, ErrorCase([1.0], [1.0], "[0.1, 100]", {"c": 0.05})),
    derived=_derived,
    derived_labels={**RESIDUAL_LABELS, "weight": "Weight of the error"},
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
