"""Log-cosh loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._shared import (
    KERAS_LAST_AXIS,
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
    Golden,
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
    size = (inputs["prediction"] - inputs["target"]).abs()
    # ln cosh e = |e| + ln((1 + exp(-2|e|)) / 2): cosh itself overflows from 711 on. Written with expm1 and log1p it
    # keeps its digits near 0, where |e| and ln 2 would cancel.
    return size + torch.log1p(torch.expm1(-2 * size) / 2)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return (inputs["prediction"] - inputs["target"]).tanh()


def _naive(inputs: Inputs, _: Params) -> Tensor:
    return (inputs["prediction"] - inputs["target"]).cosh().log()


LOSS = Loss(
    key="log_cosh",
    title="Log-cosh",
    task="regression",
    position=5,
    summary="A smooth curve that is nearly half the squared error near the target and nearly the distance far from it.",
    notice=(
        "An error of 0.5 costs 0.120 before averaging, nearly half its square (0.125). Drag a prediction until its "
        "error is 5: it costs 4.307, nearly the distance less 0.693, which is ln 2. The slope of a term is tanh of the "
        "error: it never exceeds 1 and bends without a corner."
    ),
    use_when=(
        "You want a loss like Huber's that has no cases and no parameter, smooth in all its derivatives, "
        "for targets scaled to about 1."
    ),
    avoid_when="The targets are in a unit of their own, such as euros or pixels, and cannot be rescaled.",
    aliases=("LogCosh loss", "logcosh", "logarithm of the hyperbolic cosine"),
    inputs=REGRESSION_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\ln\cosh(\hat y_i - y_i)",
    gradient_formula=r"\tanh(\hat y_i - y_i)",
    worked=("ln cosh({prediction} − {target})",),
    board=REGRESSION_BOARD,
    fits=REGRESSION_FITS,
    code=Code(
        torch=(
            "size = (prediction - target).abs()\n"
            "terms = size + torch.log1p(torch.expm1(-2 * size) / 2)  # ln cosh, without overflow\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "log_cosh = keras.losses.LogCosh(reduction={keras_reduction!r})\n"
            "loss = log_cosh(target[:, None], prediction[:, None])"
        ),
        keras_note=KERAS_LAST_AXIS,
    ),
    minimiser="No closed form: where the tanh of all errors adds up to 0.",
    pitfalls=(
        Pitfall(
            "The hyperbolic cosine overflows from an error of about 710 (89 in float32). Prediction 1 is 800 "
            "away from its target: the formula as written gives infinity, the stable form 799.307 before "
            "averaging.",
            state={"prediction": [800.0, 0.5, 3.0, 2.0], "target": [0.0, 1.0, 1.0, 2.5]},
        ),
        Pitfall(
            "Where it turns from a square to a line is fixed at errors of about 1, so the targets' unit "
            "matters. The starting example in centimetres costs 86.807, the mean absolute error of 87.5 less "
            "0.693: nothing of the smooth part is left.",
            state={"prediction": [-150.0, 50.0, 300.0, 200.0], "target": [-200.0, 100.0, 100.0, 250.0]},
        ),
    ),
    relatives=(
        Relative("huber", "square, then line, with a delta to choose"),
        Relative("pseudo_huber", "as smooth, with a delta to choose"),
        Relative("mse", "twice this loss near the target"),
        Relative("mae", "this loss plus 0.693 far from the target"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="It bears outliers like the absolute error and is smooth everywhere, with nothing to tune.",
            labels=("any_number",),
            trouble=("outliers",),
            wants=("best_value",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Saleh, Saleh (2022): Statistical Properties of the log-cosh Loss Function Used in Machine Learning, "
        "arXiv:2208.04564",
        "https://keras.io/api/losses/regression_losses/#logcosh-class",
    ),
    goldens=(
        Golden("optax 0.2.8, log_cosh", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 0.42133656705817424),
        Golden(
            "scipy 1.17.1, special.logsumexp of e and -e less ln 2",
            [2.5, 0.0, 2.0, 8.0],
            [3.0, -0.5, 2.0, 7.0],
            0.6740098443995822,
            "sum",
        ),
    ),
    errors=REGRESSION_ERRORS,
    derived=residual,
    derived_labels=RESIDUAL_LABELS,
    naive=Naive(
        "The hyperbolic cosine of an error above 710 (89 in float32) overflows to infinity, and near 0 it rounds to 1.",
        _naive,
        "(prediction - target).cosh().log()",
    ),
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
