"""Quoting what a stranger put into a link: notices are shown as Markdown, so it appears only as code."""

from __future__ import annotations

import re


def quote(text: str) -> str:
    """A value of a link as inline code, cut to 40 characters, anything but plain signs replaced."""
    kept = re.sub(r"[^\w .:~+-]", "?", text if len(text) <= 40 else text[:37] + "...", flags=re.ASCII)
    return f"`{kept}`" if kept else "empty"


def plain(message: str) -> str:
    """A message without the signs that Markdown would take for formatting, a link or a formula."""
    return re.sub(r"[`$\[\]<>*]", "", message)
