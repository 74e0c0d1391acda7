"""Old history is not looked at again, and nothing that is still open is ever below the floor."""

from __future__ import annotations

from steel_group import HOUR, SteelGroup

from central_hub.transfers.floors import DAY_MS, SLACK_MS, read_floors
from central_hub.transfers.reading import read_open_matters
from central_hub.transfers.relaying import find_unrelayed
from central_hub.transfers.service import reconcile
from shared.db.engine import read
from shared.transfers.case_queries import find_cases


def kinds(group: SteelGroup) -> list[str]:
    with read(group.hub.node.engine) as conn:
        return sorted(row.kind for row in find_cases(conn))


def floors(group: SteelGroup) -> dict[str, int]:
    with read(group.hub.node.engine) as conn:
        return read_floors(conn)


def travel(group: SteelGroup, number: str, load: str, kg: int = 20_600) -> None:
    group.stock("ALD", number, 20_558)
    group.ship("ALD", "BRK", load, [number])
    group.pass_time(9 * HOUR)
    group.sync()
    group.receive("BRK", number, kg, load)
    group.sync()


def test_the_floor_follows_the_watermark_a_month_behind(group: SteelGroup) -> None:
    travel(group, "161738-1-1", "RT-1")
    group.pass_time(90 * DAY_MS)
    travel(group, "161738-1-2", "RT-2")
    assert floors(group)["ALD"] == group.clock.now_ms() - SLACK_MS
    travel(group, "161738-1-3", "RT-3", kg=30_000)
    assert kinds(group) == ["mass"]
    assert reconcile(group.hub).judged == 0


def test_a_look_begins_at_the_floor_and_not_with_the_first_load_ever(group: SteelGroup) -> None:
    travel(group, "161738-1-1", "RT-1")
    said: list[str] = []
    with read(group.hub.node.engine) as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(said.append)
        read_open_matters(conn)
        find_unrelayed(conn, group.hub.code)
        driver.set_trace_callback(None)
        looks = [statement for statement in said if "recorded_at_ms >=" in statement]
        plans = [row[3] for look in looks for row in driver.execute(f"EXPLAIN QUERY PLAN {look}")]
    used = {plan.split(" INDEX ")[1].split(" ")[0] for plan in plans if " INDEX " in plan}
    assert {"ix_shipment_line_recorded", "ix_receipt_recorded", "ix_shipment_recorded"} <= used
    assert [plan for plan in plans if plan.startswith("SCAN")] == []


def test_a_piece_that_waited_for_months_is_still_judged(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    group.sync()
    group.cut.add("ALD")
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    group.pass_time(9 * HOUR)
    group.receive("BRK", "161738-1-1", 30_000, "RT-1", from_plant="ALD")
    group.sync()
    group.pass_time(90 * DAY_MS)
    group.stock("BRK", "B6-1", 20_000, kind="coil")
    group.ship("BRK", "CLD", "RC-1", ["B6-1"])
    group.pass_time(HOUR)
    group.sync()
    group.receive("CLD", "B6-1", 20_000, "RC-1")
    group.sync()
    group.cut.clear()
    group.sync()
    assert kinds(group) == ["mass"]
    assert floors(group)["CLD"] > floors(group)["ALD"] - SLACK_MS
