"""How far each epoch of each stream has been applied; moves in the transaction that applies."""

from __future__ import annotations

from sqlalchemy import Column, Connection, bindparam, select, text

from shared.db.types import Code, Id, Int, local_table
from shared.db.upsert import upsert

apply_position = local_table(
    "apply_position",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("seq", Int, nullable=False),
)

_APPLIED_TO = select(apply_position.c.seq).where(
    apply_position.c.stream == bindparam("of"), apply_position.c.epoch == bindparam("in_epoch")
)

APPLYING = 0x73747261
"""Key of the lock under which copied facts are applied."""


def lock_applying(conn: Connection) -> None:
    """Until the end of the transaction nobody else applies or tries again: two at once would each miss what the other
    sets aside. On SQLite a write transaction is alone anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPLYING})


def applied_to(conn: Connection, stream: str, epoch: str) -> int:
    """The last entry of an epoch that was applied or set aside; 0 before the first."""
    return conn.execute(_APPLIED_TO, {"of": stream, "in_epoch": epoch}).scalar() or 0


def move_to(conn: Connection, stream: str, epoch: str, seq: int) -> None:
    """Remember that everything up to seq was applied or set aside."""
    upsert(conn, apply_position, [{"stream": stream, "epoch": epoch, "seq": seq}], update=["seq"])
