"""How the edge does, in a sentence for every page and in figures for its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app
from sqlalchemy import select

from local_mes.level2.edge.enrolment import DESK
from local_mes.level2.edge.hosting import edge_through_ms, report
from local_mes.plant import Plant
from shared.db.engine import read
from shared.keys import fingerprint
from shared.node import Node
from shared.web.features import StatusLine
from shared.web.formats import clock_time
from sync.link import ONLINE, complete_through
from sync.peers import find_peer
from sync.tables import incident, session

INCIDENTS_SHOWN = 20


@dataclass(frozen=True)
class EdgeView:
    """The edge as people see it. Times in ms UTC of the plant's clock.

    state       online, away, or never (not enrolled, or not heard of yet)
    backlog     messages and other words that it had waiting when it last opened a session
    arrived_ms  up to when all that it heard is on this side at least
    through_ms  up to when all that it heard is in the plant's spool
    offset_ms   its clock minus the plant's, as last measured
    orders      orders that it has not taken yet
    """

    edge: str
    state: str
    since_ms: int | None
    last_contact_ms: int | None
    backlog: int
    through_ms: int | None
    arrived_ms: int | None
    offset_ms: int
    orders: int
    fingerprint: str
    desk_fingerprint: str


def desk_here() -> Node | None:
    """The desk of this process; None at a plant whose collector is beside it."""
    return cast("Node | None", current_app.extensions.get(DESK))


def view_edge(plant: Plant, desk: Node) -> EdgeView:
    """The figures now."""
    code, line = plant.settings.edge, report(desk, plant.settings.edge)
    with read(desk.engine) as conn:
        opened = conn.execute(select(session).where(session.c.peer == code)).first()
        known = find_peer(conn, code)
        arrived = complete_through(conn, code)
    return EdgeView(
        edge=code,
        state=line.state,
        since_ms=line.since_ms,
        last_contact_ms=line.last_contact_ms,
        backlog=opened.backlog if opened else 0,
        through_ms=edge_through_ms(plant),
        arrived_ms=arrived,
        offset_ms=line.offset_ms,
        orders=line.waiting,
        fingerprint=fingerprint(known.public_key) if known else "",
        desk_fingerprint=fingerprint(desk.key.public),
    )


def find_incidents(desk: Node) -> list[dict[str, object]]:
    """What the line to the edge gave people to look at, newest first."""
    with read(desk.engine) as conn:
        rows = conn.execute(select(incident).order_by(incident.c.at_ms.desc()).limit(INCIDENTS_SHOWN))
        return [dict(row) for row in rows.mappings()]


def edge_status(plant: Plant) -> tuple[StatusLine, ...]:
    """The honest line of the header."""
    desk = desk_here()
    if desk is None:
        return ()
    line = report(desk, plant.settings.edge)
    if line.state == ONLINE:
        return (StatusLine("normal", f"Edge {line.peer}: connected"),)
    if line.state == "never":
        return (StatusLine("nodata", f"Edge {line.peer} has not called yet. Level 2 is not heard."),)
    since = clock_time(line.since_ms, plant.clock.now_ms(), plant.model.plant.zone)
    return (StatusLine("nodata", f"Edge {line.peer} away since {since}. It keeps what Level 2 says; nothing is lost."),)
