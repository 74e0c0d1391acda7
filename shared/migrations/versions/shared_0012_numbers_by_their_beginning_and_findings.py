"""Numbers found by their beginning whatever the database's language, and findings by their id and kind.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0012"
down_revision = "shared_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward. SQLite orders texts by their bytes already: there the old index serves."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_alias_value_bytes", "alias", [sa.text('value COLLATE "C"')])
    op.create_index("ix_mark_mark_id", "mark", ["mark_id"])
    op.create_index("ix_mark_kind", "mark", ["kind", "placed_at_ms"])


def downgrade() -> None:
    """Take the schema back."""
    op.drop_index("ix_mark_kind", "mark")
    op.drop_index("ix_mark_mark_id", "mark")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_alias_value_bytes", "alias")
