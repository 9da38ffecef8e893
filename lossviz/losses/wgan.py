"""Wasserstein loss of a generative adversarial network."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.losses._adversarial import case, player_choice, score_board, score_errors, score_inputs
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return -inputs["fake"] if params["player"] == "generator" else inputs["fake"] - inputs["real"]


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    ones = torch.ones_like(inputs["real"])
    return {"real": 0 * ones, "fake": -ones} if params["player"] == "generator" else {"real": -ones, "fake": ones}


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {"lead": inputs["real"] - inputs["fake"], "case": case(inputs, params)}


def _torch(params: Params, _: str) -> str:
    return "loss = -fake.{reduction}()" if params["player"] == "generator" else "loss = (fake - real).{reduction}()"


def _keras(params: Params, _: str) -> str:
    terms = "-fake" if params["player"] == "generator" else "fake - real"
    return f"loss = keras.ops.{{reduction}}({terms})"


LOSS = Loss(
    key="wgan",
    title="Wasserstein GAN",
    task="generative",
    position=4,
    summary=(
        "A GAN whose critic scores real samples as far above generated ones as it may; how far it gets is an estimate "
        "of the distance between the two."
    ),
    notice=(
        "The critic starts at −1.75: on average real scores lie 1.75 above fake ones. Every real score has the slope "
        "−0.25 and every fake one 0.25, wherever it stands: the loss is a straight line without end. Switch the player "
        "to the generator: every fake score has the slope −0.25, even the one at −4, so nothing saturates."
    ),
    use_when=(
        "You want a loss that falls as the samples get better, and a critic that may be trained to its best without "
        "starving the generator."
    ),
    avoid_when=(
        "You cannot hold the critic's slope at 1 or below, by a gradient penalty or spectral normalisation: without "
        "that its loss has no lower end."
    ),
    aliases=("WGAN", "Wasserstein GAN loss", "critic loss", "earth mover GAN loss", "WGAN-GP without its penalty"),
    inputs=score_inputs("critic"),
    parameters=(player_choice("critic", "Critic"),),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=r"\begin{cases} f_i - r_i & \text{critic} \\ -f_i & \text{generator} \end{cases}",
    gradient_formula=(
        r"\begin{cases} -1 \text{ along } r_i,\quad 1 \text{ along } f_i & \text{critic}"
        r" \\ 0 \text{ along } r_i,\quad -1 \text{ along } f_i & \text{generator} \end{cases}"
    ),
    worked=("{fake} − {real}", "−{fake}"),
    board=score_board((), gap=True),
    code=Code(
        torch=_torch,
        keras=_keras,
        keras_note=(
            "Keras has no GAN losses. The gradient penalty of WGAN-GP is added in the training step, where the critic "
            "can be differentiated along its input."
        ),
    ),
    minimiser=(
        "None, because the critic's loss falls without end as scores move apart; what stops it is a limit on the "
        "critic's slope, which is no part of this formula."
    ),
    pitfalls=(
        Pitfall(
            "Without a limit on the critic its loss means nothing. Here all scores are ten times those of the "
            "starting example, as a critic gets by scaling its last layer: the loss is −17.5 instead of −1.75, and no "
            "sample has been told apart any better.",
            state={"real": [15.0, 5.0, -5.0, 30.0], "fake": [-40.0, -10.0, 5.0, 20.0]},
        ),
        Pitfall(
            "The limit is no part of this board. WGAN clips the critic's weights; WGAN-GP adds 10 (‖∇‖ − 1)², with the "
            "gradient of the critic along a mixture of a real and a fake sample. That needs the critic itself, not "
            "only its scores.",
        ),
        Pitfall(
            "The distance is minus the critic's loss: −1.75 stands for a distance of 1.75. Scores have no meaning of "
            "their own: 100 more on each changes nothing for the critic, but the generator's loss goes from 0.625 to "
            "−99.375.",
            state={"real": [101.5, 100.5, 99.5, 103.0], "fake": [96.0, 99.0, 100.5, 102.0]},
            parameters={"player": "generator"},
        ),
        Pitfall(
            "There is no sigmoid. Scores squeezed between 0 and 1 limit the distance to 1 and bring the saturation "
            "back: this critic could hardly be better and gets no further than −0.9.",
            state={"real": [0.95, 0.95, 0.95, 0.95], "fake": [0.05, 0.05, 0.05, 0.05]},
        ),
    ),
    relatives=(
        Relative("wasserstein_1d", "the distance that the critic estimates, for distributions over ordered classes"),
        Relative("hinge_gan", "the same generator, a critic that stops at a margin"),
        Relative("gan_non_saturating", "a discriminator with probabilities instead of a critic"),
    ),
    suits=(
        Suit(
            predicts="generated",
            reason="Its slope is the same everywhere, so the generator learns even from a critic that is far ahead.",
            trouble=("vanishing",),
        ),
    ),
    properties=("convex", "robust"),
    references=(
        "Arjovsky, Chintala, Bottou (2017): Wasserstein GAN, algorithm 1, arXiv:1701.07875",
        "Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville (2017): Improved Training of Wasserstein GANs, "
        "arXiv:1704.00028",
    ),
    goldens=(
        Golden(
            "scipy 1.17.1, minus stats.wasserstein_distance of the scores, of which each real one is at least as high",
            {"real": [1.5, 0.5, -0.5, 2.0], "fake": [-4.0, -1.0, 0.5, 2.0]},
            None,
            -1.5,
        ),
        Golden(
            "scipy 1.17.1, minus 4 times stats.wasserstein_distance of positive fake scores from 0",
            {"real": [0.0, 0.0, 0.0, 0.0], "fake": [4.0, 1.0, 0.5, 2.0]},
            None,
            -7.5,
            "sum",
            {"player": "generator"},
        ),
    ),
    errors=score_errors("critic"),
    derived=_derived,
    derived_labels={"lead": "Real score less fake score"},
)
