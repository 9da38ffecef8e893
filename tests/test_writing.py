"""Numbers and formulas as the pages write them; the board's are tested with the same table."""

import pytest

from lossviz.writing import fill, format_number
from tests.number_cases import FORMULA_NUMBERS, FORMULAS, NUMBERS


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_numbers_are_written_briefly(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(("template", "text"), FORMULAS)
def test_formulas_bracket_negative_numbers_where_needed(template, text):
    assert fill(template, FORMULA_NUMBERS.__getitem__) == text
