"""The losses of generative models once more, in NumPy and SciPy, by their textbook formulas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Inputs = dict[str, NDArray[Any]]
Params = dict[str, Any]


def gan_minimax(inputs: Inputs, params: Params) -> NDArray[Any]:
    d_real, d_fake = special.expit(inputs["real"]), special.expit(inputs["fake"])
    fooled = np.log(1 - d_fake)
    return fooled if params["player"] == "generator" else -(np.log(d_real) + fooled)


def gan_non_saturating(inputs: Inputs, params: Params) -> NDArray[Any]:
    if params["player"] == "generator":
        return -special.log_expit(inputs["fake"])
    return np.logaddexp(0, -inputs["real"]) + np.logaddexp(0, inputs["fake"])


def lsgan(inputs: Inputs, params: Params) -> NDArray[Any]:
    if params["player"] == "generator":
        return np.square(inputs["fake"] - params["wanted_label"]) / 2
    return (np.square(inputs["real"] - params["real_label"]) + np.square(inputs["fake"] - params["fake_label"])) / 2


def wgan(inputs: Inputs, params: Params) -> NDArray[Any]:
    lead = inputs["real"] - inputs["fake"]
    return -lead if params["player"] == "critic" else lead - inputs["real"]


def hinge_gan(inputs: Inputs, params: Params) -> NDArray[Any]:
    if params["player"] == "generator":
        return -inputs["fake"]
    return -np.minimum(0, inputs["real"] - 1) - np.minimum(0, -inputs["fake"] - 1)


def vae_elbo(inputs: Inputs, params: Params) -> NDArray[Any]:
    spread = np.sqrt(inputs["var"])
    divergence = -np.log(spread) + (np.square(spread) + np.square(inputs["mean"])) / 2 - 0.5
    return np.square(inputs["reconstruction"] - inputs["target"]) / 2 + params["beta"] * divergence
