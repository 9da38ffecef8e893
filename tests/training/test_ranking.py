"""Racers are lined up as asked, and ranked on what is comparable."""

import math
import statistics
from dataclasses import replace

import pytest

from lossviz.training import (
    CLASSIC,
    DIFFERENCES,
    PLAYGROUND,
    Event,
    Intervention,
    Racer,
    RunConfig,
    Scoreboard,
    differences,
    lineup,
    mean_and_deviation,
    preset,
    presets,
    run,
    run_race,
    sweep,
    usual_values,
)

RATES = (0.001, 0.01, 0.1, 0.119, 0.12, 0.13)


def raced(racers) -> Scoreboard:
    board = Scoreboard(racers)
    for events in run_race([racer.config for racer in racers]):
        board.see(events)
    return board


def event(epoch: int, loss: float, metric: float | None) -> Event:
    return Event(epoch, loss, loss, loss, metric, metric, 0.1, epoch)


def four_points_loss(rate: float, epochs: int) -> float:
    """The loss of y = wx + b on (1, 2) to (4, 8) after so many full-batch steps from zero, in plain numbers."""
    weight = bias = 0.0
    for _ in range(epochs):
        errors = [weight * x + bias - 2 * x for x in range(1, 5)]
        weight -= rate * sum(2 * error * x for error, x in zip(errors, range(1, 5), strict=True)) / 4
        bias -= rate * sum(2 * error for error in errors) / 4
    return sum((weight * x + bias - 2 * x) ** 2 for x in range(1, 5)) / 4


def test_the_sweep_of_four_points_has_its_u():
    board = raced(lineup(replace(CLASSIC, epochs=100, dtype="float64"), "rate", RATES))
    standings = board.standings("loss")
    expected = [four_points_loss(rate, 100) for rate in RATES]
    assert [standing.value for standing in standings] == pytest.approx(expected, rel=1e-9)
    assert [standing.rank for standing in standings] == [3, 2, 1, 4, 5, 6]
    found = sweep(board)
    assert found.best == 0.1
    assert found.limit == pytest.approx(0.119756, abs=1e-6)
    assert "at rate 0.1. Above 0.119756" in found.sentence


def test_every_difference_lines_up_around_every_example():
    for example in presets():
        config = replace(example.config, interventions=(Intervention(3, value=0.1),))
        assert set(differences(config)) >= {"rate", "optimizer", "units", "seed"}
        for by in differences(config):
            difference = DIFFERENCES[by]
            racers = lineup(config, by, usual_values(config, by))
            assert len({racer.name for racer in racers}) == len(racers)
            assert all(racer.config.interventions == () for racer in racers)
            for racer, value in zip(racers, usual_values(config, by), strict=True):
                set_by_hand = replace(config, interventions=(), **difference.fields(config, value))
                assert racer.config == set_by_hand


def test_the_own_loss_keeps_its_parameters():
    config = replace(preset("outliers_huber").config, loss_parameters={"delta": 2.0})
    mse, huber = lineup(config, "loss", ["mse", "huber"])
    assert huber.config.parameters == {"delta": 2.0}
    assert mse.config.loss == "mse"


def test_layers_are_added_as_wide_as_the_last():
    racers = lineup(PLAYGROUND, "depth", [0, 1, 2, 4])
    assert [racer.config.hidden for racer in racers] == [(), (4,), (4, 2), (4, 2, 2, 2)]
    assert [racer.name for racer in racers][:3] == ["Linear model", "1 hidden layer", "2 hidden layers"]


@pytest.mark.parametrize(
    ("by", "values", "message"),
    [
        ("luck", [1, 2], "by is 'luck'"),
        ("rate", 0.1, "a list of 2 to 16 values"),
        ("rate", [], "0 racers are in the race; 2 to 16 are allowed"),
        ("rate", [0.1], "1 racer is in the race"),
        ("rate", [0.01 * n for n in range(1, 18)], "17 racers are in the race"),
        ("rate", [0.1, 0.1], "Rate 0.1 is in the race twice"),
        ("rate", [0.1, 0.0], "learning_rate is 0.0"),
        ("rate", [0.1, "fast"], "learning_rate is 'fast'"),
        ("batch", [10, 0], "batch_size is 0"),
        ("depth", [1, 7], "the number of hidden layers is 7; a whole number from 0 to 6"),
        ("loss", ["mse", "cross_entropy"], "loss is 'cross_entropy'"),
        ("optimizer", ["sgd", "luck"], "optimizer is 'luck'"),
        ("seed", [1, -1], "seed is -1"),
    ],
)
def test_a_race_that_cannot_be_is_refused(by, values, message):
    with pytest.raises(ValueError, match=message):
        lineup(CLASSIC, by, values)


def test_accuracy_ranks_losses_and_ties_share_a_rank():
    racers = lineup(PLAYGROUND, "loss", ["mse", "hinge", "focal", "brier"])
    board = Scoreboard(racers)
    assert board.measures == ("metric",)
    assert board.sentence("metric").startswith("Press Play")
    board.see([event(1, loss, metric) for loss, metric in ((9.0, 0.9), (1.0, 0.8), (2.0, 0.9), (0.1, 0.5))])
    standings = board.standings("metric")
    assert [standing.rank for standing in standings] == [1, 3, 1, 4]
    assert "Mean squared error and Focal" in board.sentence("metric")
    assert "level, with a validation accuracy of 90.0 %" in board.sentence("metric")
    board.see([event(2, loss, metric) for loss, metric in ((9.0, 0.85), (1.0, 0.95), (2.0, 0.9), (0.1, 0.5))])
    standings = board.standings("metric")
    assert [(standing.best, standing.best_epoch) for standing in standings] == [(0.9, 1), (0.95, 2), (0.9, 1), (0.5, 1)]
    assert "Hinge leads" in board.sentence("metric")
    assert "5.0 percentage points ahead of" in board.sentence("metric")


def test_one_loss_can_be_ranked_on():
    board = raced(lineup(replace(PLAYGROUND, epochs=20), "optimizer", ["sgd", "adam"]))
    assert board.measures == ("metric", "loss")
    last = [list(run(racer.config))[-1].validation_loss for racer in board.racers]
    standings = board.standings("loss")
    assert [standing.value for standing in standings] == pytest.approx(last, rel=1e-4)
    assert (standings[0].rank < standings[1].rank) == (last[0] < last[1])


def test_what_overflows_ranks_last_and_keeps_its_best():
    racers = [Racer(str(rate), replace(CLASSIC, epochs=3000, learning_rate=rate)) for rate in (0.01, 5.0, 0.02)]
    board = raced(racers)
    calm, wild, other = board.standings("metric")
    assert (wild.rank, wild.value, wild.state) == (3, None, "overflowed")
    assert wild.best_epoch is not None
    assert not math.isfinite(wild.loss)
    assert calm.state == other.state == "done"


def test_who_stops_early_is_said_to():
    config = RunConfig(
        dataset="sine", samples=30, noise=0.4, hidden=(16,), optimizer="adam", patience=3, epochs=400, batch_size=None
    )
    racers = lineup(config, "rate", [0.3, 0.01])
    board = raced(racers)
    board.ended(0)
    assert board.standings("loss")[0].state == "stopped early"


def test_seeds_have_a_mean_and_a_spread():
    board = raced(lineup(replace(PLAYGROUND, epochs=5), "seed", range(6)))
    values = [standing.value for standing in board.standings("metric")]
    assert board.spread("metric") == pytest.approx((statistics.mean(values), statistics.stdev(values)))
    sentence = board.spread_sentence("metric")
    assert "over 6 runs" in sentence
    assert f"({board.racers[values.index(max(values))].name})" in sentence or values.count(max(values)) > 1


def test_mean_and_deviation_of_little():
    assert all(map(math.isnan, mean_and_deviation([])))
    mean, deviation = mean_and_deviation([2.0, math.inf, None])
    assert mean == 2.0
    assert math.isnan(deviation)


def test_nothing_left_to_rank():
    racers = [Racer("a", CLASSIC), Racer("b", replace(CLASSIC, learning_rate=0.02))]
    board = Scoreboard(racers)
    board.see([event(1, math.inf, None), event(1, math.nan, None)])
    assert "no racer has a number" in board.sentence("loss")
    assert [standing.rank for standing in board.standings("loss")] == [1, 1]


def test_r2_is_written_with_a_true_minus():
    board = Scoreboard(lineup(CLASSIC, "rate", [0.01, 0.1]))
    assert board.show(-0.25, "metric") == "−0.250"
    assert board.show(-5e12, "metric").startswith("−5×10")
