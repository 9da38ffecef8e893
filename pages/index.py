"""Page settings and navigation; Streamlit runs this before the chosen page at every interaction."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent

# A falling curve and its tangent: what the whole laboratory is about.
MARK = (
    '<rect width="32" height="32" rx="7" fill="#0b5cad"/>'
    '<path d="M5 6c3 14 8 19 13 19 4 0 7-3 9-8" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/>'
    '<path d="M5 13l11 15" stroke="#ffc36b" stroke-width="2" stroke-linecap="round"/>'
    '<circle cx="10.2" cy="20" r="3" fill="#ffc36b"/>'
)
ICON = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{MARK}</svg>'

WORDMARK = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 130 32">{MARK}'
    '<text x="42" y="23" font-family="system-ui, sans-serif" font-size="22" font-weight="700" fill="#2f7fd0">lossviz'
    "</text></svg>"
)

st.set_page_config(page_title="lossviz", page_icon=ICON, layout="wide")
st.logo(WORDMARK, size="large")
st.html(HERE / "ui" / "shell.css")

pages = [
    st.Page(HERE / "explore.py", title="Explore", default=True),
    st.Page(HERE / "train.py", title="Train", url_path="train"),
    st.Page(HERE / "race.py", title="Race", url_path="race"),
    st.Page(HERE / "landscape.py", title="Landscape", url_path="landscape"),
    st.Page(HERE / "logs.py", title="Logs", url_path="logs"),
    st.Page(HERE / "reference.py", title="Reference", url_path="reference"),
    st.Page(HERE / "compare.py", title="Compare", url_path="compare"),
    st.Page(HERE / "choose.py", title="Choose", url_path="choose"),
]
st.navigation(pages, position="top").run()
