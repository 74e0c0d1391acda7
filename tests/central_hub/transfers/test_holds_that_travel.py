"""A hold reaches what left before it was placed: at other plants, on the way, in what was made of it; and so does its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_sync import SealedGroup
from sqlalchemy import select
from steel_group import HOUR, MINUTE, SteelGroup

from central_hub.transfers.service import reconcile
from local_mes.quality.others import read_others
from local_mes.quality.service import PlaceHold, ReleaseHold, place_hold, release_hold
from shared.clock import FixedClock
from shared.db.engine import read
from shared.errors import Refused
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.tables import entry, fact
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial
from shared.quality.facts import HoldPlaced, HoldReleased
from shared.quality.queries import open_holds
from shared.transfers.case_queries import find_cases

SLABS = ["161738-1-1", "161738-1-2", "161738-1-3"]
KG = 20_558


@pytest.fixture
def sealed(tmp_path: Path, clock: FixedClock) -> Iterator[SealedGroup]:
    made = SealedGroup(tmp_path, clock)
    yield made
    made.close()


def holds(group: SteelGroup, plant: str, piece: str) -> list[str]:
    with read(group.plants[plant].node.engine) as conn:
        return [held.reason for held in open_holds(conn, piece)]


def hold(group: SteelGroup, number: str) -> str:
    done = place_hold(group.plants["ALD"], PlaceHold(group.command(), "q1", number, "copper found late"))
    return str(done["hold_id"])


def free(group: SteelGroup, hold_id: str, piece: str = "") -> None:
    command = ReleaseHold(group.command(), "q1", hold_id, "prime", note="tested again", piece=piece)
    release_hold(group.plants["ALD"], command)


def roll(group: SteelGroup, slab: str, number: str) -> str:
    """BRK makes a coil of a slab."""
    coil = slab[::-1]
    made = NewMaterial(
        material_id=coil, kind="coil", aliases=(NewAlias("BRK.coil", number),), mass=Mass(20_000_000, "weighed"),
        order_item="stock", grade="L06",
    )  # fmt: skip
    edge = Edge(
        parent_id=slab, child_id=coil, parent_from_um=0, parent_to_um=1, child_from_um=0, child_to_um=1, mass_g=1
    )
    rolled = MaterialTransformed(
        operation_id=slab[:16] * 2, operation="roll", unit="FM", started_at_ms=1, ended_at_ms=2,
        parents=(Consumed(slab, 20_000_000),), children=(made,), edges=(edge,),
    )  # fmt: skip
    say(group, "BRK", rolled, slab, coil)
    return coil


def cut(group: SteelGroup, slab: str) -> list[str]:
    """ALD cuts a slab in two: the ids of S-1 and S-2."""
    halves = [f"{at}{slab[1:]}" for at in (8, 9)]
    children = tuple(
        NewMaterial(
            material_id=half, kind="slab", aliases=(NewAlias("ALD.slab", f"S-{at}"),), mass=Mass(10_000_000, "theoretical"),
            order_item="stock", grade="L06", place="YA",
        )
        for at, half in enumerate(halves, 1)
    )  # fmt: skip
    edges = tuple(
        Edge(parent_id=slab, child_id=half, parent_from_um=at, parent_to_um=at + 1, child_from_um=0, child_to_um=1,
             mass_g=1)
        for at, half in enumerate(halves)
    )  # fmt: skip
    parted = MaterialTransformed(
        operation_id=slab[:16] * 2, operation="cut", unit="TC", started_at_ms=1, ended_at_ms=2,
        parents=(Consumed(slab, 20_000_000),), children=children, edges=edges,
    )  # fmt: skip
    say(group, "ALD", parted, slab, *halves)
    return halves


def say(group: SteelGroup, plant: str, payload: Payload, *subjects: str) -> None:
    with group.plants[plant].node.journal.work() as tx:
        tx.record(Draft(payload, subjects, "p1", Occurred(group.clock.now_ms(), "manual")))


def test_a_hold_reaches_the_yard_the_mill_the_next_plant_and_what_is_on_its_way(group: SteelGroup) -> None:
    lies, used, comes = [group.stock("ALD", number, KG) for number in SLABS]
    group.ship("ALD", "BRK", "RT-1", SLABS)
    group.sync()
    own = [group.receive("BRK", number, KG, "RT-1")["own_number"] for number in SLABS[:2]]
    coil = roll(group, used, "B6-9001")
    group.sync()
    group.cut.add("BRK")  # it sends the coil on, and nobody can tell it anything
    group.ship("BRK", "CLD", "RC-1", ["B6-9001"])
    placed = [hold(group, number) for number in SLABS]
    group.sync()
    assert holds(group, "BRK", lies) == [], "its line is cut: what it enforces is what it has heard"
    group.cut.clear()
    group.pass_time(MINUTE)
    group.sync()
    for piece in (lies, used, comes, coil):
        assert holds(group, "BRK", piece) == ["held by ALD: copper found late"]
    assert holds(group, "CLD", coil) == ["held by ALD: copper found late"], (
        "on its way to a plant that has no slab of it"
    )
    with pytest.raises(Refused, match="is held: held by ALD"):
        group.ship("BRK", "CLD", "RC-2", [own[0]])
    group.receive("CLD", "B6-9001", 20_000, "RC-1")
    group.receive("BRK", SLABS[2], KG, "RT-1")
    assert holds(group, "CLD", coil)
    assert holds(group, "BRK", comes)
    with read(group.hub.node.engine) as conn:
        (case,) = find_cases(conn, kind="quality_changed")
    assert "BRK had used it already" in case.summary
    assert "B6-9001" in case.summary
    group.sync()
    assert reconcile(group.hub).relayed == 0, "nothing is told twice"
    for hold_id in placed:
        free(group, hold_id)
    group.sync()
    for plant, piece in (("BRK", lies), ("BRK", used), ("BRK", comes), ("BRK", coil), ("CLD", coil)):
        assert holds(group, plant, piece) == []
    group.ship("BRK", "CLD", "RC-3", [own[0]])


def test_a_release_never_overtakes_its_hold_and_is_its_makers_to_say(group: SteelGroup) -> None:
    slab = group.stock("ALD", SLABS[0], KG)
    group.ship("ALD", "BRK", "RT-1", SLABS[:1])
    group.sync()
    group.cut.add("BRK")
    first = hold(group, SLABS[0])
    group.sync()
    free(group, first)
    group.sync()
    second = hold(group, SLABS[0])
    group.sync()
    with read(group.hub.node.engine) as conn:
        down = select(fact.c.type).join(entry, entry.c.fact_id == fact.c.fact_id).where(entry.c.stream == "HUB>BRK")
        told = [x for x in conn.execute(down.order_by(entry.c.epoch, entry.c.seq)).scalars() if x.startswith("Hold")]
    assert told == ["HoldPlaced", "HoldReleased", "HoldPlaced"]
    group.cut.clear()
    group.sync()
    assert len(holds(group, "BRK", slab)) == 1
    with read(group.plants["BRK"].node.engine) as conn:
        (held,) = open_holds(conn, slab)
    with pytest.raises(Refused, match=r"came from another plant \(held by ALD: copper found late\)"):
        release_hold(group.plants["BRK"], ReleaseHold(group.command(), "q2", held.hold_id, "prime", note="no"))
    free(group, second)
    group.sync()
    assert holds(group, "BRK", slab) == []


def test_a_piece_that_is_freed_alone_is_free_where_it_lies_and_its_sisters_stay_held(group: SteelGroup) -> None:
    slab = group.stock("ALD", "S", KG)
    first, second = cut(group, slab)
    group.ship("ALD", "BRK", "RT-1", ["S-1", "S-2"])
    whole = "d" * 32  # a rule speaks late, of what is cut and gone: a person would hold the halves
    rule = HoldPlaced(hold_id=whole, material_id=slab, reason="copper found late", rule_id="QR-RES-01")
    say(group, "ALD", rule, slab, whole)
    group.sync()
    assert [holds(group, "BRK", piece) for piece in (first, second)] == [["held by ALD: copper found late"]] * 2
    free(group, whole, "S-1")
    group.sync()
    assert (holds(group, "BRK", first), len(holds(group, "BRK", second))) == ([], 1)
    assert reconcile(group.hub).relayed == 0, "the end is told once"
    free(group, whole)
    group.sync()
    assert holds(group, "BRK", second) == []


def test_no_other_plant_ends_a_hold_where_it_was_carried(group: SteelGroup) -> None:
    slab = group.stock("ALD", SLABS[0], KG)
    group.ship("ALD", "BRK", "RT-1", SLABS[:1])
    placed = hold(group, SLABS[0])
    group.sync()
    group.pass_time(MINUTE)
    say(group, "CLD", HoldReleased(hold_id=placed, material_id=slab, disposition="prime"), slab, placed)
    group.sync()
    assert len(holds(group, "BRK", slab)) == 1, "an end of a hold that it did not place"
    say(group, "CLD", HoldPlaced(hold_id=placed, material_id=slab, reason="the same id"), slab, placed)
    own = HoldPlaced(hold_id="c" * 32, material_id=slab, reason="under it", inherited_from=placed)
    say(group, "CLD", own, slab, own.hold_id)
    say(group, "CLD", HoldReleased(hold_id=own.hold_id, material_id=slab, disposition="prime"), slab, own.hold_id)
    group.sync()
    assert holds(group, "BRK", slab) == ["held by ALD: copper found late"], "an end of another hold of that id"
    free(group, placed)
    group.sync()
    assert holds(group, "BRK", slab) == []


def test_a_hub_put_back_to_before_a_hold_keeps_it_until_its_maker_ends_it(group: SteelGroup, tmp_path: Path) -> None:
    slab = group.stock("ALD", SLABS[0], KG)
    group.ship("ALD", "BRK", "RT-1", SLABS[:1])
    hold(group, SLABS[0])
    group.sync()
    second = SteelGroup(tmp_path / "hub again", group.clock, plants_of=group)
    second.up("BRK")
    reconcile(second.hub)
    assert holds(group, "BRK", slab), "what a hub has not heard of again is not over"
    second.up("ALD")
    assert reconcile(second.hub).relayed
    second.hub.node.engine.dispose()


def test_a_plant_that_is_away_enforces_the_last_sealed_list_and_knows_its_age(sealed: SealedGroup) -> None:
    slab = sealed.stock("ALD", SLABS[0], KG)
    sealed.ship("ALD", "BRK", "RT-1", SLABS[:1])
    sealed.sync()
    hold(sealed, SLABS[0])
    sealed.sync()
    brk = sealed.plants["BRK"].node
    with read(brk.engine) as conn:
        fresh = read_others(conn, "BRK", sealed.clock.now_ms())
    assert (fresh.open_count, fresh.is_old) == (1, False)
    assert (fresh.age_ms or 0) < MINUTE
    sealed.cut.add("BRK")
    sealed.pass_time(3 * HOUR)
    sealed.sync()
    with read(brk.engine) as conn:
        old = read_others(conn, "BRK", sealed.clock.now_ms())
    assert (old.open_count, old.is_old) == (1, True)
    assert 3 * HOUR <= (old.age_ms or 0) < 3 * HOUR + MINUTE
    sealed.receive("BRK", SLABS[0], KG, "RT-1")
    assert holds(sealed, "BRK", slab) == ["held by ALD: copper found late"]
    sealed.cut.clear()
    sealed.sync()
    with read(brk.engine) as conn:
        assert not read_others(conn, "BRK", sealed.clock.now_ms()).is_old
