"""What leaves is told with how it was made: at its receiver a place finds slab, strand and heats, and its age goes on."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
import sqlalchemy
from msgspec import UNSET

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in
from steel_group import SteelGroup

from local_mes.app import create_console
from local_mes.stock.yard_reads import made_ms
from local_mes.transfers import pieces
from local_mes.transfers.service import DivertCommand, LoadTouch, PlanCommand, depart, divert, load_piece, plan_load
from shared.db.engine import read
from shared.db.types import metadata
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material import way_trace
from shared.material.facts import (
    Consumed,
    Edge,
    Mass,
    MaterialCreated,
    MaterialTransformed,
    Mixture,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.material.queries import get_piece
from shared.material.steel import steel_over
from shared.material.trace import ancestor_places, trace
from shared.material.way import _joined
from shared.material.way_facts import Way, WayPiece, WayStep
from shared.material.way_trace import EDGES_TOLD, tell_way, with_way
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import get_piece as get_line

M = 1_000_000
LENGTHS = {"parent_from_um": 0, "parent_to_um": 1_000 * M, "child_from_um": 0, "child_to_um": 1_000 * M}


def new(piece: str, kind: str, number: str, length_um: int = 0) -> NewMaterial:
    return NewMaterial(
        material_id=piece, kind=kind, aliases=(NewAlias(f"T.{kind}", number),), mass=Mass(20_000_000, "weighed"),
        size=Size(220_000, 1_280_000, length_um), order_item="710045/10", grade="L06",
    )  # fmt: skip


def record(group: SteelGroup, plant: str, fact: MaterialCreated | MaterialTransformed, *subjects: str) -> None:
    with group.plants[plant].journal.work() as tx:
        tx.record(Draft(fact, subjects, "p1", Occurred(group.clock.now_ms(), "manual")))


def cast_transition_slab(group: SteelGroup) -> tuple[str, str, str]:
    """Two heats and the slab of ten metres between them: the strand's metres 40 to 50, the second heat from 44 on."""
    a, b, slab = (new_id(group.clock) for _ in range(3))
    for heat, number in ((a, "161738"), (b, "161739")):
        record(group, "ALD", MaterialCreated(material=new(heat, "heat", number), origin="made"), heat)
    edges = tuple(
        Edge(
            parent_id=heat, child_id=slab, parent_from_um=40 * M, parent_to_um=50 * M, child_from_um=0,
            child_to_um=10 * M, mass_g=10_000_000, share_ppm=500_000,
        )
        for heat in (a, b)
    )  # fmt: skip
    told = Mixture(
        child_id=slab, heats=(a, b), bounds_um=(40 * M, 44 * M, 50 * M), shares_ppm=((M, 0), (100_000, 900_000))
    )
    fact = MaterialTransformed(
        operation_id=new_id(group.clock), operation="cast", unit="CC1", started_at_ms=1, ended_at_ms=2,
        parents=tuple(Consumed(heat, 10_000_000, whole=False) for heat in (a, b)),
        children=(new(slab, "slab", "A-1", 10 * M),), edges=edges, mixtures=(told,),
    )  # fmt: skip
    record(group, "ALD", fact, slab)
    return a, b, slab


def roll(group: SteelGroup, slab: str) -> str:
    """A coil of a thousand metres, head and tail exchanged."""
    coil = new_id(group.clock)
    edge = Edge(
        parent_id=slab, child_id=coil, parent_from_um=0, parent_to_um=10 * M, child_from_um=0, child_to_um=1000 * M,
        mass_g=20_000_000, flip_length=True, flip_face=True,
    )  # fmt: skip
    fact = MaterialTransformed(
        operation_id=new_id(group.clock), operation="roll", unit="FM", started_at_ms=1, ended_at_ms=2,
        parents=(Consumed(slab, 20_000_000),), children=(new(coil, "coil", "B6-1", 1000 * M),), edges=(edge,),
    )  # fmt: skip
    record(group, "BRK", fact, coil)
    return coil


@pytest.fixture
def travelled(group: SteelGroup) -> tuple[SteelGroup, tuple[str, str, str], str]:
    """The slab is at BRK and rolled; the coil is at CLD, which has a fact of neither."""
    heats = cast_transition_slab(group)
    group.ship("ALD", "BRK", "S-1", ["A-1"])
    group.sync()
    group.receive("BRK", "A-1", 20_000, "S-1")
    coil = roll(group, heats[2])
    group.ship("BRK", "CLD", "S-2", ["B6-1"])
    group.sync()
    group.receive("CLD", "B6-1", 20_000, "S-2")
    return group, heats, coil


def test_a_place_at_a_receiver_finds_slab_strand_and_heats(
    travelled: tuple[SteelGroup, tuple[str, str, str], str],
) -> None:
    group, (a, b, slab), coil = travelled
    cld, brk = group.plants["CLD"].node.engine, group.plants["BRK"].node.engine
    with read(cld) as conn:
        at_900 = [(p.material_id, p.at_um, p.share_ppm) for p in ancestor_places(conn, coil, 900 * M)]
        assert at_900 == [(coil, 900 * M, M), (slab, M, M), (a, 41 * M, M)]
        assert [p.share_ppm for p in ancestor_places(conn, coil, 100 * M)[2:]] == [100_000, 900_000]
        assert steel_over(conn, coil, 100 * M, 100 * M) == {a: 100_000, b: 900_000}
        assert not trace(conn, coil, "backward").edges
        whole = with_way(conn, trace(conn, coil, "both"))
        assert [(step.author, step.parent_id) for step in whole.edges] == [("BRK", slab), ("ALD", a), ("ALD", b)]
        assert set(whole.numbers[slab]) == {"A-1", "BS6-00001"}  # its sender's and its receiver's
        way = tell_way(conn, coil)
        assert way is not None
        assert len(msgspec.json.encode(way)) < 6_000
    with read(brk) as conn:
        assert {p.material_id for p in ancestor_places(conn, slab, 9 * M)} == {slab, a, b}
    with read(group.hub.node.engine) as conn:  # its own facts are all that counts there
        assert with_way(conn, trace(conn, coil, "backward")) == trace(conn, coil, "backward")


def test_pages_and_api_of_the_receiver_show_it(travelled: tuple[SteelGroup, tuple[str, str, str], str]) -> None:
    group, _, _ = travelled
    with read(group.plants["BRK"].node.engine) as conn:
        assert made_ms(get_piece(conn, "A-1", "BRK")) is not None
    cld = sign_in(create_console(group.plants["CLD"]), group.plants["CLD"].node, "quality.cld", "quality")
    page = cld.page("/trace/B6-1?at_mm=100000")
    for words in ("heat-1", "161738", "161739", "BS6-00001", "told with it", "cast at CC1", "9.00"):
        assert words in page
    assert "/trace/BS6-00001" not in page  # it has no page here
    cld.page("/piece/B6-1")
    assert "The hub knows the other plants" in cld.page("/recall?q=B6-1")
    told = json.loads(cld.page("/api/v1/places/B6-1?metre_mm=100000"))["items"]
    assert [(p["kind"], p["numbers"][0], p["share_ppm"]) for p in told[1:]] == [
        ("slab", "BS6-00001", M), ("heat", "161738", 100_000), ("heat", "161739", 900_000)
    ]  # fmt: skip
    seen = json.loads(cld.page("/api/v1/traces/B6-1?kind=heat"))
    assert ([edge["operation"] for edge in seen["edges"]], len(seen["mixtures"])) == (["cast", "cast"], 1)
    steel = json.loads(cld.page("/api/v1/steel/B6-1?from_um=100000000&to_um=100000000"))["items"]
    assert [(heat["number"], heat["share_ppm"]) for heat in steel] == [("161739", 900_000), ("161738", 100_000)]
    for form in ("csv", "graphml", "epcis"):
        assert "161738" in cld.page(f"/api/v1/traces/B6-1/export?form={form}")


def longest_way(group: SteelGroup) -> Way:
    """A way of as many edges as are told, each from a piece of its own."""
    ids = [new_id(group.clock) for _ in range(EDGES_TOLD + 1)]
    size = Size(220_000, 1_280_000, 1_000 * M)
    above = tuple(WayPiece(material_id=one, kind="coil", numbers=("B6-00001",), plant="BRK", size=size) for one in ids)
    steps = tuple(
        WayStep(
            plant="BRK",
            operation_id=new_id(group.clock),
            operation="roll",
            unit="FM",
            ended_at_ms=1,
            edges=(msgspec.convert({"parent_id": up, "child_id": down, "mass_g": 20_000_000} | LENGTHS, Edge),),
        )
        for up, down in pairwise(ids)
    )
    return Way(pieces=above, steps=steps)


def test_a_load_leaves_though_the_ways_of_its_pieces_are_more_than_a_fact_holds(
    group: SteelGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    ald, long = group.plants["ALD"], longest_way(group)
    short = msgspec.structs.replace(long, steps=long.steps[:3], pieces=long.pieces[:3])
    first, second = ["short", "A-1", "A-2", "A-3", "A-4", "A-5"], ["B-1", "B-2", "B-3", "B-4", "B-5"]
    ids = {number: group.stock("ALD", number, 20_000) for number in (*first, *second)}
    monkeypatch.setattr(pieces, "tell_way", lambda _, piece: short if piece == ids["short"] else long)

    def told(load: str) -> set[str]:
        with read(ald.node.engine) as conn:
            lines = find_lines(conn, LineFilter(q=load))
            said = [get_line(conn, "ALD", line.shipment_id, line.material_id) for line in lines]
        return {piece.number for piece in said if piece.way is not UNSET}

    group.ship("ALD", "BRK", "S-1", first)
    assert told("S-1") == {"short", "A-1"}  # the short one, and as many long ones as there is room for
    divert(ald, DivertCommand(group.command(), "p1", "S-1", "CLD", "the mill stands", number="S-2", eta_ms=1))
    assert (len(told("S-2")), "short" in told("S-2")) == (2, True)
    plan_load(ald, PlanCommand(group.command(), "p1", to="BRK", vehicle="Train 7", number="S-3"))
    for number in second:
        load_piece(ald, LoadTouch(group.command(), "p1", "S-3", number))
    depart(ald, LoadTouch(group.command(), "p1", "S-3"))
    assert told("S-3") == {"B-1"}


def test_a_plants_recall_starts_from_a_heat_that_it_knows_by_the_way_of_its_pieces(
    travelled: tuple[SteelGroup, tuple[str, str, str], str],
) -> None:
    group, heats, _ = travelled
    for plant, found in (("BRK", {"BS6-00001", "B6-1"}), ("CLD", {"C6-00001"})):
        client = sign_in(create_console(group.plants[plant]), group.plants[plant].node, "quality.x", "quality")
        for number in ("161738", "161739", heats[0]):
            told = json.loads(client.page(f"/api/v1/recalls/{number}"))
            assert ({piece["number"] for piece in told["items"]}, told["told"]) == (found, [number])
        assert "has no row in the books here" in client.page("/recall?q=161738")
        for refused in ("q=161738&share=10", "q=161738&from_mm=5"):
            assert "what senders told alone" in client.client.get(f"/recall?{refused}").text
        assert "is no share" in client.client.get("/recall?q=161738&share=1e400").text
        assert client.client.get("/recall?q=16173").status_code == 404


def test_a_piece_that_was_told_without_a_number_is_called_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    heat, empty = "a" * 32, sqlalchemy.create_engine("sqlite://")
    metadata.create_all(empty)
    said = Way(
        pieces=(WayPiece(material_id=heat, kind="heat", numbers=(), plant="ALD"),),
        steps=(),
    )
    monkeypatch.setattr(way_trace, "find_beyond", lambda *_: _joined({"c": said}, {"c": 0}))
    with empty.connect() as conn:
        assert way_trace.names_in(conn, "c", [heat]) == {heat: ("heat", [heat])}
