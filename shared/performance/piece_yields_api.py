"""JSON read of the yield of one piece's way, the same at plants and at the hub. Masses in g, shares in ppm."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from shared.material.queries import get_piece
from shared.performance.closing_api import tag
from shared.performance.piece_yields import read_yield
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading

api = APIBlueprint("piece_yields_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class NumberPath(BaseModel):
    """A piece by any number printed on it, or by its material id."""

    number: str = Field(max_length=64)


@api.get("/yields/<number>", summary="What was charged for a piece at each step of its way, and its cumulative yield")
def one_yield(path: NumberPath) -> dict[str, Any]:
    """Its last step first; cumulative_ppm of a step is from its charge to the piece. Additions are no charge. lost_g: of
    the charge, what the unit lost whole (cobbles); prime_g: of what came out, what nothing speaks against."""
    with reading() as conn:
        material_id = get_piece(conn, path.number).material_id
        found = asdict(read_yield(conn, material_id))
    return {"material_id": material_id, "items": found.pop("steps"), **found, **as_of()}
