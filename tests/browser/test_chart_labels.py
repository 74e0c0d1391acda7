"""Labels of charts stay readable on a screen of any width: at least 11 px as they are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader
from playwright.sync_api import Browser

from shared.web.timechart import HOUR_MS, WIDTH, Bin, Chart, draw, draw_strip

WEB = Path(__file__).parents[2] / "shared" / "web"
LEAST_PX = 11
SIZES = """() => [...document.querySelectorAll('.chart text')].map(text => {
  const svg = text.ownerSVGElement;
  return parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
})"""
PAGE = """{% from "timechart.html" import timechart with context %}<style>{{ css }}</style>
<main><section class="card"><div class="charts"><figure class="wide">{{ timechart(long, "a", "up") }}</figure>
<figure>{{ timechart(short, "b", "waiting") }}</figure><figure>{{ timechart(short, "c", "waiting") }}</figure></div></section>
<section class="card">{{ timechart(short, "d", "alone") }}</section></main>"""


def charts() -> tuple[Chart, Chart]:
    bins = [Bin(at * HOUR_MS, (at + 1) * HOUR_MS, at / 24) for at in range(24)]
    return draw_strip(bins, "Europe/Warsaw", lambda _: "", width=2 * WIDTH), draw(
        bins, "Europe/Warsaw", lambda value: f"{value:.1f}"
    )


@pytest.mark.timeout(180)
def test_labels_of_charts_are_eleven_pixels_or_more_at_any_width(browser: Browser) -> None:
    long, short = charts()
    css = (WEB / "static" / "strandline.css").read_text()
    template = Environment(loader=FileSystemLoader(WEB / "templates"), autoescape=True).from_string(
        PAGE.replace("{{ css }}", "{{ css | safe }}")
    )
    page = browser.new_page()
    page.set_content(template.render(long=long, short=short, css=css))
    for width in (400, 640, 820, 901, 1040, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        sizes = page.evaluate(SIZES)
        assert len(sizes) > 20
        assert min(sizes) >= LEAST_PX - 0.2, width
    page.close()
