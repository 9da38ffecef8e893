"""Tables of text for people: real HTML tables that scroll sideways where they do not fit, styled in shell.css."""

from __future__ import annotations

from html import escape

import streamlit as st

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def show_table(table: Table, label: str) -> None:
    """A table of text that scrolls sideways where it does not fit."""
    head, lines = table
    # Worked sums need room; all else is a name or a number.
    wide = {at for line in lines for at, text in enumerate(line) if len(text) > 24}
    heads = "".join(f"<th scope='col'{_class(at in wide)}>{escape(text)}</th>" for at, text in enumerate(head))
    rows = "".join(
        f"<tr><th scope='row'>{escape(line[0])}</th>{''.join(f'<td>{escape(text)}</td>' for text in line[1:])}</tr>"
        for line in lines
    )
    st.html(
        f"<div class='lossviz-table' role='region' tabindex='0' aria-label='{escape(label)}'>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _class(wide: bool) -> str:
    return " class='long'" if wide else ""
