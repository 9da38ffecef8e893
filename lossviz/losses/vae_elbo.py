"""Negative evidence lower bound of a variational autoencoder."""

from __future__ import annotations

from torch import Tensor

from lossviz.boards import Number, Numbers
from lossviz.losses._shared import REAL
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
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _parts(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Half the squared error of the reconstruction, and the divergence of the code's bell from the standard one."""
    error = inputs["reconstruction"] - inputs["target"]
    var = inputs["var"]
    return 0.5 * error**2, 0.5 * (var + inputs["mean"] ** 2 - 1 - var.log())


def _terms(inputs: Inputs, params: Params) -> Tensor:
    beta: float = params["beta"]
    error, divergence = _parts(inputs)
    return error + beta * divergence


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    beta: float = params["beta"]
    return {
        "reconstruction": inputs["reconstruction"] - inputs["target"],
        "mean": beta * inputs["mean"],
        "var": 0.5 * beta * (1 - 1 / inputs["var"]),
    }


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    error, divergence = _parts(inputs)
    return {"reconstruction_error": error, "divergence": divergence, "variance": inputs["var"]}


def _link(state: Inputs) -> dict[str, Tensor]:
    return {
        "reconstruction": state["reconstruction"],
        "mean": state["mean"],
        "var": state["spread"] ** 2,
        "target": state["target"],
    }


def _mirror(inputs: Inputs) -> Inputs:
    return {**inputs, "mean": -inputs["mean"]}


def _shift(inputs: Inputs) -> Inputs:
    moved = {name: inputs[name] + 0.75 for name in ("reconstruction", "target")}
    return {**inputs, **moved}


_ABOVE_ZERO = Domain("interval", low=0.0, low_open=True)

LOSS = Loss(
    key="vae_elbo",
    title="Negative ELBO (VAE)",
    task="generative",
    position=6,
    summary=(
        "What a variational autoencoder pays for a sample: how badly it is reconstructed, plus how far the bell curve "
        "of its code is from the standard one, from which new samples will be drawn."
    ),
    notice=(
        "Each sample has a reconstruction to be held against its target, and a code: a bell curve with a mean and a "
        "spread. Sample 1 is reconstructed well, 0.1 off its target, but its narrow bell costs 1.469 before averaging. "
        "Sample 3 has exactly the standard bell, which costs nothing and tells the decoder nothing, and is 1 off its "
        "target: 0.5. Drag a spread towards 0: the price grows without end. Set beta to 0: bells are free, and only "
        "the reconstruction counts."
    ),
    use_when=(
        "You train an autoencoder from whose codes new samples are to be drawn, or whose codes should be smooth and "
        "spread out."
    ),
    avoid_when=(
        "Only the reconstruction counts (take the squared error), or pictures must be sharp: the squared error blurs "
        "what the code leaves open."
    ),
    aliases=(
        "VAE loss",
        "evidence lower bound",
        "ELBO",
        "beta-VAE loss",
        "variational free energy",
        "variational autoencoder loss",
    ),
    inputs=(
        Input("reconstruction", "prediction", ("n",), REAL, "what the decoder makes of the code"),
        Input("mean", "prediction", ("n",), REAL, "centre of the code's bell, from the encoder"),
        Input("var", "prediction", ("n",), _ABOVE_ZERO, "variance of the code's bell, the square of its spread"),
        Input("target", "target", ("n",), REAL, "the sample itself"),
    ),
    parameters=(
        Parameter(
            "beta",
            r"\beta",
            1.0,
            0.0,
            100.0,
            0.5,
            "How much the divergence of the code counts; 1 is the evidence lower bound, other values the beta-VAE.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\tfrac12 (\hat x_i - x_i)^2 + \beta \cdot \tfrac12 \left( \sigma_i^2 + \mu_i^2 - 1 - \ln \sigma_i^2 \right)"
    ),
    gradient_formula=(
        r"\hat x_i - x_i \text{ along } \hat x_i,\quad \beta \mu_i \text{ along } \mu_i,\quad"
        r" \tfrac{\beta}{2} \left(1 - \tfrac{1}{\sigma_i^2}\right) \text{ along } \sigma_i^2"
    ),
    worked=("½ · ({reconstruction} − {target})² + {beta} · ½ · ({variance} + {mean}² − 1 − ln {variance})",),
    board=Numbers(
        (
            Number(
                "reconstruction",
                "Reconstruction",
                "prediction",
                (1.9, -0.6, 1.0),
                snap=lambda now: (now["target"],),
            ),
            Number("target", "Target", "target", (2.0, -1.0, 2.0)),
            Number("mean", "Mean", "prediction", (1.2, -0.8, 0.0), track=1, snap=lambda _: (0.0,)),
            Number("spread", "Spread", "prediction", (0.3, 0.5, 1.0), low=0.0, low_open=True, track=2),
        ),
        tracks=("Value", "Mean of the code", "Spread of the code"),
        bell=("mean", "spread"),
        prior=(0.0, 1.0),
        link=_link,
    ),
    code=Code(
        torch=(
            "var = spread**2  # an encoder gives the logarithm of var, so that var stays above 0\n"
            "error = 0.5 * (reconstruction - target) ** 2\n"
            "divergence = 0.5 * (var + mean**2 - 1 - var.log())\n"
            "terms = error + {beta} * divergence\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "values = (reconstruction, target, mean, spread)\n"
            "reconstruction, target, mean, spread = map(keras.ops.convert_to_tensor, values)\n"
            "var = spread**2  # an encoder gives the logarithm of var, so that var stays above 0\n"
            "error = 0.5 * (reconstruction - target) ** 2\n"
            "divergence = 0.5 * (var + mean**2 - 1 - keras.ops.log(var))\n"
            "loss = keras.ops.{reduction}(error + {beta} * divergence)"
        ),
        keras_note=(
            "With many pixels and several code numbers both parts are summed over them, then averaged over the samples."
        ),
    ),
    minimiser=(
        "None, because the reconstruction follows its own target. The code alone is best at mean 0 and spread 1, where "
        "it costs nothing but tells the decoder nothing; between the two the training has to trade."
    ),
    pitfalls=(
        Pitfall(
            "Posterior collapse: the code costs nothing where every bell is the standard one, so a strong decoder may "
            "ignore it and give the same answer for every sample. Here that answer is 1, the mean of the targets, and "
            "the loss of 1 is hardly more than the 0.897 of the starting example.",
            state={
                "reconstruction": [1.0, 1.0, 1.0],
                "mean": [0.0, 0.0, 0.0],
                "spread": [1.0, 1.0, 1.0],
            },
        ),
        Pitfall(
            "Averaging the error over the pixels while the divergence is summed is the same as a large beta. With 10 "
            "instead of 1, as 10 pixels would make it, the starting example costs 7.219 instead of 0.897, and Sample 1 "
            "alone makes 4.898 of it.",
            parameters={"beta": 10.0},
        ),
        Pitfall(
            "Without its spread the code becomes a plain autoencoder's. With spreads of 0.01 the three bells cost "
            "4.105 each and more, because they hardly overlap with the one that new samples are drawn from: the loss "
            "is 4.647.",
            state={"spread": [0.01, 0.01, 0.01]},
        ),
        Pitfall(
            "A squared error without the ½ assumes a narrower decoder and weighs the code half as much: it is twice "
            "this loss with beta 0.5, here twice 0.546. The constant ½ ln 2π of the bell curve, 0.919 a pixel, "
            "is left out here as in most programs.",
            parameters={"beta": 0.5},
        ),
    ),
    relatives=(
        Relative("gaussian_nll", "predicts the spread of the target instead of fixing it at 1"),
        Relative("mse", "twice the first part on its own"),
        Relative("kl_div", "the second part, for distributions over classes"),
        Relative("bce", "takes the place of the squared error where pixels are black or white"),
    ),
    suits=(
        Suit(
            predicts="generated",
            reason="It trains without an opponent, tells how likely a sample is, and gives every sample a code.",
            wants=("probabilities", "spread"),
        ),
    ),
    properties=("convex",),
    references=(
        "Kingma, Welling (2014): Auto-Encoding Variational Bayes, equation (10) and appendix B, arXiv:1312.6114",
        "Higgins et al. (2017): beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework",
    ),
    goldens=(
        Golden(
            "mpmath 1.3, the integral that defines the divergence, by quadrature; Kingma, Welling (2014), section 2.2",
            {"reconstruction": [1.9, -0.6, 0.5], "mean": [1.2, -0.8, 0.0], "var": [0.09, 0.25, 1.0]},
            [2.0, -1.0, 1.5],
            0.89737332829529376735,
        ),
        Golden(
            "mpmath 1.3, the integral that defines the divergence, by quadrature; Higgins et al. (2017), equation (4)",
            {"reconstruction": [1.5, 0.25], "mean": [-0.5, 2.0], "var": [0.5, 4.0]},
            [1.0, -0.5],
            12.519955638880109381,
            "sum",
            {"beta": 4.0},
        ),
    ),
    errors=(
        ErrorCase({"reconstruction": [1.0], "mean": [0.0], "var": [0.0]}, [1.0], "a number above 0"),
        ErrorCase({"reconstruction": [1.0], "mean": [0.0], "var": [-1.0]}, [1.0], "a number above 0"),
        ErrorCase({"reconstruction": [1.0], "mean": [0.0, 0.0], "var": [1.0]}, [1.0], "shape"),
        ErrorCase({"reconstruction": [1.0], "mean": [0.0]}, [1.0], "reconstruction, mean, var"),
        ErrorCase({"reconstruction": [1.0], "mean": [0.0], "var": [1.0]}, [1.0], "[0, 100]", {"beta": -1.0}),
    ),
    derived=_derived,
    derived_labels={
        "reconstruction_error": "Half the squared error",
        "divergence": "Divergence of the code from the standard bell",
        "variance": "Variance of the code",
    },
    invariances=(
        Invariance("Turning the sign of a code's mean around changes nothing.", _mirror),
        Invariance("Adding the same number to reconstruction and target changes nothing.", _shift),
    ),
)
