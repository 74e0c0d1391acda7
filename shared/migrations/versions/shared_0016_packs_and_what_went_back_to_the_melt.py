"""Packs with their members, and pieces that went back to the melt shop.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0016"
down_revision = "shared_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "pack_member",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("pack_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("packed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("author", "pack_id", "material_id", name=op.f("pk_pack_member")),
    )
    op.create_index("ix_pack_member_material_id", "pack_member", ["material_id"])
    op.create_table(
        "remelted",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("bay", sa.String(length=64), nullable=False),
        sa.Column("scrap_grade", sa.String(length=64), nullable=False),
        sa.Column("chemistry", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_remelted")),
    )
    op.create_index("ix_remelted_material_id", "remelted", ["material_id"])
    op.create_index("ix_remelted_bay", "remelted", ["author", "bay", "at_ms"])


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
