"""Counts that are not closed yet, and files of a take-over that are not recorded yet.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "plant_0004"
down_revision = "plant_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward: two new tables."""
    op.create_table(
        "stock_count",
        sa.Column("take_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("counted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("counted_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("take_id", "number", name=op.f("pk_stock_count")),
    )
    op.create_table(
        "take_over_file",
        sa.Column("take_over_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("handed_in_ms", sa.BigInteger(), nullable=False),
        sa.Column("handed_in_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("take_over_id", "name", name=op.f("pk_take_over_file")),
    )


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
