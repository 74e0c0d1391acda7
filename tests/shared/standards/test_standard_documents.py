from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.standards.canonical import body_of, canonical_bytes, sha256
from shared.standards.check import document_faults
from shared.standards.documents import parse_body, parse_document

DEMO = sorted((Path(__file__).parents[3] / "demo" / "standards").glob("*.json"))


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.stem)
def test_every_standard_of_the_demo_group_is_in_order(path: Path) -> None:
    document = parse_body(path.read_bytes())
    assert document_faults(document) == []
    assert path.stem == f"{document.id}-v{document.version}"


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.stem)
def test_canonical_bytes_are_a_fixed_point(path: Path) -> None:
    body = body_of(parse_body(path.read_bytes()))
    assert body_of(parse_body(body)) == body


def test_the_hash_of_a_document_is_kept_for_ever() -> None:
    """Golden: a changed spelling of old documents would make every signature given before worthless."""
    assert sha256(canonical_bytes({"b": ["ü", 1], "a": None})) == (
        "c05101ed3ab01a8da96f4b9162236650bf57c04e42e4095aeab10eb0673c9399"
    )


def test_floats_have_no_canonical_form() -> None:
    with pytest.raises(TypeError):
        canonical_bytes({"limit": [0.38]})


def rule(**changes: object) -> dict:
    check = {"kind": "expression", "variables": [{"name": "Cu", "unit": "%"}], "condition": "Cu <= 0.22"}
    check.update(changes)
    return {
        "kind": "quality_rule",
        "id": "QR-X",
        "version": 1,
        "title": "A rule",
        "owner": "o",
        "takes_hold": "at_once",
        "rule": {"when": ["sample_final"], "check": check, "otherwise": {"action": "hold"}},
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"condition": "Cu <= 0.22 && Zn <= 1"}, "'Zn' (column 15)"),
        ({"condition": "Cu + 1"}, "true or false"),
        ({"applies": "Cu =="}, "applies:"),
        ({"variables": [{"name": "Zn", "unit": "%"}]}, "offers no variable Zn"),
        ({"variables": [{"name": "Cu", "unit": "kg"}]}, "Cu is a number in %"),
    ],
)
def test_an_author_is_told_what_is_wrong_before_anyone_sees_the_draft(changes: dict, words: str) -> None:
    faults = document_faults(parse_document(rule(**changes)))
    assert len(faults) == 1
    assert words in faults[0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "poem"}, "kind"),
        ({"version": 0}, "version"),
        ({"colour": "red"}, "colour"),
        ({"id": "lower case"}, "id"),
        (
            {"parameters": [{"name": "cut", "of": "pickling", "unit": "um", "default": 9, "min": 0, "max": 5}]},
            "parameters",
        ),
    ],
)
def test_a_document_that_does_not_fit_names_the_field(change: dict, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document({**rule(), **change})
    assert field in caught.value.what


def test_limits_that_leave_nothing_are_refused() -> None:
    check = {"kind": "limits", "grades": [{"grade": "L06", "limits": [{"element": "C", "min_e6": 650, "max_e6": 300}]}]}
    document = rule()
    document["rule"]["check"] = check
    with pytest.raises(BadInput, match="leave nothing"):
        parse_document(document)


def test_an_element_nobody_knows_is_found() -> None:
    document = rule()
    document["rule"]["check"] = {
        "kind": "limits",
        "grades": [{"grade": "L06", "limits": [{"element": "Xx", "max_e6": 3}]}],
    }
    assert document_faults(parse_document(document)) == ["Xx is not an element of an analysis"]


def test_a_formula_with_an_unknown_measure_is_found() -> None:
    kpi = {
        "kind": "kpi",
        "id": "KPI-X",
        "version": 1,
        "title": "A figure",
        "owner": "o",
        "takes_hold": "at_once",
        "better": "higher",
        "formulas": [
            {
                "at": "pickling",
                "title": "t",
                "unit": "%",
                "formula": "good / bad",
                "measures": [{"name": "good", "of": "pickling", "measure": "good_g"}],
            }
        ],
    }
    assert "'bad' (column 8)" in document_faults(parse_document(kpi))[0]


def test_a_parameter_of_a_class_no_step_uses_is_found() -> None:
    routing = {
        "kind": "routing",
        "id": "R-X",
        "version": 1,
        "title": "A route",
        "owner": "o",
        "takes_hold": "next_step",
        "product": "p",
        "steps": [{"number": 10, "name": "melt", "classes": ["eaf"]}],
        "parameters": [{"name": "cut_um", "of": "pickling", "unit": "um", "default": 3, "min": 0, "max": 5}],
    }
    assert "which no step uses" in document_faults(parse_document(routing))[0]
