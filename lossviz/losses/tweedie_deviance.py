"""Tweedie deviance."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import line
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
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    # With a = 1 − power and q = 2 − power it is y (y^a − m^a) / a + (m^q − y^q) / q, where expm1 keeps the digits for a
    # power near 1 or 2. At y = 0 the textbook formula is exact, and its slope along the target is the true −infinity.
    prediction, target = inputs["prediction"], inputs["target"]
    a, q = 1 - params["power"], 2 - params["power"]
    low, high = prediction**a, prediction**q
    log_ratio = torch.where(target > 0, target, 1.0).log() - prediction.log()
    half = target * low * torch.expm1(a * log_ratio) / a - high * torch.expm1(q * log_ratio) / q
    return 2 * torch.where(target > 0, half, target**q / (a * q) - target * low / a + high / q)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    prediction, target = inputs["prediction"], inputs["target"]
    derivative: Tensor = 2 * (prediction - target) * prediction ** -params["power"]
    return derivative


LOSS = Loss(
    key="tweedie_deviance",
    title="Tweedie deviance",
    task="regression",
    position=19,
    summary="For amounts that are often exactly 0 and otherwise positive, such as insurance claims or rainfall.",
    notice=(
        "Targets 1 and 2 are 0 and still have a finite cost: a prediction of 1 costs 4 before averaging, one of 0.5 "
        "costs 2.828. Prediction 3 is 1 too low and costs only 0.286. Raise the power: the same misses at larger "
        "amounts count less and less."
    ),
    use_when=(
        "The targets are amounts with many exact zeros, and the scatter of the others grows with their size; the power "
        "says how fast."
    ),
    avoid_when="Targets are counts (see Poisson), never 0 (see the gamma deviance), or can be negative.",
    aliases=("Tweedie loss", "mean Tweedie deviance", "compound Poisson-gamma deviance"),
    inputs=(
        Input(
            "prediction",
            "prediction",
            ("n", "..."),
            Domain("interval", low=0.0, low_open=True),
            "expected amount, above 0",
        ),
        Input("target", "target", ("n", "..."), Domain("interval", low=0.0), "true amount, 0 or more"),
    ),
    parameters=(
        Parameter(
            "power",
            "p",
            1.5,
            1.0,
            2.0,
            0.05,
            "How fast the variance grows with the mean: as the mean to this power.",
            low_open=True,
            high_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"2 \left( \frac{y_i^{2-p}}{(1-p)(2-p)} - \frac{y_i\, \hat y_i^{1-p}}{1-p} + \frac{\hat y_i^{2-p}}{2-p} \right)"
    ),
    gradient_formula=r"\frac{2\,(\hat y_i - y_i)}{\hat y_i^{\,p}}",
    worked=(
        "2 · ({target}^(2 − {power}) / ((1 − {power}) · (2 − {power})) − {target} · {prediction}^(1 − {power}) / "
        "(1 − {power}) + {prediction}^(2 − {power}) / (2 − {power}))",
    ),
    board=line(
        prediction=(1.0, 0.5, 2.0, 4.0),
        target=(0.0, 0.0, 3.0, 12.0),
        low=0.0,
        low_open=True,
        target_low=0.0,
        target_low_open=False,
    ),
    code=Code(
        torch=(
            "a, q = 1 - {power}, 2 - {power}\n"
            "terms = 2 * (target ** q / (a * q) - target * prediction ** a / a + prediction ** q / q)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "a, q = 1 - {power}, 2 - {power}\n"
            "terms = 2 * (target ** q / (a * q) - target * prediction ** a / a + prediction ** q / q)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no Tweedie deviance; these lines can stand in a loss function of one's own.",
    ),
    minimiser="The mean of the targets, whatever the power.",
    pitfalls=(
        Pitfall(
            "Predictions must stay above 0: end the model with exp or softplus. Close to 0 the loss explodes: 0.01 for "
            "a target of 12 costs 452.7, with a slope of −23,980.",
            state={"prediction": [0.01], "target": [12.0]},
        ),
        Pitfall(
            "Values for different powers do not compare: at the same predictions the starting example costs 2.85 with "
            "power 1.5 and 10.25 with power 1.9. Choose the power by the data, not by the lower loss.",
            parameters={"power": 1.9},
        ),
        Pitfall(
            "XGBoost and LightGBM leave out the factor 2 and the part that depends on the target alone, so their "
            "values differ although they learn the same. For the target 12 and the prediction 4 they would say 16, "
            "here it is 4.287.",
            state={"prediction": [4.0], "target": [12.0]},
        ),
    ),
    relatives=(
        Relative("gamma_deviance", "the limit for power 2: no zeros any more"),
        Relative("poisson_nll", "the limit for power 1, up to a factor and a constant: counts"),
        Relative("msle", "also bears zeros, but its best constant lies below the mean"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Zeros and positive amounts come from one distribution, so no second model for the zeros is needed.",
            labels=("positive",),
            trouble=("imbalance",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex",),
    references=(
        "Jørgensen (1987): Exponential Dispersion Models, Journal of the Royal Statistical Society B 49(2), 127-162",
        "https://scikit-learn.org/stable/modules/model_evaluation.html#mean-tweedie-deviance",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, mean_tweedie_deviance", [1.0, 0.5, 2.0, 4.0], [0.0, 0.0, 3.0, 12.0], 2.8503358417060225
        ),
        Golden(
            "scikit-learn 1.9.1, mean_tweedie_deviance times 4",
            [2.5, 0.1, 2.0, 8.0],
            [0.0, 0.5, 2.0, 7.0],
            6.431683150189247,
            "sum",
            {"power": 1.2},
        ),
    ),
    errors=(
        ErrorCase([1.0, 2.0], [1.0], "shape"),
        ErrorCase([0.0], [1.0], "above 0"),
        ErrorCase([1.0], [-0.5], "at least 0"),
        ErrorCase([1.0], [1.0], "(1, 2)", {"power": 2.0}),
    ),
    best_constant=lambda target, _: target.mean(),
)
