"""People decide about held steel: what is refused, what is recorded, and with which evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from production_bench import Bench
from sqlalchemy.exc import IntegrityError

from local_mes.level2.outbox import pass_on, tell
from local_mes.quality.service import PlaceHold, ReleaseHold, place_hold, release_hold
from shared.db.engine import open_engine, read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial
from shared.material.queries import find_piece, rows_of
from shared.quality.facts import HoldPlaced
from shared.quality.queries import find_hold, list_decisions, list_holds, open_holds

count = iter(range(10_000))


def command(hold_id: str, disposition: str, **more: Any) -> ReleaseHold:
    return ReleaseHold(f"q{next(count)}", "quality.ald", hold_id, disposition, **more)


def holds_of(bench: Bench, number: str) -> dict[str, str]:
    """Rule -> hold_id of the piece's open holds."""
    with read(bench.plant.node.engine) as conn:
        piece = find_piece(conn, number, "ALD")
        assert piece is not None
        return {held.rule_id: held.hold_id for held in open_holds(conn, piece.material_id)}


def test_a_slab_inside_on_its_own_steel_is_cleared_with_the_evaluation_as_evidence(held: Bench) -> None:
    for rule, hold_id in sorted(holds_of(held, "261838-1-3").items()):
        done = release_hold(held.plant, command(hold_id, "prime", note="mixed analysis within 0.38"))
        assert done["free"] == (rule == "QR-RES-01")  # only when the last of the two is ended
    assert "0.288" in done["evidence"]
    assert holds_of(held, "261838-1-3") == {}
    slab = held.piece("261838-1-3")
    assert slab.order_item == "710047/10"
    with read(held.plant.node.engine) as conn:
        decided = list_decisions(conn, rule_id="QR-CHE-01", ids=[slab.material_id])
        ended = find_hold(conn, hold_id)
        facts = {row.hold_id: row for row in list_holds(conn, ids=[slab.material_id])}
    assert [d.outcome for d in decided] == ["pass"]
    assert ended is not None
    assert (ended.disposition, ended.released_by, ended.note) == ("prime", "quality.ald", "mixed analysis within 0.38")
    assert all(row.released_at_ms for row in facts.values())
    assert ("CC2030", {"slab": "261838-1-3", "flag": "F"}) in held.sent_down()
    # the heat stays held, and so do the others
    assert set(holds_of(held, "161843")) == {"QR-CHE-01", "QR-RES-01"}
    assert holds_of(held, "161843-1-2")


def flags_of(bench: Bench, number: str) -> list[str]:
    return [fields["flag"] for name, fields in bench.sent_down() if name == "CC2030" and fields["slab"] == number]


def test_a_hold_that_was_not_placed_tells_the_caster_nothing(held: Bench) -> None:
    slab = held.piece("161842-1-1")
    assert not holds_of(held, slab.number)
    nameless: Any = None  # a command without an id is refused by the database, after the hold was written
    with pytest.raises(IntegrityError):
        place_hold(held.plant, PlaceHold(nameless, "quality.ald", slab.number, "look at it"))
    pass_on(held.plant)
    assert (holds_of(held, slab.number), flags_of(held, slab.number)) == ({}, [])


def test_flags_are_passed_on_in_their_order_once_the_spool_is_there_again(held: Bench, tmp_path: Path) -> None:
    slab = held.piece("161842-1-1")
    away = replace(held.plant, spool=open_engine(f"sqlite:///{tmp_path / 'no_spool.sqlite'}"))
    placed = place_hold(away, PlaceHold("away-hold", "quality.ald", slab.number, "look at it"))
    once = ReleaseHold("away-release", "quality.ald", placed["hold_id"], "prime", note="looked at")
    done = release_hold(away, once)
    assert flags_of(held, slab.number) == []
    assert pass_on(held.plant) == 2
    assert pass_on(held.plant) == 0
    assert flags_of(held, slab.number) == ["H", "F"]
    with held.plant.journal.work() as tx:  # a crash after the spool's commit leaves the row in the outbox
        tell(tx.conn, "CC1", "CC2030", {"slab": slab.number, "flag": "H"}, key=f"CC2030:H:{placed['hold_id']}")
    assert pass_on(held.plant) == 1
    assert release_hold(held.plant, once) == done
    assert flags_of(held, slab.number) == ["H", "F"]


def test_a_slab_that_still_breaks_the_rule_is_not_prime(held: Bench) -> None:
    holds = holds_of(held, "161843-1-2")
    with pytest.raises(Refused, match=r"QR-RES-01 still speaks against it: .*> 0\.38") as refused:
        release_hold(held.plant, command(holds["QR-RES-01"], "prime"))
    assert refused.value.kept == "It stays held."
    assert holds_of(held, "161843-1-2") == holds


def test_a_held_slab_is_applied_to_another_order_and_limited_to_it(held: Bench) -> None:
    for hold_id in holds_of(held, "161843-1-1").values():
        again = command(hold_id, "reapply", order_item="710066/10", only_for="DD11", note="residuals allow DD11 only")
        done = release_hold(held.plant, again)
        assert release_hold(held.plant, again) == done  # the same command twice is done once
    assert done["free"]
    slab = held.piece("161843-1-1")
    assert slab.order_item == "710066/10"
    with read(held.plant.node.engine) as conn:
        limits = {row.only_for for row in list_holds(conn, state="released", ids=[slab.material_id])}
        last = list_decisions(conn, rule_id="QR-RES-01", ids=[slab.material_id], limit=1)[0]
    assert limits == {"DD11"}
    assert last.outcome == "hold"  # the evaluation stands beside the person's decision


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"disposition": "reapply"}, BadInput, "needs the order item"),
        ({"disposition": "reapply", "order_item": "999/1"}, BadInput, "'999/1' is not released here"),
        ({"disposition": "fine"}, BadInput, "'fine' is no disposition"),
        ({"disposition": "rework", "piece": "161842-1-1"}, Refused, "does not reach 161842-1-1"),
        ({"disposition": "rework", "piece": "no-such"}, NotFound, "no-such"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    held: Bench, more: dict[str, str], error: type[Exception], said: str
) -> None:
    hold_id = holds_of(held, "161843-2-2")["QR-RES-01"]
    with pytest.raises(error, match=said):
        release_hold(held.plant, command(hold_id, **more))
    assert "QR-RES-01" in holds_of(held, "161843-2-2")


def test_a_hold_ends_once_and_only_at_its_plant(held: Bench) -> None:
    hold_id = holds_of(held, "161843-2-3")["QR-CHE-01"]
    release_hold(held.plant, command(hold_id, "downgrade", only_for="DD11"))
    with pytest.raises(Refused, match=r"released already \(downgrade\)"):
        release_hold(held.plant, command(hold_id, "downgrade"))
    with pytest.raises(NotFound, match="There is no hold 'nobody'"):
        release_hold(held.plant, command("nobody", "prime"))


def test_a_hold_by_hand_needs_a_reason_and_a_note_to_end(held: Bench) -> None:
    with pytest.raises(BadInput, match="needs a reason"):
        place_hold(held.plant, PlaceHold("h1", "quality.ald", "161842-1-1", "  "))
    with pytest.raises(NotFound):
        place_hold(held.plant, PlaceHold("h2", "quality.ald", "no-such", "crack"))
    order = PlaceHold("h3", "quality.ald", "161842-1-1", "corner crack")
    placed = place_hold(held.plant, order)
    assert place_hold(held.plant, order) == placed
    assert holds_of(held, "161842-1-1") == {"": placed["hold_id"]}
    with pytest.raises(BadInput, match="rests on your judgement"):
        release_hold(held.plant, command(placed["hold_id"], "prime"))
    done = release_hold(held.plant, command(placed["hold_id"], "prime", note="scarfed, looked at again"))
    assert (done["free"], done["evidence"]) == (True, "")


def test_scrap_ends_the_piece(held: Bench) -> None:
    placed = place_hold(held.plant, PlaceHold("s1", "quality.ald", "161842-2-1", "twisted"))
    release_hold(held.plant, command(placed["hold_id"], "scrap", note="twisted beyond use"))
    assert held.piece("161842-2-1").state == "scrapped"
    with pytest.raises(Refused, match="161842-2-1 is scrapped"):
        place_hold(held.plant, PlaceHold("s2", "quality.ald", "161842-2-1", "again"))


def test_a_heat_held_by_hand_holds_all_its_slabs(held: Bench) -> None:
    placed = place_hold(held.plant, PlaceHold("heat", "quality.ald", "261839", "wrong ladle lining"))
    with read(held.plant.node.engine) as conn:
        reached = [row for row in list_holds(conn, state="open") if row.inherited_from == placed["hold_id"]]
        slabs = [row.number for row in rows_of(conn, [row.material_id for row in reached])]
    assert {"261839-1-1", "261839-2-3", "161843-1-3"} <= set(slabs)
    assert not any(number.startswith("161842") for number in slabs)
    for row in reached:
        release_hold(held.plant, command(row.hold_id, "prime", note="lining was right"))


def test_a_hold_of_a_slab_reaches_what_is_cut_from_it_and_one_part_can_be_freed(held: Bench) -> None:
    parent = held.piece("161842-1-2")
    daughters = [_daughter(held, parent, i) for i in (1, 2)]
    mother = _hold_consumed(held, parent.material_id)
    assert [holds_of(held, number) for number in daughters] == [{"": mother}, {"": mother}]
    done = release_hold(held.plant, command(mother, "rework", piece=daughters[1]))
    assert done["free"]
    assert done["hold_id"] != mother
    assert holds_of(held, daughters[1]) == {}
    assert holds_of(held, daughters[0]) == {"": mother}


def _daughter(bench: Bench, parent: Any, part: int) -> str:
    """Half of a slab, cut off by hand."""
    number, half = f"{parent.number}-{part}", parent.length_um // 2
    material_id = f"{part:032x}"
    child = NewMaterial(
        material_id=material_id,
        kind="slab",
        aliases=(NewAlias("ALD.slab", number),),
        mass=Mass(parent.mass_g // 2, "theoretical"),
        grade=parent.grade,
        order_item=parent.order_item,
    )
    edge = Edge(
        parent_id=parent.material_id,
        child_id=material_id,
        parent_from_um=(part - 1) * half,
        parent_to_um=part * half,
        child_from_um=0,
        child_to_um=half,
        mass_g=parent.mass_g // 2,
    )
    fact = MaterialTransformed(
        operation_id=f"{part + 100:032x}",
        operation="cut",
        unit="CC1",
        started_at_ms=1,
        ended_at_ms=2,
        parents=(Consumed(parent.material_id, parent.mass_g // 2, whole=part == 2),),
        children=(child,),
        edges=(edge,),
    )
    _record(bench, fact, material_id)
    return number


def _hold_consumed(bench: Bench, material_id: str) -> str:
    hold_id = "f" * 32
    _record(bench, HoldPlaced(hold_id=hold_id, material_id=material_id, reason="segregation"), material_id)
    return hold_id


def _record(bench: Bench, fact: Any, subject: str) -> None:
    with bench.plant.journal.work() as tx:
        tx.record(Draft(fact, (subject,), "quality.ald", Occurred(tx.now_ms(), "manual")))


def test_another_plants_hold_is_not_ours_to_end(held: Bench) -> None:
    from shared.db.upsert import upsert
    from shared.quality.tables import hold

    slab = held.piece("161842-2-2")
    row = {
        "author": "BRK",
        "hold_id": "b" * 32,
        "material_id": slab.material_id,
        "reason": "dent",
        "rule_id": "",
        "decision_id": "",
        "inherited_from": "",
        "placed_at_ms": 1,
        "placed_by": "x",
        "released_at_ms": None,
        "released_by": "",
        "disposition": "",
        "note": "",
        "only_for": "",
    }
    with write(held.plant.node.engine) as conn:
        upsert(conn, hold, [row])
    with pytest.raises(Refused, match="placed by BRK; ALD cannot release it"):
        release_hold(held.plant, command("b" * 32, "prime", note="fine"))
