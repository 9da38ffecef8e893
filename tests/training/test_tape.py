"""A run that is wound back goes on as it went the first time, from any moment, within a bound of memory."""

from dataclasses import replace

import numpy as np
import pytest

from lossviz.training import (
    CLASSIC,
    Intervention,
    RunConfig,
    Tape,
    advance,
    apply,
    forget_later,
    init,
    run,
    snapshot,
)

EVERYTHING = RunConfig(
    epochs=30,
    samples=60,
    optimizer="adam",
    schedule="plateau",
    every=2,
    dropout=0.3,
    batch_norm=True,
    patience=25,
    best_weights=True,
    interventions=(Intervention(40, value=0.05),),
)


def taped(config: RunConfig, **budget: int):
    """A run to its end, its tape, and its events."""
    state = init(config)
    tape = Tape(state, **budget)
    events = []
    while not state.finished:
        events.append(advance(state, config.updates_per_epoch))
        tape.keep(state)
    return state, tape, events


def finish(state):
    events = []
    while not state.finished:
        event = advance(state, 10**6)
        if event is not None:
            events.append(event)
    return events


@pytest.mark.parametrize("config", [CLASSIC, EVERYTHING], ids=["four points", "everything on"])
@pytest.mark.parametrize("budget", [2**26, 40_000])
def test_every_moment_is_reached_and_goes_on_as_it_did(config: RunConfig, budget: int):
    config = replace(config, epochs=30)
    state, tape, events = taped(config, budget=budget)
    assert events == list(run(config))
    for update in (0, 1, state.updates // 2, state.updates // 2 + 1, state.updates):
        again = tape.nearest(update, state)
        assert again.updates <= update
        while again.updates < update:
            advance(again, update - again.updates)
        straight = init(config)
        while straight.updates < update:
            advance(straight, update - straight.updates)
        assert again.network.parameters.tolist() == straight.network.parameters.tolist()
        went_on = finish(again)
        assert went_on == events[update // config.updates_per_epoch :]
    assert state.updates == len(events) * config.updates_per_epoch


def test_the_run_itself_is_nearest_where_no_snapshot_is():
    state = init(CLASSIC)
    tape = Tape(state)
    advance(state, 1)
    advance(state, 1)
    assert tape.nearest(2, state) is state
    assert tape.nearest(1, state).updates == 0
    tape.keep(state)
    assert tape.nearest(2, state) is state
    assert tape.nearest(3, state) is state
    with pytest.raises(ValueError, match="update is -1; 0 or more is allowed"):
        tape.nearest(-1, state)


@pytest.mark.parametrize("epochs", [100, 101, 200])
def test_memory_is_bounded_and_moments_stay_evenly_spread(epochs: int):
    config = replace(CLASSIC, epochs=epochs)
    one = Tape(init(config)).bytes
    budget = 16 * one
    state, tape, _ = taped(config, budget=budget)
    assert one < tape.bytes <= budget
    starts = [tape.nearest(update, state).updates for update in range(epochs)]
    gaps = np.diff(sorted(set(starts)))
    assert starts[0] == 0
    assert gaps.max() == gaps.min() <= 2 * epochs / 15
    kept = sorted(set(starts))
    assert tape.bytes >= one * len(kept)


def test_a_tape_that_may_keep_nothing_keeps_the_start():
    state, tape, events = taped(replace(CLASSIC, epochs=9), budget=0)
    again = tape.nearest(5, state)
    assert again.updates == 0
    assert finish(again) == events
    with pytest.raises(ValueError, match="budget is -1"):
        Tape(state, budget=-1)


def test_another_way_from_a_moment_forgets_the_first_one():
    config = replace(CLASSIC, epochs=20, interventions=(Intervention(4, value=0.01), Intervention(12, value=0.02)))
    state, tape, events = taped(config)
    back = tape.nearest(8, state)
    forget_later(back)
    assert [item.update for item in back.config.interventions] == [4]
    apply(back, Intervention(8, value=0.005))
    tape.cut(8)
    other = []
    while not back.finished:
        other.append(advance(back, 1))
        tape.keep(back)
    straight = list(run(back.config))
    assert straight[8:] == other
    assert straight[:8] == events[:8]
    assert straight[8:] != events[8:]
    assert snapshot(tape.nearest(15, back))["rate"] == 0.005
