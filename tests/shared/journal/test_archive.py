"""Old facts move to files: everything still reads them, a crash anywhere loses nothing, and a bad file is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from shared.clock import FixedClock
from shared.db.engine import open_engine, read, write
from shared.db.types import metadata
from shared.errors import Refused
from shared.ids import derived_id
from shared.journal import archive, segment_file
from shared.journal.apply import Appliers
from shared.journal.archive import Bounds, archive_next, finish, put_beside
from shared.journal.archived import segments, use_archive
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.journal.reading import entries_after, entry_at, lives
from shared.journal.rebuild import rebuild
from shared.journal.segment_file import ArchiveDamaged
from shared.journal.tables import archive_segment, fact
from shared.journal.verify import verify
from shared.material import projection as material
from shared.material.facts import Mass, MaterialCreated, NewMaterial

DAY_MS = 86_400_000


class Kit:
    """A journal of slabs with an archive folder, and the deeds of these tests."""

    def __init__(self, journal: Journal, clock: FixedClock, folder: Path) -> None:
        self.journal = journal
        self.engine = journal.engine
        self.clock = clock
        self.folder = folder
        use_archive(self.engine, folder)

    def create(self, count: int) -> None:
        with self.journal.work() as tx:
            for number in range(count):
                piece = derived_id(self.clock.now_ms(), "slab", number)
                new = NewMaterial(material_id=piece, kind="slab", aliases=(), mass=Mass(1, "weighed"))
                tx.record(
                    Draft(
                        payload=MaterialCreated(material=new, origin="made"),
                        subjects=(piece,),
                        actor="p",
                        occurred=Occurred(self.clock.now_ms(), "manual"),
                    )
                )

    def bounds(self, entries: int = 10, last: int = 10**9) -> Bounds:
        with read(self.engine) as conn:
            (life,) = lives(conn, "ALD")
        return Bounds("ALD", life.epoch, last, self.clock.now_ms(), entries)

    def archive_all(self, entries: int = 10) -> int:
        self.clock.advance(DAY_MS)
        total = 0
        while archive_next(self.engine, self.folder, self.bounds(entries), self.clock.now_ms()):
            total += 1
        return total

    def in_rows(self) -> int:
        with read(self.engine) as conn:
            return conn.execute(select(func.count()).where(fact.c.archived_in.is_(None))).scalar_one()

    def bodies(self) -> list[bytes]:
        with read(self.engine) as conn:
            (life,) = lives(conn, "ALD")
            return [item.body for item in entries_after(conn, "ALD", life.epoch, 0, 1_000)]

    def hash(self) -> str:
        with read(self.engine) as conn:
            return content_hash(conn, "ALD")


@pytest.fixture
def kit(make_journal: Callable[..., Journal], clock: FixedClock, tmp_path: Path) -> Kit:
    return Kit(make_journal("ALD", material.register), clock, tmp_path / "archive")


def test_archived_facts_read_verify_and_rebuild_as_before(kit: Kit) -> None:
    kit.create(35)
    before, rows = kit.bodies(), kit.hash()
    assert kit.archive_all() == 3
    assert kit.in_rows() == 5
    assert kit.bodies() == before
    with read(kit.engine) as conn:
        found = verify(conn)
        assert (found.entries, found.findings) == (35, ())
        (life,) = lives(conn, "ALD")
        item = entry_at(conn, "ALD", life.epoch, 7)
        assert item is not None
        assert item.body == before[6]
    with write(kit.engine) as conn:
        assert rebuild(conn, kit.journal.appliers, 1).applied == 35
    assert kit.hash() == rows


def test_only_full_segments_that_are_old_and_read_by_all_go(kit: Kit) -> None:
    kit.create(25)
    now = kit.clock.now_ms()
    assert archive_next(kit.engine, kit.folder, kit.bounds(), now) is None  # recorded at this very time: not older
    kit.clock.advance(DAY_MS)
    assert archive_next(kit.engine, kit.folder, kit.bounds(last=9), now) is None
    made = archive_next(kit.engine, kit.folder, kit.bounds(last=10), now)
    assert made is not None
    assert (made.first, made.last) == (1, 10)
    assert archive_next(kit.engine, kit.folder, kit.bounds(last=19), now) is None
    assert kit.in_rows() == 15


def test_a_segment_is_closed_by_its_bytes_as_well(kit: Kit) -> None:
    kit.create(10)
    size = len(kit.bodies()[0])
    kit.clock.advance(DAY_MS)
    limit = kit.bounds(entries=1_000)
    small = Bounds(limit.stream, limit.epoch, limit.last, limit.older_than_ms, limit.entries, bytes=3 * size)
    made = archive_next(kit.engine, kit.folder, small, 1)
    assert made is not None
    assert made.facts == 3


class Crash(Exception):
    pass


@pytest.mark.parametrize("step", ["write_segment", "list_segment", "empty_rows", "_rows_to_empty"])
def test_a_crash_at_any_step_loses_nothing_and_the_next_run_finishes(
    kit: Kit, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.create(20)
    before = kit.bodies()
    kit.clock.advance(DAY_MS)
    real = getattr(archive, step)

    def crash(*args: object) -> object:
        if step == "write_segment":
            real(*args)  # the file is there, nobody names it
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(archive, step, crash)
        with pytest.raises(Crash):
            archive_next(kit.engine, kit.folder, kit.bounds(), 1)
    assert kit.bodies() == before
    finish(kit.engine, kit.folder)
    kit.archive_all()
    assert kit.in_rows() == 0
    assert kit.bodies() == before
    with read(kit.engine) as conn:
        assert verify(conn).findings == ()
        assert [(s.first, s.last) for s in segments(conn)] == [(1, 10), (11, 20)]
    assert len(list(kit.folder.glob("*.sla"))) == 2


def test_rows_emptied_half_way_are_read_from_both_places_and_finished(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.create(20)
    before = kit.bodies()
    kit.clock.advance(DAY_MS)
    monkeypatch.setattr(archive, "ROWS_AT_ONCE", 4)
    real, calls = archive._rows_to_empty, []

    def crash_later(*args: object) -> object:
        calls.append(args)
        if len(calls) == 3:
            raise Crash
        return real(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(archive, "_rows_to_empty", crash_later)
        with pytest.raises(Crash):
            archive_next(kit.engine, kit.folder, kit.bounds(entries=20), 1)
    assert kit.in_rows() == 12
    assert kit.bodies() == before
    assert finish(kit.engine, kit.folder) == 12
    assert kit.in_rows() == 0
    assert finish(kit.engine, kit.folder) == 0


@pytest.mark.parametrize("harm", ["missing", "changed", "cut"])
def test_a_bad_file_is_named_and_all_else_still_read(kit: Kit, harm: str) -> None:
    kit.create(30)
    kit.archive_all()
    with read(kit.engine) as conn:
        file = kit.folder / segments(conn)[1].file
    content = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(content[:-1] if harm == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    segment_file.recent_segment.cache_clear()
    with read(kit.engine) as conn:
        found = verify(conn)
        (life,) = lives(conn, "ALD")
        assert len(entries_after(conn, "ALD", life.epoch, 0, 10)) == 10
        assert len(entries_after(conn, "ALD", life.epoch, 20, 10)) == 10
        with pytest.raises(ArchiveDamaged, match=file.name):
            entries_after(conn, "ALD", life.epoch, 5, 10)
    assert [(f.seq, file.name in f.what) for f in found.findings] == [(11, True)]


def test_the_database_lets_no_other_change_of_a_fact_through(kit: Kit) -> None:
    kit.create(20)
    kit.clock.advance(DAY_MS)
    archive_next(kit.engine, kit.folder, kit.bounds(), 1)
    with read(kit.engine) as conn:
        (life,) = lives(conn, "ALD")
        archived, free = (entry_at(conn, "ALD", life.epoch, seq) for seq in (1, 11))
    assert archived is not None
    assert free is not None
    for fact_id, values in (
        (free.fact_id, {"body": b""}),
        (free.fact_id, {"body": b"", "archived_in": 1}),  # listed, but another run of entries
        (free.fact_id, {"body": b"", "archived_in": 99}),
        (free.fact_id, {"archived_in": 1}),
        (archived.fact_id, {"body": b"x"}),
        (archived.fact_id, {"archived_in": None}),
        (archived.fact_id, {"type": "Other"}),
    ):
        with pytest.raises((IntegrityError, DatabaseError), match="append-only"), write(kit.engine) as conn:
            conn.execute(update(fact).where(fact.c.fact_id == fact_id).values(**values))
    for statement in ("DELETE FROM archive_segment", "UPDATE archive_segment SET file = 'x'", "DELETE FROM fact"):
        with pytest.raises((IntegrityError, DatabaseError), match="append-only"), write(kit.engine) as conn:
            conn.execute(text(statement))


@pytest.mark.fault(34)
def test_a_damaged_entry_is_not_archived_as_if_it_were_sound(kit: Kit) -> None:
    kit.create(20)
    kit.clock.advance(DAY_MS)
    damage(kit.engine, 15)
    assert archive_next(kit.engine, kit.folder, kit.bounds(), 1) is not None
    with pytest.raises(Refused, match="Entry 15"):
        archive_next(kit.engine, kit.folder, kit.bounds(), 1)
    assert kit.in_rows() == 10


def test_entries_put_beside_are_read_from_files_of_their_own_numbered_one_by_one(kit: Kit) -> None:
    kit.create(3)
    before, rows = kit.bodies(), kit.hash()
    with read(kit.engine) as conn:
        (life,) = lives(conn, "ALD")
        items = entries_after(conn, "ALD", life.epoch, 1, 10)
    for item in items:
        put_beside(kit.engine, kit.folder, item, item.body, 7)
    with read(kit.engine) as conn:
        assert [(s.segment, s.first, s.last, s.facts) for s in segments(conn)] == [(1, 2, 2, 1), (2, 3, 3, 1)]
        assert verify(conn).findings == ()
    assert (kit.in_rows(), kit.bodies(), kit.hash()) == (1, before, rows)


def test_an_older_database_beside_newer_files_works_and_archives_again(kit: Kit, tmp_path: Path) -> None:
    kit.create(20)
    before, rows = kit.bodies(), kit.hash()
    with kit.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "node.sqlite", tmp_path / "older.sqlite")
    kit.archive_all()
    older = open_engine(f"sqlite:///{tmp_path / 'older.sqlite'}")
    use_archive(older, kit.folder)
    again = Kit(Journal("ALD", older, kit.clock, kit.journal.appliers), kit.clock, kit.folder)
    assert (again.bodies(), again.hash(), again.in_rows()) == (before, rows, 20)
    again.archive_all(entries=5)
    assert again.in_rows() == 0
    with write(older) as conn:
        rebuild(conn, kit.journal.appliers, 1)
    assert (again.bodies(), again.hash(), kit.bodies()) == (before, rows, before)
    with read(kit.engine) as conn:
        assert verify(conn).findings == ()
    older.dispose()


def test_a_fact_in_two_streams_is_put_away_once(kit: Kit) -> None:
    kit.create(10)
    with kit.journal.work() as tx:
        with read(kit.engine) as conn:
            (life,) = lives(conn, "ALD")
            ids = [item.fact_id for item in entries_after(conn, "ALD", life.epoch, 0, 10)]
        for fact_id in ids:
            tx.relay(fact_id, "ALD>BRK")
    kit.archive_all()
    with read(kit.engine) as conn:
        (down,) = lives(conn, "ALD>BRK")
    made = archive_next(kit.engine, kit.folder, Bounds("ALD>BRK", down.epoch, 10, kit.clock.now_ms(), 10), 1)
    assert made is not None
    assert made.facts == 0
    with read(kit.engine) as conn:
        assert verify(conn).findings == ()
        assert conn.execute(select(func.count()).select_from(archive_segment)).scalar_one() == 2
    with kit.journal.work() as tx:  # relayed from the archive
        tx.relay(ids[0], "ALD>CLD")
    with read(kit.engine) as conn:
        assert verify(conn).findings == ()


@pytest.mark.postgres
def test_postgresql_archives_alike(clock: FixedClock, tmp_path: Path, postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    metadata.create_all(engine)
    appliers = Appliers()
    material.register(appliers)
    kit = Kit(Journal("ALD", engine, clock, appliers), clock, tmp_path / "archive")
    kit.create(25)
    before, rows = kit.bodies(), kit.hash()
    assert kit.archive_all() == 2
    assert (kit.in_rows(), kit.bodies()) == (5, before)
    with write(engine) as conn:
        rebuild(conn, appliers, 1)
    with read(engine) as conn:
        assert verify(conn).findings == ()
    assert kit.hash() == rows
    with pytest.raises(DatabaseError, match="append-only"), write(engine) as conn:
        conn.execute(update(fact).values(body=b"", archived_in=1))
    engine.dispose()


def damage(engine: Engine, seq: int) -> None:
    """Flip a bit of an entry's fact beneath the guard, as a bad disk would."""
    with write(engine) as conn:
        guard = conn.execute(text("SELECT sql FROM sqlite_master WHERE name = 'fact_no_update'")).scalar_one()
        conn.execute(text("DROP TRIGGER fact_no_update"))
        conn.execute(
            text(
                "UPDATE fact SET body = CAST(substr(body, 1, 40) || 'X' || substr(body, 42) AS BLOB) WHERE fact_id ="
                " (SELECT fact_id FROM entry WHERE seq = :seq)"
            ),
            {"seq": seq},
        )
        conn.exec_driver_sql(guard)
