"""A release for one use only: it binds what is made of the piece, here and at the plant that takes the piece in."""

from __future__ import annotations

from typing import Any

import pytest
from steel_group import SteelGroup

from shared.db.engine import read
from shared.errors import Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial, Size
from shared.quality.facts import HoldPlaced, HoldReleased
from shared.quality.restriction import find_restriction
from shared.transfers.queries import get_piece
from shared.web.pieces.reads import read_sheet

USE = "L06"


def record(group: SteelGroup, plant: str, payload: Any, *subjects: str) -> None:
    with group.plants[plant].journal.work() as tx:
        tx.record(Draft(payload, subjects, "p1", Occurred(group.clock.now_ms(), "manual")))


def release(group: SteelGroup, plant: str, piece: str, only_for: str) -> None:
    hold_id = new_id(group.clock)
    record(group, plant, HoldPlaced(hold_id=hold_id, material_id=piece, reason="Cu 0.27 > 0.22"), piece, hold_id)
    group.pass_time(1000)
    ended = HoldReleased(hold_id=hold_id, material_id=piece, disposition="downgrade", only_for=only_for)
    record(group, plant, ended, piece)


def roll(group: SteelGroup, plant: str, slab: str, number: str) -> str:
    """A coil of the whole slab."""
    coil, now = new_id(group.clock), group.clock.now_ms()
    new = NewMaterial(
        material_id=coil,
        kind="coil",
        aliases=(NewAlias(f"{plant}.coil", number),),
        mass=Mass(20_000_000, "weighed", "CW1", now),
        size=Size(3_000, 1_280_000, 600_000_000),
        grade=USE,
        order_item="710045/10",
        place="YA",
    )
    edge = Edge(
        parent_id=slab,
        child_id=coil,
        parent_from_um=0,
        parent_to_um=9_300_000,
        child_from_um=0,
        child_to_um=600_000_000,
        mass_g=20_000_000,
    )
    rolled = MaterialTransformed(
        operation_id=new_id(group.clock),
        operation="roll",
        unit="FM",
        started_at_ms=now,
        ended_at_ms=now,
        parents=(Consumed(slab, 20_580_000),),
        children=(new,),
        edges=(edge,),
    )
    record(group, plant, rolled, slab, coil)
    return coil


def restriction(group: SteelGroup, plant: str, piece: str) -> str:
    with read(group.plants[plant].node.engine) as conn:
        found = find_restriction(conn, piece)
        assert read_sheet(conn, piece).only_for == found
    return found


def test_a_coil_is_limited_as_the_slab_it_was_rolled_from(group: SteelGroup) -> None:
    slab = group.stock("BRK", "161843-1-1", 20_580)
    release(group, "BRK", slab, USE)
    coil = roll(group, "BRK", slab, "B6-1")
    assert restriction(group, "BRK", coil) == USE
    done = group.ship("BRK", "CLD", "RC-1", ["B6-1"])
    with read(group.plants["BRK"].node.engine) as conn:
        told = get_piece(conn, "BRK", done["shipment_id"], coil)
    assert (told.quality, told.attributes["only_for"]) == ("restricted", USE)


def test_a_coil_of_a_limited_slab_does_not_leave_for_another_use(group: SteelGroup) -> None:
    slab = group.stock("BRK", "161843-1-1", 20_580)
    release(group, "BRK", slab, "DD11")
    roll(group, "BRK", slab, "B6-1")
    with pytest.raises(Refused) as refused:
        group.ship("BRK", "CLD", "RC-1", ["B6-1"])
    assert refused.value.code == "transfers.restricted"


def test_the_receiving_plant_and_what_it_makes_of_the_piece_keep_to_the_limit(group: SteelGroup) -> None:
    slab = group.stock("ALD", "161843-1-2", 20_580)
    release(group, "ALD", slab, USE)
    group.ship("ALD", "BRK", "RT-1", ["161843-1-2"])
    group.sync()
    group.receive("BRK", "161843-1-2", 20_580, "RT-1", own_number="BS6-1")
    assert restriction(group, "BRK", slab) == USE
    assert restriction(group, "BRK", roll(group, "BRK", slab, "B6-2")) == USE


def test_the_nearest_and_latest_release_decides(group: SteelGroup) -> None:
    slab = group.stock("BRK", "161843-1-3", 20_580)
    release(group, "BRK", slab, USE)
    release(group, "BRK", slab, "DD11")
    coil = roll(group, "BRK", slab, "B6-3")
    assert restriction(group, "BRK", coil) == "DD11"
    release(group, "BRK", coil, "DX51D")
    assert (restriction(group, "BRK", coil), restriction(group, "BRK", slab)) == ("DX51D", "DD11")
    free = group.stock("BRK", "161843-1-4", 20_580)
    assert restriction(group, "BRK", roll(group, "BRK", free, "B6-4")) == ""
