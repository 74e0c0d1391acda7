"""A trace as files: GraphML that networkx opens, CSV, EPCIS 2.0 by the rules of its schema and of the CBV."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import networkx
import pytest
from sqlalchemy import Connection, select

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from epcis_schema import faults_of

from drill.history.writing import write_history
from shared.db.engine import open_engine, read
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial
from shared.material.pack_facts import MEMBERS, Packed, PackOpened, PiecesPacked
from shared.material.pack_queries import pack_events_of
from shared.material.queries import operations_of
from shared.material.tables import material
from shared.material.trace import Trace, trace
from shared.node import create_tables
from shared.subjects import REGISTERS
from shared.transfers.moves import arrivals_of, departures_of
from shared.web.pieces.epcis import Names, document, urn
from shared.web.pieces.files import as_csv, as_graphml

# CBV 2.0, 7.1 and 7.2: those that this export may use
BIZ_STEPS = {"commissioning", "decommissioning", "inspecting", "loading", "packing", "receiving", "shipping"}
BIZ_STEPS |= {"unloading", "unpacking"}
DISPOSITIONS = {"active", "completeness_verified", "in_progress", "in_transit", "inactive"}
# EPCIS 2.0, 7.4: what each kind of event must and must not say
NEEDED = {
    "ObjectEvent": {"action", "epcList"},
    "AggregationEvent": {"action", "parentID", "childEPCs"},
    "TransformationEvent": {"inputEPCList", "outputEPCList"},
}
ALWAYS = {"type", "eventID", "eventTime", "eventTimeZoneOffset"}
URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+")
NAMES = Names("https://mes.example/", ZoneInfo("Europe/Berlin"))


@pytest.fixture(scope="module")
def conn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('history') / 'h.sqlite'}")
    create_tables(engine)
    write_history(engine, 1_000, seed=5)
    with read(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture(scope="module")
def found(conn: Connection) -> Trace:
    heat = conn.execute(select(material.c.material_id).where(material.c.kind == "heat")).scalars().all()[1]
    return trace(conn, heat, "forward")


@pytest.fixture(scope="module")
def operations(conn: Connection, found: Trace) -> dict[tuple[str, str], Any]:
    return operations_of(conn, [(step.author, step.operation_id) for step in found.edges])


def test_networkx_opens_the_graph_with_its_intervals(found: Trace, operations: Any, tmp_path: Path) -> None:
    file = tmp_path / "g.graphml"
    file.write_text("".join(as_graphml(found, operations)))
    graph = networkx.read_graphml(file, force_multigraph=True)
    assert graph.number_of_edges() == len(found.edges)
    assert set(graph) == {i for step in found.edges for i in (step.parent_id, step.child_id)}
    assert networkx.is_directed_acyclic_graph(graph)
    reached = networkx.descendants(graph, found.material_id)
    assert reached == {step.child_id for step in found.edges}
    first = found.edges[0]
    told = graph.get_edge_data(first.parent_id, first.child_id)["e0"]
    assert (told["mass_g"], told["flip_length"], told["operation"]) == (first.mass_g, bool(first.flip_length), "cast")


def test_the_csv_has_a_line_a_step(found: Trace, operations: Any) -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(found, operations))))
    assert len(lines) == len(found.edges)
    assert [int(line["mass_g"]) for line in lines] == [step.mass_g for step in found.edges]
    assert {line["operation"] for line in lines} >= {"cast", "roll", "pickle"}


def test_the_epcis_document_keeps_the_rules_of_the_standard(conn: Connection, found: Trace, operations: Any) -> None:
    ids = [row.material_id for row in found.rows]
    left, came = departures_of(conn, ids), arrivals_of(conn, ids)
    told = document(found, operations, left, came, (), NAMES, 1_773_187_200_000)
    assert (told["type"], told["schemaVersion"]) == ("EPCISDocument", "2.0")
    events = told["epcisBody"]["eventList"]
    assert {event["type"] for event in events} == set(NEEDED)
    check(events)
    changed = [event for event in events if event["type"] == "TransformationEvent"]
    assert sum(len(event["strandline:edges"]) for event in changed) == len(found.edges)
    times = [event["eventTime"] for event in events if event["type"] == "ObjectEvent"]
    assert times
    # GS1's own schema with its words: this one holds, and one with a word that is none of the CBV's does not
    assert faults_of(told) == []
    strange = {**events[0], "bizStep": "melting"}
    assert any("bizStep" in one for one in faults_of(told | {"epcisBody": {"eventList": [strange]}}))


def check(events: list[dict[str, Any]]) -> None:
    """The rules of the standard for every event."""
    assert len({event["eventID"] for event in events}) == len(events)
    for event in events:
        assert set(event) >= ALWAYS | NEEDED[event["type"]]
        assert event["bizStep"] in BIZ_STEPS
        assert event["disposition"] in DISPOSITIONS
        assert event.get("action", "ADD") in {"ADD", "OBSERVE", "DELETE"}
        assert ("action" in event) == (event["type"] != "TransformationEvent")
        assert re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", event["eventTimeZoneOffset"])
        assert event["eventTime"].endswith(event["eventTimeZoneOffset"])
        uris = [event["eventID"], event["readPoint"]["id"], event.get("parentID", "urn:x:y")]
        uris += [u for name in ("epcList", "childEPCs", "inputEPCList", "outputEPCList") for u in event.get(name, ())]
        assert all(URI.fullmatch(uri) for uri in uris)


def test_a_pack_is_aggregated_and_taken_apart(make_journal: Callable[..., Journal]) -> None:
    """A pack made at one plant and opened at another, and its pieces told by neither as made there."""
    brk = make_journal("BRK", *REGISTERS)
    coils = tuple(
        Packed(material_id=n * 32, kind="coil", aliases=(NewAlias("BRK.coil", f"C-{n}"),), mass=Mass(9, "weighed"))
        for n in "ab"
    )
    pack = NewMaterial(
        material_id="c" * 32,
        kind="pack",
        aliases=(NewAlias("BRK.pack", "PK-1"),),
        mass=Mass(18, "weighed"),
        attributes={MEMBERS: msgspec.json.encode(coils).decode()},
    )
    births = tuple(
        NewMaterial(material_id=one.material_id, kind="coil", aliases=one.aliases, mass=one.mass) for one in coils
    )
    members = tuple(one.material_id for one in coils)
    with brk.work() as tx:
        for at, payload in enumerate(
            (
                *(MaterialCreated(material=one, origin="purchased") for one in births),
                PiecesPacked(pack=pack, members=members),
                PackOpened(pack_id=pack.material_id, members=members, place="YB"),
            )
        ):
            tx.record(Draft(payload, (pack.material_id,), "p", Occurred(1_773_187_200_000 + at, "manual")))
    with read(brk.engine) as conn:
        found = trace(conn, members[0], "both")
        packs = pack_events_of(conn, [members[0]])
    whole = document(found, {}, (), (), packs, NAMES, 1_773_187_200_000)
    events = whole["epcisBody"]["eventList"]
    check(events)
    assert faults_of(whole) == []
    told = [(e["bizStep"], e["action"], e.get("parentID"), len(e.get("childEPCs", ()))) for e in events]
    pack_urn = urn(pack.material_id)
    assert told == [
        ("commissioning", "ADD", None, 0),
        ("packing", "ADD", pack_urn, 2),
        ("unpacking", "DELETE", pack_urn, 2),
    ]


def test_a_zone_with_summer_time_shows_in_the_offset() -> None:
    winter, summer = NAMES.when(1_767_225_600_000), NAMES.when(1_782_864_000_000)
    assert (winter["eventTimeZoneOffset"], summer["eventTimeZoneOffset"]) == ("+01:00", "+02:00")
    assert winter["eventTime"].startswith("2026-01-01T01:00:00.000+01:00")
