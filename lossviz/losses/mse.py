"""Mean squared error."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

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
from lossviz.losses.base import MEAN, SUM, Code, Fit, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return F.mse_loss(inputs["prediction"], inputs["target"], reduction="none")


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return 2 * (inputs["prediction"] - inputs["target"])


LOSS = Loss(
    key="mse",
    title="Mean squared error",
    task="regression",
    position=1,
    summary="The average of the squared differences between prediction and target.",
    notice=(
        "The board starts at 1.188. Prediction 3 is 2 away from its target and makes 1 of that; the other three are "
        "0.5 away and make 0.0625 each: four times as far costs sixteen times as much. Drag one prediction twice as "
        "far from its target: its share grows fourfold, and its slope doubles."
    ),
    use_when=(
        "You predict a number and want its mean; errors are about equally large everywhere and large ones are bad."
    ),
    avoid_when="Some targets are wrong or far off the rest: each of them pulls in proportion to its distance.",
    aliases=("MSE", "MSELoss", "L2", "L2 loss", "squared error", "quadratic loss"),
    inputs=REGRESSION_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"(\hat y_i - y_i)^2",
    gradient_formula=r"2\,(\hat y_i - y_i)",
    worked=("({prediction} − {target})²",),
    board=REGRESSION_BOARD,
    fits=(*REGRESSION_FITS, Fit("binary", "tanh", "plus_minus")),
    code=Code(
        torch="loss = F.mse_loss(prediction, target, reduction={reduction!r})",
        keras=(
            "squared_error = keras.losses.MeanSquaredError(reduction={keras_reduction!r})\n"
            "loss = squared_error(target[:, None], prediction[:, None])"
        ),
        keras_note=KERAS_LAST_AXIS,
    ),
    minimiser="The mean of the targets.",
    pitfalls=(
        Pitfall(
            "One outlier outweighs many good predictions, because its error counts squared. Here Prediction 3 "
            "is 4 away from its target and the others are 0.5 away: it makes 4 of the whole loss of 4.188.",
            state={"prediction": [-1.5, 0.5, 5.0, 2.0]},
        ),
        Pitfall(
            "PyTorch's mean divides by the number of all elements, not by the number of samples. The sum of "
            "the starting example is 4.75, its mean 1.188, and the slopes differ by the same factor of 4: a "
            "learning rate that suits one does not suit the other.",
            reduction="sum",
        ),
        Pitfall(
            "The unit of the value is the square of the target's unit. The starting example with its metres "
            "turned into centimetres costs 11,875 instead of 1.188. Its root, the RMSE, has the target's own unit; "
            "the same predictions make both lowest.",
            state={"prediction": [-150.0, 50.0, 300.0, 200.0], "target": [-200.0, 100.0, 100.0, 250.0]},
        ),
    ),
    relatives=(
        Relative("mae", "counts the distance itself, so outliers pull less"),
        Relative("huber", "the same near the target, a straight line far from it"),
        Relative("gaussian_nll", "learns how far off the prediction may be as well"),
        Relative("brier", "the same function on the probabilities of two classes"),
    ),
    suits=(
        Suit(
            predicts="number",
            reason="It leads to the mean, and its slope fades towards the target, so that training settles.",
            labels=("any_number",),
            wants=("best_value",),
        ),
    ),
    properties=("convex",),
    references=(
        "Hastie, Tibshirani, Friedman (2009): The Elements of Statistical Learning, section 2.4",
        "https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, mean_squared_error", [2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0], 0.375),
        Golden("optax 0.2.8, squared_error summed", [-1.5, 0.5, 3.0, 2.0], [-2.0, 1.0, 1.0, 2.5], 4.75, "sum"),
    ),
    errors=REGRESSION_ERRORS,
    derived=residual,
    derived_labels=RESIDUAL_LABELS,
    best_constant=lambda target, _: target.mean(),
    invariances=(
        Invariance("Swapping prediction and target changes nothing.", swap_roles),
        Invariance("Adding the same number to prediction and target changes nothing.", shift_both),
    ),
)
