"""Bounds and second tries, each from both sides: alarms, heads of bundles, comparisons, applying, numbers of a hello."""

from __future__ import annotations

import functools
import io
import struct
import time

import pytest
from sqlalchemy import func, select

from shared.db.engine import read
from shared.journal import fact as fact_module
from shared.journal.archive import Bounds
from shared.journal.chain import next_hash
from shared.journal.fact import Payload
from shared.journal.quarantine import count_by_state
from shared.journal.tables import epoch, fact
from shared.settings import SyncSettings
from sync import archiving, compare_door, routed
from sync.alarms import HOUR_MS, MINUTE_MS, Standing, judge
from sync.applying import Applying
from sync.archiving import Archived, archive
from sync.backoff import Backoff
from sync.bundles.file import MAGIC, Cut, read_head
from sync.compare_door import CompareDesk
from sync.comparing import Comparing
from sync.errors import Busy, Malformed, OverLimit
from sync.lease import Lease
from sync.limits import HELLO_BYTES_MAX
from sync.meeting import list_marks
from sync.messages import ZERO_HASH
from sync.outgoing import states

NOW_MS = 1_773_205_200_000
SYNC = SyncSettings.model_validate({})


def until(condition):
    end = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def levels(**changes):
    values = {"peer": "HUB", "state": "online", "waiting": 0, "oldest_ms": None, "last_contact_ms": NOW_MS}
    at = Standing(**{"offset_ms": 0, **values, **changes})
    return [(alarm.kind, alarm.level) for alarm in judge(NOW_MS, at, SYNC)]


@pytest.mark.parametrize(
    ("name", "at_bound", "sign", "below", "above"),
    [
        ("oldest_ms", 15 * MINUTE_MS, -1, [], [("unsent", "alarm")]),
        ("last_contact_ms", 60 * MINUTE_MS, -1, [], [("silent", "info")]),
        ("last_contact_ms", 72 * HOUR_MS, -1, [("silent", "info")], [("silent", "alarm")]),
        ("floor_ms", 120_000, 1, [], [("clock", "alarm")]),
    ],
)
def test_an_alarm_begins_a_millisecond_after_its_bound(name, at_bound, sign, below, above):
    assert levels(**{name: NOW_MS + sign * at_bound}) == below
    assert levels(**{name: NOW_MS + sign * (at_bound + 1)}) == above


@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_are_apart_a_millisecond_after_their_bound_in_either_direction(sign):
    assert levels(offset_ms=sign * 120_000) == []
    assert levels(offset_ms=sign * 120_001) == [("clock", "attention")]
    assert levels(offset_ms=sign * 120_001, last_contact_ms=None) == [], "never measured"


def test_a_head_at_the_limit_is_read_and_one_over_it_is_not():
    full = b"h" * HELLO_BYTES_MAX
    source = io.BytesIO(MAGIC + struct.pack(">I", len(full)) + full + b"batch")
    assert read_head(source) == full
    assert source.read() == b"batch"
    with pytest.raises(OverLimit) as refused:
        read_head(io.BytesIO(MAGIC + struct.pack(">I", len(full) + 1) + full + b"h"))
    assert refused.value.code == "bundle.head_too_large"


@pytest.mark.parametrize(
    ("content", "error", "code"),
    [
        (b"", Malformed, "bundle.no_bundle"),
        (b"SLA1" + struct.pack(">I", 1) + b"h", Malformed, "bundle.no_bundle"),
        (b"SL", Cut, "bundle.cut"),
        (MAGIC + b"\0\0\0", Cut, "bundle.cut"),
        (MAGIC + struct.pack(">I", 3) + b"he", Cut, "bundle.cut"),
    ],
)
def test_what_is_no_head_is_told_apart_from_one_that_was_cut(content, error, code):
    with pytest.raises(error) as refused:
        read_head(io.BytesIO(content))
    assert (type(refused.value), refused.value.code) == (error, code)


def test_waits_grow_to_an_end_and_are_at_most_half_more_than_asked():
    assert Backoff(1.0, float("inf"), lambda: 1.0).wait_s(31) == 2.0**30
    assert Backoff(1.0, float("inf"), lambda: 1.0).wait_s(5_000) == 2.0**30
    assert Backoff(1.0, 300.0, lambda: 1.0).wait_as_asked_s(20.0) == 30.0
    assert Backoff(1.0, 300.0, lambda: 0.0).wait_as_asked_s(20.0) == 20.0


@pytest.fixture
def pair(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    return plant, hub


def test_an_archive_run_says_what_all_its_segments_hold(kit, pair, monkeypatch):
    plant, hub = pair
    plant.create(12)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    monkeypatch.setattr(archiving, "Bounds", functools.partial(Bounds, entries=5))
    nothing = archive(plant.node, 1)
    assert nothing == Archived(0, 0, 0)
    assert "the archive is as it was" in str(nothing)
    kit.clock.advance(24 * HOUR_MS + 1)
    other = Lease(plant.node.engine, "archive", 60)
    assert other.take()
    assert archive(plant.node, 1) == nothing, "another process is at it"
    other.give_up()
    with read(plant.node.engine) as conn:
        size = conn.execute(select(func.sum(func.length(fact.c.body)))).scalar_one()
    done = archive(plant.node, 1)
    with read(plant.node.engine) as conn:
        left = conn.execute(select(func.sum(func.length(fact.c.body)))).scalar_one()
    assert done == Archived(2, 10, size - left)
    assert str(done) == f"10 facts ({size - left} bytes) went to the archive in 2 segment(s)."
    assert other.take(), "the lease was given up"


class Straight:
    """Hands a comparison to the desk."""

    def __init__(self, desk):
        self.desk = desk

    def send(self, _door, body):
        return self.desk.answer(body)


def test_a_second_comparison_at_once_is_told_when_to_come_back_and_later_ones_are_answered(kit, pair):
    plant, hub = pair
    plant.create(2)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    differing = []
    desk = CompareDesk(hub.node, differing.append)
    compare = Comparing(plant.node, Straight(desk))
    with desk.lock, pytest.raises(Busy) as refused:
        compare.compare()
    assert (refused.value.code, refused.value.after_s) == ("sync.comparing", compare_door.RETRY_S)
    assert [compare.compare().answer for _ in range(2)] == ["same", "same"]
    assert differing == []


class Numbers:
    """The highest business numbers of a plant."""

    def __init__(self, **values):
        self.values = values

    def read(self, _conn):
        return self.values


def test_a_hub_keeps_the_highest_numbers_of_every_hello_and_tells_them_again(kit, pair):
    plant, hub = pair
    for said, known in (
        ({"slab": 17, "coil": 0}, {"slab": 17, "coil": 0}),
        ({"slab": 16, "coil": 1}, {"slab": 17, "coil": 1}),
        ({}, {"slab": 17, "coil": 1}),
    ):
        caller = kit.caller(plant, kit.memory(hub))
        object.__setattr__(caller, "numbers", Numbers(**said))
        assert caller.hello().counters == known
    with read(hub.node.engine) as conn:
        assert list_marks(conn, "ALD") == {"slab": 17, "coil": 1}


def test_a_hello_hears_what_the_peer_holds_of_the_callers_stream(kit, pair):
    plant, hub = pair
    caller = kit.caller(plant, kit.memory(hub))
    assert caller.hello().holds == ()
    plant.create(3)
    kit.drain(caller)
    with read(plant.node.engine) as conn:
        assert caller.hello().holds == states(conn, "ALD") != ()


class Known(Payload, frozen=True, kw_only=True):
    """What the release after this one says."""

    material_id: str


def know_better(monkeypatch, hub):
    """The hub's next release; returns what it hears."""
    heard = []
    monkeypatch.setitem(fact_module._TYPES, ("SaidLater", 1), Known)
    told = hub.node.journal.appliers._by_type
    monkeypatch.setitem(told, Known, lambda _conn, facts: heard.extend(f.payload.material_id for f in facts))
    return heard


def parked(hub):
    with read(hub.node.engine) as conn:
        return count_by_state(conn, "ALD")["parked"]


def later(kit, number):
    return kit.raw_fact(number, type="SaidLater", payload={"material_id": f"m{number}"})


def test_a_start_tries_again_what_was_set_aside_and_later_rounds_do_not(kit, pair, monkeypatch):
    plant, hub = pair
    session = kit.caller(plant, kit.memory(hub)).hello()
    kit.memory(hub).send("push", kit.forge(plant, session, [later(kit, 1)]))
    assert (hub.apply(), parked(hub)) == (0, 1)
    with monkeypatch.context() as release:
        heard = know_better(release, hub)
        applying = hub.ground.applying
        applying.start()
        kit.closing.append(applying.stop)
        until(lambda: heard == ["m1"] and not parked(hub))
    kit.memory(hub).send("push", kit.forge(plant, session, [later(kit, 2)]))
    until(lambda: parked(hub) == 1)
    heard = know_better(monkeypatch, hub)
    kit.memory(hub).send("push", kit.forge(plant, session, [kit.raw_fact(3)]))
    until(lambda: hub.applied_of("ALD") == 2)
    assert (heard, parked(hub)) == ([], 1)


class Shaky(Lease):
    """A lease of a database that is away for so many looks."""

    away = 0

    def held(self):
        if self.away:
            self.away -= 1
            raise OSError("the database is away")
        return super().held()


class Waits(Backoff):
    """Remembers after how many failures it was asked, and lets the test go on at once."""

    asked: list[int] = []

    def wait_s(self, failures):
        self.asked.append(failures)
        return 0.001


def test_applying_waits_longer_with_each_failure_in_a_row_and_begins_anew_after_a_success(kit, pair, monkeypatch):
    plant, hub = pair
    monkeypatch.setattr(Waits, "asked", [])
    node, arrived = hub.node, hub.ground.arrived
    lease = Shaky(node.engine, "apply", 15)
    lease.away = 3
    backoff = Waits(1, 1, lambda: 1.0)
    applying = Applying(node.engine, node.clock, node.journal.appliers, arrived, lease, backoff, entries_max=500)
    applying.start()
    kit.closing.append(applying.stop)
    for count, asked in ((1, [1, 2, 3]), (2, [1, 2, 3, 1, 2])):
        arrived.ring()
        until(lambda: not lease.away)
        plant.create()
        kit.drain(kit.caller(plant, kit.memory(hub)))
        until(lambda count=count: hub.applied_of("ALD") == count)
        assert Waits.asked == asked
        lease.away = 2


def test_rows_of_an_author_that_lived_twice_are_made_again_and_others_do_not_wait_for_it(kit, pair):
    ald, hub = pair
    brk = kit.plant("BRK")
    kit.enrol(brk, hub)
    session = kit.caller(ald, kit.memory(hub)).hello()
    one, other = "1" * 32, "2" * 32
    bodies = [kit.raw_fact(n) for n in (1, 2, 3)]
    kit.memory(hub).send("push", kit.forge(ald, session, bodies[:2], epoch=one))
    kit.memory(hub).send("push", kit.forge(ald, session, [kit.raw_fact(9)], epoch=other))
    assert hub.apply() == 3
    head = ZERO_HASH
    for seq, body in enumerate(bodies[:2], start=1):
        head = next_hash(one, "ALD", seq, head, body)
    kit.memory(hub).send("push", kit.forge(ald, session, bodies[2:], first=3, prev=head, epoch=one))
    brk.create(2)
    kit.drain(kit.caller(brk, kit.memory(hub)))
    with read(hub.node.engine) as conn:
        assert list(conn.execute(select(epoch.c.epoch).where(epoch.c.stream == "ALD")).scalars()) == [one, other]
    assert hub.apply() == 4 + 2, "all four of ALD again, and BRK's in the same run"
    assert (hub.applied_of("ALD"), hub.applied_of("BRK")) == (4, 2)


def test_bandwidth_is_taken_from_pushes_of_64_kib_and_more():
    assert [routed._moved("push", sent, 9, 2.0).bulk_bytes for sent in (65_535, 65_536)] == [0, 65_536]
    assert (routed._moved("push", 65_536, 9, 2.0).bulk_ms, routed._moved("push", 65_536, 9, 0.0).bulk_ms) == (2_000, 1)
    assert (routed._moved("pull", 7, 9, 2.0).bytes_down, routed._moved("hello", 7, 9, 2.0).bytes_up) == (9, 0)
