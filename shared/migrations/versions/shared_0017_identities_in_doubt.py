"""Sets of pieces that are not certain of themselves, with their candidates.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0017"
down_revision = "shared_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "identity_set",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("set_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("doubted_by", sa.String(length=64), nullable=False),
        sa.Column("doubted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.String(length=64), nullable=False),
        sa.Column("resolved_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("author", "set_id", name=op.f("pk_identity_set")),
    )
    op.create_index("ix_identity_set_state", "identity_set", ["author", "state"])
    op.create_table(
        "identity_candidate",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("set_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("truly", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("author", "set_id", "material_id", name=op.f("pk_identity_candidate")),
    )
    op.create_index("ix_identity_candidate_material_id", "identity_candidate", ["material_id"])


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
