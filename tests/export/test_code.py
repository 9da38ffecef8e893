"""The code on the page, run, prints the value on the board."""

import contextlib
import io
import warnings

import pytest

import lossviz
from lossviz.export import keras_code, torch_code


def run(code: str) -> list[str]:
    """Run a program in this warm process and return the lines it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        # torch advises against the elementwise mean of kl_div; a learner who chose it should see that advice.
        warnings.filterwarnings("ignore", "reduction: 'mean' divides the total loss by both")
        exec(compile(code, "<page>", "exec"), {"__name__": "__main__"})
    return printed.getvalue().splitlines()


KEYS = lossviz.losses.keys()


def cases():
    for key in KEYS:
        loss = lossviz.losses.get(key)
        for reduction in loss.reductions:
            yield pytest.param(key, reduction.name, {}, id=f"{key}-{reduction.name}")
        for parameter in loss.parameters:
            if parameter.kind == "class_weights":
                other = (1.0, 3.0, 0.5)
            else:
                other = parameter.default + parameter.step
                other = other if other <= parameter.high else parameter.default - parameter.step
            yield pytest.param(key, "mean", {parameter.name: other}, id=f"{key}-{parameter.name}")


@pytest.mark.parametrize(("key", "reduction", "parameters"), list(cases()))
def test_torch_code_prints_the_displayed_value(key, reduction, parameters):
    state = lossviz.losses.get(key).board.example()
    shown = lossviz.tables(key, state["prediction"], state["target"], reduction, **parameters).base["value"][0]
    lines = run(torch_code(key, state["prediction"], state["target"], reduction, **parameters))
    assert float(lines[0]) == pytest.approx(shown, rel=1e-12, abs=1e-12)
    assert lines[1].startswith("tensor(")


@pytest.mark.parametrize(("key", "reduction", "parameters"), list(cases()))
def test_keras_code_is_a_program_for_the_same_numbers(key, reduction, parameters):
    state = lossviz.losses.get(key).board.example()
    code = keras_code(key, state["prediction"], state["target"], reduction, **parameters)
    compile(code, "<page>", "exec")
    assert code.startswith("import keras")
    assert "{" not in code
    assert str(state["prediction"].tolist()) in code
