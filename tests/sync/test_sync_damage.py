"""A flipped bit is found before it is sent, and by the nightly proof; it is named, and everything else goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import select, text

from shared.db.engine import read, write
from shared.journal.reading import entry_at, lives
from shared.journal.rebuild import rebuild
from sync.archiving import archive
from sync.compare_door import door, install_comparing
from sync.comparing import Comparing
from sync.errors import EntryDamaged
from sync.journal_commands import JournalBroken
from sync.keeping import verify_and_tell
from sync.link import DAMAGED, report_link
from sync.nightly import NIGHT_HOUR, Nightly, last_runs
from sync.refetching import take_bytes
from sync.tables import incident
from sync.wanting import wanted

HOUR_MS = 3_600_000


def flip(box, stream: str, seq: int) -> None:
    """Change a byte of an entry's fact beneath the guard, as a bad disk would."""
    with write(box.node.engine) as conn:
        guard = conn.execute(text("SELECT sql FROM sqlite_master WHERE name = 'fact_no_update'")).scalar_one()
        conn.execute(text("DROP TRIGGER fact_no_update"))
        conn.execute(
            text(
                "UPDATE fact SET body = CAST(substr(body, 1, 40) || 'X' || substr(body, 42) AS BLOB) WHERE fact_id ="
                " (SELECT fact_id FROM entry WHERE stream = :stream AND seq = :seq)"
            ),
            {"stream": stream, "seq": seq},
        )
        conn.exec_driver_sql(guard)


def incidents(box, kind: str) -> list[str]:
    with read(box.node.engine) as conn:
        return list(conn.execute(select(incident.c.what).where(incident.c.kind == kind)).scalars())


def eventually(holds: Callable[[], bool], limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


@pytest.mark.fault(34)
def test_a_flipped_bit_is_found_before_it_is_sent(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(10)
    flip(plant, "ALD", 6)
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    run = caller.next_run(100)
    assert (run.first, run.last) == (1, 5)  # what is sound goes
    caller.push(session, run)
    for _ in range(2):
        with pytest.raises(EntryDamaged, match="Entry 6") as damaged:
            caller.next_run(100)
        assert damaged.value.code == "sync.entry_damaged"
    assert ["Entry 6 of epoch" in what for what in incidents(plant, "damaged")] == [True]
    assert hub.entries_of("ALD") == 5
    plant.create(1)  # recording goes on
    exchange = kit.exchange(plant, kit.memory(hub))
    exchange.start()

    def state() -> str:
        with read(plant.node.engine) as conn:
            return report_link(conn, "ALD", "HUB").state

    eventually(lambda: state() == DAMAGED)
    assert hub.entries_of("ALD") == 5


@pytest.mark.fault(35)
def test_a_flipped_bit_in_a_copy_is_found_at_night_and_named_once(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(10)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    assert "10 entries chained" in verify_and_tell(hub.node)
    flip(hub, "ALD", 4)
    for _ in range(2):
        with pytest.raises(JournalBroken, match="entry 4"):
            verify_and_tell(hub.node)
    assert ["entry 4" in what for what in incidents(hub, "journal")] == [True]
    plant.create(2)  # and receiving goes on
    kit.drain(kit.caller(plant, kit.memory(hub)))
    assert hub.entries_of("ALD") == 12


@pytest.mark.fault(34)
def test_the_right_bytes_of_an_own_entry_come_back_from_its_reader(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(10)
    rows = plant.hash_of("ALD")
    caller = kit.caller(plant, kit.memory(hub))
    kit.drain(caller, entries_max=4)
    session = caller.hello()
    for seq in (3, 8):
        flip(plant, "ALD", seq)

    def fetch(stream: str, epoch: str, after: int) -> bytes:
        return caller.history(session, epoch, after, stream)

    assert "10 entries chained" in verify_and_tell(plant.node, fetch)
    assert ["came back" in what for what in incidents(plant, "damaged")] == [True, True]
    with write(plant.node.engine) as conn:
        rebuild(conn, plant.node.journal.appliers, 1)
    assert plant.hash_of("ALD") == rows
    plant.create(1)  # what the hub does not hold cannot come back from it
    flip(plant, "ALD", 11)
    with pytest.raises(JournalBroken, match="entry 11"):
        verify_and_tell(plant.node, fetch)


@pytest.mark.fault(35)
def test_the_right_bytes_of_a_copy_come_back_from_its_author_at_the_next_comparison(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    server = kit.serve(hub)
    server.server.app.register_blueprint(door)
    install_comparing(server.server.app, hub.node, lambda _author: None)
    plant.create(10)
    kit.drain(kit.caller(plant, kit.http(server)))
    hub.apply()
    for seq in (4, 9):
        flip(hub, "ALD", seq)
    flip(plant, "ALD", 9)  # what the author has lost as well is not sent
    with pytest.raises(JournalBroken, match=r"entry 4.*entry 9"):
        verify_and_tell(hub.node)
    compare = Comparing(plant.node, kit.http(server))
    assert compare.compare().answer == "same"
    with pytest.raises(JournalBroken, match=r"1 place.*entry 9"):
        verify_and_tell(hub.node)
    assert ["Entry 4" in what for what in incidents(hub, "damaged")] == [True]
    with read(hub.node.engine) as conn:
        assert [place.seq for place in wanted(conn, "ALD")] == [9]
        (life,) = lives(conn, "ALD")
        item = entry_at(conn, "ALD", life.epoch, 4)
    assert not take_bytes(hub.node, "ALD", life.epoch, 9, b"{}")  # other bytes than were chained
    assert not take_bytes(hub.node, "ALD", life.epoch, 4, item.body)  # sound already


def test_a_peer_that_gives_other_bytes_mends_nothing(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(4)
    caller = kit.caller(plant, kit.memory(hub))
    kit.drain(caller)
    session = caller.hello()
    flip(plant, "ALD", 2)
    flip(hub, "ALD", 2)
    with pytest.raises(JournalBroken, match="entry 2"):
        verify_and_tell(plant.node, lambda stream, epoch, after: caller.history(session, epoch, after, stream))
    assert incidents(plant, "damaged") == []


def test_archived_entries_are_sent_again_to_a_hub_that_lost_them(kit, monkeypatch) -> None:
    from shared.journal import archive as moving
    from sync import archiving

    real = moving.Bounds
    monkeypatch.setattr(archiving, "Bounds", lambda *args: real(*args, entries=5))
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(12)
    kit.clock.advance(3 * 24 * HOUR_MS)
    assert archive(plant.node, 1).segments == 0  # the hub holds nothing yet
    kit.drain(kit.caller(plant, kit.memory(hub)))
    done = archive(plant.node, 1)
    assert (done.segments, done.facts) == (2, 10)
    assert "10 facts" in str(done)
    assert archive(hub.node, 1).segments == 0  # nothing is applied yet
    hub.apply()
    assert archive(hub.node, 1).segments == 2
    other = type(kit)(kit.folder / "other", kit.clock)
    other.folder.mkdir()
    fresh = other.hub()
    kit.enrol(plant, fresh)
    kit.drain(kit.caller(plant, kit.memory(fresh)))
    fresh.apply()
    assert fresh.hash_of("ALD") == plant.hash_of("ALD") == hub.hash_of("ALD")
    assert "12 entries chained" in verify_and_tell(plant.node)


def test_a_node_works_once_a_night_and_keeps_what_came_of_it(kit) -> None:
    plant = kit.plant()
    worked: list[str] = []

    def fail() -> str:
        raise JournalBroken(())

    jobs = (("good", lambda: worked.append("good") or "all well"), ("bad", fail))
    night = Nightly(plant.node, jobs, look_s=0.01)
    assert night.run_due() == []  # a first start is no night
    kit.clock.advance(NIGHT_HOUR * HOUR_MS)
    assert night.run_due() == []
    kit.clock.advance(24 * HOUR_MS)
    assert night.run_due() == ["good", "bad"]
    assert night.run_due() == []
    assert worked == ["good"]
    with read(plant.node.engine) as conn:
        kept = {row["job"]: (row["well"], row["outcome"]) for row in last_runs(conn)}
    assert kept["good"] == (True, "all well")
    assert kept["bad"][0] is False
    kit.clock.advance(24 * HOUR_MS)
    night.start()
    eventually(lambda: len(worked) == 2)
    night.stop()
