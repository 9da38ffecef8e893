"""Gamma deviance."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from lossviz.boards import line
from lossviz.losses._regression import UNIT_FREE
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
    Params,
    Pitfall,
    Relative,
    Suit,
)

ABOVE_ZERO: Final = Domain("interval", low=0.0, low_open=True)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    prediction, target = inputs["prediction"], inputs["target"]
    return 2 * (prediction.log() - target.log() + (target - prediction) / prediction)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    prediction, target = inputs["prediction"], inputs["target"]
    return 2 * ((prediction - target) / prediction) / prediction


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    return {"ratio": inputs["target"] / inputs["prediction"]}


LOSS = Loss(
    key="gamma_deviance",
    title="Gamma deviance",
    task="regression",
    position=18,
    summary=(
        "Compares positive amounts by their ratio: being off by half costs the same for small and for large targets."
    ),
    notice=(
        "Samples 2 and 3 predict half of their target, 5 for 10 and 10 for 20, and both cost 0.614 before averaging. "
        "Sample 1 predicts twice its target and costs 0.386: too low costs more than too high. Drag a prediction "
        "towards 0 and its cost grows without limit."
    ),
    use_when=(
        "The targets are positive amounts whose scatter grows with their size, such as claims, incomes or waiting "
        "times."
    ),
    avoid_when="Targets of 0 occur (see the Tweedie deviance), or an error counts by its amount and not by its share.",
    aliases=("gamma loss", "mean gamma deviance", "gamma regression loss", "Itakura-Saito divergence (times 2)"),
    inputs=(
        Input("prediction", "prediction", ("n", "..."), ABOVE_ZERO, "expected amount, above 0"),
        Input("target", "target", ("n", "..."), ABOVE_ZERO, "true amount, above 0"),
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"2 \left( \ln \frac{\hat y_i}{y_i} + \frac{y_i}{\hat y_i} - 1 \right)",
    gradient_formula=r"\frac{2\,(\hat y_i - y_i)}{\hat y_i^2}",
    worked=("2 · (ln({prediction} / {target}) + {target} / {prediction} − 1)",),
    board=line(prediction=(2.0, 5.0, 10.0, 4.0), target=(1.0, 10.0, 20.0, 4.4), low=0.0, low_open=True),
    code=Code(
        torch=("ratio = target / prediction\nterms = 2 * (ratio - 1 - torch.log(ratio))\nloss = terms.{reduction}()"),
        keras=(
            "ratio = keras.ops.divide(target, prediction)\n"
            "terms = 2 * (ratio - 1 - keras.ops.log(ratio))\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras has no gamma deviance; these lines can stand in a loss function of one's own.",
    ),
    minimiser="The mean of the targets, although errors count by ratio.",
    pitfalls=(
        Pitfall(
            "Predictions must stay above 0: end the model with exp or softplus. Close to 0 the loss explodes: 0.1 for "
            "a target of 10 costs 188.8, with a slope of −1,980.",
            state={"prediction": [0.1], "target": [10.0]},
        ),
        Pitfall(
            "Far above the target the slope fades: a prediction of 100 for a target of 1 costs 7.23 with a slope of "
            "only 0.0198. A model that starts too high learns slowly.",
            state={"prediction": [100.0], "target": [1.0]},
        ),
        Pitfall(
            "Targets of 0 are not allowed, and tiny ones are dear: for a target of 0.001 a prediction of 1 costs "
            "11.82. Measured amounts that were rounded down can spoil the fit.",
            state={"prediction": [1.0], "target": [0.001]},
        ),
    ),
    relatives=(
        Relative("tweedie_deviance", "comes close to it for a power near 2, and allows targets of 0"),
        Relative("poisson_nll", "for counts: scatter grows more slowly with size"),
        Relative("msle", "also by ratio, but its best constant lies below the mean"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="Errors count by their share of the amount, and yet the predictions are right on average.",
            labels=("positive",),
            trouble=("uneven_costs",),
            wants=("best_value",),
        ),
    ),
    properties=("non_convex",),
    references=(
        "McCullagh, Nelder (1989): Generalized Linear Models, second edition, chapter 8",
        "https://scikit-learn.org/stable/modules/model_evaluation.html#mean-tweedie-deviance",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, mean_gamma_deviance",
            [2.0, 5.0, 10.0, 4.0],
            [1.0, 10.0, 20.0, 4.4],
            0.40577131981786485,
        ),
        Golden(
            "scikit-learn 1.9.1, mean_gamma_deviance times 4",
            [2.5, 0.1, 2.0, 8.0],
            [3.0, 0.5, 2.0, 7.0],
            4.833543846792935,
            "sum",
        ),
    ),
    errors=(
        ErrorCase([1.0, 2.0], [1.0], "shape"),
        ErrorCase([0.0], [1.0], "above 0"),
        ErrorCase([1.0], [0.0], "above 0"),
        ErrorCase([float("nan")], [1.0], "finite"),
    ),
    derived=_derived,
    derived_labels={"ratio": "Target / prediction"},
    best_constant=lambda target, _: target.mean(),
    invariances=(UNIT_FREE,),
)
