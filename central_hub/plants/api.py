"""GET /api/v1/plants, and the door at which plants enrol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from central_hub.context import hub
from central_hub.plants.queries import list_incidents, list_plants
from central_hub.plants.service import enrol_plant
from shared.db.engine import read
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import node, reading
from sync.endpoint import read_body
from sync.limits import HELLO_BYTES_MAX

api = APIBlueprint("plants_api", __name__, url_prefix="/api/v1")

ReadRoot = Callable[[Connection], str]


class PlantBody(BaseModel):
    """One plant and its line; times in ms since 1970 UTC."""

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


class PlantsBody(BaseModel):
    """All plants; a group has tens of them, so there is one page."""

    items: list[PlantBody]
    next: str | None
    as_of: int
    complete_through_ms: dict[str, int | None] = {}


@api.get("/plants", summary="The plants, their lines and how complete they are", responses={200: PlantsBody})
def plants() -> dict[str, Any]:
    """All enrolled plants."""
    here = node()
    with reading() as conn:
        lines = list_plants(conn, here.code, here.settings.sync.away_after_s)
    items = [PlantBody(**asdict(line)) for line in lines]
    return PlantsBody(items=items, next=None, **as_of()).model_dump()


@api.get("/incidents", summary="What the sync protocol noted for people to look at, newest first")
def incidents() -> dict[str, Any]:
    """The latest incidents."""
    with reading() as conn:
        return {"items": list_incidents(conn), "next": None, **as_of()}


def make_enrol_door(read_root: ReadRoot) -> Blueprint:
    """The enrolment door; read_root gives the standards root document to hand to a new plant, or ''."""
    door = Blueprint("enrolment", __name__, url_prefix="/sync/v1")

    @door.post("/enrol")
    def enrol() -> Response:
        raw = read_body(HELLO_BYTES_MAX)
        with read(hub().node.engine) as conn:
            root = read_root(conn)
        return Response(enrol_plant(hub(), raw, root), mimetype="application/octet-stream")

    return door
