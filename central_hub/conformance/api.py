"""JSON of who runs what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import Field

from central_hub.conformance import deviations
from central_hub.conformance.service import Wish, read_matrix
from central_hub.conformance.words import text_of
from central_hub.context import hub
from shared.standards.deviation_form import JudgeBody
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Asked
from shared.web.context import actor, reading, requires

tag = Tag(name="conformance", description="Who runs which version of which standard, and what drifts")
api = APIBlueprint("conformance_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])

JUDGES = ("approver", "owner")
"""Who says yes or no to a plant's deviation in the group's name."""


class DeviationPath(Asked):
    """One deviation of a plant."""

    plant: str = Field(max_length=12)
    deviation_id: str = Field(max_length=32)


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


@api.get("/deviations")
def deviating() -> dict[str, Any]:
    """Every deviation in force, with its renewals and what was said of it; what nobody has approved first."""
    with reading() as conn:
        found = deviations.list_active(conn, hub())
    return {"items": [asdict(each) for each in found], "next": None, **as_of()}


@api.post("/deviations/<plant>/<deviation_id>/judge")
@requires(*JUDGES)
def judge(path: DeviationPath, body: JudgeBody) -> dict[str, Any]:
    """Approve a plant's deviation, or object to it."""
    word = (body.expires_ms, body.verdict, body.reason)
    deviations.judge(hub(), path.plant, path.deviation_id, *word, actor(), body.command_id)
    return {"plant": path.plant, "deviation_id": path.deviation_id, "verdict": body.verdict}
