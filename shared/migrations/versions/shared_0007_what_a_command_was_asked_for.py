"""What a command was asked for.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0007"
down_revision = "shared_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Commands of before are bound to nothing: they are answered as they were."""
    op.add_column("command", sa.Column("asked", sa.String(length=32), nullable=False, server_default=""))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column("command", "asked")
