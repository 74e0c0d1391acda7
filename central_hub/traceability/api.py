"""Recall as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from central_hub.traceability.domain import Whereabouts
from central_hub.traceability.queries import read_recall
from shared.web.asof import as_of
from shared.web.context import reading

tag = Tag(name="traceability", description="What became of a piece, over all plants")
bp = APIBlueprint("traceability_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class NumberPath(BaseModel):
    """A piece or heat by any number printed on it, or by its material id."""

    number: str = Field(max_length=64)


@bp.get("/recalls/<number>", summary="Everything made of a piece, and where each of it is now")
def get_recall(path: NumberPath) -> dict[str, Any]:
    """Pieces at large first. Masses in grams; mass_g is the sum of those at large."""
    with reading() as conn:
        recall = read_recall(conn, path.number)
    return {
        "number": recall.number,
        "at_large": len(recall.at_large),
        "mass_g": recall.mass_g,
        "items": [_json(piece) for piece in recall.pieces],
        "next": None,
        **as_of(),
    }


def _json(piece: Whereabouts) -> dict[str, Any]:
    return asdict(piece) | {"where": piece.where, "is_at_large": piece.is_at_large}
