"""Which bundles this node wrote and read: for people, and to know an old word of a peer from its latest."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, local_table

bundle = local_table(
    "sync_bundle",
    Column("bundle", Id, primary_key=True),
    # out | in
    Column("way", Code, primary_key=True),
    # the order in which this node came to know them
    Column("number", Int, nullable=False),
    Column("peer", Code, nullable=False),
    # of the node that wrote it
    Column("incarnation", Id, nullable=False),
    Column("made_ms", Int, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("entries", Int, nullable=False),
    Column("new_entries", Int, nullable=False),
    Column("bytes", Int, nullable=False),
    # whole | cut (the file ended early) | gap | fork | superseded (what the chain said where it stopped)
    Column("outcome", Code, nullable=False),
    Index("ix_sync_bundle_peer", "peer", "number"),
)
