"""A plant's own standards: written, tried on a day that was, deployed and taken back alone; the group sees them."""

from __future__ import annotations

from typing import Any

import pytest
from browse import sign_in
from sqlalchemy import event

from central_hub.app import create_portal
from central_hub.conformance.service import read_matrix
from local_mes.app import create_console
from local_mes.standards import own, own_trial
from local_mes.standards.in_force import check
from shared.db.engine import read
from shared.errors import BadInput, Refused
from shared.journal.fact import Draft, Occurred
from shared.quality.facts import CheckDecided
from shared.standards.as_yaml import write_text
from shared.standards.binding import effective_hash
from shared.standards.documents import parse_document
from shared.standards.facts import InstalledStandard
from shared.standards.queries import find_adoption, find_in_force, find_version, list_in_force

OWN = "ALD-QR-CU"


def document(version: int = 1, limit: str = "0.20", **changes: Any) -> dict[str, Any]:
    return {
        "kind": "quality_rule",
        "id": OWN,
        "version": version,
        "title": "Our own limit of copper",
        "owner": "quality of Aldermoor",
        "takes_hold": "at_once",
        "needs": ["ladle_furnace"],
        "rule": {
            "when": ["sample_final"],
            "check": {"kind": "expression", "variables": [{"name": "Cu", "unit": "%"}], "condition": f"Cu <= {limit}"},
            "otherwise": {"action": "mark"},
        },
        "cases": [{"name": "old wires", "inputs": {"Cu": 9000}, "outcome": "violated"}],
        **changes,
    }


def seen(group: Any, version: int) -> str:
    with read(group.plant.node.engine) as conn:
        return str(find_version(conn, "ALD", OWN, version).sha256)


def deploy(group: Any, version: int, **more: Any) -> None:
    own.deploy(group.plant, OWN, version, seen(group, version), "copper rises", "ewa", group.command(), **more)


def written(group: Any, *versions: dict[str, Any]) -> None:
    for each in versions:
        own.write(group.plant, each, "ewa", group.command())


@pytest.fixture
def ready(group: Any) -> Any:
    group.release("QR-RES-01-v2")
    group.sync()
    return group


def asked(group: Any, copper: int) -> str:
    with read(group.plant.node.engine) as conn:
        return check(conn, OWN, {"Cu": copper}).outcome.outcome


def test_it_runs_with_the_groups_and_goes_back_without_asking_and_the_group_sees_it(ready: Any) -> None:
    written(ready, document(1), document(2, "0.30"))
    assert asked(ready, 2500) == "not_applicable"  # a draft checks nothing
    deploy(ready, 1)
    assert (asked(ready, 2500), ready.in_force()) == ("violated", [(OWN, 1), ("QR-RES-01", 2)])
    deploy(ready, 2)
    assert asked(ready, 2500) == "in_order"
    ready.sync()
    with read(ready.hub.node.engine) as hub, read(ready.plant.node.engine) as plant:
        cell = read_matrix(hub, ready.hub).cells[OWN, "ALD"]
        assert (cell.state, cell.version, cell.differences) == ("own", 2, ())
        here, there = find_adoption(plant, "ALD"), find_adoption(hub, "ALD")
        listed = [
            InstalledStandard(a.standard_id, a.version, a.sha256, a.effective_from_ms, a.values)
            for a in list_in_force(hub, "ALD")
        ]
        assert here.effective_hash == there.effective_hash == effective_hash(listed, ())
    assert own.back(ready.plant, OWN, "too loose", "ewa", ready.command()) == 1
    assert asked(ready, 2500) == "violated"
    with pytest.raises(Refused):
        written(ready, document(2, "0.10"))  # it was in force: it never changes
    own.take_out(ready.plant, OWN, "the group has a rule now", "ewa", ready.command())
    assert ready.in_force() == [("QR-RES-01", 2)]
    with pytest.raises(Refused):
        own.take_out(ready.plant, OWN, "again", "ewa", ready.command())


def test_what_is_no_own_standard_is_refused(ready: Any) -> None:
    faulty = document()
    faulty["rule"]["check"]["condition"] = "Cu <= 'much'"
    wrong_case = document(cases=[{"name": "old wires", "inputs": {"Cu": 9000}, "outcome": "in_order"}])
    for wrong in (document(id="QR-CU"), document(id="BRK-CU"), faulty, wrong_case):
        with pytest.raises(BadInput):
            written(ready, wrong)
    written(ready, document(1, needs=["galvaniser"]))
    with pytest.raises(Refused, match="no unit of class galvaniser"):
        deploy(ready, 1)
    before = seen(ready, 1)
    written(ready, document(1))
    with pytest.raises(Refused):
        own.deploy(ready.plant, OWN, 1, before, "as I read it", "ewa", ready.command())


def test_a_plant_cannot_pass_the_groups_grade_rule_with_a_substitution_of_its_own(ready: Any) -> None:
    base = {key: value for key, value in document(1).items() if key in ("version", "title", "owner", "takes_hold")}
    own_grades = {"kind": "substitution", "id": "ALD-GS", "substitutes": [{"grade": "S355", "by": "S235", "order": 1}]}
    with pytest.raises(BadInput, match="the group's to say"):
        written(ready, {**base, **own_grades})


def test_going_back_twice_never_brings_what_was_gone_back_from(ready: Any) -> None:
    written(ready, document(1), document(2, "0.30"), document(3, "0.40"))
    for version in (1, 2, 3):
        ready.clock.advance(1_000)
        deploy(ready, version)
    for before in (2, 1, 0):
        ready.clock.advance(1_000)
        assert own.back(ready.plant, OWN, "too loose", "ewa", ready.command()) == before
        assert ready.in_force() == [*([(OWN, before)] if before else []), ("QR-RES-01", 2)]


def test_nothing_is_said_to_be_in_force_that_is_not(ready: Any) -> None:
    written(ready, document(1, needs=["marker"]), document(2, needs=[]))
    deploy(ready, 1)
    deploy(ready, 2)
    whole = ready.plant.model.unit
    ready.change_model(unit=[unit for unit in whole if unit.unit_class != "marker"])
    with pytest.raises(Refused, match="no unit of class marker"):
        own.back(ready.plant, OWN, "too loose", "ewa", ready.command())


def test_it_comes_and_goes_while_the_groups_part_does_not_bind(ready: Any) -> None:
    written(ready, document(1, needs=[]), document(2, "0.30", needs=[]))
    deploy(ready, 1)
    whole = ready.plant.model.unit
    ready.change_model(unit=[unit for unit in whole if unit.unit_class != "ladle_furnace"])
    ready.release("QR-CHE-01-v5")
    ready.sync()  # refused: it needs what is gone
    assert ready.in_force() == [(OWN, 1), ("QR-RES-01", 2)]
    deploy(ready, 2)
    assert (asked(ready, 2500), ready.in_force()) == ("in_order", [(OWN, 2), ("QR-RES-01", 2)])
    ready.sync()
    with read(ready.hub.node.engine) as conn:
        cells = read_matrix(conn, ready.hub).cells
        assert (cells[OWN, "ALD"].state, cells["QR-CHE-01", "ALD"].state) == ("own", "refused")
        assert "no unit of class ladle_furnace" in cells["QR-CHE-01", "ALD"].note
        assert not read_matrix(conn, ready.hub).plants[0].hash_differs
    assert own.back(ready.plant, OWN, "too loose", "ewa", ready.command()) == 1
    own.take_out(ready.plant, OWN, "no longer", "ewa", ready.command())
    assert ready.in_force() == [("QR-RES-01", 2)]
    deploy(ready, 1)
    ready.change_model(unit=whole)
    ready.sync()
    assert ready.in_force() == [(OWN, 1), ("QR-CHE-01", 5), ("QR-RES-01", 2)]


def test_it_needs_no_word_of_the_group(group: Any) -> None:
    written(group, document(1))
    deploy(group, 1)
    assert (asked(group, 2500), group.in_force()) == ("violated", [(OWN, 1)])
    group.release("QR-RES-01-v2")
    group.sync()
    assert group.in_force() == [(OWN, 1), ("QR-RES-01", 2)]
    assert own.back(group.plant, OWN, "too strict", "ewa", group.command()) == 0
    assert group.in_force() == [("QR-RES-01", 2)]


def test_the_groups_standards_never_wait_for_one_that_no_longer_binds(ready: Any) -> None:
    written(ready, document(1, needs=["marker"]))
    deploy(ready, 1)
    ready.change_model(unit=[unit for unit in ready.plant.model.unit if unit.unit_class != "marker"])
    ready.release("KPI-YLD-v2")
    ready.sync()
    with read(ready.plant.node.engine) as conn:
        (version,) = own.list_own(conn, ready.plant)
        assert find_in_force(conn, "ALD", OWN) is None
    assert (version.wanted, version.runs, version.missing) == (True, False, (f"{OWN}: no unit of class marker",))


def judged(group: Any, at_ms: int, copper: int, outcome: str) -> None:
    """As the plant's checks record it."""
    with group.plant.journal.work() as tx, read(group.plant.node.engine) as conn:
        rule = find_in_force(conn, "ALD", "QR-RES-01")
        fact = CheckDecided(
            decision_id=f"{at_ms:032x}", rule_id="QR-RES-01", rule_version=2, rule_hash=rule.sha256,
            material_id=f"{at_ms:032x}", outcome=outcome, inputs={"grade": "L06", "Cu": copper}, explanation="",
        )  # fmt: skip
        tx.record(Draft(payload=fact, subjects=(fact.material_id,), actor="l2", occurred=Occurred(at_ms, "l2:x")))


def test_it_is_tried_on_a_day_that_was_before_it_is_deployed(ready: Any) -> None:
    day = ready.plant.model.calendar.production_day(ready.clock.now_ms())
    begins, ends = ready.plant.model.calendar.day_bounds(day)
    for at, copper, outcome in ((begins, 1900, "pass"), (begins + 9, 2500, "pass"), (ends - 1, 2600, "hold")):
        judged(ready, at, copper, outcome)
    judged(ready, ends, 9000, "pass")  # the next day's
    written(ready, document(1))
    with read(ready.plant.node.engine) as conn:
        trial = own.try_draft(conn, ready.plant, OWN, 1, day)
    assert (trial.asked, trial.outcomes) == (3, {"in_order": 1, "violated": 2})
    assert [(p.was, p.now, p.why) for p in trial.pieces] == [
        ("in order", "mark", "Cu = 0.25 % > 0.2 %"),
        ("hold", "mark", "Cu = 0.26 % > 0.2 %"),
    ]
    deploy(ready, 1, day=day)
    with read(ready.plant.node.engine) as conn:
        assert own.list_own(conn, ready.plant)[0].trial == trial.text


def test_a_trial_asks_little_of_the_database_and_nothing_while_it_holds_the_writer(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = ready.plant.model.calendar.production_day(ready.clock.now_ms())
    begins, _ = ready.plant.model.calendar.day_bounds(day)
    for at in range(12):
        judged(ready, begins + at, 1900, "pass")
    written(ready, document(1))
    asked: list[str] = []
    event.listen(ready.plant.node.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with read(ready.plant.node.engine) as conn:
        assert own.try_draft(conn, ready.plant, OWN, 1, day).asked == 12
    assert len(asked) < 10
    monkeypatch.setattr(own_trial, "CHECKS_MAX", 10)
    writing: list[bool] = []

    def noted(conn: Any, *what: Any) -> own.Trial:
        writing.append(bool(conn.get_execution_options().get("writes")))
        return own_trial.try_on_day(conn, *what)

    monkeypatch.setattr(own, "try_on_day", noted)
    deploy(ready, 1, day=day)
    assert writing == [False]
    with read(ready.plant.node.engine) as conn:
        assert "asked 10 times" in (said := own.list_own(conn, ready.plant)[0].trial)
        assert said.endswith("only the first 10 checks")


def test_a_day_that_is_none_is_refused_and_a_trial_takes_the_role_of_who_writes(ready: Any) -> None:
    written(ready, document(1))
    engineer = sign_in(create_console(ready.plant), ready.plant.node, "engineer.ald", "engineer")
    operator = sign_in(create_console(ready.plant), ready.plant.node, "operator.cc1", "operator")
    address, api = f"/standards/own/{OWN}/1", f"/api/v1/own-standards/{OWN}/1/trial"
    for day in ("2026-02-31", "9999-12-31"):
        assert engineer.api("GET", f"{api}?day={day}").status_code == 422
        assert engineer.client.get(f"{address}?day={day}").status_code == 422
    assert engineer.api("GET", f"{api}?day=2026-03-10").status_code == 200
    assert operator.api("GET", f"{api}?day=2026-03-10").status_code == 403
    assert operator.client.get(f"{address}?day=2026-03-10").status_code == 403
    assert "Try it on a day" not in operator.page(address)


def test_people_do_it_on_pages_and_the_portal_shows_it(ready: Any) -> None:
    engineer = sign_in(create_console(ready.plant), ready.plant.node, "engineer.ald", "engineer")
    address = f"/standards/own/{OWN}/1"
    made = engineer.post(
        "/standards/own/write", "/standards/own/write", document=write_text(parse_document(document()))
    )
    assert (made.status_code, made.location) == (302, address)
    assert "asked 0 times" in engineer.page(f"{address}?day=2026-03-10")
    put = engineer.post(f"{address}/deploy", address, sha256=seen(ready, 1), reason="copper rises", day="2026-03-10")
    assert put.status_code == 302
    assert all(text in engineer.page(address) for text in ("in force", "copper rises", "asked 0 times"))
    assert OWN in engineer.page("/standards/own")
    assert "version: 2" in engineer.page(f"/standards/own/write?of={OWN}")
    ready.sync()
    auditor = sign_in(create_portal(ready.hub), ready.hub.node, "auditor", "auditor")
    assert "copper rises" in auditor.page("/own-standards")
    assert "Our own limit of copper" in auditor.page(f"/own-standards/ALD/{OWN}")
    assert auditor.api("GET", "/api/v1/own-standards").json["items"][0]["runs"] is True
    assert "its own" in auditor.page("/conformance")
    assert engineer.post(f"{address}/back", address, reason="too strict").status_code == 302
    items = engineer.api("GET", "/api/v1/own-standards").json["items"]
    assert [(item["standard_id"], item["runs"]) for item in items] == [(OWN, False)]
    operator = sign_in(create_console(ready.plant), ready.plant.node, "operator.cc1", "operator")
    refused = operator.api("POST", "/api/v1/own-standards", json={"command_id": "1", "document": document(3)})
    assert refused.status_code == 403
