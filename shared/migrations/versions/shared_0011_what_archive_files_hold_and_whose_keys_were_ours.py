"""What an archive file holds, whoever packed it; and keys of which one person said that they were this node's.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0011"
down_revision = "shared_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward: two new tables; files that are listed already get their row when they are made again."""
    op.create_table(
        "archive_content",
        sa.Column("segment", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("segment", name=op.f("pk_archive_content")),
    )
    op.create_table(
        "sync_own_key_proposal",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("proposed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_sync_own_key_proposal")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("sync_own_key_proposal")
    op.drop_table("archive_content")
