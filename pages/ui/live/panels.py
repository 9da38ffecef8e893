"""What a learner can open beside the curves. A panel that is closed is neither computed nor sent.

Only the sizes of gradients and steps are noted all along, one row a frame, so that their curves are there when they
are asked for.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from lossviz.datasets import reviews
from lossviz.training import (
    Event,
    Printed,
    RunState,
    Sample,
    UpdateWatch,
    activations,
    gradient_shares,
    hardest,
    keras_line,
    layer_names,
    mistakes,
    output,
    printed,
    why,
)
from pages.ui.live.model_view import ModelView

#: All panels, in the order of the page; "metric" and "rate" show columns that every browser has.
PANELS: Final = ("metric", "rate", "gradients", "activations", "confusion", "hardest", "pulls", "printed")
#: What runs on images show without being asked.
IMAGES: Final = "images"
#: Seconds between two computations while a run plays; at rest all are computed at once.
PERIODS: Final = {"activations": 0.25, "confusion": 0.25, "hardest": 1.0, "pulls": 1.0, "printed": 0.5, IMAGES: 0.5}
#: Computing a panel takes at most about this share of the time, however large data and model are.
SHARE: Final = 0.1
LISTED: Final = 8
#: Images shown at once: two rows of five.
PICTURES: Final = 10
#: Above this every second row of the history of gradients is dropped.
ROWS: Final = 2000


class Panels:
    """What the open panels of one run show."""

    def __init__(self, watch: UpdateWatch, view: ModelView) -> None:
        self._watch = watch
        self._view = view
        self._image = self._state.config.data.image
        self._always = frozenset({IMAGES} if self._image else ())
        self._open: frozenset[str] = self._always
        self._rows: list[list[float]] = []
        self._sent = 0  # rows that the browser has
        self._told: list[Printed] = []  # every epoch as Keras would print it
        self._told_sent = 0  # of these the browser has
        self._noted = 0  # updates at the latest row
        self._frames = 0  # since then that were left out
        self._every = 1
        self._due: dict[str, float] = {}
        self._shown: dict[str, tuple[int, int]] = {}  # the moment at which a panel was computed
        self._makers: dict[str, Callable[[], tuple[Any, dict[str, np.ndarray]]]] = {
            "activations": self._activations,
            "confusion": self._confusion,
            "hardest": self._hardest,
            "pulls": self._pulls,
            "printed": self._print,
            IMAGES: self._images,
        }

    @property
    def _state(self) -> RunState:
        return self._watch.state

    def open(self, names: frozenset[str]) -> bool:
        """Show these panels from the next frame on; say whether one of them is new."""
        new = names - self._open
        for name in new:
            self._shown.pop(name, None)
            self._due.pop(name, None)
        if "gradients" in new:
            self._sent = 0
        if "printed" in new:
            self._told_sent = 0
        self._open = names | self._always
        return bool(new)

    @property
    def stale(self) -> bool:
        """Whether an open panel shows an earlier update than the run has reached, or other points."""
        return any(self._shown.get(name) != self._moment for name in self._open & self._makers.keys())

    @property
    def _moment(self) -> tuple[int, int]:
        return self._state.updates, self._state.arrangement

    def note(self) -> None:
        """Keep the sizes of the latest update."""
        layers = self._watch.layers()
        epochs = self._state.updates / len(self._state.batches)
        # Nothing new: the same update, or a moment that was wound back to.
        if layers is None or self._noted == self._state.updates or (self._rows and epochs <= self._rows[-1][0]):
            return
        self._noted = self._state.updates
        self._frames += 1
        if self._frames < self._every and not self._state.finished:
            return
        self._frames = 0
        ratios = [np.nan if layer.ratio is None else layer.ratio for layer in layers]
        self._rows.append([epochs, *(layer.gradient for layer in layers), *ratios])
        if len(self._rows) > ROWS:
            self._rows = self._rows[::2]
            self._every *= 2
            self._sent = 0

    def record(self, event: Event) -> None:
        """Keep what Keras would print for an epoch that has just ended."""
        self._told.append(printed(self._state, event))

    def cut(self) -> None:
        """Forget what was noted after the moment that the run was wound back to."""
        epochs = self._state.updates / len(self._state.batches)
        self._rows = [row for row in self._rows if row[0] <= epochs]
        self._sent = min(self._sent, len(self._rows))
        del self._told[self._state.epoch :]
        self._told_sent = min(self._told_sent, len(self._told))

    def frame(self, *, rest: bool, whole: bool) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What is new: header entries by panel, and arrays.

        Args:
            rest: whether the run rests, so that everything has to be as it is now.
            whole: whether the browser has nothing yet.
        """
        header: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        if whole:
            self._sent = self._told_sent = 0
            self._shown.clear()
        if "gradients" in self._open:
            header["gradients"], arrays["gradients"] = self._gradients()
        now = time.perf_counter()
        for name in (*PANELS, IMAGES):
            if name not in self._open or name not in self._makers or self._shown.get(name) == self._moment:
                continue
            if not rest and name in self._shown and now < self._due[name]:
                continue
            header[name], more = self._makers[name]()
            arrays.update(more)
            after = time.perf_counter()
            self._shown[name] = self._moment
            self._due[name] = after + max(PERIODS[name], (after - now) / SHARE)
            now = after
        return header, arrays

    def _gradients(self) -> tuple[dict[str, Any], np.ndarray]:
        layers = self._watch.layers() or []
        names = layer_names(self._state.config)
        rows = np.array(self._rows[self._sent :], dtype=np.float64).reshape(-1, 1 + 2 * len(names))
        header = {
            "from": self._sent,
            "layers": list(names),
            "latest": [
                {"weights": layer.weights, "biases": layer.biases, "gradient": layer.gradient, "ratio": layer.ratio}
                for layer in layers
            ],
        }
        self._sent = len(self._rows)
        return header, rows

    def _activations(self) -> tuple[Any, dict[str, np.ndarray]]:
        found = activations(self._state)
        header = [
            {
                "name": layer.name,
                "low": layer.low,
                "high": layer.high,
                "units": layer.units,
                "dead": layer.dead,
                "saturated": layer.saturated,
                "not_finite": layer.not_finite,
            }
            for layer in found
        ]
        counts = [layer.counts for layer in found]
        return header, {"activations": np.array(counts, dtype=np.int32)} if counts else {}

    def _confusion(self) -> tuple[Any, dict[str, np.ndarray]]:
        if self._state.config.task == "regression":
            return None, {}
        return True, {f"confusion_{part}": counts for part, counts in self._view.counts().items()}

    def _print(self) -> tuple[Any, dict[str, np.ndarray]]:
        """What Keras prints for the latest epoch, if there is one, and its curves since the last frame."""
        header: dict[str, Any] = {"from": self._told_sent, "why": why(self._state)}
        if self._state.epoch:
            found = self._told[self._state.epoch - 1]
            header["line"] = keras_line(found, self._state.config)
            header["rows"] = [
                [found.loss, found.evaluated_loss],
                [found.metric, found.evaluated_metric],
                [found.validation_loss, found.validation_loss],
                [found.validation_metric, found.validation_metric],
            ]
        new = [(row.epoch, row.loss, row.evaluated_loss) for row in self._told[self._told_sent :]]
        self._told_sent = len(self._told)
        return header, {"printed": np.array(new, dtype=np.float64).reshape(-1, 3)}

    def _images(self) -> tuple[Any, dict[str, np.ndarray]]:
        """The images that the model gets wrong; None before the first update, when it has learnt nothing."""
        if self._state.updates == 0:
            return None, {}
        found = mistakes(self._state, PICTURES)
        header = {
            "part": found.part,
            "samples": found.samples,
            "wrong": found.wrong,
            "worst": [self._described(sample) for sample in found.worst],
        }
        return header, {IMAGES: self._ink(found.worst)}

    def _ink(self, samples: Sequence[Sample]) -> np.ndarray:
        """The pixels of samples, from 0 (white) to 255 (black), a row for each."""
        assert self._image is not None
        shape = (len(samples), self._image.rows * self._image.columns)
        return self._image.ink(np.array([sample.features for sample in samples]).reshape(shape))

    def _hardest(self) -> tuple[Any, dict[str, np.ndarray]]:
        found = hardest(self._state, LISTED)
        rows = [{**self._described(sample), "features": self._features(sample)} for sample in found]
        return rows, {"hardest_images": self._ink(found)} if self._image else {}

    def _features(self, sample: Sample) -> list[Any]:
        """What a table shows of a sample: a text, or one or two numbers."""
        if self._state.config.recurrent:
            return [reviews.text(sample.features)]
        return list(sample.features) if len(sample.features) <= 2 else []

    def _described(self, sample: Sample) -> dict[str, Any]:
        return {
            "number": sample.number,
            "target": self._target(sample.target),
            "prediction": self._prediction(sample.prediction),
            "loss": sample.loss,
        }

    def _pulls(self) -> tuple[Any, dict[str, np.ndarray]]:
        try:
            shares = gradient_shares(self._state)
        except ValueError:
            return {"state": "mixed"}, {}
        if not np.isfinite(shares).all():
            return {"state": "not finite"}, {}
        if not shares.any():
            return {"state": "nobody"}, {}
        order = np.argsort(-shares, kind="stable")
        tenth = -(-len(shares) // 10)
        split = self._state.split
        top = [
            {"number": int(row) + 1, "target": self._target(split.y_train[row]), "share": float(shares[row])}
            for row in order[:LISTED]
        ]
        header = {
            "state": "shares",
            "top": top,
            "samples": len(shares),
            "tenth": tenth,
            "tenth_share": float(shares[order[:tenth]].sum()),
        }
        return header, {}

    def _target(self, value: float) -> str | float:
        """A number, or the name of a class."""
        classes = self._state.split.classes
        return classes[int(value)] if classes else float(value)

    def _prediction(self, value: np.ndarray) -> dict[str, Any]:
        """A number; or a class with the probability or the score that made the model choose it."""
        classes, kind = self._state.split.classes, output(self._state.config)
        if kind == "value":
            return {"value": float(value)}
        if not np.isfinite(value).all():
            return {"value": float("nan")}
        if kind == "probabilities":
            return {"class": classes[int(value.argmax())], "probability": float(value.max())}
        if kind == "score":
            return {"class": classes[int(value > 0.0)], "score": float(value)}
        return {"class": classes[int(value > 0.5)], "probability": float(max(value, 1.0 - value))}
