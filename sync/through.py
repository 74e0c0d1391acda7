"""Up to when each peer's facts are in the rows here: what every figure made of them may claim, and no more.

The author's own word (complete_through, with each seal) says what was received; what was received and is not applied
yet lies behind it. A fact that is set aside does not hold the mark back: pages say separately that there are such.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from shared.journal.position import apply_position
from shared.journal.tables import entry, fact
from sync.tables import position


def applied_through(conn: Connection) -> dict[str, int]:
    """Peer -> ms UTC: every fact it recorded at or before then was tried here; peers that said nothing yet are absent.

    Two small reads, and one more for each stream that is being applied: cheap enough for every page.
    """
    p = position.c
    told = select(p.peer, func.max(p.complete_through)).where(p.stream == p.peer).group_by(p.peer)
    through = {row[0]: int(row[1]) for row in conn.execute(told)}
    for peer, first_missing_ms in _behind(conn):
        through[peer] = max(0, min(through.get(peer, 0), first_missing_ms - 1))
    return through


def _behind(conn: Connection) -> list[tuple[str, int]]:
    """(peer, when the first entry that is not applied yet was recorded), for each epoch with such entries."""
    p, a = position.c, apply_position.c
    done = func.coalesce(a.seq, 0)
    behind = (
        select(p.stream, p.epoch, done.label("done"))
        .join_from(position, apply_position, (a.stream == p.stream) & (a.epoch == p.epoch), isouter=True)
        .where(p.stream == p.peer, p.durable > done)
    )
    found = []
    for row in conn.execute(behind).all():
        recorded = conn.execute(
            select(fact.c.recorded_at_ms)
            .join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
            .where(entry.c.stream == row.stream, entry.c.epoch == row.epoch, entry.c.seq == row.done + 1)
        ).scalar()
        found.append((row.stream, 0 if recorded is None else int(recorded)))
    return found
