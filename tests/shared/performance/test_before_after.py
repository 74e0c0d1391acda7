"""Means of days with their intervals, and when a difference may be claimed."""

from __future__ import annotations

import pytest

from shared.performance.before_after import KpiChange, Mean, mean_of

FEW = [19.8, 20.4, 19.6, 17.8, 18.5, 18.9, 18.3, 18.9, 19.5, 22.0]
MANY = [
    28.2,
    26.6,
    20.1,
    23.3,
    25.2,
    22.1,
    17.7,
    27.6,
    20.6,
    13.7,
    23.2,
    17.5,
    20.6,
    18.0,
    23.9,
    21.6,
    24.3,
    20.4,
    24.0,
    13.2,
]
"""Two samples of other size and spread, of which Welch's t is -2.2 with 24.5 degrees of freedom (p = 0.036)."""


def change(before: list[float], since: list[float], better: str = "higher") -> str:
    return KpiChange("K", 1, "K", "caster", "%", better, mean_of(before), mean_of(since)).verdict


def test_a_mean_has_students_interval() -> None:
    found = mean_of([96.0, 97.0, 98.0, 99.0, 100.0])  # s = 1.5811, t(4) = 2.776
    assert (found.days, found.mean) == (5, 98.0)
    assert found.half == pytest.approx(1.963, abs=0.001)
    assert found.text == "98.00 (96.04 to 99.96), 5 days"
    assert mean_of([97.0]) == Mean(1, 97.0, None)
    assert mean_of([]).text == "no day"


@pytest.mark.parametrize(
    ("before", "since", "better", "verdict"),
    [
        (FEW, MANY, "higher", "better than before"),
        ([95.0, 97.0, 96.0], [96.5, 95.5, 97.5], "higher", "no difference shown yet"),
        ([95.0, 95.2, 95.1], [97.0, 97.1, 96.9], "lower", "worse than before"),
        ([95.0], [99.0, 99.1], "higher", "no difference shown yet"),
        ([95.0, 95.0], [96.0, 96.0], "higher", "better than before"),
        ([95.0, 95.0], [95.0, 95.0], "higher", "no difference shown yet"),
    ],
)
def test_a_difference_is_claimed_only_where_the_days_show_it(
    before: list[float], since: list[float], better: str, verdict: str
) -> None:
    assert change(before, since, better) == verdict
