"""Cases that are opened again or due by a standard of the group, who drives a load, what a sender is told of receipts.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0027"
down_revision = "shared_0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward: five columns with defaults and a table; facts recorded before say none of it."""
    op.create_table(
        "told_receipt",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=False),
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("own_number", sa.String(length=64), nullable=False),
        sa.Column("custody_no", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", "material_id", name=op.f("pk_told_receipt")),
    )
    op.create_index("ix_told_receipt_material_id", "told_receipt", ["material_id"])
    op.add_column("transfer_case", sa.Column("due_at_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("transfer_case", sa.Column("reopened", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("case_word", sa.Column("reopened", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("shipment", sa.Column("carrier", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("load_plan", sa.Column("carrier", sa.String(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
