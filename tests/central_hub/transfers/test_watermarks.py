"""Watermarks of what is applied: received alone proves nothing, nor does silence about facts that cannot be read."""

from __future__ import annotations

from steel_group import HOUR, SteelGroup

from central_hub.transfers.watermarks import watermarks
from shared.db.engine import read, write
from shared.journal.position import move_to
from shared.journal.quarantine import Unapplied, set_aside
from shared.journal.reading import entries_after, lives


def seen(group: SteelGroup) -> dict[str, int]:
    with read(group.hub.node.engine) as conn:
        return watermarks(conn)


def test_a_plant_not_heard_of_is_seen_up_to_nothing(group: SteelGroup) -> None:
    assert seen(group) == {"ALD": 0, "BRK": 0, "CLD": 0}


def test_a_plant_is_seen_up_to_what_it_promised(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    group.pass_time(HOUR)
    group.sync("ALD")
    assert seen(group) == {"ALD": group.clock.now_ms(), "BRK": 0, "CLD": 0}


def test_what_is_received_but_not_applied_holds_the_watermark_back(group: SteelGroup) -> None:
    at = []
    for number in ("161738-1-1", "161738-1-2"):
        group.stock("ALD", number, 20_558)
        at.append(group.clock.now_ms())
        group.pass_time(HOUR)
    group.up("ALD", limit=1)
    group.up("ALD")
    with write(group.hub.node.engine) as conn:
        life = lives(conn, "ALD")[0]
        move_to(conn, "ALD", life.epoch, 1)  # as if applying had only come so far
    assert seen(group)["ALD"] == at[1] - 1


def test_a_departure_that_cannot_be_read_holds_the_watermark_back(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    group.pass_time(HOUR)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    shipped_at = group.clock.now_ms()
    group.pass_time(HOUR)
    group.sync("ALD")
    assert seen(group)["ALD"] == group.clock.now_ms()
    with write(group.hub.node.engine) as conn:
        life = lives(conn, "ALD")[0]
        entry = next(e for e in entries_after(conn, "ALD", life.epoch, 0, 100) if e.type == "MaterialShipped")
        set_aside(conn, [Unapplied(entry, "quarantined", "broken", ())], 0)
    assert seen(group)["ALD"] == shipped_at - 1
