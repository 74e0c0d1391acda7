"""Nobody confirms for a week: stale. For a month: long stale, and quality signs new orders of critical grades off."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from browse import sign_in

from local_mes.app import create_console
from local_mes.orders import service
from local_mes.orders.service import NewLine
from local_mes.plant import Plant
from shared.db.engine import read
from shared.errors import Refused
from shared.orders import tables
from shared.orders.facts import OrderReleased
from shared.orders.queries import OrderItem

DAY_MS = 86_400_000
CRITICAL = "X70"


def order(plant: Plant, item: str, grade: str, command: str, at_ms: int | None = None) -> None:
    fact = OrderReleased(
        item=item, customer="c", product="p", grade=grade, thickness_um=1, width_um=1, mass_g=1, route="", due=""
    )
    service.release_orders(plant, [fact], actor="planner", command_id=command, at_ms=at_ms)


def critical(group: Any) -> Plant:
    plant: Plant = group.plant
    return replace(plant, settings=plant.settings.model_copy(update={"critical_grades": (CRITICAL,)}))


def long_stale(group: Any) -> Plant:
    group.release("QR-CHE-01-v5")
    group.sync()
    group.clock.advance(31 * DAY_MS)
    return critical(group)


def test_new_orders_of_critical_grades_wait_for_quality_and_nothing_else_does(group: Any) -> None:
    plant = critical(group)

    def plan(item: str, command: str) -> None:
        service.release_schedule(plant, "CC1", [NewLine(1, "h", item)], actor="planner", command_id=command)

    engineer = sign_in(create_console(plant), plant.node, "engineer.ald", "engineer")
    quality = sign_in(engineer.client.application, plant.node, "quality.ald", "quality")

    def trust() -> tuple[bool, bool]:
        found = engineer.api("GET", "/api/v1/standards").json["trust"]
        return found["stale"], found["stale_long"]

    group.release("QR-CHE-01-v5")
    group.sync()
    order(plant, "old", CRITICAL, "o1")
    group.clock.advance(8 * DAY_MS)
    assert trust() == (True, False)
    order(plant, "week", CRITICAL, "o2")
    plan("week", "p1")
    group.clock.advance(23 * DAY_MS)
    assert trust() == (True, True)
    order(plant, "new", CRITICAL, "o3")
    order(plant, "plain", "DX51", "o4")
    for item in ("old", "week", "plain", "stock"):  # what was released before, and what is not critical
        plan(item, f"p-{item}")
    with pytest.raises(Refused, match="new: nobody has confirmed for long"):
        plan("new", "p3")
    assert "quality's word" in engineer.page("/standards").replace("&#39;", "'")
    assert "1 of a critical grade" in engineer.page("/orders/")
    assert all(text in engineer.page("/orders/for-quality") for text in ("new", "waits for quality"))
    page = "/orders/for-quality"
    assert engineer.post(page, page, item="new", note="mine").status_code == 403
    shown = re.search(r'name="released_at_ms" value="(\d+)"', quality.page(page))
    assert shown
    said = {"item": "new", "note": "limits compared by telephone", "released_at_ms": shown[1]}
    assert quality.post(page, page, **said).status_code == 302
    plan("new", "p4")
    order(plant, "new", CRITICAL, "o5")  # at the same moment: the same order
    group.clock.advance(1)
    order(plant, "new", CRITICAL, "o6")  # released anew: signed anew
    (item,) = quality.api("GET", "/api/v1/order-sign-offs").json["items"]
    body = {"command_id": "s1", "item": "new", "note": "as before", "released_at_ms": item["released_at_ms"]}
    assert item["item"] == "new"
    assert quality.api("POST", "/api/v1/order-sign-offs", json=body).status_code == 201
    plan("new", "p5")
    group.clock.advance(1)
    order(plant, "new", CRITICAL, "o7")
    group.release("KPI-YLD-v2")  # the line is back: the hub confirms
    group.sync()
    assert trust() == (False, False)
    plan("new", "p6")
    with read(group.hub.node.engine) as conn:
        signed = conn.execute(tables.sign_off.select()).one()
    assert (signed.author, signed.item, signed.note) == ("ALD", "new", "as before")


def test_a_time_of_its_own_takes_no_critical_order_past_quality(group: Any) -> None:
    plant = critical(group)
    before = group.clock.now_ms()
    order(plant, "early", CRITICAL, "o0", before)  # nothing is stale yet
    long_stale(group)
    with pytest.raises(Refused, match="of a critical grade is not released at a time of its own"):
        order(plant, "new", CRITICAL, "o1", before)
    order(plant, "new", CRITICAL, "o1")
    (read_then,) = waiting(plant)
    service.sign_off(plant, "new", read_then.released_at_ms, "compared", actor="quality", command_id="s1")
    group.clock.advance(1)
    with pytest.raises(
        Refused, match="of a critical grade is not released at a time of its own"
    ):  # nor under what was signed
        order(plant, "new", CRITICAL, "o2", read_then.released_at_ms)
    assert waiting(plant) == []
    order(plant, "plain", "DX51", "o3", before)


def test_quality_signs_the_order_that_it_was_shown(group: Any) -> None:
    plant = long_stale(group)
    quality = sign_in(create_console(plant), plant.node, "quality.ald", "quality")
    order(plant, "new", CRITICAL, "o1")
    (shown,) = waiting(plant)
    group.clock.advance(1)
    order(plant, "new", CRITICAL, "o2")
    said = {"item": "new", "note": "compared", "released_at_ms": shown.released_at_ms}
    answer = quality.api("POST", "/api/v1/order-sign-offs", json=said | {"command_id": "s1"})
    assert answer.status_code == 409
    assert "released anew after it was shown" in answer.text
    page = "/orders/for-quality"
    again = quality.post(page, page, item="new", note="compared", released_at_ms=str(shown.released_at_ms))
    assert again.status_code == 409
    (now,) = waiting(plant)
    assert f'name="released_at_ms" value="{now.released_at_ms}"' in again.text
    del said["released_at_ms"]
    assert quality.api("POST", "/api/v1/order-sign-offs", json=said | {"command_id": "s2"}).status_code == 422


def waiting(plant: Plant) -> list[OrderItem]:
    with read(plant.node.engine) as conn:
        return service.list_waiting(conn, plant)
