"""The plant's standards as API and pages in the real console."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_mes.app import ROLES, create_console
from local_mes.standards.service import adopt_pending
from shared.db.engine import write
from shared.keys import new_key
from shared.web.accounts import add_person, issue_token

PASSWORD = "long enough to type"


@pytest.fixture
def call(group: Any) -> Any:
    with write(group.plant.node.engine) as conn:
        add_person(conn, group.clock, "engineer.ald", "Ewa", ("engineer",), PASSWORD, ROLES)
        add_person(conn, group.clock, "operator.cc1", "Olek", ("operator",), PASSWORD, ROLES)
        tokens = {login: issue_token(conn, group.clock, login, "test") for login in ("engineer.ald", "operator.cc1")}
    app = create_console(group.plant)

    def ask(method: str, path: str, login: str = "engineer.ald", **body: Any) -> Any:
        return app.test_client().open(
            f"/api/v1{path}", method=method, json=body or None, headers={"Authorization": f"Bearer {tokens[login]}"}
        )

    ask.app = app
    return ask


def test_before_anything_is_published_the_answer_is_empty_and_clear(call: Any) -> None:
    found = call("GET", "/standards").json
    assert (found["items"], found["effective_hash"], found["refusal"], found["trust"]) == ([], "", None, None)


def test_what_runs_here(group: Any, call: Any) -> None:
    group.release("QR-CHE-01-v5", "R-GISLIT-v7")
    group.sync()
    found = call("GET", "/standards").json
    assert [(item["standard_id"], item["version"], item["kind"]) for item in found["items"]] == [
        ("QR-CHE-01", 5, "quality_rule"),
        ("R-GISLIT", 7, "routing"),
    ]
    assert found["items"][1]["values"]["CC1.granularity"] == "strand"
    assert (found["catalogue_version"], found["trust"]["stale"], len(found["effective_hash"])) == (1, False, 64)


def test_what_is_missing_is_listed(group: Any, call: Any) -> None:
    group.change_model(unit=tuple(u for u in group.plant.model.unit if u.unit_class != "ladle_furnace"))
    group.release("QR-CHE-01-v5")
    group.sync()
    assert call("GET", "/standards").json["refusal"]["missing"] == ["QR-CHE-01: no unit of class ladle_furnace"]


def test_an_engineer_deviates_and_ends_it_and_an_operator_may_not(group: Any, call: Any) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    body = {
        "command_id": "1",
        "standard_id": "R-GISLIT",
        "parameter": "CC1.slab_length_mm",
        "value": "8500",
        "owner": "engineer.ald",
        "reason": "torch rail",
        "expires_ms": group.clock.now_ms() + 10_000,
    }
    assert call("POST", "/standards/deviations", login="operator.cc1", **body).status_code == 403
    made = call("POST", "/standards/deviations", **body)
    assert made.status_code == 201
    assert [d["value"] for d in call("GET", "/standards").json["deviations"]] == ["8500"]
    path = f"/standards/deviations/{made.json['deviation_id']}/end"
    assert call("POST", path, command_id="2", reason="mended").status_code == 200
    assert call("GET", "/standards").json["deviations"] == []


def test_a_root_is_handed_in_once(group: Any, call: Any) -> None:
    adopt_pending(group.plant)  # takes the root of the enrolment
    group.root_keys = [new_key()]
    answer = call("POST", "/standards/root", hub="HUB", envelope=group.root())
    assert (answer.status_code, answer.json["code"]) == (409, "standards.root_known")


def test_pages_in_every_state(group: Any, call: Any) -> None:
    client = call.app.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    client.post("/sign-in", data={"login": "engineer.ald", "password": PASSWORD, "csrf_token": token.group(1)})
    assert "No standard is in force here yet" in client.get("/standards").get_data(as_text=True)
    group.release("QR-CHE-01-v5", "R-GISLIT-v7")
    group.sync()
    assert "QR-CHE-01" in client.get("/standards").get_data(as_text=True)
    page = client.get("/standards/R-GISLIT").get_data(as_text=True)
    fields = dict(re.findall(r'name="(csrf_token|command_id)" value="([^"]+)"', page))
    values = {
        **fields,
        "parameter": "CC1.slab_length_mm",
        "value": "8500",
        "owner": "engineer.ald",
        "reason": "rail",
        "until": "2026-03-31",
    }
    answer = client.post("/standards/R-GISLIT/deviations", data={**values, "until": "soon"})
    assert (answer.status_code, "is no day" in answer.get_data(as_text=True)) == (422, True)
    page = client.post("/standards/R-GISLIT/deviations", data=values, follow_redirects=True).get_data(as_text=True)
    assert "CC1.slab_length_mm deviates: 8500" in page
    assert "deviates" in client.get("/standards").get_data(as_text=True)
    assert client.get("/standards/QR-NO").status_code == 404
    group.clock.advance(8 * 86_400_000)
    assert "Nobody has confirmed since" in client.get("/standards").get_data(as_text=True)
