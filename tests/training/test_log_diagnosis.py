"""What is said of a log is true of its curves, and our own runs read back say what the runs say."""

import numpy as np
import pytest

from lossviz.training import diagnose, diagnose_log, preset, run
from lossviz.training.logs import read_log


def csv(columns):
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(names), *(",".join("" if cell is None else repr(cell) for cell in row) for row in rows)])


STEPS = np.arange(200)
FALLING = np.exp(-STEPS / 60)


@pytest.mark.parametrize("key", ["overfitting", "classic", "diabetes", "xor_linear"])
def test_a_log_of_our_own_run_says_the_same(key):
    config = preset(key).config
    events = list(run(config))
    columns = {"epoch": [event.epoch for event in events], "loss": [event.train_loss for event in events]}
    if config.validation_samples:
        columns["val_loss"] = [event.validation_loss for event in events]
    ours, theirs = diagnose(events, config), diagnose_log(read_log("run.csv", csv(columns)))
    assert (theirs.kind, theirs.since, theirs.sentence) == (ours.kind, ours.since, ours.sentence)


def test_rare_validation_losses_are_set_beside_the_training_loss():
    valley = [1 + ((step - 80) / 100) ** 2 if step % 10 == 0 else None for step in STEPS.tolist()]
    log = read_log(
        "run.csv", csv({"step": [100 * step for step in STEPS.tolist()], "loss": FALLING.tolist(), "val_loss": valley})
    )
    found = diagnose_log(log)
    assert found.kind == "validation rising"
    assert abs(found.since - 8000) <= 1000
    assert f"since step {found.since}" in found.sentence
    assert found.experiment.startswith(f"Keep the weights of step {found.since}")


def test_a_loss_that_is_no_number_is_found_with_its_place():
    losses = [1.0, 0.5, float("nan"), 0.4]
    found = diagnose_log(read_log("run.csv", csv({"epoch": [1, 2, 3, 4], "loss": losses})))
    assert found.kind == "not finite"
    assert found.sentence.startswith("At epoch 3 the training loss is not a number")
    infinite = diagnose_log(read_log("run.csv", csv({"epoch": [1, 2], "loss": [1.0, float("inf")]})))
    assert "epoch 2 the training loss is infinite" in infinite.sentence


def test_short_logs_and_logs_without_a_training_loss():
    assert diagnose_log(read_log("run.csv", "epoch,loss\n1,0.5\n")).kind == "flat"
    assert diagnose_log(read_log("run.csv", "epoch,loss\n1,0.5\n2,0.4\n")).kind == "still falling"
    found = diagnose_log(read_log("run.csv", "epoch,val_loss\n1,0.5\n2,0.4\n"))
    assert found.kind == "waiting"
    assert "It has: validation_loss." in found.sentence


def test_a_rise_and_a_divergence_come_with_something_to_try():
    for losses, kind in ((1 + STEPS / 2000, "rising"), (1.0 + STEPS, "diverging")):
        found = diagnose_log(read_log("run.csv", csv({"step": STEPS.tolist(), "loss": losses.tolist()})))
        assert found.kind == kind
        assert found.experiment.startswith("Try a t")
        assert "steps" in found.sentence
