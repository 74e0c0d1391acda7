"""What the two ends of an edge's line keep beside the messages: in the spool's database, in one commit with them."""

from __future__ import annotations

from sqlalchemy import Column, Engine, Index, Table

from local_mes.level2.spool_tables import spool_metadata
from shared.db.types import Code, Id, Int

place = Table(
    # how far the other's stream is taken in
    "edge_place",
    spool_metadata,
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("seq", Int, nullable=False),
)

taken = Table(
    # facts whose effect is here: one may come at two places of the stream after a recovery
    "edge_taken",
    spool_metadata,
    Column("fact_id", Id, primary_key=True),
    Column("at_ms", Int, nullable=False),
)

through = Table(
    # up to when the edge's messages are complete in this spool
    "edge_through",
    spool_metadata,
    Column("edge", Code, primary_key=True),
    Column("through_ms", Int, nullable=False),
)

told = Table(
    # what the edge has told of each order
    "edge_told",
    spool_metadata,
    Column("key", Code, primary_key=True),
    Column("state", Code, nullable=False),
)


given = Table(
    # at the plant: orders given to the edge, by the key between the two (naming.py); open: neither the edge has told
    # their end, nor the plant that it took them back
    "edge_given",
    spool_metadata,
    Column("key", Code, primary_key=True),
    Column("down_id", Int, nullable=False),
    Column("open", Int, nullable=False),
    Index("ix_edge_given_open", "open"),
)


def make_tables(spool: Engine) -> None:
    """Make them where there are none."""
    spool_metadata.create_all(spool, tables=[place, taken, through, told, given])
