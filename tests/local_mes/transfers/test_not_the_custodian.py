"""Only the custodian moves, weighs, works, packs, scraps and ships; only the addressee receives, refuses and closes.

Every verb of the plant's API that does something with a piece is tried on one that another plant has taken in.
"""

from __future__ import annotations

from typing import Any

from browse import Person, sign_in
from steel_group import SteelGroup

from local_mes.app import create_console
from shared.db.engine import read
from shared.journal.reading import lives

SLAB, OTHER, LOAD = "161738-1-1", "161738-1-2", "RT-1"
ROLES = ("operator", "yard", "quality", "planner", "lead", "engineer")
CUT = [{"from_um": 0, "to_um": 4_000_000}, {"from_um": 4_000_000, "to_um": 9_300_000}]

OF_THE_CUSTODIAN: dict[str, dict[str, Any]] = {
    f"pieces/{SLAB}/move": {"place": "YA"},
    f"pieces/{SLAB}/weigh": {"mass_g": 20_000_000},
    f"pieces/{SLAB}/scrap": {"reason": "cracked"},
    f"pieces/{SLAB}/remelt": {"bay": "SB", "scrap_grade": "own", "reason": "cracked"},
    "operations/work": {"operation": "cut", "unit": "CC1", "pieces": [SLAB], "parts": CUT},
    "packs": {"pieces": [SLAB, OTHER]},
    "shipments": {"to": "BRK", "number": "RT-9", "lines": [{"piece": SLAB}], "depart": True},
}
OF_THE_ADDRESSEE: dict[str, dict[str, Any]] = {
    "receipts/refuse": {"shipment": LOAD, "piece": SLAB, "note": "wet"},
    "receipts/close": {"shipment": LOAD},
    "receipts/match": {"receipt": "r" * 32, "shipment": LOAD, "piece": SLAB, "note": "it is this one"},
    "shipments/lost": {"shipment": LOAD, "piece": SLAB, "note": "gone"},
    "shipments/return": {"shipment": LOAD, "piece": SLAB, "note": "gone"},
    f"pieces/{SLAB}/scrap": {"reason": "cracked"},
}


def person(group: SteelGroup, plant: str) -> Person:
    there = group.plants[plant]
    return sign_in(create_console(there), there.node, f"all.{plant.lower()}", *ROLES)


def head(group: SteelGroup, plant: str) -> int:
    with read(group.plants[plant].node.engine) as conn:
        return sum(life.seq for life in lives(conn, plant))


def refusals(group: SteelGroup, plant: str, verbs: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Verb -> code of its refusal; empty where it was done, or was refused for its form."""
    who, found = person(group, plant), dict[str, str]()
    before = head(group, plant)
    for verb, body in verbs.items():
        answer = who.api("POST", f"/api/v1/{verb}", json={"command_id": group.command()} | body)
        named = answer.status_code in (404, 409) and answer.json is not None
        found[verb] = str(answer.json["code"]) if named and answer.json else f"{answer.status_code} {answer.text[:200]}"
    assert head(group, plant) == before, "nothing was recorded"
    return found


def test_every_verb_on_a_piece_that_another_plant_has_is_refused_by_name(group: SteelGroup) -> None:
    for number in (SLAB, OTHER):
        group.stock("ALD", number, 20_558)
    group.ship("ALD", "BRK", LOAD, [SLAB])
    group.sync()
    group.receive("BRK", SLAB, 20_600, LOAD)
    group.sync()
    custody = refusals(group, "ALD", OF_THE_CUSTODIAN)
    assert set(custody.values()) == {"stock.not_here", "production.not_here", "transfers.not_custodian"}
    assert refusals(group, "CLD", OF_THE_ADDRESSEE) == {
        "receipts/refuse": "transfers.unknown_load",
        "receipts/close": "transfers.unknown_load",
        "receipts/match": "transfers.not_waiting",
        "shipments/lost": "transfers.unknown_load",
        "shipments/return": "transfers.unknown_departure",
        f"pieces/{SLAB}/scrap": "material.unknown_number",
    }
