"""JSON of who runs what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag

from central_hub.conformance.service import read_matrix
from central_hub.conformance.words import text_of
from central_hub.context import hub
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading

tag = Tag(name="conformance", description="Who runs which version of which standard, and what drifts")
api = APIBlueprint("conformance_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


@api.get("/conformance")
def conformance() -> dict[str, Any]:
    """One item a standard and plant, and one line a plant."""
    with reading() as conn:
        matrix = read_matrix(conn, hub())
    items = [{**asdict(cell), "text": text_of(cell)} for _, cell in sorted(matrix.cells.items())]
    return {
        "items": items,
        "plants": [asdict(column) for column in matrix.plants],
        "next": None,
        **as_of(),
    }
