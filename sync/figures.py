"""How far everything is: recorded here, received from others, applied, set aside, still to be sent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from shared.journal.quarantine import quarantine
from shared.journal.reading import lives, own_streams
from shared.journal.tables import applied
from sync.tables import position


@dataclass(frozen=True)
class Figures:
    """Counts of one node at one moment; dictionaries by the other node's code."""

    recorded: int
    received_from: dict[str, int]
    applied_from: dict[str, int]
    quarantined_from: dict[str, int]
    parked: int
    backlog: int
    complete_through_ms: dict[str, int]


def figures(conn: Connection, code: str) -> Figures:
    """Everything in one read transaction."""
    written = lengths(conn)
    copies = conn.execute(
        select(position.c.peer, func.sum(position.c.durable), func.max(position.c.complete_through))
        .where(position.c.stream != code, ~position.c.stream.startswith(f"{code}>"))
        .group_by(position.c.peer)
    ).all()
    return Figures(
        recorded=written.get(code, 0),
        received_from={row[0]: int(row[1]) for row in copies},
        applied_from=_counts(conn, select(applied.c.author, func.count()).group_by(applied.c.author)),
        quarantined_from=_counts(
            conn,
            select(quarantine.c.author, func.count())
            .where(quarantine.c.state == "quarantined")
            .group_by(quarantine.c.author),
        ),
        parked=conn.execute(
            select(func.count()).select_from(quarantine).where(quarantine.c.state != "quarantined")
        ).scalar_one(),
        backlog=_backlog(conn, code, written),
        complete_through_ms={row[0]: int(row[2]) for row in copies},
    )


def lengths(conn: Connection) -> dict[str, int]:
    """Entries of each stream written here, all its epochs, without counting them: each ends at its last number."""
    return {stream: sum(life.seq for life in lives(conn, stream)) for stream in own_streams(conn)}


def _backlog(conn: Connection, code: str, written: dict[str, int]) -> int:
    """Entries that their reader does not hold; a hub's own stream has no reader of its own, only its ways down do."""
    c = position.c
    rows = conn.execute(select(c.stream, c.epoch, func.max(c.durable)).group_by(c.stream, c.epoch))
    held = {(row[0], row[1]): int(row[2]) for row in rows}
    mine = {stream for stream in written if stream.startswith(f"{code}>")} or {code}
    # an epoch at a time: what a reader holds more of one makes up for nothing in another
    return sum(max(life.seq - held.get((stream, life.epoch), 0), 0) for stream in mine for life in lives(conn, stream))


def _counts(conn: Connection, query: object) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in conn.execute(query)}  # type: ignore[call-overload]
