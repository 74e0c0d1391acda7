"""Jobs of cranes as JSON: what a crane's tablet sends when the radio is back, and what a yard system plans."""

from __future__ import annotations

from typing import Any, Literal

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.stock import jobs
from local_mes.stock.api import YARD, CommandBody
from shared.stock.queries import open_jobs
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Asked
from shared.web.context import reading, requires

tag = Tag(name="cranes", description="Job lists of cranes")
bp = APIBlueprint("crane_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
CRANE = r"^[A-Z][A-Z0-9-]{0,15}$"
SHOWN = ("job_id", "crane", "kind", "position", "number", "place", "to_place", "why", "planned_at_ms")


class JobPath(Asked):
    """A job by its id."""

    job_id: str = Field(max_length=32)


class JobsQuery(Asked):
    """Of one crane, or of all."""

    crane: str = Field("", max_length=16)


class PlanBody(CommandBody):
    """A job for a crane."""

    crane: str = Field(pattern=CRANE)
    kind: Literal["fetch", "put"]
    piece: str = Field(min_length=1, max_length=64)
    to: str = Field(min_length=1, max_length=64)
    why: str = Field("", max_length=200)


class ConfirmBody(CommandBody):
    """Done; place only where it was put elsewhere than planned."""

    place: str = Field("", max_length=64)


class CraneDropBody(CommandBody):
    """Why nobody needs it done."""

    reason: str = Field(min_length=1, max_length=500)


@bp.get("/cranes/jobs", summary="Open jobs in the order of each crane's list, with where the piece lies now")
def get_jobs(query: JobsQuery) -> dict[str, Any]:
    """place: where the piece lies; to_place: where it is to go."""
    here = plant()
    with reading() as conn:
        rows = open_jobs(conn, here.code, query.crane)
    items = [{name: getattr(row, name) for name in SHOWN} for row in rows]
    return {"items": items, "next": None, "as_of": here.clock.now_ms()}


@bp.post("/cranes/jobs", summary="Plan a job at the end of a crane's list")
@requires("yard", "lead", "planner")
def post_job(body: PlanBody) -> tuple[dict[str, Any], int]:
    """Refused by the rule of the yard that it would break."""
    job = jobs.NewJob(body.crane, body.kind, body.piece, body.to, body.why)
    return jobs.plan_job(plant(), body.command(), job), 201


@bp.post("/cranes/jobs/<job_id>/confirm", summary="The crane has done a job")
@requires(*YARD)
def post_confirm(path: JobPath, body: ConfirmBody) -> dict[str, Any]:
    """Done once for a command id: a tablet sends it again until it is answered."""
    return jobs.confirm_job(plant(), body.command(), path.job_id, body.place)


@bp.post("/cranes/jobs/<job_id>/drop", summary="A job is not needed any more")
@requires("yard", "lead", "planner")
def post_drop(path: JobPath, body: CraneDropBody) -> dict[str, Any]:
    """With a reason."""
    return jobs.drop_job(plant(), body.command(), path.job_id, body.reason)
