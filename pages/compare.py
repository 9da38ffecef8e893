"""Compare: two to four losses on one axis, their values and their slopes."""

import numpy as np
import streamlit as st

from lossviz import losses
from lossviz.compare import compare
from lossviz.figures import comparison_figure
from lossviz.writing import format_number
from pages.ui import reference_compare as page
from pages.ui.card import dark, styles
from pages.ui.explore_state import start
from pages.ui.reference_links import card_link
from pages.ui.state import page_state, show_notices, write_url
from pages.ui.tables import show_table

SCALED = {
    "residual": "Each is multiplied so that an error of 1 costs 1.",
    "score": "Each is multiplied so that a score of −1, wrong by 1, costs 1.",
    "logit": "Each is multiplied so that a true class with logit −1 against two others with 0 costs 1.",
}
AXES = {
    "residual": "Along the axis the prediction moves away from the target, {target}. At 0 they are the same.",
    "score": "Along the axis the score of a sample with the positive label moves. Below 0 it is classified wrongly.",
    "logit": "Along the axis the true class's logit moves; there are two other classes with the logit 0.",
}

page_state("compare", page.parse)
styles()
st.title("Compare losses")
show_notices("compare")
page.examples()
page.menus()
page.scale()
state = page.state()
write_url(page.format_url(state))
try:
    result = compare(state.entries, state.aligned, state.target)
except ValueError as error:
    st.warning(str(error), icon=":material/block:")
else:
    st.plotly_chart(
        comparison_figure(result, dark=dark()),
        key="compare.figure",
        theme=None,
        config={"displayModeBar": False},
        alt="Two charts below each other: the values of the chosen losses and their slopes. The table holds numbers.",
    )
    target = format_number(state.target)
    said = [AXES[result.axis].format(target=target)]
    if state.aligned:
        said.append(SCALED[result.axis])
    st.markdown(" ".join(said))
    notes = [f"- {curve.title}: {curve.note}." for curve in result.curves if curve.note]
    if notes:
        st.markdown("\n".join(notes))
    marks = [mark for mark in (-4, -2, -1, 0, 1, 2, 4) if abs(mark) <= result.places[-1]]
    rows = [int(np.abs(result.places - mark).argmin()) for mark in marks]
    for title, name in (("Values", "values"), ("Slopes", "slopes")):
        st.markdown(f"**{title}**")
        table = [
            (curve.title, *(format_number(float(getattr(curve, name)[row])) for row in rows)) for curve in result.curves
        ]
        show_table((("Loss", *(format_number(mark) for mark in marks)), table), f"{title} along the axis")
with st.container(horizontal=True):
    for key in dict.fromkeys(key for key, _ in state.entries):
        card_link(f"Card of {losses.get(key).title}", start(key))
