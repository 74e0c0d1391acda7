"""The journal's tables: facts apart from their entries (places in a stream), and the state kept beside them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint

from shared.db.append_only import append_only
from shared.db.reference import refers
from shared.db.types import Code, Id, Int, Words, journal_table, local_table

Hash = String(64)

ARCHIVED = """
  OLD.archived_in IS NULL AND NEW.archived_in IS NOT NULL AND length(NEW.body) = 0
  AND NEW.fact_id = OLD.fact_id AND NEW.type = OLD.type AND NEW.version = OLD.version
  AND NEW.author = OLD.author AND NEW.recorded_at_ms = OLD.recorded_at_ms
  AND EXISTS (
    SELECT 1 FROM archive_segment s
    JOIN entry e ON e.stream = s.stream AND e.epoch = s.epoch AND e.seq BETWEEN s.first AND s.last
    WHERE s.segment = NEW.archived_in AND e.fact_id = NEW.fact_id)
"""
"""The only change of a fact's row: its bytes are in a file that was verified and listed, and that covers its entry."""

GIVEN_UP_FACT = """
  EXISTS (
    SELECT 1 FROM entry_abandoned a
    WHERE a.fact_id = OLD.fact_id AND (a.body = OLD.body OR OLD.archived_in IS NOT NULL))
"""
"""A fact's row may go when it stands in a branch that was given up, byte for byte or with its bytes in the archive (and
no entry names it)."""

GIVEN_UP_ENTRY = """
  EXISTS (
    SELECT 1 FROM entry_abandoned a
    WHERE a.stream = OLD.stream AND a.epoch = OLD.epoch AND a.seq = OLD.seq AND a.hash = OLD.hash)
"""
"""An entry may go when it stands in a branch that was given up, under the same hash."""

fact = append_only(
    journal_table(
        "fact",
        Column("fact_id", Id, primary_key=True),
        Column("type", Code, nullable=False),
        Column("version", Int, nullable=False),
        Column("author", Code, nullable=False),
        Column("recorded_at_ms", Int, nullable=False),
        # empty once archived_in names the segment whose file holds the bytes
        Column("body", LargeBinary, nullable=False),
        Column("archived_in", Int),
        Index("ix_fact_type", "type", "recorded_at_ms"),
    ),
    unless=ARCHIVED,
    lets_go=GIVEN_UP_FACT,
)

archive_segment = append_only(
    # files that hold the bytes of a closed run of entries; a row is written after its file was read back and verified
    journal_table(
        "archive_segment",
        Column("segment", Int, primary_key=True, autoincrement=False),
        Column("stream", Code, nullable=False),
        Column("epoch", Id, nullable=False),
        Column("first", Int, nullable=False),
        Column("last", Int, nullable=False),
        Column("facts", Int, nullable=False),
        Column("file", Words, nullable=False),
        Column("sha256", Hash, nullable=False),
        Column("raw_bytes", Int, nullable=False),
        Column("verified_at_ms", Int, nullable=False),
        Index("ix_archive_segment_stream", "stream", "epoch", "first"),
    )
)

archive_content = local_table(
    # SHA-256 of what a listed file holds, unpacked: a release that packs otherwise makes another file of the same facts.
    # A file listed by an older release has its row from when its facts were proved again
    "archive_content",
    Column("segment", Int, primary_key=True, autoincrement=False),
    Column("sha256", Hash, nullable=False),
)

entry = append_only(
    journal_table(
        "entry",
        Column("stream", Code, primary_key=True),
        Column("epoch", Id, primary_key=True),
        Column("seq", Int, primary_key=True),
        Column("hash", Hash, nullable=False),
        Column("fact_id", Id, nullable=False),
        # where a relayed fact stands in its author's own stream; empty for an author's own entry
        Column("origin_stream", Code),
        Column("origin_epoch", Id),
        Column("origin_seq", Int),
        Index("ix_entry_fact_id", "fact_id"),
        ForeignKeyConstraint(["fact_id"], ["fact.fact_id"]).ddl_if(dialect="sqlite"),
    ),
    lets_go=GIVEN_UP_ENTRY,
)
refers(entry, fact, "fact_id")

entry_abandoned = append_only(
    # entries of a branch that a recovery gave up, with their bytes: evidence, and what the guards let go
    journal_table(
        "entry_abandoned",
        Column("stream", Code, primary_key=True),
        Column("epoch", Id, primary_key=True),
        Column("seq", Int, primary_key=True),
        Column("hash", Hash, primary_key=True),
        Column("fact_id", Id, nullable=False),
        Column("body", LargeBinary, nullable=False),
        # carried (given a new place) | known (the fact stands elsewhere) | contradicted (other bytes have its id)
        Column("fate", Code, nullable=False),
        Column("at_ms", Int, nullable=False),
        Index("ix_entry_abandoned_fact_id", "fact_id"),
    )
)

epoch = journal_table(
    "epoch",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("ordinal", Int, nullable=False),
    Column("parent_epoch", Id),
    Column("parent_seq", Int),
    Column("parent_hash", Hash),
    Column("reason", Code, nullable=False),
    Column("opened_at_ms", Int, nullable=False),
    UniqueConstraint("stream", "ordinal"),
)

head = local_table(
    "head",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, nullable=False),
    Column("seq", Int, nullable=False),
    Column("hash", Hash, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
)

applied = local_table(
    "applied",
    Column("author", Code, primary_key=True),
    Column("fact_id", Id, primary_key=True),
)

subject_head = local_table(
    # the last fact of each author about a subject, in that author's order: one stream alone decides it, so that it is
    # the same at the author, at every reader and after a rebuild
    "author_subject_head",
    Column("author", Code, primary_key=True),
    Column("subject", Code, primary_key=True),
    Column("fact_id", Id, nullable=False),
)

contested = local_table(
    # a fact that names a predecessor which another fact of its author had named before, about the same subject
    "contested",
    Column("author", Code, primary_key=True),
    Column("fact_id", Id, primary_key=True),
    Column("subject", Code, nullable=False),
    Column("previous", Id),
    Column("head", Id, nullable=False),
)

command = local_table(
    "command",
    Column("command_id", Code, primary_key=True),
    Column("result", Words, nullable=False),
    Column("done_at_ms", Int, nullable=False),
    Column("asked", Id, nullable=False, server_default=""),
)
