"""The Explore page's URL restores its state, and a tampered one gives the default with a notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossviz
from pages.ui.explore_state import ExploreState, format_url, parse, start

KEYS = lossviz.losses.keys()
NAMES = ["loss", "reduction", "prediction", "target", "rate", "delta", "weight", "label_smoothing", "gamma", "nonsense"]
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from([*KEYS, "mean", "sum", "nan", "inf", "-1", "1e999", "1_2_3", "1_2~3_4", "0.5", "1_2~3", "~", "_"]),
    st.lists(st.floats(), max_size=9).map(lambda numbers: "_".join(map(str, numbers))),
)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_url_gives_a_state_that_can_be_shown(params):
    state, notices = parse(params)
    tables = lossviz.tables(state.loss, state.prediction, state.target, state.reduction, **state.parameters)
    assert tables.base["value"][0] == tables.base["value"][0], "a value that is not defined"
    assert all("link" in notice for notice in notices)
    again, quiet = parse(format_url(state))
    assert again == state
    assert not quiet


@pytest.mark.parametrize("key", KEYS)
def test_start_has_a_short_url_that_restores_it(key):
    state = start(key)
    assert set(format_url(state)) <= {"loss"}
    assert parse(format_url(state)) == (state, [])


@pytest.mark.parametrize("key", KEYS)
def test_every_change_is_restored(key):
    state = start(key)
    tensors = state.tensors()
    tensors["prediction"] = tensors["prediction"] * 0.123456789012345
    changed = state.with_tensors(tensors)
    reduction = state.declared.reductions[-1].name
    changed = ExploreState(
        changed.loss, reduction, changed.parameters, changed.prediction[:1], changed.target[:1], rate=0.25
    )
    assert parse(format_url(changed)) == (changed, [])


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"loss": "msee"}, "`msee`"),
        ({"reduction": "median"}, "`median`"),
        ({"prediction": "1_2_3"}, "3 predictions need as many targets"),
        ({"prediction": "1_2_3_nan"}, "`nan`"),
        ({"loss": "bce", "prediction": "1.8_0_0_0"}, "1.8"),
        ({"loss": "cross_entropy", "weight": "1_2"}, "2 numbers"),
        ({"loss": "cross_entropy", "label_smoothing": "2"}, "2.0"),
        ({"rate": "-1"}, "-1"),
        ({"loss": "[x](http://y)"}, "`?x??http:??y?`"),
        ({"colour": "red"}, "`colour`"),
        ({"prediction": "1e9_0_0_0"}, "1e+09"),
    ],
)
def test_a_tampered_value_is_named_and_replaced(params, said):
    state, notices = parse(params)
    assert len(notices) == 1
    assert said in notices[0]
    default = start(state.loss)
    assert state == default


def test_the_longest_url_is_short_enough():
    from urllib.parse import urlencode

    row = tuple(-999.1234567890123 + index * 0.1 for index in range(5))
    state = start("cross_entropy")
    state = ExploreState("cross_entropy", "sum", state.parameters, (row,) * 8, (4.0,) * 8, 0.123456789)
    assert len(urlencode(format_url(state))) < 1900
