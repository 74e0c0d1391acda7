"""Recalls over a made-up group at a hub: heats, a place, a unit's time, a finding; the page, the stream and its totals."""

from __future__ import annotations

import csv
import io
import json

import pytest
from browse import sign_in
from sqlalchemy import func, select
from steel_group import SteelGroup

from central_hub.app import create_portal
from drill.history.writing import write_history
from shared.db.engine import read
from shared.errors import BadInput, NotFound
from shared.material.tables import edge, mark, material, operation
from shared.recall.domain import Totals
from shared.recall.queries import Asked, first_page, recall, steel_of_place


@pytest.fixture
def filled(group: SteelGroup) -> SteelGroup:
    write_history(group.hub.node.engine, 1_000, seed=11)
    return group


def test_recalls_by_heats_place_time_and_finding(filled: SteelGroup) -> None:
    with read(filled.hub.node.engine) as conn:
        heats = conn.execute(select(material.c.number).where(material.c.kind == "heat").limit(2)).scalars().all()
        both = first_page(conn, Asked(numbers=tuple(heats)))
        one = first_page(conn, Asked(numbers=(heats[0],)))
        assert one.totals.pieces < both.totals.pieces
        ids = {piece.material_id for pieces in recall(conn, Asked(numbers=tuple(heats))) for piece in pieces}
        assert len(ids) == both.totals.pieces
        lines = both.totals.lines
        assert sum(line.pieces for line in lines) == both.totals.pieces
        assert {"customer", "ended"} <= {line.bucket for line in lines}
        cut = first_page(conn, Asked(numbers=tuple(heats)), lines=5)
        assert (len(cut.pieces), cut.cut) == (5, both.totals.pieces - 5)
        assert cut.mass_g == both.mass_g

        slab = conn.execute(select(material).where(material.c.author == "BRK", material.c.kind == "slab")).first()
        assert slab is not None
        place = Asked(numbers=(slab.number,), from_um=4_000_000, to_um=4_100_000, left_um=0, right_um=1_000)
        corner = first_page(conn, place)
        whole = first_page(conn, Asked(numbers=(slab.number,)))
        assert 1 < corner.totals.pieces <= whole.totals.pieces
        assert all(piece.part for piece in corner.pieces)

        steel = steel_of_place(conn, place)
        assert steel
        assert sum(ppm for _, ppm in steel) == 1_000_000
        mostly = first_page(conn, Asked(numbers=(heats[0],), least_share_ppm=900_000))
        assert 0 < mostly.totals.pieces < one.totals.pieces
        assert all(piece.part for piece in mostly.pieces)

        done = conn.execute(select(operation).where(operation.c.unit == "FM").limit(1)).one()
        unit = Asked(plant="BRK", unit="FM", from_ms=done.started_at_ms, to_ms=done.ended_at_ms)
        made = conn.execute(select(edge.c.child_id).where(edge.c.operation_id == done.operation_id)).scalars().all()
        assert set(made) <= {piece.material_id for pieces in recall(conn, unit) for piece in pieces}

        seen = conn.execute(select(mark)).first()
        assert seen is not None
        by_id = first_page(conn, Asked(finding=seen.mark_id))
        by_kind = first_page(conn, Asked(finding="sliver", from_ms=1, to_ms=10**13))
        assert seen.material_id in {piece.material_id for piece in by_id.pieces}
        assert by_kind.totals.pieces > by_id.totals.pieces


def test_what_makes_no_sense_is_refused(filled: SteelGroup) -> None:
    with read(filled.hub.node.engine) as conn:
        for wrong in (Asked(), Asked(unit="FM"), Asked(from_um=1)):
            with pytest.raises(BadInput):
                first_page(conn, wrong)
        with pytest.raises(NotFound):
            first_page(conn, Asked(finding="0" * 32))
        with pytest.raises(NotFound):
            first_page(conn, Asked(plant="BRK", unit="XX", from_ms=1, to_ms=2))


def test_the_stream_holds_every_piece_and_ends_with_the_totals(filled: SteelGroup) -> None:
    person = sign_in(create_portal(filled.hub), filled.hub.node, "quality.group", "owner")
    with read(filled.hub.node.engine) as conn:
        heat = conn.execute(select(func.min(material.c.number)).where(material.c.kind == "heat")).scalar_one()
        expected = first_page(conn, Asked(numbers=(heat,)))
    answer = person.client.get(f"/api/v1/recalls?numbers={heat}&form=ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) - 1 == lines[-1]["pieces"] == expected.totals.pieces
    assert lines[-1]["totals"] == [line._asdict() for line in expected.totals.lines]
    rows = list(csv.DictReader(io.StringIO(person.client.get(f"/recall?q={heat}&format=csv").text)))
    assert {row["material_id"] for row in rows} == {line["material_id"] for line in lines[:-1]}
    page = person.api("GET", f"/api/v1/recalls?numbers={heat}&limit=3").json
    assert (len(page["items"]), page["cut"]) == (3, expected.totals.pieces - 3)  # type: ignore[index]
    assert person.client.get("/api/v1/recalls?numbers=none&form=ndjson").status_code == 404
    shown = person.page(f"/recall?q={heat}&from_mm=0&to_mm=1000")
    assert "With customers" in shown or "Used up or scrapped" in shown
    graph = person.client.get(f"/api/v1/traces/{heat}/export?form=epcis&depth=1")
    assert graph.json["type"] == "EPCISDocument"  # type: ignore[index]
    assert "beyond the last step" in graph.headers["Strandline-Cut"]


def test_totals_of_nothing_are_empty() -> None:
    assert (Totals().lines, Totals().pieces, Totals().at_large()) == ([], 0, (0, 0))
