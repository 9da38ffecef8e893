"""InfoNCE loss."""

from __future__ import annotations

import torch
from torch import Tensor

from lossviz.boards import Plane, Points
from lossviz.losses._embedding import (
    ZERO_VECTOR,
    along_directions,
    directions,
    points,
    similarities,
    stretched,
    turned,
)
from lossviz.losses.base import (
    MEAN,
    SUM,
    Code,
    ErrorCase,
    Golden,
    Inputs,
    Invariance,
    Loss,
    Naive,
    Parameter,
    Params,
    Pitfall,
    Relative,
    Suit,
)


def _logits(inputs: Inputs, params: Params) -> Tensor:
    """Similarity of each query to each key over the temperature, (..., n, n)."""
    temperature: float = params["temperature"]
    return similarities(inputs["query"], inputs["key"]) / temperature


def _terms(inputs: Inputs, params: Params) -> Tensor:
    return -torch.log_softmax(_logits(inputs, params), -1).diagonal(dim1=-2, dim2=-1)


def _derivative(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    query, query_inverse = directions(inputs["query"])
    key, key_inverse = directions(inputs["key"])
    softmax = torch.softmax(query @ key.mT / params["temperature"], -1)
    pull = (softmax - torch.eye(query.shape[-2], dtype=query.dtype)) / params["temperature"]
    return {
        "query": along_directions(query, query_inverse, pull @ key),
        "key": along_directions(key, key_inverse, pull.mT @ query),
    }


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {"probability": torch.softmax(_logits(inputs, params), -1).diagonal(dim1=-2, dim2=-1)}


def _naive(inputs: Inputs, params: Params) -> Tensor:
    exponentials = _logits(inputs, params).exp()
    return -torch.log(exponentials.diagonal(dim1=-2, dim2=-1) / exponentials.sum(-1))


def _mirrored(inputs: Inputs) -> Inputs:
    """Every vector reflected at the first axis."""
    return {name: torch.cat([value[..., :1], -value[..., 1:]], -1) for name, value in inputs.items()}


_GOLDEN_POINT = {
    "query": [[1.5, 2.0], [0.0, 2.0], [1.2, -0.9]],
    "key": [[2.5, 0.0], [0.7, 2.4], [2.0, -1.5]],
}

LOSS = Loss(
    key="info_nce",
    title="InfoNCE",
    task="embedding",
    position=8,
    summary="Each query must find its own key among the keys of the whole batch, by the cosine of their angle.",
    notice=(
        "Query 1 points nearly at key 2 instead of its own key 1: that gets the probability 0.034, and the term is "
        "3.394. Query 2 costs almost nothing. Query 3 points exactly at its key and still costs 0.127, because key 1 "
        "is near as well. Turn query 1 towards key 1, or raise the temperature and see the probabilities come closer."
    ),
    use_when=(
        "You have many matching pairs (two views of an image, a text and its picture, a question and its answer) and "
        "no other labels; the rest of the batch serves as negatives."
    ),
    avoid_when=(
        "Batches are small, so there are few negatives, or a batch holds several samples of a kind: then true matches "
        "are pushed apart. With class labels use SupCon."
    ),
    aliases=(
        "contrastive predictive coding loss",
        "CPC loss",
        "multiple negatives ranking loss",
        "in-batch negatives loss",
    ),
    inputs=(
        points("query", "embeddings that search"),
        points("key", "embeddings that are found: key i belongs to query i, all other keys are its negatives"),
    ),
    parameters=(
        Parameter(
            "temperature",
            r"\tau",
            0.1,
            0.01,
            10.0,
            0.01,
            "What cosines are divided by: the smaller, the more the nearest wrong key decides.",
        ),
    ),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"-\ln p_{ii}, \quad p_{ij} = \frac{e^{\cos(q_i, k_j) / \tau}}{\sum_{l} e^{\cos(q_i, k_l) / \tau}}, \quad "
        r"\cos(q, k) = \frac{q \cdot k}{|q|\,|k|}"
    ),
    gradient_formula=(
        r"\frac{\partial \ell_i}{\partial q_i} = \sum_{j} \frac{p_{ij} - [i = j]}{\tau\,|q_i|} "
        r"\left( \hat k_j - \cos(q_i, k_j)\, \hat q_i \right), \\ "
        r"\frac{\partial \ell_i}{\partial k_j} = \frac{p_{ij} - [i = j]}{\tau\,|k_j|} "
        r"\left( \hat q_i - \cos(q_i, k_j)\, \hat k_j \right), \quad \hat x = \frac{x}{|x|}"
    ),
    worked=("−ln {probability}",),
    board=Plane(
        points=(
            Points("query", "Query", "prediction", ((1.5, 2.0), (0.0, 2.0), (1.2, -0.9))),
            Points("key", "Key", "prediction", ((2.5, 0.0), (0.7, 2.4), (2.0, -1.5))),
        ),
        vectors=True,
        least=2,
        most=4,
    ),
    code=Code(
        torch=(
            "similarity = F.normalize(query, dim=1) @ F.normalize(key, dim=1).T\n"
            "own = torch.arange(len(query))\n"
            "loss = F.cross_entropy(similarity / {temperature}, own, reduction={reduction!r})"
        ),
        keras=(
            "similarity = keras.ops.normalize(query, axis=1) @ keras.ops.transpose(keras.ops.normalize(key, axis=1))\n"
            "categorical = keras.losses.SparseCategoricalCrossentropy\n"
            "cross_entropy = categorical(from_logits=True, reduction={keras_reduction!r})\n"
            "loss = cross_entropy(keras.ops.arange(query.shape[0]), similarity / {temperature})"
        ),
        keras_note="It is cross-entropy in which each sample of the batch is a class of its own.",
    ),
    minimiser=(
        "None, because no point is best by itself: if all queries and keys were the same, each term would be ln n, as "
        "if guessed."
    ),
    pitfalls=(
        Pitfall(
            "If all embeddings are the same, each query guesses: the value is ln n, here ln 3 = 1.099. A value that "
            "rests there means collapse. It also means that values of different batch sizes cannot be compared.",
            state={"query": [[1.0, 1.0]] * 3, "key": [[1.0, 1.0]] * 3},
        ),
        Pitfall(
            "Values at different temperatures cannot be compared. At 0.01 query 1 alone costs 33.6 and the other two "
            "cost 0: only the worst query still learns. At 0.1 the three terms were 3.394, 0.00007 and 0.127.",
            parameters={"temperature": 0.01},
        ),
        Pitfall(
            "At a high temperature nothing can be won: at 10 the best term here is 1.017 and the worst 1.091, all near "
            "ln 3 = 1.099, and the gradients are tiny.",
            parameters={"temperature": 10.0},
        ),
        Pitfall(
            "Two samples of the same kind are each other's negatives. Keys 2 and 3 are equal here: query 2 "
            "lies nearly on both of them and cannot get below ln 2 = 0.693.",
            state={"key": [[2.5, 0.0], [0.7, 2.4], [0.7, 2.4]]},
        ),
    ),
    relatives=(
        Relative("supcon", "uses class labels: every sample of the same class is a positive"),
        Relative("cross_entropy", "the same formula with fixed classes instead of the samples of the batch"),
        Relative("triplet_margin", "one negative instead of all, and a margin instead of a softmax"),
        Relative("arcface", "cosines with fixed class centres, and a margin on the angle"),
    ),
    suits=(
        Suit(
            predicts="embedding",
            reason="It needs only matching pairs: the rest of the batch serves as negatives.",
            labels=("pairs",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "van den Oord, Li, Vinyals (2018): Representation Learning with Contrastive Predictive Coding, "
        "arXiv:1807.03748",
        "Radford et al. (2021): Learning Transferable Visual Models From Natural Language Supervision (CLIP: the mean "
        "of this loss in both directions), arXiv:2103.00020",
    ),
    goldens=(
        Golden(
            "scikit-learn 1.9.1, log_loss of the softmax of pairwise.cosine_similarity",
            _GOLDEN_POINT,
            None,
            1.1737419669482678,
        ),
        Golden(
            "Keras 3.15.1, SparseCategoricalCrossentropy",
            _GOLDEN_POINT,
            None,
            1.8642577385234373,
            "sum",
            {"temperature": 0.4},
        ),
    ),
    errors=(
        ErrorCase({"query": [[1.0, 0.0]], "key": [[1.0, 0.0], [0.0, 1.0]]}, None, "shape"),
        ErrorCase({"query": [[1.0, 0.0]]}, None, "key"),
        ErrorCase({"query": [[1.0, 0.0]], "key": [[1.0, 0.0]]}, [0], "none"),
        ErrorCase({"query": [[1.0, 0.0]], "key": [[1.0, 0.0]]}, None, "[0.01, 10]", {"temperature": 0.0}),
    ),
    kinks=ZERO_VECTOR,
    derived=_derived,
    derived_labels={"probability": "Probability of its own key"},
    invariances=(
        Invariance("The lengths of the vectors do not count.", stretched("query", "key")),
        Invariance("Turning the whole plane changes nothing.", turned("query", "key")),
        Invariance("Reflecting the whole plane changes nothing.", _mirrored),
    ),
    naive=Naive(
        "Written with exp, a temperature of 0.01 gives exp(100), which float32 cannot hold: infinity over infinity. "
        "log-softmax first takes away the largest number.",
        _naive,
        "e = (similarity / {temperature}).exp(); loss = -torch.log(e.diagonal() / e.sum(1)).mean()",
    ),
)
