"""On PostgreSQL too, what a service read to decide still holds when it records: works of one node wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest
from sqlalchemy import Engine, func, select, text

from shared.clock import FixedClock
from shared.db.engine import open_engine, read
from shared.db.types import metadata
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.journal.tables import fact
from shared.material import facts as f
from shared.material import projection

A = "a" * 32


def wait_for_a_waiter(engine: Engine) -> None:
    """Until another connection waits for a lock."""
    until = monotonic() + 30
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while monotonic() < until:
        with read(engine) as conn:
            if conn.execute(query).scalar_one():
                return
        sleep(0.02)
    raise AssertionError("nobody waits")


@pytest.mark.postgres
def test_two_works_do_not_both_find_that_nothing_was_done_yet(postgres_url: str, clock: FixedClock) -> None:
    engine = open_engine(postgres_url)
    metadata.create_all(engine)
    appliers = Appliers()
    projection.register(appliers)
    journal = Journal("ALD", engine, clock, appliers)

    def move(place: str) -> Draft[f.MaterialMoved]:
        return Draft(f.MaterialMoved(material_id=A, place=place), (A,), "p1", Occurred(1, "manual"))

    with journal.work() as tx:
        tx.record(move("YA"))
    inside = Event()

    def decide(first: bool) -> bool:
        with journal.work() as tx:
            if tx.once("the same command") is not None:
                return False
            inside.set()
            if first:
                wait_for_a_waiter(engine)
            tx.record(move("YB"))
            tx.done("the same command", {})
            return True

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(decide, True)
        assert inside.wait(30)
        other = threads.submit(decide, False)
        assert (one.result(60), other.result(60)) == (True, False)
    with read(engine) as conn:
        assert conn.execute(select(func.count()).select_from(fact)).scalar_one() == 2
    engine.dispose()
