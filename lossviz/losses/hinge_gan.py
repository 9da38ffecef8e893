"""Hinge loss of a generative adversarial network."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._adversarial import only_case, player_choice, score_board, score_errors, score_inputs
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, params: Params) -> Tensor:
    if params["player"] == "generator":
        return -inputs["fake"]
    return (1 - inputs["real"]).relu() + (1 + inputs["fake"]).relu()


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    real, fake = inputs["real"], inputs["fake"]
    if params["player"] == "generator":
        return {"real": torch.zeros_like(real), "fake": -torch.ones_like(fake)}
    return {"real": -(real < 1).to(real.dtype), "fake": (fake > -1).to(fake.dtype)}


def _torch(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return "loss = -fake.{reduction}()"
    return "terms = (1 - real).relu() + (1 + fake).relu()\nloss = terms.{reduction}()"


def _keras(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return "loss = -keras.ops.{reduction}(fake)"
    return (
        "hinge = keras.losses.Hinge(reduction={keras_reduction!r})\n"
        "loss_real = hinge(keras.ops.ones_like(real[:, None]), real[:, None])\n"
        "loss_fake = hinge(-keras.ops.ones_like(fake[:, None]), fake[:, None])\n"
        "loss = loss_real + loss_fake"
    )


LOSS = Loss(
    key="hinge_gan",
    title="Hinge GAN",
    task="generative",
    position=5,
    summary=(
        "A GAN whose discriminator stops pushing a sample once its score is safely on the right side of a margin, "
        "while the generator keeps pushing its scores up."
    ),
    notice=(
        "The discriminator starts at 1.625. Real scores above 1 and fake ones below −1 cost nothing: Real score 1 at "
        "1.5 and Fake score 1 at −4 have a slope of 0 and are left alone. Drag Fake score 1 across −1: its slope "
        "jumps from 0 to 0.25. Switch the player to the generator: every fake score has the slope −0.25."
    ),
    use_when="You train a large GAN on images, mostly with spectral normalisation: many such models use this loss.",
    avoid_when="You need the discriminator's score as a probability, or a value that tells how far training has come.",
    aliases=("GAN hinge loss", "adversarial hinge loss", "geometric GAN loss", "SAGAN loss"),
    inputs=score_inputs("discriminator"),
    parameters=(player_choice(),),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} \max(0,\ 1 - r_i) + \max(0,\ 1 + f_i) & \text{discriminator} \\ -f_i & \text{generator}"
        r" \end{cases}"
    ),
    gradient_formula=(
        r"\begin{cases} -[r_i < 1] \text{ along } r_i,\quad [f_i > -1] \text{ along } f_i & \text{discriminator}"
        r" \\ 0 \text{ along } r_i,\quad -1 \text{ along } f_i & \text{generator} \end{cases}"
    ),
    worked=("max(0, 1 − {real}) + max(0, 1 + {fake})", "−{fake}"),
    board=score_board((-1.0, 1.0), real_kinks=(1.0,), fake_kinks=(-1.0,)),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note="The discriminator's part is Keras's Hinge with the labels +1 for real and −1 for fake samples.",
    ),
    minimiser=(
        "None, because the generator's loss falls without end. The discriminator is content with any real score of at "
        "least 1 and any fake one of at most −1."
    ),
    pitfalls=(
        Pitfall(
            "The generator's loss is no hinge: it is a straight line without a margin. With all fake scores at 5 it is "
            "−5, and every slope is still −0.25.",
            state={"fake": [5.0, 5.0, 5.0, 5.0]},
            parameters={"player": "generator"},
        ),
        Pitfall(
            "At a loss of 0 the discriminator learns nothing more. Here all samples are outside the margin, all its "
            "slopes are 0, and only a change of the samples will move it again.",
            state={"real": [1.5, 2.0, 3.0, 2.0], "fake": [-4.0, -1.5, -2.0, -3.0]},
        ),
        Pitfall(
            "A discriminator that cannot tell pays 2, not 1.386 as with logarithms: here all scores are 0.",
            state={"real": [0.0, 0.0, 0.0, 0.0], "fake": [0.0, 0.0, 0.0, 0.0]},
        ),
        Pitfall(
            "Some programs average the two parts instead of adding them up. Then the starting example gives 0.8125 "
            "instead of 1.625, and the same learning rate takes half the step.",
        ),
    ),
    relatives=(
        Relative("hinge", "the discriminator's loss, with labels +1 for real and −1 for fake"),
        Relative("wgan", "the same generator, a critic without a margin"),
        Relative("gan_non_saturating", "logarithms: it never lets go of a sample entirely"),
    ),
    suits=(
        Suit(
            predicts="generated",
            reason="The discriminator leaves alone what it tells apart safely, and the generator's slope never fades.",
            trouble=("vanishing",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Lim, Ye (2017): Geometric GAN, arXiv:1705.02894",
        "Miyato, Kataoka, Koyama, Yoshida (2018): Spectral Normalization for Generative Adversarial Networks, "
        "equations (16) and (17), arXiv:1802.05957",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, hinge_loss over real scores with label 1 and fake ones with label -1, times 2",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            1.625,
        ),
        Golden(
            "optax 0.2.8, hinge_loss summed",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            6.5,
            "sum",
        ),
        Golden(
            "optax 0.2.8, hinge_loss of fake scores below 1 with label 1, less 1",
            {"real": [0.0, 0.0, 0.0, 0.0], "fake": [-4.0, -1.0, 0.5, 0.0]},
            None,
            1.125,
            "mean",
            {"player": "generator"},
        ),
    ),
    errors=score_errors(),
    kinks=(
        "For the discriminator the slope of a term jumps from −1 to 0 at a real score of 1, and from 0 to 1 at a fake "
        "score of −1."
    ),
    derived=only_case,
)
