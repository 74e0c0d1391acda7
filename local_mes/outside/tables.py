"""Local tables of outside parties: what they prove themselves by, what they sent, links to single loads."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, local_table

party_token = local_table(
    "party_token",
    Column("token_id", Id, primary_key=True),
    Column("party", Code, nullable=False),
    Column("title", Words, nullable=False),
    Column("secret_hash", Code, nullable=False),  # SHA-256 of 192 random bits
    Column("created_at_ms", Int, nullable=False),
    Column("created_by", Code, nullable=False),
    Column("revoked_at_ms", Int),
    Index("ix_party_token_party", "party"),
)

party_event = local_table(
    # each event that a party sent, once by its id: recorded, or on the work-list until a person settled it
    "party_event",
    Column("party", Code, primary_key=True),
    Column("event_key", Code, primary_key=True),  # SHA-256 of the event's id, which may be long
    Column("event_id", Words, nullable=False),
    Column("statement_id", Id, nullable=False),
    Column("digest", Code, nullable=False),  # of what it says: the same id with other content is another event
    Column("way", Code, nullable=False),  # epcis | csv | link | x12
    Column("state", Code, nullable=False),  # done | open | dropped
    Column("kind", Code, nullable=False),
    Column("reason", Words, nullable=False),  # why it is open; the note of who dropped it
    Column("statement", Words, nullable=False),  # JSON of what it says, as it was understood
    Column("received_at_ms", Int, nullable=False),
    Column("settled_at_ms", Int),
    Column("settled_by", Code, nullable=False),
    Index("ix_party_event_state", "state", "received_at_ms"),
    Index("ix_party_event_statement_id", "statement_id"),
)

load_link = local_table(
    # a signed address under which one load can be confirmed; the signature is not kept
    "load_link",
    Column("link_id", Id, primary_key=True),
    Column("party", Code, nullable=False),
    Column("shipment_id", Id, nullable=False),
    Column("created_at_ms", Int, nullable=False),
    Column("created_by", Code, nullable=False),
    Column("expires_at_ms", Int, nullable=False),
    Column("revoked_at_ms", Int),
    Column("opened_at_ms", Int),
    Column("said_by", Words, nullable=False),  # the name typed at the other end: here and in no fact
    Index("ix_load_link_shipment_id", "shipment_id"),
)
