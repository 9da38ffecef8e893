"""Pseudo-Huber loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._shared import (
    REGRESSION_BOARD,
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


def _hypotenuse(error: Tensor, params: Params) -> Tensor:
    """√(delta² + error²), without squares that overflow or vanish."""
    return torch.hypot(error, error.new_tensor(params["delta"]))


def _terms(inputs: Inputs, params: Params) -> Tensor:
    # delta² (√(1 + (e/delta)²) − 1) with the root moved below the line: no digits cancel where the error is small.
    error = inputs["prediction"] - inputs["target"]
    delta: float = params["delta"]
    return error * (delta * error / (delta + _hypotenuse(error, params)))


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    error = inputs["prediction"] - inputs["target"]
    delta: float = params["delta"]
    return delta * error / _hypotenuse(error, params)


def _textbook(inputs: Inputs, params: Params) -> Tensor:
    error = inputs["prediction"] - inputs["target"]
    delta: float = params["delta"]
    terms: Tensor = delta**2 * ((1 + (error / delta) ** 2).sqrt() - 1)
    return terms


LOSS = Loss(
    key="pseudo_huber",
    title="Pseudo-Huber",
    task="regression",
    position=10,
    summary=(
        "One smooth formula that is nearly half the squared error for small errors and nearly a line for large ones."
    ),
    notice=(
        "With delta 1 the errors of 0.5 cost 0.118 before averaging, nearly half their square (0.125), and the error "
        "of 2 costs 1.236, nearer to a line. Its slope before averaging is 0.894: however far you drag, it stays below "
        "delta. Raise delta and the curve bends later."
    ),
    use_when=(
        "You want what the Huber loss does, but with a slope that bends smoothly and a second derivative everywhere."
    ),
    avoid_when="Outliers should not pull at all, or errors of any size should count squared.",
    aliases=("pseudo-Huber loss", "Charbonnier loss", "L1-L2 loss", "smoothed absolute error"),
    inputs=REGRESSION_INPUTS,
    parameters=(
        Parameter(
            "delta",
            r"\delta",
            1.0,
            0.0,
            1000.0,
            0.1,
            "Size of the error around which the square bends into a line; also the steepest slope.",
            low_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\delta^2 \left( \sqrt{1 + \left( \frac{\hat y_i - y_i}{\delta} \right)^2} - 1 \right)",
    gradient_formula=r"\frac{\hat y_i - y_i}{\sqrt{1 + \left( \frac{\hat y_i - y_i}{\delta} \right)^2}}",
    worked=("{delta}² · (√(1 + ({residual} / {delta})²) − 1)",),
    board=REGRESSION_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch=(
            "error = prediction - target\n"
            "root = torch.sqrt(1 + (error / {delta}) ** 2)\n"
            "terms = error ** 2 / (1 + root)  # delta² (root - 1), without losing digits near 0\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "error = keras.ops.subtract(prediction, target)\n"
            "root = keras.ops.sqrt(1 + (error / {delta}) ** 2)\n"
            "loss = keras.ops.{reduction}(error ** 2 / (1 + root))"
        ),
        keras_note="Keras has no pseudo-Huber loss; these lines can stand in a loss function of one's own.",
    ),
    minimiser=(
        "No closed form: where the slopes of all terms add up to 0. Near the median for a small delta, the mean for a "
        "large one."
    ),
    pitfalls=(
        Pitfall(
            "It is not the Huber loss: beyond delta it lies lower, by up to half of delta squared. The error of 5 "
            "costs 4.099 here and 4.5 there.",
            state={"prediction": [5.0], "target": [0.0]},
        ),
        Pitfall(
            "Delta is in the target's unit: after rescaling the targets it must be rescaled too. The starting example "
            "in centimetres, with delta still 1, costs 86.51, nearly the mean absolute error of 87.5.",
            state={"prediction": [-150.0, 50.0, 300.0, 200.0], "target": [-200.0, 100.0, 100.0, 250.0]},
        ),
        Pitfall(
            "The Charbonnier loss of image restoration is the same curve divided by delta and raised by it, √(e² + "
            "delta²). With delta 0.1 an error of 2 costs 0.19 here and 2.002 there.",
            state={"prediction": [2.0], "target": [0.0]},
            parameters={"delta": 0.1},
        ),
    ),
    relatives=(
        Relative("huber", "the original: exactly a square, then exactly a line"),
        Relative("log_cosh", "another smooth curve between square and line"),
        Relative("general_robust", "contains it: alpha 1 with c = delta is this loss divided by delta squared"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Outliers pull with a limited force, and the curve is smooth enough for methods of second order.",
            labels=("any_number",),
            trouble=("outliers",),
            wants=("best_value",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Charbonnier et al. (1994): Two Deterministic Half-Quadratic Regularization Algorithms for Computed Imaging, "
        "ICIP 1994, volume 2, 168-172",
        "Hartley, Zisserman (2003): Multiple View Geometry in Computer Vision, appendix 6.8",
        "https://docs.scipy.org/doc/scipy/reference/generated/scipy.special.pseudo_huber.html",
    ),
    goldens=(
        Golden("scipy 1.17.1, special.pseudo_huber", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 0.3975424859373685),
        Golden(
            "scipy 1.17.1, special.pseudo_huber",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            0.46306312356538826,
            "sum",
            {"delta": 0.4},
        ),
    ),
    errors=(*REGRESSION_ERRORS, ErrorCase([1.0], [1.0], "(0, 1000]", {"delta": 0.0})),
    derived=residual,
    derived_labels=RESIDUAL_LABELS,
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
    naive=Naive(
        "Written down as in the textbook it takes 1 from a number close to 1: in float32 the cost of every error below "
        "about 0.0004 delta comes out as 0.",
        _textbook,
        "delta ** 2 * (torch.sqrt(1 + ((prediction - target) / delta) ** 2) - 1)",
    ),
)
