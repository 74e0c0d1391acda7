"""On PostgreSQL entries are checked against their facts once a statement, not once a row.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

from shared.db.reference import drop_statements, statements

revision = "shared_0009"
down_revision = "shared_0008"
branch_labels = None
depends_on = None

KEY = "fk_entry_fact_id"


def upgrade() -> None:
    """The trigger takes the place of the foreign key; SQLite keeps its key."""
    if op.get_context().dialect.name != "postgresql":
        return
    for statement in statements("entry", "fact", "fact_id"):
        op.execute(sa.text(statement))
    op.drop_constraint(KEY, "entry", type_="foreignkey")


def downgrade() -> None:
    """Take the schema back."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.create_foreign_key(KEY, "entry", "fact", ["fact_id"], ["fact_id"])
    for statement in drop_statements("entry", "fact"):
        op.execute(sa.text(statement))
