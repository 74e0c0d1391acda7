from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from central_hub.conformance.domain import Cell, Published, Reported, Wanted, hash_differs, judge
from central_hub.conformance.words import SIGNS, text_of
from shared.standards.binding import effective_hash
from shared.standards.documents import parse_document
from shared.standards.facts import InstalledStandard
from shared.standards.queries import Adopted, Deviation

ROUTE = parse_document(json.loads((Path(__file__).parents[3] / "demo" / "standards" / "R-HRC-v4.json").read_text()))
HASH, OTHER = "a" * 64, "b" * 64
PUBLISHED = Published({(4, HASH): ROUTE, (3, OTHER): ROUTE})
AWAY_MS = 1_773_219_000_000  # 2026-03-11T08:50Z


def adopted(version: int = 4, sha256: str = HASH, **values: int | str) -> Adopted:
    return Adopted("BRK", "R-HRC", version, sha256, 0, 5, None, {f"FM.{name}": value for name, value in values.items()})


def deviation(value: str = "180") -> Deviation:
    return Deviation("BRK", "d1", "R-HRC", "FM.head_crop_kg", value, "lead", "worn knives", 0, 99, None)


def look(
    runs: Adopted | None,
    wanted: tuple[int, str] | None = (4, HASH),
    *,
    away: int | None = None,
    refusal: str = "",
    deviations: tuple[Deviation, ...] = (),
) -> Cell:
    in_force = {"R-HRC": runs} if runs else {}
    assigned = Wanted(*wanted) if wanted else None
    return judge("R-HRC", assigned, PUBLISHED, Reported("BRK", away, "h", in_force, deviations, refusal), 0)


@pytest.mark.parametrize(
    ("cell", "state", "text"),
    [
        (look(adopted()), "runs_it", "v4"),
        (look(adopted(), away=AWAY_MS), "runs_it", "v4"),  # away but up to date when last heard of
        (look(adopted(3, OTHER), away=AWAY_MS), "away", "v3, away since 08:50"),
        (look(None, away=AWAY_MS), "away", "nothing, away since 08:50"),
        (look(adopted(3, OTHER)), "on_its_way", "v3, v4 on its way"),
        (look(adopted(3, OTHER), refusal="no unit"), "refused", "v3, refused v4"),
        (look(None, None), "not_for_it", "–"),
        (look(adopted(), None), "extra", "v4, no longer assigned"),
        (look(adopted(head_crop_kg=180), deviations=(deviation(),)), "deviates", "v4, deviates"),
    ],
)
def test_states_and_their_words(cell: Cell, state: str, text: str) -> None:
    assert (cell.state, text_of(cell)) == (state, text)
    assert state in SIGNS


def test_the_plants_own_choice_within_the_range_is_no_drift() -> None:
    assert look(adopted(head_crop_kg=62)).state == "runs_it"


@pytest.mark.parametrize(
    ("runs", "deviations", "words"),
    [
        (adopted(head_crop_kg=151), (), "FM.head_crop_kg = 151, published is 0..150 kg"),
        (adopted(head_crop_kg=181), (deviation("180"),), "FM.head_crop_kg = 181"),
        (adopted(colour="red"), (), "is no parameter"),
        (adopted(4, OTHER), (), "was never published"),
        (adopted(9, HASH), (), "was never published"),
    ],
)
def test_what_is_neither_published_nor_declared_is_drift_and_names_the_fields(
    runs: Adopted, deviations: tuple[Deviation, ...], words: str
) -> None:
    for away in (None, AWAY_MS):
        cell = look(runs, deviations=deviations, away=away)
        assert cell.state == "drift"
        assert words in cell.differences[0]


def test_a_hash_that_is_not_that_of_the_reported_set_is_seen() -> None:
    mine = adopted(head_crop_kg=62)
    good = effective_hash([InstalledStandard("R-HRC", 4, HASH, 0, mine.values)], [])
    values: dict[str, Any] = {"plant": "BRK", "away_since_ms": None, "in_force": {"R-HRC": mine}, "deviations": ()}
    assert not hash_differs(Reported(effective_hash=good, **values))
    assert hash_differs(Reported(effective_hash="0" * 64, **values))
    assert not hash_differs(Reported(effective_hash="", **{**values, "in_force": {}}))
