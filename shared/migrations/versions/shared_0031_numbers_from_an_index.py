"""The numbers of a piece, oldest first, are read from an index alone: every piece of a trace asks for them.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

from alembic import op

revision = "shared_0031"
down_revision = "shared_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward. The index that had the piece alone answers nothing that the new one does not."""
    op.create_index("ix_alias_of_piece", "alias", ["material_id", "given_at_ms", "value"])
    op.drop_index("ix_alias_material_id", "alias")


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
