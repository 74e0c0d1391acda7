"""The lives of a stream as a tree: rows in order of opening, a column to the right for each branch. Pure geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.journal.reading import Life, lives
from shared.journal.tables import epoch
from sync.marks import list_holdings

ROW_H, STEP_X, LEFT, TOP = 34.0, 22.0, 12.0, 16.0

REASONS = {
    "first": "first life",
    "restored": "after a restore",
    "recovered": "after lost history came back",
    "forked": "after two histories met",
    "copied": "as received",
    "returned": "given back by plants",
}
"""Why an epoch was opened, in words; a reason that is not listed is shown as it is."""


@dataclass(frozen=True)
class Twig:
    """One epoch in the picture. held: entries of it that the other side has, None when that is not known here."""

    epoch: str
    ordinal: int
    entries: int
    held: int | None
    opened_ms: int
    reason: str
    parent: str
    parent_seq: int
    x: float
    y: float
    path: str


def read_tree(conn: Connection, stream: str, peer: str = "") -> list[Twig]:
    """The epochs of a stream held here, the oldest first; with what the peer says that it holds of each."""
    held = {state.epoch: state.seq for state in list_holdings(conn, peer, [stream])} if peer else {}
    rows = {row.epoch: row for row in conn.execute(select(epoch).where(epoch.c.stream == stream))}
    drawn: list[Twig] = []
    for life in lives(conn, stream):
        drawn.append(_place(drawn, life, rows[life.epoch], held.get(life.epoch, 0) if peer else None))
    return drawn


def height(twigs: Sequence[Twig]) -> float:
    """Height of the picture."""
    return TOP + ROW_H * len(twigs)


def _place(before: Sequence[Twig], life: Life, row: Row[Any], held: int | None) -> Twig:
    """A first child goes on below its parent, a further one branches off to the right."""
    parent_epoch, parent_seq = (life.parent[0], life.parent[1]) if life.parent else ("", 0)
    parent = next((twig for twig in before if twig.epoch == parent_epoch), None)
    x, y, path = LEFT, TOP + ROW_H * len(before), ""
    if parent is not None:
        x = parent.x + STEP_X * sum(twig.parent == parent_epoch for twig in before)
        path = f"M{parent.x} {parent.y + 5}V{y - 5}" if x == parent.x else f"M{parent.x} {parent.y + 5}V{y}H{x - 5}"
    words = REASONS.get(row.reason, row.reason.replace("_", " "))
    return Twig(life.epoch, life.ordinal, life.seq, held, row.opened_at_ms, words, parent_epoch, parent_seq, x, y, path)
