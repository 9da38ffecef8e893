"""Minimax loss of a generative adversarial network."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._adversarial import (
    KERAS_DISCRIMINATOR,
    PROBABILITY_LABELS,
    TORCH_DISCRIMINATOR,
    discriminator_derivative,
    discriminator_terms,
    naive_discriminator_terms,
    player_choice,
    probabilities,
    score_board,
    score_errors,
    score_inputs,
    softplus,
)
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Naive, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return -softplus(inputs["fake"]) if params["player"] == "generator" else discriminator_terms(inputs)


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    if params["player"] == "generator":
        return {"real": torch.zeros_like(inputs["real"]), "fake": -torch.sigmoid(inputs["fake"])}
    return discriminator_derivative(inputs)


def _naive(inputs: Inputs, params: Params) -> Tensor:
    if params["player"] == "generator":
        return (1 - torch.sigmoid(inputs["fake"])).log()
    return naive_discriminator_terms(inputs)


def _torch(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return "terms = F.logsigmoid(-fake)  # ln(1 - D(fake))\nloss = terms.{reduction}()"
    return TORCH_DISCRIMINATOR


def _keras(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return "loss = keras.ops.{reduction}(keras.ops.log_sigmoid(-fake))"
    return KERAS_DISCRIMINATOR


LOSS = Loss(
    key="gan_minimax",
    title="Minimax GAN",
    task="generative",
    position=1,
    summary=(
        "A game of two networks: the discriminator tells real samples from generated ones, and the generator loses "
        "exactly what the discriminator wins on its samples."
    ),
    notice=(
        "Each sample gets a raw score, and its sigmoid D is the probability of being real. The discriminator pushes "
        "real scores up and fake ones down; its loss starts at 1.283. Switch the player to the generator: now only "
        "fake scores count, and they are pushed up. But Fake score 1, with −4 the worst of all, gets a slope of only "
        "−0.0045, while Fake score 4, which fools the discriminator already, gets −0.2202."
    ),
    use_when=(
        "To understand the game: with the best discriminator the generator minimises the Jensen-Shannon divergence "
        "between real and generated samples."
    ),
    avoid_when=(
        "In training: when the discriminator is ahead, as it mostly is at first, the generator gets almost no "
        "gradient. The non-saturating form has the same fixed points and does not stall."
    ),
    aliases=("GAN loss", "vanilla GAN loss", "minimax GAN loss", "saturating GAN loss", "adversarial loss"),
    inputs=score_inputs("discriminator"),
    parameters=(player_choice(),),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} -\ln \sigma(r_i) - \ln(1 - \sigma(f_i)) & \text{discriminator} \\"
        r" \ln(1 - \sigma(f_i)) & \text{generator} \end{cases}"
    ),
    gradient_formula=(
        r"\begin{cases} \sigma(r_i) - 1 \text{ along } r_i,\quad \sigma(f_i) \text{ along } f_i & \text{discriminator}"
        r" \\ 0 \text{ along } r_i,\quad -\sigma(f_i) \text{ along } f_i & \text{generator} \end{cases}"
    ),
    worked=("ln(1 + exp(−{real})) + ln(1 + exp({fake}))", "−ln(1 + exp({fake}))"),
    board=score_board((0.0,)),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note=(
            "In training the fake scores of the discriminator's step come from detached samples, so that the "
            "generator does not move with it."
        ),
    ),
    minimiser=(
        "None, because nothing is given that the scores should equal. For fixed samples the best discriminator's D is "
        "the share of real ones among all samples at that place."
    ),
    pitfalls=(
        Pitfall(
            "The generator's loss saturates: where the discriminator is sure that a sample is fake, the slope "
            "vanishes. Fake score 1 at −4 (D 0.018) gets a slope of −0.0045; the non-saturating loss gives it −0.2455.",
            parameters={"player": "generator"},
        ),
        Pitfall(
            "A discriminator loss near 0 is bad news for the generator. With all real scores at 6 and all fake ones at "
            "−6 the discriminator pays 0.00495, and the generator's slope would be −0.0006 for each fake score.",
            state={"real": [6.0, 6.0, 6.0, 6.0], "fake": [-6.0, -6.0, -6.0, -6.0]},
        ),
        Pitfall(
            "A loss of 1.386 does not mean that nothing is learnt. It is 2 ln 2, what the discriminator pays where it "
            "gives every sample the probability 0.5: at the end of a perfect game it can do no better.",
            state={"real": [0.0, 0.0, 0.0, 0.0], "fake": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "The generator's loss is never above 0 and has no lower end: with all fake scores at 6 it is −6.002 and "
            "would go on falling. Neither player's value says how good the samples look.",
            state={"fake": [6.0, 6.0, 6.0, 6.0]},
            parameters={"player": "generator"},
        ),
    ),
    relatives=(
        Relative("gan_non_saturating", "the same discriminator, a generator that does not stall"),
        Relative("bce_with_logits", "the discriminator's loss: label 1 for real, 0 for fake"),
        Relative("js_divergence", "what the generator minimises against the best discriminator"),
        Relative("wgan", "replaces the sigmoid by a critic without one"),
    ),
    suits=(
        Suit(
            predicts="generated",
            reason="It is the original game, in which theory is clearest; to train, take its non-saturating form.",
        ),
    ),
    properties=("non_convex", "robust", "logits"),
    references=(
        "Goodfellow et al. (2014): Generative Adversarial Nets, equation (1), arXiv:1406.2661",
        "https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html",
    ),
    goldens=(
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy of real scores with label 1 plus that of fake ones with label 0",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            1.3022279670112624,
        ),
        Golden(
            "scikit-learn 1.9.1, log_loss of the sigmoid, not normalised",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            5.20891186804505,
            "sum",
        ),
        Golden(
            "scipy 1.17.1, special.log_expit of the negative fake scores",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            -0.858104152664778,
            "mean",
            {"player": "generator"},
        ),
    ),
    errors=score_errors(),
    derived=probabilities,
    derived_labels=PROBABILITY_LABELS,
    naive=Naive(
        "The sigmoid of a score above 37 (17 in float32) is 1 to the last digit: 1 − D is 0, and its logarithm minus "
        "infinity.",
        _naive,
        "-torch.sigmoid(real).log() - (1 - torch.sigmoid(fake)).log()",
    ),
)
