"""Receipt by passport as JSON: verified with what is on this plant's disk, no network asked."""

from __future__ import annotations

from typing import Any, Literal

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.transfers.api import GRAMS_MAX, SHIPPERS, Command
from local_mes.transfers.by_passport import PassportCommand, check_passport, receive_by_passport
from shared.passports.document import PieceBody
from shared.passports.issuing import told_piece
from shared.passports.verify import Passport
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, reading, requires

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("passports_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
TEXT_MAX = 1_500


class PassportBody(Body):
    """A passport as its code says it."""

    passport: str = Field(min_length=1, max_length=TEXT_MAX)


class PassportReceiptBody(Command):
    """One piece taken in by its passport."""

    passport: str = Field(min_length=1, max_length=TEXT_MAX)
    own_number: str = Field("", max_length=64)
    mass_g: int = Field(0, ge=0, le=GRAMS_MAX, description="0: not weighed here, the sender's mass counts")
    mass_basis: Literal["weighed", "theoretical", "charged"] = "weighed"
    scale: str = Field("", max_length=64)
    place: str = Field("", max_length=64)
    position: str = Field("", max_length=32)
    damage: str = Field("", max_length=200)
    route: str = Field("", max_length=64)


@bp.post("/passports/check", summary="Whether a passport holds here, and what it says")
@requires(*SHIPPERS)
def post_check(body: PassportBody) -> dict[str, Any]:
    """standing: good, or revoked (its key is: the piece would wait for its departure). A refusal says why not."""
    with reading() as conn:
        return _says(check_passport(conn, plant(), body.passport))


@bp.post("/receipts/passport", summary="A piece is taken in by its passport")
@requires(*SHIPPERS)
def post_receipt(body: PassportReceiptBody) -> tuple[dict[str, Any], int]:
    """With its true identity, chemistry and holds; tied to the departure when that arrives."""
    command = PassportCommand(
        command_id=body.command_id,
        actor=actor(),
        passport=body.passport,
        mass_g=body.mass_g,
        mass_basis=body.mass_basis,
        scale=body.scale,
        place=body.place,
        position=body.position,
        own_number=body.own_number.strip(),
        damage=body.damage,
        route=body.route,
        occurred_at_ms=body.occurred_at,
    )
    return receive_by_passport(plant(), command), 201


def _says(passport: Passport) -> dict[str, Any]:
    shipped = passport.body.shipped
    said: dict[str, Any] = {
        "standing": passport.standing,
        "digest": passport.digest,
        "key_id": passport.key_id,
        "sender": shipped.sender,
        "shipment": shipped.number,
        "issued_ms": shipped.issued_ms,
        "expires_ms": shipped.expires_ms,
        "piece": None,
    }
    if isinstance(passport.body, PieceBody):
        told = told_piece(passport.body)
        said["piece"] = {
            "material_id": told.material_id,
            "number": told.number,
            "kind": told.kind,
            "grade": told.grade,
            "order_item": told.order_item,
            "mass_g": told.mass.g,
            "mass_basis": told.mass.basis,
            "chemistry_e6": told.chemistry_e6,
            "heats": told.heats,
            "quality": told.quality,
            "quality_as_of_ms": passport.body.status_ms,
            "custody_no": passport.body.custody_no,
        }
    return said
