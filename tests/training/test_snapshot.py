"""A run put aside goes on bit for bit, from the middle of an epoch too."""

import io
from dataclasses import replace

import numpy as np
import pytest

from lossviz import optimizers
from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    Intervention,
    RunConfig,
    advance,
    apply,
    init,
    restore,
    run,
    snapshot,
    step,
)


def rest(state):
    events = []
    while not state.finished:
        event = advance(state, 1000)
        if event:
            events.append(event)
    return events


@pytest.mark.parametrize("updates", [0, 1, 24, 25, 26, 60])
@pytest.mark.parametrize("optimizer", optimizers.keys())
def test_goes_on_bit_for_bit_at_any_update(updates, optimizer):
    config = replace(PLAYGROUND, optimizer=optimizer, epochs=4, learning_rate=0.01)
    state = init(config)
    for _ in range(updates):
        step(state)
    saved = snapshot(state)
    whole = list(run(config))
    again = restore(config, saved)
    assert again.last_batch_loss() == state.last_batch_loss()
    assert rest(again) == whole[updates // 25 :]
    assert rest(state) == whole[updates // 25 :]


def test_is_plain_arrays_that_numpy_stores_without_pickle():
    config = RunConfig(dataset="iris", optimizer="adam", epochs=5)
    state = init(config)
    advance(state, 5)
    saved = snapshot(state)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **saved)
    file.seek(0)
    loaded = {name: value if value.ndim else value.item() for name, value in np.load(file, allow_pickle=False).items()}
    assert rest(restore(config, loaded)) == rest(state)
    saved["parameters"][:] = 0
    assert state.network.parameters.any()


def test_class_weights_and_interventions_survive():
    config = RunConfig(dataset="iris", loss_parameters={"weight": (1, 2, 3)}, epochs=4, batch_size=16)
    state = init(config)
    advance(state, 3)
    apply(state, Intervention(3, value=0.2))
    apply(state, Intervention(9, value=0.001))
    again = restore(state.config, snapshot(state))
    assert rest(again) == rest(state)


def test_a_finished_run_stays_finished():
    state = init(replace(CLASSIC, epochs=2))
    rest(state)
    again = restore(state.config, snapshot(state))
    assert again.finished
    assert again.reason == state.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": np.zeros(3, dtype=np.float32)}, r"parameters has shape \(3,\)"),
        ({"parameters": np.zeros(25)}, "float64; this config needs"),
        ({"order": np.zeros(250, dtype=np.int64)}, "each row number from 0 to 249 once"),
        ({"position": 25}, "position is 25"),
        ({"updates": 7}, "updates is 7"),
        ({"epoch": "1"}, "epoch is '1'"),
        ({"generator": np.zeros(3, dtype=np.uint8)}, "generator has shape"),
        ({"slot.mean": np.zeros(25, dtype=np.float32)}, "slot.mean"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    saved = {**snapshot(init(PLAYGROUND)), **change}
    with pytest.raises(ValueError, match=message):
        restore(PLAYGROUND, saved)
    with pytest.raises(ValueError, match="needed: "):
        restore(PLAYGROUND, {"parameters": saved["parameters"]})


def test_numbers_that_came_through_a_browser_are_taken():
    """There 1.0 is written as 1, and comes back as a whole number."""
    state = init(replace(PLAYGROUND, learning_rate=1.0, l2=0.001))
    advance(state, 3)
    saved = snapshot(state)
    given = {
        name: int(value) if type(value) is float and value.is_integer() else value for name, value in saved.items()
    }
    assert type(given["rate"]) is int
    again = restore(state.config, given)
    assert advance(again, 25) == advance(state, 25)
    for name, value in snapshot(state).items():
        assert type(snapshot(again)[name]) is type(value)
    with pytest.raises(ValueError, match="rate is '1'; a value of type float is needed"):
        restore(state.config, {**saved, "rate": "1"})
