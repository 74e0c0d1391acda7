"""Archive of closed segments, and what ran at night.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

from shared.db.append_only import drop_statements, statements

revision = "shared_0004"
down_revision = "shared_0003"
branch_labels = None
depends_on = None

ARCHIVED = """
  OLD.archived_in IS NULL AND NEW.archived_in IS NOT NULL AND length(NEW.body) = 0
  AND NEW.fact_id = OLD.fact_id AND NEW.type = OLD.type AND NEW.version = OLD.version
  AND NEW.author = OLD.author AND NEW.recorded_at_ms = OLD.recorded_at_ms
  AND EXISTS (
    SELECT 1 FROM archive_segment s
    JOIN entry e ON e.stream = s.stream AND e.epoch = s.epoch AND e.seq BETWEEN s.first AND s.last
    WHERE s.segment = NEW.archived_in AND e.fact_id = NEW.fact_id)
"""


GIVEN_UP = """
  EXISTS (
    SELECT 1 FROM entry_abandoned a
    WHERE a.fact_id = OLD.fact_id AND (a.body = OLD.body OR OLD.archived_in IS NOT NULL))
"""


def upgrade() -> None:
    """Three new tables, one new column that may be empty, and a guard of `fact` that lets archived bytes go."""
    op.create_table(
        "archive_segment",
        sa.Column("segment", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("raw_bytes", sa.BigInteger(), nullable=False),
        sa.Column("verified_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("segment", name=op.f("pk_archive_segment")),
    )
    op.create_index("ix_archive_segment_stream", "archive_segment", ["stream", "epoch", "first"])
    op.create_table(
        "sync_nightly",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("well", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_sync_nightly")),
    )
    op.create_table(
        "sync_damage",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("found_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "epoch", "seq", name=op.f("pk_sync_damage")),
    )
    op.add_column("fact", sa.Column("archived_in", sa.BigInteger(), nullable=True))
    dialect = op.get_context().dialect.name
    guards = [*drop_statements("fact", dialect), *statements("fact", dialect, ARCHIVED, GIVEN_UP)]
    for statement in [*guards, *statements("archive_segment", dialect)]:
        op.execute(sa.text(statement))
