"""Who owns a domain of a plant, what the centre decided in its own, and what the plant did with it.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0034"
down_revision = "shared_0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "domain_owner",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "domain", name=op.f("pk_domain_owner")),
    )
    op.create_table(
        "sent_down",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("sent_id", sa.String(length=32), nullable=False),
        sa.Column("plant", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.String(length=64), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "sent_id", name=op.f("pk_sent_down")),
    )
    op.create_index("ix_sent_down_plant", "sent_down", ["plant", "sent_ms"])
    op.create_table(
        "sent_down_answer",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("sent_id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "sent_id", name=op.f("pk_sent_down_answer")),
    )


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
