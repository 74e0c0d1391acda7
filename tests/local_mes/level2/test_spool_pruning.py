"""The spool gives up what is read, confirmed and old, and nothing else, whatever happens meanwhile."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from level2_line import Line
from level2_peers import Site, cut
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from local_mes.app import create_console
from local_mes.level2 import down
from local_mes.level2.capture import capture, read_capture
from local_mes.level2.pruning import CHUNK_ROWS, prune
from local_mes.level2.service import dismiss
from local_mes.level2.spool import Incoming, SpoolWriter, append, create_spool
from local_mes.level2.spool_figures import get_spool_figures
from local_mes.level2.spool_tables import mark, message, pruned
from local_mes.level2.tables import repair, spool_position
from local_mes.wiring import build_plant
from shared.clock import FixedClock
from shared.db.append_only import drop_statements, statements
from shared.db.engine import open_engine, read, write
from shared.errors import Refused
from shared.journal.reading import lives
from shared.settings import PlantSettings
from sync.tables import peer, position

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

MakeSite = Callable[..., Site]
DAY_MS = 86_400_000
FORKS = multiprocessing.get_context("forkserver")


@pytest.fixture
def line(make_site: MakeSite, clock: FixedClock) -> Iterator[Line]:
    made = Line(make_site(), clock)
    enrol(made)
    yield made
    made.plant.node.engine.dispose()
    made.plant.spool.dispose()


def hub_confirms(line: Line) -> None:
    """The hub says that it holds all there is."""
    with write(line.plant.node.engine) as conn:
        for life in lives(conn, "ALD"):
            values = {"peer": "HUB", "stream": "ALD", "epoch": life.epoch, "durable": life.seq, "hash": life.hash}
            conn.execute(delete(position).where(position.c.epoch == life.epoch))
            conn.execute(insert(position).values(**values, complete_through=0, updated_ms=0))


def enrol(line: Line) -> None:
    """It has a hub, which has confirmed nothing yet."""
    hub = {"peer": "HUB", "key_id": "hub", "public_key": b"", "state": "active", "since_ms": 0, "standards_root": ""}
    with write(line.plant.node.engine) as conn:
        conn.execute(insert(peer).values(hub))


def kept(line: Line) -> list[int]:
    with read(line.plant.spool) as conn:
        return list(conn.execute(select(message.c.spool_id).order_by(message.c.spool_id)).scalars())


def pruned_now(line: Line, **more: Any) -> int:
    return prune(line.plant, keep_newest=2, pause_s=0, **more).messages


def test_what_is_read_confirmed_and_old_goes_and_the_newest_of_each_link_stay(line: Line) -> None:
    for number in range(1, 9):
        line.comes("CC1060", cut(number))
    line.run()
    assert pruned_now(line) == 0  # notes how far the spool is read
    line.clock.advance(29 * DAY_MS)
    hub_confirms(line)
    assert pruned_now(line) == 0
    line.clock.advance(2 * DAY_MS)
    assert pruned_now(line) == 6
    assert kept(line) == [7, 8]
    assert pruned_now(line) == 0
    # numbers go on: a repeat is known, a new one has the next place
    with write(line.plant.spool) as conn:
        row = conn.execute(select(message).where(message.c.spool_id == 8)).one()
        again = append(conn, incoming_of(row, str(cut(8)).encode()))
    assert (again.spool_id, again.repeated) == (8, True)
    assert line.comes("CC1060", cut(9)) == 9


def incoming_of(row: Any, body: bytes) -> Incoming:
    names = ("link", "message", "sequence", "claimed", "claimed_ms", "received_ms", "offset_ms", "zone_offset_min")
    return Incoming(**{name: getattr(row, name) for name in names}, raw=b"raw", body=body)


def test_nothing_goes_before_the_hub_confirms_what_came_of_it(line: Line) -> None:
    for number in range(1, 9):
        line.comes("CC1060", cut(number))
    line.run()
    pruned_now(line)
    line.clock.advance(90 * DAY_MS)
    assert pruned_now(line) == 0
    console = sign_in(create_console(line.plant), line.plant.node, "engineer", "engineer")
    assert "they stay because the hub has not confirmed" in console.page("/level2/links")
    hub_confirms(line)
    assert pruned_now(line) == 6
    figures = get_spool_figures(line.plant)
    assert (figures.messages, figures.given_up, figures.unconfirmed_ms) == (2, 6, None)
    page = console.page("/level2/links")
    assert "6, last" in page
    assert "not confirmed" not in page
    with pytest.raises(Refused, match="no longer has every message"):
        capture(line.plant.spool, "ALD", ("CC1",), 0, line.clock.now_ms())
    _, found = read_capture(capture(line.plant.spool, "ALD", (), line.clock.now_ms(), line.clock.now_ms() + 1))
    assert not list(found)


def test_a_plant_without_a_hub_gives_up_what_it_has_read_and_orders_that_were_answered_long_ago(
    make_site: MakeSite, clock: FixedClock
) -> None:
    line = Line(make_site(), clock)
    for number in range(1, 9):
        line.comes("CC1060", cut(number))
    orders = [
        down.queue_telegram(line.plant.spool, clock, "CC1", "CC2020", {"strand": 1}, key=f"o{number}")
        for number in range(5)
    ]
    with write(line.plant.spool) as conn:
        for _ in orders[:3]:
            sent = down.take_next(conn, "CC1", clock.now_ms())
            assert sent
            down.settle(conn, sent.down_id, clock.now_ms(), accepted=True, answer="code 00")
        assert down.take_next(conn, "CC1", clock.now_ms()).down_id == orders[3]
    line.run()
    pruned_now(line)
    line.clock.advance(31 * DAY_MS)
    assert pruned_now(line) == 6
    assert kept(line) == [7, 8]
    assert len(down.find_recent(line.plant.spool, 10)) == 5
    line.clock.advance(400 * DAY_MS)
    pruned_now(line)
    assert sorted(one.down_id for one in down.find_recent(line.plant.spool, 10)) == orders[3:]  # those still open
    with write(line.plant.spool) as conn:
        down.settle(conn, orders[3], clock.now_ms(), accepted=True, answer="code 00")
        following = down.take_next(conn, "CC1", clock.now_ms())
    assert following.sequence == 5  # the count goes on
    line.plant.node.engine.dispose()
    line.plant.spool.dispose()


def test_what_is_to_mend_waits_or_is_not_read_stays_however_old(line: Line) -> None:
    bad = line.comes("CC1060", cut(1, width_head_mm=12_800))
    waits = line.comes("CC1070", {"slab": "161843-2-9", "ok": "Y"})
    for number in range(2, 9):
        line.comes("CC1060", cut(number))
    line.run()
    pruned_now(line)
    line.clock.advance(40 * DAY_MS)
    hub_confirms(line)
    assert pruned_now(line) == 0, "the message that waits holds up the mark"
    line.run()  # its time is over: it goes to repair
    for number in range(20, 30):
        line.comes("CC1060", cut(number))
    hub_confirms(line)
    pruned_now(line)
    line.clock.advance(40 * DAY_MS)
    unread = kept(line)[-10:]
    pruned_now(line)
    assert kept(line) == [bad, waits, *unread]
    # one that is given up by a person stays until its own time is over
    repairs = line.rows(repair)
    dismiss(line.plant, repairs[0].repair_id, "seen", actor="p1", command_id="d1")
    line.run()
    hub_confirms(line)
    pruned_now(line)
    assert bad in kept(line)
    line.clock.advance(DAY_MS)
    line.comes("CC1060", cut(31))
    line.run()
    hub_confirms(line)
    pruned_now(line)
    line.clock.advance(40 * DAY_MS)
    pruned_now(line)
    assert bad not in kept(line)
    assert waits in kept(line)


def test_a_database_put_back_forgets_the_marks_of_the_time_it_lost(line: Line) -> None:
    for number in range(1, 9):
        line.comes("CC1060", cut(number))
    line.run()
    pruned_now(line)
    with write(line.plant.node.engine) as conn:
        conn.execute(spool_position.update().values(spool_id=3))
    line.clock.advance(40 * DAY_MS)
    hub_confirms(line)
    assert pruned_now(line) == 0
    with read(line.plant.spool) as conn:
        assert conn.execute(select(mark.c.spool_id)).scalars().all() == [3]


def test_the_database_itself_lets_nothing_go_that_was_not_said_before(line: Line) -> None:
    line.comes("CC1060", cut())
    with pytest.raises(IntegrityError, match="append-only"), write(line.plant.spool) as conn:
        conn.execute(delete(message))


def test_a_spool_of_an_older_release_can_be_pruned_after_the_next_start(line: Line) -> None:
    for number in range(1, 9):
        line.comes("CC1060", cut(number))
    line.run()
    with write(line.plant.spool) as conn:
        for statement in (*drop_statements("message", "sqlite"), *statements("message", "sqlite")):
            conn.exec_driver_sql(statement)
        for table in (pruned, mark):
            conn.exec_driver_sql(f"DROP TABLE {table.name}")
    create_spool(line.plant.spool, line.clock)
    pruned_now(line)
    line.clock.advance(31 * DAY_MS)
    hub_confirms(line)
    assert pruned_now(line) == 6


def fill(line: Line, count: int) -> None:
    """Many messages, read long ago."""
    with write(line.plant.spool) as conn:
        rows = [incoming(line, n) for n in range(1, count + 1)]
        for row in rows:
            append(conn, row)
    with write(line.plant.node.engine) as conn:
        conn.execute(insert(spool_position).values(spool=line.interpreter._spool, spool_id=count))
    line.comes("CC1060", cut())
    line.run()
    prune(line.plant, keep_newest=2)
    line.clock.advance(31 * DAY_MS)
    hub_confirms(line)


def incoming(line: Line, n: int) -> Incoming:
    return Incoming(
        link="CC1",
        message="CC1050",
        sequence=n,
        claimed=str(n),
        claimed_ms=None,
        received_ms=line.clock.now_ms(),
        offset_ms=0,
        zone_offset_min=60,
        raw=b"x" * 400,
        body=b"x",
    )


def prune_in_a_process(settings: PlantSettings, at_ms: int) -> None:
    prune(build_plant(settings, FixedClock(at_ms)), keep_newest=2, pause_s=0.02)


def test_killed_in_the_middle_while_the_collector_writes_it_has_lost_nothing_and_goes_on(line: Line) -> None:
    count = 6 * CHUNK_ROWS
    fill(line, count)
    writer, stop, slowest = SpoolWriter(line.plant.spool), threading.Event(), [0.0]

    def collect() -> None:
        n = count + 100
        while not stop.is_set():
            n, begin = n + 1, time.monotonic()
            assert not writer.append(incoming(line, n)).result(20).repeated
            slowest[0] = max(slowest[0], time.monotonic() - begin)
            time.sleep(0.002)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for _ in range(2):
            left = rows_left(line)
            process = FORKS.Process(target=prune_in_a_process, args=(line.site.settings, line.clock.now_ms()))
            process.start()
            end = time.monotonic() + 40
            while rows_left(line) == left and time.monotonic() < end:
                time.sleep(0.002)
            process.kill()
            process.join()
            assert rows_left(line) < left
            with read(line.plant.spool) as conn:
                assert conn.exec_driver_sql("PRAGMA quick_check").scalar() == "ok"
                gone = conn.execute(select(pruned.c.rows)).scalar_one()
            assert gone % CHUNK_ROWS == 0, "a transaction is whole or was not"
            assert rows_left(line) == count - gone
        prune(line.plant, keep_newest=2, pause_s=0)
    finally:
        stop.set()
        collector.join()
        writer.close()
    assert rows_left(line) == 0
    assert slowest[0] < 2, "the collector hardly waited"
    pages = pages_of(line)
    with write(line.plant.spool) as conn:
        for n in range(count):
            append(conn, incoming(line, 100_000 + n))
    assert pages_of(line) <= pages * 1.4, "the room is used again"


def rows_left(line: Line) -> int:
    """Of the old messages."""
    before = line.clock.now_ms() - DAY_MS
    with read(line.plant.spool) as conn:
        return conn.execute(
            select(func.count()).where(message.c.received_ms < before, message.c.message == "CC1050")
        ).scalar_one()


def pages_of(line: Line) -> int:
    with read(line.plant.spool) as conn:
        return int(conn.exec_driver_sql("PRAGMA page_count").scalar_one())


def test_a_spool_opened_by_another_process_still_has_its_key(line: Line) -> None:
    first = create_spool(line.plant.spool, line.clock)
    again = open_engine(line.site.settings.spool)
    assert create_spool(again, line.clock) == first
    again.dispose()
