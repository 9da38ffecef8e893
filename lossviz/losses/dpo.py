"""Direct preference optimisation (DPO)."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Numbers
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
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)

_LOGARITHM: Final = Domain("interval", high=0.0, low_open=True)
LOWEST: Final = -40.0
"""Where the board's axis of log-probabilities begins."""


def _gap(inputs: Inputs) -> Tensor:
    """How much further apart policy and reference put the two answers, (..., n)."""
    policy = inputs["policy_chosen"] - inputs["policy_rejected"]
    return policy - (inputs["reference_chosen"] - inputs["reference_rejected"])


def _terms(inputs: Inputs, params: Params) -> Tensor:
    margin, smoothing = params["beta"] * _gap(inputs), params["label_smoothing"]
    terms: Tensor = -(1 - smoothing) * F.logsigmoid(margin) - smoothing * F.logsigmoid(-margin)
    return terms


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    beta, smoothing = params["beta"], params["label_smoothing"]
    margin = beta * _gap(inputs)
    slope = beta * (smoothing * torch.sigmoid(margin) - (1 - smoothing) * torch.sigmoid(-margin))
    return {"policy_chosen": slope, "policy_rejected": -slope}


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    margin = params["beta"] * _gap(inputs)
    return {
        "policy_gap": inputs["policy_chosen"] - inputs["policy_rejected"],
        "reference_gap": inputs["reference_chosen"] - inputs["reference_rejected"],
        "margin": margin,
        "preference": torch.sigmoid(margin),
        "case": torch.full_like(margin, 1.0 if params["label_smoothing"] else 0.0),
    }


def _naive(inputs: Inputs, params: Params) -> Tensor:
    margin, smoothing = params["beta"] * _gap(inputs), params["label_smoothing"]
    preferred = 1 / (1 + (-margin).exp())
    terms: Tensor = -(1 - smoothing) * preferred.log() - smoothing * (1 - preferred).log()
    return terms


def _both_less_likely(inputs: Inputs) -> Inputs:
    lower = {name: inputs[name] - 3.0 for name in ("policy_chosen", "policy_rejected")}
    return {**inputs, **lower}


def _torch(params: Params, _: str) -> str:
    smoothed = " - {label_smoothing} * F.logsigmoid(-margin)"
    kept = "(1 - {label_smoothing}) * " if params["label_smoothing"] else ""
    return (
        "policy = policy_chosen - policy_rejected\n"
        "reference = reference_chosen - reference_rejected\n"
        "margin = {beta} * (policy - reference)\n"
        f"terms = -{kept}F.logsigmoid(margin){smoothed if kept else ''}\n"
        "loss = terms.{reduction}()"
    )


def _keras(params: Params, _: str) -> str:
    smoothed = " - {label_smoothing} * keras.ops.log_sigmoid(-margin)"
    kept = "(1 - {label_smoothing}) * " if params["label_smoothing"] else ""
    return (
        "policy = policy_chosen - policy_rejected\n"
        "reference = reference_chosen - reference_rejected\n"
        "margin = {beta} * (policy - reference)\n"
        f"terms = -{kept}keras.ops.log_sigmoid(margin){smoothed if kept else ''}\n"
        "loss = keras.ops.{reduction}(terms)"
    )


_P = {"policy_chosen": [-12.0, -20.5, -8.0], "policy_rejected": [-14.0, -18.0, -8.0]}
_Y = {"reference_chosen": [-13.0, -20.0, -9.5], "reference_rejected": [-13.5, -19.0, -9.0]}

LOSS = Loss(
    key="dpo",
    title="DPO",
    task="sequence",
    position=3,
    summary=(
        "How clearly a language model prefers the better of two answers, compared with the model that it started from."
    ),
    notice=(
        "Two questions, each with a chosen and a rejected answer. In pair 1 the policy puts the chosen answer 6 above "
        "the rejected one where the reference had 2: with beta 0.1 the margin is 0.4, the cost 0.513. In pair 2 it "
        "still leans to the rejected answer and pays 0.798. Drag both answers of the policy down by the same amount: "
        "nothing changes, since only the gap counts."
    ),
    use_when=(
        "People have said which of two answers they prefer, and a trained language model is to follow them without a "
        "reward model or reinforcement learning."
    ),
    avoid_when=(
        "There are single good answers without a rejected one (train on them with next-token loss), or nearly all "
        "preferences are coin flips."
    ),
    aliases=(
        "direct preference optimization",
        "direct preference optimisation",
        "DPO loss",
        "conservative DPO",
        "cDPO",
    ),
    inputs=(
        Input(
            "policy_chosen",
            "prediction",
            ("n",),
            _LOGARITHM,
            "log-probability that the model in training gives the preferred answer",
        ),
        Input(
            "policy_rejected",
            "prediction",
            ("n",),
            _LOGARITHM,
            "log-probability that the model in training gives the other answer",
        ),
        Input(
            "reference_chosen",
            "target",
            ("n",),
            _LOGARITHM,
            "log-probability of the preferred answer under the frozen model it started from",
        ),
        Input(
            "reference_rejected",
            "target",
            ("n",),
            _LOGARITHM,
            "log-probability of the other answer under the frozen model",
        ),
    ),
    parameters=(
        Parameter(
            "beta",
            r"\beta",
            0.1,
            0.0,
            10.0,
            0.05,
            "How dear it is to move away from the reference: the larger, the smaller the move that suffices.",
            low_open=True,
        ),
        Parameter(
            "label_smoothing",
            r"\varepsilon",
            0.0,
            0.0,
            0.5,
            0.05,
            "Share of the preferences that are assumed to be the wrong way round.",
            high_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-(1 - \varepsilon) \ln \sigma(m_i) - \varepsilon \ln \sigma(-m_i),\quad "
        r"m_i = \beta \left[\ln \frac{\pi(c_i)}{\pi_0(c_i)} - \ln \frac{\pi(r_i)}{\pi_0(r_i)}\right]"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial \ln \pi(c_i)} = -\frac{\partial \ell_i}{\partial \ln \pi(r_i)} = "
        r"\beta\,\bigl[\varepsilon\, \sigma(m_i) - (1 - \varepsilon)\, \sigma(-m_i)\bigr]"
    ),
    worked=(
        "ln(1 + exp(−{beta} · ({policy_gap} − {reference_gap})))",
        "(1 − {label_smoothing}) · ln(1 + exp(−{margin})) + {label_smoothing} · ln(1 + exp({margin}))",
    ),
    board=Numbers(
        (
            Number("policy_chosen", "Policy chosen", "prediction", (-12.0, -22.0), low=LOWEST, high=0.0),
            Number("policy_rejected", "Policy rejected", "prediction", (-18.0, -17.0), low=LOWEST, high=0.0),
            Number("reference_chosen", "Reference chosen", "target", (-14.0, -21.0), low=LOWEST, high=0.0, track=1),
            Number("reference_rejected", "Reference rejected", "target", (-16.0, -18.0), low=LOWEST, high=0.0, track=1),
        ),
        tracks=("Policy log-probability", "Reference log-probability"),
        span="gap",
        sample_label="Pair",
    ),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note="Keras has no preference losses; this is the formula itself.",
    ),
    minimiser=(
        "None, because only the gap counts: without label smoothing the loss falls for ever as the margin grows; with "
        "it the best margin is ln((1 − ε) / ε), whatever the two log-probabilities are."
    ),
    pitfalls=(
        Pitfall(
            "The chosen answer may become less likely while the loss falls. Here both answers of pair 1 are far less "
            "likely than under the reference, −30 instead of −14 and −38 instead of −16, and yet the pair costs only "
            "0.437: watch the log-probability of the chosen answers during training.",
            state={"policy_chosen": (-30.0, -22.0), "policy_rejected": (-38.0, -17.0)},
        ),
        Pitfall(
            "At the start of training policy and reference are the same, every margin is 0 and the loss is ln 2 = "
            "0.693, whatever the answers. Another value there means that the two models or their texts differ.",
            state={"policy_chosen": (-14.0, -21.0), "policy_rejected": (-16.0, -18.0)},
        ),
        Pitfall(
            "DPO as published takes the sum over the words of an answer, so longer answers have lower "
            "log-probabilities. Code that averages over the words needs another beta, for beta sets the scale: with 1 "
            "instead of 0.1 the margins of the start, 0.4 and −0.2, become 4 and −2, and the pairs cost 0.018 and "
            "2.127.",
            parameters={"beta": 1.0},
        ),
        Pitfall(
            "Without label smoothing a pair with the wrong label pulls for ever. With 0.1 the margin has a finite "
            "goal, ln 9 = 2.197, beyond which the slope turns round; pair 1 now costs 0.553 instead of 0.513.",
            parameters={"label_smoothing": 0.1},
        ),
    ),
    relatives=(
        Relative("ranknet", "the same logistic curve on the difference of two scores, without a reference"),
        Relative("bce_with_logits", "this loss with the margin as its logit and label 1"),
        Relative("next_token", "what the policy was trained with before; it gives the log-probabilities"),
    ),
    suits=(
        Suit(
            predicts="sequence",
            reason="It learns from pairs of answers which one people prefer, with no more than two models' "
            "probabilities.",
            labels=("preferences",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Rafailov et al. (2023): Direct Preference Optimization: Your Language Model is Secretly a Reward Model, "
        "arXiv:2305.18290",
        "Mitchell (2023): A note on DPO with noisy preferences and relationship to IPO (label smoothing), "
        "https://ericmitchell.ai/cdpo.pdf",
        "https://huggingface.co/docs/trl/dpo_trainer",
    ),
    goldens=(
        Golden("scipy 1.17.1, special.log_expit of the margin", _P, _Y, 0.6867912478641168),
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy of the margin with label 0.9",
            _P,
            _Y,
            0.7082271440362145,
            "mean",
            {"beta": 0.5, "label_smoothing": 0.1},
        ),
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy of the margin with label 0.75",
            _P,
            _Y,
            3.6604363906657067,
            "sum",
            {"beta": 2.0, "label_smoothing": 0.25},
        ),
    ),
    errors=(
        ErrorCase({**_P, "policy_chosen": [0.5, -1.0, -1.0]}, _Y, "(-inf, 0]"),
        ErrorCase({**_P, "policy_chosen": [-1.0]}, _Y, "shape"),
        ErrorCase([-1.0], _Y, "mapping"),
        ErrorCase(_P, {"reference_chosen": [-1.0]}, "reference_rejected"),
        ErrorCase(_P, _Y, "(0, 10]", {"beta": 0.0}),
        ErrorCase(_P, _Y, "[0, 0.5)", {"label_smoothing": 0.5}),
    ),
    derived=_derived,
    derived_labels={
        "policy_gap": "Gap of the policy",
        "reference_gap": "Gap of the reference",
        "margin": "Reward margin",
        "preference": "Probability that the chosen answer is better",
    },
    invariances=(
        Invariance(
            "Making both answers of the policy less likely by the same factor changes nothing.", _both_less_likely
        ),
    ),
    naive=Naive(
        "For a margin far below 0 the exponential overflows, the sigmoid is 0 and its logarithm minus infinity, where "
        "the loss is just minus the margin.",
        _naive,
        "-(1 / (1 + torch.exp(-margin))).log()",
    ),
)
