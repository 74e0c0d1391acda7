"""What the hub says about a real plant: up to date, on its way, away, deviating, adrift; and its figures."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from browse import sign_in
from sqlalchemy import insert, select, text, update

from central_hub.conformance.domain import Cell
from central_hub.conformance.service import read_matrix
from central_hub.conformance.words import text_of
from central_hub.performance.service import read_comparison
from local_mes.app import create_console
from local_mes.standards import own, service, watching
from local_mes.standards.watching import AGAIN_MS, LOOK_MS, Watch, look
from shared.db.engine import read, write
from shared.errors import Unavailable
from shared.journal.fact import Draft, Occurred
from shared.journal.rederive import put_right
from shared.performance.facts import MeasureCounted
from shared.standards import tables
from shared.standards.edit_rows import edited, find_edits
from shared.standards.queries import find_version

PATIENCE_S = 10
OWN = {
    "kind": "reason_tree",
    "id": "ALD-RT-SCRAP",
    "title": "Why we scrap",
    "owner": "quality",
    "takes_hold": "at_once",
    "of": "scrap",
    "reasons": [{"code": "bent", "text": "Bent in the yard"}],
}
RULE = tables.standard_version
INJECTED = {
    "standard_id": "QR-OWN",
    "version": 1,
    "sha256": "a" * 64,
    "effective_from_ms": 0,
    "adopted_ms": 0,
    "bound": "{}",
}


def cell(group: Any, standard_id: str) -> Cell:
    with read(group.hub.node.engine) as conn:
        return read_matrix(conn, group.hub).cells[standard_id, "ALD"]


def test_on_its_way_then_running(group: Any) -> None:
    group.release("KPI-YLD-v2")
    assert cell(group, "KPI-YLD").state == "on_its_way"
    group.sync()
    assert (cell(group, "KPI-YLD").state, text_of(cell(group, "KPI-YLD"))) == ("runs_it", "v2")


def test_a_standard_for_another_plant_is_not_missing_here(group: Any) -> None:
    group.release("QR-HSM-01-v4")
    group.sync()
    assert cell(group, "QR-HSM-01").state == "not_for_it"


def test_a_plant_cut_off_before_a_publication_is_away_and_not_adrift(group: Any) -> None:
    group.release("KPI-YLD-v2")
    group.sync()
    group.clock.advance(3 * 3_600_000 + 50 * 60_000)
    group.sync()  # the last word before the line was cut, at 08:50
    group.clock.advance(70 * 60_000)
    group.release("KPI-YLD-v3")
    sync = group.hub.settings.sync.model_copy(update={"away_after_s": 0.01})
    group.hub = replace(group.hub, settings=group.hub.settings.model_copy(update={"sync": sync}))
    end = time.monotonic() + PATIENCE_S
    while cell(group, "KPI-YLD").state != "away" and time.monotonic() < end:
        time.sleep(0.02)
    assert text_of(cell(group, "KPI-YLD")) == "v2, away since 08:50"
    group.sync()
    assert cell(group, "KPI-YLD").version == 3


def test_a_refusal_is_shown_with_its_reason(group: Any) -> None:
    group.change_model(unit=tuple(u for u in group.plant.model.unit if u.unit_class != "ladle_furnace"))
    group.release("QR-CHE-01-v5")
    group.sync()
    found = cell(group, "QR-CHE-01")
    assert (found.state, text_of(found)) == ("refused", "nothing, refused v5")
    assert "no unit of class ladle_furnace" in found.note


def test_a_declared_deviation_is_no_drift(group: Any) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    service.declare(
        group.plant,
        "R-GISLIT",
        "CC1.slab_length_mm",
        "8500",
        "engineer.ald",
        "torch rail",
        group.clock.now_ms() + 1_000_000,
        "p1",
        "d1",
    )
    group.sync()
    found = cell(group, "R-GISLIT")
    assert (found.state, [d.value for d in found.deviations]) == ("deviates", ["8500"])


def test_a_plant_that_runs_something_else_is_adrift_and_the_field_is_named(group: Any) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    table = tables.in_force
    with write(group.hub.node.engine) as conn:
        conn.execute(update(table).values(bound='{"CC1.slab_length_mm": 12000}'))
    found = cell(group, "R-GISLIT")
    assert found.state == "drift"
    assert found.differences == ("CC1.slab_length_mm = 12000, published is 8800..9800 mm and no deviation is declared",)
    with read(group.hub.node.engine) as conn:
        assert read_matrix(conn, group.hub).plants[0].hash_differs


def count(group: Any, unit: str, **measures: int) -> None:
    with group.plant.journal.work() as tx:
        tx.record(
            Draft(
                payload=MeasureCounted(unit=unit, production_day="2026-03-11", shift="early", measures=measures),
                subjects=(f"ALD.{unit}",),
                actor="l2",
                occurred=Occurred(group.clock.now_ms(), "l2"),
            )
        )


def test_a_figure_has_its_definition_and_its_as_of(group: Any) -> None:
    group.release("KPI-YLD-v2")
    group.sync()
    count(group, "CC1", good_g=979, to_tundish_g=1000)
    count(group, "EAF1", tapped_g=600)
    count(group, "EAF2", tapped_g=412)
    group.sync()
    with read(group.hub.node.engine) as conn:
        found = read_comparison(conn, group.hub, "KPI-YLD", ["2026-03-11"])
    (group_of_two,) = found.groups
    (plant,) = group_of_two.plants
    assert group_of_two.version == 2
    assert plant.complete_through_ms == group.clock.now_ms() - 1  # a fact of this very millisecond may still come
    assert [(f.at, f.value) for f in plant.figures] == [("slab_caster", pytest.approx(97.9))]
    group.release("KPI-YLD-v3")
    group.sync()
    with read(group.hub.node.engine) as conn:
        (after,) = read_comparison(conn, group.hub, "KPI-YLD", ["2026-03-11"]).groups
    assert (after.version, after.plants[0].figures[0].value) == (3, pytest.approx(100 * 979 / 1012))


def test_an_edit_of_the_plants_own_database_is_drift_within_the_hour_down_to_the_field(group: Any) -> None:
    group.release("R-GISLIT-v7", "QR-RES-01-v2")
    group.sync()
    watch = Watch(group.plant)
    assert not watch.look()
    for version in (1, 2):  # two adoptions of the same millisecond: the latter counts
        own.write(group.plant, OWN | {"version": version}, "ewa", group.command())
        with read(group.plant.node.engine) as conn:
            seen = str(find_version(conn, "ALD", OWN["id"], version).sha256)
        own.deploy(group.plant, OWN["id"], version, seen, "ours", "ewa", group.command())
        assert not look(group.plant)
    with write(group.plant.node.engine) as conn:
        route = tables.in_force.c.standard_id == "R-GISLIT"
        bound = json.loads(conn.execute(select(tables.in_force.c.bound).where(route)).scalar_one())
        # within the range: only the journal knows better
        edited = json.dumps(bound | {"CC1.slab_length_mm": 9001})
        conn.execute(update(tables.in_force).where(route).values(bound=edited))
        body = conn.execute(select(RULE.c.body).where(RULE.c.standard_id == "QR-RES-01")).scalar_one()
        conn.execute(update(RULE).where(RULE.c.standard_id == "QR-RES-01").values(body=body.replace("0.38", "0.48")))
        conn.execute(insert(tables.in_force).values({**INJECTED, "author": "ALD"}))
    assert not watch.look()  # not every second
    group.clock.advance(LOOK_MS)
    assert watch.look()
    assert not look(group.plant)  # once
    group.sync()
    found = {name: cell(group, name) for name in ("R-GISLIT", "QR-RES-01", "QR-OWN")}
    assert {one.state for one in found.values()} == {"drift"}
    said = f"CC1.slab_length_mm = 9001 in the database, adopted was {bound['CC1.slab_length_mm']}"
    assert found["R-GISLIT"].differences == (said,)
    (rule,) = found["QR-RES-01"].differences
    assert rule.startswith("rule.check.condition: Cu + 8 * Sn <= 0.48 in the database, adopted was Cu + 8 * Sn <= 0.38")
    assert "adopted was nothing" in found["QR-OWN"].differences[0]
    assert "rule.check.condition" in sign_in(create_console(group.plant), group.plant.node, "ewa.e", "engineer").page(
        "/standards"
    )
    put_right(group.plant.node.engine, group.plant.journal.appliers, "ALD", group.plant.settings.folder)
    with write(group.plant.node.engine) as conn:
        conn.execute(update(RULE).where(RULE.c.standard_id == "QR-RES-01").values(body=body))
    assert look(group.plant)
    group.sync()
    assert [cell(group, name).differences for name in ("R-GISLIT", "QR-RES-01")] == [(), ()]


UNREADABLE = "its values in the database cannot be read"
WRITTEN = (
    ("'{'", UNREADABLE),
    ("'[]'", UNREADABLE),
    ("7", UNREADABLE),
    (f"'{'[' * 2_000}'", UNREADABLE),
    ("CAST(X'22FF' AS TEXT)", UNREADABLE),
    (f"""'{{"a": "{"x" * 300_000}"}}'""", f"a = {'x' * 80} in the database, adopted was nothing"),
    (f"""'{{"{"x" * 300_000}": 1}}'""", f"{'x' * 80} = 1 in the database, adopted was nothing"),
    ("""'{"a": "\\ud800\\u0000"}'""", "a = ?? in the database, adopted was nothing"),
)


def test_one_edit_that_cannot_be_read_or_told_hides_no_other(group: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    group.release("R-GISLIT-v7", "QR-RES-01-v2")
    group.sync()
    plant, change = (
        group.plant,
        text("UPDATE standard_in_force SET version = version + 90 WHERE standard_id = 'QR-RES-01'"),
    )
    with write(plant.node.engine) as conn:
        conn.execute(change)
    for written, said in WRITTEN:
        with write(plant.node.engine) as conn:
            conn.exec_driver_sql(f"UPDATE standard_in_force SET bound = {written} WHERE standard_id = 'R-GISLIT'")
        look(plant)
        with read(plant.node.engine) as conn:
            found = find_edits(conn, "ALD").differences
        assert said in found["R-GISLIT"], written[:30]
        assert found["QR-RES-01"][0].startswith("the database says v92")
    with write(plant.node.engine) as conn:
        conn.execute(update(edited).values(differences="{"))
    assert not look(plant), "what was told is in the journal"
    with write(plant.node.engine) as conn:
        rows = [{**INJECTED, "author": "ALD", "standard_id": f"A{n:03}" + "x" * 200} for n in range(900)]
        conn.execute(insert(tables.in_force), rows)
    assert look(plant)
    with read(plant.node.engine) as conn:
        found = find_edits(conn, "ALD").differences
    assert {"R-GISLIT", "QR-RES-01"} < set(found), "what was adopted comes first"
    assert f"and {902 - len(found)} more standards" in {lines[-1] for lines in found.values()}
    watch = Watch(plant)
    with monkeypatch.context() as patch:
        patch.setattr(watching, "find_edited", lambda *_: (_ for _ in ()).throw(Unavailable("db.away", "It is away.")))
        with pytest.raises(Unavailable):
            watch.look()
    assert watch.next_ms == group.clock.now_ms() + AGAIN_MS
