"""Loads before they leave: plans, the pieces on them, what their addressee was told.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0025"
down_revision = "shared_0024"
branch_labels = None
depends_on = None
contracts = False  # True when it takes away what code of the release before still uses


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "load_announcement",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("to_plant", sa.String(length=64), nullable=False),
        sa.Column("vehicle", sa.String(length=64), nullable=False),
        sa.Column("eta_ms", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.Text(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("announced_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", name=op.f("pk_load_announcement")),
    )
    with op.batch_alter_table("load_announcement", schema=None) as batch_op:
        batch_op.create_index("ix_load_announcement_recorded", ["author", "recorded_at_ms"], unique=False)
        batch_op.create_index("ix_load_announcement_to_plant", ["to_plant"], unique=False)

    op.create_table(
        "load_piece",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("vehicle", sa.String(length=64), nullable=False),
        sa.Column("position", sa.String(length=64), nullable=False),
        sa.Column("loaded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("loaded_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", "material_id", name=op.f("pk_load_piece")),
    )
    with op.batch_alter_table("load_piece", schema=None) as batch_op:
        batch_op.create_index("ix_load_piece_material_id", ["material_id"], unique=False)

    op.create_table(
        "load_plan",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("to_plant", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=64), nullable=False),
        sa.Column("vehicle", sa.String(length=64), nullable=False),
        sa.Column("vehicles", sa.Text(), nullable=False),
        sa.Column("eta_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("planned_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", name=op.f("pk_load_plan")),
    )
    with op.batch_alter_table("load_plan", schema=None) as batch_op:
        batch_op.create_index("ix_load_plan_number", ["number"], unique=False)
        batch_op.create_index("ix_load_plan_state", ["author", "state"], unique=False)


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
