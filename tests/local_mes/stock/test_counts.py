"""Stock-takes find what is missing, unknown or elsewhere and post it with reasons; goods are counted stock."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from production_bench import Bench

from local_mes.stock.take_domain import Booked, Counted, agrees, differences
from shared.clock import FixedClock
from shared.material.tables import deviation_raised
from shared.stock.tables import stock_difference

SLAB = (220_000, 1_280_000, 9_300_000)
Token = Callable[[str], dict[str, str]]


def test_what_differs_and_what_cranes_did_meanwhile_does_not() -> None:
    a, b, c, d = (Booked(n, n, f"YB-1-{i}", 10) for i, n in enumerate("abcd"))
    came = Booked("e", "e", "YB-2-2", 60)
    gone = Booked("g", "g", "YB-9", 5, "shipped")
    counted = [
        Counted("a", "YB-1-0", 55),
        Counted("b", "YB", 55),
        Counted("c", "YB-1-9", 55),
        Counted("g", "YB-1-1", 55),
        Counted("nobody", "YB-1-1", 55),
    ]
    known = {"a": a, "b": b, "c": c, "g": gone}
    found = differences("YB", 50, [a, b, c, d, came], counted, known)
    assert [(one.kind, one.number, one.expected_place, one.found_place) for one in found] == [
        ("elsewhere", "c", "YB-1-2", "YB-1-9"),
        ("found", "g", "YB-9", "YB-1-1"),
        ("found", "nobody", "", "YB-1-1"),
        ("missing", "d", "YB-1-3", ""),
    ]
    moved = Booked("c", "c", "YB-5-5", 58)
    assert [one.number for one in differences("YB", 50, [moved], counted[2:3], {"c": moved})] == []
    assert agrees("YB", "YB-1-2", "YB-1")
    assert agrees("YB", "YB-1", "")
    assert not agrees("YB", "YB-12-2", "YB-1")
    assert not agrees("YB", "YB missing", "YB")


def test_a_count_posts_its_differences_as_facts_with_person_and_reason(
    client: FlaskClient, yard: Bench, clock: FixedClock, token: Token, sign_in: Callable[[str], str]
) -> None:
    yard_hand, lead = token("yard"), token("lead")
    for n in range(1, 6):
        yard.take_in(f"BS6-{n}", "slab", 20_000, SLAB)
        clock.advance(60_000)
        body = {"command_id": f"m{n}", "place": f"YB-{n}-1"}
        client.post(f"/api/v1/pieces/BS6-{n}/move", json=body, headers=yard_hand)
    clock.advance(60_000)
    client.post("/api/v1/pieces/BS6-5/scrap", json={"command_id": "s", "reason": "crack"}, headers=yard_hand)
    sent = 0

    def post(path: str, who: dict[str, str], **body: Any) -> Any:
        nonlocal sent
        sent += 1
        clock.advance(60_000)
        return client.post(f"/api/v1/stock-takes{path}", json={"command_id": f"t{sent}"} | body, headers=who)

    take_id = post("", yard_hand, area="YB").get_json()["take_id"]
    assert post("", yard_hand, area="YB").get_json()["code"] == "stock.take_open"
    assert post("", yard_hand, area="MOON").get_json()["code"] == "stock.unknown_place"
    shown = client.get(f"/api/v1/stock-takes/{take_id}", headers=lead).get_json()
    assert sorted(one["number"] for one in shown["to_count"]) == ["BS6-1", "BS6-2", "BS6-3", "BS6-4"]
    lines = [("BS6-1", "YB-1-1"), ("BS6-2", "YB-3-3"), ("BS6-5", "YB-5-1"), ("X-77", "YB-5-1")]
    counted = [{"number": number, "place": place} for number, place in lines]
    assert post(f"/{take_id}/counts", yard_hand, lines=counted).get_json()["counted"] == 4
    bad = post(f"/{take_id}/counts", yard_hand, lines=[{"number": "BS6-3", "place": "MOON"}])
    assert (bad.status_code, "BS6-3 at MOON" in bad.get_json()["detail"]) == (422, True)

    csrf = sign_in("yard")
    sheet = client.get(f"/counts/{take_id}/list.csv").text.splitlines()
    assert sheet[:2] == ["number,place", "BS6-1,YB-1-1"]
    page = client.get(f"/counts/{take_id}").text
    assert all(text in page for text in ("X-77", "unknown number", "scrapped", "not seen yet"))
    file = {"file": (io.BytesIO(b"number;place\nBS6-3;YB-3\n"), "counted.csv")}
    sent_file = client.post(f"/counts/{take_id}/count", data={"csrf_token": csrf, "command_id": "f1", **file})
    assert sent_file.status_code == 302

    assert post(f"/{take_id}/close", yard_hand, differences=4, reason="x").status_code == 403
    assert post(f"/{take_id}/close", lead, differences=3, reason="x").get_json()["code"] == "stock.take_changed"
    silent = post(f"/{take_id}/close", lead, differences=4, reasons={"BS6-2": "crane 2"}).get_json()
    assert (silent["code"], "BS6-4" in silent["detail"]) == ("stock.take_reason", True)
    assert yard.rows(stock_difference) == []
    closed = post(f"/{take_id}/close", lead, differences=4, reason="year end", reasons={"BS6-2": "crane 2"})
    assert closed.get_json() == {"take_id": take_id, "state": "closed", "missing": 1, "found": 2, "elsewhere": 1}
    assert [yard.piece(f"BS6-{n}").place for n in (1, 2, 3, 4)] == ["YB-1-1", "YB-3-3", "YB-3-1", "YB missing"]
    posted = {row.number: (row.kind, row.reason) for row in yard.rows(stock_difference)}
    assert posted == {
        "BS6-2": ("elsewhere", "crane 2"),
        "BS6-4": ("missing", "year end"),
        "BS6-5": ("found", "year end"),
        "X-77": ("found", "year end"),
    }
    assert [row.rule for row in yard.rows(deviation_raised)] == ["stock.found"]
    assert post(f"/{take_id}/counts", yard_hand, lines=counted).get_json()["code"] == "stock.take_closed"
    assert "crane 2" in client.get(f"/counts/{take_id}").text

    again = post("", lead, area="YB").get_json()["take_id"]
    post(f"/{again}/counts", lead, lines=[{"number": "BS6-4", "place": "YB-4-4"}])
    kinds = [
        (d["kind"], d["number"])
        for d in client.get(f"/api/v1/stock-takes/{again}", headers=lead).get_json()["differences"]
    ]
    assert ("elsewhere", "BS6-4") in kinds  # it has turned up
    assert post(f"/{again}/close", lead, drop=True).get_json()["code"] == "stock.take_reason"
    assert post(f"/{again}/close", lead, drop=True, reason="rain").get_json()["state"] == "dropped"
    assert "rain" in client.get("/counts/").text


def test_goods_come_go_and_are_counted(
    client: FlaskClient, yard: Bench, token: Token, sign_in: Callable[[str], str]
) -> None:
    who, sent = token("lead"), 0

    def post(path: str, **body: Any) -> Any:
        nonlocal sent
        sent += 1
        return client.post(f"/api/v1/goods{path}", json={"command_id": f"g{sent}"} | body, headers=who)

    fesi = {"item": "FeSi75", "name": "Ferrosilicon 75 %", "kind": "alloy", "unit": "g", "least": 2_000_000}
    assert post("", **fesi).get_json() == {"item": "FeSi75", "new": True}
    assert post("", **fesi | {"unit": "pieces"}).get_json()["code"] == "goods.bad"
    assert post("/NONE/book", kind="receipt", place="GB", quantity=1).get_json()["code"] == "goods.unknown"
    assert post("/FeSi75/book", kind="receipt", place="MOON", quantity=1).get_json()["code"] == "stock.unknown_place"
    assert post("/FeSi75/book", kind="receipt", place="GB", quantity=0).get_json()["code"] == "goods.bad"
    came = post("/FeSi75/book", kind="receipt", place="GB", quantity=5_000_000, reference="DN 881")
    assert came.get_json() == {"item": "FeSi75", "place": "GB", "change": 5_000_000, "balance": 5_000_000}
    assert (
        post("/FeSi75/book", kind="issue", place="GB", quantity=4_000_000, reference="261838").get_json()["balance"]
        == 1_000_000
    )
    refused = post("/FeSi75/book", kind="issue", place="GB", quantity=1_000_001).get_json()
    assert (refused["code"], "GB has 1,000 kg" in refused["detail"]) == ("goods.not_enough", True)
    assert post("/FeSi75/book", kind="take", place="GB", quantity=900_000).get_json()["code"] == "stock.take_reason"
    counted = post("/FeSi75/book", kind="take", place="GB", quantity=900_000, reason="dust")
    assert counted.get_json()["change"] == -100_000
    item = client.get("/api/v1/goods", headers=who).get_json()["items"][0]
    assert (item["total"], item["places"]) == (900_000, {"GB": 900_000})
    bookings = client.get("/api/v1/goods/FeSi75/bookings", headers=who).get_json()["items"]
    assert sorted(row["change"] for row in bookings) == [-4_000_000, -100_000, 5_000_000]

    csrf = sign_in("lead")
    form = {
        "csrf_token": csrf,
        "item": "WR-550",
        "name": "Work roll 550",
        "kind": "roll",
        "unit": "pieces",
        "least": "",
    }
    assert client.post("/counts/goods/describe", data=form | {"command_id": "d1"}).status_code == 302
    form = {"csrf_token": csrf, "item": "FeSi75", "booking": "issue", "quantity": "901", "place": "GB"}
    over = client.post("/counts/goods/book", data=form | {"command_id": "b1"})
    assert (over.status_code, "cannot be issued" in over.text) == (409, True)
    assert client.post("/counts/goods/book", data=form | {"command_id": "b2", "quantity": "0.5"}).status_code == 302
    page = client.get("/counts/goods").text
    assert "order it" in page
    assert "Work roll 550" in page
