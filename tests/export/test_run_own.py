"""A run on own data as programs: the file beside them holds every number, and the curves come out the same."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lossviz.datasets.own_points import OwnDataNeeded, OwnPoints
from lossviz.export import (
    config_json,
    keras_script,
    own_csv,
    own_file_name,
    read_config,
    run_notebook,
    run_report,
    run_script,
)
from lossviz.training import CLASSIC, RunConfig, dataset, run
from tests.export.test_run_keras import assert_same_curves as assert_keras_agrees
from tests.export.test_run_script import assert_same_curves, execute, trained
from tests.training.test_own_data import CLASSES, PRICES, run_on

REGRESSION = run_on(PRICES, validation_fraction=0.25, batch_size=8, epochs=20, data_seed=3)
KINDS = {
    "regression": REGRESSION,
    "some rows": replace(REGRESSION, samples=40, standardise=False, learning_rate=1e-5),
    "two classes": run_on(CLASSES, validation_fraction=0.3, epochs=20, learning_rate=0.1),
    "equal shares": run_on(CLASSES, stratify=True, epochs=10),
    "float64": run_on(CLASSES, dtype="float64", optimizer="adam", epochs=10),
}


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Puts a run's data where its programs look for it."""

    def put(config):
        (tmp_path / own_file_name(config)).write_text(own_csv(config), encoding="utf-8")
        monkeypatch.chdir(tmp_path)

    return put


@pytest.mark.parametrize("kind", KINDS)
def test_the_program_reproduces_the_curves(beside, kind):
    config = KINDS[kind]
    beside(config)
    program = run_script(config)
    text, _ = execute(program)
    assert_same_curves(text, config, trained(config)[1])
    assert "sklearn.datasets" not in program


def test_the_keras_program_agrees(beside):
    config = run_on(CLASSES, hidden=(3,), dtype="float64", batch_size=None, learning_rate=0.1, epochs=5)
    beside(config)
    assert_keras_agrees(config)
    assert "scikit-learn" not in keras_script(config)


@given(arrays(np.float32, (5, 3), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_every_number_survives(table):
    points = OwnPoints(table[:, :-1].copy(), table[:, -1].copy(), ("a, b", 'c"d'), "e", "regression", (), 1)
    lines = own_csv(run_on(points, validation_fraction=0.0)).splitlines()
    assert lines[0] == '"a, b","c""d",e'
    read = np.loadtxt(lines, np.float32, delimiter=",", skiprows=1)
    assert read.tobytes() == table.tobytes()


def test_programs_say_which_file_they_need():
    name = own_file_name(REGRESSION)
    for text in (run_script(REGRESSION), keras_script(REGRESSION), run_notebook(REGRESSION)):
        words = " ".join(text.replace("# ", "").split())
        assert f"It is read from {name}, which must lie beside this." in words
    other = run_on(CLASSES)
    assert own_file_name(other) != name


def test_names_of_columns_stay_out_of_the_program():
    hostile = replace(PRICES, target_name='"); import os', feature_names=("</script>", "`x`", "$y$"))
    config = run_on(hostile)
    assert config.dataset == PRICES.key
    for text in (run_script(config), keras_script(config), run_notebook(config)):
        assert "import os" not in text
        assert "script>" not in text
    report = run_report(config, list(run(replace(config, epochs=2))))
    assert "predict &quot;); import os." in report


def test_settings_hold_the_key_and_ask_for_the_data():
    text = config_json(REGRESSION)
    assert json.loads(text)["dataset"] == PRICES.key
    assert read_config(text, PRICES) == REGRESSION
    assert np.array_equal(dataset(read_config(text, PRICES)).x_train, dataset(REGRESSION).x_train)
    with pytest.raises(OwnDataNeeded):
        read_config(text)


def test_a_run_on_other_data_has_no_such_file():
    with pytest.raises(ValueError, match="'four_points', which is nobody's own data"):
        own_csv(CLASSIC)
    with pytest.raises(ValueError, match="nobody's own data"):
        own_file_name(RunConfig())
