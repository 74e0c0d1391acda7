"""A pack is counted, held and shipped as one, is taken apart at another plant, and its pieces are themselves again."""

from __future__ import annotations

from typing import Any

import pytest
from steel_group import SteelGroup

from local_mes.production.handwork import HandWork, work
from local_mes.production.handwork_domain import Part
from local_mes.production.packing import open_pack, pack, remelt, weighed_parts
from local_mes.production.person import Command
from local_mes.quality.service import PlaceHold, place_hold
from local_mes.stock import service as stock
from shared.db.engine import read
from shared.errors import BadInput, Refused
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass
from shared.material.history import history
from shared.material.pack_facts import Packed
from shared.material.queries import MaterialFilter, count_materials, find_piece, get_piece
from shared.material.tables import edge, remelted
from shared.material.trace import trace
from shared.quality.facts import HoldReleased
from shared.quality.queries import open_holds
from shared.quality.restriction import find_restriction


def command(group: SteelGroup) -> Command:
    return Command(group.command(), "p3")


def piece(group: SteelGroup, number: str, plant: str = "BRK") -> Any:
    with read(group.plants[plant].node.engine) as conn:
        return find_piece(conn, number, plant)


def live(group: SteelGroup, plant: str) -> tuple[int, int]:
    with read(group.plants[plant].node.engine) as conn:
        return count_materials(conn, MaterialFilter(author=plant, state="live"))


def test_a_pack_travels_as_one_and_comes_apart_at_another_plant(group: SteelGroup) -> None:
    brk, cld = group.plants["BRK"], group.plants["CLD"]
    ids = [group.stock("BRK", number, 2_000, "coil") for number in ("C-1", "C-2")]
    made = pack(brk, command(group), ["C-1", "C-2"], number="PK-1")
    assert (made["pieces"], made["mass_g"]) == (2, 4_000_000)
    assert live(group, "BRK") == (1, 4_000_000)  # counted as one
    assert piece(group, "C-1").state == "packed"
    with pytest.raises(Refused) as inside:
        pack(brk, command(group), ["C-1"])
    assert inside.value.code == "production.not_here"
    with read(brk.node.engine) as conn:
        assert {step.parent_id for step in trace(conn, made["material_id"], "backward").edges} == set(ids)
    group.ship("BRK", "CLD", "BRK-1", ["PK-1"])
    group.sync()
    group.receive("CLD", "PK-1", 4_000, "BRK-1", own_number="PK-1")
    place_hold(cld, PlaceHold(group.command(), "q", "PK-1", "wet"))
    said = open_pack(cld, command(group), "PK-1")
    assert said["pieces"] == ["C-1", "C-2"]
    group.sync()
    with read(cld.node.engine) as here, read(group.hub.node.engine) as hub:
        coil = get_piece(here, "C-2", "CLD")
        assert (coil.material_id, coil.state, coil.mass_g, coil.width_um) == (ids[1], "live", 2_000_000, 1_280_000)
        assert [hold.reason for hold in open_holds(here, ids[1])] == ["wet"]
        assert [e.text for e in history(hub, ids[0]) if e.what == "packed"] == ["into PK-1"]
        assert content_hash(hub, "CLD") == content_hash(here, "CLD")
    assert live(group, "CLD") == (2, 4_000_000)


def test_a_pack_taken_apart_where_it_was_packed_leaves_the_pieces_as_they_were(group: SteelGroup) -> None:
    brk = group.plants["BRK"]
    group.stock("BRK", "C-1", 2_000, "coil")
    before = piece(group, "C-1")
    pack(brk, command(group), ["C-1"])
    open_pack(brk, command(group), "P-C-1")
    after = piece(group, "C-1")
    assert dict(after._mapping) | {"last_fact": before.last_fact} == dict(before._mapping)
    with read(brk.node.engine) as conn:
        assert conn.execute(edge.select()).all() == []
        assert [e.what for e in history(conn, after.material_id) if "packed" in e.what] == ["packed", "unpacked"]
    place_hold(brk, PlaceHold(group.command(), "q", "C-1", "wet"))
    refusals = (
        (lambda: pack(brk, command(group), ["C-1"]), "production.held"),
        (lambda: pack(brk, command(group), ["C-1", "C-1"]), "production.held"),
        (lambda: open_pack(brk, command(group), "C-1"), "production.bad_pack"),
        (lambda: remelt(brk, command(group), "C-1", "", "A", "x"), "production.bad_remelt"),
    )
    for deed, code in refusals:
        with pytest.raises((Refused, BadInput)) as refusal:
            deed()
        assert refusal.value.code == code
    remelt(brk, command(group), "C-1", "BAY-3", "own, Cu", "off grade")
    assert piece(group, "C-1").state == "scrapped"
    with read(brk.node.engine) as conn:
        (kept,) = conn.execute(remelted.select()).all()
        assert (kept.mass_g, kept.bay, kept.chemistry) == (2_000_000, "BAY-3", '{"C": 450, "Cu": 1500}')


def test_a_pack_that_was_weighed_as_one_gives_its_pieces_their_part(group: SteelGroup) -> None:
    cld, numbers = group.plants["CLD"], ("C-1", "C-2", "C-3")
    for number in numbers:
        group.stock("CLD", number, 3_000, "slab")  # theoretical
    stock.weigh(cld, stock.Command(group.command(), "p3"), "C-3", 3_010_000)
    pack(cld, command(group), numbers, number="PK-1", mass_g=9_000_001)
    open_pack(cld, command(group), "PK-1")
    assert [piece(group, number, "CLD").mass_g for number in numbers] == [2_995_001, 2_995_000, 3_010_000]
    with read(cld.node.engine) as conn:
        told = [e.text for e in history(conn, piece(group, "C-1", "CLD").material_id) if e.what == "mass"]
    assert any(text.endswith("its part of PK-1, weighed as one") for text in told)


def test_parts_of_a_weighed_pack_add_up_or_are_none() -> None:
    def listed(*masses: tuple[int, str]) -> list[Packed]:
        return [
            Packed(material_id=str(n), kind="coil", aliases=(), mass=Mass(g, basis))
            for n, (g, basis) in enumerate(masses)
        ]

    both = listed((1_000, "theoretical"), (3_000, "theoretical"), (500, "weighed"))
    assert weighed_parts(4_900, both) == {"0": 1_100, "1": 3_300}
    assert weighed_parts(0, both) == {}  # it was on no scale
    assert weighed_parts(500, both) == {}  # and one that leaves the others nothing is no weighing of them
    assert weighed_parts(4_900, listed((1_000, "weighed"))) == {}


def test_a_pack_is_no_piece_of_steel(group: SteelGroup) -> None:
    cld = group.plants["CLD"]
    for number in ("C-1", "C-2", "C-3"):
        group.stock("CLD", number, 9_300, "coil")
    for number in ("C-1", "C-2"):
        pack(cld, command(group), [number], number=f"P-{number}")
    refusals = (
        (lambda: pack(cld, command(group), ["P-C-1"]), "production.bad_pack"),
        (lambda: remelt(cld, command(group), "P-C-1", "BAY-3", "own", "x"), "production.bad_pack"),
        (lambda: stock.scrap(cld, stock.Command(group.command(), "p3"), "P-C-1", "x"), "stock.is_a_pack"),
        (lambda: by_hand(group, "weld", ["P-C-1", "P-C-2"]), "production.bad_work"),
        # a number stays its piece's own while that is packed
        (lambda: by_hand(group, "crop", ["C-3"], Part(0, 9_000_000, "C-1")), "production.number_taken"),
    )
    for deed, code in refusals:
        with pytest.raises((Refused, BadInput)) as refusal:
            deed()
        assert refusal.value.code == code


def test_a_release_for_one_use_only_stays_with_a_piece_that_travels_in_a_pack(group: SteelGroup) -> None:
    coil = group.stock("BRK", "C-1", 2_000, "coil")
    held = place_hold(group.plants["BRK"], PlaceHold(group.command(), "q", "C-1", "Cu"))
    ended = HoldReleased(hold_id=held["hold_id"], material_id=coil, disposition="downgrade", only_for="L06")
    with group.plants["BRK"].journal.work() as tx:
        tx.record(Draft(ended, (coil,), "q", Occurred(tx.now_ms(), "manual")))
    pack(group.plants["BRK"], command(group), ["C-1"], number="PK-1")
    group.ship("BRK", "CLD", "BRK-1", ["PK-1"])
    group.sync()
    group.receive("CLD", "PK-1", 2_000, "BRK-1", own_number="PK-1")
    open_pack(group.plants["CLD"], command(group), "PK-1")
    with read(group.plants["CLD"].node.engine) as conn:
        assert find_restriction(conn, coil) == "L06"


def by_hand(group: SteelGroup, operation: str, pieces: list[str], *parts: Part, **more: Any) -> list[str]:
    asked = HandWork(operation, "SL1", tuple(pieces), parts, **more)
    numbers: list[str] = work(group.plants["CLD"], command(group), asked)["numbers"]
    return numbers


def test_pieces_are_cut_slit_cropped_and_welded_by_hand(group: SteelGroup) -> None:
    group.stock("CLD", "C-1", 9_300, "coil")  # 9.3 m long, 1,280 mm wide
    by_hand(group, "cut", ["C-1"], Part(0, 3_100_000, "A"), Part(3_100_000, 9_300_000, "B"))
    assert (piece(group, "A", "CLD").mass_g, piece(group, "B", "CLD").length_um) == (3_100_000, 6_200_000)
    by_hand(group, "slit", ["B"], Part(0, 640_000, "B1"), Part(640_000, 1_260_000, "B2"))
    assert (piece(group, "B2", "CLD").kind, piece(group, "B2", "CLD").width_um) == ("slit", 620_000)
    by_hand(group, "sample", ["A"], Part(100_000, 3_100_000, "A"), reason="tensile test")
    assert piece(group, "A", "CLD").mass_g == 3_000_000
    group.stock("CLD", "C-2", 9_300, "coil")
    welded = by_hand(group, "weld", ["A", "C-2"], number="W")
    with read(group.plants["CLD"].node.engine) as conn:
        made = get_piece(conn, welded[0], "CLD")
        steps = [e for e in trace(conn, made.material_id, "backward").edges if e.child_id == made.material_id]
    assert [(e.child_from_um, e.child_to_um) for e in steps] in (
        [(0, 3_000_000), (3_000_000, 12_300_000)],
        [(3_000_000, 12_300_000), (0, 3_000_000)],
    )
    group.stock("CLD", "C-3", 9_300, "coil")
    refused: list[tuple[str, list[str], tuple[Part, ...], dict[str, Any], str]] = [
        ("cut", ["W"], (Part(0, 5_000_000), Part(4_000_000, 9_000_000)), {}, "material.no_partition"),
        ("cut", ["W"], (Part(0, 99_000_000), Part(0, 1)), {}, "material.outside"),
        ("cut", ["W"], (Part(0, 1),), {}, "production.bad_work"),
        ("crop", ["W"], (Part(0, 12_300_000, mass_g=1_000),), {}, "production.balance"),
        ("crop", ["W"], (Part(0, 12_000_000, "B1"),), {}, "production.number_taken"),
        ("weld", ["W", "B1"], (), {}, "production.bad_work"),
        ("weld", ["W"], (), {}, "production.bad_work"),
        ("melt", ["W"], (), {}, "production.bad_work"),
        ("cut", ["A"], (Part(0, 1), Part(1, 2)), {}, "production.not_here"),
        ("weld", ["W", "W"], (), {}, "production.named_twice"),
        ("weld", ["W", "C-3"], (), {"scrap_g": 10**9}, "production.bad_work"),
        ("cut", ["C-3"], (Part(0, 1_000_000, "X"), Part(1_000_000, 9_300_000, "X")), {}, "production.bad_work"),
    ]
    for operation, pieces, parts, more, code in refused:
        with pytest.raises((Refused, BadInput)) as refusal:
            by_hand(group, operation, pieces, *parts, **more)
        assert refusal.value.code == code, operation
