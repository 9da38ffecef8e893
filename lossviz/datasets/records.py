"""Bytes of a text file as rows of cells: decoding, the separator, and what is no table at all."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

BYTES_HIGH = 5_000_000
ROWS_HIGH = 5_000
COLUMNS_HIGH = 50
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""A number as a cell writes it, with a decimal point."""

# Enough of the file to tell its separator.
_HEAD = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Record = tuple[int, list[str]]


def shown(text: str) -> str:
    """Return a cell as it may stand in a message: quoted, one line, at most 40 characters."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def decode(data: bytes | str) -> str:
    """Return the text of a file.

    Raises:
        ValueError: it is too long, not UTF-8, or holds characters that no text has.
    """
    if isinstance(data, str):
        # Characters that stand for no text (lone surrogates) become bytes that the check below refuses.
        data = data.encode("utf-8", errors="surrogatepass")
    if len(data) > BYTES_HIGH:
        raise ValueError(f"the file has {len(data):,} bytes; at most {BYTES_HIGH:,} are allowed")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("the file is text in UTF-16, not in UTF-8; save it as CSV in UTF-8")
    if b"\x00" in data:
        raise ValueError("the file is binary, not text; a CSV file in UTF-8 is allowed")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"row {row} is not UTF-8 text; save the file as CSV in UTF-8") from None
    if found := _CONTROL.search(text):
        row = text.count("\n", 0, found.start()) + 1
        raise ValueError(f"row {row} holds the control character {found[0]!r}; a CSV file in UTF-8 is allowed")
    return text


def separator(text: str) -> str:
    """Return the separator: one that cuts the first rows into cells alike in number, else the most frequent.

    Tab and semicolon are tried first, because a comma may be the decimal sign beside them.
    """
    head = text[:_HEAD]
    widest = {}
    for mark in ("\t", ";", ","):
        widths = []
        try:
            for _, cells in islice(_read(head, mark), 10):
                widths.append(len(cells))
        except ValueError:
            pass  # The head may end within a quoted cell; whatever is wrong with the file is said when it is read.
        if len(head) < len(text) and len(widths) > 1:
            widths.pop()  # It may be cut.
        widest[mark] = max(widths, default=1)
        if widest[mark] > 1 and len(set(widths)) == 1:
            return mark
    return max(SEPARATORS, key=widest.__getitem__)


def records(text: str, mark: str, rows_high: int = ROWS_HIGH) -> list[Record]:
    """Return the rows that are not blank, each with its number in the file, counted from 1.

    Args:
        text: the file's text.
        mark: its separator.
        rows_high: how many rows there may be besides a header.

    Raises:
        ValueError: no rows, too many or too wide rows, rows of different lengths, or quotation marks out of place.
    """
    found: list[Record] = []
    for number, cells in _read(text, mark):
        if len(cells) > COLUMNS_HIGH:
            raise ValueError(f"row {number} has {len(cells):,} cells; at most {COLUMNS_HIGH} columns are allowed")
        if found and len(cells) != len(found[0][1]):
            first, width = found[0][0], len(found[0][1])
            raise ValueError(
                f"row {number} has {_count(len(cells), 'cell')}, row {first} has {width}; "
                f"every row needs as many cells (read with the {SEPARATORS[mark]} as separator)"
            )
        found.append((number, cells))
        # One more, because the first may be the header.
        if len(found) > rows_high + 1:
            raise ValueError(f"the file has more than {rows_high:,} rows; at most {rows_high:,} are allowed")
    if not found:
        raise ValueError("the file has no rows; a header and rows of values are needed")
    return found


def _read(text: str, mark: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=mark != "\t", strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield number, stripped
    except csv.Error:
        raise ValueError(
            f"row {number + 1} cannot be cut into cells: a quotation mark is out of place or never closed, "
            "or a cell is too long"
        ) from None


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
