"""What is said of a piece on its way, as JSON: refused, returned, written off, amended, cut, renamed."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.transfers import service
from local_mes.transfers.api import GRAMS_MAX, SHIPPERS, LoadBody, ReceiptBody, receive_command
from shared.transfers.words import find_words
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body, Moment
from shared.web.context import actor, reading, requires

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("transfers_lines", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class LineBody(LoadBody):
    """One piece of a load, and why."""

    piece: str = Field(min_length=1, max_length=64)
    note: str = Field(min_length=1, max_length=500)
    place: str = Field("", max_length=64)
    contradicts: bool = Field(False, description="said knowing that its addressee says that it took the piece in")


class DivertBody(LoadBody):
    """Where pieces on their way go instead. pieces empty: all of the load that are on their way."""

    to: str = Field(min_length=1, max_length=12)
    note: str = Field(min_length=1, max_length=500)
    pieces: list[str] = Field(default_factory=list, max_length=200)
    number: str = Field("", max_length=64)
    eta_ms: Moment | None = None


class AmendBody(LoadBody):
    """What the sender knows now. chemistry_e6: corrected elements in 1e-6 mass fraction."""

    piece: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)
    grade: str = Field("", max_length=32)
    chemistry_e6: dict[str, int] = Field(default_factory=dict, max_length=40)


class PartBody(Body):
    """One part, from the head on."""

    mass_g: int = Field(gt=0, le=GRAMS_MAX)
    own_number: str = Field("", max_length=64)


class PartsBody(ReceiptBody):
    """A listed piece that came in parts; its mass is theirs together."""

    mass_g: int = Field(0, ge=0, le=GRAMS_MAX)
    parts: list[PartBody] = Field(min_length=2, max_length=20)


class MatchBody(LoadBody):
    """The line that a waiting receipt was found to be, and how that is known."""

    receipt: str = Field(min_length=1, max_length=64)
    piece: str = Field(min_length=1, max_length=64)
    note: str = Field(min_length=1, max_length=500)


class BundlePath(BaseModel):
    """A bundle by its number."""

    bundle: str = Field(max_length=64)


@bp.post("/receipts/refuse", summary="A piece is sent away at the gate")
@requires(*SHIPPERS)
def post_refusal(body: LineBody) -> tuple[dict[str, Any], int]:
    """It stays the carrier's, on its way back, on the sender's account."""
    return service.refuse(plant(), _command(body)), 201


@bp.post("/shipments/return", summary="A piece that left is here again")
@requires(*SHIPPERS)
def post_return(body: LineBody) -> tuple[dict[str, Any], int]:
    """Custody is the sender's again, under the next number."""
    return service.take_back(plant(), _command(body)), 201


@bp.post("/shipments/lost", summary="One side gives a piece up")
@requires(*SHIPPERS)
def post_loss(body: LineBody) -> tuple[dict[str, Any], int]:
    """Written off once both sides have said so; a late arrival takes it back."""
    return service.write_off(plant(), _command(body)), 201


@bp.post("/shipments/divert", summary="Pieces on their way go to another plant")
@requires(*SHIPPERS)
def post_diversion(body: DivertBody) -> tuple[dict[str, Any], int]:
    """Their lines end; a load to the new addressee goes on under the next custody numbers."""
    command = service.DivertCommand(
        command_id=body.command_id,
        actor=actor(),
        shipment=body.shipment.strip(),
        to=body.to.strip(),
        note=body.note,
        pieces=tuple(piece.strip() for piece in body.pieces),
        number=body.number.strip(),
        eta_ms=body.eta_ms,
        occurred_at_ms=body.occurred_at,
    )
    return service.divert(plant(), command), 201


@bp.post("/shipments/amend", summary="The sender changes what it says of a piece on its way")
@requires("quality", "lead")
def post_amendment(body: AmendBody) -> tuple[dict[str, Any], int]:
    """The receiver is told; what it has already is held there."""
    command = service.AmendCommand(
        command_id=body.command_id,
        actor=actor(),
        shipment=body.shipment.strip(),
        piece=body.piece.strip(),
        reason=body.reason,
        grade=body.grade,
        chemistry_e6=body.chemistry_e6,
    )
    return service.amend(plant(), command), 201


@bp.post("/receipts/parts", summary="A piece that was cut on the way is taken in")
@requires(*SHIPPERS)
def post_parts(body: PartsBody) -> tuple[dict[str, Any], int]:
    """The parts add up to the piece, or the masses differ."""
    parts = [service.Part(part.mass_g, part.own_number.strip()) for part in body.parts]
    return service.receive_parts(plant(), receive_command(body), parts), 201


@bp.post("/receipts/match", summary="A waiting receipt is found to be a piece of another number")
@requires(*SHIPPERS)
def post_match(body: MatchBody) -> dict[str, Any]:
    """Renamed on the way: tied by a person's word, never by likeness alone."""
    return service.match_by_hand(
        plant(),
        body.receipt,
        body.shipment.strip(),
        body.piece.strip(),
        note=body.note,
        actor=actor(),
        command_id=body.command_id,
    )


@bp.get("/bundles/<bundle>", summary="What came in a bundle")
def get_bundle(path: BundlePath) -> dict[str, Any]:
    """Pieces that were packed anew on their way, by the bundle they came in."""
    with reading() as conn:
        rows = find_words(conn, "bundled", note=path.bundle)
    names = ("author", "material_id", "shipment_id", "said_at_ms")
    items = [{name: row._mapping[name] for name in names} | {"receipt_id": row.about} for row in rows]
    return {"items": items, "next": None, **as_of()}


def _command(body: LineBody) -> service.LineCommand:
    return service.LineCommand(
        command_id=body.command_id,
        actor=actor(),
        shipment=body.shipment.strip(),
        piece=body.piece.strip(),
        note=body.note,
        place=body.place,
        occurred_at_ms=body.occurred_at,
        contradicts=body.contradicts,
    )
