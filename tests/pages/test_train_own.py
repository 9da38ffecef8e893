"""A learner's own file on the Train page: it is read and shown, refused with a reason, and asked for by a link."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lossviz.datasets.own import read_csv
from lossviz.export import config_json, own_csv, own_file_name
from lossviz.training import Intervention, RunConfig
from pages.ui import own_text
from pages.ui.own_store import MOST, Wanted
from pages.ui.race.state import format_url as format_race
from pages.ui.race.state import parse as parse_race
from pages.ui.race.state import train_link
from pages.ui.train_data import with_dataset
from pages.ui.train_runs import differences
from pages.ui.train_state import START, TrainState, changes_left_out, format_url, parse
from tests.training.test_own_data import CLASSES, PRICES, run_on, table

PAGE = Path(__file__).parents[2] / "pages" / "index.py"
HOUSES = "size,rooms,garden,built,price\n" + "".join(
    f"{40 + 3 * row},{1 + row % 5},{'yes' if row % 3 else 'no'},2001,{90 + 7 * row}\n" for row in range(40)
)
ONE_GAP = HOUSES.replace("\n43,2", "\n,2")


def opened(page: str = "train.py", **params: str) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=30).run()
    at.switch_page(page)
    for name, text in params.items():
        at.query_params[name] = text
    at.run()
    assert not at.exception
    return at


@pytest.fixture(scope="module")
def shared() -> AppTest:
    """One page for all files that are refused: none of them changes it."""
    return opened()


def give(at: AppTest, data: bytes | str, name: str = "houses.csv") -> None:
    at.file_uploader(key="own.file").set_value((name, data.encode() if isinstance(data, str) else data, "text/csv"))
    at.run()
    assert not at.exception


def paste(at: AppTest, text: str) -> None:
    at.text_area(key="own.pasted").set_value(text)
    press(at, "Read the table")


def press(at: AppTest, label: str) -> None:
    next(item for item in at.button if item.label == label).click()
    at.run()
    assert not at.exception


def state(at: AppTest) -> TrainState:
    return at.session_state["train.state"]


def query(at: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in at.query_params.items()}


def said(at: AppTest) -> str:
    tables = [item.proto.body for item in at.get("html")]
    return "\n".join([*(item.value for item in [*at.markdown, *at.caption, *at.info, *at.warning, *at.error]), *tables])


def box(at: AppTest, label: str) -> Any:
    return next(item for item in at.selectbox if item.label == label)


def test_a_file_is_read_shown_and_trained_on():
    at = opened(hidden="6", rate="0.02")
    give(at, ONE_GAP)
    config = state(at).config
    table = read_csv(ONE_GAP)
    assert config == replace(
        START, hidden=(6,), learning_rate=0.02, dataset=table.points.key, own=table.points, samples=39
    )
    assert query(at)["data"] == table.points.key
    text = said(at)
    assert "39 rows and 3 features. The target price is a number." in text
    assert "1 row is left out because a value is missing: row 3." in text
    assert "Left out because every value is the same: built." in text
    assert "<th scope='row'>garden</th><td>Two classes</td><td>Feature</td><td>None</td>" in text
    assert "1 (row 3)" in text
    assert "stays in its memory as long as this page is open, and is written nowhere" in text
    assert "whoever opens the link is asked for the file" in text
    assert box(at, "Data set").value == table.points.key


def test_another_target_and_another_task():
    at = opened()
    give(at, HOUSES)
    box(at, "Target").set_value("rooms")
    at.run()
    config = state(at).config
    assert (config.task, config.data.classes) == ("multiclass", ("1", "2", "3", "4", "5"))
    assert config.loss == "cross_entropy"
    assert "does not fit this task (several classes)" in said(at)
    next(item for item in at.button_group if item.label == "To predict").set_value("regression")
    at.run()
    assert state(at).config.task == "regression"
    assert state(at).config.own.target_name == "rooms"
    box(at, "Target").set_value("garden")
    at.run()
    assert state(at).config.data.classes == ("no", "yes")
    assert not [item for item in at.button_group if item.label == "To predict"]
    # All of them are in the list of data sets now; back to the first.
    box(at, "Data set").set_value(read_csv(HOUSES).points.key)
    at.run()
    assert state(at).config.own.target_name == "price"


def test_a_pasted_table_and_a_file_of_another_kind_of_comma():
    at = opened()
    paste(at, HOUSES.replace(",", ";").replace("90", "90,5"))
    assert state(at).config.own.y[0] == np.float32(90.5)
    assert "The pasted table" in said(at)
    assert "Read with the semicolon between cells, a decimal comma" in said(at)


ROWS = "".join(f"{row},{row % 7}\n" for row in range(6000))
HOSTILE = {
    "empty": ("", "the file has no rows"),
    "a header only": ("a,b\n", "has a header and no rows"),
    "10 MB": (b"a,b\n" + 2_500_000 * b"1,2\n", "the file has 10,000,004 bytes; at most 5,000,000"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x01", "the file is binary, not text"),
    "another encoding": ("größe,preis\n1,2\n".encode("latin-1"), "row 1 is not UTF-8 text"),
    "formulas": ("a,b\n1,2\n2,3\n=SUM(A1:A2),4\n4,5\n", "row 4, column 'a': '=SUM(A1:A2)' is a formula"),
    "ragged": ("a,b\n1,2\n3\n4,5\n", "row 3 has 1 cell, row 1 has 2"),
    "one class only": ("a,b\n1,x\n2,x\n3,x\n4,x\n", "Left out: 'b' (every value is 'x', so there is nothing to"),
    "51 columns": (
        ",".join(f"c{n}" for n in range(51)) + "\n" + ",".join(["1"] * 51),
        "row 1 has 51 cells; at most 50",
    ),
    "5,001 rows": (f"a,b\n{ROWS}", "more than 5,000 rows"),
    "infinite": ("a,b\n1,2\n2,inf\n3,4\n5,6\n", "row 3, column 'b': inf is infinite"),
    "no value": ("a,b\n1,NaN\n2,nan\n3,\n4,?\n", "a target and at least one other column"),
    "too large": ("a,b\n1,2\n2,1e39\n3,4\n5,6\n", "row 3, column 'b': '1e39' is too large"),
    "the same name twice": ("a,a\n1,2\n2,3\n3,4\n4,5\n", "row 1: two columns have the name 'a'"),
    "text": ("Once upon a time\nthere was a table\n", "the file has no column to predict"),
    "markup": ("a,b\n1,2\n2,3\n3,<img src=x>\n4,5\n", "is text, not a number"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_read_is_refused_with_the_reason_and_loses_nothing(shared, case):
    data, message = HOSTILE[case]
    give(shared, data, "hostile.csv")
    assert message in shared.error[0].value
    assert shared.error[0].value.startswith("hostile.csv: ")
    assert "What is on screen stays as it is." in shared.error[0].value
    assert "<img" not in shared.error[0].value
    assert state(shared).config == START
    assert query(shared) == {}


def test_a_reason_goes_when_a_file_is_read_and_the_run_before_stays_when_the_next_is_not():
    at = opened()
    paste(at, "a,b\n1,2\n3\n")
    assert "row 3 has 1 cell" in at.error[0].value
    paste(at, HOUSES)
    assert not at.error
    config = state(at).config
    paste(at, "")
    assert "The pasted table: the file has no rows" in at.error[0].value
    assert state(at).config == config
    assert "**The pasted table**" in said(at)


def test_a_class_that_would_have_no_point_to_train_on_keeps_its_share():
    few = "x,fruit\n" + "".join(f"{row},{'pear' if row < 2 else 'apple'}\n" for row in range(20))
    own = read_csv(few).points
    seed = next(seed for seed in range(500) if own.untrained(20, seed, 10))
    at = opened(validation="0.5", data_seed=str(seed))
    give(at, few)
    config = state(at).config
    assert (config.validation_fraction, config.stratify) == (0.5, True)
    assert "Otherwise one of its classes would have no point to train on: each class keeps its share" in said(at)
    assert parse(link_of(config), {own.key: own})[0].config == config
    at.toggle(key="train.stratify").set_value(False)
    at.run()
    assert "none of class 'pear' is left to train on" in at.error[0].value
    assert state(at).config == config


def test_settings_that_do_not_fit_any_part_give_way():
    points = read_csv("x,fruit\n1,apple\n2,apple\n3,apple\n4,pear").points
    seed = next(seed for seed in range(100) if all(points.untrained(4, seed, held) for held in (1, 2)))
    config = replace(
        START, validation_fraction=0.5, data_seed=seed, patience=5, hidden=(4,), batch_norm=True, batch_size=3
    )
    new, remark = with_dataset(config, points.key, points)
    assert (new.validation_fraction, new.patience, new.batch_norm) == (0.0, None, False)
    assert "no points are held out, and early stopping is off. Its last batch would hold one point" in remark


def link_of(config: RunConfig) -> dict[str, str]:
    return format_url(TrainState(config))


CONFIG = run_on(
    PRICES, hidden=(5, 3), learning_rate=0.2, data_seed=4, epochs=40, interventions=(Intervention(30, value=0.1),)
)


def test_a_link_holds_the_key_and_comes_back_with_the_data():
    link = link_of(CONFIG)
    assert link["data"] == PRICES.key
    assert "size" not in urlencode(link)
    assert parse(link, {PRICES.key: PRICES}) == (TrainState(CONFIG), [])
    for config in (run_on(CLASSES), run_on(CLASSES, validation_fraction=0.0), run_on(PRICES, samples=30, data_seed=9)):
        assert parse(link_of(config), {config.dataset: config.own})[0].config == config


def test_a_link_asks_for_its_file_and_loses_nothing():
    link = {**link_of(CONFIG), "show": "log", "walk": "3"}
    at = opened(**link)
    assert state(at) == TrainState(START, wanted=Wanted(PRICES.key, link))
    assert query(at) == link
    assert "the target is its column 3, a number" in said(at)
    assert "These are your own settings." not in said(at)
    give(at, "a,b\n1,2\n3\n")
    assert "row 3 has 1 cell" in at.error[0].value
    assert query(at) == link
    give(at, table(), "prices.csv")
    assert state(at).config == CONFIG
    assert (state(at).walk, state(at).shown, state(at).wanted) == (3, ("log",), None)
    assert query(at) == link
    assert "This link is for" not in said(at)


def test_another_file_than_the_link_asks_for_is_said_and_may_be_used():
    link = link_of(CONFIG)
    at = opened(**link)
    give(at, table(seed=7), "others.csv")
    assert "others.csv holds other numbers than the data that was asked for" in said(at)
    assert state(at).wanted is not None
    assert query(at) == link
    press(at, "Use this file all the same")
    other = read_csv(table(seed=7), "price").points
    assert state(at).config == replace(CONFIG, dataset=other.key, own=other)
    assert query(at)["data"] == other.key
    assert not at.warning


def test_a_file_without_the_column_that_the_link_asks_for():
    at = opened(**link_of(run_on(CLASSES)))
    give(at, "a,b\n1,2\n2,3\n3,4\n4,5\n")
    assert "holds other numbers" in said(at)
    press(at, "Use this file all the same")
    assert state(at).config.own.target_name == "b"
    assert state(at).config.task == "regression"


def test_doing_something_else_ends_the_wait():
    at = opened(**link_of(CONFIG))
    box(at, "Data set").set_value("sine")
    at.run()
    assert state(at).wanted is None
    assert query(at)["data"] == "sine"
    assert "This link is for" not in said(at)


def test_a_hostile_link_is_refused():
    at = opened(data="own-99-binary-" + 16 * "a")
    assert "column 99" in said(at)
    give(at, HOUSES)
    press(at, "Use this file all the same")
    assert state(at).config.own.target_name == "price"
    at = opened(data="own-1-magic-abc")
    assert "which does not exist" in at.warning[0].value
    assert state(at).config == START


def test_settings_ask_for_their_file():
    at = opened()
    settings = config_json(CONFIG)
    at.file_uploader(key="train.open").set_value(("run.json", settings.encode(), "application/json"))
    at.run()
    assert "These settings are for a run on somebody's own data" in said(at)
    assert state(at).config == START
    give(at, table())
    assert state(at).config == CONFIG
    at.file_uploader(key="train.open").set_value(
        ("run.json", settings.replace("40", "41").encode(), "application/json")
    )
    at.run()
    assert state(at).config == replace(CONFIG, epochs=41)


def test_settings_that_do_not_fit_the_file_are_refused():
    at = opened()
    given = json.dumps({**CONFIG.to_dict(), "epochs": 0})
    at.file_uploader(key="train.open").set_value(("run.json", given.encode(), "application/json"))
    at.run()
    give(at, table())
    assert "The settings do not fit this file: epochs is 0" in at.error[0].value
    assert state(at).config.own.target_name == "price"


def test_choosing_own_data_before_there_is_any_opens_the_place_for_it():
    at = opened()
    box(at, "Data set").set_value("own")
    at.run()
    assert "Open your file on the page, above the charts." in said(at)
    assert state(at).config == START
    assert box(at, "Data set").value == START.dataset
    assert at.expander[0].proto.expanded
    give(at, HOUSES)
    assert "Open your file on the page" not in said(at)


def test_the_programs_come_with_the_data():
    at = opened()
    give(at, table())
    config = state(at).config
    buttons = {item.proto.label for item in at.get("download_button")}
    assert {"Download the PyTorch script", "Download the data it reads"} <= buttons
    assert f"{own_file_name(config)} must lie beside the program." in said(at)
    assert own_csv(config).count("\n") == 61
    at = opened()
    assert "Download the data it reads" not in {item.proto.label for item in at.get("download_button")}


def test_only_the_latest_tables_are_kept():
    at = opened()
    for seed in range(MOST + 1):
        paste(at, table(rows=10, seed=seed))
    kept = at.session_state["own.tables"]
    assert list(kept) == [read_csv(table(rows=10, seed=seed)).points.key for seed in range(1, MOST + 1)]


def test_a_race_on_own_data_and_its_link():
    config = replace(CONFIG, interventions=())
    link = {**link_of(config), "by": "rate", "values": "0.1~0.2"}
    found, notices = parse_race(link, {PRICES.key: PRICES})
    assert notices == []
    assert found.config == config
    assert format_race(found) == link
    assert PRICES.key in train_link(config)
    asking, _ = parse_race(link)
    assert asking.wanted == Wanted(PRICES.key, link)
    assert format_race(asking) == link
    at = opened("race.py", **link)
    assert "This link is for a race on somebody's own data" in said(at)
    give(at, table())
    assert at.session_state["race.state"] == found
    assert query(at) == link
    assert "60 points" not in said(at)
    assert "Your own data, 30 points to train on, 30 for validation" in said(at)


def test_what_is_said_of_a_table():
    assert own_text.tasks(read_csv("a,b\n1,0\n2,1\n3,0\n4,1")) == ("regression", "binary")
    assert own_text.tasks(read_csv("a,b\n1,x\n2,y\n3,x\n4,y")) == ("binary",)
    assert own_text.tasks(read_csv("a,b\n1,1.5\n2,2.5\n3,4\n4,5")) == ("regression", "multiclass")
    assert own_text.tasks(read_csv(HOUSES)) == ("regression",)
    assert own_text.advice(read_csv(HOUSES)) == ""
    large = read_csv("a,b\n1,100000\n2,300000\n3,400000\n4,700000")
    assert "standard deviation is 216506" in own_text.advice(large).replace(",", "")
    assert "larger units, such as thousands" in own_text.advice(large)
    assert "smaller units" in own_text.advice(read_csv("a,b\n1,1e-4\n2,3e-4\n3,2e-4\n4,5e-4"))
    assert "The target b is one of two classes (x 3, y 1)." in own_text.summary(read_csv("a,b\n1,x\n2,y\n3,x\n4,x"))
    markup = read_csv("a,`<b>`\n1,2\n2,3\n3,4\n4,6")
    assert "<b>" not in own_text.summary(markup)
    missing = read_csv("a,b\n" + "".join(f"{row if row > 7 else ''},{row}\n" for row in range(14)))
    assert "8 rows are left out because a value is missing: rows 2, 3, 4, 5, 6 and 3 more." in own_text.summary(missing)


def test_runs_differ_in_their_data_by_name():
    found = differences([CONFIG, replace(CONFIG, epochs=3)])
    assert found == {"Epochs": ("40", "3")}


def test_a_link_that_waits_leaves_no_change_out():
    many = tuple(Intervention(update, value=0.1) for update in range(400))
    asking = parse(link_of(replace(CONFIG, epochs=200, interventions=many)))[0]
    assert changes_left_out(asking) == 0
