"""Barron's general robust loss."""

from __future__ import annotations

import torch
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
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _square(inputs: Inputs, params: Params) -> Tensor:
    square: Tensor = ((inputs["prediction"] - inputs["target"]) / params["c"]) ** 2
    return square


def _case(params: Params) -> int:
    """0: the formula itself; 1 to 3: its limits for alpha towards 2, 0 and minus infinity."""
    if params["welsch"]:
        return 3
    return {2.0: 1, 0.0: 2}.get(params["alpha"], 0)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    square, case = _square(inputs, params), _case(params)
    if case == 1:
        return square / 2
    if case == 2:
        return (square / 2).log1p()
    if case == 3:
        return -torch.expm1(-square / 2)
    # (b^(alpha/2) − 1) / alpha as expm1(alpha/2 · ln b) / alpha: keeps its digits next to alpha 0 and next to 2.
    alpha: float = params["alpha"]
    distance = abs(alpha - 2)
    return distance / alpha * torch.expm1(alpha / 2 * (square / distance).log1p())


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    square, case = _square(inputs, params), _case(params)
    slope: Tensor = (inputs["prediction"] - inputs["target"]) / params["c"] ** 2
    if case == 1:
        return slope
    if case == 3:
        return slope * torch.exp(-square / 2)
    alpha: float = params["alpha"]
    return slope * torch.exp((alpha / 2 - 1) * (square / abs(alpha - 2)).log1p())


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    numbers = residual(inputs, params)
    return {**numbers, "case": torch.full_like(numbers["residual"], _case(params))}


def _textbook(inputs: Inputs, params: Params) -> Tensor:
    square = _square(inputs, params)
    if params["welsch"]:
        return 1 - (-square / 2).exp()
    alpha = square.new_tensor(params["alpha"])
    return (alpha - 2).abs() / alpha * ((square / (alpha - 2).abs() + 1) ** (alpha / 2) - 1)


def _torch(params: Params, _: str) -> str:
    lines = (
        "power = torch.log1p(square / abs({alpha} - 2)) * {alpha} / 2\n"
        "terms = abs({alpha} - 2) / {alpha} * torch.expm1(power)",
        "terms = square / 2",
        "terms = torch.log1p(square / 2)",
        "terms = -torch.expm1(-square / 2)",
    )
    return f"square = ((prediction - target) / {{c}}) ** 2\n{lines[_case(params)]}\nloss = terms.{{reduction}}()"


def _keras(params: Params, reduction: str) -> str:
    text = _torch(params, reduction).replace("torch.", "keras.ops.")
    return text.replace("terms.{reduction}()", "keras.ops.{reduction}(terms)")


_PREDICTION, _TARGET = [-1.5, 0.5, 3.0, 2.0], [-2.0, 3.0, -5.0, 2.5]

LOSS = Loss(
    key="general_robust",
    title="General robust (Barron)",
    task="regression",
    position=13,
    summary="A whole family of losses with one slider, from the squared error to losses that ignore outliers.",
    notice=(
        "Slide alpha: 2 is half the squared error, 1 the smooth absolute error, 0 a logarithm, −2 flattens out. The "
        "outlier, prediction 3, makes 90% of the loss with alpha 2, 68% with alpha 0 and 56% with alpha −2. From 1 "
        "downwards an outlier has a limited pull; below 1 it pulls less the further away it is."
    ),
    use_when=(
        "You do not know beforehand how robust the loss must be: alpha is one number to tune, or even to learn along "
        "with the model."
    ),
    avoid_when=(
        "The simple choice is known to do: with alpha fixed at 2, 1 or 0 a loss of its own says so more plainly."
    ),
    aliases=("Barron loss", "adaptive robust loss", "Welsch loss", "Leclerc loss", "Geman-McClure loss"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        Parameter(
            "alpha",
            r"\alpha",
            0.0,
            -10.0,
            2.0,
            0.1,
            "Shape: 2 squared error, 1 Charbonnier, 0 Cauchy, −2 Geman-McClure, towards minus infinity Welsch.",
        ),
        scale("Size of the error around which the curve leaves the square."),
        Parameter.flag(
            "welsch", "", "Takes the limit of alpha towards minus infinity, the Welsch loss, instead of alpha."
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} \tfrac12 x_i^2 & \alpha = 2 \\ \ln(\tfrac12 x_i^2 + 1) & \alpha = 0 \\"
        r" 1 - e^{-\frac12 x_i^2} & \alpha \to -\infty \\ \frac{|\alpha - 2|}{\alpha} \left( \left("
        r" \frac{x_i^2}{|\alpha - 2|} + 1 \right)^{\alpha / 2} - 1 \right) & \text{otherwise} \end{cases},"
        r" \quad x_i = \frac{\hat y_i - y_i}{c}"
    ),
    gradient_formula=(
        r"\frac{x_i}{c} \begin{cases} 1 & \alpha = 2 \\ e^{-\frac12 x_i^2} & \alpha \to -\infty \\ \left("
        r" \frac{x_i^2}{|\alpha - 2|} + 1 \right)^{\alpha / 2 - 1} & \text{otherwise} \end{cases}"
    ),
    worked=(
        "|{alpha} − 2| / {alpha} · ((({residual} / {c})² / |{alpha} − 2| + 1)^({alpha} / 2) − 1)",
        "½ · ({residual} / {c})²",
        "ln(½ · ({residual} / {c})² + 1)",
        "1 − exp(−½ · ({residual} / {c})²)",
    ),
    board=OUTLIER_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note="Keras has no such loss; these lines can stand in a loss function of one's own.",
    ),
    minimiser=(
        "No closed form: the mean of the targets for alpha 2; for smaller alpha a weighted mean in which far targets "
        "count less."
    ),
    pitfalls=(
        Pitfall(
            "The formula divides by alpha and by |alpha − 2|, so at 0 and at 2 its limit must be taken. With alpha 2 "
            "it is half the squared error: the outlier alone costs 32 of 35.375.",
            parameters={"alpha": 2.0},
            reduction="sum",
        ),
        Pitfall(
            "Below alpha 1 it is not convex, and far predictions hardly move. With alpha −2 the outlier has a slope of "
            "0.028 before averaging, where alpha 1 gives it 0.992.",
            parameters={"alpha": -2.0},
            reduction="sum",
        ),
        Pitfall(
            "Welsch, the limit, costs at most 1 a term. Alpha −10 is close, but not the same: the outlier costs 1.2 "
            "there and 1 in the limit.",
            parameters={"alpha": -10.0},
            reduction="sum",
        ),
        Pitfall(
            "Values for different alpha do not compare: a lower loss after sliding alpha down is no better fit. The "
            "starting example costs 1.287 with alpha 0 and 0.548 in the Welsch limit, at the same predictions. To "
            "learn alpha one adds the logarithm of a normalising factor, else it runs to its lowest value.",
            parameters={"welsch": True},
        ),
    ),
    relatives=(
        Relative("mse", "alpha 2 is half of it, divided by c squared"),
        Relative("pseudo_huber", "alpha 1, times c squared"),
        Relative("cauchy", "alpha 0, with another scaling of c"),
        Relative("tukey_biweight", "also flat far away, but exactly so beyond c"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="One number sets how much outliers count, so you can tune it instead of choosing a formula.",
            labels=("any_number",),
            trouble=("outliers",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "robust"),
    references=(
        "Barron (2019): A General and Adaptive Robust Loss Function, CVPR 2019, 4331-4339, arXiv:1701.03077",
        "Dennis, Welsch (1978): Techniques for Nonlinear Least Squares and Robust Regression, Communications in "
        "Statistics 7(4), 345-359",
    ),
    goldens=(
        *(
            Golden("mpmath 1.3.0, formula (8) of Barron (2019)", _PREDICTION, _TARGET, value, reduction, parameters)
            for value, reduction, parameters in (
                (1.2872849131414729, "mean", {}),
                (1.3695273176068138, "mean", {"alpha": 1.0, "c": 1.5}),
                (3.3371592539454806, "sum", {"alpha": -2.0}),
                (8.84375, "mean", {"alpha": 2.0}),
                (1.287284913632854, "mean", {"alpha": 1e-9}),
                (35.37499958191245, "sum", {"alpha": 2 - 1e-9}),
                (0.5477673153018473, "mean", {"welsch": True}),
            )
        ),
    ),
    errors=(
        *REGRESSION_ERRORS,
        ErrorCase([1.0], [1.0], "[-10, 2]", {"alpha": 2.5}),
        ErrorCase([1.0], [1.0], "[0.1, 100]", {"c": 0.0}),
        ErrorCase([1.0], [1.0], "True or False", {"welsch": 1}),
    ),
    derived=_derived,
    derived_labels=RESIDUAL_LABELS,
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
    naive=Naive(
        "At alpha 0 and at alpha 2 the formula divides 0 by 0; next to them it takes 1 from a number close to 1 and "
        "loses its digits.",
        _textbook,
        "abs(alpha - 2) / alpha * ((((prediction - target) / c) ** 2 / abs(alpha - 2) + 1) ** (alpha / 2) - 1)",
    ),
)
