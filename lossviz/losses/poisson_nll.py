"""Poisson negative log-likelihood."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Numbers
from lossviz.losses._shared import REAL
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Domain,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Loss,
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _stirling(count: Tensor) -> Tensor:
    """Stirling's formula for ln(count!), and 0 up to a count of 1, as in PyTorch."""
    above = count > 1
    safe = torch.where(above, count, 2.0)  # the logarithm of 0 would turn the slope of the target into NaN
    return torch.where(above, safe * safe.log() - safe + 0.5 * (2 * math.pi * safe).log(), 0.0)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    terms = F.poisson_nll_loss(inputs["prediction"], inputs["target"], log_input=True, full=False, reduction="none")
    return terms + _stirling(inputs["target"]) if params["full"] else terms


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return inputs["prediction"].exp() - inputs["target"]


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    rate = inputs["prediction"].exp()
    return {
        "rate": rate,
        "stirling": _stirling(inputs["target"]),
        "case": torch.full_like(rate, float(params["full"])),
    }


def _best_snap(now: Any) -> tuple[float, ...]:
    """The log of the target, where the term is lowest."""
    return (math.log(now["target"]),) if now["target"] > 0 else ()


LOSS = Loss(
    key="poisson_nll",
    title="Poisson negative log-likelihood",
    task="regression",
    position=16,
    summary="How surprising a count is, if the model says how many to expect; it takes the logarithm of that number.",
    notice=(
        "Prediction 2 is 1: the rate is e, or 2.718, for a count of 3, and its slope before averaging is 2.718 − 3 = "
        "−0.282. Prediction 4 expects 7.389 where 12 came, and pulls most. Drag a prediction to the logarithm of its "
        "count: there the term is lowest, yet it is not 0."
    ),
    use_when="The targets are counts, such as clicks or calls, and large counts may scatter more than small ones.",
    avoid_when=(
        "Counts scatter much more than their mean (the variance of a Poisson count equals its mean), or targets can be "
        "below 0."
    ),
    aliases=("PoissonNLLLoss", "Poisson loss", "Poisson regression loss", "log-Poisson loss"),
    inputs=(
        Input("prediction", "prediction", ("n", "..."), REAL, "logarithm of the expected count"),
        Input("target", "target", ("n", "..."), Domain("interval", low=0.0), "count, 0 or more"),
    ),
    parameters=(
        Parameter.flag(
            "full",
            "",
            "Adds Stirling's approximation of the logarithm of the count's factorial, which no prediction can change.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"e^{z_i} - y_i z_i \; \left( + \; y_i \ln y_i - y_i + \tfrac12 \ln(2 \pi y_i) \text{ if full and } y_i > 1"
        r" \right)"
    ),
    gradient_formula=r"e^{z_i} - y_i",
    worked=(
        "exp({prediction}) − {target} · {prediction}",
        "exp({prediction}) − {target} · {prediction} + {stirling}",
    ),
    board=Numbers(
        (
            Number("prediction", "Log rate", "prediction", (0.0, 1.0, 1.5, 2.0), snap=_best_snap),
            Number("target", "Count", "target", (0.0, 3.0, 2.0, 12.0), low=0.0, track=1),
        ),
        tracks=("Log of the rate", "Count"),
        span="none",
    ),
    code=Code(
        torch="loss = F.poisson_nll_loss(prediction, target, log_input=True, full={full}, reduction={reduction!r})",
        keras=lambda params, _: (
            "terms = keras.ops.exp(prediction) - keras.ops.multiply(target, prediction)\n"
            + (
                "count = keras.ops.maximum(target, 1)\n"
                "stirling = count * keras.ops.log(count) - count + 0.5 * keras.ops.log(2 * np.pi * count)\n"
                "terms = terms + keras.ops.where(target > 1, stirling, 0.0)\n"
                if params["full"]
                else ""
            )
            + "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note=(
            "Keras's Poisson takes the rate itself, exp(prediction), and adds 0.0000001 to it inside the logarithm."
        ),
    ),
    minimiser="The logarithm of the mean of the targets: the rate is then their mean.",
    pitfalls=(
        Pitfall(
            "It takes the logarithm of the rate. A model that outputs the rate itself says e⁵ = 148 where it means 5: "
            "for a count of 5 the term is 123.4 and its slope 143.4. PyTorch's log_input=False takes rates, as Keras "
            "does.",
            state={"prediction": [5.0], "target": [5.0]},
        ),
        Pitfall(
            "Its lowest value is not 0. The best prediction for a count of 12 is ln 12 = 2.485, and costs −17.82; with "
            "full it is 2.161. Values compare only on the same targets and with the same setting.",
            state={"prediction": [2.4849066497880004], "target": [12.0]},
        ),
        Pitfall(
            "Too high predictions explode: a log rate of 10 expects 22,026, and for a count of 3 the slope is 22,023. "
            "One such sample wrecks a step; a small learning rate at the start or clipped gradients help.",
            state={"prediction": [10.0], "target": [3.0]},
        ),
    ),
    relatives=(
        Relative("tweedie_deviance", "for amounts with many zeros; close to this one for a power near 1"),
        Relative("mse", "supposes that large counts scatter no more than small ones"),
        Relative("gaussian_nll", "the same idea for numbers on both sides of 0, with a spread of its own"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Counts scatter more the larger they are, and the Poisson distribution allows for exactly that.",
            labels=("count",),
            wants=("best_value", "probabilities"),
        ),
    ),
    properties=("convex",),
    references=(
        "Nelder, Wedderburn (1972): Generalized Linear Models, Journal of the Royal Statistical Society A 135(3), "
        "370-384",
        "https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html",
        "https://keras.io/api/losses/probabilistic_losses/#poisson-class",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, HalfPoissonLoss", [-0.5, 1.0, 1.5, 2.0], [0.0, 3.0, 2.0, 12.0], -3.7011105856399014
        ),
        Golden(
            "mpmath 1.3.0, the formula with Stirling's term",
            [-0.5, 1.0, 1.5, 2.0],
            [0.0, 3.0, 2.0, 12.0],
            7.591717341142663,
            "sum",
            {"full": True},
        ),
    ),
    errors=(
        ErrorCase([1.0, 2.0], [1.0], "shape"),
        ErrorCase([0.5], [-1.0], "at least 0"),
        ErrorCase([float("nan")], [1.0], "finite"),
        ErrorCase([1.0], [1.0], "True or False", {"full": 1}),
    ),
    derived=_derived,
    derived_labels={"rate": "Rate", "stirling": "Stirling's term"},
    best_constant=lambda target, _: target.mean().log(),
    overflow=(
        "Above a log rate of 709 (88 in float32) the rate is beyond the largest float: value and slope are infinite."
    ),
    naive=Naive(
        "Taken back to the rate first, the logarithm meets a 0 once the log rate is below −745 (−103 in float32).",
        lambda inputs, params: (
            inputs["prediction"].exp()
            - inputs["target"] * inputs["prediction"].exp().log()
            + (_stirling(inputs["target"]) if params["full"] else 0)
        ),
        "torch.exp(prediction) - target * torch.log(torch.exp(prediction))",
    ),
)
