"""How far everything is: recorded here, received from others, applied, set aside, still to be sent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from shared.journal.quarantine import quarantine
from shared.journal.tables import applied, entry
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
    """Everything in one read transaction. backlog = own entries that the reader furthest behind does not hold."""
    recorded = conn.execute(select(func.count()).select_from(entry).where(entry.c.stream == code)).scalar_one()
    copies = conn.execute(
        select(position.c.peer, func.sum(position.c.durable), func.max(position.c.complete_through))
        .where(position.c.stream != code, ~position.c.stream.startswith(f"{code}>"))
        .group_by(position.c.peer)
    ).all()
    held = [
        int(n)
        for n in conn.execute(
            select(func.sum(position.c.durable)).where(position.c.stream == code).group_by(position.c.peer)
        ).scalars()
    ]
    return Figures(
        recorded=recorded,
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
        backlog=recorded - min(held, default=0),
        complete_through_ms={row[0]: int(row[2]) for row in copies},
    )


def _counts(conn: Connection, query: object) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in conn.execute(query)}  # type: ignore[call-overload]
