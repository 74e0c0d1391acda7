"""Recall over three plants: what was made of a slab, where each piece is, what is held, what is on the way."""

from __future__ import annotations

import pytest
from browse import sign_in
from steel_group import HOUR, SteelGroup

from central_hub.app import create_portal
from local_mes.app import create_console
from shared.db.engine import read
from shared.errors import NotFound
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial
from shared.recall.queries import read_recall


def roll(group: SteelGroup, plant: str, parent: str, number: str, kg: int) -> str:
    child, now = new_id(group.clock), group.clock.now_ms()
    fact = MaterialTransformed(
        operation_id=new_id(group.clock),
        operation="roll",
        unit="FM",
        started_at_ms=now,
        ended_at_ms=now,
        parents=(Consumed(parent, kg * 1000),),
        children=(
            NewMaterial(
                material_id=child,
                kind="coil",
                aliases=(NewAlias(f"{plant}.coil", number),),
                mass=Mass(kg * 1000, "weighed"),
                place="CB1",
                order_item="710045/10",
            ),
        ),
        edges=(
            Edge(
                parent_id=parent,
                child_id=child,
                parent_from_um=0,
                parent_to_um=9_310_000,
                child_from_um=0,
                child_to_um=814_500_000,
                mass_g=kg * 1000,
            ),
        ),
    )
    with group.plants[plant].journal.work() as tx:
        tx.record(Draft(fact, (parent, child), "p1", Occurred(now, "l2:brk")))
    return child


@pytest.fixture
def road(group: SteelGroup) -> SteelGroup:
    """A slab of the melt shop, rolled at the mill; its coil is on the way to finishing."""
    slab = group.stock("ALD", "261604-2-3", 20_580)
    group.ship("ALD", "BRK", "RT-1", ["261604-2-3"])
    group.pass_time(9 * HOUR)
    group.sync()
    group.receive("BRK", "261604-2-3", 20_640, "RT-1")
    roll(group, "BRK", slab, "B6-09962", 20_300)
    group.ship("BRK", "CLD", "RC-1", ["B6-09962"])
    group.sync()
    return group


def test_a_recall_finds_the_piece_on_its_way(road: SteelGroup) -> None:
    with read(road.hub.node.engine) as conn:
        recall = read_recall(conn, "261604-2-3", road.codes)
        assert [(p.number, p.where) for p in recall.at_large] == [("B6-09962", "on the way to CLD with RC-1")]
        assert [(p.author, p.state, p.where) for p in recall.pieces if not p.is_at_large] == [
            ("BRK", "consumed", "used up")
        ]
        with pytest.raises(NotFound):
            read_recall(conn, "no such number")
    assert recall.mass_g == 20_300_000


def test_a_recall_follows_the_piece_into_the_receivers_stock(road: SteelGroup) -> None:
    road.pass_time(HOUR)
    took = road.receive("CLD", "B6-09962", 20_290, "RC-1")
    road.sync()
    with read(road.hub.node.engine) as conn:
        by_heat_side = read_recall(conn, "261604-2-3").at_large
        by_coil = read_recall(conn, took["own_number"]).at_large
    assert [(p.author, p.number, p.place, p.depth) for p in by_heat_side] == [("CLD", took["own_number"], "YB", 1)]
    assert [p.material_id for p in by_coil] == [p.material_id for p in by_heat_side]


def test_the_page_and_the_api_tell_the_same(road: SteelGroup) -> None:
    person = sign_in(create_portal(road.hub), road.hub.node, "quality.group", "owner")
    assert "Type any number" in person.page("/recall")
    page = person.page("/recall?q=261604-2-3")
    assert "on the way to CLD with RC-1" in page
    told = person.api("GET", "/api/v1/recalls/261604-2-3").json
    assert (told["at_large"], told["mass_g"], len(told["items"])) == (1, 20_300_000, 2)  # type: ignore[index]
    assert "B6-09962" in person.client.get("/recall?q=261604-2-3&format=csv").text
    assert person.client.get("/recall?q=nothing").status_code == 404


def test_a_plant_recalls_what_it_knows_without_a_hub(road: SteelGroup) -> None:
    """A plant that is away from the hub finds what it has, what it sent on, and who is no customer."""
    brk = road.plants["BRK"]
    person = sign_in(create_console(brk), brk.node, "quality.brk", "quality")
    told = person.api("GET", "/api/v1/recalls?numbers=261604-2-3").json
    assert [(line["bucket"], line["who"], line["mass_g"]) for line in told["totals"]] == [  # type: ignore[index]
        ("transit", "BRK > CLD", 20_300_000),
        ("ended", "BRK", 20_640_000),
    ]
    now = road.clock.now_ms()
    by_time = f"/api/v1/recalls?plant=BRK&unit=FM&from_ms={now - HOUR}&to_ms={now}"
    assert [item["number"] for item in person.api("GET", by_time).json["items"]] == ["B6-09962"]  # type: ignore[index]
    assert "on the way to CLD with RC-1" in person.client.get("/recall?q=261604-2-3&format=csv").text
