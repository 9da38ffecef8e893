"""The displayed programs run and print what the board shows: PyTorch's in float64, Keras's in float32."""

import io
import math
import os
import warnings
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
import torch

import lossviz
from lossviz import losses
from lossviz.export import keras_code, torch_code
from lossviz.losses.base import Loss
from tests.losses.points import board_arguments, draw

KEYS = losses.keys()
every_loss = pytest.mark.parametrize("loss", [losses.get(key) for key in KEYS], ids=KEYS)


def run(program: str) -> tuple[str, dict[str, Any]]:
    """What a program prints, and its names."""
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with redirect_stdout(printed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "reduction: 'mean' divides")  # torch says so of kl_div's own mean
        exec(compile(program, "program", "exec"), names)
    return printed.getvalue(), names


def boards(loss: Loss) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Predictions, targets and parameters of the example, of other parameters, and of every pitfall."""
    start = loss.board.example()
    classes = start["prediction"].shape[-1] if loss.classwise and "prediction" in start else 3
    found = [(*board_arguments(loss, start), dict(draw(loss, seed, classes=classes)[1])) for seed in range(2)]
    found.append((*board_arguments(loss, start), {}))
    for pitfall in loss.pitfalls:
        if not pitfall.loss:
            state = start | {name: torch.tensor(value, dtype=torch.float64) for name, value in pitfall.state.items()}
            found.append((*board_arguments(loss, state), dict(pitfall.parameters)))
    return found


@every_loss
def test_the_pytorch_program_prints_the_value_and_the_gradient(loss: Loss) -> None:
    for prediction, target, parameters in boards(loss):
        for reduction in loss.reductions:
            tables = lossviz.tables(loss.key, prediction, target, reduction.name, **parameters)
            text, names = run(torch_code(loss.key, prediction, target, reduction.name, **parameters))
            value = tables.base["value"][0]
            assert float(text.splitlines()[0].split()[0]) == pytest.approx(value, rel=1e-12, abs=1e-14)
            for item in loss.board.variables:
                if item.role != "prediction" or "no_gradient" in loss.properties:
                    continue
                expected = tables.base[f"gradient.{item.name}"]
                gradient = names[item.name].grad
                found = np.zeros_like(expected) if gradient is None else gradient.numpy().reshape(-1)
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=item.name)


def clipped(loss: Loss, prediction: Any) -> bool:
    """Whether Keras keeps a probability 1e-7 away from where it is, which its note on the card must then say."""
    if "1e-7" not in loss.code.keras_note:
        return False
    state = loss.board.example() | {name: torch.from_numpy(values) for name, values in prediction.items()}
    for item in loss.predictions:
        shown = loss.board.inputs(state)[item.name]
        shown = shown.exp() if item.domain.kind == "log_probability" else shown
        if (shown < 1e-6).any() or (shown > 1 - 1e-6).any():
            return True
    return False


@every_loss
def test_the_keras_program_prints_the_value(loss: Loss, monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.environ["KERAS_BACKEND"] == "torch"
    if loss.code.keras is None:
        assert loss.code.keras_note
        assert keras_code(loss.key, *board_arguments(loss, loss.board.example())) is None
        return
    for prediction, target, parameters in boards(loss):
        if clipped(loss, prediction):
            continue
        for reduction in loss.reductions:
            value = lossviz.tables(loss.key, prediction, target, reduction.name, **parameters).base["value"][0]
            value = value if abs(value) < torch.finfo(torch.float32).max else math.inf
            program = keras_code(loss.key, prediction, target, reduction.name, **parameters)
            assert program is not None
            printed = float(run(program)[0])
            assert printed == pytest.approx(value, rel=2e-4, abs=2e-6)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(KeyError, match="no loss 'msee'"):
        torch_code("msee", [1.0], [2.0])
    with pytest.raises(ValueError, match="target has 2 samples"):
        torch_code("mse", [1.0], [2.0, 3.0])
    with pytest.raises(ValueError, match="allowed are"):
        keras_code("mse", ["a"], [2.0])
