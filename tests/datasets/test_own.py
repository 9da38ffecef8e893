"""A learner's CSV: what is read, what is reported, what is refused; any bytes give a table or a sentence."""

import csv
import hashlib
import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz.datasets.own import read_csv

PLAIN = "size,price\n1,10\n2,20.5\n3,29\n4,41\n"


def column(table, name):
    return next(found for found in table.columns if found.name == name)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\n\n"),
        PLAIN + ",\n",
        PLAIN.replace(",", " , "),
        PLAIN.replace(",", ", ").replace("20.5", '"20.5"'),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "\t").replace(".", ","),
        PLAIN.replace("20.5", "+2.05e1"),
    ],
)
def test_spellings_of_one_table_are_one_table(data):
    table, plain = read_csv(data), read_csv(PLAIN)
    assert table.x.dtype == table.y.dtype == np.float32
    np.testing.assert_array_equal(table.x, [[1], [2], [3], [4]])
    np.testing.assert_array_equal(table.y, np.float32([10, 20.5, 29, 41]))
    assert (table.task, table.feature_names, table.target_name) == ("regression", ("size",), "price")
    assert table.header
    assert table.hash == plain.hash


def test_the_way_it_was_read_is_reported():
    table = read_csv("1,5;2\n2,5;3\n3,5;4\n4,5;6")
    assert (table.separator, table.decimal, table.header) == ("semicolon", ",", False)
    assert table.feature_names == ("column 1",)
    assert table.target_name == "column 2"
    assert table.rows == (1, 2, 3, 4)
    np.testing.assert_array_equal(table.x[:, 0], [1.5, 2.5, 3.5, 4.5])
    assert read_csv(PLAIN).rows == (2, 3, 4, 5)


def test_the_hash_is_of_the_numbers():
    table = read_csv(PLAIN)
    expected = hashlib.sha256(b"4 1\n" + np.float32([1, 2, 3, 4, 10, 20.5, 29, 41]).astype("<f4").tobytes())
    assert table.hash == expected.hexdigest()
    assert read_csv(PLAIN.replace("20.5", "20.6")).hash != table.hash
    assert read_csv(PLAIN, "size").hash != table.hash


def test_arrays_are_read_only():
    table = read_csv(PLAIN)
    for array in (table.x, table.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ("1 2 3.5 4 5 6", "regression", ()),
        ("2 4 6 8 10 12", "regression", ()),
        ("1 2 3 4 5 6", "regression", ()),
        ("1 2 3 1 2 3", "multiclass", ("1", "2", "3")),
        ("2 3 4 2 3 4", "regression", ()),
        ("0 1 1 0 1 0", "binary", ("0", "1")),
        ("-1 1 1 -1 1.0 -1", "binary", ("-1", "1")),
        ("yes no no yes no yes", "binary", ("no", "yes")),
        ("b c a b c a", "multiclass", ("a", "b", "c")),
    ],
)
def test_the_task_follows_from_the_target(values, task, classes):
    values = values.split()
    table = read_csv("x,y\n" + "\n".join(f"{number}.5,{value}" for number, value in enumerate(values)))
    assert (table.task, table.classes) == (task, classes)
    expected = [classes.index(f"{float(v):g}" if v[-1].isdigit() else v) if classes else float(v) for v in values]
    np.testing.assert_array_equal(table.y, np.float32(expected))


def test_the_learner_may_choose_target_and_task():
    rating = "stars,price,kind\n1,2.5,a\n2,3.5,b\n3,4,a\n1,5,b\n2,6,b\n3,7,a"
    assert read_csv(rating).target_name == "kind"
    table = read_csv(rating, "stars")
    assert (table.task, table.classes, table.feature_names) == ("multiclass", ("1", "2", "3"), ("price", "kind = b"))
    assert table.targets == ("stars", "price", "kind")
    table = read_csv(rating, "stars", "regression")
    assert (table.task, table.classes) == ("regression", ())
    np.testing.assert_array_equal(table.y, [1, 2, 3, 1, 2, 3])
    for target, task, message in [
        ("kind", "regression", "'kind' holds words such as 'a'; regression needs numbers"),
        ("stars", "binary", "'stars' has 3 different values; binary classification needs 2"),
        ("kind", "multiclass", "needs 3 to 10 different values"),
        ("kind", "clustering", "task is 'clustering'; allowed: regression, binary, multiclass"),
        ("colour", None, "no column 'colour' to predict; allowed: 'stars', 'price', 'kind'"),
    ]:
        with pytest.raises(ValueError, match=message):
            read_csv(rating, target, task)


def test_words_become_features_and_the_report_says_so():
    table = read_csv("colour,smoker,y\nred,no,1.5\nblue,yes,2\ngreen,no,3\nred,yes,4")
    assert table.feature_names == ("colour = blue", "colour = green", "colour = red", "smoker = yes")
    np.testing.assert_array_equal(table.x, [[0, 0, 1, 0], [1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1]])
    assert [found.kind for found in table.columns] == ["several classes", "two classes", "number"]
    assert "3 features" in column(table, "colour").note
    assert column(table, "smoker").note == "It becomes one feature: 1 for 'yes', 0 for 'no'."


def test_columns_without_use_are_left_out_by_name():
    rows = "\n".join(f"person {number},7,,{number},{number % 3 / 2}" for number in range(12))
    table = read_csv(f"name,same,nothing,x,y\n{rows}")
    assert table.feature_names == ("x",)
    assert [(found.name, found.kind, found.use) for found in table.columns] == [
        ("name", "text", "left out"),
        ("same", "number", "left out"),
        ("nothing", "empty", "left out"),
        ("x", "number", "feature"),
        ("y", "number", "target"),
    ]
    assert "12 different texts such as 'person 0'" in column(table, "name").note
    assert "every value is '7'" in column(table, "same").note
    assert "holds no value" in column(table, "nothing").note
    assert len(table.rows) == 12  # An empty column costs no rows.


def test_rows_with_missing_values_are_left_out_and_counted():
    table = read_csv("a,b,y\n1,2,3\n,2.5,4\n3,NA,5\n4,1,nan\n5,6,7\n6,?,8\n7,0,9\n8,1,9.5")
    assert table.rows == (2, 6, 8, 9)
    assert table.left_out == (3, 4, 5, 7)
    assert [found.missing for found in table.columns] == [(3,), (4, 7), (5,)]
    np.testing.assert_array_equal(table.x, [[1, 2], [5, 6], [7, 0], [8, 1]])


def test_a_column_that_is_constant_without_the_missing_rows_is_left_out():
    table = read_csv("a,b,y\n1,2,3\n1,3,4\n1,4,5\n1,5,6\n2,,7")
    assert table.feature_names == ("b",)
    assert column(table, "a").note == "It is left out: in the rows without missing values every value is '1'."


NUMBERS = "\n".join(f"{number},{number}.5" for number in range(6))
REFUSED = {
    "empty": ("", "no rows"),
    "blank": ("\n \n,,\n", "no rows"),
    "header alone": ("a,b\n", "a header and no rows"),
    "binary": (b"PK\x03\x04\x00\x00" + bytes(range(256)), "binary"),
    "no UTF-8": ("x,y\n1,2\nä,3".encode("latin-1"), "row 3 is not UTF-8"),
    "UTF-16": ("x,y\n1,2\n".encode("utf-16"), "text in UTF-16, not in UTF-8"),
    "control": ("x,y\n1,\x1b[2J\n", "row 2 holds the control character"),
    "surrogate": ("x,y\n1,\ud800\n", "row 2 is not UTF-8"),
    "ten megabytes": (b"1,2\n" * 2_500_000, "10,000,000 bytes; at most 5,000,000"),
    "too long": ("x,y\n" + "1,2\n" * 5001, "more than 5,000 rows"),
    "too long without header": ("1,2\n" * 5001, "more than 5,000 rows"),
    "too wide": (",".join(f"c{number}" for number in range(51)), "row 1 has 51 cells; at most 50"),
    "ragged": ("a,b\n1,2\n3\n", "row 3 has 1 cell, row 1 has 2"),
    "ragged, wider": ("a,b\n1,2\n\n3,4,5\n", "row 4 has 3 cells, row 1 has 2"),
    "open quote": ('a,b\n1,"2\n3,4\n', "row 2 cannot be cut into cells"),
    "quote within": ('a,b\n"1"2,3\n', "row 2 cannot be cut into cells"),
    "one long cell": ("x" * 200_000, "too long"),
    "one column": ("x\n1\n2\n3\n4\n", "only column 'x' can be used"),
    "one class": ("x,y\n1,a\n2,a\n3,a\n4,a", "'y' cannot be predicted: every value is 'a'"),
    "one class left": ("x,y\n1,a\n2,a\n3,a\n4,a\n,b", "'y' has the one value 'a'"),
    "only text": (
        "a,b\n" + "\n".join(f"p{n},q{n}" for n in range(11)),
        "predict. Left out: 'a' .11 different",
    ),
    "nothing varies": ("a,b\n1,2\n1,2\n1,2\n1,2", "no column to predict"),
    "few rows": (NUMBERS[:11], "at least 4 are needed"),
    "mostly missing": ("a,b,y\n" + "\n".join(f"{n},{n if n < 2 else ''},{n}.5" for n in range(9)), "'b' lacks 7"),
    "formula": (NUMBERS + "\n=1+1,2", "row 7, column 'column 1': '=1.1' is a formula, not a number"),
    "command": (NUMBERS + "\n2,+cmd|' /C calc'!A0", r"\+cmd.* is a formula"),
    "at": (NUMBERS + "\n2,@SUM(A1)", "'@SUM.* is a formula"),
    "word among numbers": (NUMBERS + "\ntwelve,2", "row 7, column 'column 1': 'twelve' is text, not a number"),
    "same names": ("a,b,a\n1,2,3", "row 1: two columns have the name 'a'"),
    "no name": ("a,,b\n1,2,3", "row 1: column 2 has no name"),
    "long name": (f"a,{'b' * 61}\n1,2", "more than 60 characters"),
    "infinite": (NUMBERS + "\n-inf,2", "row 7, column 'column 1': -inf is infinite"),
    "too large": (NUMBERS + "\n2,1e39", "row 7, column 'column 2': '1e39' is too large"),
    "far too large": (NUMBERS + "\n2,1e999", "too large"),
    "both decimal signs": ("a;b\n1,5;2\n2.5;3", "row 2 holds '1,5' and row 3 holds '2.5'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_are_refused_with_row_and_reason(case):
    data, message = REFUSED[case]
    start = time.perf_counter()
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(data, "y" if case.startswith("one class") else None)
    assert time.perf_counter() - start < 2.0
    assert len(str(caught.value)) < 400


def test_one_hot_columns_count_towards_the_limit():
    words = [",".join([*(f"w{(row + place) % 9}" for place in range(40)), str(row)]) for row in range(1000)]
    header = ",".join([*(f"c{place}" for place in range(40)), "y"])
    with pytest.raises(ValueError, match=r"1,444,000 bytes as 360 features .* at most 1,000,000"):
        read_csv("\n".join([header, *words]))


def test_the_largest_table_is_read_quickly():
    generator = np.random.default_rng(0)
    values = generator.standard_normal((5000, 50)).astype(np.float32)
    text = "\n".join(",".join(map(str, row)) for row in values.tolist())
    start = time.perf_counter()
    table = read_csv(text)
    assert time.perf_counter() - start < 5.0
    np.testing.assert_array_equal(table.x, values[:, :-1])
    assert table.x.nbytes + table.y.nbytes == 1_000_000


def sound(table):
    """What holds for every table."""
    assert table.x.shape == (len(table.rows), len(table.feature_names))
    assert table.y.shape == (len(table.rows),)
    assert len(table.rows) >= 4
    assert np.isfinite(table.x).all()
    assert np.isfinite(table.y).all()
    assert all(len(np.unique(values)) > 1 for values in table.x.T)
    assert table.x.nbytes + table.y.nbytes <= 1_000_000
    assert not set(table.rows) & set(table.left_out)
    assert [found.name for found in table.columns if found.use == "target"] == [table.target_name]
    if table.task == "regression":
        assert table.classes == ()
    else:
        assert set(np.unique(table.y)) == set(range(len(table.classes)))
        assert (len(table.classes) == 2) == (table.task == "binary")


def read_or_sentence(data, *choices):
    try:
        table = read_csv(data, *choices)
    except ValueError as error:
        message = str(error)
    else:
        sound(table)
        return
    assert " " in message
    assert len(message) < 1000


CELLS = st.sampled_from(
    [
        "",
        "1",
        "2.5",
        "-3",
        "1,5",
        "1e400",
        "inf",
        "nan",
        "NA",
        "=1+1",
        '"',
        '"a"',
        "a",
        "b",
        "c",
        "ä",
        "\ud800",
        "x" * 70,
    ]
)
TEXTS = st.lists(
    st.lists(CELLS, min_size=1, max_size=4).flatmap(
        lambda cells: st.sampled_from([",", ";", "\t", ", "]).map(lambda mark: mark.join(cells))
    ),
    max_size=9,
).flatmap(lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines)))


@settings(max_examples=150, deadline=2000)
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=100), TEXTS))
def test_anything_gives_a_table_or_a_sentence(data):
    read_or_sentence(data)


TABLE = st.integers(4, 8).flatmap(
    lambda rows: st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=rows, max_size=rows)
)


@settings(max_examples=150, deadline=2000)
@given(
    table=TABLE,
    mark=st.sampled_from([",", ";", "\t"]),
    target=st.sampled_from([None, "a", "b", "d"]),
    task=st.sampled_from([None, "regression", "binary", "multiclass"]),
)
def test_any_cells_give_a_table_or_a_sentence(table, mark, target, task):
    file = io.StringIO()
    csv.writer(file, delimiter=mark).writerows([["a", "b", "c"], *table])
    read_or_sentence(file.getvalue(), target, task)


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=2000)
@given(
    values=st.lists(st.tuples(FLOATS, FLOATS), min_size=4, max_size=12),
    form=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]),
)
def test_numbers_survive_to_the_last_bit(values, form):
    mark, decimal = form
    expected = np.float32(values)
    if any(len(np.unique(column)) < 2 for column in expected.T):
        return
    lines = [mark.join(repr(value).replace(".", decimal) for value in row) for row in values]
    table = read_csv(
        "\n".join([f"x{mark}y", *lines]), "y", None if len(np.unique(expected[:, 1])) == 2 else "regression"
    )
    np.testing.assert_array_equal(table.x[:, 0], expected[:, 0])
    if table.task == "regression":
        np.testing.assert_array_equal(table.y, expected[:, 1])
    assert [np.float32(name) for name in table.classes] == (
        [] if table.task == "regression" else list(np.unique(expected[:, 1]))
    )
