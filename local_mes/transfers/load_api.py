"""Loads before they leave, as JSON: what the gate's tablet sends when the radio is back, and what a planning system says."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.transfers import service
from local_mes.transfers.api import SHIPPERS, Command
from local_mes.transfers.load_reads import read_plan
from shared.transfers.plan_queries import announced_to, open_plans
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Asked, Body, Moment
from shared.web.context import actor, reading, requires

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("loads_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
PLANNERS = (*SHIPPERS, "planner")
LIMIT_KG_MAX = 10_000_000
PIECES_MAX = 500
"""On one load: as many as a file of passports holds."""
PieceNumber = Annotated[str, Field(min_length=1, max_length=64)]


class LoadPath(Asked):
    """A planned load by its number or id."""

    load: str = Field(max_length=64)


class VehicleBody(Body):
    """A wagon, bay or truck and what it may carry; 0: what the lane's vehicles usually carry, if the plant model says."""

    code: str = Field(min_length=1, max_length=32)
    limit_kg: int = Field(0, ge=0, le=LIMIT_KG_MAX)


class PlannedLoadBody(Command):
    """What is to leave. shipment: the plan that this one replaces."""

    to: str = Field(min_length=1, max_length=12)
    vehicle: str = Field(min_length=1, max_length=64)
    lane: str = Field("", max_length=64)
    mode: str = Field("", pattern="^(|rail|truck|internal)$")
    number: str = Field("", max_length=64)
    vehicles: list[VehicleBody] = Field(default_factory=list, max_length=60)
    pieces: list[str] = Field(default_factory=list, max_length=PIECES_MAX)
    eta_ms: Moment | None = None
    carrier: str = Field("", max_length=64, description="Who drives it; empty: the lane's usual one.")
    shipment: str = Field("", max_length=64)


class PieceBody(Command):
    """A piece on a vehicle of the load; vehicle empty: the first with room."""

    piece: str = Field(min_length=1, max_length=64)
    vehicle: str = Field("", max_length=32)
    position: str = Field("", max_length=32)


class OffBody(Command):
    """A piece off the load, and why."""

    piece: str = Field(min_length=1, max_length=64)
    note: str = Field("", max_length=500)


class DepartBody(Command):
    """The departure. pieces: what was seen on the vehicle, by any number; refused where the books say otherwise. Without it
    the load leaves with what is booked on it."""

    pieces: list[PieceNumber] | None = Field(None, max_length=PIECES_MAX)


class WhyBody(Command):
    """Why."""

    note: str = Field(min_length=1, max_length=500)


@bp.get("/loads", summary="Loads that have not left, and those that are announced to this plant")
def get_loads() -> dict[str, Any]:
    """Masses in grams; vehicles with their limit and what lies on them."""
    here = plant()
    with reading() as conn:
        items = [read_plan(conn, here.code, row.shipment_id) for row in open_plans(conn, here.code)]
        coming = [
            dict(row._mapping) | {"pieces": msgspec.json.decode(row.pieces)} for row in announced_to(conn, here.code)
        ]
    return {"items": items, "announced": coming, "next": None, **as_of()}


@bp.post("/loads", summary="Plan a load")
@requires(*PLANNERS)
def post_plan(body: PlannedLoadBody) -> tuple[dict[str, Any], int]:
    """Custody stays here until it departs."""
    command = service.PlanCommand(
        command_id=body.command_id,
        actor=actor(),
        to=body.to.strip(),
        vehicle=body.vehicle.strip(),
        lane=body.lane,
        mode=body.mode,
        number=body.number.strip(),
        vehicles=tuple((one.code.strip(), one.limit_kg) for one in body.vehicles),
        pieces=tuple(piece.strip() for piece in body.pieces),
        eta_ms=body.eta_ms or 0,
        shipment=body.shipment.strip(),
        carrier=body.carrier.strip(),
    )
    return service.plan_load(plant(), command), 201


@bp.post("/loads/<load>/pieces", summary="A piece is put on the vehicle")
@requires(*SHIPPERS)
def post_piece(path: LoadPath, body: PieceBody) -> tuple[dict[str, Any], int]:
    """Weight, holds, custody and the order's demands are checked; a refusal names its rule."""
    touch = _touch(path, body, piece=body.piece.strip(), vehicle=body.vehicle.strip(), position=body.position)
    return service.load_piece(plant(), touch), 201


@bp.post("/loads/<load>/pieces/off", summary="A piece is taken off the load")
@requires(*SHIPPERS)
def post_off(path: LoadPath, body: OffBody) -> dict[str, Any]:
    """Before it leaves."""
    return service.unload_piece(plant(), _touch(path, body, piece=body.piece.strip(), note=body.note))


@bp.post("/loads/<load>/announce", summary="The addressee is told what is about to leave")
@requires(*PLANNERS)
def post_announce(path: LoadPath, body: Command) -> tuple[dict[str, Any], int]:
    """What lies on the load, else what is planned; may be told again."""
    return service.announce(plant(), _touch(path, body)), 201


@bp.post("/loads/<load>/depart", summary="The load leaves")
@requires(*SHIPPERS)
def post_depart(path: LoadPath, body: DepartBody) -> tuple[dict[str, Any], int]:
    """Custody of what lies on it passes to the carrier."""
    return service.depart(plant(), _touch(path, body), body.pieces), 201


@bp.post("/loads/<load>/cancel", summary="The load does not leave")
@requires(*PLANNERS)
def post_cancel(path: LoadPath, body: WhyBody) -> dict[str, Any]:
    """After the departure only "never left" is left to say, piece by piece."""
    return service.cancel_load(plant(), _touch(path, body, note=body.note))


def _touch(path: LoadPath, body: Command, **more: str) -> service.LoadTouch:
    return service.LoadTouch(body.command_id, actor(), path.load, occurred_at_ms=body.occurred_at, **more)
