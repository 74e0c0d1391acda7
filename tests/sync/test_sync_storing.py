"""Where an arrived entry finds its bytes: under the fact's own id, or under one made of its hash when that is not to be."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from shared.db.engine import read, write
from shared.ids import derived_id
from shared.journal.tables import entry, fact
from sync.messages import ZERO_HASH, Seal
from sync.pack import Origin
from sync.storing import Arrived, own_id, store_entries

EPOCH, SESSION, H = "e" * 32, "5" * 32, "a" * 64


def seal(stream: str = "ALD", node: str = "ALD") -> Seal:
    return Seal(
        proto=1,
        node=node,
        audience="HUB",
        sent_ms=1,
        kind="batch",
        stream=stream,
        epoch=EPOCH,
        parent=None,
        first=1,
        last=1,
        prev=ZERO_HASH,
        head=H,
        bytes=H,
        complete_through=1,
        incarnation=EPOCH,
        session=SESSION,
        key="k",
    )


def body(number: int, **changes: object) -> bytes:
    values = {
        "fact_id": derived_id(1, "stored", number),
        "type": "MaterialMoved",
        "version": 3,
        "author": "ALD",
        "recorded_at_ms": 1_000 + number,
    }
    return msgspec.json.encode(values | changes)


def arrived(seq: int, raw: bytes, origin: Origin | None = None) -> Arrived:
    return Arrived(seq, f"{seq:064x}", raw, origin)


def stored(engine, **where: object) -> list[tuple[object, ...]]:
    """(seq, fact_id, type, version, author, recorded_at_ms, body) of every entry."""
    columns = (entry.c.seq, entry.c.fact_id, fact.c.type, fact.c.version, fact.c.author, fact.c.recorded_at_ms)
    with read(engine) as conn:
        query = select(*columns, fact.c.body).join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
        return [tuple(row) for row in conn.execute(query.filter_by(**where).order_by(entry.c.seq))]


def test_a_fact_in_order_is_kept_under_its_own_id_and_labels(engine):
    with write(engine) as conn:
        store_entries(conn, seal(), [arrived(1, body(1)), arrived(2, body(2))])
    assert stored(engine) == [
        (n, derived_id(1, "stored", n), "MaterialMoved", 3, "ALD", 1_000 + n, body(n)) for n in (1, 2)
    ]
    with read(engine) as conn:
        rows = conn.execute(select(entry.c.stream, entry.c.epoch, entry.c.hash, entry.c.origin_stream)).all()
    assert rows == [("ALD", EPOCH, f"{n:064x}", None) for n in (1, 2)]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        body(1, fact_id="short"),
        body(1, fact_id="0" * 31 + "\n"),
        body(1, fact_id="0" * 15 + "G" + "0" * 16),
        body(1, fact_id="0" * 32 + "\n"),
        body(1, type="Moved\n"),
        body(1, type=""),
        body(1, type="t" * 65),
        body(1, type="a b"),
        body(1, version=-1),
        body(1, version=(1 << 31) + 1),
        body(1, recorded_at_ms=(1 << 53) + 1),
        body(1, recorded_at_ms=-(1 << 53) - 1),
        body(1, author="BRK"),
        body(1, author=""),
    ],
)
def test_bytes_that_name_no_fact_of_this_author_are_kept_all_the_same(engine, raw):
    with write(engine) as conn:
        store_entries(conn, seal(), [arrived(9, raw)])
    assert stored(engine) == [(9, own_id(f"{9:064x}"), "?", 0, "ALD", 0, raw)]
    assert len(own_id(H)) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"type": "t" * 64},
        {"version": 0},
        {"version": 1 << 31},
        {"recorded_at_ms": 1 << 53},
        {"recorded_at_ms": -(1 << 53)},
    ],
)
def test_labels_at_their_bounds_are_labels(engine, change):
    with write(engine) as conn:
        store_entries(conn, seal(), [arrived(1, body(1, **change))])
    (row,) = stored(engine)
    assert row[1] == derived_id(1, "stored", 1)
    assert set(change.values()) <= set(row)


def test_a_relayed_fact_counts_for_the_author_whose_stream_it_was_taken_from(engine):
    origin = Origin("ALD", "d" * 32, 40)
    with write(engine) as conn:
        down = seal("HUB>BRK", "HUB")
        store_entries(conn, down, [arrived(1, body(1), origin), arrived(2, body(2)), arrived(3, body(3, author="HUB"))])
        places = conn.execute(
            select(entry.c.origin_stream, entry.c.origin_epoch, entry.c.origin_seq).order_by(entry.c.seq)
        ).all()
    assert [row[4] for row in stored(engine)] == ["ALD", "HUB", "HUB"]
    assert [row[2] for row in stored(engine)] == ["MaterialMoved", "?", "MaterialMoved"]
    assert places == [("ALD", "d" * 32, 40), (None, None, None), (None, None, None)]


@pytest.mark.fault(58)
def test_an_id_that_is_taken_by_other_bytes_stays_theirs_and_the_same_bytes_are_stored_once(engine):
    other = body(1, version=9)
    with write(engine) as conn:
        store_entries(conn, seal(), [arrived(1, body(1)), arrived(2, body(2))])
        store_entries(conn, seal(), [arrived(3, other), arrived(4, body(2)), arrived(5, body(3)), arrived(6, body(3))])
    rows = stored(engine)
    assert [row[1] for row in rows] == [
        derived_id(1, "stored", 1),
        derived_id(1, "stored", 2),
        own_id(f"{3:064x}"),
        derived_id(1, "stored", 2),
        derived_id(1, "stored", 3),
        derived_id(1, "stored", 3),
    ]
    assert (rows[0][6], rows[2][6], rows[2][2]) == (body(1), other, "?")


def test_many_taken_ids_are_looked_up_in_pieces(engine):
    many = [arrived(n, body(n)) for n in range(1, 1_203)]
    with write(engine) as conn:
        store_entries(conn, seal(), many)
        store_entries(conn, seal(), [Arrived(item.seq + 2_000, item.hash, item.body, None) for item in many])
    rows = stored(engine)
    assert len(rows) == 2_404
    assert len({row[1] for row in rows}) == 1_202
