"""RankNet loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lossviz.boards import Bars
from lossviz.losses._ranking import ERRORS, INVARIANCES, SCORES, ranks
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    Domain,
    ErrorCase,
    Golden,
    Input,
    Inputs,
    Loss,
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _gaps(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Score differences s_i − s_j and which of them belong to a pair whose first is the more relevant; (..., k, k)."""
    scores, grades = inputs["prediction"], inputs["target"]
    gaps = scores[..., :, None] - scores[..., None, :]
    return gaps, (grades[..., :, None] > grades[..., None, :]).to(scores.dtype)


def _terms(inputs: Inputs, params: Params) -> Tensor:
    numbers = _derived(inputs, params)
    return numbers["pair_losses"] / numbers["pairs"].clamp(min=1)


def _derivative(inputs: Inputs, params: Params) -> Tensor:
    gaps, pairs = _gaps(inputs)
    sigma: float = params["sigma"]
    slopes = -sigma * torch.sigmoid(-sigma * gaps) * pairs
    return (slopes.sum(-1) - slopes.sum(-2)) / pairs.sum((-2, -1)).clamp(min=1)[..., None]


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    gaps, pairs = _gaps(inputs)
    losses = F.softplus(-params["sigma"] * gaps, threshold=40.0)  # from 40 on ln(1 + e^x) equals x in float64
    return {
        "pairs": pairs.sum((-2, -1)),
        "wrong_pairs": (pairs * (gaps < 0)).sum((-2, -1)),
        "pair_losses": (losses * pairs).sum((-2, -1)),
        "scene_rank": ranks(inputs["prediction"]),
    }


def _naive(inputs: Inputs, params: Params) -> Tensor:
    gaps, pairs = _gaps(inputs)
    losses = torch.where(pairs > 0, torch.log(1 + torch.exp(-params["sigma"] * gaps)), 0.0)
    return losses.sum((-2, -1)) / pairs.sum((-2, -1)).clamp(min=1)


_GOLDEN_POINT = ([[1.0, 1.5, -1.0], [2.0, 0.5, 1.0]], [[3.0, 1.0, 0.0], [0.0, 2.0, 2.0]])

LOSS = Loss(
    key="ranknet",
    title="RankNet",
    task="embedding",
    position=6,
    summary=(
        "For every two items of a list with unlike relevance: how surprised the scores are that the more relevant one "
        "should come first."
    ),
    notice=(
        "List 1 has the relevances 3, 1, 0 but its scores put item 1 first: 1 of its 3 pairs is in the wrong order, "
        "and the list costs 0.393. Raise the score of item 0 above 1.5: no pair is wrong, and the loss goes on falling "
        "while the gap grows. In list 2 items 1 and 2 are equally relevant: they form no pair."
    ),
    use_when="Lists with grades or clicks should come out in the right order, and all pairs are equally important.",
    avoid_when=(
        "Only the top of the list will be seen: RankNet counts a wrong pair at the bottom as much as one at the top. "
        "LambdaRank weighs its gradients for that."
    ),
    aliases=("pairwise logistic loss", "BPR", "Bayesian personalised ranking", "RankNet loss", "Bradley-Terry loss"),
    inputs=(
        SCORES,
        Input(
            "target",
            "target",
            ("n", "k"),
            Domain("labels", values=(0.0, 1.0, 2.0, 3.0)),
            "relevance of each item: the higher the better",
            differentiable=False,
        ),
    ),
    parameters=(
        Parameter(
            "sigma",
            r"\sigma",
            1.0,
            0.0,
            100.0,
            0.1,
            "How steeply a difference of scores turns into a probability.",
            low_open=True,
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"\frac{1}{|P_i|} \sum_{(a, b) \in P_i} \ln\left(1 + e^{-\sigma (s_{ia} - s_{ib})}\right), \quad "
        r"P_i = \{(a, b) : r_{ia} > r_{ib}\}"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial s_{ic}} = \frac{1}{|P_i|} \left( \sum_{(a, c) \in P_i} \lambda_{ac} - "
        r"\sum_{(c, b) \in P_i} \lambda_{cb} \right), \quad "
        r"\lambda_{ab} = \frac{\sigma}{1 + e^{\sigma (s_{ia} - s_{ib})}}"
    ),
    worked=("{pair_losses} / max(1, {pairs})",),
    board=Bars(
        prediction=((1.0, 1.5, -1.0), (2.0, 0.5, 1.0)),
        target=((3.0, 1.0, 0.0), (0.0, 2.0, 2.0)),
        truth="relevance",
        values=(0.0, 1.0, 2.0, 3.0),
        label="Score",
        beside="",
        sample_label="List",
        class_label="Item",
    ),
    code=Code(
        torch=(
            "gaps = prediction[:, :, None] - prediction[:, None, :]\n"
            "pairs = target[:, :, None] > target[:, None, :]\n"
            "losses = F.softplus(-{sigma} * gaps, threshold=40) * pairs\n"
            "terms = losses.sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "gaps = prediction[:, :, None] - prediction[:, None, :]\n"
            'pairs = keras.ops.cast(target[:, :, None] > target[:, None, :], "float32")\n'
            "losses = keras.ops.softplus(-{sigma} * gaps) * pairs\n"
            "count = keras.ops.maximum(keras.ops.sum(pairs, axis=(1, 2)), 1.0)\n"
            "terms = keras.ops.sum(losses, axis=(1, 2)) / count\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note=(
            "Keras itself has no ranking losses; the packages Keras Recommenders (keras_rs) and TensorFlow Ranking "
            "have."
        ),
    ),
    minimiser=(
        "None, because no finite scores are best: if all lists agree on the order, every pair costs less the further "
        "its scores are apart."
    ),
    pitfalls=(
        Pitfall(
            "Equal scores cost ln 2 = 0.693 for every pair, whatever the relevances. A value above that is worse than "
            "giving every item the same score.",
            state={"prediction": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]},
        ),
        Pitfall(
            "A list whose items are all equally relevant has no pairs: list 1 here costs 0 and teaches nothing, but "
            "still counts in the mean, which falls from 0.950 to 0.754.",
            state={"target": [[1.0, 1.0, 1.0], [0.0, 2.0, 2.0]]},
        ),
        Pitfall(
            "Here a term is the mean over the pairs of its list: 0.393 and 1.507, in sum 1.901. Much code adds the "
            "pairs up instead (1.180 and 3.015), so that long lists count far more: 3 items make up to 3 pairs, 5 "
            "items 10.",
            reduction="sum",
        ),
        Pitfall(
            "It never lets go: in both lists every pair is right by at least 2, and the value is 0.0547, not 0. The "
            "scores grow as long as training goes on, so weight decay or early stopping is needed.",
            state={"prediction": [[4.0, 1.0, -1.0], [-2.0, 1.0, 1.0]]},
        ),
    ),
    relatives=(
        Relative("margin_ranking", "the same pairs with a corner instead of a curve: content beyond the margin"),
        Relative("listnet", "looks at the whole list at once"),
        Relative("bce_with_logits", "one of these pairs: its logit is the difference of the scores"),
        Relative("dpo", "the same formula on a language model's preferences"),
    ),
    suits=(
        Suit(
            predicts="ranking",
            reason="It learns the order from all pairs of a list, and each difference of scores is a probability.",
            wants=("probabilities", "best_value"),
        ),
    ),
    properties=("convex", "robust", "logits"),
    references=(
        "Burges et al. (2005): Learning to Rank using Gradient Descent, International Conference on Machine Learning",
        "Burges (2010): From RankNet to LambdaRank to LambdaMART: An Overview, Microsoft Research MSR-TR-2010-82",
        "Rendle, Freudenthaler, Gantner, Schmidt-Thieme (2009): BPR: Bayesian Personalized Ranking from Implicit "
        "Feedback, arXiv:1205.2618",
    ),
    goldens=(
        Golden("scikit-learn 1.9.1, log_loss over the pairs", *_GOLDEN_POINT, 0.950317862961182),
        Golden(
            "optax 0.2.8, sigmoid_binary_cross_entropy over the pairs",
            *_GOLDEN_POINT,
            2.66410362658055,
            "sum",
            {"sigma": 1.7},
        ),
    ),
    errors=(*ERRORS, ErrorCase([[1.0, 2.0]], [[1.5, 0.0]], "one of 0, 1, 2, 3")),
    derived=_derived,
    derived_labels={
        "pairs": "Pairs with unlike relevance",
        "wrong_pairs": "Pairs in the wrong order",
        "pair_losses": "Sum over its pairs",
    },
    invariances=INVARIANCES,
    naive=Naive(
        "Written as ln(1 + exp(x)), a pair that is wrong by more than 88 overflows in float32 (by more than 709 in "
        "float64) and its loss is infinite; softplus gives x itself.",
        _naive,
        "losses = torch.log(1 + torch.exp(-{sigma} * gaps)) * pairs",
    ),
)
