"""Passports issued and taken, the plants' keys as the hub lists them, and from where on a key does not count.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0019"
down_revision = "shared_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward: four new tables, and three columns of the keys with defaults."""
    op.add_column("sync_key", sa.Column("revoked_epoch", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("sync_key", sa.Column("revoked_seq", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("sync_key", sa.Column("revoked_ms", sa.BigInteger(), nullable=False, server_default="0"))
    _issued()
    op.create_table(
        "passport_taken",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("custody_no", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "receipt_id", name=op.f("pk_passport_taken")),
    )
    op.create_index("ix_passport_taken_material_id", "passport_taken", ["material_id"])
    op.create_table(
        "plant_key_list",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_plant_key_list")),
    )
    op.create_index("ix_plant_key_list_version", "plant_key_list", ["version"])


def _issued() -> None:
    op.create_table(
        "passport",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("to_plant", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "digest", name=op.f("pk_passport")),
    )
    op.create_index("ix_passport_load", "passport", ["shipment_id", "material_id"])
    op.create_table(
        "passport_missing",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", "material_id", name=op.f("pk_passport_missing")),
    )


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
