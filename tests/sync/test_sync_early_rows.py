"""Rows written before their batch's turn are those of the ordinary way, and none stays when the batch is not to be."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlalchemy import select

from shared.db.engine import open_engine, read, write
from shared.ids import derived_id
from shared.journal.tables import entry, fact
from shared.node import create_tables
from sync.early_rows import EarlyRows
from sync.errors import OutOfStep
from sync.pack import Origin
from sync.storing import Arrived, store_entries
from tests.sync.test_sync_storing import body, seal, stored

pytestmark = pytest.mark.postgres


def arrived(seq, raw, origin=None):
    return Arrived(seq, sha256(b"%d" % seq).hexdigest(), raw, origin)


RELAYED = Origin("ALD", "d" * 32, 40)
MIXED = [
    arrived(1, body(1)),
    arrived(2, b"\xff\xfe no fact"),
    arrived(3, body(3, type="t" * 64, recorded_at_ms=-(1 << 53))),
    arrived(4, body(4, author="BRK")),
    arrived(5, b""),
    arrived(6, body(6), RELAYED),
    arrived(7, body(7, note="Blech für Łódź \u0000 €")),
]


@pytest.fixture
def engine(postgres_url):
    engine = open_engine(postgres_url)
    create_tables(engine)
    yield engine
    engine.dispose()


def content(conn):
    """Every column of both tables."""
    return [sorted(map(tuple, conn.execute(select(table)).all()), key=repr) for table in (fact, entry)]


def facts_at(engine):
    with read(engine) as conn:
        return len(content(conn)[0])


def test_the_rows_are_those_of_the_ordinary_way(engine):
    with write(engine) as conn:
        point = conn.begin_nested()
        store_entries(conn, seal(), MIXED)
        ordinary = content(conn)
        point.rollback()
        assert content(conn) == [[], []]
        assert EarlyRows(conn, seal(), MIXED).end(whole=True)
        assert content(conn) == ordinary
    assert len(ordinary[0]) == len(ordinary[1]) == len(MIXED)


def test_a_batch_whose_turn_does_not_come_leaves_nothing_and_the_transaction_goes_on(engine):
    with write(engine) as conn:
        assert not EarlyRows(conn, seal(), MIXED).end(whole=False)
        store_entries(conn, seal(), MIXED[:1])
    assert [row[1] for row in stored(engine)] == [derived_id(1, "stored", 1)]
    assert facts_at(engine) == 1


@pytest.mark.fault(58)
def test_an_id_that_is_held_already_sends_the_whole_batch_the_ordinary_way(engine):
    with write(engine) as conn:
        store_entries(conn, seal(), [arrived(1, body(1))])
    other = [arrived(2, body(2)), arrived(3, body(1, version=9))]
    with write(engine) as conn:
        assert not EarlyRows(conn, seal(), other).end(whole=True)
        assert store_entries(conn, seal(), other) == (derived_id(1, "stored", 1),)
    assert [row[2] for row in stored(engine)] == ["MaterialMoved", "MaterialMoved", "?"]


def test_the_same_id_twice_in_a_batch_is_no_error_either(engine):
    twice = [arrived(1, body(1)), arrived(2, body(1))]
    with write(engine) as conn:
        assert not EarlyRows(conn, seal(), twice).end(whole=True)
        store_entries(conn, seal(), twice)
    assert {row[1] for row in stored(engine)} == {derived_id(1, "stored", 1)}


def test_a_batch_that_overtook_another_leaves_no_facts_at_a_hub(kit, postgres_url):
    hub, plant = kit.hub(postgres_url), kit.plant()
    kit.enrol(plant, hub)
    kit.closing.append(hub.node.engine.dispose)
    plant.create(6)
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    first = caller.prepare(session, caller.next_run(3))
    second = caller.prepare_after(session, first, 3)
    with pytest.raises(OutOfStep):
        caller.send(second)
    assert facts_at(hub.node.engine) == 0
    for sealed in (first, second, first):
        caller.send(sealed)
    assert hub.entries_of("ALD") == 6
    assert facts_at(hub.node.engine) == 6
