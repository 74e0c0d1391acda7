"""Who opened a session stands beside it until it is first used: a hub of several processes may be asked at any of them.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0032"
down_revision = "shared_0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward: one column with a default; sessions that are open were looked at before."""
    op.add_column("sync_session", sa.Column("boot", sa.String(length=32), nullable=False, server_default=""))


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
