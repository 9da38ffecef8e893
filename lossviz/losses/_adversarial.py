"""What the losses of generative adversarial networks share: two scores a term, and a player whose loss it is.

One term holds the score of one real and of one generated sample. The two are not compared with each other; a board
shows them on one line so that the sums over both stand together.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Number, Numbers
from lossviz.boards.numbers import Snap
from lossviz.losses._shared import REAL
from lossviz.losses.base import ErrorCase, Input, Inputs, Parameter, Params


def score_inputs(who: str) -> tuple[Input, ...]:
    """The two inputs, the scores that `who` ("discriminator" or "critic") gives.

    Example:
        >>> [item.name for item in score_inputs("critic")]
        ['real', 'fake']
    """
    return (
        Input("real", "prediction", ("n",), REAL, f"the {who}'s raw score of a real sample"),
        Input("fake", "prediction", ("n",), REAL, f"the {who}'s raw score of a generated sample"),
    )


def player_choice(who: str = "discriminator", title: str = "Discriminator") -> Parameter:
    """Whose loss it is: that of the network that scores, or that of the generator.

    Example:
        >>> player_choice("critic", "Critic").describe()
        "one of 'critic', 'generator'"
    """
    return Parameter.choice(
        "player",
        "",
        {who: title, "generator": "Generator"},
        f"Whose loss it is: the {who} scores samples, the generator makes the fake ones.",
    )


def score_board(
    lines: tuple[float, ...], real_kinks: tuple[float, ...] = (), fake_kinks: tuple[float, ...] = (), gap: bool = False
) -> Numbers:
    """Four real and four fake scores on one line.

    Args:
        lines: Places marked across the line.
        real_kinks: Where the loss has a corner in a real score.
        fake_kinks: Where it has one in a fake score.
        gap: Whether the distance between the two scores is drawn.

    Example:
        >>> score_board((0.0,)).example()["fake"].tolist()
        [-4.0, -1.0, 0.5, 2.0]
    """
    real_snap: Snap = lambda _: real_kinks  # noqa: E731
    fake_snap: Snap = lambda _: fake_kinks  # noqa: E731
    return Numbers(
        (
            Number("real", "Real score", "prediction", (1.5, 0.5, -0.5, 3.0), snap=real_snap),
            Number("fake", "Fake score", "prediction", (-4.0, -1.0, 0.5, 2.0), snap=fake_snap),
        ),
        tracks=("Score",),
        span="gap" if gap else "none",
        lines=lines,
    )


def softplus(score: Tensor) -> Tensor:
    """`ln(1 + exp(s))`, to the last digit: torch's own threshold of 20 would lose some.

    Example:
        >>> softplus(torch.tensor(0.0))
        tensor(0.6931)
    """
    return F.softplus(score, threshold=40)


def case(inputs: Inputs, params: Params) -> Tensor:
    """0 where the scoring network plays, 1 where the generator does, for each term.

    Example:
        >>> case({"real": torch.zeros(2)}, {"player": "generator"})
        tensor([1., 1.])
    """
    return torch.full_like(inputs["real"], 1.0 if params["player"] == "generator" else 0.0)


def probabilities(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    """The probabilities of being real that the discriminator gives."""
    return {
        "real_probability": torch.sigmoid(inputs["real"]),
        "fake_probability": torch.sigmoid(inputs["fake"]),
        "case": case(inputs, params),
    }


def only_case(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    """Nothing but which formula holds."""
    return {"case": case(inputs, params)}


PROBABILITY_LABELS: Final = {
    "real_probability": "Probability that the real sample is real",
    "fake_probability": "Probability that the fake sample is real",
}


def discriminator_terms(inputs: Inputs) -> Tensor:
    """Binary cross-entropy with label 1 for real and 0 for fake: `-ln D(real) - ln(1 - D(fake))`."""
    return softplus(-inputs["real"]) + softplus(inputs["fake"])


def discriminator_derivative(inputs: Inputs) -> dict[str, Tensor]:
    """The slopes of `discriminator_terms`."""
    return {"real": -torch.sigmoid(-inputs["real"]), "fake": torch.sigmoid(inputs["fake"])}


def naive_discriminator_terms(inputs: Inputs) -> Tensor:
    """`discriminator_terms` with the sigmoid first and the logarithm after it."""
    return -torch.sigmoid(inputs["real"]).log() - (1 - torch.sigmoid(inputs["fake"])).log()


TORCH_DISCRIMINATOR: Final = (
    "loss = F.binary_cross_entropy_with_logits(\n"
    "    real, torch.ones_like(real), reduction={reduction!r}\n"
    ") + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake), reduction={reduction!r})"
)
KERAS_DISCRIMINATOR: Final = (
    "cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
    "loss_real = cross_entropy(keras.ops.ones_like(real[:, None]), real[:, None])\n"
    "loss_fake = cross_entropy(keras.ops.zeros_like(fake[:, None]), fake[:, None])\n"
    "loss = loss_real + loss_fake"
)


def score_errors(who: str = "discriminator") -> tuple[ErrorCase, ...]:
    """Input that every such loss refuses.

    Example:
        >>> score_errors()[1].message
        'finite'
    """
    return (
        ErrorCase({"real": [1.0, 2.0], "fake": [1.0]}, None, "shape"),
        ErrorCase({"real": [float("nan")], "fake": [1.0]}, None, "finite"),
        ErrorCase({"real": [1.0]}, None, "real, fake"),
        ErrorCase({"real": [1.0], "fake": [1.0]}, [1.0], "allowed is None"),
        ErrorCase({"real": [1.0], "fake": [1.0]}, None, f"'{who}', 'generator'", {"player": "both"}),
    )
