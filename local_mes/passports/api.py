"""Passports of a load as JSON: for a carrier's app, or a program that writes tags."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.passports.papers import read_documents
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Asked
from shared.web.context import reading

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("passport_reads", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class LoadPath(Asked):
    """A load by number or id."""

    number: str = Field(max_length=64)


@bp.get("/shipments/<number>/passports", summary="The passports of a load that left here")
def get_passports(path: LoadPath) -> dict[str, Any]:
    """text: what the QR code says and a line of the file; digest: SHA-256 of its bytes, as facts name it."""
    with reading() as conn:
        found = read_documents(conn, plant(), path.number)
    items = [
        {
            "number": one.number,
            "material_id": one.body.material_id.hex(),
            "digest": one.digest,
            "text": one.text,
        }
        for one in found.pieces
    ]
    without = [{"number": number, "reason": reason} for number, reason in found.without]
    return {"shipment": found.number, "to": found.to, "load": found.text, "items": items, "without": without} | as_of()
