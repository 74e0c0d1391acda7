"""The journal's tables: facts apart from their entries (places in a stream), and the state kept beside them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, UniqueConstraint

from shared.db.append_only import append_only
from shared.db.types import Code, Id, Int, Words, journal_table, local_table

Hash = String(64)

fact = append_only(
    journal_table(
        "fact",
        Column("fact_id", Id, primary_key=True),
        Column("type", Code, nullable=False),
        Column("version", Int, nullable=False),
        Column("author", Code, nullable=False),
        Column("recorded_at_ms", Int, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Index("ix_fact_type", "type", "recorded_at_ms"),
    )
)

entry = append_only(
    journal_table(
        "entry",
        Column("stream", Code, primary_key=True),
        Column("epoch", Id, primary_key=True),
        Column("seq", Int, primary_key=True),
        Column("hash", Hash, nullable=False),
        Column("fact_id", Id, ForeignKey("fact.fact_id"), nullable=False),
        # where a relayed fact stands in its author's own stream; empty for an author's own entry
        Column("origin_stream", Code),
        Column("origin_epoch", Id),
        Column("origin_seq", Int),
        Index("ix_entry_fact_id", "fact_id"),
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
    "subject_head",
    Column("subject", Code, primary_key=True),
    Column("fact_id", Id, nullable=False),
)

command = local_table(
    "command",
    Column("command_id", Code, primary_key=True),
    Column("result", Words, nullable=False),
    Column("done_at_ms", Int, nullable=False),
)
