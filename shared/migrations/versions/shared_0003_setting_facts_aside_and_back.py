"""Setting facts aside and back.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.

The old table of subject heads stays for older code; nothing here writes it any more.
"""

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "shared_0003"
down_revision = "shared_0002"
branch_labels = None
depends_on = None

FACTS_AT_ONCE = 5_000


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "author_subject_head",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "subject", name=op.f("pk_author_subject_head")),
    )
    op.create_table(
        "contested",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=32), nullable=True),
        sa.Column("head", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_contested")),
    )
    op.create_table(
        "discarded",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("of", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("confirmed_by", sa.String(length=64), nullable=False),
        sa.Column("discarded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "of", "fact_id", name=op.f("pk_discarded")),
    )
    op.create_table(
        "discard_proposal",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("proposed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_discard_proposal")),
    )
    op.create_table(
        "apply_stop",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("tried", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("author", name=op.f("pk_apply_stop")),
    )
    op.create_table(
        "sync_understanding",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("oldest_proto", sa.BigInteger(), nullable=False),
        sa.Column("proto", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_sync_understanding")),
    )
    with op.batch_alter_table("blocked_subject", schema=None) as batch_op:
        batch_op.create_index("ix_blocked_subject_stream_epoch_seq", ["stream", "epoch", "seq"], unique=False)
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index("ix_quarantine_fact_id", ["fact_id"], unique=False)
    _fill_heads(op.get_bind())


class _Subject(msgspec.Struct):
    id: str


class _Envelope(msgspec.Struct):
    subjects: list[_Subject]


def _fill_heads(conn: sa.Connection) -> None:
    """Read each author's own stream in order: its last applied fact about each subject is the head."""
    epochs = conn.execute(sa.text("SELECT stream, epoch FROM epoch ORDER BY stream, ordinal")).all()
    put = sa.text(
        "INSERT INTO author_subject_head (author, subject, fact_id) VALUES (:author, :subject, :fact_id)"
        " ON CONFLICT (author, subject) DO UPDATE SET fact_id = excluded.fact_id"
    )
    for stream, epoch in epochs:
        seq = 0
        while ">" not in stream and (facts := _facts_after(conn, stream, epoch, seq)):
            seq = facts[-1].seq
            heads = {subject: fact.fact_id for fact in facts for subject in _subjects(bytes(fact.body))}
            if heads:
                conn.execute(put, [{"author": stream, "subject": s, "fact_id": i} for s, i in heads.items()])


def _facts_after(conn: sa.Connection, stream: str, epoch: str, seq: int) -> list[sa.Row[Any]]:
    query = sa.text(
        "SELECT entry.seq, fact.fact_id, fact.body FROM entry"
        " JOIN fact ON fact.fact_id = entry.fact_id"
        " JOIN applied ON applied.author = fact.author AND applied.fact_id = fact.fact_id"
        " WHERE entry.stream = :stream AND entry.epoch = :epoch AND entry.seq > :seq AND fact.author = :stream"
        " ORDER BY entry.seq LIMIT :most"
    )
    return list(conn.execute(query, {"stream": stream, "epoch": epoch, "seq": seq, "most": FACTS_AT_ONCE}))


def _subjects(body: bytes) -> list[str]:
    return [subject.id for subject in msgspec.json.decode(body, type=_Envelope).subjects]
