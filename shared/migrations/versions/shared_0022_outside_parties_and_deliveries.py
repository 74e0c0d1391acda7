"""Customers and processors, what orders demand, delivery notes, and what outside parties say.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0022"
down_revision = "shared_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward: new tables."""
    op.create_table(
        "party",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("agreed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "code", name=op.f("pk_party")),
    )
    op.create_table(
        "order_terms",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("mass_basis", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("packed", sa.Boolean(), nullable=False),
        sa.Column("tolerance_ppm", sa.BigInteger(), nullable=False),
        sa.Column("agreed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "item", name=op.f("pk_order_terms")),
    )
    op.create_table(
        "delivery",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("note_number", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("party_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("left_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", name=op.f("pk_delivery")),
    )
    op.create_index("ix_delivery_note_number", "delivery", ["note_number"])
    op.create_table(
        "delivery_line",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("order_item", sa.String(length=64), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("mass_basis", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("left_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", "material_id", name=op.f("pk_delivery_line")),
    )
    op.create_index("ix_delivery_line_order_item", "delivery_line", ["order_item"])
    op.create_table(
        "party_word",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("statement_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("custody_no", sa.BigInteger(), nullable=False),
        sa.Column("printed_number", sa.String(length=64), nullable=False),
        sa.Column("own_number", sa.String(length=64), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("mass_basis", sa.String(length=64), nullable=False),
        sa.Column("scale", sa.String(length=64), nullable=False),
        sa.Column("damage", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("way", sa.String(length=64), nullable=False),
        sa.Column("said_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", "material_id", name=op.f("pk_party_word")),
    )
    op.create_index("ix_party_word_line", "party_word", ["shipment_id", "material_id"])
    op.create_index("ix_party_word_material_id", "party_word", ["material_id"])
    op.create_index("ix_party_word_recorded", "party_word", ["author", "recorded_at_ms"])


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
