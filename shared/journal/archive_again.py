"""Making a lost or damaged archive file again from the bytes of its facts, wherever they come from.

Nothing needs to be believed: every fact is proved by the chain. The file need not be the same to the byte, for another
release may pack otherwise: from then on it is proved by the hash of what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from shared.db.upsert import upsert
from shared.errors import Refused
from shared.journal.archived import Segment, archive_folder, segments
from shared.journal.chain import next_hash
from shared.journal.reading import hash_at
from shared.journal.segment_file import ArchiveDamaged, digest, frame, pack, read_segment
from shared.journal.tables import archive_content, entry, fact
from shared.storage import write_durably


@dataclass(frozen=True)
class Filed:
    """An entry whose fact's bytes a segment's file holds, with what proves them."""

    stream: str
    epoch: str
    seq: int
    fact_id: str
    previous: str
    hash: str
    segment: int

    def proves(self, body: bytes) -> bool:
        """Whether these are the bytes that were chained."""
        return self.hash == next_hash(self.epoch, self.stream, self.seq, self.previous, body)


def damaged_segments(conn: Connection) -> list[Segment]:
    """Listed segments whose file is missing or is not what was listed."""
    return [segment for segment in segments(conn) if not is_sound(archive_folder(conn), segment)]


def is_sound(folder: Path, segment: Segment) -> bool:
    """Whether a segment's file is what was listed."""
    try:
        read_segment(folder / segment.file, segment.sha256, segment.holds)
    except ArchiveDamaged:
        return False
    return True


def filed_in(conn: Connection, segment: Segment) -> list[Filed]:
    """What the segment's file holds, in its order."""
    query = (
        select(entry.c.seq, entry.c.hash, entry.c.fact_id)
        .join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
        .where(entry.c.stream == segment.stream, entry.c.epoch == segment.epoch)
        .where(entry.c.seq.between(segment.first, segment.last), fact.c.archived_in == segment.segment)
        .order_by(entry.c.seq)
    )
    return [
        Filed(
            segment.stream,
            segment.epoch,
            row.seq,
            row.fact_id,
            hash_at(conn, segment.stream, segment.epoch, row.seq - 1) or "",
            row.hash,
            segment.segment,
        )
        for row in conn.execute(query)
    ]


def find_filed(conn: Connection, stream: str, epoch: str, seq: int) -> tuple[Segment, Filed] | None:
    """The segment that holds an entry's bytes, and the entry's part of it; None where its bytes are in its row."""
    query = (
        select(fact.c.archived_in, fact.c.fact_id, entry.c.hash)
        .join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
        .where(entry.c.stream == stream, entry.c.epoch == epoch, entry.c.seq == seq, fact.c.archived_in.is_not(None))
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    segment = next(s for s in segments(conn) if s.segment == row.archived_in)
    previous = hash_at(conn, stream, epoch, seq - 1) or ""
    return segment, Filed(stream, epoch, seq, row.fact_id, previous, row.hash, row.archived_in)


def put_file_back(conn: Connection, segment: Segment, bodies: Mapping[str, bytes]) -> None:
    """Write a segment's file from its facts' bytes (id -> bytes), proved one by one. Refused when one is missing."""
    wanted = filed_in(conn, segment)
    if len(wanted) != segment.facts or any(not item.proves(bodies.get(item.fact_id, b"")) for item in wanted):
        raise _incomplete(segment)
    framed = frame((item.fact_id, bodies[item.fact_id]) for item in wanted)
    upsert(conn, archive_content, [{"segment": segment.segment, "sha256": digest(framed)}])
    folder = archive_folder(conn)
    folder.mkdir(mode=0o700, exist_ok=True)
    write_durably(folder / segment.file, pack(framed))
    read_segment(folder / segment.file, segment.sha256, digest(framed))


def _incomplete(segment: Segment) -> Refused:
    return Refused(
        "archive.not_made_again",
        f"The archive file {segment.file} cannot be made again: not all of its facts are there.",
        kept="Nothing was changed; everything else in the journal can still be read.",
        todo="Put the file back from a backup of the archive folder.",
    )
