"""Customers, processors, terms, deliveries and on-time-in-full as JSON; the delivery note as PDF."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from flask import Response, current_app
from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.dispatch import reads, service
from local_mes.dispatch.note_pdf import make_note
from shared.outside.facts import CODE, PartyAgreed, TermsAgreed
from shared.outside.otif import DEFINITION, as_row, scores
from shared.outside.queries import find_deliveries, lines_of, list_parties
from shared.transfers.api import line_json
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body, Moment
from shared.web.context import actor, node, reading, requires
from shared.web.paging import PageQuery

tag = Tag(name="deliveries", description="What leaves the group: customers, notes, on time in full")
bp = APIBlueprint("dispatch_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])

SHIPPERS = ("yard", "lead")
SALES = ("planner", "lead", "engineer")


class Command(Body):
    """What every command carries."""

    command_id: str = Field(min_length=1, max_length=64)


class PartyBody(Command):
    """A customer or processor that this plant answers for. hours: usual time on the way."""

    code: str = Field(pattern=f"^{CODE}$")
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["customer", "processor"]
    address: str = Field("", max_length=500)
    confirms: bool = False
    hours: int = Field(24, ge=1, le=24 * 90)
    ended: bool = False


class TermsBody(Command):
    """What an order item demands of each piece before it leaves."""

    item: str = Field(min_length=1, max_length=64)
    mass_basis: Literal["", "weighed", "theoretical"] = ""
    certificate: str = Field("", max_length=16)
    rules: list[str] = Field(default_factory=list, max_length=20)
    packed: bool = False
    tolerance_ppm: int = Field(50_000, ge=0, le=500_000)


class LoadedBody(Body):
    """One piece on the vehicle."""

    piece: str = Field(min_length=1, max_length=64)
    position: str = Field("", max_length=32)
    certificate: str = Field("", max_length=64)


class DeliveryBody(Command):
    """A load that leaves the group."""

    party: str = Field(pattern=f"^{CODE}$")
    pieces: list[LoadedBody] = Field(max_length=200)
    vehicle: str = Field("", max_length=64)
    mode: Literal["truck", "rail"] = "truck"
    eta_ms: Moment | None = None
    occurred_at: Moment | None = None


class DeliveriesQuery(PageQuery):
    """Narrows the list of deliveries."""

    party: str = Field("", max_length=12)
    q: str = Field("", max_length=64, description="part of the number of the note or of the load")


class NotePath(BaseModel):
    """A delivery by the number of its note, or of its load."""

    number: str = Field(max_length=64)


@bp.post("/parties", summary="Agree a customer or processor")
@requires(*SALES)
def post_party(body: PartyBody) -> tuple[dict[str, Any], int]:
    """A later agreement of the same code replaces it."""
    fact = PartyAgreed(**body.model_dump(exclude={"command_id"}))
    return service.agree_party(plant(), fact, actor=actor(), command_id=body.command_id), 201


@bp.get("/parties", summary="Customers and processors")
def get_parties() -> dict[str, Any]:
    """Those this plant answers for."""
    with reading() as conn:
        rows = list_parties(conn, node().code)
    return {"items": [dict(row._mapping) for row in rows], "next": None, **as_of()}


@bp.post("/orders/terms", summary="Agree what an order item demands")
@requires(*SALES)
def post_terms(body: TermsBody) -> tuple[dict[str, Any], int]:
    """Mass basis, certificate, tests, packing: without them a piece of it does not leave."""
    given = body.model_dump(exclude={"command_id"}) | {"rules": tuple(body.rules)}
    return service.agree_terms(plant(), TermsAgreed(**given), actor=actor(), command_id=body.command_id), 201


@bp.post("/deliveries", summary="A load leaves the group")
@requires(*SHIPPERS)
def post_delivery(body: DeliveryBody) -> tuple[dict[str, Any], int]:
    """Refused whole, naming each missing thing, if one of the pieces may not leave."""
    command = service.DispatchCommand(
        command_id=body.command_id,
        actor=actor(),
        party=body.party,
        pieces=tuple(service.Loaded(p.piece.strip(), p.position, p.certificate.strip()) for p in body.pieces),
        vehicle=body.vehicle,
        mode=body.mode,
        eta_ms=body.eta_ms,
        occurred_at_ms=body.occurred_at,
    )
    return service.dispatch(plant(), command), 201


@bp.get("/deliveries", summary="Deliveries, the youngest first")
def get_deliveries(query: DeliveriesQuery) -> dict[str, Any]:
    """Delivery notes with their pieces."""
    here = node().code
    with reading() as conn:
        rows = find_deliveries(conn, here, q=query.q, party_code=query.party, after=query.after, limit=query.limit + 1)
        lines = lines_of(conn, here, [row.shipment_id for row in rows])
    items = [
        dict(row._mapping) | {"lines": [dict(line._mapping) for line in lines[row.shipment_id]]}
        for row in rows[: query.limit]
    ]
    following = items[-1]["shipment_id"] if len(rows) > query.limit else None
    return {"items": items, "next": following, **as_of()}


@bp.get("/deliveries/<number>", summary="One delivery, with what its receiver said")
def get_delivery(path: NotePath) -> dict[str, Any]:
    """The note and its lines as both sides tell them."""
    with reading() as conn:
        found = reads.read_delivery(conn, node().code, path.number)
    noted = {key: dict(row._mapping) for key, row in found["noted"].items()}
    return dict(found["note"]._mapping) | {
        "lines": [line_json(line) | {"noted": noted.get(line.material_id)} for line in found["lines"]],
        **as_of(),
    }


@bp.get("/deliveries/<number>/note.pdf", summary="The delivery note")
def get_note(path: NotePath) -> Response:
    """As PDF; made anew each time from what was recorded."""
    with reading() as conn:
        note = reads.note_of(conn, plant(), path.number)
    answer = current_app.response_class(make_note(note), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{note.number}.pdf"'
    return answer


@bp.get("/on-time-in-full", summary="On time in full, by customer and month")
def get_otif() -> dict[str, Any]:
    """The figure with its definition, and each order item behind it."""
    now_ms = node().clock.now_ms()
    with reading() as conn:
        found = reads.read_otif(conn, plant(), now_ms)
    return {
        "definition": DEFINITION,
        "items": [as_row(score) for score in scores(found)],
        "orders": [{**msgspec.to_builtins(vars(one)), "state": one.state} for one in found],
        **as_of(),
    }
