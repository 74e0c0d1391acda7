"""Named reads of the registry and of the plants' lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central_hub.plants.tables import plant
from shared.journal.position import applied_to
from shared.journal.quarantine import count_by_state
from shared.journal.reading import lives
from sync.link import complete_through, report_caller
from sync.tables import incident, session


@dataclass(frozen=True)
class PlantLine:
    """One plant as the hub sees it. Times in ms UTC, None before the first contact.

    state          online | away | never
    backlog        facts the plant had not sent when it last said hello
    not_applied    entries received and neither applied nor set aside yet
    down_waiting   entries of the hub's stream to it that it does not hold
    offset_ms      its clock minus the hub's
    """

    code: str
    name: str
    fingerprint: str
    enrolled_at_ms: int
    state: str
    since_ms: int | None
    last_contact_ms: int | None
    offset_ms: int
    epoch: str
    epochs: int
    received: int
    not_applied: int
    quarantined: int
    parked: int
    held: int
    complete_through_ms: int | None
    backlog: int
    down_waiting: int


def list_plants(conn: Connection, hub_code: str, away_after_s: float) -> list[PlantLine]:
    """All enrolled plants, by code."""
    rows = conn.execute(select(plant).order_by(plant.c.code)).all()
    return [_line(conn, row, hub_code, away_after_s) for row in rows]


def list_codes(conn: Connection) -> list[str]:
    """Codes of all enrolled plants."""
    return list(conn.execute(select(plant.c.code).order_by(plant.c.code)).scalars())


def list_incidents(conn: Connection, limit: int = 50) -> list[dict[str, object]]:
    """What the protocol noted for people to look at, newest first."""
    query = select(incident).order_by(incident.c.at_ms.desc(), incident.c.incident_id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def _line(conn: Connection, row: Row[Any], hub_code: str, away_after_s: float) -> PlantLine:
    code = row.code
    link = report_caller(conn, f"{hub_code}>{code}", code, away_after_s)
    epochs = lives(conn, code)
    aside = count_by_state(conn, code)
    backlog = conn.execute(select(session.c.backlog).where(session.c.peer == code)).scalar()
    return PlantLine(
        code=code,
        name=row.name,
        fingerprint=row.fingerprint,
        enrolled_at_ms=row.enrolled_at_ms,
        state=link.state,
        since_ms=link.since_ms,
        last_contact_ms=link.last_contact_ms,
        offset_ms=link.offset_ms,
        epoch=epochs[-1].epoch if epochs else "",
        epochs=len(epochs),
        received=sum(life.seq for life in epochs),
        not_applied=sum(life.seq - applied_to(conn, code, life.epoch) for life in epochs),
        quarantined=aside["quarantined"],
        parked=aside["parked"],
        held=aside["held"],
        complete_through_ms=complete_through(conn, code),
        backlog=backlog or 0,
        down_waiting=link.waiting,
    )
