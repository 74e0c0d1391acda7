"""What devices put on pieces, and vehicles that were weighed.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0010"
down_revision = "shared_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "piece_label",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("label_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("means", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("read", sa.Text(), nullable=False),
        sa.Column("copies", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "label_id", name=op.f("pk_piece_label")),
    )
    op.create_index("ix_piece_label_material_id", "piece_label", ["material_id"])
    op.create_table(
        "vehicle_weighing",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("weighing_id", sa.String(length=32), nullable=False),
        sa.Column("ticket", sa.String(length=64), nullable=False),
        sa.Column("vehicle", sa.String(length=64), nullable=False),
        sa.Column("gross_g", sa.BigInteger(), nullable=False),
        sa.Column("tare_g", sa.BigInteger(), nullable=False),
        sa.Column("net_g", sa.BigInteger(), nullable=False),
        sa.Column("gross_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("tare_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.String(length=64), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("weighed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "weighing_id", name=op.f("pk_vehicle_weighing")),
    )
    op.create_index("ix_vehicle_weighing_at", "vehicle_weighing", ["author", "weighed_at_ms"])
    op.create_index("ix_vehicle_weighing_ticket", "vehicle_weighing", ["ticket"])


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
