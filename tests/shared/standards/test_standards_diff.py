import json
from pathlib import Path

from shared.standards.diff import Change, differences
from shared.standards.documents import parse_body, parse_document
from shared.standards.readable import sections

DEMO = Path(__file__).parents[3] / "demo" / "standards"


def load(name: str) -> dict:
    return json.loads((DEMO / f"{name}.json").read_text())


def test_the_same_document_differs_in_nothing_but_its_version() -> None:
    old = parse_document(load("QR-CHE-01-v5"))
    assert differences(old, parse_document({**load("QR-CHE-01-v5"), "version": 6})) == []


def test_a_changed_limit_is_named_by_grade_and_element() -> None:
    old, new = load("QR-CHE-01-v5"), load("QR-CHE-01-v5")
    limits = new["rule"]["check"]["grades"][0]["limits"]
    next(limit for limit in limits if limit["element"] == "Cu")["max_e6"] = 2000
    assert differences(parse_document(old), parse_document(new)) == [
        Change("rule.check.grades.L06.limits.Cu.max_e6", "changed", 2200, 2000)
    ]


def test_an_inserted_element_is_one_change_and_does_not_shift_the_others() -> None:
    old, new = load("QR-CHE-01-v5"), load("QR-CHE-01-v5")
    new["rule"]["check"]["grades"][0]["limits"].insert(0, {"element": "As", "max_e6": 100})
    del new["rule"]["check"]["grades"][1]["limits"][0]
    found = differences(parse_document(old), parse_document(new))
    assert [(change.path, change.kind) for change in found] == [
        ("rule.check.grades.L06.limits.As", "added"),
        ("rule.check.grades.M15.limits.C", "removed"),
    ]


def test_the_yield_of_the_caster_changed_its_denominator() -> None:
    found = differences(parse_document(load("KPI-YLD-v2")), parse_document(load("KPI-YLD-v3")))
    assert ("formulas.slab_caster.formula", "100 * good / to_tundish", "100 * good / tapped") in [
        (change.path, change.before, change.after) for change in found
    ]


def test_every_demo_document_can_be_read_by_people() -> None:
    for path in DEMO.glob("*.json"):
        found = sections(parse_body(path.read_bytes()))
        assert all(len(row) == len(section.columns) for section in found for row in section.rows), path.stem
        assert any(section.rows for section in found), path.stem


def test_limits_are_shown_in_percent() -> None:
    table = sections(parse_document(load("QR-CHE-01-v5")))[1]
    assert ("L06", "Cu", "", "0.22", "") in table.rows
    assert ("L06", "N", "", "0.0095", "") in table.rows
