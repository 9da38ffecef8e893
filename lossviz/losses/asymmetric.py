"""Asymmetric loss for imbalanced labels."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import binary
from lossviz.losses._binary import KERAS_HAS_NONE, LOGIT_INPUTS, ZERO_ONE_ERRORS, minus_log_sigmoid
from lossviz.losses._shared import BINARY_SCORE_FITS
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Inputs,
    Loss,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _shifted(inputs: Inputs, params: Params) -> tuple[Tensor, Tensor]:
    """Where the probability exceeds the shift, and the probability less the shift; 0.5 elsewhere."""
    p = torch.sigmoid(inputs["prediction"])
    above = p > params["shift"]
    # A power below 1 has an infinite slope at 0; the stand-in keeps it away from what is not used.
    return above, torch.where(above, p - params["shift"], 0.5)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    z, y = inputs["prediction"], inputs["target"]
    positive = torch.exp(-params["gamma_pos"] * minus_log_sigmoid(-z)) * minus_log_sigmoid(z)
    if params["shift"]:
        above, shifted = _shifted(inputs, params)
        negative = torch.where(above, -(shifted ** params["gamma_neg"]) * torch.log1p(-shifted), 0.0)
    else:  # 1 - p would round to 0 for large logits
        negative = torch.exp(-params["gamma_neg"] * minus_log_sigmoid(z)) * minus_log_sigmoid(-z)
    return torch.where(y == 1, positive, negative)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    z, y = inputs["prediction"], inputs["target"]
    gamma_pos, gamma_neg = params["gamma_pos"], params["gamma_neg"]
    p, q = torch.sigmoid(z), torch.sigmoid(-z)
    positive = -(q**gamma_pos) * torch.addcmul(q, p, minus_log_sigmoid(z), value=gamma_pos)
    if params["shift"]:
        above, shifted = _shifted(inputs, params)
        slope = torch.add((1 - shifted).reciprocal(), torch.log1p(-shifted) / shifted, alpha=-gamma_neg)
        negative = torch.where(above, shifted**gamma_neg * p * q * slope, 0.0)
    else:
        negative = p**gamma_neg * torch.addcmul(p, q, minus_log_sigmoid(-z), value=gamma_neg)
    return torch.where(y == 1, positive, negative)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    z, y = inputs["prediction"], inputs["target"]
    shifted = (torch.sigmoid(z) - params["shift"]).relu()
    logarithm = -torch.log1p(-shifted) if params["shift"] else minus_log_sigmoid(-z)
    return {
        "probability": torch.sigmoid(z),
        "other_probability": torch.where(y == 1, torch.sigmoid(-z), shifted),
        "label_logarithm": torch.where(y == 1, minus_log_sigmoid(z), logarithm),
        "case": y,
    }


def _torch(params: Params, _: str) -> str:
    positive = "positive = -torch.exp({gamma_pos} * F.logsigmoid(-prediction)) * F.logsigmoid(prediction)\n"
    if params["shift"]:
        negative = (
            "p = torch.sigmoid(prediction)\n"
            "above = p > {shift}\n"
            "shifted = torch.where(above, p - {shift}, 0.5)  # 0.5 stands in where it is not used\n"
            "negative = torch.where(above, -(shifted**{gamma_neg}) * torch.log1p(-shifted), 0.0)\n"
        )
    else:
        negative = "negative = -torch.exp({gamma_neg} * F.logsigmoid(prediction)) * F.logsigmoid(-prediction)\n"
    return positive + negative + "terms = torch.where(target == 1, positive, negative)\nloss = terms.{reduction}()"


def _keras(params: Params, _: str) -> str:
    positive = "positive = -((1 - p) ** {gamma_pos}) * keras.ops.log_sigmoid(prediction)\n"
    if params["shift"]:
        negative = (
            "shifted = keras.ops.relu(p - {shift})\nnegative = -(shifted ** {gamma_neg}) * keras.ops.log1p(-shifted)\n"
        )
    else:
        negative = "negative = -(p ** {gamma_neg}) * keras.ops.log_sigmoid(-prediction)\n"
    return (
        f"p = keras.ops.sigmoid(prediction)\n{positive}{negative}"
        "terms = keras.ops.where(target == 1, positive, negative)\nloss = keras.ops.{reduction}(terms)"
    )


LOSS = Loss(
    key="asymmetric",
    title="Asymmetric",
    task="binary",
    position=11,
    summary=(
        "Binary cross-entropy that turns down easy samples with label 0 far more than those with label 1, and drops "
        "the easiest entirely."
    ),
    notice=(
        "Logit 2 gives its label 0 a wrong probability of 0.27. Binary cross-entropy would ask 0.313 for it, here it "
        "costs 0.00057 before averaging. Drag it to −3, a probability of 0.047: now it is below the shift of 0.05 and "
        "costs exactly 0, without a slope. Logit 4 misses a label 1: it costs 2.904 and makes nearly the whole loss."
    ),
    use_when=(
        "Samples have many possible labels of which few are present, so that labels 0 outnumber labels 1 by far, and "
        "some labels 1 were forgotten."
    ),
    avoid_when=(
        "You need honest probabilities, or the two labels are about equally frequent: then it only adds settings."
    ),
    aliases=("asymmetric loss", "ASL"),
    inputs=LOGIT_INPUTS,
    parameters=(
        Parameter(
            "gamma_pos",
            r"\gamma_{+}",
            1.0,
            0.0,
            10.0,
            0.1,
            "How strongly easy samples with label 1 are turned down.",
            label="Gamma for label 1",
        ),
        Parameter(
            "gamma_neg",
            r"\gamma_{-}",
            4.0,
            0.0,
            10.0,
            0.1,
            "How strongly easy samples with label 0 are turned down.",
            label="Gamma for label 0",
        ),
        Parameter("shift", "m", 0.05, 0.0, 0.5, 0.01, "Probability up to which a sample with label 0 costs nothing."),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} -(1 - p_i)^{\gamma_{+}} \ln p_i & y_i = 1 \\ -\,\tilde p_i^{\,\gamma_{-}} \ln(1 - \tilde p_i) &"
        r" y_i = 0 \end{cases},\quad p_i = \sigma(z_i),\quad \tilde p_i = \max(p_i - m,\ 0)"
    ),
    gradient_formula=(
        r"\begin{cases} (1 - p_i)^{\gamma_{+}} \left[ \gamma_{+}\, p_i \ln p_i - (1 - p_i) \right] & y_i = 1 \\"
        r" p_i (1 - p_i)\, \tilde p_i^{\,\gamma_{-}} \left[ \frac{1}{1 - \tilde p_i} - \frac{\gamma_{-}"
        r" \ln(1 - \tilde p_i)}{\tilde p_i} \right] & y_i = 0,\ p_i > m \\ 0 & y_i = 0,\ p_i \le m \end{cases}"
    ),
    worked=(
        "({other_probability})^{gamma_neg} · {label_logarithm}",
        "({other_probability})^{gamma_pos} · {label_logarithm}",
    ),
    board=binary((2.0, -1.0, 0.5, -3.0), (1.0, 0.0, 0.0, 1.0), "Logit"),
    fits=BINARY_SCORE_FITS,
    code=Code(torch=_torch, keras=_keras, keras_note=KERAS_HAS_NONE),
    minimiser=(
        "No closed form: where the two labels pull with equal force. Its sigmoid lies well above the share of label 1 "
        "if labels 0 are turned down more."
    ),
    pitfalls=(
        Pitfall(
            "It takes logits, not probabilities. A probability of 0.05 put in as a logit for a label 0 is a "
            "probability of 0.512: it costs 0.0284, where it should cost nothing.",
            state={"prediction": [0.05], "target": [0.0]},
        ),
        Pitfall(
            "Up to the shift there is no slope: the logits of −3 and −8 for a label 0 both cost 0 and stay where they "
            "are. That is meant, but it leaves probabilities between 0 and 0.05 without any meaning.",
            state={"prediction": [2.0, -3.0, -8.0, -3.0]},
        ),
        Pitfall(
            "With label 0 the cost has a limit: even a logit of 20 costs 2.44 before averaging, where binary "
            "cross-entropy asks 20, and its slope is all but 0. A surely wrong label 0 is given up, because it might "
            "be a label 1 that was forgotten.",
            state={"prediction": [2.0, -1.0, 20.0, -3.0]},
        ),
        Pitfall(
            "The authors' program by default holds the power fixed in the gradient and differs from the formula. For "
            "Logit 3 the true slope is 0.0522, held fixed it would be 0.0148. The values are the same.",
        ),
    ),
    relatives=(
        Relative("focal", "one gamma for both labels, and a weight alpha instead of the shift"),
        Relative("bce_with_logits", "what it is with both gammas and the shift at 0"),
        Relative("multilabel_soft_margin", "the plain loss for several labels"),
    ),
    suits=(
        Suit(
            predicts="several_labels",
            reason="Most labels are absent; it turns these down and drops the easiest, so that the few present count.",
            labels=("hard",),
            trouble=("imbalance", "noisy_labels"),
        ),
        Suit(
            predicts="yes_no",
            reason="It lets you turn down the frequent label 0 without touching the rare label 1.",
            labels=("hard",),
            trouble=("imbalance",),
        ),
    ),
    properties=("non_convex", "robust", "logits"),
    references=(
        "Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter, Zelnik-Manor (2021): Asymmetric Loss For Multi-Label "
        "Classification, arXiv:2009.14119",
    ),
    goldens=(
        Golden(
            "mpmath 1.3.0, asymmetric loss of Ridnik et al. (2021)",
            [2.0, -1.0, 0.5, -3.0],
            [1.0, 0.0, 0.0, 1.0],
            0.75273910646978702551,
        ),
        Golden(
            "mpmath 1.3.0, asymmetric loss of Ridnik et al. (2021), summed",
            [2.0, -3.5, 0.5, 1.5],
            [1.0, 0.0, 0.0, 0.0],
            0.39560709364286629983,
            "sum",
            {"gamma_pos": 0.5, "gamma_neg": 2.5, "shift": 0.2},
        ),
    ),
    errors=(
        *ZERO_ONE_ERRORS,
        ErrorCase([0.5], [1.0], "[0, 10]", {"gamma_neg": -1.0}),
        ErrorCase([0.5], [1.0], "[0, 0.5]", {"shift": 0.6}),
    ),
    derived=_derived,
    derived_labels={
        "probability": "Probability of label 1",
        "other_probability": "Probability of the wrong label, less the shift for label 0",
        "label_logarithm": "Minus the logarithm of what is left for the true label",
    },
)
