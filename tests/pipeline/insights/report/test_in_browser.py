"""The report in a real browser: no requests, no console messages, and no overflow on narrow screens."""

from pathlib import Path

import pytest

from pipeline.insights.report.page import render_page
from tests.pipeline.insights.report.report_builders import report
from tests.pipeline.insights.report.test_page import CHART, EDITED, HOSTILE, long_list
from tools.chromium import PROGRAM, chromium

WIDTHS = (390, 820, 1280)
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OUTSIDE = """[...document.querySelectorAll("svg, .number, table, ul")]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".hidden")).length"""
TITLES = [long_list(12, title, 3) for title in HOSTILE.values()][:18]


@pytest.mark.faults
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
def test_the_page_in_chromium_sends_no_requests_and_fits_every_width(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(render_page(report(EDITED, CHART, *TITLES)))
    with chromium() as tab:
        for width in WIDTHS:
            tab.open(file.as_uri(), width)
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            assert tab.evaluate(OUTSIDE) == 0
        assert tab.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
        tab.open(file.as_uri(), scheme="dark")
        assert tab.evaluate(BACKGROUND) == "rgb(18, 21, 26)"
        marks = tab.evaluate("document.querySelectorAll('.list .sparkline').length")
        assert tab.pdf().startswith(b"%PDF")
        assert set(tab.requests()) == {file.as_uri()}
        assert tab.messages() == []
    assert marks == sum(len(one.songs) for one in (CHART, *TITLES))
