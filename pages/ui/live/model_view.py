"""What a model does, as arrays to draw: a fitted curve, a decision map, predictions against targets, or counts."""

from typing import Any

import numpy as np

from lossviz.training import RunState, decision_map, output, predict
from pages.ui.live.points import drawn_rows, numbers_of, points_to_come
from pages.ui.live.text_view import TextView

MAP_SIZE = 50
#: Colours and symbols are told apart up to so many.
MAP_CLASSES = 3
CURVE_POINTS = 201


class ModelView:
    """The view that suits a run's data: `scene` once, `arrays` for every frame."""

    def __init__(self, state: RunState) -> None:
        split = state.split
        self.state = state
        self._output = output(state.config)
        features = len(split.feature_names)
        if split.task == "regression":
            self.kind = "curve" if features == 1 else "scatter"
        elif split.task == "binary" and features == 1:
            self.kind = "chance"
        else:
            self.kind = "plane" if features == 2 and len(split.classes) <= MAP_CLASSES else "counts"
        self._texts = TextView(state) if state.config.recurrent else None
        if self._texts:
            self.kind = "texts"
        self._split = points_to_come(state)
        self._drawn = drawn_rows(state.config, self._split)
        self._bounds: list[tuple[float, float]] = []  # of each axis that holds a feature
        self._range = (0.0, 0.0)  # of the target
        self._take_bounds()

    def _take_bounds(self) -> None:
        """Axes that hold all points; once there, they do not shrink, so that nothing jumps when a point comes back."""
        split = self._split
        x, y = np.concatenate([split.x_train, split.x_validation]), np.concatenate([split.y_train, split.y_validation])
        if self.kind in {"curve", "chance", "plane"}:
            old = self._bounds or [(np.inf, -np.inf)] * x.shape[1]
            self._bounds = [_grown(bounds, column) for bounds, column in zip(old, x.T, strict=True)]
        if self.kind in {"curve", "scatter"}:
            self._range = _grown(self._range if self._range[1] > self._range[0] else (np.inf, -np.inf), y)
        if self.kind in {"curve", "chance"}:
            self._grid = np.linspace(*self._bounds[0], CURVE_POINTS)

    @property
    def _ends(self) -> list[float]:
        return [end for bounds in self._bounds for end in bounds]

    def changed(self) -> bool:
        """Whether the points are others than those of the latest scene; then a new one has to be sent."""
        split = points_to_come(self.state)
        if split is self._split:
            return False
        self._split, self._drawn = split, drawn_rows(self.state.config, split)
        self._take_bounds()
        return True

    def follow(self, state: RunState) -> None:
        """Show the same run at another moment."""
        self.state = state

    def read(self, text: str) -> str:
        """Also show what the model says of a text; return why it cannot, or nothing. Only texts can be read."""
        return self._texts.read(text) if self._texts else ""

    def scene(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What stays the same as long as no point moves: header entries and arrays."""
        config, split = self.state.config, self._split
        header: dict[str, Any] = {
            "kind": self.kind,
            "classes": list(split.classes),
            "samples": {"train": len(split.x_train), "validation": len(split.x_validation)},
            "features": list(split.feature_names),
            "target": split.target_name,
            # Numbers of points begin with those of the training part, then of the validation part, then those added.
            "training": config.training_samples,
            "untouched": config.samples,
        }
        arrays = {}
        if self.kind == "plane":
            header["bounds"] = self._ends
        elif self.kind == "chance":
            header |= self._labels()
        elif self.kind in {"curve", "scatter"}:
            header["range"] = list(self._range)
        for part, x, y in (
            ("train", split.x_train, split.y_train),
            ("validation", split.x_validation, split.y_validation),
        ):
            if self.kind in {"plane", "curve", "chance"}:
                arrays[f"{part}_x"] = x[self._drawn[part]].copy()
                arrays[f"{part}_row"] = numbers_of(config, part, self._drawn[part])
            if self.kind in {"plane", "curve", "chance", "scatter"}:
                arrays[f"{part}_y"] = y[self._drawn[part]].copy()
        if self.kind in {"curve", "chance"}:
            arrays["grid"] = self._grid
        if self.state.config.data.image:
            header["image"], arrays["examples"] = self._examples()
        if self._texts:
            header |= self._texts.scene()
        return header, arrays

    def _labels(self) -> dict[str, Any]:
        """What a curve over one feature tells of two classes, at which heights their points lie, and the border."""
        second = self.state.split.classes[1]
        if self._output == "score":
            return {"title": "Score", "labels": [-1, 1], "border": 0, "range": [-1.5, 1.5]}
        return {"title": f"Probability: {second}", "labels": [0, 1], "border": 0.5, "range": [-0.1, 1.1]}

    def _examples(self) -> tuple[dict[str, Any], np.ndarray]:
        """What images look like: the first one of each class in the training part."""
        split, image = self.state.split, self.state.config.data.image
        assert image is not None
        classes, rows = np.unique(split.y_train, return_index=True)
        header = {
            "rows": image.rows,
            "columns": image.columns,
            "examples": [
                {"number": int(row) + 1, "true": split.classes[int(label)]}
                for label, row in zip(classes, rows, strict=True)
            ],
        }
        return header, image.ink(split.x_train[rows])

    def arrays(self) -> dict[str, np.ndarray]:
        """What the model does now."""
        state, split = self.state, self.state.split
        if self._texts:
            return self._texts.arrays(state)
        if self.kind in {"curve", "chance"}:
            return {"fitted": predict(state, self._grid[:, None]).astype(np.float32)}
        if self.kind == "plane":
            return {
                "map": self._shares(decision_map(state, [end for bounds in self._bounds for end in bounds], MAP_SIZE))
            }
        parts = {"train": (split.x_train, split.y_train), "validation": (split.x_validation, split.y_validation)}
        if self.kind == "scatter":
            return {
                f"{part}_predicted": predict(state, x[self._drawn[part]]).astype(np.float32)
                for part, (x, _) in parts.items()
            }
        return {f"{part}_counts": counts for part, counts in self.counts().items()}

    def counts(self) -> dict[str, np.ndarray]:
        """Confusion matrices by part, row by row: row is the true class, column the predicted one."""
        split = self.state.split
        return {
            "train": self._counts(split.x_train, split.y_train),
            "validation": self._counts(split.x_validation, split.y_validation),
        }

    def _shares(self, values: np.ndarray) -> np.ndarray:
        """How sure the model is of each class, 0 to 255: of class 1 alone for two classes, else of every class."""
        share = (values + 1.0) / 2.0 if self._output == "score" else values
        # A run whose numbers overflowed has no opinion.
        share = np.clip(np.nan_to_num(share, nan=0.5), 0.0, 1.0)
        return np.rint(255.0 * share).astype(np.uint8)

    def _counts(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        classes = len(self.state.split.classes)
        values = predict(self.state, x)
        if self._output == "probabilities":
            predicted = values.argmax(axis=1)
        else:
            predicted = (values > (0.0 if self._output == "score" else 0.5)).astype(np.int64)
        return np.bincount(y.astype(np.int64) * classes + predicted, minlength=classes**2).astype(np.int32)


def _grown(bounds: tuple[float, float], values: np.ndarray) -> tuple[float, float]:
    """Bounds that hold all values: the same ones if they do, else with a margin where they did not."""
    low, high = bounds
    if low <= float(values.min()) and float(values.max()) <= high:
        return bounds
    new_low, new_high = _padded(values)
    return (new_low if values.min() < low else low), (new_high if values.max() > high else high)


def _padded(values: np.ndarray) -> tuple[float, float]:
    """Lowest and highest value with a margin."""
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin
