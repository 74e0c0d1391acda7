"""Verify finds what was changed and where; rebuild comes to the same rows; the database refuses changes."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from sqlalchemy import Column, MetaData, String, Table, delete, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.db.engine import read, write
from shared.db.types import tables_of_kind
from shared.errors import BadInput
from shared.journal import content_hash as content_hash_module
from shared.journal.content_hash import authors, content_hash, table_hashes
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import open_epoch
from shared.journal.quarantine import count_by_state
from shared.journal.reading import hash_at, lives
from shared.journal.rebuild import rebuild
from shared.journal.sorting import sort_lines
from shared.journal.tables import applied, entry, fact, head, subject_head
from shared.journal.verify import verify
from shared.material import projection as material_rows
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, MaterialWeighed, NewAlias, NewMaterial
from shared.material.tables import alias, material


@pytest.fixture
def journal(make_journal):
    return make_journal("ALD", material_rows.register)


def record(journal, payload, *subjects, fact_id=None):
    with journal.work() as tx:
        return tx.record(
            Draft(
                payload=payload,
                subjects=subjects,
                actor="p",
                fact_id=fact_id,
                occurred=Occurred(journal.clock.now_ms(), "manual"),
            )
        )[0]


def slab(journal, number):
    piece = f"{number:032x}"
    new = NewMaterial(
        material_id=piece,
        kind="slab",
        aliases=(NewAlias("ALD.slab", str(number)),),
        mass=Mass(20_000_000, "theoretical"),
    )
    record(journal, MaterialCreated(material=new, origin="made"), piece)
    return piece


@pytest.fixture
def filled(journal, clock):
    pieces = [slab(journal, n) for n in range(1, 9)]
    for n, piece in enumerate(pieces):
        clock.advance(1_000)
        record(journal, MaterialMoved(material_id=piece, place=f"bay{n}"), piece)
    record(journal, MaterialWeighed(material_id=pieces[0], mass=Mass(19_990_000, "weighed", "W1")), pieces[0])
    return pieces


def tamper(engine, statement):
    """Change the journal as somebody with the file in hand could: without its triggers."""
    with write(engine) as conn:
        for name in conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            conn.execute(text(f"DROP TRIGGER {name}"))
        conn.execute(statement)


def findings(engine):
    with read(engine) as conn:
        return verify(conn).findings


def test_a_sound_journal_has_no_findings_and_all_entries_were_read(filled, engine):
    with read(engine) as conn:
        result = verify(conn)
    assert result.findings == ()
    assert result.entries == 17


@pytest.mark.parametrize("seq", [1, 8, 17])
def test_one_changed_byte_is_found_and_named(filled, engine, seq):
    with read(engine) as conn:
        row = conn.execute(
            select(fact.c.fact_id, fact.c.body, entry.c.epoch)
            .join(entry, entry.c.fact_id == fact.c.fact_id)
            .where(entry.c.seq == seq)
        ).one()
    body = bytes(row.body)
    broken = body.replace(b'"actor":"p"', b'"actor":"q"')
    assert broken != body
    tamper(engine, update(fact).where(fact.c.fact_id == row.fact_id).values(body=broken))
    (found,) = findings(engine)
    assert (found.stream, found.epoch, found.seq) == ("ALD", row.epoch, seq)
    assert f"stream ALD, epoch {row.epoch}, entry {seq}" in str(found)


def test_a_changed_hash_is_found_at_its_place(filled, engine):
    tamper(engine, update(entry).where(entry.c.seq == 5).values(hash="0" * 64))
    assert findings(engine)[0].seq == 5


def test_a_missing_entry_is_found(filled, engine):
    tamper(engine, delete(entry).where(entry.c.seq == 4))
    assert any(found.seq == 4 and "missing" in found.what for found in findings(engine))


def test_a_cut_tail_is_found_by_the_head(filled, engine):
    tamper(engine, delete(entry).where(entry.c.seq == 17))
    assert [found.what for found in findings(engine)] == [findings(engine)[0].what]
    assert "head row" in findings(engine)[0].what


def test_columns_that_differ_from_the_bytes_are_found(filled, engine):
    tamper(engine, update(fact).where(fact.c.type == "MaterialWeighed").values(recorded_at_ms=5))
    (found,) = findings(engine)
    assert (found.seq, found.what) == (17, "its columns differ from its bytes")


def test_a_branch_whose_parent_was_changed_is_found(filled, journal, engine):
    with write(engine) as conn:
        open_epoch(conn, "ALD", 1, reason="restored")
    slab(journal, 99)
    assert findings(engine) == ()
    with write(engine) as conn:
        conn.execute(text("UPDATE epoch SET parent_hash = :h WHERE ordinal = 2"), {"h": "f" * 64})
    assert [found.seq for found in findings(engine)] == [0]


def test_findings_of_a_wrecked_journal_are_bounded(filled, engine, monkeypatch):
    from shared.journal import verify as module

    monkeypatch.setattr(module, "FINDINGS_MAX", 3)
    tamper(engine, update(fact).values(body=b"{}"))
    assert len(findings(engine)) == 3


def test_entries_are_read_in_pieces_without_a_seam(filled, engine, monkeypatch):
    from shared.journal import rebuild as rebuild_module
    from shared.journal import verify as verify_module

    monkeypatch.setattr(verify_module, "ENTRIES_AT_ONCE", 2)
    monkeypatch.setattr(rebuild_module, "ENTRIES_AT_ONCE", 3)
    assert findings(engine) == ()


def rows(engine):
    with read(engine) as conn:
        return {
            t.name: sorted(map(tuple, conn.execute(select(t)))) for t in (*tables_of_kind("projection"), subject_head)
        }


def test_rebuild_comes_to_the_same_rows_and_the_same_hash(filled, journal, engine, monkeypatch):
    from shared.journal import rebuild as module

    monkeypatch.setattr(module, "ENTRIES_AT_ONCE", 5)
    before = rows(engine)
    with write(engine) as conn:
        hash_before = content_hash(conn, "ALD")
        result = rebuild(conn, journal.appliers, 1)
        assert content_hash(conn, "ALD") == hash_before
    assert (result.applied, result.quarantined, result.parked, result.held) == (17, 0, 0, 0)
    assert rows(engine) == before
    assert len(before["material"]) == 8


def test_rebuild_mends_rows_that_were_changed_by_hand(filled, journal, engine):
    with write(engine) as conn:
        good = content_hash(conn, "ALD")
        conn.execute(update(material).values(mass_g=1))
        conn.execute(delete(material).where(material.c.material_id == filled[3]))
        assert content_hash(conn, "ALD") != good
        rebuild(conn, journal.appliers, 1)
        assert content_hash(conn, "ALD") == good


def test_recording_goes_on_after_a_rebuild(filled, journal, engine):
    with write(engine) as conn:
        rebuild(conn, journal.appliers, 1)
    record(journal, MaterialMoved(material_id=filled[0], place="gate"), filled[0])
    before = rows(engine)
    with write(engine) as conn:
        rebuild(conn, journal.appliers, 1)
    assert rows(engine) == before
    assert findings(engine) == ()


def test_a_rebuild_that_fails_changes_nothing(filled, journal, engine):
    def rebuild_and_lose_power():
        with write(engine) as conn:
            rebuild(conn, journal.appliers, 1)
            raise RuntimeError("the power was cut")

    before = rows(engine)
    with pytest.raises(RuntimeError, match="cut"):
        rebuild_and_lose_power()
    assert rows(engine) == before


def test_rows_of_several_lives_are_rebuilt_in_their_order(filled, journal, engine):
    with write(engine) as conn:
        open_epoch(conn, "ALD", 1, reason="restored")
    record(journal, MaterialMoved(material_id=filled[0], place="second life"), filled[0])
    before = rows(engine)
    with write(engine) as conn:
        assert [life.seq for life in lives(conn, "ALD")] == [17, 1]
        rebuild(conn, journal.appliers, 1)
    assert rows(engine) == before


@pytest.mark.parametrize("table", [entry, fact])
def test_the_database_refuses_to_change_or_delete(filled, engine, table):
    for statement in (update(table).values(fact_id="x"), delete(table)):
        with pytest.raises((DBAPIError, IntegrityError), match="append-only"), write(engine) as conn:
            conn.execute(statement)
    assert findings(engine) == ()


def test_content_hash_tells_authors_and_tables_apart(filled, engine):
    with write(engine) as conn:
        assert authors(conn) == ["ALD"]
        assert content_hash(conn, "ALD") != content_hash(conn, "BRK")
        by_table = table_hashes(conn, "ALD")
        conn.execute(update(material).where(material.c.material_id == filled[0]).values(place="other"))
        changed = {name for name, value in table_hashes(conn, "ALD").items() if value != by_table[name]}
    assert changed == {"material"}


def test_content_hash_does_not_depend_on_the_order_of_insertion(filled, engine):
    with write(engine) as conn:
        before = content_hash(conn, "ALD")
        kept = [dict(row) for row in conn.execute(select(material)).mappings()]
        conn.execute(delete(material))
        conn.execute(material.insert(), list(reversed(kept)))
        assert content_hash(conn, "ALD") == before


def test_lines_are_sorted_as_by_memory_when_they_wait_in_files():
    lines = [b"%d%c\n" % (n * 7919 % 5003, 33 + n % 90) for n in range(5_003)]
    assert [*sort_lines(lines, run_bytes=4_096)] == sorted(lines)
    assert [*sort_lines([])] == []


def test_content_hash_is_that_of_rows_sorted_by_the_parts_of_their_key(filled, engine):
    """By the bytes of their JSON: a quote sorts above a blank, 10 below 9, and no part of a key runs into the next."""
    keys = [("a", "b"), ("a b", "c"), ('a"', "\u00e9"), ("a\\", "\x01"), ("a!", ""), ("", "z"), ("A", "10"), ("A", "9")]
    with write(engine) as conn:
        conn.execute(delete(alias))
        for n, (value, scheme) in enumerate(keys):
            row = {"author": "ALD", "value": value, "scheme": scheme, "material_id": f"{n}", "given_at_ms": n}
            conn.execute(alias.insert(), [row, row | {"material_id": f"{n}0"}])
        names = sorted(f"{column.name}" for column in alias.columns)
        rows = [tuple(row) for row in conn.execute(select(*(alias.c[name] for name in names)))]
        places = [names.index(name) for name in ("value", "scheme", "material_id")]
        rows.sort(key=lambda row: [msgspec.json.encode(row[at]) for at in places])
        text = b"".join(msgspec.json.encode(line) + b"\n" for line in [["alias", *names], *rows])
        assert table_hashes(conn, "ALD")["alias"] == hashlib.sha256(text).hexdigest()


def test_head_is_the_last_entry_and_positions_before_the_first_are_genesis(filled, engine):
    with read(engine) as conn:
        row = conn.execute(select(head)).one()
        (life,) = lives(conn, "ALD")
        assert (row.epoch, row.seq, row.hash) == (life.epoch, life.seq, life.hash)
        assert hash_at(conn, "ALD", life.epoch, 0) == "0" * 64
        assert hash_at(conn, "ALD", life.epoch, 18) is None


def test_a_rolled_back_transaction_leaves_no_gap(filled, journal, engine):
    def record_and_fail():
        with journal.work() as tx:
            tx.record(
                Draft(
                    payload=MaterialMoved(material_id=filled[0], place="nowhere"),
                    subjects=(filled[0],),
                    actor="p",
                    occurred=Occurred(1, "manual"),
                )
            )
            raise RuntimeError("the service failed after it")

    with pytest.raises(RuntimeError, match="after it"):
        record_and_fail()
    record(journal, MaterialMoved(material_id=filled[0], place="gate"), filled[0])
    assert findings(engine) == ()
    with read(engine) as conn:
        assert lives(conn, "ALD")[0].seq == 18


def test_the_same_cause_is_recorded_once(journal, engine):
    piece = slab(journal, 1)
    for _ in range(3):
        record(journal, MaterialMoved(material_id=piece, place="a"), piece, fact_id="c" * 32)
    with read(engine) as conn:
        assert lives(conn, "ALD")[0].seq == 2
        assert conn.execute(select(applied.c.fact_id).where(applied.c.fact_id == "c" * 32)).scalars().all() == [
            "c" * 32
        ]


@pytest.mark.parametrize(
    ("place", "code"), [("x" * 300_000, "journal.fact_too_large"), ("a\x00b", "journal.nul"), ("\\\x00", "journal.nul")]
)
def test_what_cannot_be_kept_everywhere_is_refused_where_it_is_written(journal, engine, place, code):
    piece = slab(journal, 1)
    with pytest.raises(BadInput) as refusal:
        record(journal, MaterialMoved(material_id=piece, place=place), piece)
    assert refusal.value.code == code
    record(journal, MaterialMoved(material_id=piece, place="a \\u0000 that is only text"), piece)
    with read(engine) as conn:
        assert lives(conn, "ALD")[0].seq == 2
        assert count_by_state(conn) == {"quarantined": 0, "parked": 0, "held": 0}


def test_a_column_that_came_later_and_says_nothing_changes_no_hash(filled, engine, monkeypatch):
    """A plant of the release before has the same hash as the hub, though that knows a column more."""
    with read(engine) as conn:
        before = content_hash(conn, "ALD")
    with write(engine) as conn:
        conn.exec_driver_sql("ALTER TABLE material ADD COLUMN colour VARCHAR NOT NULL DEFAULT ''")
    later = Table(
        "material", MetaData(), *(c._copy() for c in material.columns), Column("colour", String, server_default="")
    )
    tables = [later if table is material else table for table in tables_of_kind("projection")]
    monkeypatch.setattr(content_hash_module, "tables_of_kind", lambda _: tables)
    with write(engine) as conn:
        assert content_hash(conn, "ALD") == before
        conn.exec_driver_sql("UPDATE material SET colour = 'red' WHERE author = 'ALD'")
        assert content_hash(conn, "ALD") != before
