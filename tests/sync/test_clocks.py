"""Clocks that lie: facts are taken and flagged, order stays, watermarks neither run ahead nor back, offsets are shown."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.reading import entries_after, lives
from shared.journal.tables import fact
from sync.accounting import Account, HubLines
from sync.apart import bounded
from sync.incidents import list_open
from sync.link import complete_through, raise_floor, report_caller, time_floor
from sync.measuring import Measuring
from sync.peers import list_peers
from sync.routed import RoutedTransport
from sync.routes import Route, Rules
from sync.transport import HttpTransport, MemoryTransport

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from hub_doors import hub_app, serve_app

HOUR = 3_600_000
YEARS_10 = 10 * 365 * 24 * HOUR


@pytest.fixture
def apart(kit):
    """A plant and a hub that live by clocks of their own."""
    hub = kit.hub()
    plants_clock = FixedClock(kit.clock.now_ms())
    plant = replace(kit, clock=plants_clock).plant()
    kit.enrol(plant, hub)
    return hub, plant, kit.clock, plants_clock


def through(hub) -> int | None:
    with read(hub.node.engine) as conn:
        return complete_through(conn, "ALD")


def offset(hub) -> int:
    with read(hub.node.engine) as conn:
        return report_caller(conn, "HUB>ALD", "ALD", 60).offset_ms


def said_at_the_hub(hub) -> list[str]:
    """What the hub's watch has to say of the plant."""
    Account(hub.node, HubLines(hub.node).look).step()
    with read(hub.node.engine) as conn:
        return [row.what for row in list_open(conn) if row.kind == "clock"]


@pytest.mark.fault(72)
def test_a_plant_ten_years_ahead_is_taken_and_flagged_and_its_watermark_ends_at_our_time(kit, apart) -> None:
    hub, plant, hubs, plants = apart
    plants.set(hubs.now_ms() + YEARS_10)
    plant.create(5)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    assert hub.entries_of("ALD") == 5
    assert hub.apply() == 5
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    assert through(hub) == hubs.now_ms(), "absence must not look proven for ten years"
    assert offset(hub) == YEARS_10
    assert said_at_the_hub(hub) == ["ALD's clock is ahead of the clock here by more than 120 s."]
    with read(plant.node.engine) as conn:
        assert time_floor(conn) == hubs.now_ms(), "the plant knows the hub's signed time, not its own"


@pytest.mark.fault(73)
def test_a_plant_in_1970_goes_on_says_so_and_its_watermark_does_not_go_back(kit, apart) -> None:
    hub, plant, hubs, plants = apart
    plant.create(2)
    caller = kit.caller(plant, kit.memory(hub))
    kit.drain(caller)
    before = through(hub)
    with read(plant.node.engine) as conn:
        floor = time_floor(conn)
    plants.set(1_000)
    plant.create(3)
    kit.drain(caller)
    assert hub.apply() == 5
    assert before is not None
    assert (through(hub) or 0) >= before
    with read(plant.node.engine) as conn:
        assert time_floor(conn) >= floor == hubs.now_ms()
        recorded = [e.recorded_at_ms for e in entries_after(conn, "ALD", lives(conn, "ALD")[0].epoch, 0, 10)]
    assert recorded == sorted(recorded), "what was recorded when never goes back"
    assert min(recorded) > HOUR
    assert said_at_the_hub(hub) == ["ALD's clock is behind the clock here by more than 120 s."]


@pytest.mark.fault(74)
def test_a_clock_that_steps_back_an_hour_changes_no_order_and_keeps_the_claimed_time(kit, apart) -> None:
    hub, plant, _hubs, plants = apart
    first = plant.create(2)
    plants.set(plants.now_ms() - HOUR)
    second = plant.create(2)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    with read(hub.node.engine) as conn:
        entries = entries_after(conn, "ALD", lives(conn, "ALD")[0].epoch, 0, 10)
        bodies = {row.fact_id: bytes(row.body) for row in conn.execute(select(fact))}
    assert [piece for piece in (*first, *second) for e in entries if piece.encode() in bodies[e.fact_id]] == [
        *first,
        *second,
    ]
    claimed = f'"at_ms":{plants.now_ms()}'.encode()
    assert [claimed in bodies[e.fact_id] for e in entries] == [False, False, True, True]
    assert said_at_the_hub(hub) == ["ALD's clock is behind the clock here by more than 120 s."]


@pytest.mark.fault(75)
def test_the_offset_of_a_clock_follows_it_within_a_session(kit, apart) -> None:
    """Twenty minutes apart: measured at the hello, and again with each sight."""
    hub, plant, hubs, plants = apart
    plants.set(hubs.now_ms() + 20 * 60_000)
    url = serve_app(kit, hub_app(hub))
    with read(plant.node.engine) as conn:
        (peer,) = list_peers(conn)
    lines = {"wan": HttpTransport(url, connect_s=2, read_s=20)}
    transport = RoutedTransport([Route("wan", url)], Rules(2, 1), lines, lambda: peer.trusted)
    kit.drain(kit.caller(plant, transport))
    assert offset(hub) == 20 * 60_000
    measuring = Measuring(plant.node, transport, 60, 60, lambda: None)
    measuring.step()
    plants.advance(3 * 60_000)
    measuring.look_now()
    measuring.step()
    assert offset(hub) == 23 * 60_000
    hubs.advance(11 * 60_000)
    plants.set(hubs.now_ms())
    measuring.look_now()
    measuring.step()
    assert offset(hub) == 11 * 60_000, "set right at some time since the hub's last word, as far as this one proves"
    caller = kit.caller(plant, transport)
    caller.push(kit.meet(caller), None)
    assert offset(hub) == 0, "the answer to what the hub said just now"
    hubs.advance(11 * 60_000)
    plants.set(hubs.now_ms() - 60_000)
    with write(plant.node.engine) as conn:
        raise_floor(conn, "HUB", hubs.now_ms())  # as a heartbeat's receipt does
    measuring.look_now()
    measuring.step()
    assert offset(hub) == -60_000, "set back within a session: a sight tells what it answers"


class Keeping(MemoryTransport):
    """A line that remembers what went over it."""

    def __init__(self, desk) -> None:
        super().__init__(desk)
        self.sent: list[tuple[str, bytes]] = []

    def send(self, door, body: bytes) -> bytes:
        self.sent.append((door, body))
        return super().send(door, body)


def test_a_request_that_was_under_way_for_hours_is_not_taken_for_a_wrong_clock(apart, kit) -> None:
    """A hello that the weather held back opened a session and made its plant's clock five hours slow, until its next
    word; so what was missing at that plant was judged five hours too late."""
    hub, plant, hubs, plants = apart
    plants.advance(7 * 60_000)
    line = Keeping(hub.desk)
    caller = kit.caller(plant, line)
    caller.push(kit.meet(caller), None)
    assert offset(hub) == 7 * 60_000
    hello = next(body for door, body in line.sent if door == "hello")
    for clock in (hubs, plants):
        clock.advance(5 * HOUR)
    hub.desk.hello(hello)
    assert offset(hub) == 7 * 60_000
    session = kit.meet(caller)
    late = caller.prepare(session, None)
    for clock in (hubs, plants):
        clock.advance(5 * HOUR)
    caller.send(late)
    assert offset(hub) == 7 * 60_000, "nor a heartbeat whose session was opened in time"
    plants.set(hubs.now_ms() - 60_000)
    caller.push(kit.meet(caller), None)
    assert offset(hub) == -60_000, "a clock that was set back is known with the first use of a session"


def test_where_the_own_clock_was_moved_a_message_is_read_as_it_stands() -> None:
    assert bounded(None, 1_000, 9_000) == -8_000, "nothing is known better"
    assert bounded(5_000, 9_000, 8_000, answers_ms=8_500) == 1_000, "it answers what we say we shall send"
    assert bounded(0, 20_000, 10_000) == 10_000, "no message comes before it was sent"
