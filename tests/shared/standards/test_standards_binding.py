"""Binding documents of the demo group to its plant models, and to plants that lack something."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from shared.standards.binding import Equipment, bind, effective_hash, segments
from shared.standards.documents import AnyStandard, Routing, parse_body
from shared.standards.facts import InstalledStandard
from shared.standards.queries import Deviation

DEMO = Path(__file__).parents[3] / "demo"


def document(name: str) -> AnyStandard:
    return parse_body((DEMO / "standards" / f"{name}.json").read_bytes())


def equipment(plant: str) -> list[Equipment]:
    model = tomllib.loads((DEMO / "plants" / plant / "model.toml").read_text())
    return [Equipment(unit["code"], unit["class"], unit.get("parameters", {})) for unit in model["unit"]]


@pytest.mark.parametrize("path", sorted((DEMO / "standards").glob("*.json")), ids=lambda path: path.stem)
@pytest.mark.parametrize("plant", ["ald", "brk", "cld"])
def test_every_demo_standard_binds_completely_where_it_is_for(path: Path, plant: str) -> None:
    found = parse_body(path.read_bytes())
    is_for_it = not found.scope.plants or plant.upper() in found.scope.plants
    assert (bind(found, plant.upper(), equipment(plant)).missing == ()) is is_for_it


def test_the_plants_own_values_are_bound_and_the_others_are_defaults() -> None:
    values = bind(document("R-GISLIT-v7"), "BRK", equipment("brk")).values
    assert values["FM.head_crop_kg"] == 62  # the plant's choice; the default is 60
    assert values["RF1.heating_min"] == 170
    assert not any(name.startswith("CC1") for name in values)


def test_a_route_is_cut_at_its_transports() -> None:
    routing = document("R-GISLIT-v7")
    assert isinstance(routing, Routing)
    assert [len(part) for part in segments(routing)] == [2, 3, 4]


def test_a_plant_that_takes_part_must_have_the_whole_segment() -> None:
    units = [unit for unit in equipment("cld") if unit.unit_class not in ("cold_mill", "slitter")]
    assert bind(document("R-GISLIT-v7"), "CLD", units).missing == (
        "R-GISLIT: no unit of class cold_mill",
        "R-GISLIT: no unit of class slitter",
    )


def test_a_plant_that_takes_no_part_lacks_everything() -> None:
    missing = bind(document("R-HRC-v4"), "CLD", [Equipment("PK1", "packing")]).missing
    assert len(missing) == 7  # six classes, and it is not for this plant


def units_with(value: object) -> list[Equipment]:
    return [
        Equipment("FM", "finishing_mill", {"head_crop_kg": value}),
        *(Equipment(name.upper(), name) for name in ("walking_beam_furnace", "coiler")),
    ]


@pytest.mark.parametrize(
    ("value", "fault"), [(0, False), (150, False), (151, True), (-1, True), ("62", True), (True, True), (62.5, True)]
)
def test_a_value_must_be_within_its_range(value: object, fault: bool) -> None:
    assert bool(bind(document("R-HRC-v4"), "BRK", units_with(value)).missing) is fault


def test_a_deviation_goes_beyond_the_range() -> None:
    deviation = Deviation("BRK", "d1", "R-HRC", "FM.head_crop_kg", "180", "lead", "worn knives", 0, 9, None)
    bound = bind(document("R-HRC-v4"), "BRK", units_with(62), [deviation])
    assert (bound.values["FM.head_crop_kg"], bound.missing) == (180, ())
    assert bind(document("R-GISLIT-v7"), "BRK", units_with(62), [deviation]).values["FM.head_crop_kg"] == 62


def test_the_effective_hash_depends_on_everything_in_force_and_on_nothing_else() -> None:
    one = InstalledStandard("QR-A", 1, "a" * 64, 5, {"FM.x": 1})
    two = InstalledStandard("QR-B", 1, "b" * 64, 5, {})
    base = effective_hash([one, two], ["d1", "d2"])
    assert effective_hash([two, one], ["d2", "d1"]) == base
    assert effective_hash([InstalledStandard("QR-A", 1, "a" * 64, 9, {"FM.x": 1}), two], ["d1", "d2"]) == base
    for other in (
        effective_hash([one], ["d1", "d2"]),
        effective_hash([InstalledStandard("QR-A", 1, "a" * 64, 5, {"FM.x": 2}), two], ["d1", "d2"]),
        effective_hash([InstalledStandard("QR-A", 2, "a" * 64, 5, {"FM.x": 1}), two], ["d1", "d2"]),
        effective_hash([InstalledStandard("QR-A", 1, "c" * 64, 5, {"FM.x": 1}), two], ["d1", "d2"]),
        effective_hash([one, two], ["d1"]),
    ):
        assert other != base
