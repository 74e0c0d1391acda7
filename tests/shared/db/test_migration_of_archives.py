"""An archive file that an older release listed stays good after the upgrade, and knows what it holds once made again."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, insert, select, text

import central_hub.wsgi
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.journal.archive_again import damaged_segments, put_file_back
from shared.journal.archived import segments, use_archive
from shared.journal.chain import GENESIS, next_hash
from shared.journal.segment_file import digest, frame, pack
from shared.journal.tables import archive_content

BRANCH = central_hub.wsgi.MIGRATIONS
FACT, EPOCH = "f" * 32, "e" * 32


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A database of the revision before, with one fact whose bytes lie in a listed file."""
    sqlite = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = open_engine(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    use_archive(engine, tmp_path)
    content = pack(frame([(FACT, b"{}")]))
    (tmp_path / "one.sla").write_bytes(content)
    with write(engine) as conn:
        command.upgrade(migrate.configuration(BRANCH, conn), "shared_0009")
        segment = {"e": EPOCH, "sha": digest(content)}
        conn.execute(text("INSERT INTO archive_segment VALUES (1, 'ALD', :e, 1, 1, 1, 'one.sla', :sha, 2, 1)"), segment)
        fact = "INSERT INTO fact (fact_id, type, version, author, recorded_at_ms, body, archived_in)"
        conn.execute(text(f"{fact} VALUES (:f, 'T', 1, 'ALD', 1, :b, 1)"), {"f": FACT, "b": b""})
        place = {"e": EPOCH, "h": next_hash(EPOCH, "ALD", 1, GENESIS, b"{}"), "f": FACT}
        conn.execute(text("INSERT INTO entry (stream, epoch, seq, hash, fact_id) VALUES ('ALD', :e, 1, :h, :f)"), place)
    return engine


def test_a_file_of_before_stays_good_and_may_be_packed_anew(older: Engine, tmp_path: Path) -> None:
    migrate.upgrade(older, BRANCH)
    with write(older) as conn:
        conn.execute(insert(archive_content).values(segment=2, sha256="0" * 64))
        (segment,) = segments(conn)
        assert (segment.holds, damaged_segments(conn)) == ("", [])
        (tmp_path / "one.sla").unlink()
        assert damaged_segments(conn) == [segment]
        put_file_back(conn, segment, {FACT: b"{}"})
    with read(older) as conn:
        (known,) = conn.execute(select(archive_content.c.sha256).where(archive_content.c.segment == 1)).scalars()
        assert known == digest(frame([(FACT, b"{}")]))
        assert damaged_segments(conn) == []
    older.dispose()
