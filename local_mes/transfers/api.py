"""Commands of shipping and receiving as JSON; the reads are shared/transfers/api.py."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask_openapi import Tag
from pydantic import Base64Bytes, Field

from local_mes.context import plant
from local_mes.transfers import service
from local_mes.transfers.photos import PHOTO_BYTES_MAX
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body, Moment
from shared.web.context import actor, requires

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("transfers_commands", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])

GRAMS_MAX = 400_000_000
"""Heavier than any piece that moves between plants: a typing mistake is caught, a big ingot is not."""
SHIPPERS = ("yard", "lead")
Picture = Annotated[
    Base64Bytes,
    Field(max_length=PHOTO_BYTES_MAX * 4 // 3 + 8, description="JPEG or PNG in base64; kept at this plant alone."),
]


class Command(Body):
    """What every command carries. occurred_at: ms since 1970 UTC, where it is not now."""

    command_id: str = Field(min_length=1, max_length=64)
    occurred_at: Moment | None = None


class Listed(Body):
    """One piece on a load."""

    piece: str = Field(min_length=1, max_length=64)
    position: str = Field("", max_length=32)


class ShipmentBody(Command):
    """A load that departs. Empty number, lane, mode and eta_ms come from the plant model."""

    number: str = Field("", max_length=64)
    to: str = Field(min_length=1, max_length=12)
    mode: str = Field("", pattern="^(|rail|truck|internal)$")
    lane: str = Field("", max_length=64)
    vehicle: str = Field("", max_length=64)
    carrier: str = Field("", max_length=64, description="Who drives it; empty: the lane's usual one.")
    eta_ms: Moment | None = None
    lines: list[Listed] = Field(max_length=200)
    depart: Literal[True] = True


class ReceiptBody(Command):
    """One piece taken in, by the number painted on it."""

    shipment: str | None = Field(None, max_length=64)
    piece: str = Field(min_length=1, max_length=64)
    own_number: str | None = Field(None, max_length=64)
    mass_g: int = Field(ge=0, le=GRAMS_MAX)
    """0: not weighed here, the sender's mass counts."""
    mass_basis: Literal["weighed", "theoretical", "charged"] = "weighed"
    scale: str = Field("", max_length=64)
    place: str = Field("", max_length=64)
    position: str = Field("", max_length=32)
    certificate: dict[str, str] = Field(default_factory=dict, max_length=40)
    bundle: str = Field("", max_length=64)
    custody_no: int = Field(0, ge=0, le=1_000_000, description="The number on its label or paper; 0: none was read.")
    damage: str | None = Field(None, max_length=200)
    from_plant: str = Field("", max_length=12)
    kind: str = Field("", pattern="^(|slab|coil|slit)$")
    route: str = Field("", max_length=64, description="Our own route; empty: by the plant model's rules.")
    photo: Picture = b""


class LoadBody(Command):
    """A load by number or id."""

    shipment: str = Field(min_length=1, max_length=64)


class CorrectionBody(LoadBody):
    """The sender's error declaration about one piece."""

    piece: str = Field(min_length=1, max_length=64)
    kind: Literal["did_not_occur", "late"]
    note: str = Field("", max_length=500)
    position: str = Field("", max_length=32)
    contradicts: bool = Field(False, description="said knowing that its addressee says that it took the piece in")


@bp.post("/shipments", summary="A load departs")
@requires(*SHIPPERS)
def post_shipment(body: ShipmentBody) -> tuple[dict[str, Any], int]:
    """Custody of the pieces passes to the carrier; refused whole if one of them may not leave."""
    command = service.ShipCommand(
        command_id=body.command_id,
        actor=actor(),
        number=body.number.strip(),
        to=body.to,
        mode=body.mode,
        lane=body.lane,
        vehicle=body.vehicle,
        carrier=body.carrier.strip(),
        eta_ms=body.eta_ms,
        occurred_at_ms=body.occurred_at,
        lines=tuple(service.ListedPiece(line.piece.strip(), line.position) for line in body.lines),
    )
    return service.ship(plant(), command), 201


@bp.post("/receipts", summary="A piece is taken in")
@requires(*SHIPPERS)
def post_receipt(body: ReceiptBody) -> tuple[dict[str, Any], int]:
    """An unknown number is taken in under a provisional identity until its sender's data arrives."""
    return service.receive(plant(), receive_command(body)), 201


def receive_command(body: ReceiptBody) -> service.ReceiveCommand:
    """What a receipt's body asks for."""
    return service.ReceiveCommand(
        command_id=body.command_id,
        actor=actor(),
        piece=body.piece.strip(),
        mass_g=body.mass_g,
        mass_basis=body.mass_basis,
        scale=body.scale,
        place=body.place,
        position=body.position,
        shipment=(body.shipment or "").strip(),
        own_number=(body.own_number or "").strip(),
        from_plant=body.from_plant,
        kind=body.kind,
        damage=body.damage or "",
        occurred_at_ms=body.occurred_at,
        certificate=body.certificate,
        bundle=body.bundle.strip(),
        custody_no=body.custody_no,
        route=body.route,
        photo=body.photo,
    )


@bp.post("/receipts/close", summary="Nothing more comes of a load")
@requires(*SHIPPERS)
def post_close(body: LoadBody) -> dict[str, Any]:
    """What is on the list and not here is short."""
    return service.close_receipt(
        plant(), body.shipment.strip(), actor=actor(), command_id=body.command_id, at_ms=body.occurred_at
    )


@bp.post("/arrivals", summary="A vehicle is at the gate")
@requires(*SHIPPERS)
def post_arrival(body: LoadBody) -> tuple[dict[str, Any], int]:
    """The load need not be announced."""
    done = service.arrive(
        plant(), body.shipment.strip(), actor=actor(), command_id=body.command_id, at_ms=body.occurred_at
    )
    return done, 201


@bp.post("/corrections/departure", summary="The sender corrects a departure")
@requires(*SHIPPERS)
def post_correction(body: CorrectionBody) -> tuple[dict[str, Any], int]:
    """A listed piece never left (did_not_occur), or an unlisted one did (late)."""
    command = service.CorrectDeparture(
        command_id=body.command_id,
        actor=actor(),
        shipment=body.shipment.strip(),
        piece=body.piece.strip(),
        kind=body.kind,
        note=body.note,
        position=body.position,
        occurred_at_ms=body.occurred_at,
        contradicts=body.contradicts,
    )
    return service.correct_departure(plant(), command), 201
