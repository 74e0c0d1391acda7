"""Formulas of the demo group with the sums of its day."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.performance.formulas import MeasureSum, evaluate_kpi, sum_text, sums_by_class
from shared.standards.documents import Kpi, parse_body

DEMO = Path(__file__).parents[3] / "demo" / "standards"
ALD = {"EAF1": "eaf", "EAF2": "eaf", "LF1": "ladle_furnace", "CC1": "slab_caster"}
DAY = {
    "EAF1": {"tapped_g": 382_500_000},
    "EAF2": {"tapped_g": 382_500_000},
    "CC1": {"good_g": 740_100_000, "to_tundish_g": 756_000_000, "apt_ms": 9_000_000},
}


def kpi(name: str) -> Kpi:
    document = parse_body((DEMO / f"{name}.json").read_bytes())
    assert isinstance(document, Kpi)
    return document


@pytest.mark.parametrize(("name", "percent"), [("KPI-YLD-v2", 97.9), ("KPI-YLD-v3", 96.7)])
def test_yield_of_the_caster_under_both_definitions(name: str, percent: float) -> None:
    (figure,) = evaluate_kpi(kpi(name), sums_by_class(DAY, ALD))
    assert (figure.at, figure.unit) == ("slab_caster", "%")
    assert figure.value == pytest.approx(percent, abs=0.05)


def test_sums_first_the_ratio_last() -> None:
    units = {"A": "pickling", "B": "pickling"}
    by_unit = {"A": {"good_g": 10, "charged_g": 10}, "B": {"good_g": 90, "charged_g": 190}}
    (figure,) = evaluate_kpi(kpi("KPI-YLD-v2"), sums_by_class(by_unit, units))
    assert figure.value == 50.0  # the mean of the two yields would be 73.7
    assert figure.measures == (
        MeasureSum("good", "good_g", "pickling", 100),
        MeasureSum("charged", "charged_g", "pickling", 200),
    )


def test_tonnes_per_hour() -> None:
    (figure,) = evaluate_kpi(kpi("KPI-TPH-v1"), sums_by_class(DAY, ALD))
    assert figure.value == pytest.approx(740.1 / 2.5)


def test_more_than_all_of_it_is_legal_where_zinc_is_added() -> None:
    sums = sums_by_class({"CG1": {"good_g": 20_429_000, "charged_g": 19_625_000}}, {"CG1": "galvaniser"})
    assert evaluate_kpi(kpi("KPI-YLD-v2"), sums)[0].value == pytest.approx(104.10, abs=0.005)


def test_what_nobody_counted_is_missing_and_not_zero() -> None:
    (figure,) = evaluate_kpi(kpi("KPI-YLD-v3"), sums_by_class({"CC1": {"good_g": 5}}, ALD))
    assert (figure.value, [found.name for found in figure.measures]) == (None, ["good"])
    assert figure.why == "Nobody counted tapped_g at eaf."


def test_a_ratio_over_nothing_is_no_figure() -> None:
    for good in (0, 5):
        sums = sums_by_class({"CC1": {"good_g": good, "to_tundish_g": 0}}, ALD)
        assert evaluate_kpi(kpi("KPI-YLD-v2"), sums)[0].value is None


def test_places_a_plant_does_not_have_give_no_figure_and_unknown_units_count_nowhere() -> None:
    sums = sums_by_class({"CC1": {"good_g": 5, "to_tundish_g": 10}, "ZZ9": {"good_g": 7}}, ALD)
    assert [figure.at for figure in evaluate_kpi(kpi("KPI-YLD-v2"), sums)] == ["slab_caster"]
    assert sums["slab_caster"]["good_g"] == 5


def test_sums_are_said_in_the_fields_units() -> None:
    assert sum_text(MeasureSum("good", "good_g", "slab_caster", 740_100_000)) == "good 740.1 t"
    assert sum_text(MeasureSum("apt", "apt_ms", "slab_caster", 9_000_000)) == "apt 2.50 h"
    assert sum_text(MeasureSum("pieces", "pieces", "slab_caster", 1_234)) == "pieces 1,234"
