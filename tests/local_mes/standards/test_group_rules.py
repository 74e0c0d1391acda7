"""Rules of the group over facts that arrive from a plant: counted, told once, with inputs that say the same again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browse import sign_in
from sqlalchemy import select, text

from central_hub.app import create_portal
from central_hub.rules import asking, queries
from central_hub.rules.domain import Said, speaks_of
from central_hub.rules.service import ask_again, ask_pending, finish, read_decision, read_decisions
from central_hub.rules.tables import asked_to, hit
from central_hub.standards import batches
from shared.db.engine import read
from shared.errors import NotFound, Refused
from shared.journal.fact import Draft, Occurred
from shared.quality.facts import HoldPlaced
from shared.standards.as_yaml import read_text
from shared.standards.documents import GroupRule, parse_body, parse_document
from shared.standards.group_rule import group_rule_faults

DEMO = Path(__file__).parents[3] / "demo"
HOLDS, WORK = "GR-HOLDS-v1", "W-GROUPQ-v1"
MIN = 60_000


def release(group: Any, *names: str, **changes: Any) -> None:
    library = DEMO / "standards" / "library"
    documents = [{**read_text((library / f"{name}.yaml").read_text()), **changes} for name in names]
    seen = batches.draft_all(group.hub, documents, "anna", group.command(), submit=True)
    batches.approve_all(group.hub, seen, "bert", group.command())
    group.sign()


def hold(group: Any, rule: str = "QR-HSM-01", at_ms: int | None = None) -> None:
    at = group.clock.now_ms() if at_ms is None else at_ms
    with group.plant.journal.work() as tx:
        fact = HoldPlaced(hold_id=f"{at:032x}", material_id=f"{at:032x}", reason="too cold", rule_id=rule)
        tx.record(Draft(payload=fact, subjects=(fact.material_id,), actor="rule", occurred=Occurred(at, "system")))


def ask(group: Any, holds: int, rule: str = "QR-HSM-01", apart_min: int = 10) -> int:
    """So many holds reach the hub; how often its rules spoke."""
    for _ in range(holds):
        group.clock.advance(apart_min * MIN)
        hold(group, rule)
    group.sync()
    return ask_pending(group.hub)


def tell(group: Any, *at_ms: int, rule: str = "QR-HSM-01") -> int:
    """Holds of these times reach the hub one after another; how often its rules spoke."""
    spoke = 0
    for at in at_ms:
        hold(group, rule, at)
        group.sync()
        spoke += ask_pending(group.hub)
    return spoke


def decisions(group: Any) -> list[Any]:
    with read(group.hub.node.engine) as conn:
        return read_decisions(conn, group.hub, 100)


def test_holds_of_one_rule_are_counted_and_told_once_with_what_led_to_it(group: Any) -> None:
    assert ask(group, 4) == 0  # no rule yet: these are never asked about
    release(group, WORK, HOLDS)
    group.sync()
    assert ask_pending(group.hub) == 0
    assert ask(group, 4) == 0
    assert ask(group, 1, rule="") == 0  # a person's hold does not count
    assert ask(group, 3) == 1  # the fifth speaks, the sixth and seventh are the same storm
    (said,) = decisions(group)
    assert (said.rule_id, said.version, said.plant, said.outcome) == ("GR-HOLDS", 1, "ALD", "violated")
    assert (said.key, said.inputs["count"], len(said.counted)) == ("plant ALD, rule QR-HSM-01", 5, 5)
    assert said.explanation == "count = 5 ≥ 5"
    with read(group.hub.node.engine) as conn:
        again = ask_again(conn, said)
    assert again is not None
    assert (again.outcome, again.reason) == (said.outcome, said.explanation)
    assert ask_pending(group.hub) == 0
    assert [task.role for task in said.tasks] == ["owner", "author"]


def test_a_window_forgets_and_an_older_fact_is_counted_where_it_happened(group: Any) -> None:
    release(group, WORK, HOLDS)
    group.sync()
    ask_pending(group.hub)
    assert ask(group, 6, apart_min=121) == 0  # never five in eight hours
    before = group.clock.now_ms() - 100 * 60 * MIN
    for late in range(5):  # told a hundred hours later
        hold(group, at_ms=before + late)
    group.sync()
    assert ask_pending(group.hub) == 1
    assert decisions(group)[0].at_ms == before + 4


def test_facts_told_youngest_first_are_counted_all_the_same(group: Any) -> None:
    release(group, WORK, HOLDS)
    group.sync()
    ask_pending(group.hub)
    now = group.clock.now_ms()
    assert tell(group, *(now - n * 10 * MIN for n in range(8))) == 1
    (said,) = decisions(group)
    assert (said.at_ms, said.inputs["count"]) == (now, 5)
    # told between them: neither this one nor the youngest has five behind it, the one between has
    early = now - 100 * 60 * MIN
    assert tell(group, *(early + n * MIN for n in (0, 1, 60, 470, 484))) == 0
    assert tell(group, early + 5 * MIN) == 1
    assert early + 470 * MIN in {said.at_ms for said in decisions(group)}


def test_a_fact_of_which_it_is_not_known_whether_it_applies_is_not_counted() -> None:
    check = {
        "kind": "expression",
        "variables": [{"name": "Cu", "unit": "%"}, {"name": "count"}],
        "condition": "count < 3",
    }
    rule = parse_document(
        {"kind": "group_rule", "id": "GR-CU", "version": 1, "title": "Copper", "owner": "q", "takes_hold": "at_once"}
        | {"about": "sample", "check": check | {"applies": "Cu > 0.25"}, "window_min": 60}
        | {"otherwise": {"notify": ["owner"]}}
    )
    said = {cu: Said("sample", "f", "ALD", "m", 1, {} if cu is None else {"Cu": cu}) for cu in (None, 1, 3_000)}
    assert [speaks_of(rule, said[cu]) for cu in (None, 1, 3_000)] == ["missing", "false", "true"]
    circular = rule.model_copy(update={"check": rule.check.model_copy(update={"applies": "count > 1"})})
    assert [fault.path for fault in group_rule_faults(circular)] == ["check.applies"]


def test_a_plant_that_joins_later_is_not_asked_about_what_it_recorded_before_the_rule(group: Any) -> None:
    one = {"id": "GR-ONE", "window_min": 0, "quiet_min": 0, "cases": [], "check": CHECK}
    for _ in range(2):
        hold(group, "QR-CAST-01")
        group.clock.advance(MIN)
    release(group, WORK)
    release(group, HOLDS, **one)
    ask_pending(group.hub)  # begins; no stream of a plant is here yet
    assert ask(group, 1, "QR-CAST-01") == 1
    assert decisions(group)[0].at_ms == group.clock.now_ms()
    with read(group.hub.node.engine) as conn:
        assert [row.joined for row in conn.execute(select(asked_to).where(asked_to.c.stream == "ALD"))] == [1]
    assert ask(group, 1, "QR-CAST-01") == 1


def test_counting_is_bounded_and_a_limit_beyond_the_bound_is_refused(
    group: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "COUNT_MAX", 3)
    keys = [("a", at) for at in range(1, 7)] + [("b", 7)]
    row = {"rule": "GR-X:1", "plant": "ALD", "piece": "m", "inputs": "{}"}
    rows = [row | {"key": key, "at_ms": at, "fact_id": f"{at:032x}"} for key, at in keys]
    with group.hub.journal.work() as tx:
        tx.conn.execute(hit.insert(), rows)
        found = queries.window_of(tx.conn, "GR-X:1", "a", 0, 7)
        plan = " ".join(str(line) for line in tx.conn.execute(text(f"EXPLAIN QUERY PLAN {WINDOW}")))
    assert (found.count, found.facts) == (3, tuple(f"{at:032x}" for at in (6, 5, 4)))
    assert "rule=? AND key=? AND at_ms>?" in plan
    holds = parse_document(read_text((DEMO / "standards" / "library" / f"{HOLDS}.yaml").read_text()))
    for condition, paths in (("count < 3", []), ("count < 4", ["check.condition"]), ("4 > count", ["check.condition"])):
        check = holds.check.model_copy(update={"condition": condition})
        changed = holds.model_copy(update={"check": check, "cases": ()})
        monkeypatch.setattr("shared.standards.group_rule.COUNT_MAX", 3)
        assert [fault.path for fault in group_rule_faults(changed)] == paths


WINDOW = "SELECT fact_id FROM group_rule_hit WHERE rule = 'r' AND key = 'k' AND at_ms > 1 AND at_ms <= 9"


def test_what_a_rule_or_its_workflow_raises_is_told_and_stops_no_other(
    group: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"window_min": 0, "quiet_min": 0, "cases": [], "otherwise": {"notify": ["owner"], "workflow": "W-GROUPQ"}}
    number = {"kind": "expression", "variables": [{"name": "rule", "type": "text"}], "condition": "double(rule) < 5"}
    release(group, WORK)
    release(group, HOLDS, id="GR-NUMBER", **one | {"check": number})
    release(group, HOLDS, id="GR-ONE", **one | {"check": CHECK})
    release(group, HOLDS, id="GR-APPLIES", **one | {"check": CHECK | {"applies": "double(rule) < 5"}})
    release(group, HOLDS, id="GR-RAISES", **one | {"check": CHECK})
    group.sync()
    ask_pending(group.hub)
    honest = GroupRule.ask
    monkeypatch.setattr(GroupRule, "ask", lambda self, said: 1 / 0 if self.id == "GR-RAISES" else honest(self, said))
    monkeypatch.setattr(queries, "document_of", lambda body: parse_body(body.replace("within_min", "why").encode()))
    assert ask(group, 1, rule="QR-CAST-01") == 4
    said = {each.rule_id: each for each in decisions(group)}
    assert {name: each.outcome for name, each in said.items()} == {
        "GR-NUMBER": "failed", "GR-ONE": "violated", "GR-APPLIES": "failed", "GR-RAISES": "failed"
    }  # fmt: skip
    assert all(each.explanation for each in said.values())
    assert "division by zero" in said["GR-RAISES"].explanation
    assert not said["GR-ONE"].tasks

    def break_down(about: Any) -> Any:
        raise ValueError(about)

    monkeypatch.setattr(asking, "said_by", break_down)
    assert ask(group, 1, rule="QR-CAST-01") == 0  # nothing can be made of it: passed over
    monkeypatch.undo()
    assert ask(group, 1, rule="QR-CAST-01") == 4


def test_the_hub_alone_runs_it_and_a_limit_needs_no_window(group: Any) -> None:
    release(group, WORK, HOLDS)
    assert group.sync()
    assert [name for name, _ in group.in_force()] == ["W-GROUPQ"]
    release(group, HOLDS, id="GR-ONE", window_min=0, quiet_min=0, cases=[], check=CHECK)
    ask_pending(group.hub)
    assert ask(group, 2, rule="QR-CAST-01") == 2
    assert {said.rule_id for said in decisions(group)} == {"GR-ONE"}


CHECK = {
    "kind": "expression",
    "variables": [{"name": "rule", "type": "text"}],
    "condition": "rule != 'QR-CAST-01'",
}


def test_what_it_asks_is_done_by_people_and_seen_in_the_portal(group: Any) -> None:
    owner = sign_in(create_portal(group.hub), group.hub.node, "owner.group", "owner")
    assert "has spoken yet" in owner.page("/group-rules")
    release(group, WORK, HOLDS)
    group.sync()
    ask_pending(group.hub)
    assert ask(group, 5) == 1
    listed = owner.api("GET", "/api/v1/group-rules/decisions").json["items"]
    name = listed[0]["decision_id"]
    assert owner.api("GET", f"/api/v1/group-rules/decisions/{name}/again").json["same"] is True
    done = owner.api(
        "POST", f"/api/v1/group-rules/decisions/{name}/tasks/1", json={"command_id": "1", "note": "called"}
    )
    assert done.status_code == 200
    assert owner.api("GET", "/api/v1/group-rules").json["items"][0]["rule_id"] == "GR-HOLDS"
    assert "Holds of one rule pile up" in owner.page("/group-rules")
    assert owner.post(f"/group-rules/{name}/tasks/2", f"/group-rules/{name}", note="cause found").status_code == 302
    page = owner.page(f"/group-rules/{name}")
    assert all(text in page for text in ("called", "cause found", "says the same", "Call the plant", "QR-HSM-01"))
    with pytest.raises(Refused):
        finish(group.hub, name, 1, "", "p", group.command())
    with pytest.raises(NotFound):
        finish(group.hub, name, 9, "", "p", group.command())
    with read(group.hub.node.engine) as conn, pytest.raises(NotFound):
        read_decision(conn, group.hub, "0" * 32)
