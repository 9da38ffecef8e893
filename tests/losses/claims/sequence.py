"""Numbers in the texts of sequence losses."""

from itertools import groupby, product

import numpy as np

from lossviz import losses
from tests.losses.claims.tools import Claim, placed, start

CAA = {"target": [[1.0, 2.0, 2.0]]}
LEVEL = {"prediction": np.zeros((1, 5, 4))}


def ways(*word: int) -> list[tuple[int, ...]]:
    """All paths through five frames that give the word once repeats are merged and blanks dropped."""
    paths = product(range(4), repeat=5)
    return [path for path in paths if tuple(symbol for symbol, _ in groupby(path) if symbol) == word]


def probability(*word: int) -> float:
    """Of the word on the starting board: that of all its ways, one by one."""
    frames = losses.get("ctc").board.example()["prediction"][0].softmax(-1).numpy()
    return float(sum(np.prod([frames[t, symbol] for t, symbol in enumerate(path)]) for path in ways(*word)))


def next_word(place: int, column: str, change: dict[str, list[float]]) -> float:
    return placed("next_token", column, place, change)


CLAIMS: list[Claim] = [
    ("ctc", "Each of the 28", lambda: float(len(ways(1, 2, 3)))),
    ("ctc", "together they have 0.322", lambda: probability(1, 2, 3)),
    ("ctc", "which costs 1.134", lambda: -np.log(probability(1, 2, 3))),
    ("ctc", "letters 0.378", lambda: -np.log(probability(1, 2, 3)) / 3),
    ("ctc", "jumps to 1.594", lambda: placed("ctc", "value", 0, CAA)),
    ("ctc", "rises to 1.594", lambda: -np.log(probability(1, 2, 2)) / 3),
    ("ctc", "aaa fits in one way only and costs 2.892", lambda: -np.log(probability(2, 2, 2)) / 3),
    ("ctc", "divided by 3 letters that is 0.378", lambda: start("ctc", "terms") / 3),
    ("ctc", "each of the 1,024", lambda: 4.0**5),
    ("ctc", "equally likely, 28", lambda: float(len(ways(1, 2, 3)))),
    ("ctc", "the loss is 1.200", lambda: np.log(4**5 / len(ways(1, 2, 3))) / 3),
    ("next_token", "instead of 0.319", lambda: start("next_token", "value")),
    ("next_token", "the perplexity is 1.376", lambda: np.exp(start("next_token", "value"))),
    ("next_token", "begins near 10.8", lambda: np.log(50_000)),
    ("dpo", "become 4", lambda: placed("dpo", "margin", 0, beta=1)),
    ("dpo", "0.4 and −0.2", lambda: start("dpo", "margin", 1)),
    ("dpo", "the margins of the start, 0.4", lambda: start("dpo", "margin", 0)),
    ("dpo", "4 and −2,", lambda: placed("dpo", "margin", 1, beta=1)),
    ("dpo", "ln 9 = 2.197", lambda: np.log((1 - 0.1) / 0.1)),
    ("dpo", "instead of 0.513", lambda: start("dpo", "terms", 0)),
]
