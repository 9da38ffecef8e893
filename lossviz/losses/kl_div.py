"""Kullback-Leibler divergence."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Bars
from lossviz.losses.base import (
    SUM,
    Code,
    Domain,
    ErrorCase,
    Fit,
    Golden,
    Input,
    Inputs,
    Loss,
    Naive,
    Params,
    Pitfall,
    Reduction,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    # The same numbers as F.kl_div. Its slope with respect to the target is NaN where the target is 0; that of entr is
    # infinite, as it should be.
    target = inputs["target"]
    divergence: Tensor = -torch.special.entr(target) - target * inputs["prediction"]
    return divergence


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return -inputs["target"]


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    log_probability, target = inputs["prediction"], inputs["target"]
    return {
        "softmax": log_probability.exp(),
        "log_probability": log_probability,
        "raw_gradient": -target,
        "case": (target == 0).to(target.dtype),
    }


def _link(state: Inputs) -> dict[str, Tensor]:
    return {"prediction": torch.log_softmax(state["prediction"], -1), "target": state["target"]}


def _keras(_: Params, reduction: str) -> str:
    name = "sum_over_batch_size" if reduction == "batchmean" else "sum"
    shared = " / keras.ops.size(prediction)" if reduction == "elementwise_mean" else ""
    return (
        f"divergence = keras.losses.KLDivergence(reduction={name!r})\n"
        f"loss = divergence(target, keras.ops.softmax(prediction)){shared}"
    )


BATCHMEAN = Reduction(
    "batchmean",
    "Mean over samples (batchmean)",
    "batchmean",
    r"\frac{1}{n}\sum_{i=1}^{n}\sum_{c=1}^{k} #",
    "samples",
)
ELEMENTWISE_MEAN = Reduction(
    "elementwise_mean",
    "Mean over all elements",
    "mean",
    r"\frac{1}{n k}\sum_{i=1}^{n}\sum_{c=1}^{k} #",
    "elements",
)
TOTAL = Reduction("sum", SUM.title, "sum", r"\sum_{i=1}^{n}\sum_{c=1}^{k} #", "one")


def _naive(inputs: Inputs, _: Params) -> Tensor:
    return inputs["target"] * (inputs["target"].log() - inputs["prediction"])


LOSS = Loss(
    key="kl_div",
    title="KL divergence",
    task="distribution",
    position=1,
    summary="How far a predicted distribution is from a true one: the surprise that the prediction adds.",
    notice=(
        "The handles are logits; their softmax is the predicted distribution. Sample 1 predicts (0.63, 0.23, 0.14) for "
        "(0.7, 0.2, 0.1) and costs 0.013 before averaging, Sample 2 costs 0.234. Single classes can be below 0, "
        "their sum cannot. PyTorch's function takes log-probabilities, and its raw gradient with respect to them is "
        "minus the target, wherever the prediction stands and even at the minimum. With respect to the logits it is "
        "softmax less target: this is what the arrows show, and it is 0 where the two agree. Both are divided by what "
        "the reduction divides by, here by 2 samples."
    ),
    use_when=(
        "The target is a distribution over the classes, such as the answers of several people or of a "
        "larger model (distillation)."
    ),
    avoid_when=(
        "Prediction and target lie on different classes with no overlap: then it is infinite or nearly so, "
        "and the Wasserstein distance still tells near from far."
    ),
    aliases=("KLDivLoss", "Kullback-Leibler divergence", "relative entropy", "KL", "forward KL", "distillation loss"),
    inputs=(
        Input(
            "prediction",
            "prediction",
            ("n", "k"),
            Domain("log_probability"),
            "natural logarithms of the predicted probabilities",
        ),
        Input("target", "target", ("n", "k"), Domain("simplex"), "true distribution over the classes"),
    ),
    parameters=(),
    reductions=(BATCHMEAN, ELEMENTWISE_MEAN, TOTAL),
    terms=_terms,
    derivative=_derivative,
    formula=r"y_{ic}\,(\ln y_{ic} - \ln p_{ic}),\quad 0 \ln 0 = 0",
    gradient_formula=(
        r"-y_{ic} \text{ with respect to } \ln p_{ic},\quad p_{ic} - y_{ic} \text{ with respect to the logits}"
    ),
    worked=("{target} · (ln {target} − {log_probability})", "0, because the target is 0"),
    board=Bars(
        ((1.0, 0.0, -0.5), (0.0, 0.8, 0.2)), ((0.7, 0.2, 0.1), (0.1, 0.3, 0.6)), truth="distribution", link=_link
    ),
    fits=(Fit("multiclass", "log_softmax", "one_hot"),),
    code=Code(
        torch="loss = F.kl_div(F.log_softmax(prediction, dim=1), target, reduction={reduction!r})",
        keras=_keras,
        keras_note="Keras takes probabilities, not their logarithms, and keeps both sides at 1e-7 or more.",
    ),
    minimiser="The mean of the target distributions.",
    pitfalls=(
        Pitfall(
            "The prediction comes first and as log-probabilities, the target second and as probabilities. With "
            "the softmax itself in place of its logarithm PyTorch's function gives −1.269 for the starting "
            "example instead of 0.123, without an error. Nor does it check that the predicted probabilities "
            "sum to 1; here they have to, give or take 0.01.",
        ),
        Pitfall(
            "It is not symmetric: a prediction of (0.5, 0.5) for a target of (0.9, 0.1) gives 0.368, the other way "
            "round 0.511.",
            state={"prediction": [[0.0, 0.0]], "target": [[0.9, 0.1]]},
        ),
        Pitfall(
            "PyTorch's own default, reduction='mean', divides by all elements and gives 0.041 for the starting "
            "example. The divergence of the definition is batchmean, 0.123; here 'mean' means batchmean.",
            reduction="elementwise_mean",
        ),
        Pitfall(
            "Where the target is not 0, a predicted probability of 0 makes it infinite. With a logit of −100 "
            "the probability of class 0 is not quite 0, and because the target gives it 0.5, the sample costs "
            "49.663.",
            state={"prediction": [[-100.0, 0.0, 0.0]], "target": [[0.5, 0.3, 0.2]]},
        ),
    ),
    relatives=(
        Relative("cross_entropy", "the same for one-hot targets; else larger by the entropy of the target"),
        Relative("js_divergence", "symmetric and never above ln 2"),
        Relative("wasserstein_1d", "knows how far apart the classes are"),
        Relative("vae_elbo", "uses the divergence of two bell curves"),
    ),
    suits=(
        Suit(
            predicts="distribution",
            reason=(
                "It measures the surprise that the prediction adds to that of the true distribution, and is 0 only "
                "where they agree."
            ),
            labels=("soft",),
            wants=("probabilities",),
        ),
        Suit(
            predicts="one_class",
            reason="The labels are whole distributions over the classes, and it compares them with the predicted one.",
            labels=("soft",),
        ),
    ),
    properties=("convex",),
    references=(
        "Kullback, Leibler (1951): On Information and Sufficiency, Annals of Mathematical Statistics 22(1), 79-86",
        "Cover, Thomas (2006): Elements of Information Theory, section 2.3",
        "https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html",
    ),
    goldens=(
        Golden(
            "optax 0.2.8, kl_divergence",
            [
                [-0.6931471805599453, -1.2039728043259361, -1.6094379124341003],
                [-2.3025850929940455, -0.5108256237659907, -1.2039728043259361],
            ],
            [[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]],
            0.12468742972161986,
        ),
        Golden(
            "scipy 1.17.1, special.rel_entr averaged",
            [
                [-0.6931471805599453, -1.2039728043259361, -1.6094379124341003],
                [-2.3025850929940455, -0.5108256237659907, -1.2039728043259361],
            ],
            [[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]],
            0.041562476573873276,
            "elementwise_mean",
        ),
        Golden(
            "scipy 1.17.1, stats.entropy",
            [[-0.10536051565782628, -2.3025850929940455]],
            [[0.1, 0.9]],
            1.7577796618689758,
            "sum",
        ),
    ),
    errors=(
        ErrorCase([[0.9, 0.1]], [[0.5, 0.5]], "at most 0"),
        ErrorCase([[-0.1, -0.1]], [[0.5, 0.5]], "sum to 1"),
        ErrorCase([[-0.5, -0.9327521295671886]], [[0.5, 0.6]], "summing to 1"),
        ErrorCase([[-0.5, -0.9327521295671886]], [[1.5, -0.5]], "[0, 1]"),
        ErrorCase([[-0.5, -0.9327521295671886]], [[1.0, 0.0, 0.0]], "shape"),
        ErrorCase([-0.5, -0.9327521295671886], [0.5, 0.5], "(samples, classes)"),
    ),
    term_axes=("n", "k"),
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "log_probability": "Logarithm of the softmax",
        "raw_gradient": "PyTorch's gradient for the log-probabilities, before averaging",
    },
    naive=Naive(
        "Where the target is 0, its logarithm is minus infinity, and 0 times that is not a number. The definition "
        "counts such a class as 0.",
        _naive,
        "target * (target.log() - F.log_softmax(prediction, dim=1))",
    ),
    best_constant=lambda target, _: target.mean(0).log(),
)
