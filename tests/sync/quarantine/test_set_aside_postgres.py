"""The same on PostgreSQL: comparing places, deleting with an answer, one at a time under the lock of applying."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from central_hub.hub import Hub
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.position import lock_applying
from shared.journal.quarantine import quarantine
from shared.journal.rebuild import rebuild
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings
from shared.subjects import REGISTERS
from sync.quarantine import service
from sync.quarantine.reads import get_item, list_set_aside

pytestmark = pytest.mark.postgres


@pytest.fixture
def hub(tmp_path: Path, clock: FixedClock, postgres_url: str) -> Iterator[Hub]:
    settings = HubSettings(code="HUB", name="Group", folder=tmp_path / "hub", database_url=postgres_url)
    make_folder(settings)
    node = build_node(settings, REGISTERS, clock)
    create_tables(node.engine)
    yield Hub(node, settings)
    node.engine.dispose()


def states(hub: Hub) -> dict[int, str]:
    with read(hub.node.engine) as conn:
        return {row.seq: row.state for row in conn.execute(select(quarantine))}


def test_listed_tried_again_discarded_and_rebuilt(hub, arrivals, applying):
    bad = [arrivals.moved(n, f"m{n}", place=5) for n in range(7)]
    ids = arrivals.add(*bad, *(arrivals.moved(100 + n, f"m{n % 7}") for n in range(14)), arrivals.moved(200, "fine"))
    applying.apply_all()
    seen, after = [], ""
    with read(hub.node.engine) as conn:
        while page := list_set_aside(conn, {"author": "ALD", "q": ""}, after, limit=4):
            seen, after = [*seen, *(row["seq"] for row in page)], page[-1]["key"]
        assert get_item(conn, "ALD", ids[0]).held_count == 2
    assert seen == list(range(1, 22))
    assert service.retry(hub.node, None, "anna").quarantined == 7
    service.propose_discard(hub.node, "ALD", ids[0], "never", "anna")
    assert service.confirm_discard(hub.node, "ALD", ids[0], "ben").applied == 2
    with write(hub.node.engine) as conn:
        done = rebuild(conn, hub.node.journal.appliers, 1)
    assert (done.quarantined, done.held) == (6, 12)
    assert 1 not in states(hub)


def test_the_applier_and_a_new_try_wait_for_each_other(hub, arrivals, applying):
    arrivals.add(arrivals.moved(1, "m1"))
    entered = threading.Event()
    thread = threading.Thread(target=lambda: (entered.set(), applying.apply_all()))
    with write(hub.node.engine) as conn:
        lock_applying(conn)
        thread.start()
        assert entered.wait(10)
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(30)
    assert not thread.is_alive()
