"""Quality and orders over HTTP: the API with tokens and roles, and the pages a person uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from production_bench import Bench

from local_mes.app import ROLES, create_console
from shared.db.engine import write
from shared.web.accounts import add_person, issue_token

PASSWORD = "long enough to type"


@pytest.fixture(scope="module")
def tokens(held: Bench) -> dict[str, str]:
    with write(held.plant.node.engine) as conn:
        for role in ("quality", "planner", "operator"):
            add_person(conn, held.clock, f"{role}.ald", role, (role,), PASSWORD, ROLES)
        return {
            role: issue_token(conn, held.clock, f"{role}.ald", "test") for role in ("quality", "planner", "operator")
        }


@pytest.fixture(scope="module")
def app(held: Bench, tokens: dict[str, str]) -> Any:
    return create_console(held.plant)


@pytest.fixture
def client(app: Any) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def person(app: Any) -> Iterator[FlaskClient]:
    """Someone of quality, signed in with the browser."""
    with app.test_client() as browser:
        page = browser.get("/sign-in")
        answer = browser.post(
            "/sign-in", data={"login": "quality.ald", "password": PASSWORD, "csrf_token": csrf(page.text)}
        )
        assert answer.status_code == 302
        yield browser


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_holds_are_listed_by_piece_and_state_and_page(client: FlaskClient, tokens: dict[str, str]) -> None:
    quality = bearer(tokens["quality"])
    both = client.get("/api/v1/holds?piece=261839-2-1&state=open", headers=quality).json
    assert {(h["number"], h["rule"], h["kind"]) for h in both["items"]} == {
        ("261839-2-1", "QR-CHE-01", "slab"),
        ("261839-2-1", "QR-RES-01", "slab"),
    }
    assert both["next"] is None
    seen, after = [], ""
    while after is not None:
        page = client.get(f"/api/v1/holds?state=open&limit=7&after={after}", headers=quality).json
        seen += [h["hold_id"] for h in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) >= 20
    one = client.get(f"/api/v1/holds/{seen[0]}", headers=quality).json
    assert one["hold_id"] == seen[0]
    assert client.get("/api/v1/holds/none", headers=quality).status_code == 404


def test_a_release_over_the_api(client: FlaskClient, tokens: dict[str, str]) -> None:
    quality = bearer(tokens["quality"])
    holds = client.get("/api/v1/holds?piece=161843-2-1&state=open", headers=quality).json["items"]
    body = {"disposition": "reapply", "order_item": "710066/10", "only_for": "DD11", "note": "residuals"}
    refused = client.post(
        f"/api/v1/holds/{holds[0]['hold_id']}/release",
        json=body | {"command_id": "x"},
        headers=bearer(tokens["operator"]),
    )
    assert (refused.status_code, refused.json["code"]) == (403, "web.role_missing")
    for i, hold in enumerate(holds):
        done = client.post(
            f"/api/v1/holds/{hold['hold_id']}/release", json=body | {"command_id": f"r{i}"}, headers=quality
        )
        assert done.status_code == 200, done.json
    assert done.json["free"]
    assert client.get("/api/v1/holds?piece=161843-2-1&state=open", headers=quality).json["items"] == []
    prime = client.post(
        f"/api/v1/holds/{holds[0]['hold_id']}/release",
        json={"command_id": "y", "disposition": "prime"},
        headers=quality,
    )
    assert (prime.status_code, prime.json["code"]) == (409, "quality.released")


def test_decisions_and_samples_are_listed(client: FlaskClient, tokens: dict[str, str]) -> None:
    quality = bearer(tokens["quality"])
    page = client.get("/api/v1/decisions?piece=161843&outcome=hold", headers=quality).json
    assert {d["rule"] for d in page["items"]} == {"QR-CHE-01", "QR-RES-01"}
    assert all(d["inputs"]["Cu"] == 2700 for d in page["items"])
    samples = client.get("/api/v1/samples?piece=161843&place=LFF", headers=quality).json["items"]
    assert [s["sample_number"] for s in samples] == ["161843LFF1"]
    assert {"element": "Cu", "value_e6": 2700, "operator": "", "digits": 2} in samples[0]["results"]
    assert len(client.get("/api/v1/samples?limit=2", headers=quality).json["items"]) == 2


def test_orders_and_schedules_over_the_api(client: FlaskClient, tokens: dict[str, str]) -> None:
    planner = bearer(tokens["planner"])
    item = {
        "item": "710060/10",
        "customer": "Lindqvist Trailer",
        "product": "S355MC hot coil",
        "grade": "H35",
        "thickness_um": 3000,
        "width_um": 1_250_000,
        "mass_g": 120_000_000,
        "route": "R-HRC",
        "due": "2026-03-20",
    }
    body = {"command_id": "o1", "items": [item]}
    for _ in range(2):  # sent twice, done once
        made = client.post("/api/v1/orders", json=body, headers=planner)
        assert (made.status_code, made.json) == (201, {"items": ["710060/10"]})
    assert client.get("/api/v1/orders/710060/10", headers=planner).json["customer"] == "Lindqvist Trailer"
    assert "710060/10" in [o["item"] for o in client.get("/api/v1/orders?q=710060", headers=planner).json["items"]]
    line = {"position": 1, "piece": "161847", "order_item": "710060/10", "aims": {"aim_mm": 9300}}
    placed = client.post(
        "/api/v1/schedules", json={"command_id": "s1", "unit": "CC1", "lines": [line]}, headers=planner
    )
    assert placed.status_code == 201
    open_lines = client.get("/api/v1/schedules?unit=CC1&state=open", headers=planner).json["items"]
    assert [(row["piece"], row["aims"]) for row in open_lines] == [("161847", {"aim_mm": 9300})]
    dropped = client.post(
        f"/api/v1/schedules/lines/{placed.json['line_ids'][0]}/drop",
        json={"command_id": "s2", "reason": "ladle leaked"},
        headers=planner,
    )
    assert dropped.json["state"] == "dropped"
    again = client.post(
        f"/api/v1/schedules/lines/{placed.json['line_ids'][0]}/drop",
        json={"command_id": "s3", "reason": "ladle leaked"},
        headers=planner,
    )
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/v1/schedules", {"unit": "CC9", "lines": [{"position": 1, "piece": "x"}]}, 404, "model.unknown_unit"),
        (
            "/api/v1/schedules",
            {"unit": "CC1", "lines": [{"position": 1, "piece": "x", "order_item": "1/1"}]},
            422,
            "orders.unknown_item",
        ),
        (
            "/api/v1/schedules",
            {"unit": "CC1", "lines": [{"position": 1, "piece": "x"}] * 2},
            422,
            "orders.doubled_position",
        ),
        (
            "/api/v1/orders",
            {
                "items": [
                    {
                        "item": "1/1",
                        "customer": "C",
                        "product": "P",
                        "grade": "G",
                        "thickness_um": 1,
                        "width_um": 1,
                        "mass_g": -5,
                    }
                ]
            },
            422,
            "api.invalid",
        ),
    ],
)
def test_wrong_commands_are_refused_by_name(
    client: FlaskClient, tokens: dict[str, str], path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(path, json={"command_id": "w"} | body, headers=bearer(tokens["planner"]))
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert client.get("/api/v1/orders/1/1", headers=bearer(tokens["planner"])).status_code == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/quality/holds", "161843-1-2"),
        ("/quality/holds?rule_id=QR-RES-01&q=161843-1-2", "QR-RES-01"),
        ("/quality/decisions", "QR-TRN-01"),
        ("/quality/samples?place=LFF", "161843LFF1"),
        ("/quality/hold", "Reason"),
        ("/orders/", "710047/10"),
        ("/orders/sequence?state=done", "161842"),
        ("/quality/holds?state=released", "Holds"),
    ],
)
def test_pages_show_what_they_promise(person: FlaskClient, path: str, said: str) -> None:
    page = person.get(path)
    assert page.status_code == 200
    assert said in page.text


def test_a_person_sees_why_and_decides(person: FlaskClient) -> None:
    listed = person.get("/quality/holds?q=261839-1-1").text
    hold_id = re.findall(r"/quality/holds/([0-9a-f]{32})", listed)[0]
    page = person.get(f"/quality/holds/{hold_id}").text
    assert "Asked again now" in page
    form = {"csrf_token": csrf(page), "command_id": "web1", "disposition": "reapply", "note": "looked at"}
    refused = person.post(f"/quality/holds/{hold_id}", data=form)
    assert refused.status_code == 422
    assert "needs the order item" in refused.text
    assert "looked at" in refused.text  # what was typed is kept
    done = person.post(f"/quality/holds/{hold_id}", data=form | {"disposition": "prime"}, follow_redirects=True)
    assert "Another hold still stands." in done.text


def test_a_person_holds_a_piece_by_hand(person: FlaskClient) -> None:
    page = person.get("/quality/hold?piece=161842-2-3").text
    assert 'value="161842-2-3"' in page
    form = {"csrf_token": csrf(page), "command_id": "web2", "piece": "161842-2-3", "reason": "edge crack"}
    done = person.post("/quality/hold", data=form, follow_redirects=True)
    assert "161842-2-3 is held" in done.text
    assert "edge crack" in done.text


def test_a_list_is_to_be_had_as_csv(person: FlaskClient) -> None:
    answer = person.get("/quality/holds?format=csv")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[0] == "number,kind,grade,mass_g,rule,reason,placed_at_ms,state"
