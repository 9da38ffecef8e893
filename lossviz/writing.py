"""How numbers and formulas with numbers are written for people. The board writes them alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

MINUS: Final = "\u2212"
NOISE: Final = 1e-12
"""Below this a number is what rounding leaves of 0, or as good as 0."""
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def heading(name: str) -> str:
    """The name of an input or a parameter as a heading writes it.

    Example:
        >>> heading("label_smoothing")
        'Label smoothing'
    """
    return name.replace("_", " ").capitalize()


def sentence(message: str) -> str:
    """A message, such as that of an error, with a capital letter and a full stop.

    Example:
        >>> sentence("learning rate is 0; a number above 0 is allowed")
        'Learning rate is 0; a number above 0 is allowed.'
    """
    return f"{message[:1].upper()}{message[1:]}."


def format_number(value: float) -> str:
    """Up to four decimals, four significant digits below 1; powers of ten for the very small and the very large.

    Args:
        value: Any float.

    Returns:
        The text, with a true minus sign and commas between thousands.

    Example:
        >>> format_number(-0.5), format_number(12345.678), format_number(0.000012), format_number(float("inf"))
        ('−0.5', '12,345.7', '1.2×10⁻⁵', '∞')
    """
    if math.isnan(value):
        return "not defined"
    sign, size = MINUS if value < 0 else "", abs(value)
    if math.isinf(value):
        return f"{sign}∞"
    if size == 0:
        return "0"
    if size < NOISE:
        return "≈0"
    if size < 1e-4 or size >= 1e9:
        mantissa, exponent = f"{size:.3e}".split("e")
        return f"{sign}{_trim(mantissa)}×10{str(int(exponent)).translate(_RAISED)}"
    if size < 1:
        return sign + _trim(f"{size:.{3 - math.floor(math.log10(size))}f}")
    decimals = next((count for limit, count in ((10, 4), (100, 3), (1000, 2), (1e6, 1)) if size < limit), 0)
    return sign + _trim(f"{size:,.{decimals}f}")


def fill(template: str, number: Callable[[str], float]) -> str:
    """Put numbers into a template; a negative one gets parentheses unless it opens a bracket or the line.

    Args:
        template: Text with {names}; ^ followed by a whole number becomes a superscript.
        number: Function from a name to its number.

    Returns:
        The text.

    Example:
        >>> fill("({a} − {b})²", {"a": -1.0, "b": -2.5}.__getitem__)
        '(−1 − (−2.5))²'
    """

    def put(match: re.Match[str]) -> str:
        text = format_number(number(match.group(1)))
        opens = match.start() == 0 or template[match.start() - 1] in "([|"
        raised = template[match.end() : match.end() + 1] in ("²", "^")
        return f"({text})" if text.startswith(MINUS) and (not opens or raised) else text

    filled = re.sub(r"\{(\w+)\}", put, template)
    return re.sub(r"\^(\d+)(?![\d.])", lambda match: match.group(1).translate(_RAISED), filled)


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
