"""Charts over time: zero at the foot, round axes, gaps where there is no data, outages that can be seen."""

from __future__ import annotations

import re

import pytest

from shared.web.timechart import FOOT, HEIGHT, LEAST_DOWN_H, Bin, draw, draw_strip, nice

NOON_MS = 1_773_226_800_000  # 2026-03-11T11:00Z, noon in Warsaw
TEN_MIN, HOUR, DAY = 600_000, 3_600_000, 86_400_000


def bins(*values: float | None, width: int = TEN_MIN) -> list[Bin]:
    return [Bin(NOON_MS + i * width, NOON_MS + (i + 1) * width, value) for i, value in enumerate(values)]


def whole(value: float) -> str:
    return f"{value:g}"


@pytest.mark.parametrize(("value", "top"), [(1, 1), (1.1, 2), (2.2, 2.5), (7, 10), (250, 250), (260, 500), (0.3, 0.5)])
def test_an_axis_ends_on_a_round_number(value: float, top: float) -> None:
    assert nice(value) == pytest.approx(top)


def test_zero_is_at_the_foot_and_the_highest_is_inside() -> None:
    chart = draw(bins(0, 5, 10), "Europe/Warsaw", whole)
    ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", chart.lines[0])]
    assert ys[0] == HEIGHT - FOOT
    assert ys[0] > ys[1] > ys[2] > 0
    assert [label for _, label in chart.y_ticks] == ["0", "5", "10"]


def test_a_bin_without_data_is_a_gap_and_breaks_the_line() -> None:
    chart = draw(bins(1, None, None, 3), "Europe/Warsaw", whole)
    assert (len(chart.lines), len(chart.gaps)) == (2, 1)
    assert chart.gaps[0].w == pytest.approx((520 - 46 - 10) / 2, abs=0.2)


def test_the_target_is_drawn_even_above_all_figures() -> None:
    chart = draw(bins(1, 2), "Europe/Warsaw", whole, target=250)
    assert chart.target_y is not None
    assert chart.y_ticks[-1][1] == "250"


def test_an_outage_of_a_second_can_still_be_seen() -> None:
    strip = draw_strip(bins(1, 0.999, 0, None), "Europe/Warsaw", lambda b: f"{b.value}")
    assert [box.h for box in strip.downs] == [LEAST_DOWN_H, 30.0]
    assert len(strip.gaps) == 1


def test_hours_are_local_and_months_are_dates() -> None:
    day = draw(bins(*[1.0] * 144), "Europe/Warsaw", whole)
    assert [text for _, text in day.x_ticks] == ["16:00", "20:00", "00:00", "04:00", "08:00"]
    month = draw(bins(*[1.0] * 180, width=4 * HOUR), "Europe/Warsaw", whole)
    dates = [text for _, text in month.x_ticks]
    assert dates == ["16 Mar", "21 Mar", "26 Mar", "31 Mar", "5 Apr"], "10 Apr would stand across the edge"


def test_a_spark_is_a_band_without_words() -> None:
    spark = draw_strip(bins(1, 0, 1), "Europe/Warsaw", lambda b: "", width=240)
    assert (list(spark.x_ticks), len(spark.downs), spark.width) == ([], 1, 240)
