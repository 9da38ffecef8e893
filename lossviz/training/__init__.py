"""Training tiny models as a stream of events.

Example:
    >>> from lossviz.training import CLASSIC, run
    >>> events = list(run(CLASSIC))
    >>> events[0].batch_loss, round(events[-1].batch_loss, 6)
    (30.0, 0.000155)
"""

from lossviz.training.bounds import BOUNDS
from lossviz.training.config import RunConfig, losses_for
from lossviz.training.data import Split, dataset, dataset_at
from lossviz.training.diagnosis import Diagnosis, diagnose, largest_stable_rate
from lossviz.training.engine import Event, RunState, advance, apply, forget_later, init, measure, run, step
from lossviz.training.examination import examine, neighbours
from lossviz.training.gallery import CLASSIC, PLAYGROUND, Example, preset, presets
from lossviz.training.insight import (
    LayerActivations,
    LayerUpdate,
    Sample,
    UpdateWatch,
    activations,
    gradient_shares,
    hardest,
    sample_gradient_norms,
    sample_losses,
)
from lossviz.training.inspect import decision_map, output, predict
from lossviz.training.interventions import Intervention
from lossviz.training.log_diagnosis import diagnose_log
from lossviz.training.measure import Measurement
from lossviz.training.model import MODELS, layer_names, models_for, parameter_count, row_products
from lossviz.training.points import movable
from lossviz.training.printed import Printed, keras_line, loss_in_training_mode, printed, why
from lossviz.training.race import RACERS, Race, run_race
from lossviz.training.racers import DIFFERENCES, FEWEST, Racer, differences, lineup, usual_values
from lossviz.training.ranking import MEASURES, Scoreboard, Standing, Sweep, mean_and_deviation, stable_limit, sweep
from lossviz.training.reading import text_losses, word_by_word
from lossviz.training.snapshot import restore, snapshot
from lossviz.training.tape import TAPE_BYTES, Tape
from lossviz.training.walk import WALK_PARAMETERS, LayerWalk, ParameterWalk, Walk, walk
from lossviz.training.wrong_points import Mistakes, mistakes

__all__ = [
    "BOUNDS",
    "CLASSIC",
    "DIFFERENCES",
    "FEWEST",
    "MEASURES",
    "MODELS",
    "PLAYGROUND",
    "RACERS",
    "TAPE_BYTES",
    "WALK_PARAMETERS",
    "Diagnosis",
    "Event",
    "Example",
    "Intervention",
    "LayerActivations",
    "LayerUpdate",
    "LayerWalk",
    "Measurement",
    "Mistakes",
    "ParameterWalk",
    "Printed",
    "Race",
    "Racer",
    "RunConfig",
    "RunState",
    "Sample",
    "Scoreboard",
    "Split",
    "Standing",
    "Sweep",
    "Tape",
    "UpdateWatch",
    "Walk",
    "activations",
    "advance",
    "apply",
    "dataset",
    "dataset_at",
    "decision_map",
    "diagnose",
    "diagnose_log",
    "differences",
    "examine",
    "forget_later",
    "gradient_shares",
    "hardest",
    "init",
    "keras_line",
    "largest_stable_rate",
    "layer_names",
    "lineup",
    "loss_in_training_mode",
    "losses_for",
    "mean_and_deviation",
    "measure",
    "mistakes",
    "models_for",
    "movable",
    "neighbours",
    "output",
    "parameter_count",
    "predict",
    "preset",
    "presets",
    "printed",
    "restore",
    "row_products",
    "run",
    "run_race",
    "sample_gradient_norms",
    "sample_losses",
    "snapshot",
    "stable_limit",
    "step",
    "sweep",
    "text_losses",
    "usual_values",
    "walk",
    "why",
    "word_by_word",
]
