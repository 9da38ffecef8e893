"""Next-token prediction: cross-entropy at every place of a sentence."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Bars
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
    Naive,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _terms(inputs: Inputs, _: Params) -> Tensor:
    logits, target = inputs["prediction"], inputs["target"]
    flat = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), target.reshape(-1), reduction="none")
    return flat.reshape(target.shape)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    logits = inputs["prediction"]
    return torch.softmax(logits, -1) - F.one_hot(inputs["target"], logits.shape[-1]).to(logits.dtype)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    terms = _terms(inputs, params)
    return {
        "softmax": torch.softmax(inputs["prediction"], -1),
        "word_probability": (-terms).exp(),
        "perplexity": terms.mean(-1, keepdim=True).exp().expand(terms.shape),
    }


def _naive(inputs: Inputs, _: Params) -> Tensor:
    raised = inputs["prediction"].exp()
    probability = raised / raised.sum(-1, keepdim=True)
    return -probability.gather(-1, inputs["target"][..., None])[..., 0].log()


def _shift(inputs: Inputs) -> Inputs:
    return {**inputs, "prediction": inputs["prediction"] + 1.5}


def _best_constant(target: Tensor, _: Params) -> Tensor:
    counts: Tensor = torch.bincount(target).double()
    return (counts / counts.sum()).log()


_POINT = (
    [[0.2, 1.8, -0.5, -0.6, 1.5], [-0.4, -0.8, 2.4, 0.6, -0.8], [-0.3, -1.2, -0.7, 3.1, -1.0]],
    [1, 2, 3],
)

LOSS = Loss(
    key="next_token",
    title="Next token",
    task="sequence",
    position=2,
    summary="How surprised a language model is, word by word, by a sentence that it has to continue at every place.",
    notice=(
        "The sentence is: the cat sat on the mat. Its first word is given; at each of the five places the model has "
        "seen the words before and says which comes next. At place 1, after the, it hesitates between cat and mat and "
        "pays 0.677; at place 3, after sat, it is nearly sure of on and pays 0.082. The mean is 0.319, so the "
        "perplexity is 1.376: as if it had to choose among that many equally likely words. Choose another true word "
        "at a place and see what surprise costs."
    ),
    use_when=(
        "A model writes text, or any sequence, one symbol after the other: this is how language models are trained."
    ),
    avoid_when=(
        "Nobody knows which part of the input belongs to which symbol, as in speech (take CTC), or people have said "
        "which answers they prefer (take DPO afterwards)."
    ),
    aliases=(
        "language modelling loss",
        "language modeling loss",
        "causal language modelling loss",
        "autoregressive loss",
        "perplexity",
        "log perplexity",
    ),
    inputs=(
        Input("prediction", "prediction", ("n", "k"), REAL, "logits: at each place one raw score for each word"),
        Input("target", "target", ("n",), Domain("index"), "the word that really comes next", differentiable=False),
    ),
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\ln p(w_i \mid w_0, \dots, w_{i-1}) = -\ln \frac{e^{z_{i w_i}}}{\sum_{c} e^{z_{ic}}},\quad "
        r"\text{perplexity} = e^{\frac{1}{n} \sum_i \ell_i}"
    ),
    gradient_formula=r"p_{ic} - [c = w_i]",
    worked=("−ln {word_probability}",),
    board=Bars(
        prediction=(
            (-1.5, 1.8, -0.5, -0.6, 1.5),
            (-0.4, -0.8, 2.4, 0.6, -0.8),
            (-0.3, -1.2, -0.7, 3.1, -1.0),
            (2.6, 0.1, -1.2, -1.5, 0.4),
            (-2.0, 0.7, -0.9, -1.1, 1.9),
        ),
        target=(1.0, 2.0, 3.0, 0.0, 4.0),
        classes=("the", "cat", "sat", "on", "mat"),
        sample_label="Place",
        truth_label="True word",
        most_samples=6,
    ),
    code=Code(
        torch="loss = F.cross_entropy(prediction, target, reduction={reduction!r})",
        keras=(
            "surprise = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction={keras_reduction!r})\n"
            "loss = surprise(target, prediction)"
        ),
        keras_note="The same function as for classes; the places of all sentences of a batch stand below each other.",
    ),
    minimiser=(
        "The logarithms of the words' frequencies, if the same logits had to serve at every place (plus any constant)."
    ),
    pitfalls=(
        Pitfall(
            "Shift the targets by one. At each place the target is the following word, not the one that is already "
            "there: against the words just read, the same predictions cost 3.979 instead of 0.319.",
            state={"target": (0.0, 1.0, 2.0, 3.0, 0.0)},
        ),
        Pitfall(
            "Knowing nothing has a price: with equal scores for 5 words each place costs ln 5 = 1.609 and the "
            "perplexity is 5. With 50,000 words training begins near 10.8; a loss far above that is a bug.",
            state={"prediction": ((0.0,) * 5,) * 5},
        ),
        Pitfall(
            "Perplexity is e to the mean, so it must be taken once, at the end. One bad word counts much: "
            "if place 3 was sat instead of on, the mean rises to 1.079 and the perplexity to 2.942.",
            state={"target": (1.0, 2.0, 2.0, 0.0, 4.0)},
        ),
        Pitfall(
            "Padding is no text. The places behind the end of a short sentence must not be counted (in PyTorch "
            "ignore_index), or the mean is that of filler. The sum here is 1.596 for 5 places; a sixth that is easy "
            "would lower the mean without the model getting better.",
            reduction="sum",
        ),
    ),
    relatives=(
        Relative("cross_entropy", "the same function, there with weights and smoothing, for single objects"),
        Relative("ctc", "for symbols that nobody has laid out in time"),
        Relative("dpo", "the step after: teaches a model which of two answers people prefer"),
    ),
    suits=(
        Suit(
            predicts="sequence",
            reason="It scores at every place the probability of the symbol that really comes next.",
            labels=("aligned",),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Bengio, Ducharme, Vincent, Jauvin (2003): A Neural Probabilistic Language Model, Journal of Machine Learning "
        "Research 3, 1137-1155",
        "Jelinek, Mercer, Bahl, Baker (1977): Perplexity: a measure of the difficulty of speech recognition tasks, "
        "Journal of the Acoustical Society of America 62, S63",
        "https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",
    ),
    goldens=(
        Golden("optax 0.2.8, softmax_cross_entropy_with_integer_labels", *_POINT, 0.36948935969156876),
        Golden("scikit-learn 1.9.1, log_loss of the softmax", *_POINT, 0.36948935969156876),
        Golden("optax 0.2.8, softmax_cross_entropy_with_integer_labels", *_POINT, 1.1084680790747063, "sum"),
    ),
    errors=(
        ErrorCase([[2.0, 1.0, 0.0]], [3], "0 to 2"),
        ErrorCase([[2.0, 1.0, 0.0]], [0.5], "whole number"),
        ErrorCase([[2.0, 1.0, 0.0]], [0, 1], "shape"),
        ErrorCase([[float("nan"), 1.0, 0.0]], [0], "finite"),
    ),
    derived=_derived,
    derived_labels={
        "softmax": "Softmax",
        "word_probability": "Probability of the true word",
        "perplexity": "Perplexity of the sentence",
    },
    best_constant=_best_constant,
    invariances=(Invariance("Adding the same number to all logits of a place changes nothing.", _shift),),
    naive=Naive(
        "The exponential of a logit above 709 (88 in float32) overflows, and the softmax of a word far behind is 0, "
        "whose logarithm is minus infinity.",
        _naive,
        "-torch.softmax(prediction, dim=1)[range(len(target)), target].log()",
    ),
)
