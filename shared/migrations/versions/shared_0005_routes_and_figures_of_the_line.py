"""Figures of the line, sights, and what people say to an incident.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "shared_0005"
down_revision = "shared_0004"
branch_labels = None
depends_on = None

COUNTS = (
    *("watched_ms", "up_ms", "calls", "failed", "latency_sum_us", "latency_count", "latency_max_us"),
    *(
        "bytes_up",
        "bytes_down",
        "bulk_bytes",
        "bulk_ms",
        "backlog",
        "backlog_bytes",
        "oldest_age_ms",
        "disk_free_bytes",
    ),
)


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("sync_link", sa.Column("floor_ms", sa.BigInteger(), nullable=False, server_default="0"))
    for column in (
        sa.Column("level", sa.String(length=64), nullable=False, server_default="alarm"),
        sa.Column("evidence", sa.Text(), nullable=False, server_default=""),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("acknowledged_ms", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.String(length=64)),
        sa.Column("note", sa.Text()),
    ):
        op.add_column("sync_incident", column)
    _make_sights()
    _make_figures()


def _make_sights() -> None:
    op.create_table(
        "sync_sight",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_sync_sight")),
    )


def _make_figures() -> None:
    op.create_table(
        "sync_figure",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("grain_s", sa.BigInteger(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("peer", "route", "grain_s", "from_ms", name=op.f("pk_sync_figure")),
    )
    op.create_index("ix_sync_figure_grain_s", "sync_figure", ["grain_s", "from_ms"], unique=False)
