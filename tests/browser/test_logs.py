"""Files of other programs on the Logs page, in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import axe, settle
from tests.conftest import ROOT

LOGS = ROOT / "tests" / "training" / "logs"
OpenPage = Callable[[str], Page]


@pytest.mark.parametrize(("viewport", "colour_scheme"), [("desktop", "light"), ("phone", "dark")], indirect=True)
def test_files_are_drawn_and_read(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/logs?smoothing=0.5&log=yes")
    bad = tmp_path / "holiday.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)))
    page.locator("input[type=file]").set_input_files([LOGS / "keras.csv", LOGS / "torch.tfevents", bad])
    expect(page.get_by_test_id("stAlert")).to_contain_text("holiday.jpg")
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    expect(page.get_by_role("region", name="Numbers of the curves")).to_contain_text("keras.csv, training")
    page.get_by_text("Show an example", exact=True).click()
    expect(page.get_by_text("Overfitting since epoch 119", exact=False)).to_be_visible()
    settle(page)
    expect(page).to_have_url(re.compile("example=yes"))
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_link_restores_how_the_example_is_drawn(open_page: OpenPage) -> None:
    page = open_page("/logs?example=yes&log=yes&smoothing=0.9")
    expect(
        page.get_by_role("switch", name="Log scale").or_(page.get_by_role("checkbox", name="Log scale"))
    ).to_be_checked()
    expect(page.get_by_role("slider", name="Smoothing").first).to_have_value("0.9")
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    settle(page)
