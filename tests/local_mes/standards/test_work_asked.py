"""What standards in force ask of people: tasks after a failed check, forms, checklists; service, API and pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local_mes.app import ROLES, create_console
from local_mes.tasks import forms_in_force as asking
from local_mes.tasks import inbox
from local_mes.tasks import qualifications as keeping
from shared.db.engine import read, write
from shared.errors import BadInput, Denied, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.rebuild import rebuild
from shared.quality.facts import CheckDecided
from shared.standards.queries import find_in_force
from shared.tasks.queries import held_by, list_checklists, list_collected
from shared.web.accounts import add_person, find_by_login

DEMO = Path(__file__).parents[3] / "demo" / "standards"
PASSWORD = "long enough to type"
MINUTE_MS = 60_000


@pytest.fixture
def working(group: Any) -> Any:
    """A rule with a workflow, a form and a checklist in force, and one failed check."""
    group.release("W-KNIFE-v1", scope={}, needs=[])
    rule = json.loads((DEMO / "QR-CHE-01-v5.json").read_text())["rule"]
    rule["otherwise"]["workflow"] = "W-KNIFE"
    group.release("QR-CHE-01-v5", rule=rule)
    group.release("DC-COATING-v1", at="slab_caster", per="shift")
    group.release("WI-TUNDISH-v1")
    group.sync()
    judge(group, "hold", "d1")
    judge(group, "pass", "d2")
    return group


def judge(group: Any, outcome: str, decision_id: str, rule_id: str = "QR-CHE-01") -> None:
    now = group.clock.now_ms()
    with group.plant.journal.work() as tx:
        adopted = find_in_force(tx.conn, "ALD", "QR-CHE-01")
        fact = CheckDecided(
            decision_id=decision_id,
            rule_id=rule_id,
            rule_version=5,
            rule_hash=adopted.sha256,
            material_id="m1",
            outcome=outcome,
            inputs={},
            explanation="C 0.061 % > 0.060 %",
        )
        tx.record(Draft(payload=fact, subjects=("m1",), actor="rule", occurred=Occurred(now, "system")))


def tasks(group: Any) -> list[inbox.Task]:
    with read(group.plant.node.engine) as conn:
        return inbox.list_tasks(conn, group.plant)


def test_a_failed_check_asks_its_workflow_and_a_passed_one_nothing(working: Any) -> None:
    first, second = tasks(working)
    assert (first.decision_id, first.action, first.role) == ("d1", 1, "operator")
    assert first.due_ms == working.clock.now_ms() + 10 * MINUTE_MS
    assert (second.action, second.role, second.why) == (2, "quality", "C 0.061 % > 0.060 %")


def test_many_failed_checks_of_other_rules_push_no_task_out(working: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "CHECKS_MAX", 3)
    working.clock.advance(1_000)
    for n in range(5):
        judge(working, "mark", f"other{n}", rule_id="QR-OTHER")
    assert [task.decision_id for task in tasks(working)] == ["d1", "d1"]
    inbox.finish(working.plant, "d1", 1, "", "olek", "t1")


def test_done_is_written_down_once_with_the_person(working: Any) -> None:
    inbox.finish(working.plant, "d1", 1, " knives moved 2 mm ", "olek", "t1")
    inbox.finish(working.plant, "d1", 1, " knives moved 2 mm ", "olek", "t1")
    assert [(t.action, t.done_by, t.note) for t in tasks(working)] == [(2, "", ""), (1, "olek", "knives moved 2 mm")]
    with pytest.raises(Refused):
        inbox.finish(working.plant, "d1", 1, "", "ewa", "t2")
    with pytest.raises(NotFound):
        inbox.finish(working.plant, "d2", 1, "", "ewa", "t3")


def test_what_is_overdue_is_the_leads_too(working: Any) -> None:
    first = tasks(working)[0]
    now = working.clock.now_ms()
    assert inbox.concerns(first, {"operator"}, now)
    assert not inbox.concerns(first, {"lead"}, now)
    assert inbox.concerns(first, {"lead"}, now + 11 * MINUTE_MS)
    working.clock.advance(15 * 86_400_000)
    assert tasks(working) == []


def test_what_nobody_answers_goes_up_until_somebody_is_on_it(group: Any) -> None:
    workflow = json.loads((DEMO / "W-KNIFE-v1.json").read_text())
    first, second = workflow["actions"]
    first |= {"acknowledge_min": 5, "escalate_to": "quality"}
    group.release("W-KNIFE-v1", scope={}, needs=[], actions=[first, second])
    rule = json.loads((DEMO / "QR-CHE-01-v5.json").read_text())["rule"]
    rule["otherwise"]["workflow"] = "W-KNIFE"
    group.release("QR-CHE-01-v5", rule=rule)
    group.sync()
    judge(group, "hold", "d1")
    group.clock.advance(6 * MINUTE_MS)
    now = group.clock.now_ms()
    asked = tasks(group)[0]
    assert (asked.is_escalated(now), asked.is_overdue(now)) == (True, False)
    assert inbox.concerns(asked, {"quality"}, now)
    assert not inbox.concerns(asked, {"lead"}, now)
    inbox.acknowledge(group.plant, "d1", 1, "olek", "a1")
    inbox.acknowledge(group.plant, "d1", 1, "ewa", "a2")
    asked = tasks(group)[0]
    assert (asked.is_escalated(now), asked.acknowledged_by) == (False, "olek")
    assert not inbox.concerns(asked, {"quality"}, now)


def test_a_qualification_opens_a_task_until_it_ends(group: Any) -> None:
    workflow = json.loads((DEMO / "W-KNIFE-v1.json").read_text())
    for action in workflow["actions"]:
        action["qualification"] = "air knives"
    group.release("W-KNIFE-v1", scope={}, needs=[], actions=workflow["actions"])
    rule = json.loads((DEMO / "QR-CHE-01-v5.json").read_text())["rule"]
    rule["otherwise"]["workflow"] = "W-KNIFE"
    group.release("QR-CHE-01-v5", rule=rule)
    group.release("WI-TUNDISH-v1", qualification="tundish change")
    group.sync()
    judge(group, "hold", "d1")
    with write(group.plant.node.engine) as conn:
        for login, roles in (("olek", ("operator",)), ("lena", ("lead",))):
            add_person(conn, group.clock, login, login.capitalize(), roles, PASSWORD, ROLES)
        olek = find_by_login(conn, "olek")
    with pytest.raises(Denied, match="air knives"):
        inbox.finish(group.plant, "d1", 1, "", olek, "t1")
    with pytest.raises(Denied, match="tundish change"):
        asking.go_through(group.plant, "WI-TUNDISH", "CC1", [1, 2, 3, 4], "", olek, "k1")
    client = signed_in(group, "lena")
    page = client.get("/qualifications/").text
    assert "air knives</b> is asked for by W-KNIFE" in page
    sent = {"command_id": "q1", "person_id": olek, "qualification": "Air knives", "csrf_token": hidden(page)}
    assert client.post("/qualifications/", data=sent | {"until_day": "2026-03-10"}).status_code == 422
    assert client.post("/qualifications/", data=sent | {"until_day": "2026-03-11"}).status_code == 302
    assert "ends soon" in client.get("/qualifications/").text
    other = signed_in(group, "olek")
    sent["csrf_token"] = hidden(other.get("/tasks").text)
    assert other.post("/qualifications/", data=sent).status_code == 403
    inbox.acknowledge(group.plant, "d1", 2, olek, "t2")
    group.clock.advance(86_400_000)
    with pytest.raises(Denied):
        inbox.finish(group.plant, "d1", 2, "", olek, "t3")
    now = group.clock.now_ms()
    keeping.give(group.plant, olek, "air knives", 0, "course", actor="lena", command_id="q2")
    inbox.finish(group.plant, "d1", 2, "", olek, "t4")
    keeping.end(group.plant, olek, "air knives", "moved on", actor="lena", command_id="q3")
    with read(group.plant.node.engine) as conn:
        assert held_by(conn, "ALD", olek, now) == frozenset()
    assert "moved on" in client.get("/qualifications/").text
    assert client.get("/api/v1/qualifications").json["items"][0]["held"] is False


def signed_in(group: Any, login: str) -> Any:
    client = create_console(group.plant).test_client()
    token = {"csrf_token": hidden(client.get("/sign-in").text)}
    client.post("/sign-in", data={"login": login, "password": PASSWORD, **token})
    return client


def test_a_form_takes_what_its_standard_allows(working: Any) -> None:
    good = {"spot_1_gm2": 275, "spot_2_gm2": 280, "spot_3_gm2": 290, "surface": "A"}
    for values, said in (
        ({**good, "spot_1_gm2": 900}, "spot 1 is outside 20 to 600 g/m2"),
        ({**good, "surface": "D"}, "is none of A, B, C"),
        ({**good, "other": 1}, "other is not asked for"),
        ({}, "spot 1 is missing"),
    ):
        with pytest.raises(BadInput, match=re.escape(said)):
            asking.collect(working.plant, "DC-COATING", "CC1", ("", "2026-03-11/early"), values, "olek", "x")
    with pytest.raises(BadInput, match="is no slab_caster"):
        asking.collect(working.plant, "DC-COATING", "LF1", ("", "s"), good, "olek", "x")
    record_id = asking.collect(working.plant, "DC-COATING", "CC1", ("", "2026-03-11/early"), good, "olek", "r1")
    assert asking.collect(working.plant, "DC-COATING", "CC1", ("", "2026-03-11/early"), good, "olek", "r1") == record_id
    with read(working.plant.node.engine) as conn:
        (row,) = list_collected(conn, "ALD")
    assert (row.standard_id, row.standard_version, json.loads(row._mapping["values"])) == ("DC-COATING", 1, good)


def test_a_checklist_needs_its_steps_or_a_reason(working: Any) -> None:
    with pytest.raises(BadInput, match="Step 2, 3, 4 is not confirmed"):
        asking.go_through(working.plant, "WI-TUNDISH", "CC1", [1], "", "olek", "k1")
    asking.go_through(working.plant, "WI-TUNDISH", "CC1", [1, 2, 3, 9], "turret sensor dead, lead knows", "olek", "k2")
    with pytest.raises(NotFound):
        asking.go_through(working.plant, "DC-COATING", "CC1", [], "", "olek", "k3")
    with read(working.plant.node.engine) as conn:
        (row,) = list_checklists(conn, "ALD")
    assert row.confirmed.split() == ["1", "2", "3"]


def test_the_rows_come_again_from_the_journal_and_reach_the_hub(working: Any) -> None:
    inbox.finish(working.plant, "d1", 1, "", "olek", "t1")
    asking.go_through(working.plant, "WI-TUNDISH", "CC1", [1, 2, 3, 4], "", "olek", "k1")
    working.sync()
    with write(working.plant.node.engine) as conn:
        before = content_hash(conn, "ALD")
        rebuild(conn, working.plant.journal.appliers, working.clock.now_ms())
        assert content_hash(conn, "ALD") == before
    with read(working.hub.node.engine) as conn:
        assert content_hash(conn, "ALD") == before
        assert len(list_checklists(conn, "ALD")) == 1


def test_pages_and_api(working: Any) -> None:
    with write(working.plant.node.engine) as conn:
        add_person(conn, working.clock, "olek", "Olek", ("operator",), PASSWORD, ROLES)
    client = create_console(working.plant).test_client()
    token = {"csrf_token": hidden(client.get("/sign-in").text)}
    client.post("/sign-in", data={"login": "olek", "password": PASSWORD, **token})
    page = client.get("/tasks").text
    assert page.index("Acknowledge; correct knife pressure") < page.index("Other people's")
    token = {"csrf_token": hidden(page)}
    assert client.post("/tasks/d1/1", data={"command_id": "a", **token}).status_code == 302
    assert "Nothing waits for you" in client.get("/tasks").text
    assert "3 entries" not in client.get("/forms").text
    form = client.get("/forms/DC-COATING").text
    assert 'name="v-spot_1_gm2"' in form
    spots = {f"v-spot_{n}_gm2": "275" for n in (1, 2, 3)}
    sent = {"command_id": "b", "unit": "CC1", "of": "2026-03-11/early", **spots, **token}
    refused = client.post("/forms/DC-COATING", data=sent)
    assert (refused.status_code, "Surface as seen" in refused.text, 'value="275"' in refused.text) == (422, True, True)
    assert client.post("/forms/DC-COATING", data=sent | {"v-surface": "B", "v-oiled": "no"}).status_code == 302
    steps = {"confirmed": ["1", "2", "3", "4"]}
    done = client.post("/forms/WI-TUNDISH", data={"command_id": "c", "unit": "CC1", **steps, **token})
    assert done.status_code == 302
    shown = client.get("/forms").text
    assert "oiled no" in shown
    assert "1, 2, 3, 4" in shown
    items = client.get("/api/v1/tasks").json["items"]
    assert [(task["action"], task["done_ms"] is not None) for task in items] == [(2, False), (1, True)]
    assert client.get("/forms/KPI-YLD").status_code == 404


def hidden(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found.group(1)
