"""Numbers in the texts of generative losses."""

import numpy as np

from tests.losses.claims.tools import Claim, placed, start

GENERATOR = {"player": "generator"}
SAFE = {"real": [6.0] * 4, "fake": [-6.0] * 4}
UNDECIDED = {"real": [0.0] * 4, "fake": [0.0] * 4}
CERTAIN = {"real": [np.log(9)] * 4, "fake": [-np.log(9)] * 4}
"""Logits of the probabilities 0.9 and 0.1."""
FOOLED = {"fake": [4.0] * 4}


def generator(key: str, fake: int, change: dict[str, list[float]] | None = None) -> float:
    """Slope of a fake score in the generator's loss."""
    return placed(key, "gradient.fake", fake - 1, change, player="generator")


CLAIMS: list[Claim] = [
    ("gan_minimax", "a slope of only −0.0045", lambda: generator("gan_minimax", 1)),
    ("gan_minimax", "gets −0.2202", lambda: generator("gan_minimax", 4)),
    ("gan_minimax", "gives it −0.2455", lambda: generator("gan_non_saturating", 1)),
    ("gan_minimax", "would be −0.0006", lambda: generator("gan_minimax", 1, SAFE)),
    ("gan_minimax", "A loss of 1.386", lambda: 2 * np.log(2)),
    ("gan_minimax", "it is −6.002", lambda: placed("gan_minimax", "value", 0, {"fake": [6.0] * 4}, **GENERATOR)),
    ("gan_non_saturating", "is that of the minimax game and starts at 1.283", lambda: start("gan_minimax", "value")),
    ("gan_non_saturating", "costs 4.018", lambda: placed("gan_non_saturating", "terms", 0, **GENERATOR)),
    ("gan_non_saturating", "a slope of −0.2455", lambda: generator("gan_non_saturating", 1)),
    ("gan_non_saturating", "being −0.25", lambda: generator("gan_non_saturating", 1, {"fake": [-50.0] * 4})),
    ("gan_non_saturating", "gets only −0.0298", lambda: generator("gan_non_saturating", 4)),
    ("gan_non_saturating", "pays 1.283", lambda: start("gan_non_saturating", "value")),
    ("gan_non_saturating", "it is 0.018", lambda: placed("gan_non_saturating", "value", 0, FOOLED, **GENERATOR)),
    (
        "gan_non_saturating",
        "and the generator 0.693",
        lambda: placed("gan_non_saturating", "value", 0, UNDECIDED, **GENERATOR),
    ),
    ("gan_non_saturating", "instead of 0.211", lambda: placed("gan_non_saturating", "value", 0, CERTAIN)),
    ("lsgan", "still makes 2", lambda: start("lsgan", "share", 0) - 0.5 * (1.5 - 1) ** 2 / 4),
    ("lsgan", "the slope of −1.25", lambda: generator("lsgan", 1)),
    ("lsgan", "they give 7", lambda: 2 * start("lsgan", "value")),
    ("wgan", "instead of −1.75", lambda: start("wgan", "value")),
    ("wgan", "critic's loss: −1.75", lambda: start("wgan", "value")),
    ("wgan", "a distance of 1.75", lambda: -start("wgan", "value")),
    ("wgan", "goes from 0.625", lambda: placed("wgan", "value", **GENERATOR)),
    ("wgan", "every fake score has the slope −0.25", lambda: generator("wgan", 1)),
    ("hinge_gan", "every fake score has the slope −0.25", lambda: generator("hinge_gan", 1)),
    ("hinge_gan", "pays 2", lambda: placed("hinge_gan", "value", 0, UNDECIDED)),
    ("hinge_gan", "not 1.386", lambda: placed("gan_minimax", "value", 0, UNDECIDED)),
    ("hinge_gan", "gives 0.8125", lambda: start("hinge_gan", "value") / 2),
    ("vae_elbo", "its narrow bell costs 1.469", lambda: start("vae_elbo", "divergence", 0)),
    ("vae_elbo", "1 off its target: 0.5", lambda: start("vae_elbo", "terms", 2)),
    ("vae_elbo", "more than the 0.897", lambda: start("vae_elbo", "value")),
    ("vae_elbo", "instead of 0.897", lambda: start("vae_elbo", "value")),
    ("vae_elbo", "of the bell curve, 0.919", lambda: 0.5 * np.log(2 * np.pi)),
    ("vae_elbo", "here twice 0.546", lambda: placed("vae_elbo", "value", beta=0.5)),
]
