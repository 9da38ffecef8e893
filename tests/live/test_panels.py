"""The panels over the socket: what is open is sent, as `lossviz.training` computes it, and nothing else is computed."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lossviz.training import (
    CLASSIC,
    PLAYGROUND,
    Mistakes,
    RunConfig,
    UpdateWatch,
    activations,
    advance,
    gradient_shares,
    hardest,
    init,
    keras_line,
    mistakes,
    printed,
    why,
)
from pages.ui.live import panels
from pages.ui.live.panels import PANELS, Panels
from pages.ui.live.viewed_run import ViewedRun
from tests.live.conftest import Client
from tests.live.frames import unpack

Join = Callable[..., Client]


def opened(join: Join, config: RunConfig, *names: str, at: int = 0) -> tuple[Client, dict[str, Any]]:
    """A client at rest with panels open, and the frame that brought them."""
    client = join()
    client.open(config, at=at)
    client.until("rest")
    client.send("panels", open=list(names))
    return client, client.until("frame")


def test_a_closed_panel_costs_nothing(join: Join, monkeypatch: pytest.MonkeyPatch):
    for name in ("activations", "hardest", "gradient_shares"):
        monkeypatch.setattr(panels, name, lambda *given: 1 / 0)
    client = join()
    client.open(replace(PLAYGROUND, epochs=30), play=True)
    client.until("rest", state="finished")
    assert all(frame["panels"] == {} for frame in client.frames if frame["state"] != "replaying")


def test_open_panels_show_what_the_core_computes(join: Join):
    _, frame = opened(join, PLAYGROUND, *PANELS, at=33)
    state = init(PLAYGROUND)
    advance(state, 25)
    watch = UpdateWatch(state)
    watch.advance(8)
    shown, arrays = frame["panels"], frame["arrays"]
    assert set(shown) == {"gradients", "activations", "confusion", "hardest", "pulls", "printed"}
    layers = watch.layers()
    assert layers is not None
    assert shown["gradients"]["layers"] == [layer.name for layer in layers]
    assert shown["gradients"]["latest"] == [
        {"weights": layer.weights, "biases": layer.biases, "gradient": layer.gradient, "ratio": layer.ratio}
        for layer in layers
    ]
    sizes = [layer.gradient for layer in layers] + [layer.ratio for layer in layers]
    assert arrays["gradients"][-1].tolist() == [33 / 25, *sizes]
    found = activations(state)
    assert [layer["name"] for layer in shown["activations"]] == [layer.name for layer in found]
    np.testing.assert_array_equal(arrays["activations"], [layer.counts for layer in found])
    assert arrays["confusion_train"].sum() == arrays["confusion_validation"].sum() == 250
    wanted = hardest(state, len(shown["hardest"]))
    assert [(row["number"], row["loss"], row["features"]) for row in shown["hardest"]] == [
        (sample.number, sample.loss, list(sample.features)) for sample in wanted
    ]
    assert all(row["target"] in state.split.classes for row in shown["hardest"])
    shares = gradient_shares(state)
    top = shown["pulls"]["top"]
    assert [row["share"] for row in top] == sorted(shares, reverse=True)[: len(top)]
    assert [shares[row["number"] - 1] for row in top] == [row["share"] for row in top]
    assert shown["pulls"]["tenth_share"] == pytest.approx(np.sort(shares)[-25:].sum())


def test_a_paused_run_shows_panels_of_the_update_it_rests_at(join: Join):
    client = join()
    client.open(replace(PLAYGROUND, epochs=10_000))
    client.until("rest")
    client.send("panels", open=["hardest", "activations"])
    client.until("frame")
    client.send("play")
    for _ in range(10):
        client.take()
    client.send("pause")
    rest = client.until("rest")
    latest = next(frame for frame in reversed(client.frames) if "hardest" in frame["panels"])
    assert latest["updates"] == rest["updates"]
    client.send("step")
    client.until("rest")
    assert set(client.frames[-1]["panels"]) == {"hardest", "activations"}


def test_panels_stay_open_for_the_next_run_of_the_connection(join: Join):
    client, _ = opened(join, PLAYGROUND, "hardest", "gradients")
    client.open(CLASSIC)
    client.until("rest")
    while client.frames[-1]["run"] == 1:
        client.until("rest")
    frame = client.frames[-1]
    assert frame["layers"] == ["Output layer"]
    assert [row["loss"] for row in frame["panels"]["hardest"]] == [64.0, 36.0, 16.0, 4.0]
    assert frame["panels"]["hardest"][0]["prediction"] == {"value": 0.0}
    assert frame["panels"]["gradients"]["latest"] == []
    client.send("panels", open=[])
    client.send("step")
    client.until("rest")
    assert client.frames[-1]["panels"] == {}


@pytest.mark.parametrize("dataset", ["circle", "diabetes", "iris", "sine"])
@pytest.mark.parametrize("changes", [{}, {"hidden": ()}, {"dropout": 0.3, "batch_norm": True}])
def test_panels_of_every_task_and_model(join: Join, dataset: str, changes: dict[str, Any]):
    config = RunConfig(dataset=dataset, learning_rate=1e-3, batch_size=16, **changes)
    _, frame = opened(join, config, *PANELS, at=3)
    shown = frame["panels"]
    assert len(shown["activations"]) == len(config.hidden)
    assert shown["pulls"]["state"] == ("mixed" if config.batch_norm else "shares")
    assert (shown["confusion"] is None) == (config.task == "regression")
    assert len(shown["gradients"]["latest"]) == len(config.hidden) + 1


@pytest.mark.parametrize("loss", ["hinge", "mse", "bce_with_logits"])
def test_predictions_of_the_hardest_are_named(join: Join, loss: str):
    _, frame = opened(join, RunConfig(loss=loss), "hardest")
    prediction = frame["panels"]["hardest"][0]["prediction"]
    if "score" in prediction:
        assert prediction["class"] == ("middle" if prediction["score"] > 0 else "ring")
    else:
        assert 0.5 <= prediction["probability"] <= 1.0


def test_what_keras_prints_is_told_for_every_epoch(join: Join):
    config = replace(PLAYGROUND, l2=0.001, dropout=0.2, epochs=6)
    client, frame = opened(join, config, "printed", at=10)
    state, told = init(config), []
    advance(state, 10)
    assert frame["panels"]["printed"] == {"from": 0, "why": why(state)}
    assert "after it" not in why(state)
    assert frame["arrays"]["printed"].shape == (0, 3)
    while state.epoch < 3:
        told.append(printed(state, advance(state, 25)))
    client.send("epoch")
    client.until("rest")
    client.send("epoch")
    client.until("rest")
    client.send("epoch")
    client.until("rest")
    rows: list[list[float]] = []
    for earlier in client.frames:
        if shown := earlier.get("panels", {}).get("printed"):
            rows = rows[: shown["from"]] + earlier["arrays"]["printed"].tolist()
    assert rows == [[found.epoch, found.loss, found.evaluated_loss] for found in told]
    shown, found = client.frames[-1]["panels"]["printed"], told[-1]
    assert shown["line"] == keras_line(found, config)
    assert shown["rows"] == [
        [found.loss, found.evaluated_loss],
        [found.metric, found.evaluated_metric],
        [found.validation_loss, found.validation_loss],
        [found.validation_metric, found.validation_metric],
    ]
    assert shown["why"] == why(state)


def test_what_keras_prints_follows_a_run_that_is_wound_back():
    run = ViewedRun(replace(PLAYGROUND, epochs=8))
    run.panels.open(frozenset({"printed"}))
    run.advance(200, 60.0)
    assert run.state.epoch == 8
    assert len(unpack(run.frame(1, "paused", None))[1]["printed"]) == 8
    run.wind(75)
    header, arrays = unpack(run.frame(2, "paused", None))
    assert header["panels"]["printed"]["line"].startswith("Epoch 3/8")
    assert len(arrays["printed"]) == 0
    run.branch()
    run.advance(100, 60.0)
    header, arrays = unpack(run.frame(3, "paused", None))
    assert (header["panels"]["printed"]["from"], arrays["printed"][:, 0].tolist()) == (3, [4.0])


def test_runs_on_images_show_examples_and_then_what_is_predicted_wrong(join: Join):
    config = RunConfig(dataset="digits", samples=300, batch_size=50)
    client, frame = opened(join, config, "hardest")
    state = init(config)
    split, scene = state.split, client.frames[0]["scene"]["image"]
    assert (scene["rows"], scene["columns"]) == (8, 8)
    assert [example["true"] for example in scene["examples"]] == list("0123456789")
    ink = client.frames[0]["arrays"]["examples"]
    for example, pixels in zip(scene["examples"], ink, strict=True):
        row = example["number"] - 1
        assert split.y_train[row] == int(example["true"])
        assert not (split.y_train[:row] == int(example["true"])).any()
        np.testing.assert_array_equal(pixels, np.rint(split.x_train[row] * 255 / 16))
    assert frame["panels"].get("images") is None
    hard = frame["arrays"]["hardest_images"]
    numbers = [row["number"] for row in frame["panels"]["hardest"]]
    np.testing.assert_array_equal(hard, np.rint(split.x_train[np.array(numbers) - 1] * 255 / 16))
    client.send("panels", open=[])
    client.send("step")
    client.until("rest")
    advance(state, 1)
    found, shown = mistakes(state, 10), client.frames[-1]["panels"]["images"]
    assert (shown["part"], shown["samples"], shown["wrong"]) == ("validation", 150, found.wrong)
    assert [(row["number"], row["loss"]) for row in shown["worst"]] == [
        (sample.number, sample.loss) for sample in found.worst
    ]
    first, prediction = shown["worst"][0], found.worst[0].prediction
    assert first["target"] == str(int(found.worst[0].target))
    assert first["prediction"] == {"class": str(prediction.argmax()), "probability": float(prediction.max())}
    pixels = client.frames[-1]["arrays"]["images"]
    np.testing.assert_array_equal(pixels, [np.rint(np.array(sample.features) * 255 / 16) for sample in found.worst])


def test_images_that_are_all_right_leave_none_to_show(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(panels, "mistakes", lambda state, count: Mistakes("validation", 150, 0, ()))
    run = ViewedRun(RunConfig(dataset="digits", samples=300))
    run.advance(1, 1.0)
    header, arrays = unpack(run.frame(1, "paused", None))
    assert header["panels"]["images"]["worst"] == []
    assert arrays["images"].shape == (0, 64)


def test_only_images_are_shown_as_images(join: Join):
    client, _ = opened(join, RunConfig(dataset="wine"), "hardest", at=3)
    assert "image" not in client.frames[0]["scene"]
    assert all("images" not in frame.get("panels", {}) for frame in client.frames)
    assert all({"examples", "images", "hardest_images"}.isdisjoint(frame["arrays"]) for frame in client.frames)


def test_a_run_that_overflowed_keeps_its_panels(join: Join):
    config = RunConfig(dataset="diabetes", learning_rate=1.0, activation="identity", epochs=500)
    client = join()
    client.open(config)
    client.send("panels", open=list(PANELS))
    client.send("play")
    client.until("rest", state="finished")
    assert client.frames[-1]["numbers"]["train_loss"] in {"Infinity", "NaN"}
    shown = client.frames[-1]["panels"]
    assert {"gradients", "activations", "hardest", "pulls"} <= set(shown)


def test_the_history_of_gradients_is_bounded_and_complete(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(panels, "ROWS", 50)
    run = ViewedRun(replace(CLASSIC, epochs=10_000, learning_rate=0.01))
    run.panels.open(frozenset({"gradients"}))
    rows: list[list[float]] = []
    for number in range(1, 500):
        run.advance(number, 1.0)
        header, arrays = unpack(run.frame(number, "playing", None))
        rows = rows[: header["panels"]["gradients"]["from"]] + arrays["gradients"].tolist()
    epochs = [row[0] for row in rows]
    assert len(epochs) <= 50
    assert epochs == sorted(set(epochs))
    assert epochs[0] == 1.0
    assert epochs[-1] > 480
    assert set(np.diff(epochs)) == {16.0}


def test_an_expensive_panel_comes_less_often(monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    monkeypatch.setattr(panels.time, "perf_counter", lambda: clock[0])

    def slow(*given: Any) -> list[Any]:
        clock[0] += 0.5
        return []

    monkeypatch.setattr(panels, "activations", slow)
    watch = UpdateWatch(init(PLAYGROUND))
    shown = Panels(watch, ViewedRun(PLAYGROUND).view)
    shown.open(frozenset({"activations"}))
    times = []
    for _ in range(400):
        watch.advance(1)
        if shown.frame(rest=False, whole=False)[0]:
            times.append(clock[0])
        clock[0] += 0.05
    assert np.diff(times).min() >= 5.0


def test_ratios_that_are_not_known_are_gaps(join: Join):
    _, frame = opened(join, RunConfig(initialisation="zeros"), "gradients", at=1)
    assert [layer["ratio"] for layer in frame["panels"]["gradients"]["latest"]] == [None] * 3
    assert all(math.isnan(value) for value in frame["arrays"]["gradients"][-1][4:])
