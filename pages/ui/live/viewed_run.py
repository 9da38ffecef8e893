"""A run that somebody watches: moved on in slots, shown in frames. All of it happens on the engine's thread."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from lossviz.training import (
    TAPE_BYTES,
    Diagnosis,
    Event,
    Intervention,
    Measurement,
    RunConfig,
    Tape,
    UpdateWatch,
    apply,
    examine,
    forget_later,
    init,
    layer_names,
    measure,
    snapshot,
)
from pages.ui.live.model_view import ModelView
from pages.ui.live.panels import Panels
from pages.ui.live.protocol import encode_arrays, pack

#: Columns of the array "curves", in the order of `Event`.
COLUMNS = ("epoch", "batch_loss", "train_loss", "validation_loss", "train_metric", "validation_metric", "learning_rate")
DIAGNOSIS_SECONDS = 1.0


class ViewedRun:
    """One run, its history and what of it has been put into frames.

    `number` tells its messages from those of the runs that the same connection opened before it.
    """

    def __init__(self, config: RunConfig, number: int = 1, budget: int = TAPE_BYTES) -> None:
        self.number = number
        self.state = init(config)
        self.tape = Tape(self.state, budget)
        self.events: list[Event] = []  # all that are known; a run that was wound back has more of them than epochs
        self.reached = 0  # updates up to which the run is known
        self.view = ModelView(self.state)
        self._watch = UpdateWatch(self.state)
        self.panels = Panels(self._watch, self.view)
        self._start = measure(self.state)
        self._anew = False  # whether the losses before training have changed since the latest frame
        self._shown = 0  # events that earlier frames held
        self._cut = False  # whether frames have held events that are no longer true
        self._seconds = 0.0  # of one update, as the last measurement said
        self._thought = time.perf_counter()
        self._diagnosis = examine(self.state, [])

    def advance(self, target: float, seconds: float) -> None:
        """Make updates until `target` have been made, the run has ended or the time is up; one at least."""
        state = self.state
        first = state.updates
        begin = now = time.perf_counter()
        while state.updates < target and not state.finished:
            left = seconds - (now - begin)
            if left <= 0.0:
                break
            # As many updates in one call as should fit: fewer calls leave more time for updates.
            fits = max(1, int(left / self._seconds)) if self._seconds else 1
            event = self._watch.advance(int(min(fits, len(state.batches), target - state.updates)))
            if event is not None:
                self._record(event)
            now = time.perf_counter()
            self._seconds = (now - begin) / (state.updates - first)
        self.reached = max(self.reached, state.updates)
        self.panels.note()

    def _record(self, event: Event) -> None:
        if event.epoch > len(self.events):
            self.events.append(event)
            self.panels.record(event)
        self.tape.keep(self.state)

    def wind(self, update: int) -> None:
        """Take the run to the nearest moment from which `update` is reached by going on."""
        state = self.tape.nearest(update, self.state)
        if state is not self.state:
            self.state = state
            self._watch.follow(state)
            self.view.follow(state)

    def branch(self) -> bool:
        """Before a change: forget what a run that was wound back did after this moment; say whether there was any."""
        if self.reached <= self.state.updates:
            return False
        forget_later(self.state)
        self.reached = self.state.updates
        del self.events[self.state.epoch :]
        self._shown = min(self._shown, len(self.events))
        self._cut = True
        self.tape.cut(self.reached)
        self.panels.cut()
        return True

    def intervene(self, intervention: Intervention) -> bool:
        """Make a change; say whether a run that was wound back goes another way from here.

        Raises:
            ValueError: the change is not allowed, and nothing has happened.
        """
        state = self.state
        state.config.with_intervention(intervention)  # refused before anything is forgotten
        branched = self.branch()
        apply(state, intervention)
        if intervention.of_points and intervention.update == state.updates:
            self.tape.keep(state, anew=True)
            if state.updates == 0:
                self._start = measure(state)
                self._anew = True
        return branched

    def frame(self, number: int, status: str, progress: float | None, *, whole: bool = False) -> bytes:
        """Return the frame that shows the run as it is now, with the epochs that no frame has shown yet."""
        state = self.state
        rest = status not in {"playing", "replaying"}
        diagnosis = self.diagnose(anew=rest)
        header: dict[str, Any] = {
            "frame": number,
            "run": self.number,
            "epoch": state.epoch,
            "known": len(self.events),
            "updates": state.updates,
            "state": status,
            "progress": progress,
            "learning_rate": state.learning_rate,
            "kind": diagnosis.kind,
            "sentence": diagnosis.sentence,
            "numbers": self._numbers(),
        }
        arrays: dict[str, np.ndarray] = {}
        if self._cut:
            self._cut = False
            header["cut"] = self._shown
        if whole:
            self._shown = 0
            header["whole"] = True
            header["epochs"] = state.config.epochs
            header["updates_per_epoch"] = state.config.updates_per_epoch
            header["metric"] = state.config.metric
            header["layers"] = layer_names(state.config)
        if self.view.changed() or whole:
            header["scene"], arrays = self.view.scene()
        if self._anew:
            header["anew"] = True
        rows = [_row(event) for event in self.events[self._shown :]]
        if whole or self._anew:
            rows.insert(0, _start_row(self._start, state.config.learning_rate))
        self._anew = False
        self._shown = len(self.events)
        arrays = {"curves": np.array(rows, dtype=np.float64).reshape(-1, len(COLUMNS)), **arrays, **self.view.arrays()}
        if status != "replaying":
            header["panels"], opened = self.panels.frame(rest=rest, whole=whole)
            arrays.update(opened)
        return pack(header, arrays)

    def report(self) -> dict[str, Any]:
        """Where the run stands, in JSON types, with all that is needed to take it up elsewhere."""
        state = self.state
        return {
            "epoch": state.epoch,
            "updates": state.updates,
            "sentence": self.diagnose(anew=True).sentence,
            "interventions": state.config.to_dict()["interventions"],
            "snapshot": encode_arrays(snapshot(state)),
        }

    def _numbers(self) -> dict[str, float | None]:
        """Losses and metrics of the parameters as they are now, and the loss of the last batch before its update."""
        state = self.state
        measured = state.epoch and self.events[state.epoch - 1].updates == state.updates
        changed = state.begun in state.point_updates  # since the epoch was measured
        if measured and not changed and not state.restored:
            now: Event | Measurement = self.events[state.epoch - 1]
        else:
            now = measure(state)
        return {
            "batch_loss": state.last_batch_loss(),
            "train_loss": now.train_loss,
            "validation_loss": now.validation_loss,
            "train_metric": now.train_metric,
            "validation_metric": now.validation_metric,
        }

    def diagnose(self, *, anew: bool = False) -> Diagnosis:
        """What is happening, in words; thought about once a second at most, as it looks at the whole history."""
        now = time.perf_counter()
        if anew or now - self._thought >= DIAGNOSIS_SECONDS:
            self._thought = now
            diagnosis = examine(self.state, self.events[: self.state.epoch])
            said = f"{diagnosis.sentence} {diagnosis.experiment}".strip()
            if self.state.finished:
                # Why it ended says already that the steps were too large.
                said = f"{self.state.reason} {diagnosis.experiment if diagnosis.kind == 'not finite' else said}".strip()
            diagnosis = replace(diagnosis, sentence=said)
            self._diagnosis = diagnosis
        return self._diagnosis


def _row(event: Event) -> tuple[float, ...]:
    return tuple(np.nan if value is None else value for value in event[: len(COLUMNS)])


def _start_row(start: Measurement, learning_rate: float) -> tuple[float, ...]:
    """Epoch 0: the model as it was before training."""
    values = (0, None, start.train_loss, start.validation_loss, start.train_metric, start.validation_metric)
    return (*(np.nan if value is None else value for value in values), learning_rate)
