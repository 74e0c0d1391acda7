"""Standards that plants wrote for themselves, as the group sees them: who runs what of its own, since when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central_hub.hub import Hub
from shared.errors import NotFound
from shared.standards.documents import AnyStandard
from shared.standards.own_tables import own_deployment
from shared.standards.queries import document_of, find_in_force
from shared.standards.tables import standard_version as version


@dataclass(frozen=True)
class PlantsOwn:
    """What a plant last deployed of one of its own. document None: taken out. runs: it reports it as in force."""

    plant: str
    standard_id: str
    version: int
    document: AnyStandard | None
    reason: str
    trial: str
    back: bool
    deployed_ms: int
    runs: bool


def list_own_versions(conn: Connection, hub: Hub) -> Sequence[Row[Any]]:
    """Every version that a plant deployed of its own at some time."""
    query = select(version).where(version.c.author != hub.code, version.c.status == "published")
    return conn.execute(query.order_by(version.c.standard_id, version.c.version)).all()


def read_plants_own(conn: Connection) -> list[PlantsOwn]:
    """By plant and standard."""
    query = select(own_deployment).order_by(own_deployment.c.author, own_deployment.c.standard_id)
    return [_own(conn, row) for row in conn.execute(query)]


def find_plants_own(conn: Connection, plant: str, standard_id: str) -> PlantsOwn:
    """One; NotFound where the plant never deployed it."""
    found = next((o for o in read_plants_own(conn) if (o.plant, o.standard_id) == (plant, standard_id)), None)
    if found is None:
        raise NotFound("standards.unknown", f"{plant} deployed no {standard_id}.", todo="Choose one of the list.")
    return found


def _own(conn: Connection, row: Row[Any]) -> PlantsOwn:
    same = (version.c.author == row.author, version.c.standard_id == row.standard_id, version.c.sha256 == row.sha256)
    body = conn.execute(select(version.c.body).where(*same, version.c.version == row.version)).scalar()
    running = find_in_force(conn, row.author, row.standard_id)
    return PlantsOwn(
        row.author,
        row.standard_id,
        row.version,
        document_of(body) if body else None,
        row.reason,
        row.trial,
        bool(row.back),
        row.deployed_ms,
        running is not None and running.sha256 == row.sha256,
    )
