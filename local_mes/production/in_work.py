"""What is inside a line now: what its Level 2 has told of a piece until the step is done. Local, never facts.

A step's messages come one by one; the fact about the step is recorded when it is complete. Written in the transaction
that moves the spool position, so a crash neither loses nor doubles a message. A rebuild of the tables leaves it alone.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, delete, select

from shared.db.types import Code, Int, Words, local_table
from shared.db.upsert import upsert

in_work = local_table(
    "in_work",
    Column("line", Code, primary_key=True),
    Column("key", Code, primary_key=True),
    Column("entered_ms", Int, nullable=False),
    Column("told", Words, nullable=False),
)

Told = dict[str, Any]
_MATERIAL_ID = re.compile(r"[0-9a-f]{32}")
"""Other keys are the line's own: its running clock, slits that wait for the rest of their set."""


def find_told(conn: Connection, line: str, key: str) -> Told | None:
    """What was told so far, or None when nothing was."""
    text = conn.execute(select(in_work.c.told).where(in_work.c.line == line, in_work.c.key == key)).scalar()
    return None if text is None else msgspec.json.decode(text, type=dict[str, Any])


def all_told(conn: Connection, line: str, prefix: str = "") -> dict[str, Told]:
    """Everything inside a line by key, oldest first."""
    rows = conn.execute(select(in_work).where(in_work.c.line == line).order_by(in_work.c.entered_ms, in_work.c.key))
    return {row.key: msgspec.json.decode(row.told, type=dict[str, Any]) for row in rows if row.key.startswith(prefix)}


def pieces_in(conn: Connection, line: str) -> list[str]:
    """Material ids of the pieces inside a line, oldest first."""
    return [key for key in all_told(conn, line) if _MATERIAL_ID.fullmatch(key)]


def tell(conn: Connection, line: str, key: str, at_ms: int, **more: Any) -> Told:
    """Add to what is known; returns all of it."""
    told = (find_told(conn, line, key) or {}) | more
    text = msgspec.json.encode(told, order="deterministic").decode()
    upsert(conn, in_work, [{"line": line, "key": key, "entered_ms": at_ms, "told": text}], update=["told"])
    return told


def forget(conn: Connection, line: str, key: str) -> None:
    """The step is done, or the piece is out."""
    conn.execute(delete(in_work).where(in_work.c.line == line, in_work.c.key == key))
