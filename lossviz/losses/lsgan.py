"""Least-squares loss of a generative adversarial network."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._adversarial import only_case, player_choice, score_board, score_errors, score_inputs
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


def _terms(inputs: Inputs, params: Params) -> Tensor:
    a: float = params["fake_label"]
    b: float = params["real_label"]
    c: float = params["wanted_label"]
    if params["player"] == "generator":
        return 0.5 * (inputs["fake"] - c) ** 2
    return 0.5 * (inputs["real"] - b) ** 2 + 0.5 * (inputs["fake"] - a) ** 2


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    real, fake = inputs["real"], inputs["fake"]
    if params["player"] == "generator":
        return {"real": torch.zeros_like(real), "fake": fake - params["wanted_label"]}
    return {"real": real - params["real_label"], "fake": fake - params["fake_label"]}


def _torch(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return "terms = 0.5 * (fake - {wanted_label}) ** 2\nloss = terms.{reduction}()"
    return "terms = 0.5 * (real - {real_label}) ** 2 + 0.5 * (fake - {fake_label}) ** 2\nloss = terms.{reduction}()"


def _keras(params: Params, _: str) -> str:
    if params["player"] == "generator":
        return "loss = keras.ops.{reduction}(0.5 * (fake - {wanted_label}) ** 2)"
    return "loss = keras.ops.{reduction}(0.5 * (real - {real_label}) ** 2 + 0.5 * (fake - {fake_label}) ** 2)"


_POINT = {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]}

LOSS = Loss(
    key="lsgan",
    title="Least-squares GAN",
    task="generative",
    position=3,
    summary=(
        "A GAN in which the discriminator aims at a number for real and at another for generated samples, and every "
        "miss counts squared, on either side."
    ),
    notice=(
        "The discriminator wants 1 for real and 0 for fake samples; it starts at 3.5. Fake score 1 at −4 is safely "
        "fake and still makes 2 of that, because it lies 4 away from 0. Switch the player to the generator: it wants 1 "
        "for its samples, and the slope of −1.25 of Fake score 1 is five times as large as a logistic loss could give. "
        "Fake score 4 at 2 is pulled back to 1."
    ),
    use_when="The logistic GAN saturates: here a sample is pulled the more, the further it is from the wanted score.",
    avoid_when="A few scores run far away: their squares take over the mean, and so the gradient.",
    aliases=("LSGAN", "least squares GAN loss", "least-squares adversarial loss"),
    inputs=score_inputs("discriminator"),
    parameters=(
        player_choice(),
        Parameter("fake_label", "a", 0.0, -10.0, 10.0, 0.5, "Score a that the discriminator wants for fake samples."),
        Parameter("real_label", "b", 1.0, -10.0, 10.0, 0.5, "Score b that the discriminator wants for real samples."),
        Parameter("wanted_label", "c", 1.0, -10.0, 10.0, 0.5, "Score c that the generator wants for its samples."),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\begin{cases} \tfrac12 (r_i - b)^2 + \tfrac12 (f_i - a)^2 & \text{discriminator} \\"
        r" \tfrac12 (f_i - c)^2 & \text{generator} \end{cases}"
    ),
    gradient_formula=(
        r"\begin{cases} r_i - b \text{ along } r_i,\quad f_i - a \text{ along } f_i & \text{discriminator}"
        r" \\ 0 \text{ along } r_i,\quad f_i - c \text{ along } f_i & \text{generator} \end{cases}"
    ),
    worked=("½ · ({real} − {real_label})² + ½ · ({fake} − {fake_label})²", "½ · ({fake} − {wanted_label})²"),
    board=score_board((0.0, 1.0), real_kinks=(1.0,), fake_kinks=(0.0, 1.0)),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note="Keras has no GAN losses; its MeanSquaredError with the labels as targets is twice as large.",
    ),
    minimiser=(
        "None, because each player has scores of its own: the discriminator is best at b for real and a for fake "
        "samples, the generator at c. Where real and fake samples lie on top of each other the discriminator's best "
        "score is the mean of b and a, weighted by their shares."
    ),
    pitfalls=(
        Pitfall(
            "Being right by too much costs as well. Real score 1 at 5 is clearly real, and yet it lies 4 beyond the "
            "wanted 1: it makes 2 of the loss, with a slope of 1 that pulls it back. That keeps scores small, and it "
            "means that the score is no probability and no measure of quality.",
            state={"real": [5.0, 0.5, -0.5, 3.0], "fake": [0.0, -1.0, 0.5, 2.0]},
        ),
        Pitfall(
            "Do not put a sigmoid before it. With scores held between 0 and 1, as here, no slope of the generator can "
            "exceed 0.25 in size, and the sigmoid's own slope shrinks it further: the saturation is back.",
            state={"real": [0.9, 0.8, 0.6, 0.9], "fake": [0.0, 0.2, 0.4, 0.5]},
            parameters={"player": "generator"},
        ),
        Pitfall(
            "The choice of labels matters. Only with b − c = 1 and b − a = 2, such as a = −1, b = 1, c = 0, does the "
            "generator minimise a Pearson divergence; with these the starting example costs the discriminator 3.375. "
            "The usual 0, 1, 1 is a practical choice.",
            parameters={"fake_label": -1.0, "real_label": 1.0, "wanted_label": 0.0},
        ),
        Pitfall(
            "Many programs leave out the ½: they give 7 for the starting example instead of 3.5, with slopes "
            "twice as large.",
        ),
    ),
    relatives=(
        Relative("mse", "the same square, with the labels as targets and without the ½"),
        Relative("gan_non_saturating", "logarithms instead of squares"),
        Relative("hinge_gan", "leaves alone what is right by more than the margin"),
    ),
    suits=(
        Suit(
            predicts="generated",
            reason="Squares do not saturate: a sample that is far from the wanted score is pulled in proportion.",
            trouble=("vanishing",),
        ),
    ),
    properties=("convex",),
    references=(
        "Mao, Li, Xie, Lau, Wang, Smolley (2017): Least Squares Generative Adversarial Networks, equation (2), "
        "arXiv:1611.04076",
    ),
    goldens=(
        Golden("optax 0.2.8, l2_loss to 1 and to 0", _POINT, None, 3.125),
        Golden(
            "scikit-learn 1.9.1, mean_squared_error to 1, halved",
            _POINT,
            None,
            3.78125,
            "mean",
            {"player": "generator"},
        ),
        Golden(
            "optax 0.2.8, l2_loss to 0.5 and to -1, summed",
            _POINT,
            None,
            12.25,
            "sum",
            {"fake_label": -1.0, "real_label": 0.5},
        ),
        Golden(
            "optax 0.2.8, l2_loss to 0, summed",
            _POINT,
            None,
            10.625,
            "sum",
            {"player": "generator", "wanted_label": 0.0},
        ),
    ),
    errors=(
        *score_errors(),
        ErrorCase({"real": [1.0], "fake": [1.0]}, None, "[-10, 10]", {"fake_label": 11.0}),
    ),
    derived=only_case,
)
