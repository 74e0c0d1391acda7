"""The library of a steel group: every file is in order with its cases, says where it comes from, and is bound by every
plant it is for, with the group's own standards beside it."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from shared.errors import BadSetup
from shared.standards.as_yaml import read_text, write_text
from shared.standards.binding import Equipment, bind, effective_hash
from shared.standards.canonical import body_of, sha256
from shared.standards.check import document_faults
from shared.standards.cli import standards
from shared.standards.documents import AnyStandard, GroupRule, Kpi, Product, QualityRule, parse_document
from shared.standards.facts import InstalledStandard

DEMO = Path(__file__).parents[3] / "demo"
LIBRARY = sorted((DEMO / "standards" / "library").glob("*.yaml"))
ASKED_FOR = {"routing": 12, "quality_rule": 40, "kpi": 20, "product": 10, "reason_tree": 3, "group_rule": 4}


def read(path: Path) -> AnyStandard:
    return parse_document(read_text(path.read_text()))


@pytest.fixture(scope="module")
def library() -> dict[str, AnyStandard]:
    return {path.stem: read(path) for path in LIBRARY}


@pytest.fixture(scope="module")
def group(library: dict[str, AnyStandard]) -> list[AnyStandard]:
    """The library and the group's own, the newest version of each."""
    own = [read(path) for path in sorted((DEMO / "standards").glob("*.json"))]
    return list({document.id: document for document in [*own, *library.values()]}.values())


def equipment(plant: str) -> list[Equipment]:
    model = tomllib.loads((DEMO / "plants" / plant / "model.toml").read_text())
    return [Equipment(unit["code"], unit["class"], unit.get("parameters", {})) for unit in model["unit"]]


def test_the_library_has_what_a_group_needs_each_in_a_file_of_its_name(
    library: dict[str, AnyStandard], group: list[AnyStandard]
) -> None:
    assert [stem for stem, document in library.items() if stem != f"{document.id}-v{document.version}"] == []
    kinds = Counter(document.kind for document in group)
    assert {kind: kinds[kind] for kind in ASKED_FOR if kinds[kind] < ASKED_FOR[kind]} == {}


def test_the_command_finds_every_file_in_order_and_a_case_that_comes_out_otherwise(tmp_path: Path) -> None:
    said = CliRunner().invoke(standards, ["check", *map(str, LIBRARY)], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert said.output.count("in order") == len(LIBRARY)
    wrong = tmp_path / "KPI-QR.yaml"
    source = next(path for path in LIBRARY if path.stem == "KPI-QR-v1").read_text()
    wrong.write_text(source.replace("gives_milli: 99000", "gives_milli: 98000"))
    with pytest.raises(BadSetup):
        CliRunner().invoke(standards, ["check", str(wrong)], catch_exceptions=False, standalone_mode=False)


def test_rules_and_kpis_are_tried_and_name_their_source(library: dict[str, AnyStandard]) -> None:
    untried = [d.id for d in library.values() if isinstance(d, QualityRule | Kpi | GroupRule) and not d.cases]
    rules = [d for d in library.values() if isinstance(d, QualityRule | GroupRule)]
    one_sided = [d.id for d in rules if not {"in_order", "violated"} <= {case.outcome for case in d.cases}]
    nameless = [
        d.id
        for d in library.values()
        if isinstance(d, QualityRule | Kpi) and not ("Source:" in d.purpose or "House practice" in d.purpose)
    ]
    unsourced = [d.id for d in library.values() if isinstance(d, Product) and not d.source]
    assert (untried, one_sided, nameless, unsourced) == ([], [], [], [])


def test_a_file_written_anew_has_the_same_hash(library: dict[str, AnyStandard]) -> None:
    moved = [d.id for d in library.values() if body_of(parse_document(read_text(write_text(d)))) != body_of(d)]
    assert moved == []


@pytest.mark.parametrize("plant", ["ald", "brk", "cld"])
def test_each_plant_binds_all_that_is_for_it_into_one_set(plant: str, group: list[AnyStandard]) -> None:
    code, units = plant.upper(), equipment(plant)
    mine = [d for d in group if d.kind != "group_rule" and (not d.scope.plants or code in d.scope.plants)]
    bound = {d.id: bind(d, code, units) for d in mine}
    assert [missing for found in bound.values() for missing in found.missing] == []
    installed = [InstalledStandard(d.id, d.version, sha256(body_of(d)), 0, bound[d.id].values) for d in mine]
    assert effective_hash(installed, ()) == effective_hash(reversed(installed), ())
    assert {d.kind for d in mine} >= {"routing", "quality_rule", "kpi", "product", "reason_tree"}


def test_a_kpi_speaks_of_the_elements_of_its_name_alone(library: dict[str, AnyStandard]) -> None:
    written = library["KPI-QR-v1"].model_dump(mode="json")
    written["formulas"][0]["measures"][0]["element"] = "PBT"
    assert document_faults(parse_document(written)) == [
        "at slab_caster: good stands for PBT, QualityRatio is made of GQ, PQ"
    ]
    written["iso22400"] = "Goodness"
    assert document_faults(parse_document(written)) == ["Goodness is no KPI of ISO 22400-2"]
