"""JSON of who runs what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import Field

from central_hub.conformance.service import Wish, read_matrix
from central_hub.conformance.words import text_of
from central_hub.context import hub
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Asked
from shared.web.context import reading

tag = Tag(name="conformance", description="Who runs which version of which standard, and what drifts")
api = APIBlueprint("conformance_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class ConformanceQuery(Asked):
    """Which part; left out: all of it."""

    plant: str = Field("", max_length=40)
    kind: str = Field("", max_length=40)
    standard: str = Field("", max_length=40)
    state: str = Field("", max_length=40)


@api.get("/conformance")
def conformance(query: ConformanceQuery) -> dict[str, Any]:
    """One item a standard and plant, and one line a plant."""
    with reading() as conn:
        matrix = read_matrix(conn, hub(), Wish(query.plant, query.kind, query.standard))
    cells = [cell for _, cell in sorted(matrix.cells.items()) if query.state in ("", cell.state)]
    return {
        "items": [{**msgspec.to_builtins(cell), "text": text_of(cell)} for cell in cells],
        "plants": [asdict(column) for column in matrix.plants],
        "next": None,
        **as_of(),
    }
