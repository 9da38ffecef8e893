"""The Train page's controls change the run, and its walk shows the core's numbers."""

import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lossviz import datasets
from lossviz.training import CLASSIC, RunConfig, init, preset, presets, step, walk
from pages.ui.train_state import PHASES, START, TrainState, format_url
from pages.ui.walk import move
from pages.ui.walk_drawing import network_svg
from pages.ui.walk_steps import drawing, loss_sum, parameter_count, slope_table, too_large, walk_of_update

PAGE = Path(__file__).parents[2] / "pages" / "index.py"


@pytest.fixture
def open_train():
    def run(**params):
        # By way of the navigation, which links lead through.
        at = AppTest.from_file(PAGE, default_timeout=30).run()
        at.switch_page("train.py")
        for name, text in params.items():
            at.query_params[name] = text
        at.run()
        assert not at.exception
        return at

    return run


def state(at) -> TrainState:
    return at.session_state["train.state"]


def text(at) -> str:
    tables = [item.proto.body for item in at.get("html")]
    return "\n".join([*(item.value for item in [*at.markdown, *at.caption, *at.info, *at.warning, *at.error]), *tables])


def widget(elements, label):
    return next(item for item in elements if item.label == label)


def test_the_first_visit_is_complete_and_quiet(open_train):
    at = open_train()
    assert state(at).config == START
    assert not at.warning
    assert preset("diabetes").comment in text(at)
    assert f"{START.training_samples} points to train on, {START.validation_samples} for validation." in text(at)


@pytest.mark.parametrize("example", presets(), ids=lambda example: example.key)
def test_every_example_sets_everything(open_train, example):
    at = open_train(**format_url(TrainState(example.config)))
    assert state(at).config == example.config
    assert example.comment in text(at)
    assert widget(at.selectbox, "Example").value == example.key
    assert widget(at.selectbox, "Loss").value == example.config.loss


def test_choosing_an_example(open_train):
    at = open_train()
    widget(at.selectbox, "Example").select("classic").run()
    assert state(at).config == CLASSIC
    assert at.query_params["data"] == "four_points"


def test_another_task_starts_with_real_data(open_train):
    at = open_train()
    for task in ("binary", "multiclass", "regression"):
        widget(at.button_group, "Task").set_value(task).run()
        assert state(at).config == presets(task)[0].config
        assert datasets.get(state(at).config.dataset).real


def test_another_data_set_changes_the_loss_and_says_so(open_train):
    at = open_train()
    widget(at.selectbox, "Data set").select("iris").run()
    assert state(at).config.loss == "cross_entropy"
    assert any("Mean squared error does not fit this task" in item.value for item in at.info)
    widget(at.number_input, "Epochs").set_value(7).run()
    assert state(at).config.epochs == 7
    assert not any("does not fit" in item.value for item in at.info)


def test_settings_reach_the_run_and_the_link(open_train):
    at = open_train(data="moons")
    widget(at.slider, "Points").set_value(120).run()
    widget(at.slider, "Noise").set_value(0.3).run()
    widget(at.slider, "Held out for validation").set_value(0.25).run()
    widget(at.slider, "Hidden layers").set_value(3).run()
    widget(at.slider, "Units in hidden layer 3").set_value(7).run()
    widget(at.selectbox, "Optimizer").select("momentum").run()
    widget(at.number_input, "Momentum").set_value(0.8).run()
    widget(at.toggle, "Full batch").set_value(True).run()
    widget(at.number_input, "Learning rate at the start").set_value(0.2).run()
    config = RunConfig(
        dataset="moons", samples=120, noise=0.3, validation_fraction=0.25, hidden=(4, 2, 7), optimizer="momentum",
        momentum=0.8, batch_size=None, learning_rate=0.2,
    )  # fmt: skip
    assert state(at).config == config
    assert at.query_params == format_url(TrainState(config))
    assert "90 points to train on, 30 for validation." in text(at)
    assert "1 update an epoch." in text(at)


def test_a_batch_larger_than_the_training_part_is_explained(open_train):
    at = open_train(data="moons", samples=120, validation="0.25", batch=90)
    assert "There are only" not in text(at)
    widget(at.number_input, "Batch size").set_value(91).run()
    assert "There are only 90 points to train on; one batch holds them all." in text(at)


def test_schedule_restraint_and_stopping_reach_the_run_and_the_link(open_train):
    at = open_train(data="moons")
    widget(at.selectbox, "Optimizer").select("adamw").run()
    widget(at.number_input, "Beta 2").set_value(0.95).run()
    widget(at.number_input, "Weight decay").set_value(0.1).run()
    widget(at.selectbox, "Learning-rate schedule").select("step").run()
    widget(at.number_input, "Epochs between drops").set_value(7).run()
    widget(at.number_input, "Factor of a drop").set_value(0.2).run()
    widget(at.toggle, "Batch normalisation").set_value(True).run()
    widget(at.slider, "Dropout").set_value(0.25).run()
    widget(at.number_input, "L1 penalty").set_value(0.001).run()
    widget(at.number_input, "L2 penalty").set_value(0.002).run()
    widget(at.selectbox, "Gradient clipping").select("norm").run()
    widget(at.number_input, "Longest gradient").set_value(0.5).run()
    widget(at.toggle, "Stop when validation no longer improves").set_value(True).run()
    widget(at.number_input, "Patience").set_value(9).run()
    widget(at.toggle, "Bring the best weights back").set_value(True).run()
    config = RunConfig(
        dataset="moons", optimizer="adamw", beta2=0.95, weight_decay=0.1, schedule="step", every=7, factor=0.2,
        batch_norm=True, dropout=0.25, l1=0.001, l2=0.002, clip="norm", clip_at=0.5, patience=9, best_weights=True,
    )  # fmt: skip
    assert state(at).config == config
    assert at.query_params == format_url(TrainState(config))
    assert "The walk shows updates without them" in text(at)
    widget(at.slider, "Held out for validation").set_value(0.0).run()
    assert "patience is 9, and no points are held out" in at.error[0].value
    widget(at.number_input, "Batch size").set_value(1).run()
    assert "batch normalisation needs 2 or more" in at.error[0].value
    assert state(at).config == config


def test_choices_and_switches_of_a_loss(open_train):
    at = open_train(data="iris")
    widget(at.selectbox, "Loss").select("multi_margin").run()
    widget(at.selectbox, "Power p").select("squared").run()
    assert state(at).config.parameters["p"] == "squared"
    assert at.query_params["p"] == "squared"
    at = open_train(data="sine", loss="general_robust", welsch="yes")
    switch = widget(at.checkbox, "Welsch")
    assert switch.value
    switch.uncheck().run()
    assert state(at).config == RunConfig(dataset="sine", loss="general_robust")
    at = open_train(data="iris", loss="multi_margin", p="cubed")
    assert "cubed" in text(at)
    assert state(at).config.parameters["p"] == "linear"


def test_a_mistake_can_be_tried_only_where_there_is_one(open_train):
    def mistakes(at):
        return [item for item in at.radio if item.label == "How model, labels and loss are put together"]

    at = open_train(data="iris", wiring="softmax_twice")
    assert state(at).config == RunConfig(dataset="iris", wiring="softmax_twice")
    mistakes(at)[0].set_value("right").run()
    assert state(at).config == RunConfig(dataset="iris")
    assert "wiring" not in at.query_params
    mistakes(at)[0].set_value("softmax_twice").run()
    assert at.query_params["wiring"] == "softmax_twice"
    widget(at.selectbox, "Loss").select("multi_margin").run()
    assert mistakes(at) == []
    assert state(at).config.wiring == "right"
    assert not at.error
    widget(at.selectbox, "Data set").select("moons").run()
    widget(at.selectbox, "Loss").select("hinge").run()
    mistakes(at)[0].set_value("labels_zero_one").run()
    widget(at.selectbox, "Loss").select("squared_hinge").run()
    assert (state(at).config.loss, state(at).config.wiring) == ("squared_hinge", "labels_zero_one")
    widget(at.selectbox, "Data set").select("circle").run()
    assert state(at).config.wiring == "labels_zero_one"
    widget(at.selectbox, "Data set").select("wine").run()
    assert state(at).config.wiring == "right"
    assert any("The mistake with it (labels 0 and 1) is gone." in item.value for item in at.info)
    at = open_train(data="sine", wiring="softmax_twice")
    assert "wiring is 'softmax_twice'; allowed with the loss mse: right" in text(at)


def test_loss_parameters(open_train):
    at = open_train(data="iris")
    widget(at.text_input, "Class weights").set_value("1, 2, 1").run()
    assert state(at).config.parameters["weight"] == (1.0, 2.0, 1.0)
    for refused in ("1, 2", "one", "1, 0, 1"):
        widget(at.text_input, "Class weights").set_value(refused).run()
        assert state(at).config.parameters["weight"] == (1.0, 2.0, 1.0)
        assert at.error[0].value.endswith("before still holds.") or at.error[0].value.endswith("before still hold.")
    widget(at.text_input, "Class weights").set_value("").run()
    assert state(at).config.parameters["weight"] is None


def test_a_refused_setting_names_what_is_allowed(open_train):
    at = open_train()
    widget(at.number_input, "Learning rate at the start").set_value(-1.0).run()
    assert state(at).config == START
    assert "learning_rate is -1.0; a number above 0 to 100 is allowed" in at.error[0].value
    assert widget(at.number_input, "Learning rate at the start").value == START.learning_rate


def test_a_tampered_link_is_explained(open_train):
    at = open_train(rate="banana", data="circle")
    assert state(at).config == RunConfig(dataset="circle")
    assert "`banana`" in at.warning[0].value


def test_the_walk_goes_on_and_back(open_train):
    at = open_train(**format_url(TrainState(CLASSIC)))
    for phase in (*PHASES[1:], PHASES[0]):
        widget(at.button, "Next phase" if phase != PHASES[0] else "Next update").click().run()
        assert state(at).phase == phase
    assert state(at).walk == 2
    assert at.query_params["walk"] == "2"
    widget(at.button, "Back").click().run()
    assert (state(at).walk, state(at).phase) == (1, "update")
    widget(at.number_input, "Update").set_value(1000).run()
    assert state(at).walk == 1000
    assert widget(at.button, "Next update").disabled


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("number", [1, 37])
def test_the_walk_shows_the_cores_numbers(open_train, phase, number):
    at = open_train(**format_url(TrainState(CLASSIC, walk=number, phase=phase)))
    run = init(CLASSIC)
    for _ in range(number - 1):
        step(run)
    found = walk(run)
    shown = text(at).replace("−", "-")
    expected = {
        "forward": [found.layers[0].sums[0, 0]],
        "loss": [*found.terms, *found.prediction, *found.targets, found.loss],
        "backward": [*(item.gradient for item in found.parameters), *(item.autograd for item in found.parameters)],
        "update": [*(item.before for item in found.parameters), *(item.after for item in found.parameters)],
    }[phase]
    for number in expected:
        assert f"{number:.6g}" in shown


def test_the_first_update_of_the_classic_example_in_full(open_train):
    at = open_train(**format_url(TrainState(CLASSIC, phase="update")))
    row = "w1[1,1]</th><td>0</td><td>−30</td><td>0 − 0.01 × (−30) = 0.3</td><td>0.3</td>"
    assert row in text(at)
    at = open_train(**format_url(TrainState(CLASSIC, phase="loss")))
    assert "120 ÷ 4 (the number of terms) = **30**" in text(at)


def test_a_network_too_large_to_read_says_why_and_offers_a_small_one(open_train):
    at = open_train()
    assert "10 inputs and 11 weights and biases" in text(at)
    widget(at.button, "Walk through the classic example").click().run()
    assert state(at).config == CLASSIC


def test_a_run_that_ended_before_the_update_says_so(open_train):
    config = RunConfig(dataset="sine", loss="mse", learning_rate=100.0, standardise=False, hidden=(2,))
    config = RunConfig(**{**config.to_dict(), "activation": "relu"})
    at = open_train(**format_url(TrainState(config, walk=900)))
    assert "The run ended after" in text(at)
    assert widget(at.button, "Next phase").disabled


def test_the_worked_slope_is_the_slope():
    for activation, loss in (("tanh", "mse"), ("sigmoid", "bce"), ("relu", "bce")):
        config = RunConfig(loss=loss, activation=activation, dtype="float64")
        for _, worked, slope in slope_table(config, walk_of_update(config, 5), sample=2)[1]:
            sum_text = worked.replace("−", "-").replace("×", "*").replace("²", "**2")
            # A bracket right after a factor multiplies, as in a (1 − a).
            value = eval(re.sub(r"(?<=[0-9)]) \(", " * (", sum_text))
            assert value == pytest.approx(float(slope.replace("−", "-")), rel=1e-4, abs=1e-9)


def test_the_drawing_holds_every_weight():
    config = RunConfig(loss="mse")
    found = walk_of_update(config, 1)
    columns, summary = drawing(config, found, "forward", 1)
    assert [len(column.units) for column in columns] == list(config.sizes)
    assert sum(len(row) for column in columns for row in column.edges) + sum(config.sizes[1:]) == parameter_count(
        config
    )
    svg = network_svg(columns, summary)
    assert svg.count("<circle") == sum(config.sizes)
    assert summary in svg
    assert "÷ 10 (the number of terms) = " in loss_sum(config, found)


SUMS = [
    (RunConfig(dataset="blobs", hidden=()), "÷ 10 (the number of samples) = "),
    (RunConfig(dataset="blobs", hidden=(), loss="kl_div"), "÷ 10 (the number of samples) = "),
    (RunConfig(dataset="blobs", hidden=(), wiring="softmax_twice"), "÷ 10 (the number of samples) = "),
    (RunConfig(dataset="blobs", hidden=(), loss_parameters={"weight": (1.0, 3.0, 0.5)}), "targets' classes) = "),
]


@pytest.mark.parametrize(("config", "words"), SUMS)
def test_the_walk_of_several_classes_says_what_the_sum_is_divided_by(open_train, config, words):
    at = open_train(**format_url(TrainState(config, phase="loss")))
    found = walk_of_update(config, 1)
    assert found.loss == pytest.approx(np.sum(found.terms) / found.denominator)
    assert words in text(at)


def test_which_networks_are_walked():
    assert not too_large(RunConfig(loss="mse"))
    assert not too_large(RunConfig(dataset="iris", hidden=()))
    assert "30 inputs" in too_large(RunConfig(dataset="breast_cancer", hidden=()))
    assert "33 weights" in too_large(RunConfig(loss="mse", hidden=(8,)))


def test_moving_stops_at_both_ends():
    first = TrainState(CLASSIC)
    assert move(first, -1) == first
    assert move(TrainState(CLASSIC, walk=1, phase="update"), 1) == TrainState(CLASSIC, walk=2)
