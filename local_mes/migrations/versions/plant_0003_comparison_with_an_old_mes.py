"""What the daily comparison with an old MES keeps.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "plant_0003"
down_revision = "plant_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "pilot_file",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=64), nullable=False),
        sa.Column("read_ms", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pilot_file")),
    )
    numbers = ("imported_ms", "compared_ms", "theirs", "ours", "same", "missing_here", "missing_there", "differing")
    op.create_table(
        "pilot_day",
        sa.Column("day", sa.String(length=64), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in (*numbers, "problems")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_pilot_day")),
    )
    op.create_table(
        "pilot_piece",
        sa.Column("day", sa.String(length=64), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", "line", name=op.f("pk_pilot_piece")),
    )
    op.create_index("ix_pilot_piece_number", "pilot_piece", ["number", "day"])
    op.create_table(
        "pilot_difference",
        sa.Column("day", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("repair_id", sa.String(length=32), nullable=True),
        sa.Column("spool_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("day", "number", "field", name=op.f("pk_pilot_difference")),
    )


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
