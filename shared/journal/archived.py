"""Where a fact's bytes are: in its row, or in a listed file of the archive. The one way to them for all readers.

The folder of the files is an option of the engine (`use_archive`), so that whoever holds a connection can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from shared.errors import BadSetup
from shared.journal.segment_file import ArchiveDamaged, recent_segment
from shared.journal.tables import archive_content, archive_segment, fact

OPTION = "archive_folder"
IDS_A_QUERY = 500


@dataclass(frozen=True)
class Segment:
    """A listed file and the run of entries whose facts' bytes it holds; `sha256` is of the file, `holds` of what is in
    it, unpacked ('' where that was never proved)."""

    segment: int
    stream: str
    epoch: str
    first: int
    last: int
    facts: int
    file: str
    sha256: str
    raw_bytes: int
    verified_at_ms: int
    holds: str = ""


def use_archive(engine: Engine, folder: Path) -> None:
    """Let every connection of this engine find the archive's files."""
    engine.update_execution_options(**{OPTION: folder})


def archive_folder(conn: Connection) -> Path:
    """The folder of the files. BadSetup on an engine that was given none."""
    folder = conn.get_execution_options().get(OPTION)
    if folder is None:
        raise BadSetup("archive.no_folder", "Facts of this journal are archived, and no archive folder is known here.")
    return Path(folder)


def segments(conn: Connection) -> list[Segment]:
    """All listed segments, by stream, epoch and place."""
    order = (archive_segment.c.stream, archive_segment.c.epoch, archive_segment.c.first, archive_segment.c.segment)
    holds = func.coalesce(archive_content.c.sha256, "").label("holds")
    with_content = archive_content.c.segment == archive_segment.c.segment
    query = select(archive_segment, holds).join_from(archive_segment, archive_content, with_content, isouter=True)
    return [Segment(**row) for row in conn.execute(query.order_by(*order)).mappings()]


def list_segment(conn: Connection, made: Segment) -> None:
    """List a file that was written and read back."""
    row = dict(vars(made))
    conn.execute(insert(archive_content).values(segment=made.segment, sha256=row.pop("holds")))
    conn.execute(insert(archive_segment).values(row))


def whole_bodies(conn: Connection, rows: Sequence[Any]) -> list[bytes]:
    """The bytes of facts, for rows that have a fact_id and end with body and archived_in.

    ArchiveDamaged names a file that is not right.
    """
    places = {row[-1] for row in rows}
    if places <= {None}:
        return [row[-2] for row in rows]
    files = {place: _open(conn, place) for place in sorted(places - {None})}
    return [row.body if row.archived_in is None else files[row.archived_in][row.fact_id] for row in rows]


def bodies_of(conn: Connection, fact_ids: Iterable[str]) -> dict[str, bytes]:
    """The bytes of those of these facts that are held here."""
    found: dict[str, bytes] = {}
    ids = list(fact_ids)
    for at in range(0, len(ids), IDS_A_QUERY):
        query = select(fact.c.fact_id, fact.c.body, fact.c.archived_in)
        rows = conn.execute(query.where(fact.c.fact_id.in_(ids[at : at + IDS_A_QUERY]))).all()
        found |= dict(zip((row.fact_id for row in rows), whole_bodies(conn, rows), strict=True))
    return found


def _open(conn: Connection, place: int) -> Mapping[str, bytes]:
    c = archive_segment.c
    row = conn.execute(select(c.file, c.sha256).where(c.segment == place)).first()
    if row is None:
        raise ArchiveDamaged("archive.unlisted", f"Archive segment {place} is named by a fact and listed nowhere.")
    holds = conn.execute(select(archive_content.c.sha256).where(archive_content.c.segment == place)).scalar()
    return recent_segment(archive_folder(conn) / row.file, row.sha256, holds or "")
