"""Binary focal loss on logits."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import binary
from lossviz.losses._binary import minus_log_sigmoid
from lossviz.losses._shared import BINARY_SCORE_FITS, REAL
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


def _sign_and_weight(inputs: Inputs, params: Params) -> tuple[Tensor, Tensor]:
    """+1 for label 1 and -1 for label 0, and alpha for label 1 and 1 - alpha for label 0."""
    y = inputs["target"]
    alpha: float = params["alpha"]
    return 2 * y - 1, alpha * y + (1 - alpha) * (1 - y)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    sign, weight = _sign_and_weight(inputs, params)
    gamma: float = params["gamma"]
    score = sign * inputs["prediction"]
    # A power of 1 - p would have an infinite slope at 0 for gamma below 1; the exponential of its logarithm has not.
    modulation = torch.exp(-gamma * minus_log_sigmoid(-score))
    return weight * modulation * minus_log_sigmoid(score)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    z, y = inputs["prediction"], inputs["target"]
    gamma: float = params["gamma"]
    alpha: float = params["alpha"]
    score = (2 * y - 1) * z
    p, q = torch.sigmoid(score), torch.sigmoid(-score)
    # -alpha for label 1 and 1 - alpha for label 0; then q + gamma p (-ln p).
    return ((1 - alpha) - y) * q**gamma * torch.addcmul(q, p, minus_log_sigmoid(score), value=gamma)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    sign, weight = _sign_and_weight(inputs, params)
    score = sign * inputs["prediction"]
    return {
        "probability": torch.sigmoid(inputs["prediction"]),
        "label_weight": weight,
        "other_probability": torch.sigmoid(-score),
        "label_logarithm": minus_log_sigmoid(score),
    }


def _naive(inputs: Inputs, params: Params) -> Tensor:
    _, weight = _sign_and_weight(inputs, params)
    gamma: float = params["gamma"]
    p, y = torch.sigmoid(inputs["prediction"]), inputs["target"]
    q = y * p + (1 - y) * (1 - p)
    return -weight * (1 - q) ** gamma * q.log()


LOSS = Loss(
    key="focal",
    title="Focal",
    task="binary",
    position=5,
    summary="Binary cross-entropy that turns down samples which are already predicted well, so that hard ones count.",
    notice=(
        "Logit 1 gives its label 1 a probability of 0.88. With gamma 0 it costs 0.032 before averaging, with gamma 2 "
        "only 0.00045: 70 times less. Logit 4 is badly wrong, and its cost hardly changes: 0.762 with gamma 0, 0.692 "
        "with gamma 2. So nearly the whole loss comes from the hard samples. With gamma 0 and alpha 0.5 it is half "
        "the binary cross-entropy."
    ),
    use_when=(
        "One label is far rarer than the other, and the many easy samples drown the few hard ones, as with "
        "the background of an image in object detection."
    ),
    avoid_when=(
        "You need honest probabilities, or labels are wrong: wrong labels look like hard samples, and it turns to them."
    ),
    aliases=("focal loss", "binary focal cross-entropy", "sigmoid focal loss", "RetinaNet loss"),
    inputs=(
        Input("prediction", "prediction", ("n", "..."), REAL, "logit of label 1: 0 means a probability of 0.5"),
        Input("target", "target", ("n", "..."), Domain("labels", values=(0.0, 1.0)), "label, 0 or 1", False),
    ),
    parameters=(
        Parameter("gamma", r"\gamma", 2.0, 0.0, 10.0, 0.1, "How strongly well predicted samples are turned down."),
        Parameter(
            "alpha",
            r"\alpha",
            0.25,
            0.0,
            1.0,
            0.05,
            "Weight of samples with label 1; those with label 0 get 1 less alpha.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\alpha_i\,(1 - q_i)^{\gamma} \ln q_i,\quad (q_i, \alpha_i) = \begin{cases} (\sigma(z_i), \alpha) & y_i = 1"
        r" \\ (1 - \sigma(z_i), 1 - \alpha) & y_i = 0 \end{cases}"
    ),
    gradient_formula=(
        r"\pm\,\alpha_i\,(1 - q_i)^{\gamma} \left[ \gamma\, q_i \ln q_i - (1 - q_i) \right],"
        r"\quad + \text{ for } y_i = 1,\ - \text{ for } y_i = 0"
    ),
    worked=("{label_weight} · ({other_probability})^{gamma} · {label_logarithm}",),
    board=binary((2.0, -1.0, 0.5, -3.0), (1.0, 0.0, 0.0, 1.0), "Logit"),
    fits=BINARY_SCORE_FITS,
    code=Code(
        torch=(
            "sign = 2 * target - 1\n"
            "weight = {alpha} * target + (1 - {alpha}) * (1 - target)\n"
            "modulation = torch.sigmoid(-sign * prediction) ** {gamma}\n"
            "terms = -weight * modulation * F.logsigmoid(sign * prediction)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "focal = keras.losses.BinaryFocalCrossentropy(\n"
            "    apply_class_balancing=True,\n"
            "    alpha={alpha},\n"
            "    gamma={gamma},\n"
            "    from_logits=True,\n"
            "    reduction={keras_reduction!r},\n"
            ")\n"
            "loss = focal(target[:, None], prediction[:, None])"
        ),
        keras_note="Keras leaves alpha out unless apply_class_balancing is set.",
    ),
    minimiser=(
        "No closed form: between 0 and the logarithm of alpha times the number of labels 1 over 1 less alpha times the "
        "number of labels 0, the nearer to 0 the larger gamma."
    ),
    pitfalls=(
        Pitfall(
            "It takes logits, not probabilities. A probability of 0.9 put in as a logit is a probability of "
            "0.711: it costs 0.00713, more than 25 times the 0.00026 that it should.",
            state={"prediction": [0.9], "target": [1.0]},
        ),
        Pitfall(
            "Its outputs are no honest probabilities: gamma pulls the best prediction towards 0.5, and alpha "
            "shifts it as class weights do. Three of these four labels are 1, and yet the slopes, three of "
            "−0.0186 and one of 0.0559, balance at a logit of 0, a probability of 0.5.",
            state={"prediction": [0.0, 0.0, 0.0, 0.0], "target": [1.0, 1.0, 1.0, 0.0]},
        ),
        Pitfall(
            "Its values are far below those of binary cross-entropy, 0.248 against 1.116 for the starting "
            "example; the two cannot be compared.",
            loss="bce_with_logits",
        ),
        Pitfall(
            "The paper divides the sum by the number of labels 1, not by the number of all samples: for the "
            "starting example 0.992 divided by 2 labels, which is 0.496, where the mean is 0.248.",
            reduction="sum",
        ),
    ),
    relatives=(
        Relative("bce_with_logits", "this loss twice over, with gamma 0 and alpha 0.5"),
        Relative("asymmetric", "a gamma of its own for each label"),
        Relative("categorical_focal", "the same for several classes"),
        Relative("poly1", "also changes cross-entropy by a factor on hard samples"),
    ),
    suits=(
        Suit(
            predicts="yes_no",
            reason=(
                "Easy samples are turned down by their own probability, so a flood of them cannot drown the rare label."
            ),
            labels=("hard",),
            trouble=("imbalance",),
        ),
        Suit(
            predicts="several_labels",
            reason="Most labels are absent most of the time; it turns these easy cases down.",
            labels=("hard",),
            trouble=("imbalance",),
        ),
    ),
    properties=("non_convex", "robust", "logits"),
    references=(
        "Lin, Goyal, Girshick, He, Dollár (2017): Focal Loss for Dense Object Detection, arXiv:1708.02002",
        "https://keras.io/api/losses/probabilistic_losses/#binaryfocalcrossentropy-class",
    ),
    goldens=(
        Golden(
            "optax 0.2.8, sigmoid_focal_loss",
            [2.0, -1.0, 0.5, -3.0],
            [1.0, 0.0, 0.0, 1.0],
            0.24801831118525836,
        ),
        Golden(
            "optax 0.2.8, sigmoid_focal_loss summed",
            [2.0, -1.0, 0.5, -3.0],
            [1.0, 0.0, 0.0, 1.0],
            2.1839306514479238,
            "sum",
            {"alpha": 0.6, "gamma": 0.5},
        ),
    ),
    errors=(
        ErrorCase([0.5], [-1.0], "one of 0, 1"),
        ErrorCase([0.5], [0.5], "one of 0, 1"),
        ErrorCase([0.5, 0.5], [1.0], "shape"),
        ErrorCase([0.5], [1.0], "[0, 10]", {"gamma": -1.0}),
        ErrorCase([0.5], [1.0], "[0, 1]", {"alpha": 2.0}),
    ),
    derived=_derived,
    derived_labels={
        "probability": "Probability of label 1",
        "label_weight": "Weight of the label",
        "other_probability": "Probability of the wrong label",
        "label_logarithm": "Minus the logarithm of the true label's probability",
    },
    naive=Naive(
        (
            "The sigmoid of a very negative score is 0, and minus the logarithm of 0 is infinite; with the "
            "sigmoid rounded to 1 the slope is lost as well."
        ),
        _naive,
        (
            "-weight * (1 - q) ** gamma * q.log()  # q: sigmoid(prediction) for label 1, 1 - "
            "sigmoid(prediction) for label 0"
        ),
    ),
)
