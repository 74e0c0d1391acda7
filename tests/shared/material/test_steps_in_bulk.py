"""Steps applied in bulk give what they give one by one, also when a piece that was used up is brought back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.db.engine import read, write
from shared.errors import BadInput
from shared.journal.fact import AppliedFact, Occurred
from shared.journal.journal import Journal
from shared.material import facts as f
from shared.material.correction_facts import MarkCorrected, MoveCorrected
from shared.material.queries import find_material

COIL, REST, PARENT = "a" * 32, "b" * 32, "c" * 32


def piece(material_id: str, mass_g: int) -> f.NewMaterial:
    return f.NewMaterial(material_id=material_id, kind="coil", aliases=(), mass=f.Mass(mass_g, "weighed"))


def step(at: int, used: str, made: str, mass_g: int) -> AppliedFact[Any]:
    payload = f.MaterialTransformed(
        operation_id=f"{at:032x}",
        operation="cut",
        unit="CM1",
        started_at_ms=at,
        ended_at_ms=at,
        parents=(f.Consumed(used, mass_g),),
        children=(piece(made, mass_g),),
        edges=(),
    )
    return AppliedFact(f"{at:032x}", "MaterialTransformed", "BRK", "l2", (made,), Occurred(at, "l2"), at, None, payload)


@pytest.mark.parametrize("bulk", [1, 2, 3])
def test_a_piece_that_is_made_again_after_it_was_used_lives(journal: Journal, bulk: int) -> None:
    born = f.MaterialCreated(material=piece(PARENT, 20), origin="made")
    first = AppliedFact("f" * 32, "MaterialCreated", "BRK", "l2", (PARENT,), Occurred(0, "l2"), 0, None, born)
    steps = [step(1, PARENT, COIL, 20), step(2, COIL, REST, 20), step(3, REST, COIL, 19)]
    with write(journal.engine) as conn:
        journal.appliers.apply(conn, [first])
        for at in range(0, len(steps), bulk):
            journal.appliers.apply(conn, steps[at : at + bulk])
    with read(journal.engine) as conn:
        states = {name: find_material(conn, "BRK", name) for name in (PARENT, COIL, REST)}
    assert {name: row.state for name, row in states.items() if row is not None} == {
        PARENT: "consumed",
        COIL: "live",
        REST: "consumed",
    }
    assert states[COIL] is not None
    assert states[COIL].mass_g == 19


@pytest.mark.parametrize(("fact", "long"), [(MoveCorrected, {"place": "Y" * 65}), (MarkCorrected, {"kind": "k" * 65})])
def test_a_corrected_move_or_mark_with_a_text_too_long_is_refused_on_every_database(
    journal: Journal, fact: type[Any], long: dict[str, str]
) -> None:
    said = {
        "corrects": "d" * 32,
        "material_id": COIL,
        "was": "a",
        "now": "b",
        "mark_id": "m",
        "place": "",
        "reason": "r",
    }
    payload = msgspec.convert(said | long, fact)
    known = AppliedFact("e" * 32, fact.__name__, "BRK", "p1", (COIL,), Occurred(1, "p1"), 1, None, payload)
    with write(journal.engine) as conn, pytest.raises(BadInput, match="takes 64 characters"):
        journal.appliers.apply(conn, [known])
