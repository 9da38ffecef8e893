"""Programs of runs whose points were moved or added reproduce the curves; the Keras twin says what it leaves out."""

from dataclasses import replace

import numpy as np
import pytest

from lossviz.export import keras_script, run_report, run_script
from lossviz.training import CLASSIC, Intervention, RunConfig, dataset, run
from tests.export.test_run_script import assert_same_curves, execute, trained
from tests.training.test_settings import BASE


def move(update, row, *point):
    return Intervention(update, "move", (row, *point))


def add(update, *point):
    return Intervention(update, "add", point)


# 30 training points in batches of 8, 8, 8 and 6.
START = (*(add(0, 0.1 * number, 0.3, number % 2) for number in range(12)), move(0, 2, 0.5, -0.25, 1))
LATER = (
    *(move(0, 59, 1 / 3, 0.25, 0), move(4, 30, 2.0, 2.0, 1), Intervention(5, value=0.05)),
    *(add(8, 0.1, 0.2, 0), add(8, -0.3, 0.2, 1), move(8, 60, 1.5, 0.2, 1), add(24, 1.0, -2.0, 1)),
    *(move(28, 0, 1.0, 1.0, 0), move(28, 61, 1.0, -1.0, 0), Intervention(30, value=0.02)),
)
LINE = RunConfig(dataset="outliers", dtype="float64", hidden=(), epochs=40, learning_rate=0.02)
CASES = {
    "from the start": replace(BASE, interventions=START),
    "on the way": replace(BASE, interventions=LATER),
    "on the way, in float32": replace(BASE, interventions=(*START, *LATER), dtype="float32", standardise=False),
    "class numbers": replace(
        *(BASE,),
        dataset="blobs",
        loss="cross_entropy",
        loss_parameters={"weight": (1.0, 4.0, 0.5)},
        noise=None,
        interventions=(add(0, 0.1, 0.2, 2), add(8, 0.3, 0.2, 1), move(8, 0, 5.0, 5.0, 2)),
    ),
    "labels of -1 and 1": replace(BASE, loss="hinge", loss_parameters=(), interventions=LATER),
    "every setting": replace(
        *(BASE,),
        dropout=0.2,
        batch_norm=True,
        l1=0.01,
        schedule="cosine",
        clip="norm",
        optimizer="adam",
        interventions=LATER,
    ),
    "full batch": replace(
        LINE, batch_size=None, interventions=(add(0, 2.5, 30), move(7, 3, 1.0, -4.0), add(20, -2.0, -9.5))
    ),
    "no validation": replace(
        LINE, validation_fraction=0.0, interventions=(move(6, 3, 1.0, -40.0), add(12, -2.0, -9.5))
    ),
    "a long drag": replace(LINE, interventions=tuple(move(3 * at, 5, -3 + at / 7, at / 3) for at in range(40))),
}


@pytest.mark.parametrize("case", CASES)
def test_changed_points_are_reproduced(case):
    config = CASES[case]
    events = trained(config)[1]
    text, names = execute(run_script(config))
    assert_same_curves(text, config, events)
    assert events[-1].train_loss != list(run(replace(config, interventions=config.rate_changes)))[-1].train_loss
    assert max(map(len, run_script(config).splitlines())) <= 125
    assert ("sizes" in names) == any(
        item.kind == "add" for item in config.interventions if config.updates_per_epoch > 1
    )


def test_the_keras_twin_begins_on_the_same_points_and_says_what_it_leaves_out():
    config = replace(BASE, interventions=START)
    program = keras_script(config)
    names = {}
    exec(program[: program.index("# Targets.")], names)
    split = dataset(config)
    np.testing.assert_array_equal(names["x_train"], (split.x_train - split.mean) / split.spread)
    np.testing.assert_array_equal(names["y_train"], split.y_train)
    assert "batch_size=11," in program
    assert "stay as they were at the start" not in program
    on_the_way = keras_script(CASES["on the way"])
    assert "points were moved or added after training had begun; here they" in " ".join(on_the_way.split("\n# "))
    assert "self.changes = " not in keras_script(CASES["full batch"])


def test_the_report_says_where_points_went():
    config = replace(BASE, interventions=(*LATER, add(24, 1.0, -2.0, 1), move(28, 63, 1.5, 0.25, 0)))
    report = run_report(config, list(run(config)))
    assert "validation point 30 at x1 = 0.3333333333333333, x2 = 0.25" in report
    assert "a new point at x1 = 0.1, x2 = 0.2" in report
    assert "point 34 at x1 = 1.5, x2 = 0.25" in report
    assert "0.05 from update 5, 0.02 from update 30" in report
    assert "Points changed on the way" not in run_report(CLASSIC, list(run(CLASSIC)))
