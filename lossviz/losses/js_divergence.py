"""Jensen-Shannon divergence."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses._multiclass import (
    DISTRIBUTION_ERRORS,
    DISTRIBUTION_INPUTS,
    SAMPLE_MEAN,
    SAMPLE_SUM,
    softmax_link,
)
from lossviz.losses._shared import swap_roles
from lossviz.losses.base import Code, Golden, Inputs, Invariance, Loss, Params, Pitfall, Relative, Suit


def _log(probability: Tensor) -> Tensor:
    """The logarithm; of 0 that of the smallest normal number, so that 0 times it stays 0 in slopes too."""
    return probability.clamp(min=torch.finfo(probability.dtype).tiny).log()


def _terms(inputs: Inputs, _: Params) -> Tensor:
    p, y = inputs["prediction"], inputs["target"]
    # entr has the true, infinite slope where a target is 0. A prediction of 0 comes from a softmax, which would turn
    # an infinite slope into NaN.
    divergence: Tensor = p * _log(p) - torch.special.entr(y) - (p + y) * _log((p + y) / 2)
    return divergence / 2


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    p, middle = inputs["prediction"], (inputs["prediction"] + inputs["target"]) / 2
    tiny = torch.finfo(p.dtype).tiny
    clamped = (p >= tiny).to(p.dtype) - (middle >= tiny).to(p.dtype)  # -1 where a prediction is 0, else 0
    return (_log(p) - _log(middle) + clamped) / 2


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    p, y = inputs["prediction"], inputs["target"]
    middle = (p + y) / 2
    return {
        "softmax": p,
        "middle": middle,
        "target_logarithm": torch.where(y > 0, _log(y) - _log(middle), 0.0),
        "softmax_logarithm": torch.where(p > 0, _log(p) - _log(middle), 0.0),
    }


LOSS = Loss(
    key="js_divergence",
    title="Jensen-Shannon divergence",
    task="distribution",
    position=2,
    summary="How far two distributions are from the one half-way between them: equal in both directions, with a limit.",
    notice=(
        "The handles are logits; their softmax is the predicted distribution. Sample 1 is near its target and costs "
        "0.003 before averaging, Sample 2 costs 0.056. Drag the first logit of Sample 2 to 5: it says class 0 almost "
        "surely, which is nearly ruled out, and costs 0.476. It can never exceed 0.693, the logarithm of 2; the KL "
        "divergence would ask 3.265."
    ),
    use_when=(
        "You compare two distributions on an equal footing, or with zeros on either side, such as the words of two "
        "texts or the parts of two populations."
    ),
    avoid_when=(
        "You train a classifier: far from the target its slope fades away, where the KL divergence and cross-entropy "
        "keep pulling."
    ),
    aliases=("Jensen-Shannon divergence", "JSD", "information radius"),
    inputs=DISTRIBUTION_INPUTS,
    parameters=(),
    reductions=(SAMPLE_MEAN, SAMPLE_SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\tfrac12 \left( y_{ic} \ln \frac{y_{ic}}{m_{ic}} + p_{ic} \ln \frac{p_{ic}}{m_{ic}} \right),\quad"
        r" m_{ic} = \tfrac12 (y_{ic} + p_{ic}),\quad 0 \ln 0 = 0"
    ),
    gradient_formula=r"\tfrac12 \ln \frac{p_{ic}}{m_{ic}} \text{ with respect to } p_{ic}",
    worked=("½ · ({target} · {target_logarithm} + {softmax} · {softmax_logarithm})",),
    board=Bars(
        ((1.0, 0.0, -0.5), (0.0, 0.8, 0.2)),
        ((0.7, 0.2, 0.1), (0.1, 0.3, 0.6)),
        truth="distribution",
        link=softmax_link,
    ),
    code=Code(
        torch=(
            "p = F.softmax(prediction, dim=1).clamp(min=1e-300)  # no logarithm of 0\n"
            "log_middle = ((p + target) / 2).log()\n"
            'from_target = F.kl_div(log_middle, target, reduction="none")\n'
            'from_prediction = F.kl_div(log_middle, p, reduction="none")\n'
            "terms = (from_target + from_prediction).sum(1) / 2\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "p = keras.ops.softmax(prediction)\n"
            "middle = (p + target) / 2\n"
            "divergence = keras.losses.KLDivergence(reduction={keras_reduction!r})\n"
            "loss = (divergence(target, middle) + divergence(p, middle)) / 2"
        ),
        keras_note="It is made of two KL divergences; Keras keeps both sides of those at 1e-7 or more.",
    ),
    minimiser="No closed form: one target alone is met exactly; of several it is near their mean, but not equal to it.",
    pitfalls=(
        Pitfall(
            "SciPy's jensenshannon returns the square root, the Jensen-Shannon distance. For this sample that is "
            "0.237, where the divergence is 0.056.",
            state={"prediction": [[0.0, 0.8, 0.2]], "target": [[0.1, 0.3, 0.6]]},
        ),
        Pitfall(
            "Far away it is flat. The true class 2 has a probability of 0.00005 here: the sample costs 0.693, and no "
            "logit has a slope above 0.00023 in size. The KL divergence would pull with a slope of 1.",
            state={"prediction": [[10.0, 0.0, 0.0]], "target": [[0.0, 0.0, 1.0]]},
        ),
        Pitfall(
            "Its limit depends on the logarithm: 0.693 with the natural one, 1 with base 2, where it counts bits. Here "
            "prediction and target share nothing, and it is at the limit.",
            state={"prediction": [[30.0, 0.0]], "target": [[0.0, 1.0]]},
        ),
    ),
    relatives=(
        Relative("kl_div", "twice, each against the middle, makes this one"),
        Relative("wasserstein_1d", "also knows how far apart the classes are"),
        Relative("gan_minimax", "a perfect discriminator turns that game into this divergence"),
    ),
    suits=(
        Suit(
            predicts="distribution",
            reason="It treats both distributions alike, stands zeros on either side and has a limit.",
            labels=("soft",),
            trouble=("outliers", "noisy_labels"),
        ),
    ),
    properties=("convex", "bounded"),
    references=(
        "Lin (1991): Divergence Measures Based on the Shannon Entropy, IEEE Transactions on Information Theory 37(1), "
        "145-151",
        "https://docs.scipy.org/doc/scipy/reference/generated/scipy.spatial.distance.jensenshannon.html",
    ),
    goldens=(
        Golden(
            "scipy 1.17.1, spatial.distance.jensenshannon squared",
            [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]],
            [[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]],
            0.03573399155154199,
        ),
        Golden(
            "scipy 1.17.1, spatial.distance.jensenshannon squared and summed",
            [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]],
            [[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]],
            0.07146798310308398,
            "sum",
        ),
    ),
    errors=DISTRIBUTION_ERRORS,
    term_axes=("n", "k"),
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "middle": "Half-way between",
        "target_logarithm": "Logarithm of target over middle",
        "softmax_logarithm": "Logarithm of softmax over middle",
    },
    invariances=(Invariance("Exchanging prediction and target changes nothing.", swap_roles),),
)
