"""Gaussian negative log-likelihood."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lossviz.boards import Number, Numbers, State
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
    Invariance,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _frozen(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {"lift": (params["eps"] - inputs["var"]).relu()}


def _terms(inputs: Inputs, params: Params) -> Tensor:
    variance = inputs["var"] + inputs["lift"]
    terms = 0.5 * (variance.log() + (inputs["mean"] - inputs["target"]) ** 2 / variance)
    return terms + 0.5 * math.log(2 * math.pi) if params["full"] else terms


def _derivative(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    variance = inputs["var"] + inputs["lift"]
    pull = (inputs["mean"] - inputs["target"]) / variance
    return {"mean": pull, "var": 0.5 * (1 / variance - pull**2)}


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    error = inputs["mean"] - inputs["target"]
    return {
        "residual": error,
        "variance": inputs["var"] + inputs["lift"],
        "case": torch.full_like(error, float(params["full"])),
    }


def _link(state: State) -> dict[str, Tensor]:
    return {"mean": state["mean"], "var": state["spread"] ** 2, "target": state["target"]}


def _shift(inputs: Inputs) -> dict[str, Tensor]:
    return {**inputs, "mean": inputs["mean"] + 1.75, "target": inputs["target"] + 1.75}


def _swap(inputs: Inputs) -> dict[str, Tensor]:
    return {**inputs, "mean": inputs["target"], "target": inputs["mean"]}


LOSS = Loss(
    key="gaussian_nll",
    title="Gaussian negative log-likelihood",
    task="regression",
    position=17,
    summary="The model says a mean and how far off it may be; being far off is dear when it claimed to be sure.",
    notice=(
        "Sample 2 is 2 off and claims a spread of 0.5: it costs 7.307 before averaging, most of the loss. Drag its "
        "spread up: at 2, the size of its error, it is cheapest with 1.193; beyond that being vague costs more again. "
        "Sample 4 is exact, and gets cheaper still the surer it is."
    ),
    use_when=(
        "You want to know for each prediction how far off it may be, and the errors are about normally distributed."
    ),
    avoid_when=(
        "Outliers occur, since errors count squared; or only the mean matters, which the squared error learns more "
        "steadily."
    ),
    aliases=("GaussianNLLLoss", "Gaussian NLL", "heteroscedastic regression loss", "mean-variance estimation loss"),
    inputs=(
        Input("mean", "prediction", ("n", "..."), REAL, "expected value"),
        Input(
            "var",
            "prediction",
            ("n", "..."),
            Domain("interval", low=0.0, low_open=True),
            "expected variance, the square of the spread",
        ),
        Input("target", "target", ("n", "..."), REAL, "what is true"),
    ),
    parameters=(
        Parameter.flag("full", "", "Adds the constant ½ ln(2π), the term is then minus the log of the density."),
        Parameter(
            "eps",
            r"\varepsilon",
            1e-6,
            0.0,
            0.1,
            1e-6,
            "Least variance; a smaller one is raised to it.",
            low_open=True,
            label="Least variance (eps)",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\frac12 \left( \ln v_i + \frac{(\mu_i - y_i)^2}{v_i} \right) \left( + \tfrac12 \ln 2\pi \text{ if full}"
        r" \right), \quad v_i = \max(\sigma_i^2, \varepsilon)"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial \mu_i} = \frac{\mu_i - y_i}{v_i}, \quad \frac{\partial \ell_i}{\partial"
        r" \sigma_i^2} = \frac12 \left( \frac{1}{v_i} - \frac{(\mu_i - y_i)^2}{v_i^2} \right)"
    ),
    worked=(
        "½ · (ln {variance} + ({mean} − {target})² / {variance})",
        "½ · (ln {variance} + ({mean} − {target})² / {variance}) + ½ · ln(2 · π)",
    ),
    board=Numbers(
        (
            Number("mean", "Mean", "prediction", (0.0, 1.0, -1.0, 3.0), snap=lambda now: (now["target"],)),
            Number(
                "spread",
                "Spread",
                "prediction",
                (1.0, 0.5, 2.0, 1.0),
                low=0.0,
                low_open=True,
                track=1,
                snap=lambda now: (abs(now["mean"] - now["target"]),),
            ),
            Number("target", "Target", "target", (0.5, 3.0, -1.5, 3.0)),
        ),
        tracks=("Value", "Spread"),
        bell=("mean", "spread"),
        link=_link,
    ),
    code=Code(
        torch=(
            "variance = spread ** 2\n"
            "loss = F.gaussian_nll_loss(mean, target, variance, full={full}, eps={eps}, reduction={reduction!r})"
        ),
        keras=(
            "variance = keras.ops.maximum(spread ** 2, {eps})\n"
            "constant = 0.5 * np.log(2 * np.pi) if {full} else 0.0\n"
            "terms = 0.5 * (keras.ops.log(variance) + keras.ops.square(mean - target) / variance) + constant\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note=(
            "Keras has no Gaussian likelihood; these lines can stand in a loss function of one's own. Their maximum "
            "gives the variance no gradient below eps, where PyTorch gives one."
        ),
    ),
    minimiser=(
        "None, because two numbers are predicted: the mean of the targets and their variance are the best pair of "
        "constants."
    ),
    pitfalls=(
        Pitfall(
            "It can be negative, since a density can exceed 1: an exact prediction with spread 0.05 costs −2.996. Such "
            "a loss is no mistake, but a spread that runs to 0 on the training data is.",
            state={"mean": [3.0], "spread": [0.05], "target": [3.0]},
        ),
        Pitfall(
            "A model can excuse itself: with error 10 and spread 10 the slope of the mean is 0.1, where spread 1 gives "
            "10. The mean then learns slowly, so many start with the squared error and add the spread later.",
            state={"mean": [10.0], "spread": [10.0], "target": [0.0]},
        ),
        Pitfall(
            "PyTorch takes the variance, the square of the spread. Mistaking spread 2 for the variance turns the 1.193 "
            "of an error of 2 into 1.347. The variance must stay above 0: predict its logarithm, or use softplus.",
            state={"mean": [1.0], "spread": [2.0], "target": [3.0]},
        ),
        Pitfall(
            "Below eps the variance is raised to it, but PyTorch's gradient does not know. With eps 0.01 a spread of "
            "0.05 costs −2.303, the same as one of 0.1, and yet its slope is 5: the value stands still, the slope does "
            "not.",
            state={"mean": [3.0], "spread": [0.05], "target": [3.0]},
            parameters={"eps": 0.01},
        ),
    ),
    relatives=(
        Relative("mse", "the same for the mean when all spreads are equal"),
        Relative("quantile", "says how far off it may be without supposing a normal distribution"),
        Relative("vae_elbo", "also predicts a mean and a spread, and holds them against a fixed normal distribution"),
        Relative("poisson_nll", "the likelihood for counts"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="The model learns to say how far off each prediction may be, along with the prediction.",
            labels=("any_number",),
            wants=("spread", "probabilities"),
        ),
    ),
    properties=("non_convex",),
    references=(
        "Nix, Weigend (1994): Estimating the Mean and Variance of the Target Probability Distribution, IEEE "
        "International Conference on Neural Networks 1994, volume 1, 55-60",
        "Kendall, Gal (2017): What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?, "
        "arXiv:1703.04977",
        "https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html",
    ),
    goldens=(
        Golden(
            "scipy 1.17.1, minus stats.norm.logpdf",
            {"mean": [0.0, 1.0, -1.0, 3.0], "var": [1.0, 0.25, 4.0, 1.0]},
            [0.5, 3.0, -1.5, 3.0],
            2.9580010332046722,
            "mean",
            {"full": True},
        ),
        Golden(
            "scipy 1.17.1, minus stats.norm.logpdf less ln(2π) / 2, with the last variance raised to eps",
            {"mean": [0.0, 1.0, -1.0, 3.0], "var": [1.0, 0.25, 4.0, 0.002]},
            [0.5, 3.0, -1.5, 2.9],
            6.353664907005955,
            "sum",
            {"eps": 0.01},
        ),
    ),
    errors=(
        ErrorCase({"mean": [1.0, 2.0], "var": [1.0, 1.0]}, [1.0], "shape"),
        ErrorCase({"mean": [1.0], "var": [0.0]}, [1.0], "above 0"),
        ErrorCase({"mean": [1.0], "var": [-1.0]}, [1.0], "above 0"),
        ErrorCase({"mean": [float("nan")], "var": [1.0]}, [1.0], "finite"),
        ErrorCase({"mean": [1.0], "var": [1.0]}, [1.0], "(0, 0.1]", {"eps": 0.0}),
    ),
    derived=_derived,
    derived_labels={"residual": "Residual", "variance": "Variance"},
    frozen=_frozen,
    frozen_note="What lifts a variance below eps up to it: PyTorch clamps the variance out of autograd's sight.",
    invariances=(
        Invariance("Adding the same number to mean and target changes nothing.", _shift),
        Invariance("Swapping mean and target changes nothing.", _swap),
    ),
)
