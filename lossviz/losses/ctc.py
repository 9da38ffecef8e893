"""Connectionist temporal classification (CTC)."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Alignment, State, alignments
from lossviz.losses.base import (
    Code,
    Domain,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Invariance,
    Loss,
    Params,
    Pitfall,
    Reduction,
    Relative,
    Suit,
)

NEVER: Final = -1e30
"""Stands for the logarithm of 0: finite, so that no slope becomes infinity minus infinity."""
MOST_WALKS: Final = 100


def _places(inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    """The target with blanks around its symbols, which of its places may be reached past a blank, their logarithms.

    Returns:
        Symbols (..., n, s), whether the place two before may come directly before (..., n, s), and the prediction at
        these symbols (..., n, t, s), with s = 2 l + 1.
    """
    log_p, target = inputs["prediction"], inputs["target"]
    symbols = torch.zeros((*target.shape[:-1], 2 * target.shape[-1] + 1), dtype=torch.long)
    symbols[..., 1::2] = target
    _refuse_too_long(target, log_p.shape[-2])
    skip = symbols != F.pad(symbols[..., :-2], (2, 0))
    index = symbols[..., None, :].expand(*log_p.shape[:-1], symbols.shape[-1])
    return symbols, skip, log_p.gather(-1, index)


def _refuse_too_long(target: Tensor, frames: int) -> None:
    needed = target.shape[-1] + (target[..., 1:] == target[..., :-1]).sum(-1)
    if bool((needed > frames).any()):
        raise ValueError(
            f"target needs at least {int(needed.max())} frames, one for each symbol and one for a blank between equal "
            f"symbols; prediction has {frames} frames"
        )


def _ways(before: Tensor, skip: Tensor) -> Tensor:
    """What leads to each place: the place itself, the one before, the one before that, (3, ..., s)."""
    step = F.pad(before[..., :-1], (1, 0), value=NEVER)
    jump = torch.where(skip, F.pad(before[..., :-2], (2, 0), value=NEVER), NEVER)
    return torch.stack([before, step, jump])


def _log_add(logarithms: Tensor, dim: int) -> Tensor:
    """Logarithm of a sum; its slope is a softmax to the last digit, which torch.logsumexp rounds in float32."""
    top = logarithms.detach().amax(dim, keepdim=True)
    return (logarithms - top).exp().sum(dim).log() + top.squeeze(dim)


def _forward(emissions: Tensor, skip: Tensor) -> list[Tensor]:
    """Logarithm of the probability to be at each place, over all ways to get there: a frame (..., n, s) each."""
    start = torch.full_like(emissions[..., 0, :], NEVER)
    start[..., :2] = 0.0
    rows = [start + emissions[..., 0, :]]
    for frame in range(1, emissions.shape[-2]):
        rows.append(_log_add(_ways(rows[-1], skip), 0) + emissions[..., frame, :])
    return rows


def _terms(inputs: Inputs, _: Params) -> Tensor:
    skip, emissions = _places(inputs)[1:]
    return -_log_add(_forward(emissions, skip)[-1][..., -2:], -1)


def _occupancy(inputs: Inputs) -> Tensor:
    """Share of the target's probability that passes through each symbol at each frame, (..., n, t, k)."""
    symbols, skip, emissions = _places(inputs)
    rows = _forward(emissions, skip)
    last = torch.softmax(rows[-1][..., -2:], -1)
    shares = [F.pad(last, (symbols.shape[-1] - 2, 0))]
    # From the last frame back each place hands its share to where it came from. Only ratios within a frame are used, so
    # that large logarithms cost no digits.
    for row in reversed(rows[:-1]):
        stay, step, jump = (shares[-1] * torch.softmax(_ways(row, skip), 0)).unbind(0)
        shares.append(stay + F.pad(step[..., 1:], (0, 1)) + F.pad(jump[..., 2:], (0, 2)))
    at = F.one_hot(symbols, inputs["prediction"].shape[-1]).to(last.dtype)
    return torch.stack(shares[::-1], -2) @ at


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return -_occupancy(inputs)


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    log_p, target = inputs["prediction"], inputs["target"]
    terms = _terms(inputs, params)
    numbers = {"probability": (-terms).exp(), "softmax": log_p.exp(), "scene_occupancy": _occupancy(inputs)}
    frames, length = log_p.shape[-2], target.shape[-1]
    if math.comb(frames + length, 2 * length) <= MOST_WALKS:
        skip, emissions = _places(inputs)[1:]
        walks = torch.tensor(alignments(frames, length))
        chance = emissions[..., torch.arange(frames), walks].sum(-1)
        jumps = F.pad(walks[:, 1:] - walks[:, :-1] == 2, (1, 0))
        legal = (skip[..., walks] | ~jumps).all(-1)
        numbers["scene_alignment"] = torch.where(legal, (chance + terms[..., None]).exp(), 0.0)
    return numbers


def _link(state: State) -> dict[str, Tensor]:
    return {"prediction": torch.log_softmax(state["prediction"], -1), "target": state["target"].long()}


def _rename(inputs: Inputs) -> Inputs:
    log_p, target = inputs["prediction"], inputs["target"]
    renamed = torch.cat([log_p[..., :1], log_p[..., 1:].flip(-1)], -1)
    return {"prediction": renamed, "target": log_p.shape[-1] - target}


def _backwards(inputs: Inputs) -> Inputs:
    return {"prediction": inputs["prediction"].flip(-2), "target": inputs["target"].flip(-1)}


def _per_symbol(inputs: Inputs, _: Params) -> float:
    samples, length = inputs["target"].shape[-2:]
    return float(samples * length)


_LOGITS = (
    (1.0, 2.0, 0.0, -0.5),
    (0.5, 1.0, 1.5, 0.0),
    (0.0, -0.5, 2.0, 0.5),
    (1.5, 0.0, 0.0, 1.0),
    (0.0, 0.5, -1.0, 2.0),
)
_MORE = (
    (0.2, 0.1, 0.9, -1.0),
    (1.0, 0.3, -0.2, 0.8),
    (0.6, 1.1, 0.4, 0.0),
    (0.0, 1.7, 0.2, 0.3),
    (2.0, -1.0, 0.5, 0.1),
)
_POINT = (
    torch.log_softmax(torch.tensor([_LOGITS, _MORE], dtype=torch.float64), -1).tolist(),
    [[1, 2, 3], [2, 1, 1]],
)
_UNSURE = (((0.0,) * 4,) * 5,)

LOSS = Loss(
    key="ctc",
    title="CTC",
    task="sequence",
    position=1,
    summary="How surprised a model is by a sequence of symbols, over all ways to spread it across the frames.",
    notice=(
        "Five frames of a recording, and the word cat: nobody says which frame holds which letter. Each of the 28 "
        "ways to lay the letters into the frames has a probability; together they have 0.322, which costs 1.134, "
        "divided by 3 letters 0.378. Raise the logit of t in frame 5: the loss falls. Change the last letter to a: "
        "now every way needs a blank between the two equal ones, and the loss jumps to 1.594."
    ),
    use_when=(
        "The labels are a sequence shorter than the input and nobody knows where each symbol lies: speech, handwriting."
    ),
    avoid_when=(
        "Every place has its own label (take cross-entropy), or symbols change their order, as in translation."
    ),
    aliases=("CTCLoss", "CTC loss", "connectionist temporal classification"),
    inputs=(
        Input(
            "prediction",
            "prediction",
            ("n", "t", "k"),
            Domain("log_probability"),
            "logarithms of each frame's probabilities of the symbols, the blank first",
        ),
        Input(
            "target",
            "target",
            ("n", "l"),
            Domain("index", low=1),
            "the symbols in their order; 0 is the blank and no target",
            differentiable=False,
        ),
    ),
    parameters=(),
    reductions=(
        Reduction(
            "mean",
            "Mean per symbol",
            "mean",
            r"\frac{1}{n\,l}\sum_{i=1}^{n} #",
            _per_symbol,
        ),
        Reduction("sum", "Sum", "sum", r"\sum_{i=1}^{n} #", "one"),
    ),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\ln \sum_{\pi \,\to\, y_i} \ \prod_{t} p_{it}(\pi_t),\quad \pi \to y \text{: merging repeats in } \pi "
        r"\text{ and dropping blanks gives } y"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial \ln p_{it}(c)} = -\gamma_{itc},\quad "
        r"\frac{\partial \ell_i}{\partial z_{itc}} = p_{it}(c) - \gamma_{itc},\quad "
        r"\gamma_{itc} = \frac{\sum_{\pi \to y_i,\ \pi_t = c} \prod_s p_{is}(\pi_s)}{\sum_{\pi \to y_i} \prod_s "
        r"p_{is}(\pi_s)}"
    ),
    worked=("−ln {probability}",),
    board=Alignment(_LOGITS, (1.0, 2.0, 3.0), ("blank", "c", "a", "t"), _link),
    code=Code(
        torch=(
            "frames = torch.full((len(prediction),), prediction.shape[1])\n"
            "lengths = torch.full((len(target),), target.shape[1])\n"
            "log_probabilities = F.log_softmax(prediction, dim=2).transpose(0, 1)  # frames first\n"
            "loss = F.ctc_loss(log_probabilities, target, frames, lengths, blank=0, reduction={reduction!r})"
        ),
        keras=lambda _, reduction: (
            "ctc = keras.losses.CTC(reduction={keras_reduction!r})\n"
            f"loss = ctc(target, prediction){'' if reduction == 'sum' else ' / target.shape[1]'}"
        ),
        keras_note="Keras takes logits, samples first, and its mean does not divide by the length of the target.",
    ),
    minimiser=(
        "No closed form: for one target, any rows that give all their probability to one way of laying it into the "
        "frames, at loss 0. For several targets it depends on what their ways have in common."
    ),
    pitfalls=(
        Pitfall(
            "The blank is no space between words but the answer that nothing new begins here. Two equal letters in a "
            "row need one between them: for caa only the ways with a blank between both a remain, and the loss rises "
            "to 1.594.",
            state={"target": ((1.0, 2.0, 2.0),)},
        ),
        Pitfall(
            "A target longer than the recording allows has probability 0. Three equal letters need all five frames: "
            "aaa fits in one way only and costs 2.892. With four frames the loss would be infinite and PyTorch's "
            "gradient not a number, unless zero_infinity is set; here such a target is refused.",
            state={"target": ((2.0, 2.0, 2.0),)},
        ),
        Pitfall(
            "PyTorch's mean first divides each loss by the length of its target, Keras's does not. The sum here is "
            "1.134; divided by 3 letters that is 0.378.",
            reduction="sum",
        ),
        Pitfall(
            "It takes log-probabilities, and PyTorch's gradient for them is right only if they come from a "
            "log-softmax: it hands back probability minus share of the ways, which is the slope of the logits. The "
            "slope of the log-probabilities themselves is minus that share. With all logits 0 each of the 1,024 paths "
            "is equally likely, 28 of them say cat, and the loss is 1.200.",
            state={"prediction": _UNSURE},
        ),
    ),
    relatives=(
        Relative("cross_entropy", "when it is known which frame holds which symbol"),
        Relative("next_token", "writes symbol after symbol and needs no frames"),
        Relative("nll", "one frame and one symbol: the same number"),
    ),
    suits=(
        Suit(
            predicts="sequence",
            reason="It adds up all ways to lay the symbols into the frames, so nobody has to mark where they are.",
            labels=("unaligned",),
        ),
    ),
    properties=("non_convex",),
    references=(
        "Graves et al. (2006): Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with "
        "Recurrent Neural Networks, ICML, 369-376",
        "https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html",
        "https://keras.io/api/losses/probabilistic_losses/",
    ),
    goldens=(
        Golden("optax 0.2.8, ctc_loss with log_epsilon -1e30, over 3 symbols", *_POINT, 0.9449087336074015),
        Golden("mpmath 1.3.0, formula (3) of Graves (2006) over all 1024 paths", *_POINT, 5.66945240164440828, "sum"),
    ),
    errors=(
        ErrorCase([[[-0.5, -0.9327521295671886]]], [[0]], "whole number from 1"),
        ErrorCase([[[-0.5, -0.9327521295671886]]], [[2]], "from 1 to 1"),
        ErrorCase([[[-0.5, -0.9327521295671886]] * 2], [[1, 1]], "at least 3 frames"),
        ErrorCase([[[-0.5, -0.9327521295671886]]], [1], "shape"),
        ErrorCase([[[0.9, 0.1]]], [[1]], "at most 0"),
    ),
    derived=_derived,
    derived_labels={"probability": "Probability of the target", "softmax": "Softmax"},
    invariances=(
        Invariance("Naming the symbols differently, in the frames and in the target, changes nothing.", _rename),
        Invariance("Reading frames and target from the end changes nothing.", _backwards),
    ),
)
