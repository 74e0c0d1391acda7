"""A dashboard is a standard like any other: adopted, filled by the plant's figures there and in the portal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

from central_hub.app import create_portal
from central_hub.performance.dashboards import _row
from central_hub.standards import service
from local_mes.app import create_console
from shared.db.engine import read
from shared.errors import BadInput
from shared.journal.fact import Draft, Occurred, Payload
from shared.performance.dashboard import read_dashboard, span
from shared.performance.facts import MeasureCounted, StopRecorded
from shared.standards import as_yaml
from shared.standards.check import document_faults
from shared.standards.documents import parse_document, schema_of
from shared.standards.queries import find_version

LIBRARY = Path(__file__).parents[3] / "demo" / "standards" / "library"
TILES = [
    {"name": "Yield", "show": "figure", "kpi": "KPI-YLD", "target_milli": 97_000},
    {"name": "Yield of two days", "show": "figure", "kpi": "KPI-YLD", "days": 2},
    {"name": "Yield by day", "show": "trend", "kpi": "KPI-YLD", "days": 4},
    {"name": "Unknown", "show": "figure", "kpi": "KPI-NONE"},
    {"name": "Why it stood", "show": "delays", "days": 2},
    {"name": "Stops", "show": "stops", "days": 2},
    {"name": "Holds", "show": "holds"},
]
BOARD = {
    "kind": "dashboard",
    "id": "DB-DAY",
    "version": 1,
    "title": "The day",
    "owner": "figures",
    "takes_hold": "at_once",
    "depends": ["KPI-YLD", "KPI-NONE"],
    "tiles": TILES,
}
TODAY, BEFORE = "2026-03-11", "2026-03-10"


def publish(group: Any, document: dict[str, Any]) -> None:
    made = service.draft(group.hub, document, "anna", group.command())
    service.submit(group.hub, made.id, made.version, "anna", group.command())
    with read(group.hub.node.engine) as conn:
        seen = find_version(conn, group.hub.code, made.id, made.version)
    assert seen is not None
    service.approve(group.hub, made.id, made.version, str(seen.sha256), "bert", group.command())
    group.sign()


def count(group: Any, unit: str, day: str, **measures: int) -> None:
    record(group, MeasureCounted(unit=unit, production_day=day, shift="early", measures=measures), unit)


def record(group: Any, payload: Payload, subject: str) -> None:
    with group.plant.journal.work() as tx:
        tx.record(Draft(payload=payload, subjects=(subject,), actor="l2", occurred=Occurred(tx.now_ms(), "l2")))


def test_a_dashboard_shows_the_same_figures_at_the_plant_and_in_the_portal(group: Any) -> None:
    group.release("KPI-YLD-v3")
    publish(group, BOARD)
    for day, good in ((TODAY, 960), (BEFORE, 980)):
        count(group, "EAF1", day, tapped_g=1_000_000_000)
        count(group, "CC1", day, good_g=good * 1_000_000)
    now = group.clock.now_ms()
    stopped = StopRecorded(
        stop_id="s1",
        unit="CC1",
        from_ms=now - 1_800_000,
        to_ms=now,
        reason="ME-TAB",
        note="",
        production_day=TODAY,
        shift="early",
    )
    record(group, stopped, "s1")
    assert group.sync()
    for node in (group.plant.node, group.hub.node):
        with read(node.engine) as conn:
            found = {n.tile.name: n for n in read_dashboard(conn, "ALD", parse_document(BOARD), TODAY)}
        (figure,) = found["Yield"].figures
        assert (figure.figure.value, figure.figure.at, figure.worse) == (96.0, "slab_caster", True)
        assert found["Yield of two days"].figures[0].figure.value == 97.0
        trend = [(day, [f.value for f in figures]) for day, figures in found["Yield by day"].days]
        assert trend[2:] == [(BEFORE, [98.0]), (TODAY, [96.0])]
        assert found["Unknown"].why == "KPI-NONE is not in force at ALD."
        assert found["Why it stood"].delays == [("ME-TAB", 1_800_000, 1_000_000)]
        assert [row.unit for row in found["Stops"].rows] == ["CC1"]
    at_plant = sign_in(create_console(group.plant), group.plant.node, "lena", "lead")
    assert "The day" in at_plant.page("/dashboards/")
    page = at_plant.page(f"/dashboards/DB-DAY?day={TODAY}")
    assert "96.0 " in page
    assert "beyond the target" in page
    assert "timechart" in page
    assert at_plant.client.get("/dashboards/DB-NONE").status_code == 404
    at_hub = sign_in(create_portal(group.hub), group.hub.node, "olga", "owner")
    assert "The day" in at_hub.page("/dashboards/")
    beside = at_hub.page("/dashboards/DB-DAY")
    assert "<b>96.0</b>" in beside
    assert "by v3" in beside
    assert "ME-TAB" in at_hub.page("/dashboards/DB-DAY?plant=ALD")


def test_what_a_dashboard_must_be() -> None:
    assert schema_of(parse_document(BOARD)) == 3
    assert document_faults(parse_document(BOARD)) == []
    silent = parse_document({**BOARD, "depends": ["KPI-YLD"]})
    assert document_faults(silent) == ["it shows KPI-NONE, so it depends on it"]
    for wrong in (
        {"name": "No KPI", "show": "trend"},
        {"name": "Holds", "show": "holds", "kpi": "KPI-YLD"},
        {"name": "Holds", "show": "holds", "target_milli": 5},
        {"name": "Long", "show": "delays", "days": 93},
    ):
        with pytest.raises(BadInput):
            parse_document({**BOARD, "tiles": [wrong]})
    with pytest.raises(BadInput, match="tile twice: Yield"):
        parse_document({**BOARD, "tiles": [TILES[0], TILES[0]]})
    assert span("2026-03-01", 2) == ["2026-02-28", "2026-03-01"]
    for path in LIBRARY.glob("DB-*.yaml"):
        assert document_faults(parse_document(as_yaml.read_text(path.read_text()))) == []


def test_plants_side_by_side_read_only_what_is_shown_and_a_list_only_its_rows(group: Any) -> None:
    said: list[str] = []
    engine = group.hub.node.engine
    event.listen(engine, "before_cursor_execute", lambda *call: said.append(" ".join(call[2].split())))
    board = parse_document(BOARD)
    with read(engine) as conn:
        row = _row(conn, "ALD", board, TODAY)
        assert [cell.tile.name for cell in row.cells] == ["Yield", "Yield of two days", "Unknown"]
        assert not [text for text in said if "FROM stop" in text or "FROM hold" in text]
        lists = board.model_copy(update={"tiles": tuple(tile for tile in board.tiles if tile.show == "stops")})
        assert _row(conn, "ALD", lists, TODAY).cells == []
        read_dashboard(conn, "ALD", lists, TODAY)
    (stops,) = [text for text in said if "FROM stop" in text]
    assert "ORDER BY stop.from_ms DESC, stop.stop_id DESC LIMIT" in stops
