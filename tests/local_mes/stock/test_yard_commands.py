"""Moving, weighing, scrapping and taking over, over the API as people and machines do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from production_bench import Bench

from shared.journal.fact import Draft, Occurred
from shared.material.tables import mass_history, material, place_history
from shared.quality.facts import HoldPlaced

Token = Callable[[str], dict[str, str]]
ROW: dict[str, Any] = {
    "number": "BS6-09021",
    "kind": "slab",
    "place": "YB-1",
    "grade": "L06",
    "mass_g": 20_560_000,
    "mass_basis": "weighed",
    "thickness_um": 220_000,
    "width_um": 1_280_000,
    "length_um": 9_300_000,
    "order_item": "710047/10",
    "heat": "161742",
    "supplier": "",
    "chemistry": {"C": 450, "Cu": 1500},
}


def test_a_stock_is_taken_over_once(client: FlaskClient, yard: Bench, token: Token) -> None:
    rows = [ROW, ROW | {"number": "BS6-09022", "supplier": "Nordhavn Steel", "order_item": ""}]
    body = {"command_id": "go-live", "occurred_at": 1_000_000, "rows": rows}
    first = client.post("/api/v1/stock/import", json=body, headers=token("planner"))
    again = client.post("/api/v1/stock/import", json=body, headers=token("planner"))
    assert (first.status_code, first.get_json()["taken_in"]) == (201, 2)
    assert again.get_json() == first.get_json()
    own, bought = yard.piece("BS6-09021"), yard.piece("BS6-09022")
    assert (own.origin, own.order_item, own.heat_number, own.chemistry) == (
        "migrated",
        "710047/10",
        "161742",
        '{"C": 450, "Cu": 1500}',
    )
    assert (bought.origin, bought.order_item, bought.attributes) == (
        "purchased",
        "stock",
        '{"supplier": "Nordhavn Steel"}',
    )
    assert len(yard.rows(material)) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number": ""}, "no number"),
        ({"kind": "plate"}, "kind 'plate'"),
        ({"mass_g": -5}, "no mass of a piece"),
        ({"mass_g": 500_000_000}, "no mass of a piece"),
        ({"mass_basis": "guessed"}, "mass basis"),
        ({"place": "ZZ-1"}, "no place of this plant"),
        ({"length_um": -1}, "size below nothing"),
        ({"number": "BS6-09021"}, "the number is taken"),
    ],
)
def test_one_bad_row_and_nothing_is_taken_in(
    client: FlaskClient, yard: Bench, token: Token, change: dict[str, Any], said: str
) -> None:
    rows = [ROW, ROW | {"number": "BS6-09022"} | change]
    answer = client.post("/api/v1/stock/import", json={"command_id": "x", "rows": rows}, headers=token("planner"))
    assert answer.status_code == 422
    assert "row 2" in answer.get_json()["detail"]
    assert said in answer.get_json()["detail"]
    assert yard.rows(material) == []


def test_the_counter_goes_past_numbers_taken_over(client: FlaskClient, yard: Bench, token: Token) -> None:
    rows = [ROW | {"number": "B6-10611", "kind": "coil", "place": "CB1"}, ROW]
    client.post("/api/v1/stock/import", json={"command_id": "x", "rows": rows}, headers=token("planner"))
    yard.schedule("FM", "BS6-09021", "", "stock")
    yard.tell("BRK-HSM", "RF1.Charge", slab="BS6-09021", furnace="RF1", row=1, temp_c=20)
    assert yard.sent_down()[0][1]["coil_no"] == "B6-10612"


def test_a_crane_moves_a_held_piece_too(client: FlaskClient, yard: Bench, token: Token) -> None:
    slab = yard.take_in("BS6-1", "slab", 20_000, (1, 2, 3))
    with yard.plant.journal.work() as tx:
        tx.record(Draft(HoldPlaced(hold_id="a" * 32, material_id=slab, reason="x"), (slab,), "q", Occurred(1, "m")))
    body = {"command_id": "m1", "place": "CB3 row 2", "occurred_at": 2_000_000}
    answer = client.post("/api/v1/pieces/BS6-1/move", json=body, headers=token("yard"))
    assert answer.get_json() == {"number": "BS6-1", "material_id": slab, "place": "CB3 row 2"}
    assert [row.at_ms for row in yard.rows(place_history) if row.place == "CB3 row 2"] == [2_000_000]
    client.post("/api/v1/pieces/BS6-1/move", json=body | {"command_id": "m2"}, headers=token("yard"))
    assert len(yard.rows(place_history)) == 2


def test_a_weighing_keeps_the_mass_before(client: FlaskClient, yard: Bench, token: Token) -> None:
    yard.take_in("B6-1", "coil", 20_180, (1, 2, 3))
    body = {"command_id": "w1", "mass_g": 20_170_000, "scale": "CW1"}
    answer = client.post("/api/v1/pieces/B6-1/weigh", json=body, headers=token("yard"))
    assert (answer.get_json()["mass_g"], answer.get_json()["was_g"]) == (20_170_000, 20_180_000)
    assert (yard.piece("B6-1").mass_g, yard.piece("B6-1").mass_scale) == (20_170_000, "CW1")
    assert sorted(row.mass_g for row in yard.rows(mass_history)) == [20_170_000, 20_180_000]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("B6-1/move", {"place": "MOON-1"}, 422, "stock.unknown_place"),
        ("B6-1/weigh", {"mass_g": 0}, 422, "stock.bad_mass"),
        ("B6-1/weigh", {"mass_g": -20}, 422, "stock.bad_mass"),
        ("B6-1/scrap", {"reason": " "}, 422, "stock.no_reason"),
        ("B6-9/move", {"place": "CB1"}, 404, "material.unknown_number"),
        ("B6-2/move", {"place": "CB1"}, 409, "stock.not_here"),
    ],
)
def test_refusals_are_problems_with_a_code(
    client: FlaskClient, yard: Bench, token: Token, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    yard.take_in("B6-1", "coil", 20_180, (1, 2, 3))
    yard.take_in("B6-2", "coil", 20_180, (1, 2, 3))
    client.post("/api/v1/pieces/B6-2/scrap", json={"command_id": "s", "reason": "fell"}, headers=token("yard"))
    answer = client.post(f"/api/v1/pieces/{path}", json=body | {"command_id": "c"}, headers=token("yard"))
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert yard.piece("B6-1").state == "live"


def test_roles_are_asked(client: FlaskClient, yard: Bench, token: Token) -> None:
    yard.take_in("B6-1", "coil", 20_180, (1, 2, 3))
    for path, body, login in (
        ("stock/import", {"rows": [ROW]}, "yard"),
        ("pieces/B6-1/scrap", {"reason": "x"}, "planner"),
        ("operations/manual", {"unit": "FM", "piece": "B6-1", "good_mass_g": 1}, "yard"),
    ):
        answer = client.post(f"/api/v1/{path}", json=body | {"command_id": "r"}, headers=token(login))
        assert answer.status_code == 403, path
    assert yard.piece("B6-1").state == "live"


def test_an_operation_is_booked_over_the_api(client: FlaskClient, yard: Bench, token: Token) -> None:
    yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    body = {
        "command_id": "b",
        "unit": "FM",
        "piece": "BS6-1",
        "good_mass_g": 20_200_000,
        "scrap_g": 100_000,
        "reason": "surface",
        "number": "B6-77777",
    }
    answer = client.post("/api/v1/operations/manual", json=body, headers=token("operator"))
    assert (answer.status_code, answer.get_json()["number"]) == (201, "B6-77777")


def test_material_reads(client: FlaskClient, yard: Bench, token: Token) -> None:
    slab = yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    headers = token("operator")
    client.post(
        "/api/v1/operations/manual",
        headers=headers,
        json={
            "command_id": "b",
            "unit": "FM",
            "piece": "BS6-1",
            "good_mass_g": 20_500_000,
            "number": "B6-77777",
            "length_um": 800_000_000,
        },
    )
    first = client.get("/api/v1/materials?limit=1", headers=headers).get_json()
    second = client.get(f"/api/v1/materials?limit=1&after={first['next']}", headers=headers).get_json()
    assert {first["items"][0]["number"], second["items"][0]["number"]} == {"BS6-1", "B6-77777"}
    assert second["next"] is None
    one = client.get("/api/v1/materials/B6-77777", headers=headers).get_json()
    assert (one["items"][0]["numbers"], one["items"][0]["chemistry"]) == (["B6-77777"], {"C": 440})
    assert [e["what"] for e in one["history"]] == ["made", "mass", "number", "place"]
    way = client.get("/api/v1/traces/B6-77777?direction=backward", headers=headers).get_json()
    assert [(e["parent_id"], e["operation"], e["unit"]) for e in way["edges"]] == [(slab, "roll", "FM")]
    assert {n["number"] for n in way["nodes"]} == {"BS6-1", "B6-77777"}
    for query in ("metre_mm=400000&left_um=1000", "at_um=400000000&left_um=1000"):
        places = client.get(f"/api/v1/places/B6-77777?{query}", headers=headers).get_json()["items"]
        assert [(p["numbers"], p["at_um"]) for p in places] == [(["B6-77777"], 400_000_000), (["BS6-1"], 4_655_000)]
    assert client.get("/api/v1/traces/NOBODY", headers=headers).status_code == 404
    assert client.get("/api/v1/traces/BS6-1?direction=sideways", headers=headers).status_code == 422
