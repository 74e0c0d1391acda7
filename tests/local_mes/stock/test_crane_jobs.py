"""Jobs of a crane: planned under the yard's rules, confirmed once, closed by the crane's own word, dropped with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from production_bench import Bench

from shared.clock import FixedClock
from shared.journal.tables import fact
from shared.material.tables import deviation_raised
from shared.stock.tables import crane_job

SLAB = (220_000, 1_280_000, 9_300_000)


def test_a_job_is_planned_confirmed_once_and_what_happened_is_never_refused(
    client: FlaskClient, yard: Bench, clock: FixedClock, token: Callable[[str], dict[str, str]]
) -> None:
    who = token("yard")
    for n in (1, 2, 3, 4):
        yard.take_in(f"BS6-{n}", "slab", 20_000, SLAB)
    yard.take_in("BS6-5", "slab", 20_000, (220_000, 1_280_000, 12_000_000))
    sent = 0

    def post(path: str, **body: Any) -> Any:
        nonlocal sent
        sent += 1
        clock.advance(60_000)
        return client.post(f"/api/v1/{path}", json={"command_id": f"c{sent}"} | body, headers=who)

    def plan(number: str, to: str, kind: str = "put") -> Any:
        return post("cranes/jobs", crane="CR1", kind=kind, piece=number, to=to, why="next load")

    ids = [plan(f"BS6-{n}", "YB-1-1").get_json()["job_id"] for n in (1, 2, 3)]
    assert plan("BS6-9", "YB-1-1").status_code == 404
    assert plan("BS6-4", "MOON").get_json()["code"] == "stock.unknown_place"
    assert plan("BS6-4", "YB-9-1").get_json()["code"] == "yard.no_spot"
    listed = client.get("/api/v1/cranes/jobs?crane=CR1", headers=who).get_json()["items"]
    assert [(j["number"], j["place"], j["to_place"], j["position"]) for j in listed] == [
        (f"BS6-{n}", "YARD", "YB-1-1", n) for n in (1, 2, 3)
    ]

    touched = clock.now_ms()
    first = post(f"cranes/jobs/{ids[0]}/confirm", command_id="touch-1", occurred_at=touched)
    again = post(f"cranes/jobs/{ids[0]}/confirm", command_id="touch-1", occurred_at=touched)
    assert (first.get_json(), again.status_code) == (again.get_json(), 200)
    assert sum(row.type == "MaterialMoved" for row in yard.rows(fact)) == 1
    other = post(f"cranes/jobs/{ids[0]}/confirm")
    assert (other.status_code, other.get_json()["code"]) == (409, "crane.job_closed")
    yard.tell("BRK-HSM", "CR1.Moved", piece="BS6-2", to="YB-1-1")  # the crane says it itself
    assert post(f"cranes/jobs/{ids[1]}/confirm").get_json()["code"] == "crane.job_closed"
    elsewhere = post(f"cranes/jobs/{ids[2]}/confirm", place="YB-1-2")
    assert elsewhere.get_json()["place"] == "YB-1-2"

    ground = plan("BS6-1", "RF1", "fetch").get_json()["job_id"]  # BS6-2 lies on it: a job before this one's matter
    assert post(f"cranes/jobs/{ground}/confirm").status_code == 200
    assert [row.rule for row in yard.rows(deviation_raised)] == []  # RF1 is in no storage
    long_one = plan("BS6-5", "YB-5-5").get_json()["job_id"]
    assert post(f"cranes/jobs/{long_one}/confirm", place="YB-1-2").get_json()["place"] == "YB-1-2"
    assert [row.rule for row in yard.rows(deviation_raised)] == ["yard.longest_below"]

    unneeded = plan("BS6-4", "YB-6-6").get_json()["job_id"]
    assert post(f"cranes/jobs/{unneeded}/drop", reason=" ").get_json()["code"] == "stock.no_reason"
    assert post(f"cranes/jobs/{unneeded}/drop", reason="the order is gone").get_json()["state"] == "dropped"
    refused = post(f"cranes/jobs/{unneeded}/confirm")
    assert "dropped already: the order is gone" in refused.get_json()["detail"]
    late = plan("BS6-4", "YB-6-6").get_json()["job_id"]
    post("pieces/BS6-4/scrap", reason="fell")
    assert post(f"cranes/jobs/{late}/confirm").get_json()["code"] == "stock.not_here"
    assert post("cranes/jobs/nobody/confirm").get_json()["code"] == "crane.no_job"
    states = sorted(row.state for row in yard.rows(crane_job))
    assert states == ["done"] * 5 + ["dropped", "open"]


def test_a_touch_that_waited_does_not_move_back_what_was_moved_on_since(
    client: FlaskClient, yard: Bench, clock: FixedClock, token: Callable[[str], dict[str, str]]
) -> None:
    who = token("yard")
    yard.take_in("BS6-1", "slab", 20_000, SLAB)
    planned = {"command_id": "c1", "crane": "CR1", "kind": "put", "piece": "BS6-1", "to": "YB-1-1", "why": "x"}
    job = client.post("/api/v1/cranes/jobs", json=planned, headers=who).get_json()["job_id"]
    touched = clock.now_ms() + 1_000
    clock.advance(60_000)
    assert client.post("/api/v1/pieces/BS6-1/move", json={"command_id": "c2", "place": "YB-6-6"}, headers=who).json
    clock.advance(60_000)
    late = {"command_id": "touch", "occurred_at": touched}
    assert client.post(f"/api/v1/cranes/jobs/{job}/confirm", json=late, headers=who).status_code == 200
    assert yard.piece("BS6-1").place == "YB-6-6"
    assert [row.state for row in yard.rows(crane_job)] == ["done"]
    assert [row.rule for row in yard.rows(deviation_raised)] == ["crane.told_late"]


def test_the_page_works_without_javascript_too(client: FlaskClient, yard: Bench, sign_in: Callable[[str], str]) -> None:
    yard.take_in("BS6-1", "slab", 20_000, SLAB)
    csrf = sign_in("yard")
    form = {"kind": "put", "piece": "BS6-1", "to": "YB-9-9", "csrf_token": csrf, "command_id": "p1"}
    refused = client.post("/crane/CR1/plan", data=form)
    assert (refused.status_code, "rows 1 to 8" in refused.text) == (409, True)
    assert client.post("/crane/CR1/plan", data=form | {"to": "YB-2-2", "command_id": "p2"}).status_code == 302
    page = client.get("/crane/CR1").text
    job_id = page.split('name="job_id" value="')[1].split('"')[0]
    assert "to <b" in page
    done = client.post("/crane/CR1/done", data={"job_id": job_id, "csrf_token": csrf, "command_id": "d1"})
    assert done.status_code == 302
    assert yard.piece("BS6-1").place == "YB-2-2"
    assert "Nothing to do" in client.get("/crane/CR1/list").text
    assert "1 job to do" not in client.get("/crane/").text
    assert client.get("/crane/cr 1").status_code == 404
