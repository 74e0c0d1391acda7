"""Kinds beside rules, routes, KPIs and workflows: what each refuses, how it reads, and one YAML file for each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shared.errors import BadInput
from shared.standards import as_yaml
from shared.standards.canonical import body_of
from shared.standards.check import document_faults
from shared.standards.cli import standards
from shared.standards.documents import KINDS, parse_body, parse_document, schema_of
from shared.standards.readable import sections
from shared.standards.work_kinds import DataItem, ReasonTree

DEMO = Path(__file__).parents[3] / "demo" / "standards"
ALL = sorted(DEMO.glob("*.json"))


def plain(name: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads((DEMO / f"{name}.json").read_text()), **changes}


def test_the_examples_have_one_of_every_kind() -> None:
    library = {as_yaml.read_text(path.read_text())["kind"] for path in (DEMO / "library").glob("*.yaml")}
    assert {json.loads(path.read_text())["kind"] for path in ALL} | library == set(KINDS)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_yaml_file_brings_the_very_bytes_back(path: Path) -> None:
    document = parse_body(path.read_bytes())
    text = as_yaml.write_text(document)
    assert body_of(parse_document(as_yaml.read_text(text))) == body_of(document)
    assert len(sections(document)) >= 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2", "in line"),
        ("a: &x [1]\nb: *x", "anchors and aliases"),
        ("!!python/object/apply:os.system ['true']", "line 1"),
        ("x" * 200_001, "200001 characters"),
        ("[" * 100_000, "nested more than 50 deep"),
        ("- " * 60 + "x", "nested more than 50 deep"),
    ],
)
def test_a_file_that_is_no_plain_document_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        as_yaml.read_text(text)
    assert said in caught.value.what


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("P-DX51D-Z275-v1", {"dimensions": [{"name": "thick", "unit": "um", "min": 9, "max": 1}]}, "begins at 9"),
        ("P-DX51D-Z275-v1", {"dimensions": [{"name": "thick", "unit": "um"}]}, "neither a least nor a greatest"),
        ("PR-REHEAT-v1", {"rows": [["L06", 0, 400, 1200, 1210, 1250, 180]]}, "discharge_c 1200 is beyond its min"),
        ("PR-REHEAT-v1", {"rows": [["L06", 0]]}, "row 1 has 2 values for 7 columns"),
        (
            "PR-REHEAT-v1",
            {"rows": [["L06", 0, 400, 1230, 1210, 1250, 180], ["L06", 300, 900, 1230, 1210, 1250, 1]]},
            "rows 1 and 2 both fit",
        ),
        ("GS-COATED-v1", {"substitutes": [{"grade": "A", "by": "A", "order": 1}]}, "cannot stand in for itself"),
        ("GS-COATED-v1", {"substitutes": [{"grade": "A", "by": b, "order": 1} for b in "BC"]}, "order twice"),
        ("RT-DELAY-v1", {"reasons": [{"code": "A", "text": "aa", "parent": "B"}]}, "below B, which is not there"),
        (
            "RT-DELAY-v1",
            {"reasons": [{"code": "A", "text": "aa", "parent": "B"}, {"code": "B", "text": "bb", "parent": "A"}]},
            "in a ring",
        ),
        ("DC-COATING-v1", {"items": [{"name": "aa", "text": "aa", "type": "choice"}]}, "choices belong"),
    ],
)
def test_what_does_not_make_sense_is_refused_by_name(name: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document(plain(name, **changes))
    assert said in caught.value.what


def test_the_leaves_of_a_tree_are_what_people_choose() -> None:
    tree = parse_document(plain("RT-DELAY-v1"))
    assert isinstance(tree, ReasonTree)
    codes = [leaf.code for leaf in tree.leaves]
    assert "ME-TAB" in codes
    assert "ME" not in codes


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (275, ""),
        (19, "is outside 20 to 600 g/m2"),
        ("275", "is no whole number"),
        (True, "is no whole number"),
        (None, "is missing"),
    ],
)
def test_a_collected_figure_is_checked(value: Any, fault: str) -> None:
    item = DataItem(name="spot", text="Spot", type="whole", unit="g/m2", min=20, max=600)
    assert item.fault(value) == fault


CASE = {"name": "tramp elements too high", "inputs": {"grade": "L06", "Cu": 2700, "Sn": 220}, "outcome": "violated"}


def test_cases_travel_with_a_rule_and_are_run() -> None:
    good = parse_document(plain("QR-RES-01-v2", cases=[CASE]))
    assert document_faults(good) == []
    assert parse_body(body_of(good)) == good
    bad = parse_document(plain("QR-RES-01-v2", cases=[{**CASE, "outcome": "in_order"}]))
    (fault,) = document_faults(bad)
    assert "must come out in_order, it comes out violated" in fault


def test_a_rule_without_cases_keeps_the_bytes_and_the_schema_it_had() -> None:
    rule = parse_document(plain("QR-RES-01-v2"))
    assert b'"cases"' not in body_of(rule)
    assert schema_of(rule) == 1
    assert schema_of(parse_document(plain("QR-RES-01-v2", cases=[CASE]))) == 2
    assert schema_of(parse_document(plain("RT-DELAY-v1"))) == 2


def test_a_repository_is_checked_by_command(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(as_yaml.write_text(parse_document(plain("QR-RES-01-v2", cases=[CASE]))))
    bad.write_text(good.read_text().replace("outcome: violated", "outcome: in_order"))
    assert CliRunner().invoke(standards, ["check", str(good)]).output == f"{good}: in order\n"
    found = CliRunner().invoke(standards, ["check", str(good), str(bad)])
    assert found.exit_code != 0
    assert "must come out in_order" in found.output
