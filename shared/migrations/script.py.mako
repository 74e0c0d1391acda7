"""${message[0].upper() + message[1:]}.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

from shared.db.append_only import statements
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
contracts = False  # True when it takes away what code of the release before still uses


def upgrade() -> None:
    """Bring the schema forward."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
