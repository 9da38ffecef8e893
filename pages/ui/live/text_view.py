"""What a recurrent model does: some reviews, with what the model says after each of their words."""

from typing import Any

import numpy as np

from lossviz.datasets import reviews
from lossviz.training import RunState, output, text_losses, word_by_word
from lossviz.writing import sentence


class TextView:
    """The view of a run on reviews: `scene` once, `arrays` for every frame."""

    def __init__(self, state: RunState) -> None:
        split = state.split
        held_out = len(split.x_validation) > 0
        self._part = "validation" if held_out else "training"
        x, y = (split.x_validation, split.y_validation) if held_out else (split.x_train, split.y_train)
        rows = reviews.varied(x, y)
        self._x, self._y = x[rows], y[rows]
        self._reads = output(state.config)
        self._own: np.ndarray | None = None  # a sentence of the learner

    def read(self, text: str) -> str:
        """Also read a sentence of the learner, none for an empty text; return what is wrong with it, or nothing."""
        try:
            self._own = reviews.encode(text) if text.strip() else None
        except ValueError as error:
            self._own = None
            return sentence(str(error))
        return ""

    def scene(self) -> dict[str, Any]:
        """Which reviews are shown: their words and their true classes."""
        return {
            "texts": [reviews.text(row).split() for row in self._x],
            "labels": [int(label) for label in self._y],
            "part": self._part,
            "reads": self._reads,
            "vocabulary": list(reviews.vocabulary()),
        }

    def arrays(self, state: RunState) -> dict[str, np.ndarray]:
        """What the model says after each word, NaN before the first, and the loss of each review."""
        arrays = {
            "readings": word_by_word(state, self._x).astype(np.float32),
            "text_losses": text_losses(state, self._x, self._y),
        }
        if self._own is not None:
            arrays["own_words"] = self._own.astype(np.int32)
            arrays["own_reading"] = word_by_word(state, self._own[None])[0].astype(np.float32)
        return arrays
