"""What pages and API ask of Level 2: links, repairs, what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from local_mes.level2.backlog import get_backlog
from local_mes.level2.down import count_open
from local_mes.level2.link_state import COLLECTOR_AWAY_MS, STOPPED, find_states, real_ms
from local_mes.level2.spool import get_key
from local_mes.level2.spool_tables import link_course, message
from local_mes.level2.tables import repair, spool_waiting
from local_mes.plant import Plant
from shared.db.engine import read

RATE_MS = 600_000
"""The rate of a link is that of its last ten minutes."""
OPEN = "open"
MISSING_SHOWN = 5


@dataclass(frozen=True)
class LinkView:
    """One link as people see it. Rates in messages a minute; offset in ms, positive when the peer's clock is behind."""

    link: str
    kind: str
    address: str
    state: str
    since_ms: int | None
    peer: str
    detail: str
    last_message: str
    last_message_ms: int | None
    per_minute: float
    received: int
    repeated: int
    refused: int
    gaps: int
    offset_ms: int
    down_open: int
    waiting: int
    repairs: int
    sequence: int | None = None
    missing: str = ""
    """The peer's newest number, and the stretches that are missing before it."""


def find_links(plant: Plant) -> list[LinkView]:
    """All links the collector runs or ran, with what it last wrote; `stopped` when it has not been seen lately."""
    states, down_open = find_states(plant.spool), count_open(plant.spool)
    courses = _courses(plant)
    rates = _rates(plant)
    with read(plant.node.engine) as conn:
        waiting = _by_link(conn, select(spool_waiting.c.link, func.count()).group_by(spool_waiting.c.link))
        repairs = _by_link(
            conn, select(repair.c.link, func.count()).where(repair.c.state == OPEN).group_by(repair.c.link)
        )
    away = real_ms() - COLLECTOR_AWAY_MS
    return [
        LinkView(
            link=row.link,
            kind=row.kind,
            address=row.address,
            state=row.state if row.seen_real_ms >= away else STOPPED,
            since_ms=row.since_ms,
            peer=row.peer,
            detail=row.detail,
            last_message=row.last_message,
            last_message_ms=row.last_message_ms,
            per_minute=round(rates.get(row.link, 0) * 60_000 / RATE_MS, 1),
            received=row.received,
            repeated=row.repeated,
            refused=row.refused,
            gaps=row.gaps,
            offset_ms=row.offset_ms,
            down_open=down_open.get(row.link, 0),
            waiting=waiting.get(row.link, 0),
            repairs=repairs.get(row.link, 0),
            sequence=courses[row.link].sequence if row.link in courses else None,
            missing=_missing_words(courses[row.link].missing) if row.link in courses else "",
        )
        for row in states.values()
    ]


def open_figures(plant: Plant, is_at_rest: Callable[[], bool] | None = None) -> dict[str, int]:
    """The backlog for the node's status: spool_open is what is not interpreted or waits for other messages.

    With the interpreter's word also spool_at_rest: 1 when all was tried, so that what is open waits for more to come.
    """
    backlog = get_backlog(plant)
    found = {"spool_open": backlog.uninterpreted + backlog.waiting, "repairs_open": backlog.repairs}
    if is_at_rest is not None:  # asked after the backlog was read: what was interpreted till then has been followed up
        found["spool_at_rest"] = int(not backlog.uninterpreted and is_at_rest())
    return found


def find_repairs(conn: Connection, state: str, link: str, after: str, limit: int) -> list[Any]:
    """Rows of the repair queue, the oldest first, limit + 1 of them; after is a repair_id (they sort by time)."""
    query = select(repair).where(repair.c.repair_id > after).order_by(repair.c.repair_id).limit(limit + 1)
    if state:
        query = query.where(repair.c.state == state)
    if link:
        query = query.where(repair.c.link == link)
    return list(conn.execute(query))


def find_repair(conn: Connection, repair_id: str) -> Any | None:
    """One row, or None."""
    return conn.execute(select(repair).where(repair.c.repair_id == repair_id)).first()


def find_repairs_of(conn: Connection, link: str, spool_id: int) -> list[Any]:
    """What became of one spooled message in the repair queue."""
    return list(conn.execute(select(repair).where(repair.c.link == link, repair.c.spool_id == spool_id)))


def find_waiting(conn: Connection, limit: int) -> list[Any]:
    """Messages that came before what they build on, the oldest first."""
    return list(conn.execute(select(spool_waiting).order_by(spool_waiting.c.spool_id).limit(limit)))


def find_spooled(plant: Plant, spool: str, spool_id: int) -> Any | None:
    """A message as it was received, or None when it lay in another spool."""
    if spool != get_key(plant.spool):
        return None
    with read(plant.spool) as conn:
        return conn.execute(select(message).where(message.c.spool_id == spool_id)).first()


def _courses(plant: Plant) -> dict[str, Any]:
    with read(plant.spool) as conn:
        return {row.link: row for row in conn.execute(select(link_course))}


def _missing_words(text: str) -> str:
    """`418 to 420, 433`; the newest few where there are many."""
    stretches = msgspec.json.decode(text, type=list[tuple[int, int]])
    said = [str(first) if first == last else f"{first} to {last}" for first, last in stretches[-MISSING_SHOWN:]]
    return ("…, " if len(stretches) > MISSING_SHOWN else "") + ", ".join(said)


def _rates(plant: Plant) -> Mapping[str, int]:
    since = plant.clock.now_ms() - RATE_MS
    with read(plant.spool) as conn:
        return _by_link(
            conn, select(message.c.link, func.count()).where(message.c.received_ms > since).group_by(message.c.link)
        )


def _by_link(conn: Connection, query: Any) -> dict[str, int]:
    return {link: count for link, count in conn.execute(query)}
