"""Loads before they leave: planned, loaded under the rules, announced, cancelled; what left is what lay on the vehicle."""

from __future__ import annotations

from typing import Any

import pytest
from browse import Person, sign_in
from msgspec.structs import replace
from steel_group import HOUR, SteelGroup, rows

from local_mes.app import create_console
from local_mes.orders.service import release_orders
from local_mes.quality.service import PlaceHold, place_hold
from local_mes.transfers.service import (
    LoadTouch,
    PlanCommand,
    announce,
    cancel_load,
    depart,
    load_piece,
    plan_load,
    unload_piece,
)
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.orders.facts import OrderReleased
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.plan_queries import announced_to, find_plan, pieces_of
from shared.transfers.plan_tables import load_announcement, load_plan
from shared.transfers.plan_tables import load_piece as load_pieces


def plan(group: SteelGroup, number: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"to": "BRK", "vehicle": "Train 7", "number": number} | more
    return plan_load(group.plants["ALD"], PlanCommand(group.command(), "p1", **given))


def touch(group: SteelGroup, load: str, piece: str = "", **more: Any) -> LoadTouch:
    return LoadTouch(group.command(), "p1", load, piece, **more)


def put(group: SteelGroup, load: str, piece: str, vehicle: str = "") -> str:
    return str(load_piece(group.plants["ALD"], touch(group, load, piece, vehicle=vehicle))["vehicle"])


def test_weight_is_checked_vehicle_by_vehicle_over_all_loads_that_share_it(group: SteelGroup) -> None:
    ald = group.plants["ALD"]
    for number, kg in (("S-1", 20_000), ("S-2", 21_000), ("S-3", 19_500), ("S-4", 1_000)):
        group.stock("ALD", number, kg)
    plan(group, "RT-1", vehicles=(("W1", 40_000), ("W2", 30_000)), pieces=("S-1", "S-2"))
    plan(group, "RT-2", vehicles=(("W1", 40_000),))
    assert put(group, "RT-1", "S-1", "W1") == "W1"
    assert put(group, "RT-1", "S-2") == "W2"  # W1 has no room for it
    with pytest.raises(Refused, match=r"S-3 weighs 19,500 kg; W2 carries 21,000 of at most 30,000 kg"):
        put(group, "RT-1", "S-3", "W2")
    assert put(group, "RT-2", "S-3") == "W1"
    with pytest.raises(Refused, match=r"W1 carries 39,500 of at most 40,000 kg"):  # both loads count
        put(group, "RT-1", "S-4", "W1")
    with pytest.raises(BadInput, match="no vehicle 'W9'"):
        put(group, "RT-1", "S-4", "W9")
    with pytest.raises(Refused, match="S-1 lies on RT-1 already"):
        put(group, "RT-1", "S-1")
    with pytest.raises(Refused, match="S-1 lies on the load RT-1"):
        put(group, "RT-2", "S-1")
    same = touch(group, "RT-1", "S-4", vehicle="W2")
    assert load_piece(ald, same) == load_piece(ald, same)  # sent twice by a tablet

    assert depart(ald, touch(group, "RT-1"))["pieces"] == 3
    with read(ald.node.engine) as conn:
        lines = find_lines(conn, LineFilter(q="RT-1"))
    assert {line.number: (line.position, line.custody_no) for line in lines} == {
        "S-1": ("W1", 1),
        "S-2": ("W2", 1),
        "S-4": ("W2", 1),
    }
    with pytest.raises(Refused, match="RT-1 has left"):
        put(group, "RT-1", "S-3")
    with pytest.raises(Refused, match="RT-1 has left"):
        cancel_load(ald, touch(group, "RT-1", note="too late"))


def test_each_refusal_names_its_rule_also_where_it_arose_after_loading(group: SteelGroup) -> None:
    ald = group.plants["ALD"]
    ids = {number: group.stock("ALD", number, 20_000) for number in ("S-1", "S-2", "S-3")}
    wanted = OrderReleased(
        item="710045/10", customer="c", product="p", grade="H35", thickness_um=800, width_um=1_000_000, mass_g=1,
        route="R-HRC", due="2026-04-01",
    )  # fmt: skip
    plan(group, "RT-1")
    with pytest.raises(Refused, match="Nothing lies on RT-1"):
        depart(ald, touch(group, "RT-1"))
    assert put(group, "RT-1", "S-1") == "Train 7"
    release_orders(ald, [wanted], actor="p1", command_id=group.command())
    with pytest.raises(Refused, match=r"S-2 is of grade L06; its order item 710045/10 asks for H35"):
        put(group, "RT-1", "S-2")
    with pytest.raises(Refused, match="asks for H35"):
        depart(ald, touch(group, "RT-1"))
    release_orders(ald, [replace(wanted, grade="L06")], actor="p1", command_id=group.command())
    place_hold(ald, PlaceHold(group.command(), "p1", "S-1", "edge crack"))
    with pytest.raises(Refused, match="S-1 is held: edge crack"):
        depart(ald, touch(group, "RT-1"))
    assert unload_piece(ald, touch(group, "RT-1", "S-1", note="held"))["number"] == "S-1"
    with pytest.raises(NotFound, match="S-1 is not on RT-1"):
        unload_piece(ald, touch(group, "RT-1", "S-1"))
    put(group, "RT-1", "S-2")
    group.ship("ALD", "BRK", "RT-9", ["S-2"])
    with pytest.raises(Refused, match="S-2 has left already"):
        depart(ald, touch(group, "RT-1"))
    with read(ald.node.engine) as conn:
        assert [row.material_id for row in pieces_of(conn, "ALD", _id(conn, "RT-1"))] == [ids["S-2"]]


def _id(conn: Any, number: str) -> str:
    row = find_plan(conn, "ALD", number)
    assert row is not None
    return str(row.shipment_id)


def test_what_is_announced_is_known_to_its_addressee_until_it_leaves_or_is_cancelled(group: SteelGroup) -> None:
    ald, brk = group.plants["ALD"], group.plants["BRK"]

    def coming() -> list[str]:
        group.sync()
        with read(brk.node.engine) as conn:
            return sorted(row.number for row in announced_to(conn, "BRK"))

    for number in ("S-1", "S-2"):
        group.stock("ALD", number, 20_000)
    plan(group, "RT-1", pieces=("S-1",))
    plan(group, "RT-2", pieces=("S-2",))
    for load in ("RT-1", "RT-2"):
        announce(ald, touch(group, load))
    assert coming() == ["RT-1", "RT-2"]
    cancel_load(ald, touch(group, "RT-2", note="the crane is down"))
    assert coming() == ["RT-1"]
    put(group, "RT-1", "S-1")
    group.pass_time(HOUR)
    depart(ald, touch(group, "RT-1"))
    assert coming() == []
    group.receive("BRK", "S-1", 20_000, "RT-1")
    group.sync()
    for table in (load_plan, load_pieces, load_announcement):
        mine = [row for row in rows(group.hub.node.engine, table) if row[0] == "ALD"]
        assert mine == rows(ald.node.engine, table)
        assert mine


def test_a_load_is_planned_loaded_and_booked_out_on_the_tablets_pages(group: SteelGroup) -> None:
    yard: Person = sign_in(create_console(group.plants["ALD"]), group.plants["ALD"].node, "yard.ald", "yard")
    for number in ("S-1", "S-2"):
        group.stock("ALD", number, 20_000)
    page = "/transfers/loading/"
    assert "No load is planned" in yard.page(page)
    wrong = yard.post(page, page, lane="ALD-BRK", vehicle="Train 7", vehicles="W1 sixty")
    assert (wrong.status_code, "names no limit in kg" in wrong.text) == (422, True)
    done = yard.post(page, page, lane="ALD-BRK", vehicle="Train 7", vehicles="W1 30000\nW2 30000", pieces="S-1")
    load = done.headers["Location"]
    text = yard.page(load)
    assert "Planned, tap to load" in text
    assert "Could go too" in text
    assert yard.post(f"{load}/piece", load, piece="S-1").status_code == 302
    refused = yard.post(f"{load}/piece", load, piece="S-2", vehicle="W1")
    assert (refused.status_code, "W1 carries 20,000 of at most 30,000 kg" in refused.text) == (409, True)
    number = load.rpartition("/")[2]
    sent = yard.api("POST", f"/api/v1/loads/{number}/pieces", json={"command_id": "t1", "piece": "S-2"})
    assert (sent.status_code, sent.json["vehicle"]) == (201, "W2")  # type: ignore[index]
    (told,) = yard.api("GET", "/api/v1/loads").json["items"]  # type: ignore[index]
    assert [one["loaded_g"] for one in told["vehicles"]] == [20_000_000, 20_000_000]
    assert yard.post(f"{load}/announce", load).status_code == 302
    seen = {"command_id": "t2", "pieces": ["S-1", "S-9"]}
    other = yard.api("POST", f"/api/v1/loads/{number}/depart", json=seen)
    assert (other.status_code, other.json["code"]) == (409, "loading.other_pieces")  # type: ignore[index]
    assert "Not booked on it: S-9; booked on it, but not on the tablet's list: S-2." in other.text
    left = yard.post(f"{load}/depart", load)
    assert left.headers["Location"] == f"/transfers/loads/{number}"
    assert "W2" in yard.page(left.headers["Location"])
    assert "It has left" in yard.page(load)
