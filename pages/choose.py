"""Choose: a few questions that lead to losses, with reasons."""

import streamlit as st

from lossviz import losses
from lossviz.chooser import choose, questions
from pages.ui import reference_choose as page
from pages.ui.card import styles
from pages.ui.explore_state import start
from pages.ui.reference_links import board_link, card_link
from pages.ui.state import page_state, show_notices, write_url

page_state("choose", page.parse)
styles()
st.title("Choose a loss")
show_notices("choose")
st.markdown("Answer what you know. Each answer narrows the list; clicking it again takes it back.")
answers = page.state()
for question in questions(answers):
    page.ask(question, answers)
write_url(answers)
if not answers:
    st.info("The first answer brings up the losses that fit.", icon=":material/arrow_upward:")
else:
    found = choose(answers)
    st.header("1 loss fits" if len(found) == 1 else f"{len(found)} losses fit")
    for choice in found:
        loss = losses.get(choice.key)
        with st.container(border=True):
            st.markdown(f"### {loss.title}")
            st.markdown(choice.reason)
            st.caption(loss.summary)
            with st.container(horizontal=True):
                card_link(f"Card of {loss.title}", start(loss.key))
                board_link(f"Board of {loss.title}", start(loss.key))
