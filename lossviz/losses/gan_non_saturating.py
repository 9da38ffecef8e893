"""Non-saturating loss of a generative adversarial network."""

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
    return softplus(-inputs["fake"]) if params["player"] == "generator" else discriminator_terms(inputs)


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    if params["player"] == "generator":
        return {"real": torch.zeros_like(inputs["real"]), "fake": -torch.sigmoid(-inputs["fake"])}
    return discriminator_derivative(inputs)


def _naive(inputs: Inputs, params: Params) -> Tensor:
    if params["player"] == "generator":
        return -torch.sigmoid(inputs["fake"]).log()
    return naive_discriminator_terms(inputs)


def _torch(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return "loss = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake), reduction={reduction!r})"
    return TORCH_DISCRIMINATOR


def _keras(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return (
            "cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
            "loss = cross_entropy(keras.ops.ones_like(fake[:, None]), fake[:, None])"
        )
    return KERAS_DISCRIMINATOR


LOSS = Loss(
    key="gan_non_saturating",
    title="Non-saturating GAN",
    task="generative",
    position=2,
    summary=(
        "The usual loss of a GAN: the discriminator tells real from generated samples, and the generator wants its "
        "samples to be called real, so that bad ones get the strongest push."
    ),
    notice=(
        "The discriminator's loss is that of the minimax game and starts at 1.283. Switch the player to the generator: "
        "it pays minus the logarithm of D, the probability that its sample is real. Fake score 1 at −4 costs 4.018 "
        "before averaging and gets a slope of −0.2455, the largest possible being −0.25; Fake score 4 at 2 gets only "
        "−0.0298. Real scores have a slope of 0: the generator never touches them."
    ),
    use_when="You train a GAN and have no special reason for another loss.",
    avoid_when=(
        "You need a value that tells how training goes, or the game keeps oscillating: a Wasserstein critic or the "
        "hinge form is calmer."
    ),
    aliases=("NSGAN", "non-saturating GAN loss", "logistic GAN loss", "heuristic GAN loss"),
    inputs=score_inputs("discriminator"),
    parameters=(player_choice(),),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} -\ln \sigma(r_i) - \ln(1 - \sigma(f_i)) & \text{discriminator} \\"
        r" -\ln \sigma(f_i) & \text{generator} \end{cases}"
    ),
    gradient_formula=(
        r"\begin{cases} \sigma(r_i) - 1 \text{ along } r_i,\quad \sigma(f_i) \text{ along } f_i & \text{discriminator}"
        r" \\ 0 \text{ along } r_i,\quad \sigma(f_i) - 1 \text{ along } f_i & \text{generator} \end{cases}"
    ),
    worked=("ln(1 + exp(−{real})) + ln(1 + exp({fake}))", "ln(1 + exp(−{fake}))"),
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
            "The two losses do not add up to 0 or to anything else: on the starting example the discriminator pays "
            "1.283 and the generator 1.483. It is no minimax game any more, and no single number falls.",
            parameters={"player": "generator"},
        ),
        Pitfall(
            "A falling generator loss need not mean better samples. With all fake scores at 4 it is 0.018, because "
            "this discriminator is fooled; a better one would change the number at once.",
            state={"fake": [4.0, 4.0, 4.0, 4.0]},
            parameters={"player": "generator"},
        ),
        Pitfall(
            "Where the discriminator cannot tell, it pays 1.386, which is 2 ln 2, and the generator 0.693. These "
            "numbers are the aim of the game, not a sign that it has failed.",
            state={"real": [0.0, 0.0, 0.0, 0.0], "fake": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "The scores are logits. Probabilities put in are squashed twice: a discriminator that gives 0.9 to real "
            "and 0.1 to fake samples pays 1.086 here instead of 0.211, and can hardly do better.",
            state={"real": [0.9, 0.9, 0.9, 0.9], "fake": [0.1, 0.1, 0.1, 0.1]},
        ),
    ),
    relatives=(
        Relative("gan_minimax", "the same discriminator, but a generator that stalls where it is worst"),
        Relative("bce_with_logits", "both players' loss: only the labels differ"),
        Relative("hinge_gan", "leaves samples alone that are safely told apart"),
        Relative("lsgan", "squares instead of logarithms"),
    ),
    suits=(
        Suit(
            predicts="generated",
            reason="It is the usual GAN loss, and generated samples that are easily found out get the strongest push.",
            trouble=("vanishing",),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Goodfellow et al. (2014): Generative Adversarial Nets, section 3, arXiv:1406.2661",
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
            "optax 0.2.8, sigmoid_binary_cross_entropy of the fake scores with label 1",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            1.4831041526647777,
            "mean",
            {"player": "generator"},
        ),
        Golden(
            "scikit-learn 1.9.1, log_loss of the sigmoid of the fake scores with label 1, not normalised",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            5.932416610659111,
            "sum",
            {"player": "generator"},
        ),
    ),
    errors=score_errors(),
    derived=probabilities,
    derived_labels=PROBABILITY_LABELS,
    naive=Naive(
        "The sigmoid of a score below −710 (−89 in float32) is 0, and minus its logarithm infinite; above 37 (17) it "
        "is 1, and the logarithm of the discriminator's 1 − D is minus infinity.",
        _naive,
        "-torch.sigmoid(real).log() - (1 - torch.sigmoid(fake)).log()",
    ),
)
