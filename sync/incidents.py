"""What people must look at: incidents with their evidence. What happened once stays; a state ends by itself.

Acknowledging says that a person has seen it, who, when, and what they made of it. It changes nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from shared.clock import Clock
from shared.errors import NotFound, Refused
from shared.ids import new_id
from shared.threads import LANES
from sync.tables import incident

LEVELS = ("info", "attention", "alarm")

FAULT = "fault_"
"""Before the name of a lane that a fault of the program stopped (sync/steady.py)."""
FAULTS = tuple(FAULT + lane for lane in LANES)

KINDS = {
    "apply_stopped": "Applying stopped",
    "backup": "Backup cannot be read",
    "behind": "A side was behind",
    "clock": "Clock is wrong",
    "clone_suspect": "Two of one plant",
    "damaged": "Journal damaged",
    "digest": "Rows differed",
    "downlink_parted": "Way down parted",
    "fork": "Two histories",
    "gap": "Entries missing",
    "given_back": "Plants gave history back",
    "journal": "Journal damaged",
    "numbers_ahead": "Numbers jumped",
    "own_history_waits": "Own history waits for two people",
    "own_key": "An old key counts again",
    "protocol": "Releases too far apart",
    "recovered": "History came back",
    "restored": "Database was restored",
    "same_id": "One id, two contents",
    "set_point": "Set-point not recorded",
    "silent": "No contact",
    "superseded": "An old life spoke",
    "unproven_history": "History without proof",
    "unsent": "Facts wait too long",
    **dict.fromkeys(FAULTS, "Fault in the program"),
}
"""Kinds in words; one that is not listed is shown by its code."""


def hold(conn: Connection, clock: Clock, peer: str, kind: str, level: str, what: str, evidence: str) -> None:
    """A state lasts: opened once, its level and words follow it, until `end`."""
    row = _lasting(conn, peer, kind)
    if row is None:
        values = {"peer": peer, "kind": kind, "level": level, "what": what, "evidence": evidence}
        conn.execute(insert(incident).values(incident_id=new_id(clock), at_ms=clock.now_ms(), **values))
    elif row.level != level:
        # it grew worse since somebody saw it: somebody must see it again
        conn.execute(
            update(incident)
            .where(incident.c.incident_id == row.incident_id)
            .values(level=level, what=what, evidence=evidence, acknowledged_ms=None, acknowledged_by=None)
        )


def end(conn: Connection, peer: str, kind: str, now_ms: int) -> None:
    """A state has passed."""
    lasting = (incident.c.peer == peer) & (incident.c.kind == kind) & incident.c.ended_ms.is_(None)
    conn.execute(update(incident).where(lasting).values(ended_ms=now_ms))


def list_open(conn: Connection, limit: int = 20) -> Sequence[Row[Any]]:
    """What nobody has acknowledged and has not passed, the newest first."""
    c = incident.c
    query = select(incident).where(c.acknowledged_ms.is_(None), c.ended_ms.is_(None), c.level != "info")
    return conn.execute(query.order_by(c.at_ms.desc(), c.incident_id.desc()).limit(limit)).all()


def list_incidents(
    conn: Connection, *, state: str = "", peer: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """limit + 1 incidents, the newest first. state: open (nobody saw it, or it lasts) | seen | '' for all."""
    c = incident.c
    query = select(incident).order_by(c.incident_id.desc()).limit(limit + 1)
    seen = c.acknowledged_ms.is_not(None) | c.ended_ms.is_not(None)
    if state:
        query = query.where(seen if state == "seen" else ~seen)
    if peer:
        query = query.where(c.peer == peer)
    if after:
        query = query.where(c.incident_id < after)
    return conn.execute(query).all()


def find_incident(conn: Connection, incident_id: str) -> Row[Any]:
    """One incident; NotFound."""
    row = conn.execute(select(incident).where(incident.c.incident_id == incident_id)).first()
    if row is None:
        raise NotFound("sync.no_incident", f"There is no incident {incident_id!r}.", todo="Open it from the list.")
    return row


def acknowledge(conn: Connection, clock: Clock, incident_id: str, person: str, note: str) -> None:
    """A person has seen it. NotFound, Refused when somebody was first."""
    row = find_incident(conn, incident_id)
    if row.acknowledged_ms is not None:
        raise Refused("sync.acknowledged", "Somebody has acknowledged this incident already.", todo="Read the note.")
    seen = {"acknowledged_ms": clock.now_ms(), "acknowledged_by": person, "note": note}
    conn.execute(update(incident).where(incident.c.incident_id == incident_id).values(seen))


def count_open(conn: Connection) -> dict[str, int]:
    """Incidents that nobody has acknowledged and that have not passed, by level."""
    c = incident.c
    query = select(c.level, func.count()).where(c.acknowledged_ms.is_(None), c.ended_ms.is_(None)).group_by(c.level)
    return dict.fromkeys(LEVELS, 0) | {row[0]: int(row[1]) for row in conn.execute(query)}


def list_lasting(conn: Connection, peer: str, kinds: Collection[str]) -> dict[str, str]:
    """Kind -> level of the peer's states that last."""
    c = incident.c
    query = select(c.kind, c.level).where(c.peer == peer, c.kind.in_(sorted(kinds)), c.ended_ms.is_(None))
    return {row.kind: row.level for row in conn.execute(query)}


def _lasting(conn: Connection, peer: str, kind: str) -> Row[Any] | None:
    c = incident.c
    return conn.execute(select(incident).where(c.peer == peer, c.kind == kind, c.ended_ms.is_(None))).first()
