"""What a recovery needs and leaves.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.db.append_only import drop_statements, statements

Kind = sa.types.TypeEngine[Any]

revision = "shared_0002"
down_revision = "shared_0001"
branch_labels = None
depends_on = None

GIVEN_UP_FACT = "EXISTS (SELECT 1 FROM entry_abandoned a WHERE a.fact_id = OLD.fact_id AND a.body = OLD.body)"
GIVEN_UP_ENTRY = """
  EXISTS (
    SELECT 1 FROM entry_abandoned a
    WHERE a.stream = OLD.stream AND a.epoch = OLD.epoch AND a.seq = OLD.seq AND a.hash = OLD.hash)
"""
CODE, ID, HASH, INT, BYTES = sa.String(64), sa.String(32), sa.String(64), sa.BigInteger(), sa.LargeBinary()


def upgrade() -> None:
    """A table for branches given up, the guards that let only them go, and seven tables of what peers said and sent."""
    _table(
        "entry_abandoned",
        {"stream": CODE, "epoch": ID, "seq": INT, "hash": HASH},
        {"fact_id": ID, "body": BYTES, "fate": CODE, "at_ms": INT},
    )
    op.create_index("ix_entry_abandoned_fact_id", "entry_abandoned", ["fact_id"])
    _table(
        "sync_staged",
        {"stream": CODE, "epoch": ID, "first": INT},
        {"last": INT, "head": HASH, "body": BYTES, "at_ms": INT},
    )
    _table("sync_mark", {"peer": CODE, "name": CODE}, {"value": INT, "at_ms": INT})
    _table("sync_key", {"node": CODE, "key_id": CODE}, {"public_key": BYTES, "since_ms": INT})
    _table("sync_visit", {"peer": CODE, "number": INT}, {"boot": ID, "instance": ID, "at_ms": INT})
    _table("sync_accepted", {"stream": CODE, "epoch": ID}, {"hash": HASH, "at_ms": INT})
    _table("sync_lost", {"stream": CODE, "epoch": ID, "first": INT}, {"last": INT, "held_by": CODE, "at_ms": INT})
    dialect = op.get_context().dialect.name
    guards = [
        *drop_statements("fact", dialect),
        *statements("fact", dialect, lets_go=GIVEN_UP_FACT),
        *drop_statements("entry", dialect),
        *statements("entry", dialect, lets_go=GIVEN_UP_ENTRY),
        *statements("entry_abandoned", dialect),
    ]
    for statement in guards:
        op.execute(sa.text(statement))


def _table(name: str, key: dict[str, Kind], rest: dict[str, Kind]) -> None:
    columns = [sa.Column(column, kind, nullable=False) for column, kind in (key | rest).items()]
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")))
