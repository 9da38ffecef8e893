"""The controls of a model that reads texts word by word."""

from __future__ import annotations

import streamlit as st

from lossviz.training import MODELS, models_for, parameter_count
from pages.ui.state import seed, widget
from pages.ui.train_change import change, config, field, whole

ABOUT = {
    "lstm": (
        "Beside its state it keeps a memory cell. Three gates, which are learnt, say what to forget, what to take in "
        "and what to show."
    ),
    "rnn": "At each word the new state is tanh of the word and the state before, each times weights that are learnt.",
}


def recurrent_layers() -> None:
    """Kind and size of the recurrent layer, and how many numbers stand for a word."""
    now = config()
    st.selectbox(
        "Recurrent layer",
        models_for(now.data),
        format_func=MODELS.__getitem__,
        help="It reads a review word by word and keeps a state. The output layer reads the state after the last word.",
        **field("model"),
    )
    st.caption(ABOUT[now.model])
    st.slider(
        "Units in the recurrent layer",
        *whole("recurrent_units"),
        help="How many numbers the state has.",
        key=seed("train.units.recurrent", now.hidden[0]),
        on_change=lambda: change(hidden=(widget("train.units.recurrent"),)),
    )
    st.slider(
        "Numbers for a word",
        *whole("embedding"),
        help="The embedding: each word of the vocabulary has so many numbers, which are learnt.",
        **field("embedding"),
    )
    words = len(now.data.vocabulary) - 1
    st.caption(f"{words} words. {parameter_count(now):,} weights and biases, embeddings included.")
