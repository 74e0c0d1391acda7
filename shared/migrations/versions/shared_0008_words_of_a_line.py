"""What a side says of a line beside sending it and taking it in.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0008"
down_revision = "shared_0007"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_transfer_word_kind": ["kind"],
    "ix_transfer_word_line": ["shipment_id", "material_id"],
    "ix_transfer_word_material_id": ["material_id"],
    "ix_transfer_word_recorded": ["author", "recorded_at_ms"],
}


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "transfer_word",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("custody_no", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("said_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_transfer_word")),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "transfer_word", columns)


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
