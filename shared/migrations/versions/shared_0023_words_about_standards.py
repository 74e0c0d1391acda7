"""What plants propose to the group, what the office answers, and what people say of a version.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0023"
down_revision = "shared_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "standard_proposal",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("proposal_id", sa.String(length=32), nullable=False),
        sa.Column("standard_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("parameter", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "proposal_id", name=op.f("pk_standard_proposal")),
    )
    op.create_table(
        "standard_proposal_answer",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("proposal_id", sa.String(length=32), nullable=False),
        sa.Column("plant", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "proposal_id", name=op.f("pk_standard_proposal_answer")),
    )
    op.create_table(
        "standard_comment",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("comment_id", sa.String(length=32), nullable=False),
        sa.Column("standard_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", sa.Text(), nullable=False),
        sa.Column("said_by", sa.String(length=64), nullable=False),
        sa.Column("said_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "comment_id", name=op.f("pk_standard_comment")),
    )
    op.create_index("ix_standard_comment_version", "standard_comment", ["author", "standard_id", "version"])


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
