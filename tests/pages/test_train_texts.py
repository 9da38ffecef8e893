"""The Train page with reviews: its controls, what they say, and the way there from the board of one review."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lossviz.training import RunConfig, init, preset
from pages.ui.explore_panels import review_board
from pages.ui.train_state import TrainState, format_url, parse
from pages.ui.walk_steps import too_large

PAGES = Path(__file__).parents[2] / "pages"


def open_page(name, **params):
    at = AppTest.from_file(PAGES / "index.py", default_timeout=30).run()
    at.switch_page(name)
    for name, text in params.items():
        at.query_params[name] = text
    return at.run()


def labels(at):
    return [item.label for kind in (at.slider, at.toggle, at.selectbox, at.number_input) for item in kind]


def widget(elements, label):
    return next(item for item in elements if item.label == label)


def test_reviews_have_the_controls_that_they_need():
    at = open_page("train.py")
    widget(at.selectbox, "Data set").select("reviews").run()
    assert not at.exception
    assert at.session_state["train.state"].config.model == "lstm"
    assert "read word by word" in at.info[0].value
    captions = " ".join(item.value for item in at.caption)
    assert "synthetic" in captions
    assert "“not”" in captions
    assert "reviews to train on" in captions
    shown = labels(at)
    assert {"Recurrent layer", "Units in the recurrent layer", "Numbers for a word", "Reviews"} <= set(shown)
    assert not {"Hidden layers", "Activation", "Dropout", "Batch normalisation", "Standardise features"} & set(shown)
    assert any("recurrent network of" in item.value for item in at.info)
    widget(at.selectbox, "Recurrent layer").select("rnn").run()
    widget(at.slider, "Units in the recurrent layer").set_value(3).run()
    widget(at.slider, "Numbers for a word").set_value(2).run()
    config = at.session_state["train.state"].config
    assert (config.model, config.hidden, config.embedding) == ("rnn", (3,), 2)
    count = init(config).network.parameters.numel()
    assert any(f"50 words. {count} weights and biases" in item.value for item in at.caption)
    assert {name: at.query_params[name] for name in ("data", "model", "hidden", "embedding")} == {
        "data": "reviews",
        "model": "rnn",
        "hidden": "3",
        "embedding": "2",
    }
    widget(at.selectbox, "Data set").select("iris").run()
    assert not at.exception
    assert not at.error
    assert at.session_state["train.state"].config.hidden == (4, 2)
    assert "Fully connected" in at.info[0].value


@pytest.mark.parametrize("key", ["reviews", "reviews_rnn"])
def test_the_walk_says_why_it_is_not_for_recurrent_networks(key):
    assert "takes small fully connected networks" in too_large(preset(key).config)
    assert too_large(RunConfig(dataset="reviews", hidden=(1,), embedding=1))


def test_the_board_of_one_review_leads_to_a_network_that_reads():
    board, loss = review_board()
    assert f"{loss:.6f}" == "0.223144"
    at = AppTest.from_file(PAGES / "index.py", default_timeout=30)  # the first page is the boards'
    at.query_params["loss"] = "bce"
    at.run()
    assert any("that costs 0.2231" in item.value for item in at.markdown)
    (link,) = at.get("page_link")
    assert parse(format_url(TrainState(preset("reviews").config)))[0].config == preset("reviews").config
    assert "data=reviews" in str(link.proto)
    widget(at.button, "Put this review on the board").click().run()
    assert at.session_state["explore.state"].numbers == board.numbers
    widget(at.selectbox, "Loss").select("mse").run()
    assert not at.get("page_link")
