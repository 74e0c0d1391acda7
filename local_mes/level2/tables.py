"""What the plant's process knows of the spool: how far it has read, what waits, what is to be mended or told. All local."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, local_table

spool_position = local_table(
    "spool_position",
    Column("spool", Id, primary_key=True),
    Column("spool_id", Int, nullable=False),
)

spool_waiting = local_table(
    "spool_waiting",
    Column("spool", Id, primary_key=True),
    Column("spool_id", Int, primary_key=True, autoincrement=False),
    Column("link", Code, nullable=False),
    Column("message", Code, nullable=False),
    Column("received_ms", Int, nullable=False),
    Column("reason", Words, nullable=False),
)

outbox = local_table(
    # what committed transactions want told to Level 2, until the spool holds it
    "level2_outbox",
    # the cause that asked for it, as in the spool's own queue
    Column("key", Code, primary_key=True),
    Column("ordinal", Int, nullable=False),
    Column("link", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("message", Code, nullable=False),
    Column("fields", Words, nullable=False),
)

repair = local_table(
    "repair",
    Column("repair_id", Id, primary_key=True),
    Column("spool", Id, nullable=False),
    Column("spool_id", Int, nullable=False),
    Column("link", Code, nullable=False),
    Column("message", Code, nullable=False),
    Column("claimed", Code, nullable=False),
    Column("received_ms", Int, nullable=False),
    # open, mended or dismissed
    Column("state", Code, nullable=False),
    Column("reason", Words, nullable=False),
    # the field at fault, such as slabs[2].width_mm; empty when it is the message as a whole
    Column("field", Words, nullable=False),
    # as received, and as last mended
    Column("fields", Words, nullable=False),
    Column("mended", Words, nullable=False),
    Column("opened_ms", Int, nullable=False),
    Column("closed_ms", Int),
    Column("closed_by", Code),
    Column("note", Words, nullable=False),
    Index("ix_repair_state", "state", "received_ms"),
)
