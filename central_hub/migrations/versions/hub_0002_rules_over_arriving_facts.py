"""How far the group's rules were asked, and what counted for them lately.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "hub_0002"
down_revision = "hub_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "group_rule_asked",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("joined", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "epoch", name=op.f("pk_group_rule_asked")),
    )
    op.create_table(
        "group_rule_hit",
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("plant", sa.String(length=64), nullable=False),
        sa.Column("piece", sa.String(length=64), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "fact_id", name=op.f("pk_group_rule_hit")),
    )
    op.create_index("ix_group_rule_hit_window", "group_rule_hit", ["rule", "key", "at_ms"])
    op.create_index("ix_group_rule_hit_at", "group_rule_hit", ["at_ms"])


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
