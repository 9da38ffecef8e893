"""Numbers in the texts of embedding and ranking losses."""

import numpy as np
import torch

from lossviz import losses
from tests.losses.claims.tools import Claim, placed, slope_at, start

SHORT_FIRST = {"first": [[0.1, 0.0], [1.6, 1.2], [-1.0, -1.0]]}
OPPOSITE = {"second": [[-2.0, 0.0], [2.0, 0.0], [-2.0, 1.0]]}
SAME_PLACE = {"second": [[0.0, 1.0], [0.5, 1.5], [1.5, -0.5]]}
NEAR_POSITIVE = {"negative": [[-1.5, 2.2], [1.4, -1.2], [0.1, -0.3]]}
PERFECT = [[3.0, 1.0, 0.0], [0.0, 2.0, 2.0]]
TURNED_AROUND = {"embedding": [[1.6, 1.2], [-2.0, 1.1], [-1.5, 1.0]]}


def pull(change: dict[str, list[list[float]]] | None = None) -> float:
    """Length of the gradient of the first arrow of pair 1 under the cosine embedding loss."""
    return float(np.hypot(*(placed("cosine_embedding", "gradient.first", index, change) for index in (0, 1))))


def entropies() -> torch.Tensor:
    """Of each list's chances by relevance on the starting board."""
    return torch.distributions.Categorical(logits=losses.get("listnet").board.example()["target"]).entropy()


def without(key: str, sample: int) -> float:
    """The mean term on the starting board when a sample is left out."""
    return float(np.mean([start(key, "terms", index) for index in range(5) if index != sample - 1]))


CLAIMS: list[Claim] = [
    ("cosine_embedding", "it costs 1 − 0.6 = 0.4", lambda: start("cosine_embedding", "terms", 0)),
    ("cosine_embedding", "and costs its cosine, 0.8", lambda: start("cosine_embedding", "terms", 1)),
    ("cosine_embedding", "the right 0.505", lambda: start("cosine_embedding", "value")),
    ("cosine_embedding", "and cost 2", lambda: placed("cosine_embedding", "terms", 0, OPPOSITE)),
    ("cosine_embedding", "yet the gradient is 0", lambda: pull(OPPOSITE)),
    ("cosine_embedding", "its term is still 0.4", lambda: placed("cosine_embedding", "terms", 0, SHORT_FIRST)),
    ("cosine_embedding", "has grown 20", lambda: pull(SHORT_FIRST) / pull()),
    ("cosine_embedding", "from 0.133", pull),
    ("cosine_embedding", "to 2.667", lambda: pull(SHORT_FIRST)),
    ("hinge_embedding", "it lacks 0.3", lambda: start("hinge_embedding", "terms", 1)),
    ("hinge_embedding", "the slope is −0.25", lambda: slope_at("hinge_embedding", 1.0, "slope_left", 2)),
    ("hinge_embedding", "up to the margin and 0", lambda: slope_at("hinge_embedding", 1.0, "slope_right", 2)),
    (
        "hinge_embedding",
        "make up 7.7",
        lambda: sum(placed("hinge_embedding", "share", index, margin=5, reduction="sum") for index in (1, 2)),
    ),
    ("contrastive", "half the square costs 2", lambda: start("contrastive", "terms", 0)),
    ("contrastive", "it lacks 0.5", lambda: 1 - start("contrastive", "distance", 1)),
    ("contrastive", "jumps from 0.708", lambda: start("contrastive", "value")),
    ("contrastive", "the most they can, 0.5", lambda: placed("contrastive", "terms", 1, SAME_PLACE)),
    (
        "contrastive",
        "the gradient of pair 2 here is 0",
        lambda: abs(placed("contrastive", "gradient.first", 2, SAME_PLACE)),
    ),
    ("triplet_margin", "it costs 1.5 − 1.2 + 1 = 1.3", lambda: start("triplet_margin", "terms", 0)),
    (
        "triplet_margin",
        "but only by 0.5",
        lambda: start("triplet_margin", "distance_negative", 1) - start("triplet_margin", "distance_positive", 1),
    ),
    ("triplet_margin", "instead of 1: it costs 0.5", lambda: start("triplet_margin", "terms", 1)),
    ("triplet_margin", "falls from 0.6", lambda: start("triplet_margin", "value")),
    ("triplet_margin", "to 0.133", lambda: placed("triplet_margin", "value", margin=0.1)),
    (
        "triplet_margin",
        "In triplet 2 it is 1.5",
        lambda: placed("triplet_margin", "distance_negative", 1, NEAR_POSITIVE),
    ),
    ("triplet_margin", "the term grows from 0.5", lambda: placed("triplet_margin", "terms", 1, NEAR_POSITIVE)),
    ("margin_ranking", "is 1.5 behind: it costs 1.5", lambda: start("margin_ranking", "terms", 0)),
    ("margin_ranking", "now pair 2 costs 0.5", lambda: placed("margin_ranking", "terms", 1, margin=1.5)),
    ("margin_ranking", "the value goes from 0.5", lambda: start("margin_ranking", "value")),
    ("ranknet", "falls from 0.950", lambda: start("ranknet", "value")),
    ("ranknet", "the list costs 0.393", lambda: start("ranknet", "terms", 0)),
    ("listnet", "yet the loss is 0.524", lambda: placed("listnet", "terms", 0, {"prediction": PERFECT})),
    ("listnet", "the value is 0.705", lambda: float(entropies().mean())),
    ("listnet", "instead of 0.844", lambda: start("listnet", "target_softmax", 0)),
    ("info_nce", "the probability 0.034", lambda: start("info_nce", "probability", 0)),
    ("info_nce", "a temperature of 0.01", lambda: 1 / 100),
    ("info_nce", "still costs 0.127", lambda: start("info_nce", "terms", 2)),
    ("info_nce", "the other two cost 0", lambda: sum(placed("info_nce", "terms", i, temperature=0.01) for i in (1, 2))),
    ("info_nce", "At 0.1", lambda: float(losses.get("info_nce").check_parameters({})["temperature"])),
    ("info_nce", "were 3.394", lambda: start("info_nce", "terms", 0)),
    ("info_nce", "0.00007", lambda: start("info_nce", "terms", 1)),
    ("info_nce", "0.00007 and 0.127", lambda: start("info_nce", "terms", 2)),
    ("info_nce", "all near ln 3 = 1.099", lambda: np.log(3)),
    ("info_nce", "below ln 2 = 0.693", lambda: np.log(2)),
    ("supcon", "the mean would be 1.973", lambda: without("supcon", 5)),
    ("circle", "cost the same, 19.6", lambda: start("circle", "terms", 1)),
    ("circle", "its slope of 22.67", lambda: start("circle", "gradient.negative", 0)),
    ("circle", "the positive's −9.333", lambda: start("circle", "gradient.positive", 0)),
    (
        "circle",
        "the slope is +12",
        lambda: placed("circle", "gradient.negative", 0, {"positive": [0.4], "negative": [-0.1]}),
    ),
    ("circle", "At 0.25", lambda: float(losses.get("circle").check_parameters({})["m"])),
    ("circle", "the starting example costs 13.3", lambda: start("circle", "value")),
    ("circle", "instead of 13.3", lambda: start("circle", "value")),
    ("circle", "costs 42", lambda: placed("circle", "value", gamma=256)),
    ("arcface", "the term is 0.000003", lambda: placed("arcface", "terms", 0, margin=0)),
    ("arcface", "come out as 1.0000001", lambda: float(np.nextafter(np.float32(1), np.float32(2)))),
    ("arcface", "a probability of 0.000007", lambda: np.exp(-start("arcface", "terms", 0))),
    ("arcface", "At (−2, 1.1", lambda: TURNED_AROUND["embedding"][1][1]),
    ("arcface", "costs 94.843", lambda: placed("arcface", "terms", 1, TURNED_AROUND)),
    ("arcface", "an angle of 2.639", lambda: placed("arcface", "angle", 1, TURNED_AROUND)),
    ("arcface", "with 1 (57", lambda: np.degrees(1)),
    ("arcface", "0.5 is about 29", lambda: np.degrees(0.5)),
    ("arcface", "grows from 3.999", lambda: start("arcface", "value")),
]
